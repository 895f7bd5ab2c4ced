from odoo import api, fields, models


class SaleAdminCheckDiscount(models.Model):
    """The most discount that a role may give."""

    _name = "sale.admin.check.discount"
    _description = "Most Discount of a Role"
    _order = "check_id, discount_max, id"

    # === FIELDS === #
    check_id = fields.Many2one("sale.admin.check", required=True, index=True, ondelete="cascade")
    group_id = fields.Many2one(
        "res.groups", string="Role", required=True, index=True, ondelete="restrict"
    )
    discount_max = fields.Float(string="Most Discount (%)", digits="Discount")

    # === CONSTRAINTS AND INDEXES === #
    _group_uniq = models.Constraint("UNIQUE (check_id, group_id)", "Each role is named once.")
    _percent_sane = models.Constraint(
        "CHECK (discount_max >= 0 AND discount_max <= 100)", "A discount is between 0 and 100 %."
    )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()
