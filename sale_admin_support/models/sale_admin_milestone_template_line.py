from odoo import fields, models

from .sale_admin_milestone import ANCHORS, KINDS, MEASURES, TARGET_TYPES


class SaleAdminMilestoneTemplateLine(models.Model):
    _name = "sale.admin.milestone.template.line"
    _description = "Schedule Template Milestone"
    _order = "template_id, sequence, id"

    template_id = fields.Many2one(
        "sale.admin.milestone.template", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(KINDS, required=True, default="other")
    measure = fields.Selection(MEASURES, required=True, default="manual")
    target_type = fields.Selection(TARGET_TYPES, required=True, default="percent")
    target = fields.Float()
    tolerance = fields.Float(string="Tolerance (%)")
    anchor = fields.Selection(ANCHORS, required=True, default="signature")
    anchor_line_id = fields.Many2one(
        "sale.admin.milestone.template.line", ondelete="set null", string="Anchor Milestone"
    )
    offset_days = fields.Integer(string="Days after")
    needs_verification = fields.Boolean(string="Second Person Verifies")
    visible_to_customer = fields.Boolean(default=True)
