from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestShipment(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reason = cls.env.ref("sale_admin_support.sale_admin_reason_return_damaged")
        cls.worker = cls._create_user("worker", "stock.group_stock_user")
        cls.order = cls._create_order(10, user_id=cls.salesman.id)

    def _get_rows(self, user=None, **domain):
        self.env.invalidate_all()
        rows = self.env["sale.admin.shipment"].with_user(user or self.clerk)
        return rows.search([("order_id", "=", self.order.id)], order="moment, id")

    # === THE REGISTER === #
    def test_every_movement_is_one_row(self):
        picking = self._deliver(self.order, 6, date="2026-03-01")
        self._deliver(self.order, date="2026-03-05")
        self._return(picking, 2, date="2026-03-10")
        self._return(picking, 1, done=False)
        rows = self._get_rows()
        self.assertEqual(rows.mapped("kind"), ["out", "out", "back"])
        self.assertEqual(rows.mapped("quantity"), [6, 4, -2])
        self.assertEqual(rows.mapped("qty_back"), [0, 0, 2])
        self.assertEqual([str(day) for day in rows.mapped("date")][-1], "2026-03-10")
        self.assertEqual(rows.partner_id, self.customer)

    def test_day_is_the_companys(self):
        self.company.sale_admin_tz = "Asia/Tokyo"
        self._deliver(self.order, date="2026-03-31 16:00:00")
        self.assertEqual(str(self._get_rows().date), "2026-04-01")

    def test_steps_inside_the_warehouse_are_not_shipments(self):
        self.order.warehouse_id.delivery_steps = "pick_pack_ship"
        self.order = self._create_order(10)
        for _step in range(3):
            self._deliver(self.order)
        self.assertEqual(self._get_rows().mapped("quantity"), [10])

    def test_other_unit_is_told_in_the_products_own(self):
        self.order = self._create_order(2)
        self.order.picking_ids.action_cancel()
        self.order = self._create_order(confirm=False)
        self.order.order_line.write(
            {"product_uom_id": self.env.ref("uom.product_uom_dozen").id, "product_uom_qty": 2}
        )
        self.order.action_confirm()
        self._deliver(self.order)
        self.assertEqual(self._get_rows().quantity, 24)

    def test_moved_back_against_credited(self):
        picking = self._deliver(self.order)
        invoice = self._invoice(self.order)
        self._return(picking, 3, date="2026-03-01")
        self._return(picking, 2, date="2026-03-02")
        back = self._get_rows().filtered(lambda row: row.kind == "back").sorted("moment")
        self.assertEqual(back.mapped("qty_uncredited"), [3, 2])
        self.assertEqual(back.mapped("amount_uncredited"), [300, 200])
        note = self._credit(invoice, post=False)
        note.invoice_line_ids.quantity = 4
        self.assertEqual(sum(self._get_rows().mapped("qty_credited")), 0)  # a draft credits nothing
        note.action_post()
        back = self._get_rows().filtered(lambda row: row.kind == "back").sorted("moment")
        self.assertEqual(back.mapped("qty_credited"), [3, 1])
        self.assertEqual(back.mapped("qty_uncredited"), [0, 1])

    def test_return_without_refund_waits_for_no_credit(self):
        picking = self._deliver(self.order)
        self._return(picking, 4, to_refund=False)
        back = self._get_rows().filtered(lambda row: row.kind == "back")
        self.assertTrue(back.is_unrefunded)
        self.assertEqual((back.qty_back, back.qty_uncredited), (4, 0))
        self.assertEqual(self.order.order_line.qty_delivered, 10)

    def test_salesperson_sees_own_shipments(self):
        self._deliver(self.order)
        other = self._create_user("other_salesman", "sales_team.group_sale_salesman")
        self.assertTrue(self._get_rows(self.salesman))
        self.assertFalse(self._get_rows(other))
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_user", company=elsewhere
        )
        self.assertFalse(self._get_rows(stranger))
        with self.assertRaises(AccessError):
            self._get_rows(self.worker)

    # === REASONS === #
    def test_without_the_setting_goods_come_back_as_always(self):
        back = self._return(self._deliver(self.order), 1)
        self.assertEqual(back.state, "done")
        self.assertFalse(back.sale_return_reason_id)

    def test_with_the_setting_no_way_leads_round_the_reason(self):
        self.company.sale_admin_return_reason_required = True
        back = self._return(self._deliver(self.order), 1, done=False)
        back.move_ids.quantity = 1
        back.move_ids.picked = True
        for receive in (
            back.with_user(self.worker).button_validate,
            back._action_done,
            back.move_ids._action_done,
        ):
            with self.assertRaisesRegex(UserError, "why the goods"):
                receive()
        back.with_user(self.worker).sale_return_reason_id = self.reason
        back.with_user(self.worker).button_validate()
        self.assertEqual(back.state, "done")

    def test_deliveries_and_receipts_need_no_reason(self):
        self.company.sale_admin_return_reason_required = True
        self.assertEqual(self._deliver(self.order).state, "done")

    def test_wizard_asks_for_the_reason(self):
        self.company.sale_admin_return_reason_required = True
        picking = self._deliver(self.order)
        wizard = self.env["stock.return.picking"].with_context(
            active_model="stock.picking", active_id=picking.id
        )
        with Form(wizard) as form:
            form.sale_return_reason_id = self.reason
            with form.product_return_moves.edit(0) as line:
                line.quantity = 1
        back = self.env["stock.picking"].browse(form.record.action_create_returns()["res_id"])
        self.assertEqual(back.sale_return_reason_id, self.reason)

    # === CONFIRMATION === #
    def test_salesperson_confirms_once_and_it_stands(self):
        back = self._return(self._deliver(self.order), 1)
        mine = back.with_user(self.salesman)
        with self.assertRaisesRegex(UserError, "no reason"):
            mine.action_confirm_return()
        back.sale_return_reason_id = self.reason
        for user in (self.worker, self.clerk):
            with self.assertRaisesRegex(UserError, "salesperson"):
                back.with_user(user).action_confirm_return()
        mine.action_confirm_return()
        self.assertEqual(back.return_confirmed_by_id, self.salesman)
        with self.assertRaisesRegex(UserError, "already"):
            mine.action_confirm_return()
        other = self.env.ref("sale_admin_support.sale_admin_reason_return_late")
        with self.assertRaisesRegex(UserError, "its reason stays"):
            back.sale_return_reason_id = other
        with self.assertRaises(UserError):
            mine.write({"return_confirmed_at": False})
        self.assertEqual(self._get_rows()[-1].confirmed_by_id, self.salesman)

    def test_manager_confirms_for_a_salesperson_who_left(self):
        back = self._return(self._deliver(self.order), 1)
        back.sale_return_reason_id = self.reason
        back.with_user(self.manager).action_confirm_return()
        self.assertEqual(back.return_confirmed_by_id, self.manager)

    def test_only_returns_are_confirmed(self):
        picking = self._deliver(self.order)
        with self.assertRaisesRegex(UserError, "not a return"):
            picking.with_user(self.salesman).action_confirm_return()

    # === QUEUES === #
    def _get_queue_ids(self, name):
        queue = self.env.ref(f"sale_admin_support.sale_admin_queue_{name}").with_user(self.clerk)
        return self.env[queue.model].with_user(self.clerk).search(queue._get_domain()).ids

    def test_returns_wait_for_reason_then_confirmation(self):
        back = self._return(self._deliver(self.order), 1)
        self.assertIn(back.id, self._get_queue_ids("return_without_reason"))
        back.sale_return_reason_id = self.reason
        self.assertNotIn(back.id, self._get_queue_ids("return_without_reason"))
        self.assertIn(back.id, self._get_queue_ids("return_unconfirmed"))
        back.with_user(self.salesman).action_confirm_return()
        self.assertNotIn(back.id, self._get_queue_ids("return_unconfirmed"))

    def test_shipments_are_missed_where_the_company_follows_them(self):
        picking = self._deliver(self.order)
        self.assertNotIn(picking.id, self._get_queue_ids("shipment_untracked"))
        self.company.sale_admin_tracking_expected = True
        self.assertIn(picking.id, self._get_queue_ids("shipment_untracked"))
        picking.shipment_ref = "JD 1"
        self.assertNotIn(picking.id, self._get_queue_ids("shipment_untracked"))
