from odoo import Command
from odoo.tests import tagged

from odoo.addons.sale_admin_support.tests.common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestPurchaseRelease(SaleAdminSupportCommon):
    """Orders above 1,150 (with taxes) are held at handover."""

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.quick_ref("purchase.group_purchase_user")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        vendor = cls.env["res.partner"].create({"name": "Installer"})
        cls.bought_service = cls.env["product.product"].create(
            {
                "name": "Installation",
                "type": "service",
                "list_price": 100.0,
                "invoice_policy": "order",
                "service_to_purchase": True,
                "seller_ids": [Command.create({"partner_id": vendor.id, "price": 60.0})],
                "taxes_id": [Command.set(cls.tax.ids)],
            }
        )
        cls.env["sale.admin.check"].create(
            {
                "name": "Large orders",
                "kind": "domain",
                "rule_domain": "[('amount_total', '>', 1150)]",
                "active": True,
                "company_id": cls.company.id,
            }
        )

    def _create_service_order(self, quantity):
        return self._create_order(quantity, product=self.bought_service)

    def _release(self, order):
        holds = order.hold_ids.filtered(lambda hold: hold.state == "open")
        holds.with_user(self.manager)._release("Agreed")

    def test_free_order_buys_at_once(self):
        order = self._create_service_order(10)
        self.assertEqual(order.release_state, "free")
        self.assertEqual(order.order_line.purchase_line_ids.product_qty, 10)

    def test_purchase_waits_for_the_release_and_is_made_once(self):
        order = self._create_service_order(11)
        self.assertEqual(order.release_state, "held")
        self.assertFalse(order.order_line.purchase_line_ids)
        self._release(order)
        self.assertEqual(order.order_line.purchase_line_ids.product_qty, 11)
        order.action_recheck()
        self.assertEqual(order.order_line.purchase_line_ids.product_qty, 11)

    def test_released_part_is_bought_and_the_rest_later(self):
        order = self._create_service_order(20)
        line = order.order_line
        order.with_user(self.manager)._release_part({line: 8}, "A part")
        self.assertEqual(line.purchase_line_ids.product_qty, 8)
        self._release(order)
        self.assertEqual(line.purchase_line_ids.product_qty, 20)

    def test_held_increase_is_added_to_the_open_request_at_its_release(self):
        order = self._create_service_order(10)
        order.order_line.product_uom_qty = 15
        self.assertEqual(order.order_line.qty_withheld, 5)
        self.assertEqual(order.order_line.purchase_line_ids.product_qty, 10)
        self._release(order)
        self.assertEqual(order.order_line.purchase_line_ids.product_qty, 15)

    def test_held_increase_is_a_new_request_where_the_first_is_ordered(self):
        order = self._create_service_order(10)
        order.order_line.purchase_line_ids.order_id.button_confirm()
        order.order_line.product_uom_qty = 15
        self.assertEqual(len(order.order_line.purchase_line_ids), 1)
        self._release(order)
        self.assertEqual(sorted(order.order_line.purchase_line_ids.mapped("product_qty")), [5, 10])

    def test_added_line_waits(self):
        order = self._create_service_order(10)
        order.order_line = [
            Command.create({"product_id": self.bought_service.id, "product_uom_qty": 2})
        ]
        new = order.order_line[-1]
        self.assertFalse(new.purchase_line_ids)
        self._release(order)
        self.assertEqual(new.purchase_line_ids.product_qty, 2)
