from odoo import fields, models

from ..models.sale_order_credit import MONEY_GROUPS


class SaleAdminHoldDecideLine(models.TransientModel):
    """One hold of a decision, and what came of it."""

    _name = "sale.admin.hold.decide.line"
    _description = "Decide on Holds: Line"

    wizard_id = fields.Many2one("sale.admin.hold.decide", required=True, ondelete="cascade")
    hold_id = fields.Many2one("sale.admin.hold", required=True, ondelete="cascade")
    order_id = fields.Many2one(related="hold_id.order_id", store=True)
    partner_id = fields.Many2one(related="order_id.partner_id", string="Customer")
    reason = fields.Char(related="hold_id.reason")
    stage = fields.Selection(related="hold_id.stage")
    currency_id = fields.Many2one(related="hold_id.currency_id")
    amount_over = fields.Monetary(related="hold_id.amount_over", groups=MONEY_GROUPS)
    obstacle = fields.Char(related="hold_id.release_obstacle", related_sudo=False)
    outcome = fields.Selection([("done", "Done"), ("failed", "Not done")], readonly=True)
    message = fields.Char(string="Result", readonly=True)
