from odoo import fields, models
from odoo.fields import Domain


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    amount_owed = fields.Monetary(
        string="Open",
        currency_field="company_currency_id",
        compute="_compute_amount_owed",
        compute_sudo=True,
        help="The residual, and what was settled by entries that were set back to draft.",
    )

    # What customers owe, and what was settled by entries that were set back to draft.
    _sale_admin_open_idx = models.Index(
        "(partner_id, company_id) INCLUDE (account_id, amount_residual, date_maturity)"
        " WHERE parent_state = 'posted' AND amount_residual <> 0"
    )
    _sale_admin_draft_idx = models.Index(
        "(partner_id) WHERE parent_state = 'draft' AND matching_number IS NOT NULL"
    )

    def _compute_amount_owed(self):
        for line in self:
            by_drafts = line.matched_credit_ids.filtered(
                lambda match: match.credit_move_id.parent_state == "draft"
            )
            to_drafts = line.matched_debit_ids.filtered(
                lambda match: match.debit_move_id.parent_state == "draft"
            )
            line.amount_owed = (
                line.amount_residual
                + sum(by_drafts.mapped("amount"))
                - sum(to_drafts.mapped("amount"))
            )

    def _get_settled_by_drafts(self, domain):
        """Return those of the posted items that entries set back to draft have settled."""
        drafts = self.sudo().search(
            Domain("parent_state", "=", "draft") & Domain("matching_number", "!=", False) & domain
        )
        settled = drafts.matched_debit_ids.debit_move_id | drafts.matched_credit_ids.credit_move_id
        return settled.filtered(lambda line: line.parent_state == "posted")
