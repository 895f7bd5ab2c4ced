import base64
from datetime import date
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from .common import SaleAdminSupportCommon

PAPER = base64.b64encode(b"signed and sealed")


class MilestoneCommon(SaleAdminSupportCommon):
    """Contracts of one order over 100 pieces at 10, signed on 2 March 2026."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The people below decide; schedules come from each test alone.
        cls.env["sale.admin.milestone.template"].search([]).active = False

    @classmethod
    def _create_scheduled(cls, *milestones, quantity=100.0, price=10.0, activate=True, **values):
        order = cls._create_order(quantity, price, date="2026-03-01 12:00:00")
        contract = cls._create_contract(
            order, date_signed="2026-03-02", admin_id=cls.clerk.id, **values
        )
        contract.action_refresh_lines()
        cls._add(contract, *milestones)
        if activate:
            contract.state = "active"
        return contract

    @classmethod
    def _add(cls, contract, *milestones):
        return cls.env["sale.admin.milestone"].create(
            [
                {
                    "contract_id": contract.id,
                    "sequence": 10 * number,
                    "name": f"Step {number}",
                    "date_planned": "2026-04-01",
                    **vals,
                }
                for number, vals in enumerate(milestones, 1)
            ]
        )

    def _assert_progress(self, milestones, *expected):
        self.assertRecordValues(
            milestones,
            [
                {"progress": progress, "date_reached": day and fields.Date.to_date(day)}
                for progress, day in expected
            ],
        )


def delivered(target, target_type="quantity", **vals):
    return {"measure": "delivered", "target_type": target_type, "target": target, **vals}


def invoiced(target=100, target_type="percent", **vals):
    return {"measure": "invoiced", "target_type": target_type, "target": target, **vals}


def collected(target=100, target_type="percent", **vals):
    return {"measure": "collected", "target_type": target_type, "target": target, **vals}


MANUAL = {"measure": "manual", "kind": "production"}
CHECKED = {**MANUAL, "needs_verification": True}
DOCUMENT = {"measure": "document", "kind": "document"}


@tagged("post_install", "-at_install")
class TestMilestone(MilestoneCommon):
    # === PROGRESS: what the facts say === #
    def test_150_delivered_of_three_shares_of_100(self):
        contract = self._create_scheduled(
            delivered(100), delivered(100), delivered(100), quantity=300
        )
        self._deliver(contract.order_ids, 150, date="2026-03-10 09:00:00")
        self._assert_progress(contract.milestone_ids, (1, "2026-03-10"), (0.5, False), (0, False))

    def test_share_is_reached_at_its_end_and_not_one_piece_before(self):
        contract = self._create_scheduled(delivered(50), delivered(50))
        first, second = contract.milestone_ids
        self._deliver(contract.order_ids, 49, date="2026-03-10 09:00:00")
        self._assert_progress(first, (0.98, False))
        self._deliver(contract.order_ids, 1, date="2026-03-11 09:00:00")
        self._assert_progress(first | second, (1, "2026-03-11"), (0, False))

    def test_tolerance_is_a_part_of_the_own_share(self):
        contract = self._create_scheduled(delivered(50), delivered(50, tolerance=10))
        second = contract.milestone_ids[1]
        self._deliver(contract.order_ids, 94, date="2026-03-10 09:00:00")
        self._assert_progress(second, (0.88, False))
        self._deliver(contract.order_ids, 1, date="2026-03-11 09:00:00")
        self._assert_progress(second, (1, "2026-03-11"))

    def test_return_takes_back_what_was_reached(self):
        contract = self._create_scheduled(delivered(100))
        milestone = contract.milestone_ids
        picking = self._deliver(contract.order_ids, date="2026-03-10 09:00:00")
        self._assert_progress(milestone, (1, "2026-03-10"))
        back = self._return(picking, 20, date="2026-03-12 09:00:00")
        self._assert_progress(milestone, (0.8, False))
        self._return(back, 20, date="2026-03-15 09:00:00")
        self._assert_progress(milestone, (1, "2026-03-15"))

    def test_discount_on_the_invoice_reaches_the_quantity_not_the_amount(self):
        contract = self._create_scheduled(
            invoiced(100, "percent"), invoiced(100, "percent_quantity", sequence=99)
        )
        invoice = self._invoice(contract.order_ids, date="2026-03-20", post=False)
        invoice.invoice_line_ids.filtered("product_id").discount = 10
        invoice.action_post()
        amount, quantity = contract.milestone_ids
        self._assert_progress(amount, (0.9, False))
        self._assert_progress(quantity, (1, "2026-03-20"))

    def test_deposit_and_balance_are_collected_with_taxes(self):
        contract = self._create_scheduled(collected(30), collected(70))
        self.assertEqual(contract.amount_total, 1150)
        self.assertEqual(contract.milestone_ids.mapped("amount_planned"), [345, 805])
        invoice = self._invoice(contract.order_ids, date="2026-03-20")
        self._pay(invoice, amount=344.99, date="2026-03-21")
        self.assertEqual(contract.milestone_ids.mapped("is_reached"), [False, False])
        self._pay(invoice, amount=0.01, date="2026-03-22")
        self._assert_progress(contract.milestone_ids, (1, "2026-03-22"), (0, False))
        self._pay(invoice, date="2026-03-23")
        self._assert_progress(contract.milestone_ids, (1, "2026-03-22"), (1, "2026-03-23"))

    def test_more_than_agreed_is_full_progress(self):
        contract = self._create_scheduled(delivered(50), delivered(50))
        contract.order_ids.order_line.product_uom_qty = 130
        self._deliver(contract.order_ids, 130, date="2026-03-10 09:00:00")
        self.assertEqual(contract.milestone_ids.mapped("progress"), [1, 1])

    def test_undated_facts_reach_without_a_date_and_are_not_late(self):
        contract = self._create_scheduled(delivered(100))
        rows = [(contract.id, "delivered", self.goods.id, False, 100.0, 1000.0, 1150.0)]
        with patch.object(
            self.registry["sale.admin.fact"], "_get_progression", lambda self, contracts: rows
        ):
            contract._facts_changed()
            self.env.flush_all()
        milestone = contract.milestone_ids
        self._assert_progress(milestone, (1, False))
        with freeze_time("2026-06-01"):
            milestone.invalidate_recordset(["status"])
            self.assertEqual(milestone.status, "reached")
            self.assertIn(
                milestone, milestone.search([("status", "=", "reached")]), "must not be lost"
            )

    def test_milestone_without_a_share_is_never_reached(self):
        contract = self._create_scheduled(delivered(0, "percent"), activate=False)
        self._deliver(contract.order_ids, date="2026-03-10 09:00:00")
        contract._facts_changed()
        self.assertFalse(contract.milestone_ids.is_reached)

    def test_last_percentage_takes_the_rounding_rest(self):
        contract = self._create_scheduled(
            *[invoiced(share) for share in (33.33, 33.33, 33.34)], quantity=1, price=100.01
        )
        self.assertEqual(
            [round(amount, 2) for amount in contract.milestone_ids.mapped("amount_planned")],
            [33.33, 33.34, 33.34],
        )
        self.assertEqual(contract.milestone_ids[-1].target_to, 100.01)

    def test_one_product_counts_alone(self):
        other = self._create_goods("Other goods")
        order = self._create_order(lines=[(self.goods, 10, 10), (other, 5, 100)])
        contract = self._create_contract(order, date_signed="2026-03-02")
        contract.action_refresh_lines()
        milestone = self._add(contract, delivered(100, "percent_quantity", product_id=other.id))
        contract.state = "active"
        self.assertEqual((milestone.target_to, milestone.amount_planned), (5, 500))
        moves = order.picking_ids.move_ids
        for move in moves:
            move.quantity = 10 if move.product_id == self.goods else 4
        moves.picked = True
        order.picking_ids.with_context(skip_backorder=True).button_validate()
        self.assertEqual(milestone.progress, 0.8)

    def test_dozens_count_in_the_products_own_unit(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._create_order(confirm=False)
        order.order_line.product_uom_id = dozen
        order.order_line.product_uom_qty = 2
        order.action_confirm()
        contract = self._create_contract(order, date_signed="2026-03-02")
        contract.action_refresh_lines()
        milestone = self._add(contract, delivered(100, "percent_quantity"))
        contract.state = "active"
        self.assertEqual(milestone.target_to, 24)
        self._deliver(order, date="2026-03-10 09:00:00")
        self._assert_progress(milestone, (1, "2026-03-10"))

    def test_foreign_currency_counts_in_the_contracts_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": currency.id}
        )
        order = self._create_order(10, 10, pricelist_id=pricelist.id, date="2026-03-01 12:00:00")
        contract = self._create_contract(order, date_signed="2026-03-02")
        contract.action_refresh_lines()
        milestones = self._add(contract, invoiced(50), invoiced(50))
        contract.state = "active"
        self.assertEqual(milestones.currency_id, currency)
        invoice = self._invoice(order, date="2026-03-20", post=False)
        self.assertEqual(invoice.currency_id, currency)
        invoice.action_post()
        self._assert_progress(milestones, (1, "2026-03-20"), (1, "2026-03-20"))

    def test_progress_is_the_same_whoever_asks(self):
        contract = self._create_scheduled(delivered(100), user_id=self.salesman.id)
        self._deliver(contract.order_ids, 50, date="2026-03-10 09:00:00")
        contract.with_user(self.salesman)._facts_changed()
        milestone = contract.milestone_ids.with_user(self.salesman)
        self.assertEqual(milestone.progress, 0.5)

    # === STATUS: today === #
    def _get_status(self, milestone):
        milestone.invalidate_recordset(["status", "days_late"])
        for status in ("planned", "due", "late", "reached", "reached_late", "waived"):
            found = milestone.search([("status", "=", status), ("id", "=", milestone.id)])
            self.assertEqual(bool(found), milestone.status == status, status)
        groups = milestone._read_group([("id", "=", milestone.id)], ["status"])
        self.assertEqual(groups, [(milestone.status,)])
        return milestone.status

    def test_due_seven_days_before_and_late_one_day_after(self):
        milestone = self._create_scheduled(delivered(100)).milestone_ids
        for moment, status in (
            ("2026-03-24 12:00:00", "planned"),
            ("2026-03-25 12:00:00", "due"),
            ("2026-04-01 23:59:59", "due"),
            ("2026-04-02 00:00:00", "late"),
        ):
            with freeze_time(moment), self.subTest(moment):
                self.assertEqual(self._get_status(milestone), status)

    def test_late_begins_at_the_companys_midnight(self):
        milestone = self._create_scheduled(delivered(100)).milestone_ids
        self.company.sale_admin_tz = "Asia/Tokyo"
        with freeze_time("2026-04-01 14:59:59"):
            self.assertEqual(self._get_status(milestone), "due")
        with freeze_time("2026-04-01 15:00:00"):
            self.assertEqual(self._get_status(milestone), "late")
            self.assertEqual(milestone.days_late, 1)

    def test_two_companies_have_two_todays(self):
        milestone = self._create_scheduled(delivered(100)).milestone_ids
        other = self.env["res.company"].create({"name": "Far away", "sale_admin_tz": "Asia/Tokyo"})
        with freeze_time("2026-04-01 15:00:00"):
            self.assertEqual(self._get_status(milestone), "due")
            self.assertNotEqual(other._sale_admin_today(), self.company._sale_admin_today())

    def test_reached_after_the_planned_day_is_reached_late(self):
        contract = self._create_scheduled(delivered(50), delivered(50))
        first, second = contract.milestone_ids
        self._deliver(contract.order_ids, 50, date="2026-04-01 09:00:00")
        self._deliver(contract.order_ids, 50, date="2026-04-03 09:00:00")
        self.assertEqual(self._get_status(first), "reached")
        self.assertEqual(self._get_status(second), "reached_late")
        self.assertEqual(second.days_late, 2)

    def test_draft_and_ended_contracts_are_not_late(self):
        contract = self._create_scheduled(delivered(100), activate=False)
        with freeze_time("2026-06-01"):
            self.assertEqual(self._get_status(contract.milestone_ids), "planned")
            contract.state = "active"
            self.assertEqual(self._get_status(contract.milestone_ids), "late")
            contract.write({"state_reason": "Bankrupt", "state": "terminated"})
            self.assertEqual(self._get_status(contract.milestone_ids), "waived")

    def test_list_is_ordered_by_status(self):
        contract = self._create_scheduled(delivered(100), {**MANUAL, "date_planned": "2026-09-01"})
        with freeze_time("2026-06-01"):
            found = self.env["sale.admin.milestone"].search(
                [("contract_id", "=", contract.id)], order="status desc"
            )
            self.assertEqual(found.mapped("status"), ["planned", "late"])

    def test_late_ones_are_found_by_the_index_of_open_ones(self):
        self.env.flush_all()
        query = self.env["sale.admin.milestone"].sudo()._search([("status", "=", "late")])
        # With so few rows any index would do: leave the planner only the one meant for it.
        self.env.cr.execute("DROP INDEX sale_admin_milestone__date_planned_index")
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        plan = self.env.execute_query(type(query.select())("EXPLAIN %s", query.select()))
        self.assertIn("sale_admin_milestone_open_idx", str(plan))

    # === DATES: anchors and re-planning === #
    def test_dates_are_counted_from_signature_order_and_promise(self):
        self.company.sale_admin_tz = "Asia/Tokyo"
        order = self._create_order(
            date="2026-03-01 20:00:00", commitment_date="2026-03-20 16:00:00"
        )
        contract = self._create_contract(order, date_signed="2026-03-10")
        milestones = self._add(
            contract,
            {**MANUAL, "anchor": "signature", "offset_days": 20},
            {**MANUAL, "anchor": "confirmation", "offset_days": 1},
            {**MANUAL, "anchor": "promised", "offset_days": -2},
        )
        self.assertEqual(
            [str(day) for day in milestones.mapped("date_planned")],
            # Both moments are already the next day in Tokyo.
            ["2026-03-30", "2026-03-03", "2026-03-19"],
        )

    def test_promise_is_kept_once_the_contract_runs(self):
        contract = self._create_scheduled({**MANUAL, "anchor": "promised"}, activate=False)
        contract.order_ids.commitment_date = "2026-03-20 12:00:00"
        self.assertEqual(contract.milestone_ids.date_planned, date(2026, 3, 20))
        contract.state = "active"
        contract.order_ids.commitment_date = "2026-05-20 12:00:00"
        self.assertEqual(contract.milestone_ids.date_planned, date(2026, 3, 20))

    def test_schedule_follows_what_happens_and_the_baseline_stays(self):
        contract = self._create_scheduled(delivered(100), activate=False)
        delivery = contract.milestone_ids
        payment = self._add(
            contract,
            collected(
                anchor="milestone", anchor_milestone_id=delivery.id, offset_days=30, sequence=99
            ),
        )
        self.assertEqual(payment.date_planned, date(2026, 5, 1))
        contract.state = "active"
        picking = self._deliver(contract.order_ids, date="2026-04-10 09:00:00")
        self.assertEqual(payment.date_planned, date(2026, 5, 10))
        self.assertEqual(payment.date_baseline, date(2026, 5, 1))
        self._return(picking, 1, date="2026-04-12 09:00:00")
        self.assertEqual(payment.date_planned, date(2026, 5, 1))

    def test_whole_chain_follows_what_happens(self):
        """Delivery, invoice, balance: what is counted from what is counted moves as well."""
        order = self._create_order(date="2026-03-01", commitment_date="2026-04-01 12:00:00")
        contract = self._create_contract(order, date_signed="2026-03-01")
        contract.milestone_template_id = self.env.ref(
            "sale_admin_support.sale_admin_milestone_template_made_to_order"
        )
        contract.action_refresh_lines()
        contract.milestone_ids.unlink()
        contract.action_make_schedule()
        contract.state = "active"
        self.env.flush_all()
        self.env.invalidate_all()
        self._deliver(order, date="2026-04-10 09:00:00")
        self.env.flush_all()
        self.env.invalidate_all()
        planned = {m.name: m.date_planned for m in contract.milestone_ids}
        self.assertEqual(planned["Invoice"], date(2026, 4, 10))
        self.assertEqual(planned["Balance"], date(2026, 5, 10))
        self.assertEqual(planned["Acceptance by the customer"], date(2026, 4, 24))
        self.assertEqual(planned["End of guarantee"], date(2027, 4, 24))

    def test_baseline_is_taken_at_the_start_and_never_written(self):
        contract = self._create_scheduled(invoiced(), activate=False)
        milestone = contract.milestone_ids
        self.assertFalse(milestone.date_baseline)
        contract.state = "active"
        self.assertRecordValues(
            milestone, [{"date_baseline": date(2026, 4, 1), "amount_baseline": 1000}]
        )
        for vals in ({"date_baseline": "2026-05-01"}, {"amount_baseline": 1}):
            for user in (self.manager, self.env.ref("base.user_root")):
                with self.assertRaises(AccessError):
                    milestone.with_user(user).write(vals)

    def test_date_of_a_running_contract_needs_a_reason(self):
        milestone = self._create_scheduled(delivered(100)).milestone_ids.with_user(self.clerk)
        with self.assertRaises(UserError):
            milestone.date_planned = "2026-05-01"
        with self.assertRaises(UserError):
            milestone.write({"date_planned": "2026-05-01", "replan_reason": "  "})
        with self.assertRaises(UserError):
            milestone.write({"date_planned": False, "replan_reason": "Lost"})
        with self.assertRaises(UserError):
            milestone.replan_reason = "Another reason afterwards"
        milestone.write({"date_planned": "2026-05-01", "replan_reason": "Site not ready"})
        self.assertRecordValues(
            milestone,
            [{"date_planned": date(2026, 5, 1), "date_baseline": date(2026, 4, 1)}],
        )
        self.assertIn("Site not ready", milestone.contract_id.message_ids[0].body)

    def test_replan_moves_what_is_counted_from_it_or_not(self):
        for move_dependents, expected in ((True, date(2026, 5, 18)), (False, date(2026, 5, 11))):
            contract = self._create_scheduled(delivered(100), activate=False)
            delivery = contract.milestone_ids
            acceptance = self._add(
                contract,
                {
                    **MANUAL,
                    "anchor": "milestone",
                    "anchor_milestone_id": delivery.id,
                    "offset_days": 40,
                    "sequence": 99,
                },
            )
            contract.state = "active"
            wizard = (
                self.env["sale.admin.milestone.replan"]
                .with_user(self.clerk)
                .create(
                    {
                        "milestone_ids": delivery.ids,
                        "days": 7,
                        "move_dependents": move_dependents,
                        "reason": "Late material",
                    }
                )
            )
            wizard.action_replan()
            self.assertEqual(delivery.date_planned, date(2026, 4, 8))
            self.assertEqual(acceptance.date_planned, expected)

    def test_replanning_both_moves_each_once(self):
        contract = self._create_scheduled(delivered(100), activate=False)
        delivery = contract.milestone_ids
        acceptance = self._add(
            contract,
            {**MANUAL, "anchor": "milestone", "anchor_milestone_id": delivery.id, "offset_days": 5},
        )
        contract.state = "active"
        (delivery | acceptance).with_user(self.clerk)._replan(days=7, reason="Late material")
        self.assertEqual(acceptance.date_planned, date(2026, 4, 13))

    def test_what_is_reached_or_waived_is_not_replanned(self):
        contract = self._create_scheduled(delivered(100), MANUAL)
        first, second = contract.milestone_ids
        self._deliver(contract.order_ids, date="2026-03-10 09:00:00")
        second.with_user(self.manager)._waive("Not needed")
        for milestone in (first, second):
            with self.assertRaises(UserError):
                milestone._replan(days=1, reason="Later")

    def test_typed_date_no_longer_follows_the_signature(self):
        contract = self._create_scheduled(
            {**MANUAL, "anchor": "signature", "offset_days": 5}, activate=False
        )
        milestone = contract.milestone_ids
        self.assertEqual(milestone.date_planned, date(2026, 3, 7))
        milestone.date_planned = "2026-03-31"
        contract.date_signed = "2026-03-03"
        self.assertEqual(milestone.date_planned, date(2026, 3, 31))

    def test_amendment_moves_open_milestones(self):
        contract = self._create_scheduled(delivered(50), delivered(50))
        first, second = contract.milestone_ids
        self._deliver(contract.order_ids, 50, date="2026-03-10 09:00:00")
        amendment = (
            self.env["sale.admin.contract.amendment"]
            .with_user(self.manager)
            .create({"contract_id": contract.id, "reason": "More time", "shift_days": 10})
        )
        contract.milestone_ids._apply_amendment(amendment)
        self.assertEqual(first.date_planned, date(2026, 4, 1))
        self.assertEqual(second.date_planned, date(2026, 4, 11))

    # === PLAN: what a schedule may be, and what may become of it === #
    def test_circle_is_refused(self):
        contract = self._create_scheduled(MANUAL, MANUAL, activate=False)
        first, second = contract.milestone_ids
        first.write({"anchor": "milestone", "anchor_milestone_id": second.id})
        with self.assertRaises(ValidationError):
            second.write({"anchor": "milestone", "anchor_milestone_id": first.id})

    def test_milestone_before_its_anchor_is_refused(self):
        contract = self._create_scheduled(MANUAL, MANUAL, activate=False)
        first, second = contract.milestone_ids
        vals = {"anchor": "milestone", "anchor_milestone_id": first.id}
        second.write({**vals, "offset_days": 0})
        with self.assertRaises(ValidationError):
            second.write({**vals, "offset_days": -1})

    def test_anchor_is_a_milestone_of_the_same_contract(self):
        other = self._create_scheduled(MANUAL, activate=False).milestone_ids
        milestone = self._create_scheduled(MANUAL, activate=False).milestone_ids
        with self.assertRaises(ValidationError):
            milestone.write({"anchor": "milestone", "anchor_milestone_id": other.id})
        with self.assertRaises(ValidationError):
            milestone.write({"anchor": "milestone", "anchor_milestone_id": False})

    def test_target_is_between_nothing_and_all(self):
        milestone = self._create_scheduled(invoiced(), activate=False).milestone_ids
        with self.assertRaises(ValidationError):
            milestone.target = 100.01
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            milestone.target = -1
            milestone.flush_recordset()

    def test_money_is_not_collected_by_quantity_or_product(self):
        contract = self._create_scheduled(activate=False)
        for vals in ({"target_type": "quantity"}, {"product_id": self.goods.id}):
            with self.assertRaises(ValidationError):
                self._add(contract, {**collected(), **vals})

    def test_product_of_the_milestone_is_in_the_contract(self):
        contract = self._create_scheduled(activate=False)
        with self.assertRaises(ValidationError):
            self._add(contract, delivered(1, product_id=self._create_goods("Stranger").id))

    def test_shares_that_do_not_add_up_keep_the_contract_from_starting(self):
        for shares in ((50, 49.99), (50, 50.01)):
            contract = self._create_scheduled(*map(invoiced, shares), activate=False)
            with self.assertRaisesRegex(UserError, "100 %"):
                contract.state = "active"
            self.assertEqual(contract.state, "draft")
        self._create_scheduled(invoiced(50), invoiced(50))

    def test_amounts_may_plan_a_part_but_not_more_than_all(self):
        self._create_scheduled(invoiced(400, "amount"))
        self._create_scheduled(invoiced(400, "amount"), invoiced(600, "amount"))
        with self.assertRaises(UserError):
            self._create_scheduled(invoiced(400, "amount"), invoiced(600.01, "amount"))

    def test_all_problems_are_told_at_once(self):
        contract = self._create_scheduled(
            invoiced(50), {**MANUAL, "name": "Undated", "date_planned": False}, activate=False
        )
        with self.assertRaises(UserError) as caught:
            contract.state = "active"
        self.assertIn("Undated", str(caught.exception))
        self.assertIn("50 %", str(caught.exception))

    def test_what_was_agreed_is_fixed_since_the_start(self):
        contract = self._create_scheduled(
            invoiced(), {**CHECKED, "anchor": "signature", "offset_days": 3}
        )
        milestone, manual = contract.milestone_ids.with_user(self.manager)
        for vals in (
            {"target": 90},
            {"measure": "delivered"},
            {"kind": "delivery"},
            {"tolerance": 5},
            {"sequence": 99},
            {"target_type": "amount"},
        ):
            with self.assertRaises(UserError):
                milestone.write(vals)
        for vals in ({"needs_verification": False}, {"anchor": "fixed"}, {"offset_days": 4}):
            with self.assertRaises(UserError):
                manual.write(vals)
        # The same value again is no change, the name is free.
        milestone.write({"target": 100, "name": "Other words"})

    def test_running_contract_takes_new_manual_milestones_only(self):
        contract = self._create_scheduled(invoiced())
        with self.assertRaises(UserError):
            self._add(contract, delivered(10))
        with self.assertRaises(UserError):
            self._add(contract, {**MANUAL, "date_planned": False})
        self.assertTrue(self._add(contract, MANUAL))
        contract.write({"state_reason": "Bankrupt", "state": "terminated"})
        with self.assertRaises(UserError):
            self._add(contract, MANUAL)

    def test_milestone_stays_with_its_contract(self):
        milestone = self._create_scheduled(MANUAL, activate=False).milestone_ids
        other = self._create_scheduled(activate=False)
        with self.assertRaises(UserError):
            milestone.contract_id = other

    def test_deleting_is_free_before_the_start_alone(self):
        contract = self._create_scheduled(MANUAL, MANUAL, activate=False)
        contract.milestone_ids[0].with_user(self.clerk).unlink()
        contract.state = "active"
        with self.assertRaises(UserError):
            contract.milestone_ids.with_user(self.manager).unlink()

    def test_anchor_of_another_is_not_deleted_alone(self):
        contract = self._create_scheduled(MANUAL, MANUAL, activate=False)
        first, second = contract.milestone_ids
        second.write({"anchor": "milestone", "anchor_milestone_id": first.id})
        with self.assertRaises(UserError):
            first.unlink()
        contract.milestone_ids.unlink()
        self.assertFalse(contract.milestone_ids)

    def test_draft_contract_with_a_chain_is_deleted(self):
        contract = self._create_scheduled(MANUAL, MANUAL, activate=False)
        first, second = contract.milestone_ids
        second.write({"anchor": "milestone", "anchor_milestone_id": first.id})
        contract.order_ids.sale_contract_id = False
        contract.unlink()
        self.assertFalse((first | second).exists())

    def test_contracts_are_imported_with_milestones(self):
        header = ["title", "partner_id/id", "amount_untaxed", "amount_total", "date_signed"]
        header += [f"milestone_ids/{name}" for name in ("name", "measure", "target", "anchor")]
        xmlid = self.env["ir.model.data"].create(
            {
                "module": "__test__",
                "name": "customer",
                "model": "res.partner",
                "res_id": self.customer.id,
            }
        )
        first = ["Imported", xmlid.complete_name, "1000", "1150", "2026-03-02"]
        rows = [
            [*first, "Deposit", "collected", "30", "signature"],
            ["", "", "", "", "", "Balance", "collected", "70", "signature"],
        ]
        model = self.env["sale.admin.contract"].with_user(self.clerk)
        result = model.load(header, rows)
        contract = model.browse(result["ids"])
        self.assertEqual(contract.milestone_ids.mapped("amount_planned"), [345, 805])
        rows[1][7] = "170"
        result = model.load(header, rows)
        self.assertFalse(result["ids"])
        self.assertIn("100 %", result["messages"][0]["message"])

    # === DECISIONS: who may say that it is done, that it counts, that it is not needed === #
    def _set_done(self, milestone, user, day="2026-03-10", evidence="Seen", **kwargs):
        with freeze_time("2026-03-10 12:00:00"):
            milestone.with_user(user)._set_done(
                fields.Date.to_date(day), evidence=evidence, **kwargs
            )

    def test_manual_milestone_is_reached_when_done(self):
        milestone = self._create_scheduled(MANUAL).milestone_ids
        self._set_done(milestone, self.clerk, "2026-03-09")
        self.assertRecordValues(
            milestone,
            [
                {
                    "date_done": date(2026, 3, 9),
                    "date_reached": date(2026, 3, 9),
                    "done_by_id": self.clerk.id,
                    "progress": 1.0,
                }
            ],
        )

    def test_done_is_not_in_the_future(self):
        milestone = self._create_scheduled(MANUAL).milestone_ids
        with self.assertRaises(UserError):
            self._set_done(milestone, self.clerk, "2026-03-11")
        self.company.sale_admin_tz = "Pacific/Auckland"
        self._set_done(milestone, self.clerk, "2026-03-11")

    def test_done_needs_evidence(self):
        milestone = self._create_scheduled(MANUAL).milestone_ids
        with self.assertRaises(UserError):
            self._set_done(milestone, self.clerk, evidence=" ")
        self._set_done(milestone, self.clerk, evidence=None, file=PAPER)

    def test_paper_needs_its_file_and_a_second_person(self):
        milestone = self._create_scheduled(DOCUMENT).milestone_ids
        with self.assertRaises(UserError):
            self._set_done(milestone, self.clerk)
        self._set_done(milestone, self.clerk, file=PAPER, file_name="report.pdf")
        self.assertTrue(milestone.is_waiting)
        self.assertFalse(milestone.is_reached)
        milestone.with_user(self.clerk_2)._verify()
        self._assert_progress(milestone, (1, "2026-03-10"))

    def test_file_larger_than_allowed_is_refused(self):
        milestone = self._create_scheduled(DOCUMENT).milestone_ids
        self.company.sale_admin_max_file_size = 1
        large = base64.b64encode(b"x" * (1024 * 1024 + 3))
        with self.assertRaises(UserError):
            self._set_done(milestone, self.clerk, file=large)
        with self.assertRaises(UserError):
            milestone.with_user(self.clerk).file = large
        milestone.with_user(self.clerk).file = base64.b64encode(b"x" * 1024 * 1024)

    def test_second_person_is_another_person(self):
        milestone = self._create_scheduled(CHECKED).milestone_ids
        self._set_done(milestone, self.clerk)
        with self.assertRaises(UserError):
            milestone.with_user(self.clerk)._verify()
        milestone.with_user(self.clerk_2)._verify()
        self.assertRecordValues(
            milestone, [{"is_reached": True, "verified_by_id": self.clerk_2.id}]
        )

    def test_who_changed_the_evidence_does_not_verify_it(self):
        milestone = self._create_scheduled(CHECKED).milestone_ids
        self._set_done(milestone, self.clerk)
        milestone.with_user(self.clerk_2).evidence = "Better words"
        with self.assertRaises(UserError):
            milestone.with_user(self.clerk_2)._verify()
        with self.assertRaises(UserError):
            milestone.with_user(self.clerk)._verify()
        milestone.with_user(self.manager)._verify()

    def test_salesperson_neither_does_nor_verifies(self):
        contract = self._create_scheduled(CHECKED, user_id=self.salesman.id)
        milestone = contract.milestone_ids
        with self.assertRaises(AccessError):
            self._set_done(milestone, self.salesman)
        self._set_done(milestone, self.clerk)
        with self.assertRaises(AccessError):
            milestone.with_user(self.salesman)._verify()
        self.assertFalse(milestone.with_user(self.salesman).can_verify)

    def test_decisions_are_not_written_by_clients(self):
        milestone = self._create_scheduled(CHECKED).milestone_ids
        forged = {
            "date_done": "2026-03-10",
            "done_by_id": self.clerk.id,
            "verified_by_id": self.clerk_2.id,
            "verified_at": "2026-03-10 10:00:00",
            "date_reached": "2026-03-10",
            "is_reached": True,
            "progress": 1.0,
            "is_waived": True,
            "waived_by_id": self.manager.id,
            "evidence_by_id": self.clerk_2.id,
            "is_open": True,
            "target_to": 5,
        }
        for name, value in forged.items():
            for user in (self.clerk, self.manager, self.env.ref("base.user_root")):
                if name == "is_open":
                    value = False
                with self.subTest(name, user=user.login), self.assertRaises(AccessError):
                    milestone.with_user(user).write({name: value})

    def test_decisions_are_not_created_by_values_or_defaults(self):
        contract = self._create_scheduled()
        model = self.env["sale.admin.milestone"].with_user(self.clerk)
        vals = {
            "contract_id": contract.id,
            "name": "Made",
            "measure": "manual",
            "date_planned": "2026-04-01",
        }
        with self.assertRaises(AccessError):
            model.create({**vals, "date_done": "2026-03-10"})
        milestone = model.with_context(
            default_date_done="2026-03-10",
            default_is_reached=True,
            default_progress=1.0,
            default_verified_by_id=self.clerk_2.id,
            default_is_waived=True,
            default_date_baseline="2026-03-10",
        ).create(vals)
        self.assertRecordValues(
            milestone,
            [
                {
                    "date_done": False,
                    "is_reached": False,
                    "progress": 0.0,
                    "verified_by_id": False,
                    "is_waived": False,
                    "date_baseline": False,
                }
            ],
        )

    def test_sent_back_is_open_again_and_the_doer_is_told(self):
        milestone = self._create_scheduled(CHECKED).milestone_ids
        self._set_done(milestone, self.clerk)
        with self.assertRaises(UserError):
            milestone.with_user(self.clerk_2)._send_back(" ")
        milestone.with_user(self.clerk_2)._send_back("The stamp is missing")
        self.assertRecordValues(milestone, [{"date_done": False, "is_waiting": False}])
        self.assertEqual(milestone.activity_ids.user_id, self.clerk)

    def test_verified_evidence_is_closed_until_a_manager_reopens_it(self):
        milestone = self._create_scheduled(DOCUMENT).milestone_ids
        self._set_done(milestone, self.clerk, file=PAPER)
        milestone.with_user(self.clerk_2)._verify()
        for vals in ({"evidence": "Other"}, {"file": PAPER}, {"file": False}):
            with self.assertRaises(UserError):
                milestone.with_user(self.manager).write(vals)
        with self.assertRaises(UserError):
            self._set_done(milestone, self.clerk)
        with self.assertRaises(AccessError):
            milestone.with_user(self.clerk)._reopen("Wrong paper")
        milestone.with_user(self.manager)._reopen("Wrong paper")
        self.assertRecordValues(
            milestone, [{"is_reached": False, "verified_by_id": False, "date_done": False}]
        )
        self.assertIn("Wrong paper", milestone.message_ids[0].body)

    def test_attachment_is_no_way_round_the_evidence(self):
        milestone = self._create_scheduled(DOCUMENT).milestone_ids
        self._set_done(milestone, self.clerk, file=PAPER)
        domain = [("res_model", "=", milestone._name), ("res_field", "=", "file")]
        paper = self.env["ir.attachment"].search([*domain, ("res_id", "=", milestone.id)])
        other = base64.b64encode(b"forged")
        paper.with_user(self.clerk_2).datas = other
        self.assertEqual(milestone.evidence_by_id, self.clerk_2)
        with self.assertRaises(UserError):
            milestone.with_user(self.clerk_2)._verify()
        milestone.with_user(self.manager)._verify()
        with self.assertRaises(UserError):
            paper.with_user(self.clerk).datas = PAPER
        with self.assertRaises(UserError):
            paper.with_user(self.clerk).unlink()
        with self.assertRaises(UserError):
            paper.with_user(self.clerk).create(
                {
                    "name": "file",
                    "res_model": milestone._name,
                    "res_id": milestone.id,
                    "res_field": "file",
                    "datas": PAPER,
                }
            )

    def test_derived_milestones_are_not_set_done(self):
        milestone = self._create_scheduled(delivered(100)).milestone_ids
        with self.assertRaises(UserError):
            self._set_done(milestone, self.manager)

    def test_nothing_is_done_before_the_start(self):
        milestone = self._create_scheduled(MANUAL, activate=False).milestone_ids
        with self.assertRaises(UserError):
            self._set_done(milestone, self.clerk)

    def test_wizard_sets_several_done(self):
        contract = self._create_scheduled(MANUAL, MANUAL)
        with freeze_time("2026-03-10 12:00:00"):
            wizard = Form(
                self.env["sale.admin.milestone.done"]
                .with_user(self.clerk)
                .with_context(default_milestone_ids=contract.milestone_ids.ids)
            )
            wizard.evidence = "Report 4711"
            wizard.save().action_set_done()
        self.assertEqual(contract.milestone_ids.mapped("is_reached"), [True, True])

    def test_manager_waives_with_a_reason(self):
        milestone = self._create_scheduled(delivered(100)).milestone_ids
        with self.assertRaises(AccessError):
            milestone.with_user(self.clerk)._waive("Not needed")
        with self.assertRaises(UserError):
            milestone.with_user(self.manager)._waive("")
        milestone.with_user(self.manager)._waive("Not needed")
        self.assertRecordValues(
            milestone,
            [{"status": "waived", "waived_by_id": self.manager.id, "is_open": False}],
        )
        self.assertIn("Not needed", milestone.contract_id.message_ids[0].body)
        with self.assertRaises(AccessError):
            milestone.with_user(self.clerk)._unwaive("Needed")
        milestone.with_user(self.manager)._unwaive("Needed")
        self.assertTrue(milestone.is_open)

    def test_what_is_reached_is_not_waived(self):
        contract = self._create_scheduled(delivered(100))
        self._deliver(contract.order_ids, date="2026-03-10 09:00:00")
        with self.assertRaises(UserError):
            contract.milestone_ids.with_user(self.manager)._waive("Not needed")

    def test_wizard_of_a_clerk_does_not_waive(self):
        milestone = self._create_scheduled(delivered(100)).milestone_ids
        wizard = (
            self.env["sale.admin.milestone.decide"]
            .with_user(self.clerk)
            .create({"milestone_ids": milestone.ids, "decision": "waive", "reason": "No"})
        )
        with self.assertRaises(AccessError):
            wizard.action_decide()

    def test_another_company_sees_and_changes_nothing(self):
        milestone = self._create_scheduled(MANUAL).milestone_ids
        other = self.env["res.company"].create({"name": "Other company"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_manager", company=other
        )
        self.assertFalse(
            self.env["sale.admin.milestone"].with_user(stranger).search([("id", "=", milestone.id)])
        )
        with self.assertRaises(AccessError):
            self._set_done(milestone, stranger)
        with self.assertRaises(AccessError):
            milestone.with_user(stranger).get_chart_data(milestone.contract_id.id)

    def test_salesperson_sees_own_customers_alone(self):
        own = self._create_scheduled(MANUAL, user_id=self.salesman.id).milestone_ids
        foreign = self._create_scheduled(MANUAL, user_id=self.clerk.id).milestone_ids
        found = self.env["sale.admin.milestone"].with_user(self.salesman).search([])
        self.assertIn(own, found)
        self.assertNotIn(foreign, found)

    # === JOBS: the nightly job, queries and the drawing === #
    def _run_cron(self):
        cron = self.env.ref("sale_admin_support.sale_admin_milestone_cron_check")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def _spoil(self, milestone):
        """Store a progress that the facts do not bear out."""
        milestone.flush_recordset()
        self.env.cr.execute(
            "UPDATE sale_admin_milestone SET progress = 0.1, is_reached = FALSE, is_open = TRUE,"
            " date_reached = NULL WHERE id = %s",
            [milestone.id],
        )
        milestone.invalidate_recordset()

    @mute_logger("odoo.addons.sale_admin_support.models.sale_admin_milestone")
    def test_nightly_check_corrects_and_says_so(self):
        contract = self._create_scheduled(delivered(100))
        milestone = contract.milestone_ids
        self._deliver(contract.order_ids, date="2026-03-10 09:00:00")
        self._spoil(milestone)
        self._run_cron()
        self._assert_progress(milestone, (1, "2026-03-10"))
        self.assertFalse(milestone.is_open)
        self.assertIn("corrected", contract.message_ids[0].body)
        count = len(contract.message_ids)
        self._run_cron()
        self.assertEqual(len(contract.message_ids), count)

    @mute_logger("odoo.addons.sale_admin_support.models.sale_admin_milestone")
    def test_one_bad_contract_does_not_stop_the_others(self):
        contracts = [self._create_scheduled(delivered(100)) for _number in range(3)]
        for contract in contracts:
            self._deliver(contract.order_ids, date="2026-03-10 09:00:00")
            self._spoil(contract.milestone_ids)
        model = self.registry["sale.admin.milestone"]
        correct = model._correct_progress

        def fail_for_one(milestones):
            if contracts[1].milestone_ids & milestones:
                raise ValueError("bad record")
            return correct(milestones)

        with patch.object(model, "_correct_progress", fail_for_one):
            self._run_cron()
        self.assertEqual(
            [contract.milestone_ids.is_reached for contract in contracts], [True, False, True]
        )

    def test_responsible_is_told_once_also_after_missed_days(self):
        contract = self._create_scheduled(delivered(100))
        milestone = contract.milestone_ids
        self.assertEqual(milestone.user_id, self.clerk)
        for moment, expected in (("2026-03-24", 0), ("2026-04-03", 1), ("2026-04-04", 1)):
            with freeze_time(moment):
                self._run_cron()
            self.assertEqual(len(milestone.activity_ids), expected, moment)
        self.assertEqual(milestone.activity_ids.user_id, self.clerk)
        self.assertEqual(milestone.activity_ids.date_deadline, date(2026, 4, 1))

    def test_reminder_goes_away_when_reached_and_comes_again_when_replanned(self):
        contract = self._create_scheduled(delivered(100))
        milestone = contract.milestone_ids
        with freeze_time("2026-04-03"):
            self._run_cron()
            milestone._replan(days=30, reason="Later")
            self.assertFalse(milestone.activity_ids)
            self._run_cron()
            self.assertFalse(milestone.activity_ids)
        with freeze_time("2026-05-01"):
            self._run_cron()
            self.assertTrue(milestone.activity_ids)
            self._deliver(contract.order_ids)
            self._run_cron()
            self.assertFalse(milestone.activity_ids)

    def test_progress_of_many_contracts_is_one_query(self):
        contracts = self.env["sale.admin.contract"]
        for _number in range(5):
            contracts |= self._create_scheduled(delivered(50), delivered(50))
        self.env.flush_all()
        self.env.invalidate_all()
        counts = []
        contracts.milestone_ids._get_progress()  # fills the caches of the registry
        for some in (contracts[:1], contracts):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some.milestone_ids._get_progress()
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts)

    def test_activating_many_milestones_does_not_query_for_each(self):
        counts = []
        for number in (2, 100):
            contract = self._create_scheduled(
                *[invoiced(100 / number) for _number in range(number)], activate=False
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            contract.state = "active"
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1] - counts[0], 5, counts)

    def test_list_of_milestones_does_not_query_for_each(self):
        counts = []
        contracts = [
            self._create_scheduled(*[MANUAL for _number in range(number)]) for number in (2, 40)
        ]
        for contract in (contracts[0], *contracts):  # the first round fills the registry's caches
            milestones = contract.milestone_ids
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            milestones.with_user(self.clerk).web_search_read(
                [("contract_id", "=", contract.id)],
                {"name": {}, "status": {}, "days_late": {}, "can_verify": {}, "is_waiting": {}},
            )
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts[1:])

    def test_drawing_compares_planned_with_actual(self):
        contract = self._create_scheduled(
            delivered(40, "percent_quantity"),
            delivered(60, "percent_quantity", date_planned="2026-05-01"),
            collected(),
        )
        self._deliver(contract.order_ids, 50, date="2026-03-10 09:00:00")
        with freeze_time("2026-03-15"):
            data = contract.milestone_ids.with_user(self.clerk).get_chart_data(contract.id)
        self.assertEqual(data["today"], "2026-03-15")
        measures = {measure["measure"]: measure for measure in data["measures"]}
        self.assertEqual(set(measures), {"delivered", "collected"})
        self.assertEqual(
            measures["delivered"]["planned"], [["2026-04-01", 400], ["2026-05-01", 1000]]
        )
        self.assertEqual(measures["delivered"]["baseline"], measures["delivered"]["planned"])
        self.assertEqual(measures["delivered"]["actual"], [["2026-03-10", 500]])
        self.assertEqual(measures["collected"]["planned"], [["2026-04-01", 1150]])
