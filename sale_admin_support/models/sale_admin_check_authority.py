from odoo import api, fields, models


class SaleAdminCheckAuthority(models.Model):
    """Up to which amount a role may release what a check holds."""

    _name = "sale.admin.check.authority"
    _description = "Authority to Release"
    _order = "check_id, is_unlimited, amount_max, id"

    check_id = fields.Many2one("sale.admin.check", required=True, index=True, ondelete="cascade")
    group_id = fields.Many2one(
        "res.groups", string="Role", required=True, index=True, ondelete="restrict"
    )
    currency_id = fields.Many2one(related="check_id.currency_id")
    is_unlimited = fields.Boolean(string="Any Amount")
    amount_max = fields.Monetary(
        string="Up To",
        help="For credit, the amount over the limit; otherwise the order's total, taxes included.",
    )

    _group_uniq = models.Constraint(
        "UNIQUE (check_id, group_id)", "Each role has one amount a check."
    )
    _amount_not_negative = models.Constraint(
        "CHECK (amount_max >= 0)", "The amount that a role may release cannot be negative."
    )

    @api.depends("group_id")
    def _compute_display_name(self):
        for authority in self:
            authority.display_name = authority.group_id.display_name
