from odoo import fields, models


class SaleAdminIntakeClose(models.TransientModel):
    """Ask why no order is made of what came in, and to which order it belongs, if any."""

    _name = "sale.admin.intake.close"
    _description = "Close an Incoming Order without Entering It"

    # === FIELDS === #
    intake_ids = fields.Many2many(
        "sale.admin.intake",
        required=True,
        default=lambda self: self.env.context.get("active_ids"),
    )
    partner_id = fields.Many2one(related="intake_ids.partner_id")
    company_id = fields.Many2one(related="intake_ids.company_id")
    order_id = fields.Many2one(
        "sale.order",
        string="Belongs to Order",
        help="Message and files are put to this order.",
    )
    note = fields.Char(string="Reason", required=True)

    # === ACTION METHODS === #
    def action_close(self):
        self.ensure_one()
        self.intake_ids.check_access("write")
        self.intake_ids._discard(self.note, self.order_id)
        return {"type": "ir.actions.act_window_close"}
