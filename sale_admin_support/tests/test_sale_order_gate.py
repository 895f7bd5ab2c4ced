import logging
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import SaleAdminSupportCommon

_logger = logging.getLogger(__name__)


class SaleAdminGateCommon(SaleAdminSupportCommon):
    """An own rule holds the orders whose customer reference starts with "HOLD".

    Another one, on demand, holds those that are worth more than a limit.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sale.admin.check"].search([]).active = False
        cls.check = cls._create_check()
        cls.controller = cls._create_user(
            "credit_controller", "sale_admin_support.group_sale_admin_credit"
        )
        cls.enterer = cls._create_user("enterer", "sales_team.group_sale_salesman_all_leads")

    @classmethod
    def _create_check(cls, **values):
        return cls.env["sale.admin.check"].create(
            {
                "name": "Reference to clear",
                "kind": "domain",
                "rule_domain": "[('client_order_ref', '=like', 'HOLD%')]",
                "active": True,
                "release_group_id": cls.env.ref("sale_admin_support.group_sale_admin_user").id,
                **values,
            }
        )

    @classmethod
    def _create_value_check(cls, amount=1150.0, **values):
        """Hold orders that are worth more than `amount`, taxes included."""
        cls.check.active = False
        return cls._create_check(
            name="Large order",
            rule_domain=f"[('amount_total', '>', {amount})]",
            **values,
        )

    @classmethod
    def _create_held(cls, **values):
        order = cls._create_order(client_order_ref="HOLD", **values)
        assert order.release_state == "held", order.release_state
        return order

    @classmethod
    def _release(cls, order, user=None, note="Cleared by phone"):
        holds = order.hold_ids.filtered(lambda hold: hold.state == "open")
        holds.with_user(user or cls.clerk).action_release(note)

    def _get_started(self, order):
        """Return the quantity that the warehouse is asked for."""
        moves = order.picking_ids.move_ids.filtered(lambda move: move.state != "cancel")
        return sum(moves.mapped("product_uom_qty"))


@tagged("post_install", "-at_install")
class TestSaleOrderGate(SaleAdminGateCommon):
    # === CONFIRMING === #
    def test_order_without_finding_is_free_and_starts(self):
        order = self._create_order()
        self.assertRecordValues(order, [{"state": "sale", "release_state": "free"}])
        self.assertEqual(self._get_started(order), 10.0)
        self.assertFalse(order.hold_ids)

    def _assert_confirmed_and_held(self, order):
        self.assertRecordValues(order, [{"state": "sale", "release_state": "held"}])
        self.assertTrue(order.judged_at)
        self.assertFalse(order.picking_ids)
        self.assertEqual(
            order.order_line.mapped("qty_withheld"), order.order_line.mapped("product_uom_qty")
        )
        self.assertRecordValues(
            order.hold_ids, [{"check_id": self.check.id, "stage": "handover", "state": "open"}]
        )

    def test_confirming_by_the_button_is_judged(self):
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        order.user_id = self.salesman
        order.with_user(self.salesman).action_confirm()
        self._assert_confirmed_and_held(order)

    def test_confirming_by_write_is_judged(self):  # trap 2
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        order.with_user(self.enterer).write({"state": "sale"})
        order.order_line._action_launch_stock_rule()
        self._assert_confirmed_and_held(order)

    def test_confirming_by_create_is_judged(self):  # trap 2
        order = self._create_order(confirm=False, client_order_ref="HOLD", state="sale")
        self._assert_confirmed_and_held(order)

    def test_order_created_confirmed_without_finding_starts(self):  # trap 2
        order = self._create_order(confirm=False, state="sale")
        self.assertRecordValues(order, [{"state": "sale", "release_state": "free"}])
        self.assertTrue(order.judged_at)
        self.assertEqual(self._get_started(order), 10.0)

    def test_confirming_by_import_is_judged(self):  # trap 2
        result = (
            self.env["sale.order"]
            .with_user(self.enterer)
            .load(
                ["partner_id/.id", "client_order_ref", "state", "order_line/product_id/.id"],
                [[str(self.customer.id), "HOLD", "sale", str(self.goods.id)]],
            )
        )
        self.assertFalse(result["messages"])
        self._assert_confirmed_and_held(self.env["sale.order"].browse(result["ids"]))

    def test_lines_of_an_unconfirmed_order_start_nothing(self):  # trap 2
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        line = order.order_line
        line.write({"state": "sale"})
        line.write({"product_uom_qty": 12.0})
        self.assertFalse(order.picking_ids)

    def test_batch_is_judged_order_by_order(self):
        orders = self._create_order(confirm=False) | self._create_order(
            confirm=False, client_order_ref="HOLD"
        )
        orders.action_confirm()
        self.assertEqual(orders.mapped("release_state"), ["free", "held"])
        self.assertEqual(orders.mapped("state"), ["sale", "sale"])

    def test_broken_check_does_not_abort_the_others(self):
        self.check.active = False
        broken = self._create_check(rule_domain="[('amount_total', '>', 1)]")
        self.env.cr.execute(
            "UPDATE sale_admin_check SET rule_domain = '[(''nowhere'', ''='', 1)]' WHERE id = %s",
            [broken.id],
        )
        broken.invalidate_recordset()
        with mute_logger("odoo.addons.sale_admin_support.models.sale_admin_check"):
            order = self._create_order()
        self.assertRecordValues(order, [{"state": "sale", "release_state": "held"}])

    def test_context_switches_nothing_off(self):  # trap 3
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        order.with_user(self.enterer).with_context(
            skip_procurement=False,
            tracking_disable=True,
            default_release_state="free",
            default_judged_at="2026-01-01 00:00:00",
            default_qty_withheld=0.0,
            install_mode=True,
            force=True,
        ).action_confirm()
        self._assert_confirmed_and_held(order)

    def test_context_starts_no_added_line(self):  # trap 3
        order = self._create_order()
        order.client_order_ref = "HOLD"
        self.env["sale.order.line"].with_user(self.enterer).with_context(
            default_is_judgement_due=False, default_qty_judged=5.0, skip_procurement=True
        ).create({"order_id": order.id, "product_id": self.goods.id, "product_uom_qty": 5.0})
        order.order_line._action_launch_stock_rule()
        self.assertEqual(self._get_started(order), 10.0)
        self.assertEqual(order.order_line.mapped("qty_withheld"), [0.0, 5.0])

    def test_checks_of_the_order_company_count(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.check.company_id = other
        order = self._create_order(client_order_ref="HOLD")
        self.assertEqual(order.release_state, "free")
        self.check.company_id = self.company
        order = (
            self.env["sale.order"]
            .with_context(allowed_company_ids=[other.id, self.company.id])
            .browse(self._create_order(confirm=False, client_order_ref="HOLD").id)
        )
        order.action_confirm()
        self.assertEqual(order.release_state, "held")

    def test_two_companies_confirmed_together_are_judged_each_by_its_checks(self):
        data = self.setup_other_company()
        other = data["company"]
        self.check.company_id = other
        theirs = (
            self.env["sale.order"]
            .with_company(other)
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": other.id,
                    "client_order_ref": "HOLD",
                    "order_line": [Command.create({"product_id": self.goods.id})],
                }
            )
        )
        ours = self._create_order(confirm=False, client_order_ref="HOLD")
        (ours | theirs).with_context(
            allowed_company_ids=[self.company.id, other.id]
        ).action_confirm()
        self.assertEqual(ours.release_state, "free")
        self.assertEqual(theirs.release_state, "held")

    def test_services_are_withheld(self):
        order = self._create_held(lines=[(self.service, 3.0, 100.0)])
        self.assertEqual(order.order_line.qty_withheld, 3.0)

    def test_notes_are_not_withheld(self):
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        order.order_line = [Command.create({"display_type": "line_note", "name": "Thank you"})]
        order.action_confirm()
        self.assertEqual(order.order_line.mapped("qty_withheld"), [10.0, 0.0])

    def test_warning_and_watching_stop_nothing(self):
        for severity in ("warn", "shadow"):
            self.check.severity = severity
            order = self._create_order(client_order_ref="HOLD")
            self.assertEqual(order.release_state, "free")
            self.assertEqual(self._get_started(order), 10.0)
            self.assertRecordValues(
                order.hold_ids, [{"severity": severity, "state": "open", "is_current": True}]
            )

    def test_each_failing_check_is_a_hold(self):
        self._create_check(name="Too early", stage="invoice")
        order = self._create_held()
        self.assertEqual(sorted(order.hold_ids.mapped("stage")), ["handover", "invoice"])
        self._release(order)
        self.assertEqual(order.release_state, "released")

    def test_preview_of_a_quotation_decides_nothing(self):
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        order.action_recheck()
        order.action_recheck()
        self.assertRecordValues(order, [{"release_state": "free"}])
        self.assertRecordValues(order.hold_ids, [{"state": "open", "is_current": True}])
        with self.assertRaisesRegex(AccessError, "not confirmed"):
            self._release(order)
        order.action_confirm()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(sorted(order.hold_ids.mapped("state")), ["lapsed", "open"])

    def test_cured_preview_lapses(self):
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        order.action_recheck()
        order.client_order_ref = "PO"
        order.action_recheck()
        self.assertEqual(order.hold_ids.state, "lapsed")

    # === MENDING === #
    def test_mended_order_is_freed_at_once_and_starts(self):
        order = self._create_held()
        order.with_user(self.enterer).client_order_ref = "PO 1"
        self.assertEqual(order.release_state, "free")
        self.assertRecordValues(
            order.hold_ids,
            [{"state": "lapsed", "is_current": False, "decided_by_id": self.enterer.id}],
        )
        self.assertEqual(self._get_started(order), 10.0)

    def test_lowered_order_is_freed_at_once(self):
        self._create_value_check(1150.0)
        order = self._create_order(11.0)
        self.assertEqual(order.release_state, "held")
        order.with_user(self.enterer).order_line = [
            Command.update(order.order_line.id, {"product_uom_qty": 10.0})
        ]
        self.assertEqual(order.release_state, "free")
        self.assertEqual(self._get_started(order), 10.0)

    def test_one_of_two_reasons_mended_keeps_it_held(self):
        self._create_check(name="Second", rule_domain="[('amount_total', '>', 100)]")
        order = self._create_held()
        order.client_order_ref = "PO 1"
        self.assertEqual(order.release_state, "held")
        self.assertFalse(order.picking_ids)

    def test_switched_off_check_holds_no_longer(self):
        order = self._create_held()
        self.check.active = False
        order.action_recheck()
        self.assertEqual(order.release_state, "free")
        self.assertEqual(self._get_started(order), 10.0)

    def test_order_locked_at_confirmation_starts_when_released(self):
        self.env.user.group_ids |= self.env.ref("sale.group_auto_done_setting")
        self.env.ref("base.group_user").implied_ids |= self.env.ref("sale.group_auto_done_setting")
        order = self._create_held()
        self.assertTrue(order.locked)
        self._release(order)
        self.assertEqual(self._get_started(order), 10.0)
        self.assertTrue(order.locked)

    # === AFTER THE RELEASE === #
    def test_quantity_raised_after_release_is_judged_for_the_increase(self):  # trap 7
        order = self._create_held()
        self._release(order)
        order.order_line.with_user(self.enterer).product_uom_qty = 100.0
        self.assertEqual(order.release_state, "held")
        self.assertEqual(order.order_line.qty_withheld, 90.0)
        self.assertEqual(self._get_started(order), 10.0)
        hold = order.hold_ids.filtered(lambda hold: hold.state == "open")
        self.assertTrue(hold.is_partial)
        self._release(order, self.clerk_2)
        self.assertEqual(self._get_started(order), 100.0)

    def test_release_is_not_reused_beyond_its_amount(self):  # trap 7
        order = self._create_held()
        self._release(order)
        line = order.order_line
        line.product_uom_qty = 8.0
        line.product_uom_qty = 10.0
        self.assertEqual(order.release_state, "released")
        line.product_uom_qty = 10.01
        self.assertEqual(order.release_state, "held")
        self.assertAlmostEqual(line.qty_withheld, 0.01)

    def test_line_added_after_release_is_judged(self):  # trap 7
        order = self._create_held()
        self._release(order)
        order.with_user(self.enterer).order_line = [
            Command.create({"product_id": self.goods.id, "product_uom_qty": 5.0})
        ]
        self.assertEqual(order.order_line.mapped("qty_withheld"), [0.0, 5.0])
        self.assertEqual(self._get_started(order), 10.0)
        self._release(order, self.clerk_2)
        self.assertEqual(self._get_started(order), 15.0)

    def test_released_part_keeps_moving_while_the_increase_waits(self):  # trap 7
        order = self._create_held()
        self._release(order)
        order.order_line.product_uom_qty = 15.0
        picking = self._deliver(order, 10.0)
        self.assertEqual(picking.state, "done")
        self.assertEqual(order.order_line.qty_delivered, 10.0)

    def test_increase_without_finding_starts(self):
        self._create_value_check(1150.0)
        order = self._create_order(5.0)
        order.order_line.product_uom_qty = 10.0
        self.assertEqual(order.release_state, "free")
        self.assertEqual(self._get_started(order), 10.0)
        order.order_line.product_uom_qty = 10.01
        self.assertEqual(order.release_state, "held")
        self.assertEqual(self._get_started(order), 10.0)

    def test_increase_withdrawn_frees_the_order(self):
        self._create_value_check(1150.0)
        order = self._create_order(10.0)
        order.order_line.product_uom_qty = 15.0
        self.assertEqual(order.order_line.qty_withheld, 5.0)
        order.order_line.product_uom_qty = 12.0
        self.assertEqual(order.order_line.qty_withheld, 2.0)
        self.assertEqual(order.release_state, "held")
        order.order_line.product_uom_qty = 10.0
        self.assertRecordValues(order, [{"release_state": "free"}])
        self.assertEqual(order.order_line.qty_withheld, 0.0)
        self.assertEqual(self._get_started(order), 10.0)

    def test_order_confirmed_before_the_checks_is_judged_for_the_increase(self):
        self.check.active = False
        order = self._create_order(client_order_ref="HOLD")
        self.check.active = True
        self.assertEqual(order.release_state, "free")
        order.order_line.product_uom_qty = 15.0
        self.assertEqual(order.release_state, "held")
        self.assertEqual(order.order_line.qty_withheld, 5.0)

    def test_increase_is_judged_once(self):
        order = self._create_held()
        self._release(order)
        judged = []
        order_class = self.env.registry["sale.order"]
        judge = order_class._judge_by

        def counting(orders, checks, event, added):
            judged.append(event)
            return judge(orders, checks, event, added)

        with patch.object(order_class, "_judge_by", counting):
            order.order_line.product_uom_qty = 15.0
            order.order_line = [
                Command.create({"product_id": self.goods.id, "product_uom_qty": 5.0})
            ]
            order.order_line[0].write({"product_uom_qty": 16.0, "price_unit": 120.0})
            self.env.invalidate_all()
            self.assertEqual(judged, ["change", "change", "recheck", "change"])

    def test_what_the_system_notes_on_a_held_order_judges_nothing(self):
        order = self._create_held()
        with patch.object(self.env.registry["sale.order"], "_judge_by") as judge:
            order.write({"locked": True})
            order.write({"effective_date": fields.Datetime.now()})
            order.message_post(body="Called the customer")
            judge.assert_not_called()

    def test_larger_unit_is_an_increase(self):  # trap 7
        self._create_value_check(1150.0)
        order = self._create_order(10.0)
        line = order.order_line
        line.with_user(self.enterer).write(
            {
                "product_uom_id": self.env.ref("uom.product_uom_dozen").id,
                "product_uom_qty": 10.0,
                "price_unit": 1200.0,
            }
        )
        self.assertEqual(order.release_state, "held")
        self.assertAlmostEqual(line.qty_withheld, 10.0 - 10.0 / 12, places=2)
        self.assertEqual(self._get_started(order), 10.0)

    def test_line_moved_from_another_order_is_judged(self):  # trap 7
        order = self._create_order()
        order.client_order_ref = "HOLD"
        draft = self._create_order(5.0, confirm=False)
        line = draft.order_line
        line.with_user(self.enterer).write({"order_id": order.id})
        line._action_launch_stock_rule()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(line.qty_withheld, 5.0)
        self.assertEqual(self._get_started(order), 10.0)

    def test_price_raised_after_release_waits_at_shipping(self):  # trap 7
        self._create_value_check(1150.0)
        order = self._create_order(10.0)
        order.order_line.with_user(self.enterer).price_unit = 100.0
        self.assertEqual(order.release_state, "free")
        order.order_line.with_user(self.enterer).price_unit = 100.01
        self.assertEqual(order.release_state, "held")
        self.assertRecordValues(order.hold_ids, [{"stage": "ship", "state": "open"}])
        self.assertEqual(order.order_line.qty_withheld, 0.0)
        self._release(order)
        self.assertEqual(self._deliver(order).state, "done")

    def test_price_of_what_was_delivered_waits_at_invoicing(self):  # trap 7
        self._create_value_check(1150.0)
        order = self._create_order(10.0)
        self._deliver(order)
        order.order_line.with_user(self.enterer).price_unit = 100.01
        self.assertRecordValues(order.hold_ids, [{"stage": "invoice", "state": "open"}])

    def test_price_lowered_after_release_is_judged(self):  # trap 7
        self.check.active = False
        self._create_check(name="Below floor", rule_domain="[('order_line.price_unit', '<', 50)]")
        order = self._create_order(10.0)
        order.order_line.with_user(self.enterer).discount = 10.0
        self.assertEqual(order.release_state, "free")
        order.order_line.with_user(self.enterer).price_unit = 1.0
        self.assertEqual(order.release_state, "held")

    def test_release_is_for_its_payer(self):  # trap 22
        order = self._create_held()
        self._release(order)
        order.with_user(self.enterer).partner_invoice_id = self.partner_b
        self.assertEqual(order.release_state, "held")
        self.assertRecordValues(
            order.hold_ids.sorted("id"),
            [
                {"state": "released", "partner_id": self.partner_a.id, "is_current": True},
                {"state": "open", "partner_id": self.partner_b.id, "is_current": True},
            ],
        )

    def test_release_expires(self):  # trap 22
        order = self._create_held()
        today = self.company._sale_admin_today()
        order.hold_ids.with_user(self.clerk)._release("This week", amount=2000.0, valid_until=today)
        order.order_line.product_uom_qty = 11.0
        self.assertEqual(order.release_state, "released")
        with freeze_time(fields.Date.add(today, days=1)):
            order.order_line.product_uom_qty = 12.0
        self.assertEqual(order.release_state, "held")
        self.assertEqual(order.order_line.qty_withheld, 1.0)

    def test_release_covers_up_to_its_amount(self):  # trap 22
        order = self._create_held()
        order.hold_ids.with_user(self.clerk)._release("Up to 15", amount=1725.0)
        order.order_line.product_uom_qty = 15.0
        self.assertEqual(order.release_state, "released")
        order.order_line.product_uom_qty = 15.01
        self.assertEqual(order.release_state, "held")

    def test_release_is_counted_in_the_company_currency(self):  # trap 22
        currency = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "Abroad", "currency_id": currency.id}
        )
        order = self._create_held(pricelist_id=pricelist.id)
        self.assertEqual(order.amount_total, 1150.0)
        self.assertEqual(order.hold_ids.amount_order, 575.0)
        self._release(order)
        self.assertEqual(order.hold_ids.amount_approved, 575.0)
        order.order_line.product_uom_qty = 10.01
        self.assertEqual(order.release_state, "held")

    def test_approved_exception_is_not_stopped_again_at_shipping(self):  # trap 22
        self.check.stage = "ship"
        order = self._create_held()
        self.assertEqual(self._get_started(order), 10.0)
        self._release(order)
        self.assertEqual(self._deliver(order).state, "done")
        self.assertEqual(order.release_state, "released")
        self.assertEqual(len(order.hold_ids), 1)

    # === CANCEL AND REOPEN === #
    def test_reopened_order_is_judged_anew(self):  # trap 8
        order = self._create_held()
        self._release(order)
        order.with_user(self.enterer).action_cancel()
        self.assertRecordValues(order, [{"release_state": "free", "judged_at": False}])
        order.with_user(self.enterer).action_draft()
        order.with_user(self.enterer).action_confirm()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(self._get_started(order), 0.0)
        self.assertEqual(sorted(order.hold_ids.mapped("state")), ["open", "released"])
        self._release(order, self.clerk_2)
        self.assertEqual(self._get_started(order), 10.0)

    def test_cancelling_a_held_order_ends_its_holds(self):  # trap 8
        order = self._create_held()
        order.action_cancel()
        self.assertEqual(order.release_state, "free")
        self.assertRecordValues(order.hold_ids, [{"state": "lapsed", "is_current": False}])
        self.assertEqual(order.order_line.qty_withheld, 0.0)

    def test_reopening_keeps_what_a_person_holds(self):  # trap 8
        self.check.active = False
        order = self._create_order(confirm=False)
        order.with_user(self.clerk)._hold_by_hand("Quality claim", "handover")
        order.action_confirm()
        self.assertEqual(order.release_state, "held")
        order.action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(self._get_started(order), 0.0)

    def test_order_set_back_by_write_ships_nothing(self):  # trap 8
        self.check.stage = "ship"
        order = self._create_held()
        picking = order.picking_ids
        for state in ("draft", "cancel", "sent"):
            order.with_user(self.enterer).write({"state": state})
            picking.move_ids.write({"quantity": 10.0, "picked": True})
            with self.assertRaises(UserError):
                picking._action_done()

    def test_reconfirming_withholds_only_what_did_not_start(self):  # trap 8
        order = self._create_order()
        order.write({"state": "draft", "client_order_ref": "HOLD"})
        order.order_line.product_uom_qty = 15.0
        order.action_confirm()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(order.order_line.qty_withheld, 5.0)
        self._release(order)
        self.assertEqual(self._get_started(order), 15.0)

    # === CUSTOMERS CONFIRM === #
    def test_portal_signature_stays_on_a_held_order(self):  # trap 9
        order = self._create_order(confirm=False, client_order_ref="HOLD", require_payment=False)
        portal = (
            self.env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": "Portal",
                    "login": "portal_gate",
                    "partner_id": self.customer.id,
                    "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
                }
            )
        )
        signed = order.with_user(portal).sudo()
        signed.write({"signed_by": "Customer", "signed_on": fields.Datetime.now()})
        signed._validate_order()
        self.assertEqual(order.signed_by, "Customer")
        self._assert_confirmed_and_held(order)

    # === WHO CHANGED WHAT === #
    def test_who_changed_an_order_last_is_known(self):
        order = self._create_order(confirm=False)
        order.with_user(self.enterer).commitment_date = "2026-12-01"
        self.assertEqual(order.changed_by_id, self.enterer)
        order.order_line.with_user(self.clerk).price_unit = 90.0
        self.assertEqual(order.changed_by_id, self.clerk)
        order.with_user(self.enterer).order_line.unlink()
        self.assertEqual(order.changed_by_id, self.enterer)
        order.with_user(self.clerk_2).tag_ids = False
        self.assertEqual(order.changed_by_id, self.enterer)

    # === GUARDS === #
    def test_client_writes_no_server_field(self):  # trap 4
        order = self._create_held()
        admin = order.with_user(self.manager)
        for vals in (
            {"release_state": "free"},
            {"judged_at": fields.Datetime.now()},
            {"changed_by_id": self.clerk.id},
            {"hold_ids": [Command.clear()]},
        ):
            with self.assertRaises(UserError):
                admin.write(vals)
            with self.assertRaises(UserError):
                admin.sudo().write(vals)
            with self.assertRaises(UserError):
                admin.create({"partner_id": self.customer.id, **vals})
        for vals in ({"qty_withheld": 0.0}, {"qty_judged": 9.0}, {"is_judgement_due": False}):
            with self.assertRaises(UserError):
                admin.order_line.write(vals)
            with self.assertRaises(UserError):
                admin.order_line = [Command.update(order.order_line.id, vals)]
            with self.assertRaises(UserError):
                admin.order_line.create({"order_id": order.id, "name": "x", **vals})

    def test_client_default_sets_no_server_field(self):  # trap 4
        self.env["ir.default"].set("sale.order", "release_state", "released", user_id=True)
        order = (
            self.env["sale.order"]
            .with_user(self.enterer)
            .with_context(
                default_release_state="released",
                default_judged_at="2026-01-01 00:00:00",
                default_changed_by_id=self.clerk.id,
                default_qty_withheld=-10.0,
                default_hold_ids=[Command.create({"stage": "ship", "reason": "x"})],
            )
            .create(
                {
                    "partner_id": self.customer.id,
                    "order_line": [Command.create({"product_id": self.goods.id})],
                }
            )
        )
        self.assertRecordValues(
            order,
            [{"release_state": "free", "judged_at": False, "changed_by_id": self.enterer.id}],
        )
        self.assertFalse(order.hold_ids)
        self.assertEqual(order.order_line.qty_withheld, 0.0)

    def test_copy_is_free(self):
        order = self._create_held()
        copied = order.copy()
        self.assertRecordValues(copied, [{"release_state": "free", "judged_at": False}])
        self.assertFalse(copied.hold_ids)
        self.assertEqual(copied.order_line.qty_withheld, 0.0)

    def test_customer_reads_no_internal_word(self):
        order = self._create_held()
        portal = self._create_user("portal_reader", "base.group_portal")
        order.message_subscribe(portal.partner_id.ids)
        for fname in ("release_state", "hold_ids", "judged_at", "changed_by_id"):
            with self.assertRaises(AccessError):
                order.with_user(portal).read([fname])

    # === COST === #
    def test_confirming_with_no_check_costs_no_query(self):
        self.check.active = False
        lines = [(self.service, 1.0, 100.0)] * 10
        self._create_order(lines=lines)  # fill the caches
        order = self._create_order(lines=lines, confirm=False)
        self.env.flush_all()
        self.env.invalidate_all()
        with self._count_queries() as counted:
            order.action_confirm()
            self.env.flush_all()
        queries = "\n".join(counted)
        own = [q for q in counted if "sale_admin_" in q.partition("FROM")[2]]
        self.assertFalse(own)
        self.assertEqual(queries.count('UPDATE "sale_order"\n'), 1)

    def test_confirming_with_a_check_costs_few_queries(self):
        lines = [(self.service, 1.0, 100.0)] * 10
        counts = []
        for is_active in (False, True):
            self.check.active = is_active
            self._create_order(lines=lines)
            order = self._create_order(lines=lines, confirm=False)
            self.env.flush_all()
            self.env.invalidate_all()
            with self._count_queries() as counted:
                order.action_confirm()
                self.env.flush_all()
            counts.append(len(counted))
        _logger.info("queries of a confirmation without and with a check: %s", counts)
        self.assertLessEqual(counts[1] - counts[0], 4)

    def test_judging_a_batch_needs_no_query_per_order(self):
        counts = []
        for number in (2, 12):
            orders = self.env["sale.order"].union(
                *(self._create_order(confirm=False) for _i in range(number))
            )
            orders.action_confirm()
            self.env.flush_all()
            self.env.invalidate_all()
            with self._count_queries() as counted:
                orders._judge("recheck")
                self.env.flush_all()
            counts.append(len(counted))
        self.assertEqual(counts[0], counts[1])

    def _count_queries(self):
        return CountQueries(self.env.cr)


class CountQueries:
    """The statements that a block sends, as a list."""

    def __init__(self, cr):
        self.cr = cr
        self.queries = []

    def __enter__(self):
        self.execute = self.cr.execute

        def execute(query, *args, **kwargs):
            self.queries.append(getattr(query, "code", query))
            return self.execute(query, *args, **kwargs)

        self.cr.execute = execute
        return self.queries

    def __exit__(self, *exc):
        del self.cr.execute
