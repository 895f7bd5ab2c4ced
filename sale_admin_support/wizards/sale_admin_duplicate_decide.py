from odoo import api, fields, models


class SaleAdminDuplicateDecide(models.TransientModel):
    """Ask whether two orders are one, and which is right."""

    _name = "sale.admin.duplicate.decide"
    _description = "Tell Orders Apart"

    # === FIELDS === #
    order_id = fields.Many2one("sale.order", required=True, readonly=True)
    other_id = fields.Many2one("sale.order", related="order_id.duplicate_of_id")
    reason = fields.Selection(related="order_id.duplicate_reason")
    order_ids = fields.Many2many("sale.order", compute="_compute_order_ids", string="Orders")
    note = fields.Char(string="Why Both Are Right")

    # === COMPUTE METHODS === #
    @api.depends("order_id")
    def _compute_order_ids(self):
        for wizard in self:
            orders = wizard.order_id + wizard.order_id._get_duplicate_candidates()
            wizard.order_ids = orders._filtered_access("read")

    # === ACTION METHODS === #
    def action_tell_apart(self):
        self.ensure_one()
        self.order_id._tell_apart(self.note)
        return {"type": "ir.actions.act_window_close"}

    def action_cancel_this(self):
        self.ensure_one()
        self.order_id._cancel_as_duplicate(self.other_id)
        return {"type": "ir.actions.act_window_close"}

    def action_cancel_other(self):
        self.ensure_one()
        self.other_id._cancel_as_duplicate(self.order_id)
        return {"type": "ir.actions.act_window_close"}
