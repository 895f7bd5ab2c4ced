from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SaleAdminCheck(models.Model):
    """Completeness: what an order must say."""

    _inherit = "sale.admin.check"

    kind = fields.Selection(
        selection_add=[("completeness", "Completeness: everything needed is there")],
        ondelete={"completeness": "cascade"},
    )
    requirement_ids = fields.Many2many(
        "sale.admin.requirement", string="Must Be There", ondelete="restrict"
    )

    @api.constrains("kind", "requirement_ids")
    def _check_requirements(self):
        for check in self:
            if check.kind == "completeness" and not check.requirement_ids:
                raise ValidationError(
                    self.env._("%s: choose what must be there.", check.display_name)
                )

    @api.model
    def _get_filter_fields(self):
        return [*super()._get_filter_fields(), "requirement_ids"]

    def _check_completeness(self, orders):
        requirements = self.env["sale.admin.requirement"].browse(
            self._get_filter_ids()["requirement_ids"]
        )
        lacking = {}
        for requirement in requirements.sorted("sequence"):
            for order in requirement._find_lacking(orders):
                lacking.setdefault(order, []).append(requirement)
        return {
            order: {
                "reason": self.env._(
                    "Missing: %s.", "; ".join(self._describe_lacking(r) for r in found)
                ),
                "fix": found[0]._get_fix(order),
                "fingerprint": ",".join(str(requirement.id) for requirement in found),
            }
            for order, found in lacking.items()
        }

    @api.model
    def _describe_lacking(self, requirement):
        if not requirement.where:
            return requirement.name
        return self.env._("%(what)s (%(where)s)", what=requirement.name, where=requirement.where)
