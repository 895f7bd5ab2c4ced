from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache


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

    def _check_completeness(self, orders):
        lacking = {}
        for requirement_id, code, path in self._get_requirements():
            requirement = self.env["sale.admin.requirement"].browse(requirement_id)
            for order in requirement._find_lacking_by(orders, code, path):
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

    @ormcache("self.id")
    def _get_requirements(self):
        """Return id, code and path of what must be there, kept in memory."""
        requirements = self.sudo().with_context(active_test=False).requirement_ids
        return tuple(
            (r.id, r.code, r.path) for r in requirements.sorted(lambda r: (r.sequence, r.id))
        )
