from odoo import api, fields, models


class SaleAdminCheckFloor(models.Model):
    """The least net price of a product, of a category's products, or of everything."""

    _name = "sale.admin.check.floor"
    _description = "Minimum Price"
    _order = "check_id, id"

    # === FIELDS === #
    check_id = fields.Many2one("sale.admin.check", required=True, index=True, ondelete="cascade")
    product_tmpl_id = fields.Many2one(
        "product.template",
        string="Product",
        index="btree_not_null",
        ondelete="cascade",
        domain=[("sale_ok", "=", True)],
    )
    product_id = fields.Many2one(
        "product.product",
        string="Variant",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('product_tmpl_id', '=', product_tmpl_id)] if product_tmpl_id else []",
    )
    categ_id = fields.Many2one(
        "product.category", string="Category", index="btree_not_null", ondelete="cascade"
    )
    basis = fields.Selection(
        [("fixed", "Price"), ("percent", "Share of the sales price")],
        string="Minimum Is A",
        required=True,
        default="fixed",
    )
    currency_id = fields.Many2one(related="check_id.currency_id")
    price_min = fields.Monetary(
        string="Minimum Price",
        help="A unit of the product, entered the way sales prices are: without taxes, unless the "
        "company's prices include them.",
    )
    percent_min = fields.Float(string="% of Sales Price", digits="Discount", default=100.0)

    # === CONSTRAINTS AND INDEXES === #
    _one_target = models.Constraint(
        "CHECK (categ_id IS NULL OR (product_tmpl_id IS NULL AND product_id IS NULL))",
        "A minimum price is for a product or for a category, not for both.",
    )
    _not_negative = models.Constraint(
        "CHECK (price_min >= 0 AND percent_min >= 0)", "A minimum price cannot be negative."
    )
    _target_uniq = models.UniqueIndex(
        "(check_id, COALESCE(product_id, 0), COALESCE(product_tmpl_id, 0), COALESCE(categ_id, 0))",
        "There is a minimum price for this already.",
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

    # === BUSINESS METHODS === #
    def _get_key(self):
        """Return what the minimum is for, as `_find_floor` of a check looks it up."""
        self.ensure_one()
        for fname in ("product_id", "product_tmpl_id", "categ_id"):
            if self[fname]:
                return fname, self[fname].id
        return "all", 0
