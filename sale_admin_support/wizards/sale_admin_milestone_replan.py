from odoo import fields, models


class SaleAdminMilestoneReplan(models.TransientModel):
    """Asks for new dates of milestones and the reason."""

    _name = "sale.admin.milestone.replan"
    _description = "Re-plan Milestones"

    milestone_ids = fields.Many2many("sale.admin.milestone", required=True)
    mode = fields.Selection(
        [("shift", "Move by days"), ("date", "Set the date")], required=True, default="shift"
    )
    days = fields.Integer(default=7, help="Negative: earlier.")
    date_planned = fields.Date(string="New Date")
    move_dependents = fields.Boolean(
        string="Move What Is Counted from Them",
        default=True,
        help="Otherwise the milestones counted from these keep their present dates.",
    )
    reason = fields.Char(required=True)

    def action_replan(self):
        self.ensure_one()
        is_date = self.mode == "date"
        self.milestone_ids._replan(
            date_planned=self.date_planned if is_date else None,
            days=0 if is_date else self.days,
            reason=self.reason,
            move_dependents=self.move_dependents,
        )
        return {"type": "ir.actions.act_window_close"}
