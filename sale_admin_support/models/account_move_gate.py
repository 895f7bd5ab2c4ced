from odoo import models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        """The invoice of an order that is held at invoicing stays a draft.

        Jobs and online payments leave it and go on; a person is told why.
        """
        held = self._get_held_invoices()
        if held and not self.env.su:
            raise UserError("\n".join(dict.fromkeys(held.values())))
        ready = self - self.browse([move.id for move in held])
        for move, sentence in held.items():
            move.sudo()._message_log(body=sentence)
        posted = super(AccountMove, ready)._post(soft)
        posted._mark_recheck_payers()
        return posted

    def _get_held_invoices(self):
        """Judge the orders invoiced here and return ``{invoice: why it waits}``.

        Credit notes never wait.
        """
        if not self.env["sale.admin.hold"]._is_gate_used():
            return {}
        held = {}
        invoices = self.filtered(lambda move: move.move_type in ("out_invoice", "out_receipt"))
        orders_by_move = {move: move.line_ids.sudo().sale_line_ids.order_id for move in invoices}
        self.env["sale.order"].sudo().union(*orders_by_move.values())._judge_again("invoice")
        for move, orders in orders_by_move.items():
            for order in orders:
                if "invoice" in order._get_held_stages():
                    held[move] = order._get_gate_sentence("invoice")
        return held

    def _mark_recheck_payers(self):
        """Money, a credit note or an invoice changes what a customer owes."""
        hold_model = self.env["sale.admin.hold"]
        if self and self.env["sale.admin.check"]._is_any_active():
            lines = self.sudo().line_ids.filtered(
                lambda line: line.account_type == "asset_receivable"
            )
            hold_model._mark_recheck(partners=lines.partner_id)

    def button_cancel(self):
        res = super().button_cancel()
        self._mark_recheck_payers()
        return res
