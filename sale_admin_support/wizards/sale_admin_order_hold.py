from odoo import fields, models

from ..models.sale_admin_check import STAGES


class SaleAdminOrderHold(models.TransientModel):
    """Asks why and at which stage orders are to be held by hand."""

    _name = "sale.admin.order.hold"
    _description = "Hold Orders"

    order_ids = fields.Many2many("sale.order", required=True)
    reason_id = fields.Many2one("sale.admin.reason", required=True, domain=[("kind", "=", "hold")])
    stage = fields.Selection(STAGES, required=True, default="handover")
    note = fields.Char(help="It stays with the hold, and the salesperson reads it.")

    def action_hold(self):
        self.ensure_one()
        self.order_ids._hold_by_hand(self.reason_id, self.stage, self.note)
        return {"type": "ir.actions.act_window_close"}
