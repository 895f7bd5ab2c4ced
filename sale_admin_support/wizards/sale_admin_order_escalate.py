from odoo import api, fields, models


class SaleAdminOrderEscalate(models.TransientModel):
    """Asks a person with more authority to decide on an order that waits."""

    _name = "sale.admin.order.escalate"
    _description = "Ask for a Decision"

    order_id = fields.Many2one("sale.order", required=True, readonly=True)
    candidate_ids = fields.Many2many("res.users", compute="_compute_candidate_ids")
    user_id = fields.Many2one(
        "res.users",
        string="Ask",
        required=True,
        compute="_compute_user_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('id', 'in', candidate_ids)]",
    )
    note = fields.Char(string="Your Word on It", required=True)

    @api.depends("order_id")
    def _compute_candidate_ids(self):
        for wizard in self:
            wizard.candidate_ids = wizard.order_id._get_escalation_users()

    @api.depends("order_id")
    def _compute_user_id(self):
        for wizard in self:
            wizard.user_id = wizard.order_id._get_escalation_users()[:1]

    def action_escalate(self):
        self.ensure_one()
        self.order_id._escalate(self.user_id, self.note)
        return {"type": "ir.actions.act_window_close"}
