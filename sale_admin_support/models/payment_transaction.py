from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _create_payment(self, **extra_create_values):
        """Book the money even if its invoice is held; it is matched when the invoice is posted."""
        transactions = self | self.source_transaction_id
        held_by_transaction = {}
        for transaction in transactions:
            drafts = transaction.invoice_ids.filtered(lambda move: move.state == "draft")
            if held := drafts._get_held_invoices():
                held_by_transaction[transaction] = drafts.browse([move.id for move in held])
        for transaction, held in held_by_transaction.items():
            transaction.invoice_ids -= held
        payment = super()._create_payment(**extra_create_values)
        for transaction, held in held_by_transaction.items():
            transaction.invoice_ids |= held
        return payment
