from odoo import fields, models


class SaleAdminContractTransition(models.TransientModel):
    """Asks why a contract is suspended, terminated or closed with something open."""

    _name = "sale.admin.contract.transition"
    _description = "End or Suspend a Contract"

    contract_ids = fields.Many2many("sale.admin.contract", required=True)
    state = fields.Selection(
        [("suspended", "Suspend"), ("terminated", "Terminate"), ("done", "Close")], required=True
    )
    open_items = fields.Text(string="Still Open", compute="_compute_open_items")
    reason = fields.Text(required=True)

    def _compute_open_items(self):
        for wizard in self:
            items = wizard.contract_ids._get_open_items()
            wizard.open_items = "\n".join(text for texts in items.values() for text in texts)

    def action_apply(self):
        self.ensure_one()
        self.contract_ids.write({"state_reason": self.reason, "state": self.state})
        return {"type": "ir.actions.act_window_close"}
