from odoo import fields, models


class SaleAdminHandoverSendBack(models.TransientModel):
    _name = "sale.admin.handover.send.back"
    _description = "Send Orders Back"

    handover_ids = fields.Many2many("sale.admin.handover", required=True, readonly=True)
    reason_id = fields.Many2one(
        "sale.admin.reason", string="Why", required=True, domain=[("kind", "=", "send_back")]
    )
    note = fields.Char(string="What is to be mended")

    def action_send_back(self):
        self.ensure_one()
        self.handover_ids._answer("sent_back", self.reason_id, self.note)
        return {"type": "ir.actions.act_window_close"}
