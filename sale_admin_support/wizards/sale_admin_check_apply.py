from odoo import fields, models

from ..models.sale_admin_check import SETS


class SaleAdminCheckApply(models.TransientModel):
    """Asks which ready-made checks a company wants."""

    _name = "sale.admin.check.apply"
    _description = "Switch on Ready-Made Checks"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    preset = fields.Selection(
        [("none", "None"), *SETS],
        string="Ready-Made Checks",
        required=True,
        default=lambda self: self.env.company.sale_admin_check_set,
    )

    def action_apply(self):
        self.ensure_one()
        self.env["sale.admin.check"]._switch_set(self.company_id, self.preset)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
