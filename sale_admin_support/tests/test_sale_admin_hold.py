from unittest.mock import patch

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_sale_order_gate import SaleAdminGateCommon


@tagged("post_install", "-at_install")
class TestSaleAdminHold(SaleAdminGateCommon):
    # === RELEASE AND REJECT === #
    def test_release_starts_what_was_withheld_and_is_kept(self):
        order = self._create_held()
        order.hold_ids.with_user(self.clerk).action_release("Cleared by phone")
        self.assertEqual(order.release_state, "released")
        self.assertEqual(order.order_line.qty_withheld, 0.0)
        self.assertEqual(self._get_started(order), 10.0)
        self.assertRecordValues(
            order.hold_ids,
            [
                {
                    "state": "released",
                    "decided_by_id": self.clerk.id,
                    "note": "Cleared by phone",
                    "amount_approved": 1150.0,
                    "partner_id": self.customer.id,
                }
            ],
        )
        self.assertEqual(
            order.hold_ids.decision_figures, {"amount_order": 1150.0, "is_found": True}
        )

    def test_work_starts_when_the_last_hold_has_ended(self):
        self._create_check(name="Second", rule_domain="[('amount_total', '>', 100)]")
        order = self._create_held()
        first, second = order.hold_ids
        first.with_user(self.clerk).action_release("One")
        self.assertEqual(order.release_state, "held")
        self.assertFalse(order.picking_ids)
        second.with_user(self.clerk_2).action_release("Two")
        self.assertEqual(order.release_state, "released")
        self.assertEqual(self._get_started(order), 10.0)

    def test_many_orders_are_released_at_once(self):
        orders = self._create_held() | self._create_held()
        orders.hold_ids.with_user(self.clerk).action_release("Both")
        self.assertEqual(orders.mapped("release_state"), ["released", "released"])

    def test_rejected_order_waits_until_it_is_checked_again(self):
        order = self._create_held()
        reason = self.env.ref("sale_admin_support.sale_admin_reason_reject_terms")
        order.hold_ids.with_user(self.clerk).action_reject("Not our terms", reason.id)
        self.assertEqual(order.hold_ids.decision_reason_id, reason)
        self.assertRecordValues(order, [{"state": "sale", "release_state": "rejected"}])
        self.assertFalse(order.picking_ids)
        order.client_order_ref = "PO 1"  # a change alone does not undo a decision
        self.assertEqual(order.release_state, "rejected")
        order.order_line.product_uom_qty = 12.0
        self.assertEqual(order.release_state, "rejected")
        self.assertFalse(order.picking_ids)
        order.user_id = self.salesman
        order.with_user(self.salesman).action_recheck()
        self.assertEqual(order.release_state, "free")
        self.assertEqual(self._get_started(order), 12.0)

    def test_rejected_order_still_failing_is_asked_again(self):
        order = self._create_held()
        order.hold_ids.with_user(self.clerk).action_reject("Not our terms")
        order.action_recheck()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(sorted(order.hold_ids.mapped("state")), ["open", "rejected"])
        self._release(order, self.clerk_2)
        self.assertEqual(self._get_started(order), 10.0)

    def test_decision_needs_a_note(self):
        order = self._create_held()
        for note in (None, "", "  "):
            with self.assertRaisesRegex(UserError, "note"):
                order.hold_ids.with_user(self.clerk).action_release(note)
            with self.assertRaisesRegex(UserError, "note"):
                order.hold_ids.with_user(self.clerk).action_reject(note)

    def test_decided_hold_is_not_decided_again(self):
        order = self._create_held()
        self._release(order)
        for method in ("action_release", "action_reject"):
            with self.assertRaisesRegex(UserError, "decided already"):
                getattr(order.hold_ids.with_user(self.clerk_2), method)("Again")

    # === AUTHORITY === #
    def test_only_the_releasing_group_decides(self):  # trap 4
        order = self._create_held()
        order.user_id = self.salesman
        for user in (self.salesman, self.controller):
            for method in ("action_release", "action_reject"):
                with self.assertRaises(AccessError):
                    getattr(order.hold_ids.with_user(user), method)("Please")
        self.assertEqual(order.release_state, "held")

    def test_nobody_releases_an_order_he_entered(self):  # trap 4
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        order = order.with_user(self.clerk).copy({"client_order_ref": "HOLD"}).sudo()
        order.action_confirm()
        self.assertEqual(order.release_state, "held")
        with self.assertRaisesRegex(AccessError, "entered or changed"):
            self._release(order, self.clerk)
        self._release(order, self.clerk_2)

    def test_nobody_releases_an_order_he_changed_last(self):  # trap 4
        order = self._create_held()
        order.order_line.with_user(self.clerk).price_unit = 90.0
        with self.assertRaisesRegex(AccessError, "entered or changed"):
            self._release(order, self.clerk)
        order.order_line.with_user(self.clerk_2).price_unit = 91.0
        self._release(order, self.clerk)

    def test_nobody_releases_with_sudo_what_is_not_his(self):  # trap 4
        order = self._create_held()
        order.order_line.with_user(self.clerk).price_unit = 90.0
        with self.assertRaises(AccessError):
            order.hold_ids.with_user(self.clerk).sudo().action_release("Mine")

    def test_authority_ends_at_its_amount(self):  # trap 4
        self.check.authority_ids = [
            Command.create(
                {
                    "group_id": self.env.ref("sale_admin_support.group_sale_admin_user").id,
                    "amount_max": 1150.0,
                }
            )
        ]
        order = self._create_held()
        self._release(order)
        order = self._create_held(price=100.01)
        with self.assertRaisesRegex(AccessError, "more than you may release"):
            self._release(order)
        holds = order.hold_ids.with_user(self.clerk)
        self.assertEqual(holds._get_release_ceiling(), {holds: 1150.0})

    def test_authority_covers_the_amount_approved_beyond_the_order(self):  # trap 4
        self.check.authority_ids = [
            Command.create(
                {
                    "group_id": self.env.ref("sale_admin_support.group_sale_admin_user").id,
                    "amount_max": 1150.0,
                }
            )
        ]
        order = self._create_held()
        hold = order.hold_ids.with_user(self.clerk)
        with self.assertRaises(AccessError):
            hold._release("With room", amount=1150.01)
        with self.assertRaisesRegex(UserError, "release a part"):
            hold._release("Too little", amount=1149.99)
        hold._release("As ordered", amount=1150.0)

    def test_other_companys_hold_is_out_of_reach(self):  # trap 4
        order = self._create_held()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_manager", other
        )
        with self.assertRaises(AccessError):
            self._release(order, stranger)

    def test_salesperson_reads_own_holds_without_amounts(self):
        order = self._create_held()
        hold = order.hold_ids.with_user(self.salesman)
        order.user_id = self.clerk
        with self.assertRaises(AccessError):
            hold.read(["reason"])
        order.user_id = self.salesman
        self.assertEqual(hold.read(["reason"])[0]["reason"], self.check.name)
        for fname in ("detail", "amount_over", "amount_exposure", "figures", "decision_figures"):
            with self.assertRaises(AccessError):
                hold.read([fname])

    # === KEPT FOR GOOD === #
    def test_hold_is_never_written_made_or_deleted(self):  # trap 4
        order = self._create_held()
        hold = order.hold_ids
        for user in (self.salesman, self.manager, self.env.user):
            for records in (hold.with_user(user), hold.with_user(user).sudo()):
                with self.assertRaises(UserError):
                    records.write({"state": "released"})
                with self.assertRaises(UserError):
                    records.unlink()
                with self.assertRaises(UserError):
                    records.create({"order_id": order.id, "stage": "ship", "reason": "x"})
                with self.assertRaises(UserError):
                    records.copy()

    def test_order_with_holds_is_not_deleted(self):
        order = self._create_held()
        self._release(order)
        order.action_cancel()
        sales_manager = self._create_user("sales_boss", "sales_team.group_sale_manager")
        with self.assertRaisesRegex(UserError, "cancel it instead"):
            order.with_user(sales_manager).unlink()
        draft = self._create_order(confirm=False, client_order_ref="HOLD")
        draft.action_recheck()
        with self.assertRaisesRegex(UserError, "cancel it instead"):
            draft.with_user(sales_manager).unlink()
        with self.assertRaises(psycopg2.Error), mute_logger("odoo.sql_db"):
            self.env.cr.execute("DELETE FROM sale_order WHERE id = %s", [draft.id])

    def test_order_never_held_is_deleted(self):
        self._create_order(confirm=False, client_order_ref="HOLD").unlink()

    def test_check_with_holds_is_not_deleted(self):
        self._create_held()
        with self.assertRaises(psycopg2.Error), mute_logger("odoo.sql_db"):
            self.check.unlink()

    def test_one_hold_of_a_check_is_current(self):
        order = self._create_held()
        order.action_recheck()
        order.action_recheck()
        self.assertEqual(len(order.hold_ids), 1)

    def test_worse_figures_are_another_hold(self):
        order = self._create_held()
        first = order.hold_ids
        order.order_line.product_uom_qty = 11.0
        self.assertRecordValues(first, [{"state": "lapsed", "amount_order": 1150.0}])
        second = order.hold_ids - first
        self.assertRecordValues(
            second,
            [{"state": "open", "amount_order": 1265.0, "held_since": first.held_since}],
        )
        order.order_line.product_uom_qty = 10.0
        self.assertEqual(order.hold_ids - first, second)

    # === BY HAND === #
    def test_hold_by_hand_never_frees_itself(self):
        self.check.active = False
        order = self._create_order(confirm=False)
        reason = self.env.ref("sale_admin_support.sale_admin_reason_hold_quality")
        hold = order.with_user(self.clerk)._hold_by_hand(reason, "handover", "see claim 12")
        self.assertEqual(hold.reason, "Quality claim: see claim 12")
        self.assertEqual(order.release_state, "held")
        order.action_confirm()
        self.assertRecordValues(order, [{"state": "sale", "release_state": "held"}])
        self.assertEqual(order.order_line.qty_withheld, 10.0)
        order.action_recheck()
        self.env["sale.admin.hold"]._cron_mark_due()
        order.client_order_ref = "PO"
        self.assertRecordValues(hold, [{"state": "open", "recheck_due": False}])
        self._release(order, self.clerk)
        self.assertEqual(order.release_state, "released")
        self.assertEqual(self._get_started(order), 10.0)

    def test_hold_by_hand_stops_what_is_added(self):
        self.check.active = False
        order = self._create_order()
        order.with_user(self.clerk)._hold_by_hand("Customer asks to wait", "handover")
        order.order_line.product_uom_qty = 15.0
        self.assertEqual(order.order_line.qty_withheld, 5.0)
        self.assertEqual(self._get_started(order), 10.0)
        with self.assertRaisesRegex(UserError, "Customer asks to wait"):
            self._deliver(order)._action_done()
        self._release(order)
        self.assertEqual(self._get_started(order), 15.0)

    def test_hold_by_hand_is_for_who_works_on_the_order(self):
        order = self._create_order()
        stranger = self._create_user("reader", "sale_admin_support.group_sale_admin_report")
        with self.assertRaises(AccessError):
            order.with_user(stranger)._hold_by_hand("No", "ship")
        with self.assertRaises(UserError):
            order.with_user(self.clerk)._hold_by_hand(" ", "ship")
        order.action_cancel()
        with self.assertRaises(UserError):
            order.with_user(self.clerk)._hold_by_hand("Too late", "ship")

    def test_rejected_hold_by_hand_is_asked_again(self):
        order = self._create_order()
        order.with_user(self.clerk)._hold_by_hand("Wait", "ship")
        order.hold_ids.with_user(self.clerk_2).action_reject("Not with us")
        self.assertEqual(order.release_state, "rejected")
        order.action_recheck()
        self.assertEqual(order.release_state, "held")
        self._release(order)
        self.assertEqual(self._deliver(order).state, "done")

    # === IN PART === #
    def test_release_in_part_starts_that_part(self):
        order = self._create_held()
        line = order.order_line
        order.with_user(self.clerk)._release_part({line: 4.0}, "What is paid")
        self.assertEqual(order.release_state, "held")
        self.assertEqual(line.qty_withheld, 6.0)
        self.assertEqual(self._get_started(order), 4.0)
        self.assertRecordValues(
            order.hold_ids.sorted("id"),
            [
                {"state": "released", "amount_approved": 460.0, "is_current": False},
                {"state": "open", "amount_approved": 0.0, "is_current": True},
            ],
        )
        self.assertTrue(order.hold_ids.sorted("id")[1].is_partial)
        order.action_recheck()
        self.assertEqual(line.qty_withheld, 6.0)
        self.assertEqual(self._deliver(order).state, "done")
        self._release(order, self.clerk_2)
        self.assertEqual(line.qty_withheld, 0.0)
        self.assertEqual(self._get_started(order), 10.0)

    def test_release_of_every_part_is_a_release(self):
        order = self._create_held()
        order.with_user(self.clerk)._release_part({order.order_line: 10.0}, "All")
        self.assertEqual(order.release_state, "released")
        self.assertEqual(self._get_started(order), 10.0)

    def test_release_in_part_stays_within_what_is_withheld(self):
        order = self._create_held()
        line = order.order_line
        for quantities in ({line: 10.01}, {line: -1.0}, {line: 0.0}, {}):
            with self.assertRaises(UserError):
                order.with_user(self.clerk)._release_part(quantities, "Part")
        other = self._create_held().order_line
        with self.assertRaises(UserError):
            order.with_user(self.clerk)._release_part({other: 1.0}, "Part")
        with self.assertRaises(AccessError):
            order.with_user(self.controller)._release_part({line: 1.0}, "Part")
        with self.assertRaisesRegex(UserError, "note"):
            order.with_user(self.clerk)._release_part({line: 1.0}, "")

    def test_released_part_ships_and_no_more(self):
        order = self._create_held()
        order.with_user(self.clerk)._release_part({order.order_line: 4.0}, "What is paid")
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 4.01, "picked": True})
        with self.assertRaisesRegex(UserError, "are released"):
            picking._action_done()
        picking.move_ids.quantity = 4.0
        picking._action_done()
        self.assertEqual(picking.state, "done")

    def test_partly_released_line_lowered_keeps_what_has_started(self):
        order = self._create_held()
        line = order.order_line
        order.with_user(self.clerk)._release_part({line: 4.0}, "What is paid")
        line.product_uom_qty = 8.0
        self.assertEqual(line.qty_withheld, 4.0)
        self.assertEqual(self._get_started(order), 4.0)
        line.product_uom_qty = 4.0
        self.assertEqual(line.qty_withheld, 0.0)
        self.assertEqual(self._get_started(order), 4.0)

    # === JUDGED AGAIN === #
    def test_what_happened_makes_the_job_look_again(self):  # trap 22
        self.check.active = False
        self._create_check(rule_domain="[('partner_id.vat', '=', False)]")
        self.customer.vat = False
        order = self._create_order()
        self.assertEqual(order.release_state, "held")
        self.assertFalse(order.hold_ids.recheck_due)
        contacts = self._create_user("contacts", "base.group_user,base.group_partner_manager")
        self.customer.with_user(contacts).write({"comment": "x", "vat": "BE0477472701"})
        self.assertTrue(order.hold_ids.recheck_due)
        self._run_job()
        self.assertEqual(order.release_state, "free")
        self.assertEqual(self._get_started(order), 10.0)

    def test_payment_and_credit_note_make_the_job_look_again(self):  # trap 22
        invoiced = self._create_order()
        invoice = self._invoice(invoiced)
        order = self._create_held()
        self._prepay(10.0)
        self.assertTrue(order.hold_ids.recheck_due)
        order.hold_ids.sudo()._done_rechecking()
        self._credit(invoice)
        self.assertTrue(order.hold_ids.recheck_due)
        order.hold_ids.sudo()._done_rechecking()
        self._prepay(10.0, partner=self.partner_b)
        self.assertFalse(order.hold_ids.recheck_due)

    def test_cancelled_order_makes_the_job_look_at_the_customers_others(self):  # trap 22
        other = self._create_order()
        order = self._create_held()
        other.action_cancel()
        self.assertTrue(order.hold_ids.recheck_due)

    def test_lowered_order_makes_the_job_look_at_the_customers_others(self):  # trap 22
        other = self._create_order()
        order = self._create_held()
        other.order_line.product_uom_qty = 11.0
        self.assertFalse(order.hold_ids.recheck_due)
        other.order_line.product_uom_qty = 9.0
        self.assertTrue(order.hold_ids.recheck_due)

    def test_job_serves_by_promised_date_then_age(self):  # trap 22
        late, soon, old = (
            self._create_held(commitment_date=date)
            for date in ("2030-03-01", "2030-01-01", "2030-01-01")
        )
        served = []
        order_class = self.env.registry["sale.order"]
        judge = order_class._recheck_alone

        def recheck(order):
            served.append(order.id)
            return judge(order)

        self.env["sale.admin.hold"]._cron_mark_due()
        with patch.object(order_class, "_recheck_alone", recheck):
            self._run_job()
        self.assertEqual(served, [soon.id, old.id, late.id])

    def test_bad_order_does_not_stop_the_job(self):
        bad, good = self._create_held(), self._create_held()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET client_order_ref = 'PO' WHERE id = ANY(%s)",
            [(bad | good).ids],
        )
        (bad | good).invalidate_recordset()
        self.env["sale.admin.hold"]._cron_mark_due()
        order_class = self.env.registry["sale.order"]
        judge = order_class._judge

        def failing(orders, event, added=None):
            if orders == bad:
                raise ValueError("Broken")
            return judge(orders, event, added)

        with (
            patch.object(order_class, "_judge", failing),
            mute_logger("odoo.addons.sale_admin_support.models.sale_order_gate"),
        ):
            self._run_job()
        self.assertEqual(good.release_state, "free")
        self.assertEqual(bad.release_state, "held")
        self.assertFalse(bad.hold_ids.recheck_due)

    def test_what_could_not_be_judged_yet_stays_due(self):  # trap 1
        order = self._create_order(confirm=False)
        busy = {order: {"reason": "Being judged for another order", "recheck_due": True}}
        check_class = self.env.registry["sale.admin.check"]
        with patch.object(check_class, "_evaluate", lambda check, orders: busy):
            order.action_confirm()
            self.assertEqual(order.release_state, "held")
            self._run_job()
            self.assertRecordValues(order.hold_ids, [{"state": "open", "recheck_due": True}])
        self._run_job()
        self.assertEqual(order.release_state, "free")
        self.assertEqual(self._get_started(order), 10.0)

    def test_hourly_job_finds_what_nobody_told(self):
        self.check.active = False
        self._create_check(rule_domain="[('commitment_date', '>', '2030-01-01')]")
        order = self._create_order(commitment_date="2030-06-01")
        self.env.cr.execute(
            "UPDATE sale_order SET commitment_date = '2029-01-01' WHERE id = %s", [order.id]
        )
        order.invalidate_recordset()
        self.env["sale.admin.hold"]._cron_mark_due()
        self._run_job()
        self.assertEqual(order.release_state, "free")

    def _run_job(self):
        cron = self.env.ref("sale_admin_support.sale_admin_hold_cron_recheck")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def test_reasons_of_every_kind_are_there(self):
        kinds = dict(self.env["sale.admin.reason"]._fields["kind"].selection)
        found = self.env["sale.admin.reason"]._read_group([], ["kind"])
        self.assertEqual({kind for (kind,) in found}, set(kinds))
