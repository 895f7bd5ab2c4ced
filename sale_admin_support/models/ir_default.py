import json

from odoo import api, models
from odoo.exceptions import UserError


class IrDefault(models.Model):
    _inherit = "ir.default"

    @api.model_create_multi
    def create(self, vals_list):
        defaults = super().create(vals_list)
        defaults._check_credit_limit_ruled()
        return defaults

    def write(self, vals):
        before = {default: default.json_value for default in self}
        res = super().write(vals)
        self.filtered(lambda d: d.json_value != before[d])._check_credit_limit_ruled()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_credit_limit_ruled(self):
        field = self.env["ir.model.fields"]._get("res.partner", "credit_limit")
        for default in self.filtered(lambda d: d.field_id == field and not d.user_id):
            if policy := default.company_id.root_id.sudo().sale_admin_credit_policy_id:
                default._raise_credit_limit_ruled(policy)

    def _check_credit_limit_ruled(self):
        """Where a credit policy rules, core's default limit follows it and nothing else.

        :raise UserError: naming the policy
        """
        field = self.env["ir.model.fields"]._get("res.partner", "credit_limit")
        for default in self.filtered(lambda d: d.field_id == field and not d.user_id):
            policy = default.company_id.root_id.sudo().sale_admin_credit_policy_id
            if policy and json.loads(default.json_value) != policy._get_core_limit():
                default._raise_credit_limit_ruled(policy)

    def _raise_credit_limit_ruled(self, policy):
        raise UserError(
            self.env._(
                "The default credit limit follows the credit policy “%s”: change it there.",
                policy.name,
            )
        )
