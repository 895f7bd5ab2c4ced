from odoo import api, models


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.depends("company_id", "partner_id", "tax_totals", "currency_id", "state")
    def _compute_partner_credit_warning(self):
        """Where a policy rules, the banner says what orders are judged by."""
        ruled = self.filtered(
            lambda m: (
                m.move_type == "out_invoice"
                and m.commercial_partner_id
                and m.commercial_partner_id._is_credit_ruled(m.company_id)
            )
        )
        res = super(AccountMove, self - ruled)._compute_partner_credit_warning()
        ruled.partner_credit_warning = ""
        drafts = ruled.filtered(lambda m: m.state == "draft")
        for company, moves in drafts.grouped("company_id").items():
            asked = {
                move: (move.commercial_partner_id, move._get_amount_not_ordered()) for move in moves
            }
            warnings = self.env["res.partner"]._get_credit_warnings(company, asked)
            for move in moves:
                move.partner_credit_warning = warnings[move]
        return res

    def _get_amount_not_ordered(self):
        """Return what a draft invoice adds to the exposure: its orders' part is counted already.

        :return: in the company's currency, taxes included
        """
        self.ensure_one()
        lines = self.invoice_line_ids.filtered(lambda line: not line.sudo().sale_line_ids)
        return sum(lines.mapped("price_total")) / (self.invoice_currency_rate or 1.0)
