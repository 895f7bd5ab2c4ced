from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.sale_admin_support.tests.test_sale_order_gate import SaleAdminGateCommon


@tagged("post_install", "-at_install")
class TestKitGate(SaleAdminGateCommon):
    """A held kit of 2 frames and 4 screws: its components are withheld with it."""

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

    def _get_frames(self, order):
        moves = order.picking_ids.move_ids.filtered(lambda m: m.product_id == self.frame)
        return sum(moves.mapped("product_uom_qty"))

    def test_held_kit_starts_nothing_until_it_is_released(self):
        order = self._create_held(product=self.kit)
        self.assertEqual(order.order_line.qty_withheld, 10.0)
        self.assertFalse(order.picking_ids)
        order.order_line.product_uom_qty = 12.0
        self.assertFalse(order.picking_ids)
        self._release(order)
        self.assertEqual(self._get_frames(order), 24.0)

    def test_kits_added_after_the_release_wait(self):
        order = self._create_held(product=self.kit)
        self._release(order)
        order.order_line.product_uom_qty = 15.0
        self.assertEqual(order.order_line.qty_withheld, 5.0)
        self.assertEqual(self._get_frames(order), 20.0)
        self._release(order, self.clerk_2)
        self.assertEqual(self._get_frames(order), 30.0)

    def test_part_of_the_kits_is_released(self):
        order = self._create_held(product=self.kit)
        order.with_user(self.clerk)._release_part({order.order_line: 4.0}, "What is paid")
        self.assertEqual(self._get_frames(order), 8.0)
        self._release(order, self.clerk_2)
        self.assertEqual(self._get_frames(order), 20.0)

    def test_transfer_of_a_kit_held_at_shipping_waits(self):
        self.check.stage = "ship"
        order = self._create_held(product=self.kit)
        picking = order.picking_ids
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty
        picking.move_ids.picked = True
        with self.assertRaises(UserError):
            picking._action_done()
