from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common_desk import DeskCommon

INTERNAL_WORDS = ("credit limit", "on hold", "held (", "release", "rejected", "withheld")


@tagged("post_install", "-at_install")
class TestPortalOrder(DeskCommon, HttpCase):
    """What the customer reads of an order that waits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = new_test_user(
            cls.env,
            login="buyer",
            password="buyer",
            groups="base.group_portal",
            partner_id=cls.env["res.partner"]
            .create({"name": "Buyer", "parent_id": cls.customer.id, "email": "b@acme.example"})
            .id,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _open(self, url):
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        return response.text

    def _assert_no_internal_word(self, html):
        for word in INTERNAL_WORDS:
            self.assertNotIn(word, html.lower())

    def test_order_page_says_that_it_is_processed(self):
        order = self._create_held_order(10)
        self.authenticate("buyer", "buyer")
        html = self._open(order.get_portal_url())
        self.assertIn("Your order is accepted and is being processed.", html)
        self._assert_no_internal_word(html)

    def test_order_list_says_that_it_is_processed(self):
        order = self._create_held_order(10)
        self.authenticate("buyer", "buyer")
        html = self._open("/my/orders")
        self.assertIn(order.name, html)
        self.assertIn("Being processed", html)
        self._assert_no_internal_word(html)

    def test_link_without_login_says_the_same(self):
        order = self._create_held_order(10)
        order._portal_ensure_token()
        html = self._open(order.get_portal_url())
        self.assertIn("is being processed", html)

    def test_rejected_order_reads_the_same_until_it_is_cancelled(self):
        order = self._create_held_order(10)
        order.hold_ids.with_user(self.controller).action_reject("secret reason")
        self.authenticate("buyer", "buyer")
        html = self._open(order.get_portal_url())
        self.assertIn("is being processed", html)
        self.assertNotIn("secret reason", html)
        self._assert_no_internal_word(html)

    def test_order_that_nothing_held_reads_as_without_the_app(self):
        order = self._create_held_order(1)
        self.authenticate("buyer", "buyer")
        self.assertNotIn("is being processed", self._open(order.get_portal_url()))

    def test_signature_stays_and_the_order_is_accepted(self):
        order = self._create_order(10, confirm=False, require_signature=True).sudo()
        order.write({"state": "sent", "require_payment": False})
        order._portal_ensure_token()
        response = self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {
                "access_token": order.access_token,
                "name": "Buyer",
                "signature": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
                "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            },
        )
        self.assertNotIn("error", response)
        self.assertTrue(order.signature)
        self.assertEqual((order.state, order.release_state), ("sale", "held"))
        html = self._open(order.get_portal_url())
        self.assertIn("is being processed", html)
        self._assert_no_internal_word(html)
