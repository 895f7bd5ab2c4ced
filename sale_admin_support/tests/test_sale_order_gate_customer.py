from odoo.tests import HttpCase, tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .test_sale_order_gate import SaleAdminGateCommon


@tagged("post_install", "-at_install")
class TestSaleOrderGatePayment(AccountPaymentCommon, SaleAdminGateCommon):
    """A customer confirms by an online payment an order that is to be held."""

    def _pay_online(self, order):
        transaction = self._create_transaction(
            "redirect",
            reference=order.name,
            amount=order.amount_total,
            currency_id=order.currency_id.id,
            partner_id=order.partner_id.id,
            sale_order_ids=order.ids,
        )
        transaction._set_done()
        transaction._post_process()
        return transaction

    def test_online_payment_confirms_an_order_that_is_held(self):  # trap 9
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        transaction = self._pay_online(order)
        self.assertRecordValues(order, [{"state": "sale", "release_state": "held"}])
        self.assertTrue(transaction.is_post_processed)
        self.assertEqual(transaction.payment_id.amount, order.amount_total)
        self.assertFalse(order.picking_ids)

    def test_money_for_a_held_invoice_is_booked_and_matched_later(self):  # trap 9
        self.check.stage = "invoice"
        self.env["ir.config_parameter"].sudo().set_param("sale.automatic_invoice", "True")
        order = self._create_order(confirm=False, client_order_ref="HOLD")
        transaction = self._pay_online(order)
        self.assertRecordValues(order, [{"state": "sale", "release_state": "held"}])
        self.assertTrue(transaction.is_post_processed)
        self.assertEqual(transaction.payment_id.amount, order.amount_total)
        self.assertEqual(order.invoice_ids.state, "draft")
        self._release(order)
        order.invoice_ids.action_post()
        self.assertEqual(order.invoice_ids.state, "posted")
        self.assertEqual(order.invoice_ids.amount_residual, 0.0)


@tagged("post_install", "-at_install")
class TestSaleOrderGatePortal(HttpCase, SaleAdminGateCommon):
    """A customer confirms by his signature an order that is to be held."""

    def test_signature_on_the_portal_stays_on_a_held_order(self):  # trap 9
        order = self._create_order(
            confirm=False, client_order_ref="HOLD", require_signature=True, require_payment=False
        )
        order.state = "sent"
        self.env.flush_all()
        answer = self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {
                "access_token": order._portal_ensure_token(),
                "name": "Customer",
                "signature": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
                "DwADhgGAWjR9awAAAABJRU5ErkJggg==",
            },
        )
        self.assertTrue(answer.get("force_refresh"))
        self.assertRecordValues(
            order, [{"state": "sale", "release_state": "held", "signed_by": "Customer"}]
        )
        self.assertTrue(order.signature)
        self.assertFalse(order.picking_ids)
