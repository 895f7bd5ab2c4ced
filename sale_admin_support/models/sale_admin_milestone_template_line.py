from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_compare

from .sale_admin_milestone import (
    ANCHORS,
    KINDS,
    MEASURES,
    PERCENT_TARGETS,
    QUANTITY_TARGETS,
    TARGET_TYPES,
)


class SaleAdminMilestoneTemplateLine(models.Model):
    """A milestone as a template plans it: its share, and days from an anchor."""

    _name = "sale.admin.milestone.template.line"
    _description = "Schedule Template Milestone"
    _order = "template_id, sequence, id"

    # === FIELDS === #
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
    anchor = fields.Selection(ANCHORS, string="Counted from", required=True, default="signature")
    anchor_line_id = fields.Many2one(
        "sale.admin.milestone.template.line",
        domain="[('template_id', '=', template_id), ('id', '!=', id)]",
        ondelete="restrict",
        string="Anchor Milestone",
        help="Save the template before choosing one of its milestones.",
    )
    offset_days = fields.Integer(string="Days after")
    needs_verification = fields.Boolean(string="Second Person Verifies")
    visible_to_customer = fields.Boolean(default=True)

    # === CONSTRAINTS AND INDEXES === #
    _target_positive = models.Constraint(
        "CHECK (target >= 0)", "The target of a milestone cannot be negative."
    )
    _tolerance_range = models.Constraint(
        "CHECK (tolerance >= 0 AND tolerance < 100)",
        "The tolerance of a milestone is between 0 and 100 %.",
    )

    # === CONSTRAINT METHODS === #
    @api.constrains("target", "target_type", "measure")
    def _check_target(self):
        for line in self:
            if (
                line.target_type in PERCENT_TARGETS
                and float_compare(line.target, 100.0, precision_digits=6) > 0
            ):
                raise ValidationError(
                    self.env._(
                        "“%(milestone)s”: a share cannot be more than 100 %%.", milestone=line.name
                    )
                )
            if line.measure == "collected" and line.target_type in QUANTITY_TARGETS:
                raise ValidationError(
                    self.env._(
                        "“%(milestone)s”: money is collected by value, not by quantity.",
                        milestone=line.name,
                    )
                )

    @api.constrains("anchor", "anchor_line_id", "offset_days", "template_id")
    def _check_anchor(self):
        if self._has_cycle("anchor_line_id"):
            raise ValidationError(
                self.env._("Milestones cannot be counted from each other in a circle.")
            )
        for line in self.filtered(lambda line: line.anchor == "milestone"):
            if not line.anchor_line_id or line.anchor_line_id.template_id != line.template_id:
                raise ValidationError(
                    self.env._(
                        "“%(milestone)s”: choose the milestone of this template from which it is "
                        "counted.",
                        milestone=line.name,
                    )
                )
            if line.offset_days < 0:
                raise ValidationError(
                    self.env._(
                        "“%(milestone)s” cannot be planned before “%(anchor)s”, from which it is "
                        "counted.",
                        milestone=line.name,
                        anchor=line.anchor_line_id.name,
                    )
                )

    # === CRUD METHODS === #
    def copy_data(self, default=None):
        # Copied with its template, which then finds the copy of the anchor.
        return [
            {**vals, "anchor": "fixed", "anchor_line_id": False}
            if line.anchor == "milestone"
            else vals
            for line, vals in zip(self, super().copy_data(default=default), strict=True)
        ]

    # === BUSINESS METHODS === #
    def _prepare_milestone_vals(self, contract):
        """Hook: the values of the contract's milestone; one counted from another is anchored when
        all of them exist."""
        self.ensure_one()
        is_chained = self.anchor == "milestone"
        return {
            "contract_id": contract.id,
            "template_line_id": self.id,
            "sequence": self.sequence,
            "name": self.name,
            "kind": self.kind,
            "measure": self.measure,
            "target_type": self.target_type,
            "target": self.target,
            "tolerance": self.tolerance,
            "anchor": "fixed" if is_chained else self.anchor,
            "offset_days": 0 if is_chained else self.offset_days,
            "needs_verification": self.needs_verification,
            "visible_to_customer": self.visible_to_customer,
        }
