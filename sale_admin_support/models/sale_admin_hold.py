from odoo import fields, models

from .sale_admin_check import SEVERITIES, STAGES


class SaleAdminHold(models.Model):
    """Work on one order withheld at one stage, and the decision that ended it."""

    _name = "sale.admin.hold"
    _inherit = ["sale.admin.guarded"]
    _description = "Order Hold"
    _order = "id desc"
    _check_company_auto = True

    # === FIELDS === #
    order_id = fields.Many2one(
        "sale.order", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    check_id = fields.Many2one(
        "sale.admin.check",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Empty: held by hand.",
    )
    reason_id = fields.Many2one(
        "sale.admin.reason", string="Kind of Reason", readonly=True, ondelete="restrict"
    )
    severity = fields.Selection(SEVERITIES, required=True, readonly=True, default="block")
    stage = fields.Selection(STAGES, required=True, readonly=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("released", "Released"),
            ("rejected", "Rejected"),
            ("lapsed", "Lapsed"),
        ],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    reason = fields.Char(required=True, readonly=True)
    detail = fields.Text(readonly=True)
    # --- figures when the hold was placed, in the company's currency, taxes included
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Payer", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    amount_order = fields.Monetary(string="Order Value", readonly=True)
    amount_limit = fields.Monetary(string="Credit Limit", readonly=True)
    amount_exposure = fields.Monetary(string="Exposure", readonly=True)
    amount_receivable = fields.Monetary(string="Receivables", readonly=True)
    amount_open_orders = fields.Monetary(string="Open Orders", readonly=True)
    amount_overdue = fields.Monetary(string="Overdue", readonly=True)
    amount_over = fields.Monetary(string="Over the Limit", readonly=True)
    figures = fields.Json(readonly=True)
    # --- the decision
    decided_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    decided_at = fields.Datetime(readonly=True)
    note = fields.Char(readonly=True)
    amount_approved = fields.Monetary(readonly=True)
    valid_until = fields.Date(readonly=True)
