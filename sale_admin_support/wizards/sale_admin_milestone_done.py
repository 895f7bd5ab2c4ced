from odoo import api, fields, models


class SaleAdminMilestoneDone(models.TransientModel):
    """Asks when milestones were done and what shows it."""

    _name = "sale.admin.milestone.done"
    _description = "Set Milestones Done"

    milestone_ids = fields.Many2many("sale.admin.milestone", required=True)
    date_done = fields.Date(
        string="Done on",
        required=True,
        default=lambda self: self.env.company._sale_admin_today(),
    )
    evidence = fields.Text(help="What shows that it is done: a number, a name, a place.")
    file = fields.Binary()
    file_name = fields.Char()
    is_paper = fields.Boolean(compute="_compute_is_paper")
    must_be_verified = fields.Boolean(compute="_compute_is_paper")

    @api.depends("milestone_ids")
    def _compute_is_paper(self):
        for wizard in self:
            milestones = wizard.milestone_ids
            wizard.is_paper = any(
                m.measure == "document" and not m.with_context(bin_size=True).file
                for m in milestones
            )
            wizard.must_be_verified = any(m._must_be_verified() for m in milestones)

    def action_set_done(self):
        self.ensure_one()
        self.milestone_ids._set_done(self.date_done, self.evidence, self.file, self.file_name)
        return {"type": "ir.actions.act_window_close"}
