from odoo import fields, models


class SaleAdminMilestoneTemplate(models.Model):
    """A schedule to copy into contracts of the kinds, customers and products it is meant for."""

    _name = "sale.admin.milestone.template"
    _description = "Schedule Template"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True)
    kind = fields.Selection(
        selection=lambda self: self.env["sale.admin.contract"]._fields["kind"].selection,
        string="Contract Kind",
        help="Empty: any.",
    )
    partner_ids = fields.Many2many("res.partner", string="Customers", help="Empty: any.")
    categ_ids = fields.Many2many("product.category", string="Product Categories", help="Empty: any.")
    line_ids = fields.One2many(
        "sale.admin.milestone.template.line", "template_id", copy=True, string="Milestones"
    )

    def _propose(self, contract):
        return self.browse()

    def _make_schedule(self, contract):
        pass
