from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestSaleOrderDuplicate(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact = cls.env["res.partner"].create(
            {"name": "Buyer", "parent_id": cls.customer.id, "email": "buyer@customer.example.com"}
        )

    def _quote(self, date="2026-03-10", ref=False, **kwargs):
        return self._create_order(
            confirm=False, date=date, date_order=f"{date} 09:00:00", client_order_ref=ref, **kwargs
        )

    def _run_job(self):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref(
                "sale_admin_support.sale_admin_duplicate_cron_compare"
            ).method_direct_trigger()
        self.env.invalidate_all()
        self.assertFalse(self.env["sale.admin.duplicate.todo"].search_count([]))

    # === WHAT IS ALIKE === #
    def test_same_reference_at_the_same_customer(self):
        first = self._quote(ref="PO 4711-A")
        second = self._quote(ref="po4711a", quantity=3, partner_id=self.contact.id)
        self.assertRecordValues(
            first + second,
            [
                {"duplicate_of_id": False, "duplicate_reason": False},
                {"duplicate_of_id": first.id, "duplicate_reason": "reference"},
            ],
        )

    def test_same_reference_at_another_customer(self):
        self._quote(ref="PO-1")
        self.assertFalse(self._quote(ref="PO-1", partner_id=self.partner_b.id).duplicate_of_id)

    def test_reference_without_a_figure_names_no_order(self):
        self._quote(ref="by phone")
        self.assertFalse(self._quote(ref="by phone", quantity=3).duplicate_of_id)

    def test_reference_window(self):
        self.company.sale_admin_duplicate_ref_days = 30
        first = self._quote("2026-02-01", ref="PO-1")
        self.assertEqual(self._quote("2026-03-03", "PO-1", quantity=3).duplicate_of_id, first)
        first.client_order_ref = "PO-2"
        self.assertFalse(self._quote("2026-03-04", "PO-2", quantity=4).duplicate_of_id)

    def test_same_lines_within_the_window_and_one_day_past_it(self):
        self.company.sale_admin_duplicate_days = 7
        first = self._quote("2026-03-01")
        self.assertEqual(self._quote("2026-03-08").duplicate_of_id, first)
        self.assertFalse(self._quote("2026-03-16").duplicate_of_id)

    def test_same_amount_of_other_lines(self):
        self._quote()
        self.assertFalse(self._quote(product=self.service).duplicate_of_id)
        self.assertFalse(self._quote(quantity=5, price=200.0).duplicate_of_id)

    def test_lines_in_another_order(self):
        lines = [(self.goods, 1, 10.0), (self.service, 2, 20.0)]
        first = self._quote(lines=lines)
        self.assertEqual(self._quote(lines=lines[::-1]).duplicate_of_id, first)

    def test_no_lines_are_not_alike(self):
        partner = {"partner_id": self.customer.id}
        orders = self.env["sale.order"].create([partner, partner])
        self.assertFalse(orders.duplicate_of_id)

    def test_entered_together(self):
        vals = {
            "partner_id": self.customer.id,
            "order_line": [Command.create({"product_id": self.goods.id})],
        }
        first, second = self.env["sale.order"].create([vals, vals])
        self.assertEqual(second.duplicate_of_id, first)
        self.assertFalse(first.duplicate_of_id)

    def test_switched_off(self):
        self.company.write({"sale_admin_duplicate_days": 0, "sale_admin_duplicate_ref_days": 0})
        self._quote(ref="PO-1")
        self.assertFalse(self._quote(ref="PO-1").duplicate_of_id)

    def test_another_company(self):
        other = self.setup_other_company()["company"]
        self._quote(ref="PO-1")
        order = self.env["sale.order"].create(
            {"partner_id": self.customer.id, "company_id": other.id, "client_order_ref": "PO-1"}
        )
        self.assertFalse(order.duplicate_of_id)

    def test_another_currency(self):
        self._quote()
        euro = self.setup_other_currency("EUR")
        pricelist = self.env["product.pricelist"].create({"name": "E", "currency_id": euro.id})
        self.assertFalse(self._quote(pricelist_id=pricelist.id).duplicate_of_id)

    def test_call_offs_carry_their_contracts_reference(self):
        contract = self._create_contract()
        orders = [self._quote(ref="FW-1", quantity=q) for q in (1, 2)]
        self.assertTrue(orders[1].duplicate_of_id)
        for order in orders:
            order.sale_contract_id = contract
        self.assertFalse(orders[1].duplicate_of_id)

    # === CHANGES === #
    def test_mark_follows_the_newer_order(self):
        self._quote()
        second = self._quote()
        second.order_line.product_uom_qty = 11
        self.assertFalse(second.duplicate_of_id)
        second.order_line.product_uom_qty = 10
        self.assertTrue(second.duplicate_of_id)
        second.order_line.unlink()
        self.assertFalse(second.duplicate_of_id)

    def test_mark_follows_the_older_order(self):
        first, second = self._quote(), self._quote()
        first.order_line.product_uom_qty = 11
        self._run_job()
        self.assertFalse(second.duplicate_of_id)
        first.order_line.product_uom_qty = 10
        self._run_job()
        self.assertEqual(second.duplicate_of_id, first)

    def test_cancelling_the_older_order_shows_the_one_before(self):
        first, second, third = (self._quote(ref="PO-1") for _i in range(3))
        self.assertEqual(third.duplicate_of_id, second)
        second._action_cancel()
        self._run_job()
        self.assertEqual(third.duplicate_of_id, first)
        self.assertFalse(second.duplicate_of_id)
        second.action_draft()
        self._run_job()
        self.assertEqual(third.duplicate_of_id, second)

    def test_confirming_keeps_the_mark(self):
        first, second = self._quote(), self._quote()
        (first + second).action_confirm()
        self.assertEqual(second.duplicate_of_id, first)

    # === DECISIONS === #
    def test_told_apart_once_for_all_that_are_alike(self):
        _first, second, third = (self._quote(ref="PO-1") for _i in range(3))
        third.with_user(self.clerk)._tell_apart("Three sites")
        self.assertFalse(third.duplicate_of_id)
        self.assertTrue(second.duplicate_of_id)
        self.assertEqual(third.duplicate_decision_ids.decided_by_id, self.clerk)
        self.assertEqual(len(third.duplicate_decision_ids), 2)
        third.order_line.product_uom_qty = 3
        self.assertFalse(third.duplicate_of_id)

    def test_telling_apart_needs_a_reason(self):
        self._quote()
        order = self._quote()
        with self.assertRaises(UserError):
            order.with_user(self.clerk)._tell_apart("  ")

    def test_salesperson_decides_on_own_orders_alone(self):
        self._quote(user_id=self.salesman.id)
        order = self._quote(user_id=self.salesman.id)
        other = self._quote(user_id=self.manager.id)
        order.with_user(self.salesman)._tell_apart("Both")
        self.assertFalse(order.duplicate_of_id)
        with self.assertRaises(AccessError):
            other.with_user(self.salesman)._tell_apart("Both")

    def test_decisions_are_not_forged_nor_changed(self):
        first, order = self._quote(), self._quote()
        vals = {"order_id": order.id, "other_id": first.id, "note": "x"}
        with self.assertRaises(AccessError):
            self.env["sale.admin.duplicate"].with_user(self.manager).create(vals)
        with self.assertRaises(UserError):
            order.with_user(self.manager).write({"duplicate_of_id": False})
        order._tell_apart("Both")
        with self.assertRaises(UserError):
            order.duplicate_decision_ids.note = "Other"

    def test_cancel_one_and_keep_the_other(self):
        first, second = self._quote(), self._quote()
        wizard = self.env["sale.admin.duplicate.decide"].with_user(self.clerk)
        wizard = wizard.create({"order_id": second.id})
        self.assertEqual(wizard.order_ids, first + second)
        wizard.action_cancel_this()
        self.assertRecordValues(first + second, [{"state": "draft"}, {"state": "cancel"}])
        self.assertFalse(second.duplicate_of_id)

    def test_goods_have_left(self):
        first = self._quote()
        first.action_confirm()
        self._deliver(first)
        second = self._quote()
        with self.assertRaises(UserError):
            first._cancel_as_duplicate(second)

    # === COST === #
    def test_others_are_left_to_the_job(self):
        """Who changes one order writes no other one: two people would hinder each other."""
        first, second = self._quote(), self._quote()
        self.env.flush_all()
        first.order_line.product_uom_qty = 11
        self.env.flush_all()
        self.assertEqual(second.duplicate_of_id, first)
        self._run_job()
        self.assertFalse(second.duplicate_of_id)

    def test_one_statement_for_any_number_of_orders(self):
        self._quote(ref="PO-1")
        orders = self.env["sale.order"].union(*(self._quote(quantity=q + 20) for q in range(8)))
        self.env.flush_all()
        with self.assertQueryCount(1):
            orders._find_duplicates()

    # === CHECK === #
    def test_held_until_told_apart(self):
        self.env["sale.admin.check"].create(
            {"name": "Twice", "kind": "duplicate", "active": True, "company_id": self.company.id}
        )
        first, second = self._quote(ref="PO-1"), self._quote(ref="PO-1")
        (first + second).action_confirm()
        self.assertRecordValues(
            first + second, [{"release_state": "free"}, {"release_state": "held"}]
        )
        self.assertIn(first.name, second.hold_ids.reason)
        second.with_user(self.clerk)._tell_apart("Two sites")
        second.action_recheck()
        self.assertEqual(second.release_state, "free")
        self.assertTrue(second.picking_ids)
