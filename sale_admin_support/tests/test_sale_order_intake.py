from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestSaleOrderIntake(SaleAdminSupportCommon):
    def _quote(self, user=None, context=None, **values):
        return (
            self.env["sale.order"]
            .with_user(user or self.clerk)
            .with_context(**context or {})
            .create({"partner_id": self.customer.id, **values})
        )

    def _channel(self, code):
        return self.env.ref(f"sale_admin_support.sale_admin_channel_{code}")

    # === WHO ENTERED === #
    def test_entered_by_the_user_at_work(self):
        self.assertEqual(self._quote().entered_by_id, self.clerk)
        self.assertEqual(
            self.env["sale.order"]
            .with_user(self.clerk)
            .sudo()
            .create({"partner_id": self.customer.id})
            .entered_by_id,
            self.clerk,
        )

    def test_entered_by_is_not_forged(self):
        forged = {"entered_by_id": self.manager.id}
        self.assertEqual(self._quote(**forged).entered_by_id, self.clerk)
        context = {"default_entered_by_id": self.manager.id}
        self.assertEqual(self._quote(context=context).entered_by_id, self.clerk)
        self.assertEqual(
            self.env["sale.order"]
            .with_user(self.clerk)
            .sudo()
            .with_context(**context)
            .create({"partner_id": self.customer.id})
            .entered_by_id,
            self.clerk,
        )
        with self.assertRaises(UserError):
            self._quote(user=self.manager).write(forged)

    def test_entered_by_nobody(self):
        public = self.env.ref("base.public_user")
        for user in (public, self.env["res.users"].browse(SUPERUSER_ID)):
            order = self.env["sale.order"].with_user(user).sudo()
            self.assertFalse(order.create({"partner_id": self.customer.id}).entered_by_id)

    def test_copy_is_entered_by_who_copies(self):
        order = self._quote()
        self.assertEqual(order.with_user(self.manager).copy().entered_by_id, self.manager)

    # === CHANNEL === #
    def test_channel_of_what_odoo_tracks(self):
        medium = self.env.ref("utm.utm_medium_phone")
        self.assertEqual(self._quote(medium_id=medium.id).channel_id, self._channel("phone"))
        source = self.env["utm.source"].create({"name": "Fair"})
        self._channel("letter").utm_source_ids = source
        order = self._quote(medium_id=medium.id, source_id=source.id)
        self.assertEqual(order.channel_id, self._channel("letter"), "A source tells more.")

    def test_known_channel_stays(self):
        order = self._quote(channel_id=self._channel("fax").id)
        order.medium_id = self.env.ref("utm.utm_medium_phone")
        self.assertEqual(order.channel_id, self._channel("fax"))

    def test_archived_channel_is_not_used(self):
        self._channel("phone").active = False
        order = self._quote(medium_id=self.env.ref("utm.utm_medium_phone").id)
        self.assertFalse(order.channel_id)

    def test_channel_with_a_code_is_not_deleted(self):
        with self.assertRaises(UserError):
            self._channel("fax").unlink()

    def test_signed_order_came_by_the_portal(self):
        order = self._create_order(confirm=False)
        order.sudo().write({"signed_on": "2026-03-10 11:00:00", "signed_by": "Buyer"})
        order.with_user(self.env.ref("base.public_user")).sudo().action_confirm()
        self.assertRecordValues(
            order,
            [{"channel_id": self._channel("portal").id}],
        )
        self.assertEqual(str(order.received_at), "2026-03-10 11:00:00")

    # === RECEIVED === #
    def test_received_at_confirmation_at_the_latest(self):
        orders = self._create_order(confirm=False) + self._create_order(
            confirm=False, received_at="2026-03-01 08:00:00"
        )
        orders.action_confirm()
        self.assertEqual(
            [str(order.received_at) for order in orders],
            ["2026-03-10 12:00:00", "2026-03-01 08:00:00"],
        )

    def test_quotation_is_no_order_received(self):
        self.assertFalse(self._quote().received_at)

    def test_confirming_costs_no_query(self):
        """The note goes along with the write that confirms."""
        order = self._create_order(confirm=False, product=self.service)
        order.write({"received_at": "2026-03-01 08:00:00", "channel_id": self._channel("fax").id})
        other = self._create_order(confirm=False, product=self.service, price=90.0)
        counts = []
        for record in (order, other):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            record.action_confirm()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])
