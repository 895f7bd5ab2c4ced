from datetime import timedelta

from odoo import api, fields, models

from .sale_admin_credit_policy import MODES


class SaleAdminCreditLimit(models.Model):
    """What a customer may owe: asked for by one credit controller, approved by another."""

    _name = "sale.admin.credit.limit"
    _inherit = ["sale.admin.guarded", "mail.thread", "mail.activity.mixin"]
    _description = "Credit Limit"
    _order = "date_start desc, id desc"
    _check_company_auto = True

    # === FIELDS === #
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company.root_id
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    mode = fields.Selection(
        MODES + [("shared", "Shares the limit of")], required=True, default="limit", tracking=True
    )
    amount = fields.Monetary(string="Limit", tracking=True)
    date_start = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._sale_admin_today()
    )
    date_end = fields.Date(string="Until")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "Requested"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("cancelled", "Withdrawn"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )

    # === BUSINESS METHODS === #
    @api.model
    def _get_latest(self, partners, company, today):
        """Return ``{partner: limit}``: the approved limit that began last."""
        limits = self.search(
            [
                ("partner_id", "in", partners.ids),
                ("company_id", "=", company.id),
                ("state", "=", "approved"),
                ("mode", "!=", "shared"),
                ("date_start", "<=", today),
            ],
            order="date_start, id",
        )
        return {limit.partner_id: limit for limit in limits}

    def _is_expired(self, today, grace_days):
        self.ensure_one()
        return bool(self.date_end) and self.date_end + timedelta(grace_days) < today
