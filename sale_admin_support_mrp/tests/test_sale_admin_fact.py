from odoo import Command
from odoo.tests import freeze_time, tagged

from odoo.addons.sale_admin_support.tests.common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestFactKit(SaleAdminSupportCommon):
    """A kit of 2 frames and 4 screws, sold at 100."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.frame, cls.screw, cls.kit = (
            cls._create_goods(name) for name in ("Frame", "Screw", "Kit")
        )
        cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": cls.kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": cls.frame.id, "product_qty": 2}),
                    Command.create({"product_id": cls.screw.id, "product_qty": 4}),
                ],
            }
        )

    def _send(self, order, frames, screws):
        picking = order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))
        for move in picking.move_ids:
            move.quantity = frames if move.product_id == self.frame else screws
            move.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        return picking

    def assertDelivered(self, order, **expected):
        sums = self._get_fact_sums(order_id=order.id)
        for kind in ("delivered", "returned"):
            self.assertEqual(sums.get(kind), expected.get(kind), kind)
        rows = self.env["sale.admin.fact.difference"].search(
            [("order_id", "=", order.id), ("unexplained", "!=", 0)]
        )
        self.assertFalse(rows.read(["measure", "facts", "odoo"]))

    def test_kits_are_counted_not_their_components(self):
        order = self._create_order(product=self.kit)
        self._send(order, 20, 40)
        self.assertEqual(order.order_line.qty_delivered, 10)
        self.assertDelivered(order, delivered=(10, 1000, 1150))
        [fact] = self.env["sale.admin.fact"].search(
            [("order_id", "=", order.id), ("kind", "=", "delivered")]
        )
        self.assertEqual(fact.product_id, self.kit)
        self.assertTrue(fact.date)

    def test_kit_is_delivered_with_its_last_component(self):
        order = self._create_order(product=self.kit)
        self._send(order, 20, 12)
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertDelivered(order, delivered=(3, 300, 345))

    def test_part_of_a_kit_is_none(self):
        order = self._create_order(product=self.kit)
        self._send(order, 20, 3)
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.assertDelivered(order)

    def test_returned_components_break_kits_up(self):
        order = self._create_order(product=self.kit)
        with freeze_time("2026-02-01"):
            picking = self._send(order, 20, 40)
        self._return(picking, 8, date="2026-02-03")
        self.assertEqual(order.order_line.qty_delivered, 6)
        self.assertDelivered(order, delivered=(10, 1000, 1150), returned=(-4, -400, -460))

    def test_later_change_of_the_kit_changes_nothing(self):
        order = self._create_order(product=self.kit)
        self._send(order, 20, 40)
        self.kit.bom_ids.bom_line_ids[0].product_qty = 5
        sums = self._get_fact_sums([("order_id", "=", order.id), ("date", "!=", False)])
        self.assertEqual(sums["delivered"], (10, 1000, 1150))
