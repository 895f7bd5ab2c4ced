from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleAdminContractAmendmentLine(models.Model):
    """What an amendment adds to or takes from one product of the contract."""

    _name = "sale.admin.contract.amendment.line"
    _description = "Contract Amendment Line"
    _order = "amendment_id, id"

    # === FIELDS === #
    amendment_id = fields.Many2one(
        "sale.admin.contract.amendment", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="amendment_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="amendment_id.currency_id")
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="restrict", check_company=True
    )
    product_uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    quantity_delta = fields.Float(string="Change of Quantity", digits="Product Unit")
    amount_untaxed_delta = fields.Monetary(string="Change Untaxed")
    amount_total_delta = fields.Monetary(
        string="Change with Taxes",
        compute="_compute_amount_total_delta",
        store=True,
        readonly=False,
        precompute=True,
    )

    # === COMPUTE METHODS === #
    @api.depends("amount_untaxed_delta", "product_id")
    def _compute_amount_total_delta(self):
        """With the taxes of the contract's line of that product, else the product's own."""
        for line in self:
            contract = line.amendment_id.contract_id
            agreed = contract.line_ids.filtered(
                lambda a, line=line: a.product_id == line.product_id
            )
            taxes = agreed[:1].tax_ids or line.product_id.taxes_id._filter_taxes_by_company(
                contract.company_id or self.env.company
            )
            amounts = taxes.with_context(force_price_include=False).compute_all(
                line.amount_untaxed_delta,
                currency=line.currency_id,
                product=line.product_id,
                partner=contract.partner_id,
            )
            line.amount_total_delta = amounts["total_included"]

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.amendment_id._edit()
        return lines

    def write(self, vals):
        self.amendment_id._edit()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        self.amendment_id._edit()

    # === BUSINESS METHODS === #
    @api.model
    def _prepare_vals_from_difference(self, difference):
        """The line that brings the agreement to what the orders say."""
        return {
            "product_id": difference["product"].id,
            "quantity_delta": difference["quantity_ordered"] - difference["quantity_agreed"],
            "amount_untaxed_delta": difference["amount_ordered"] - difference["amount_agreed"],
        }

    def _apply_to_contract(self):
        """Bring the deltas into the contract's agreed lines, adding a line for a new product.

        :raise UserError: when less than nothing would be left of a product
        """
        line_model = self.env["sale.admin.contract.line"]
        for delta in self:
            contract = delta.amendment_id.contract_id
            agreed = contract.line_ids.filtered(
                lambda line, delta=delta: line.product_id == delta.product_id
            )[:1]
            if not agreed:
                agreed = line_model._create_amended(
                    {
                        "contract_id": contract.id,
                        "product_id": delta.product_id.id,
                        "product_uom_id": delta.product_uom_id.id,
                        "quantity": 0.0,
                        "price_unit": delta.quantity_delta
                        and delta.amount_untaxed_delta / delta.quantity_delta,
                    }
                )
            quantity = delta.product_uom_id._compute_quantity(
                delta.quantity_delta, agreed.product_uom_id, round=False
            )
            if agreed.product_uom_id.compare(agreed.quantity + quantity, 0.0) < 0:
                raise UserError(
                    self.env._(
                        "%(product)s: the amendment takes away more than the %(agreed)s agreed.",
                        product=delta.product_id.display_name,
                        agreed=agreed.quantity,
                    )
                )
            agreed._amend(quantity, delta.amount_untaxed_delta, delta.amount_total_delta)
