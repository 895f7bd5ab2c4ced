from odoo import fields, models


class SaleAdminMilestoneDecide(models.TransientModel):
    """Asks for the reason of a decision on milestones."""

    _name = "sale.admin.milestone.decide"
    _description = "Decide on Milestones"

    milestone_ids = fields.Many2many("sale.admin.milestone", required=True)
    decision = fields.Selection(
        [
            ("send_back", "Send Back"),
            ("reopen", "Reopen"),
            ("waive", "Waive"),
            ("unwaive", "Take Back the Waiver"),
        ],
        required=True,
    )
    reason = fields.Text(required=True)

    def action_decide(self):
        self.ensure_one()
        decide = {
            "send_back": self.milestone_ids._send_back,
            "reopen": self.milestone_ids._reopen,
            "waive": self.milestone_ids._waive,
            "unwaive": self.milestone_ids._unwaive,
        }[self.decision]
        decide(self.reason)
        return {"type": "ir.actions.act_window_close"}
