from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .sale_admin_check import SETS

# A set takes in what the milder ones before it check.
INCLUDED = {"none": (), "basic": ("basic",), "strict": ("basic", "strict")}


class SaleAdminCheck(models.Model):
    """Ready-made sets: templates that a company's settings copy, switch on and off.

    A template itself is never switched on. A company's copy is its own: it is changed at will, and
    neither an update of the app nor switching the set off and on again takes the changes back.
    """

    _inherit = "sale.admin.check"

    # === FIELDS === #
    is_template = fields.Boolean(string="Ready-Made", readonly=True, copy=False)
    preset = fields.Selection(SETS, string="Ready-Made Set", readonly=True, copy=False)
    template_id = fields.Many2one(
        "sale.admin.check",
        string="Made From",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    is_off_with_set = fields.Boolean(
        readonly=True,
        copy=False,
        help="Switched off together with its set, so it comes back with it; a check that somebody "
        "switched off himself stays off.",
    )

    # === CONSTRAINT METHODS === #
    @api.constrains("active", "is_template")
    def _check_template_is_off(self):
        for check in self:
            if check.is_template and check.active:
                raise ValidationError(
                    self.env._(
                        "“%s” is ready-made: switch its set on in the settings, or duplicate it.",
                        check.name,
                    )
                )

    # === CRUD METHODS === #
    def write(self, vals):
        if "active" in vals and not vals.get("is_off_with_set"):
            vals = {**vals, "is_off_with_set": False}
        return super().write(vals)

    # === BUSINESS METHODS === #
    @api.model
    def _apply_set(self, company, preset):
        """Switch on the checks of a ready-made set for a company, and off those it leaves out.

        :param preset: ``none``, ``basic`` or ``strict``
        """
        included = INCLUDED[preset]
        checks = self.sudo().with_context(active_test=False)
        templates = checks.search([("is_template", "=", True)])
        own = checks.search([("template_id", "in", templates.ids), ("company_id", "=", company.id)])
        wanted = own.filtered(lambda check: check.template_id.preset in included)
        wanted.filtered("is_off_with_set").write({"active": True})
        (own - wanted).filtered("active").write({"active": False, "is_off_with_set": True})
        for template in templates - own.template_id:
            if template.preset in included:
                template.copy(template._prepare_own_vals(company))

    @api.model
    def _switch_set(self, company, preset):
        """Choose a company's ready-made checks; for managers, who keep the checks anyway.

        :raise AccessError: to all others, and for a company that is not theirs
        """
        self.check_access("write")
        if company not in self.env.companies:
            raise AccessError(self.env._("%s is not one of your companies.", company.sudo().name))
        company.sudo().sale_admin_check_set = preset

    def _prepare_own_vals(self, company):
        """Hook: what a company's copy of a template does not take from it."""
        self.ensure_one()
        return {
            "active": True,
            "company_id": company.id,
            "template_id": self.id,
        }

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if default and ("name" in default or "template_id" in default):
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", check.name)}
            for check, vals in zip(self, vals_list, strict=True)
        ]
