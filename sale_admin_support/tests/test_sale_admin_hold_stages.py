from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_sale_order_gate import SaleAdminGateCommon


@tagged("post_install", "-at_install")
class TestSaleAdminHoldStages(SaleAdminGateCommon):
    """What waits at shipping and at invoicing."""

    # === SHIPPING === #
    def test_transfer_of_a_held_order_waits_and_says_why(self):
        self.check.stage = "ship"
        order = self._create_held()
        self.assertEqual(self._get_started(order), 10.0)
        warehouse_man = self._create_user("warehouse_man", "stock.group_stock_user")
        picking = order.picking_ids.with_user(warehouse_man)
        picking.move_ids.write({"quantity": 10.0, "picked": True})
        action = picking.button_validate()
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn(self.check.name, action["params"]["message"])
        self.assertNotEqual(picking.state, "done")
        self._release(order)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_what_is_found_at_shipping_is_written_down(self):
        self.check.stage = "ship"
        order = self._create_order()
        order.client_order_ref = "HOLD"
        self.assertEqual(order.release_state, "free")
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 10.0, "picked": True})
        picking.button_validate()
        self.assertEqual(order.release_state, "held")
        self.assertRecordValues(order.hold_ids, [{"stage": "ship", "state": "open"}])
        self.assertNotEqual(picking.state, "done")

    def test_no_other_way_ships_a_held_order(self):  # trap 2
        self.check.stage = "ship"
        order = self._create_held()
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 10.0, "picked": True})
        with self.assertRaisesRegex(UserError, self.check.name):
            picking._action_done()
        with self.assertRaisesRegex(UserError, self.check.name):
            picking.move_ids._action_done()
        self.assertNotEqual(picking.state, "done")

    def test_other_transfers_go_out_beside_a_held_one(self):
        self.check.stage = "ship"
        held, free = self._create_held(), self._create_order()
        pickings = held.picking_ids | free.picking_ids
        pickings.move_ids.write({"quantity": 10.0, "picked": True})
        pickings.button_validate()
        self.assertEqual(free.picking_ids.state, "done")
        self.assertNotEqual(held.picking_ids.state, "done")

    def test_return_is_never_held(self):
        order = self._create_order()
        picking = self._deliver(order)
        order.with_user(self.clerk)._hold_by_hand("Quality claim", "ship")
        back = self._return(picking, 3.0)
        self.assertEqual(back.state, "done")

    def test_goods_added_to_a_transfer_by_hand_are_held_too(self):
        order = self._create_held(
            lines=[(self.goods, 10.0, 100.0), (self._create_goods("Other"), 5.0, 100.0)]
        )
        first, second = order.order_line
        order.with_user(self.clerk)._release_part({first: 10.0}, "Only these")
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 10.0, "picked": True})
        self.env["stock.move"].create(
            {
                "product_id": second.product_id.id,
                "product_uom_qty": 5.0,
                "quantity": 5.0,
                "picked": True,
                "picking_id": picking.id,
                "location_id": picking.location_id.id,
                "location_dest_id": picking.location_dest_id.id,
            }
        )
        with self.assertRaisesRegex(UserError, "are released"):
            picking._action_done()

    def test_shipping_without_holds_costs_no_query(self):
        self.check.active = False
        self.env.cr.execute("DELETE FROM sale_admin_hold")
        self.env.registry.clear_cache()
        order = self._create_order()
        self.env["sale.admin.hold"]._is_gate_used()
        with self.assertQueryCount(0):
            self.assertFalse(order.picking_ids.move_ids._get_leaving())

    # === INVOICING === #
    def test_invoice_of_a_held_order_waits_and_says_why(self):
        self.check.stage = "invoice"
        order = self._create_held()
        self.assertEqual(self._deliver(order).state, "done")
        invoice = self._invoice(order, post=False)
        invoice.invoice_date = fields.Date.today()
        biller = self._create_user("biller", "account.group_account_invoice")
        with self.assertRaisesRegex(UserError, self.check.name):
            invoice.with_user(biller).action_post()
        self._release(order)
        invoice.with_user(biller).action_post()
        self.assertEqual(invoice.state, "posted")

    def test_job_leaves_a_held_invoice_and_posts_the_others(self):
        self.check.stage = "invoice"
        held, free = self._create_held(), self._create_order()
        invoices = self._invoice(held, post=False) | self._invoice(free, post=False)
        invoices.invoice_date = fields.Date.today()
        invoices.sudo()._post()
        self.assertEqual(invoices.mapped("state"), ["draft", "posted"])
        self.assertIn(self.check.name, invoices[0].message_ids[:1].body)

    def test_credit_note_is_never_held(self):
        order = self._create_order()
        invoice = self._invoice(order)
        order.with_user(self.clerk)._hold_by_hand("Quality claim", "invoice")
        self.assertEqual(self._credit(invoice).state, "posted")

    def test_invoice_of_shipped_goods_does_not_wait_for_the_handover(self):  # trap 21
        order = self._create_held()
        order.with_user(self.clerk)._release_part({order.order_line: 4.0}, "What is paid")
        self._deliver(order)
        self.assertEqual(order.release_state, "held")
        invoice = self._invoice(order)
        self.assertEqual(invoice.state, "posted")

    def test_goods_that_left_stay_withheld_no_longer(self):  # trap 21
        order = self._create_held()
        order.with_user(self.clerk)._release_part({order.order_line: 4.0}, "What is paid")
        self._deliver(order)
        self.assertRecordValues(order.order_line, [{"qty_delivered": 4.0, "qty_withheld": 6.0}])
        order.action_recheck()
        self.assertRecordValues(order.order_line, [{"qty_delivered": 4.0, "qty_withheld": 6.0}])
