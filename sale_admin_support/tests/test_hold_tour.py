from odoo.tests import HttpCase, tagged

from .common_desk import DeskCommon


@tagged("post_install", "-at_install")
class TestHoldTour(DeskCommon, HttpCase):
    def test_credit_controller_releases_a_held_order(self):
        self.customer.name = "Wind park"
        order = self._create_held_order(10)
        self.start_tour("/odoo/held-orders", "sale_admin_hold_release", login="credit_controller")
        self.assertEqual(order.release_state, "released")
        self.assertEqual(order.hold_ids.decided_by_id, self.controller)
        self.assertTrue(order.picking_ids)
