from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_sale_admin_check import SaleAdminCheckCommon


@tagged("post_install", "-at_install")
class TestSaleOrderCheck(SaleAdminCheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.check = cls._create_check("four_eyes")
        cls.order = cls._enter(cls.clerk)

    @classmethod
    def _enter(cls, user, **values):
        return (
            cls.env["sale.order"]
            .with_user(user)
            .create(
                {
                    "partner_id": cls.customer.id,
                    "order_line": [
                        Command.create({"product_id": cls.goods.id, "product_uom_qty": 10.0})
                    ],
                    **values,
                }
            )
            .sudo()
        )

    def _mark(self, user, order=None):
        (order or self.order).with_user(user).action_mark_checked()

    # === WHO MAY === #
    def test_order_checked_by_a_second_person_passes(self):
        self.assertFails(self.check, self.order, "Nobody has checked the order yet")
        self._mark(self.clerk_2)
        self.assertPasses(self.check, self.order)
        self.assertEqual(self.order.checked_by_id, self.clerk_2)
        self.assertTrue(self.order.checked_at)

    def test_who_entered_the_order_cannot_check_it(self):
        with self.assertRaisesRegex(UserError, "You entered or last changed it"):
            self._mark(self.clerk)
        self.assertFalse(self.order.with_user(self.clerk).can_mark_checked)
        self.assertTrue(self.order.with_user(self.clerk_2).can_mark_checked)

    def test_manager_who_entered_the_order_cannot_check_it_either(self):
        order = self._enter(self.manager)
        with self.assertRaises(UserError):
            self._mark(self.manager, order)

    def test_who_last_changed_the_order_cannot_check_it(self):
        self.order.with_user(self.clerk_2).order_line.product_uom_qty = 11.0
        with self.assertRaisesRegex(UserError, "another person"):
            self._mark(self.clerk_2)
        self._mark(self.manager)

    def test_salesperson_cannot_check(self):
        self.order.user_id = self.salesman
        with self.assertRaisesRegex(UserError, "Sales administrators check orders"):
            self._mark(self.salesman)

    def test_administrator_of_another_company_cannot_check(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_user", company=other
        )
        with self.assertRaises(AccessError):
            self._mark(stranger)

    def test_cancelled_order_cannot_be_checked(self):
        self.order.action_cancel()
        with self.assertRaisesRegex(UserError, "cancelled"):
            self._mark(self.clerk_2)

    def test_checked_order_is_not_checked_again(self):
        self._mark(self.clerk_2)
        with self.assertRaisesRegex(UserError, "has checked it already"):
            self._mark(self.manager)

    def test_no_client_writes_who_checked(self):
        for vals in (
            {"checked_by_id": self.clerk_2.id},
            {"checked_at": fields.Datetime.now()},
            {"is_check_stale": False},
            {"check_snapshot": {}},
        ):
            with self.subTest(vals), self.assertRaises(UserError):
                self.order.with_user(self.manager).write(vals)
            with self.subTest(vals), self.assertRaises(UserError):
                self._enter(self.clerk, **vals)
        forged = (
            self.env["sale.order"]
            .with_user(self.clerk)
            .with_context(
                default_checked_by_id=self.clerk_2.id, default_checked_at="2026-01-01 00:00:00"
            )
            .create({"partner_id": self.customer.id})
        )
        self.assertFalse(forged.checked_by_id)
        self.assertFalse(forged.checked_at)

    def test_copy_is_not_checked(self):
        self._mark(self.clerk_2)
        self.assertFalse(self.order.copy().checked_by_id)

    # === WHAT CHANGED === #
    def test_change_after_the_check_makes_it_stale(self):
        self._mark(self.clerk_2)
        self.assertFalse(self.order.is_check_stale)
        self.order.with_user(self.clerk).order_line.price_unit = 99.0
        self.assertTrue(self.order.is_check_stale)
        self.assertFails(self.check, self.order, f"changed after {self.clerk_2.name} checked it")

    def test_change_taken_back_needs_no_new_check(self):
        self._mark(self.clerk_2)
        self.order.order_line.product_uom_qty = 11.0
        self.order.order_line.product_uom_qty = 10.0
        self.assertFalse(self.order.is_check_stale)
        self.assertPasses(self.check, self.order)

    def test_every_way_to_change_the_promise_is_noticed(self):
        self._mark(self.clerk_2)
        line = self.order.order_line
        other = self.env["res.partner"].create({"name": "Ramp", "parent_id": self.customer.id})
        for change in (
            lambda: self.order.write({"commitment_date": "2030-01-01"}),
            lambda: self.order.write({"client_order_ref": "PO 7"}),
            lambda: self.order.write({"partner_shipping_id": other.id}),
            lambda: self.order.write({"order_line": [Command.update(line.id, {"discount": 5.0})]}),
            lambda: line.write({"tax_ids": [Command.clear()]}),
            lambda: self.env["sale.order.line"].create(
                {"order_id": self.order.id, "product_id": self.service.id}
            ),
            lambda: line.unlink(),
        ):
            self.order._set({"is_check_stale": False})
            change()
            self.assertTrue(self.order.is_check_stale)

    def test_delivery_and_invoice_leave_the_check_alone(self):
        self.check.active = False
        self._mark(self.clerk_2)
        self.order.action_confirm()
        self._down_payment(self.order, 20)
        self._deliver(self.order)
        self._invoice(self.order)
        self.assertFalse(self.order.is_check_stale)
        self.assertFalse(self.order.check_change_html)

    def test_checker_reads_what_changed_since_the_last_check(self):
        self._mark(self.clerk_2)
        self.assertFalse(self.order.check_change_html)
        self.order.write(
            {
                "client_order_ref": "<b>PO</b>",
                "order_line": [
                    Command.update(self.order.order_line.id, {"product_uom_qty": 12.0}),
                    Command.create({"product_id": self.service.id, "product_uom_qty": 1.0}),
                ],
            }
        )
        changes = self.order._get_changes_since_check()
        self.assertIn(("", "Customer Reference", "", "<b>PO</b>"), changes)
        self.assertIn(("Goods", "Quantity", "10", "12"), changes)
        self.assertIn(("Service", "Line added", "", "1 Units at 100 less 0 %"), changes)
        self.assertIn("&lt;b&gt;PO", self.order.check_change_html)
        self.order.order_line[0].unlink()
        self.assertIn(
            ("Goods", "Line removed", "10 Units at 100 less 0 %", ""),
            self.order._get_changes_since_check(),
        )
        self._mark(self.manager)
        self.assertFalse(self.order.check_change_html)
        self.assertEqual(self.order.checked_by_id, self.manager)

    # === WHAT WAITS === #
    def test_order_that_came_in_waits_for_its_second_person(self):
        waiting = [("is_waiting_for_check", "=", True)]
        orders = self.env["sale.order"]
        self.assertNotIn(self.order, orders.search(waiting))
        self.order.received_at = fields.Datetime.now()
        self.assertIn(self.order, orders.search(waiting))
        self.assertTrue(self.order.is_waiting_for_check)
        self._mark(self.clerk_2)
        self.assertNotIn(self.order, orders.search(waiting))
        self.order.order_line.product_uom_qty = 11.0
        self.assertIn(self.order, orders.search(waiting))
        self.check.amount_min = 10000.0
        self.assertNotIn(self.order, orders.search(waiting))
        self.check.write({"amount_min": 0.0, "active": False})
        self.assertNotIn(self.order, orders.search(waiting))

    def test_batch_is_judged_in_a_constant_number_of_queries(self):
        orders = self.env["sale.order"].union(*(self._enter(self.clerk) for _i in range(6)))
        orders.with_user(self.clerk_2).action_mark_checked()
        orders.order_line.price_unit = 50.0
        self.assertConstantQueries(self.check, orders)

    def test_unchecked_order_costs_no_query_when_it_changes(self):
        self.check.active = False
        self.order.action_confirm()
        self.order.fetch(["checked_at"])
        with self.assertQueryCount(0):
            self.order._checked_values_changed()
