from odoo import api, fields, models


class SaleAdminClarificationAnswer(models.TransientModel):
    """Ask for the answer to a question, told by phone or found out otherwise."""

    _name = "sale.admin.clarification.answer"
    _description = "Record an Answer"

    # === FIELDS === #
    clarification_id = fields.Many2one("sale.admin.clarification", required=True, readonly=True)
    question = fields.Text(related="clarification_id.question")
    can_manage = fields.Boolean(related="clarification_id.can_manage")
    text = fields.Text(
        string="Answer", compute="_compute_text", store=True, readonly=False, required=True
    )

    # === COMPUTE METHODS === #
    @api.depends("clarification_id")
    def _compute_text(self):
        for wizard in self:
            wizard.text = wizard.text or wizard.clarification_id.reply

    # === ACTION METHODS === #
    def action_record(self):
        self.ensure_one()
        self.clarification_id._record(self.text)
        return {"type": "ir.actions.act_window_close"}
