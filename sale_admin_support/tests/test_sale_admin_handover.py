from datetime import timedelta

import psycopg2

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestHandover(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sale_admin_handover_mode = "manual"
        cls.worker = cls._create_user("worker", "stock.group_stock_user")
        cls.reason = cls.env.ref("sale_admin_support.sale_admin_reason_send_back_stock")
        cls.order = cls._create_order(10, user_id=cls.salesman.id)

    def _hand_over(self, order=None, user=None):
        (order or self.order).with_user(user or self.clerk)._hand_over("warehouse")
        return (order or self.order).handover_ids.sorted("id")[-1]

    def _get_waiting(self, user=None):
        orders = self.env["sale.order"].with_user(user or self.clerk)
        return orders.search([("must_hand_over", "=", True)])

    def test_switched_off_nothing_waits_and_nothing_is_handed_over(self):
        self.company.sale_admin_handover_mode = "off"
        order = self._create_order(1)
        self.assertFalse(order.must_hand_over)
        self.assertFalse(order.handover_ids)
        self.assertEqual(
            order.progress_step, "supply" if order.progress_supply != "ready" else "ship"
        )
        with self.assertRaises(UserError):
            order.with_user(self.clerk)._hand_over("warehouse")

    def test_released_order_waits_until_it_is_handed_over(self):
        self.assertTrue(self.order.must_hand_over)
        self.assertEqual(self.order.progress_step, "hand_over")
        self.assertIn(self.order, self._get_waiting())
        handover = self._hand_over()
        self.assertRecordValues(
            handover,
            [
                {
                    "state": "waiting",
                    "team": "warehouse",
                    "handed_over_by_id": self.clerk.id,
                    "content": "10 Units Goods",
                }
            ],
        )
        self.assertEqual(handover.due_at - handover.handed_over_at, timedelta(hours=4))
        self.assertNotIn(self.order, self._get_waiting())
        self.order.invalidate_recordset()
        self.assertEqual(self.order.progress_step, "acknowledge")

    def test_orders_from_before_the_setting_are_left_alone(self):
        self.company.sale_admin_handover_since = fields.Datetime.now() + timedelta(hours=1)
        self.assertNotIn(self.order, self._get_waiting())

    def test_delivered_and_unconfirmed_orders_are_not_handed_over(self):
        draft = self._create_order(1, confirm=False)
        with self.assertRaisesRegex(UserError, "not confirmed"):
            draft.with_user(self.clerk)._hand_over("warehouse")
        self._deliver(self.order)
        self.assertNotIn(self.order, self._get_waiting())
        with self.assertRaisesRegex(UserError, "still to be delivered"):
            self.order.with_user(self.clerk)._hand_over("warehouse")

    def test_withheld_order_is_not_handed_over_until_it_is_released(self):
        self.order.order_line._set({"qty_withheld": 10})
        self.assertNotIn(self.order, self._get_waiting())
        with self.assertRaisesRegex(UserError, "nothing of it is released"):
            self.order.with_user(self.clerk)._hand_over("warehouse")
        self.order.order_line._set({"qty_withheld": 9})
        self.assertIn(self.order, self._get_waiting())
        self.assertEqual(self._hand_over().content, "1 Units Goods")

    def test_only_the_office_hands_over(self):
        for user in (self.salesman, self.worker):
            with self.assertRaises(AccessError):
                self.order.with_user(user)._hand_over("warehouse")
        with self.assertRaises(UserError):
            self.order.with_user(self.clerk)._hand_over("no_such_team")

    def test_only_the_team_answers(self):
        handover = self._hand_over()
        for user in (self.clerk, self.salesman, self.manager):
            with self.assertRaises(AccessError):
                handover.with_user(user).action_acknowledge()
            self.assertFalse(handover.with_user(user).can_answer)
        self.assertTrue(handover.with_user(self.worker).can_answer)
        handover.with_user(self.worker).action_acknowledge()
        self.assertRecordValues(
            handover, [{"state": "acknowledged", "answered_by_id": self.worker.id}]
        )
        self.assertEqual(self.order.handover_state, "acknowledged")
        with self.assertRaises(UserError):
            handover.with_user(self.worker).action_acknowledge()

    def test_worker_of_another_company_does_not_answer(self):
        handover = self._hand_over()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._create_user("stranger", "stock.group_stock_user", company=other)
        with self.assertRaises(AccessError):
            handover.with_user(stranger).action_acknowledge()

    def test_sent_back_needs_a_reason_and_comes_to_who_handed_over(self):
        handover = self._hand_over()
        worker = handover.with_user(self.worker)
        with self.assertRaises(UserError):
            worker._answer("sent_back")
        wrong = self.env.ref("sale_admin_support.sale_admin_reason_return_damaged")
        with self.assertRaises(UserError):
            worker._answer("sent_back", wrong)
        wizard = (
            self.env["sale.admin.handover.send.back"]
            .with_user(self.worker)
            .create(
                {
                    "handover_ids": [Command.set(handover.ids)],
                    "reason_id": self.reason.id,
                    "note": "3 on hand",
                }
            )
        )
        wizard.action_send_back()
        self.assertRecordValues(
            handover, [{"state": "sent_back", "reason_id": self.reason.id, "note": "3 on hand"}]
        )
        self.assertEqual(self.order.handover_state, "sent_back")
        self.assertEqual(self.order.activity_ids.user_id, self.clerk)
        self.assertIn("3 on hand", self.order.sent_back_reason)
        self._hand_over()
        self.assertEqual(self.order.handover_state, "waiting")
        self.assertEqual(
            self.order.handover_ids.sorted("id").mapped("state"), ["sent_back", "waiting"]
        )

    def test_decisions_are_frozen(self):
        handover = self._hand_over()
        for vals in ({"state": "acknowledged"}, {"content": "x"}, {"answered_by_id": 1}):
            with self.assertRaises(UserError):
                handover.with_user(self.worker).write(vals)
            with self.assertRaises(UserError):
                handover.write(vals)
        with self.assertRaises(UserError):
            handover.unlink()
        with self.assertRaises(UserError):
            self.env["sale.admin.handover"].with_user(self.worker).create(
                {"order_id": self.order.id, "team": "warehouse"}
            )

    def test_second_hand_over_replaces_the_waiting_one(self):
        first = self._hand_over()
        second = self._hand_over()
        self.assertEqual((first.state, second.state), ("superseded", "waiting"))
        with (
            self.assertRaises(psycopg2.errors.UniqueViolation),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            first.sudo()._set({"state": "waiting"})
            self.env.flush_all()

    def test_more_ordered_is_handed_over_again(self):
        self._hand_over().with_user(self.worker).action_acknowledge()
        self.order.order_line.product_uom_qty = 8
        self.assertEqual(self.order.handover_state, "acknowledged")
        self.order.order_line.product_uom_qty = 11
        self.assertEqual(self.order.handover_state, "changed")
        self.assertIn(self.order, self._get_waiting())

    def test_cancelled_order_is_withdrawn(self):
        handover = self._hand_over()
        self.order._action_cancel()
        self.assertEqual(handover.state, "superseded")
        self.assertFalse(self.order.handover_state)

    def test_handed_over_at_once_where_the_company_wants_it(self):
        self.company.sale_admin_handover_mode = "auto"
        order = self._create_order(2)
        self.assertRecordValues(
            order.handover_ids, [{"state": "waiting", "content": "2 Units Goods"}]
        )
        service = self._create_order(product=self.service)
        self.assertFalse(service.handover_ids)

    def test_overdue_answers_are_a_queue(self):
        handover = self._hand_over()
        queue = self.env.ref("sale_admin_support.sale_admin_queue_handover_overdue")
        self.assertNotIn(handover.id, self._get_queue_ids(queue))
        handover.sudo()._set({"due_at": fields.Datetime.now() - timedelta(seconds=1)})
        self.assertIn(handover.id, self._get_queue_ids(queue))

    def _get_queue_ids(self, queue):
        records = self.env[queue.model].with_user(self.clerk)
        return records.search(queue.with_user(self.clerk)._get_domain()).ids

    def test_server_fields_of_orders_are_refused(self):
        order = self.order.with_user(self.clerk)
        for vals in (
            {"handover_state": "acknowledged"},
            {"customer_told_date": "2026-01-01"},
            {"is_customer_untold": False},
            {"shipto_verified_at": "2026-01-01 00:00:00"},
        ):
            with self.assertRaises(UserError):
                order.write(vals)
        created = order.with_context(default_handover_state="acknowledged").create(
            {"partner_id": self.customer.id}
        )
        self.assertFalse(created.handover_state)
