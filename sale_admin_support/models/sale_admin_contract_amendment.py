from odoo import fields, models


class SaleAdminContractAmendment(models.Model):
    """A numbered change of an active contract, approved by another person than its author."""

    _name = "sale.admin.contract.amendment"
    _description = "Contract Amendment"
    _inherit = ["mail.thread"]
    _order = "contract_id, number"
    _check_company_auto = True

    contract_id = fields.Many2one(
        "sale.admin.contract", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="contract_id.currency_id")
    number = fields.Integer(readonly=True, copy=False)
    state = fields.Selection(
        [("draft", "To Approve"), ("approved", "Approved"), ("refused", "Refused")],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
    )
    reason = fields.Text(required=True)
    file = fields.Binary(attachment=True, copy=False)
    file_name = fields.Char(copy=False)
    amount_untaxed_delta = fields.Monetary(string="Change of Value Untaxed")
    amount_total_delta = fields.Monetary(string="Change of Value with Taxes")
    date_end = fields.Date(string="New End")
    author_id = fields.Many2one(
        "res.users", default=lambda self: self.env.user, readonly=True, copy=False
    )
    decided_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    decided_at = fields.Datetime(readonly=True, copy=False)
