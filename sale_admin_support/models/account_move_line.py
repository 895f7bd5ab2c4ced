from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # What customers owe, and what was settled by entries that were set back to draft.
    _sale_admin_open_idx = models.Index(
        "(partner_id, company_id) INCLUDE (account_id, amount_residual, date_maturity)"
        " WHERE parent_state = 'posted' AND amount_residual <> 0"
    )
    _sale_admin_draft_idx = models.Index(
        "(partner_id) WHERE parent_state = 'draft' AND matching_number IS NOT NULL"
    )
