from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleAdminContractLine(models.Model):
    """A product agreed in a contract: what the order says, or what a framework commits to.

    Quantities are in the line's unit, amounts in the contract's currency.
    """

    _name = "sale.admin.contract.line"
    _description = "Agreed Contract Line"
    _inherit = ["sale.admin.guarded"]
    _order = "contract_id, sequence, id"
    _check_company_auto = True

    # === FIELDS === #
    contract_id = fields.Many2one(
        "sale.admin.contract", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="contract_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="contract_id.currency_id")
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product",
        check_company=True,
        ondelete="restrict",
        index=True,
        domain="[('sale_ok', '=', True)]",
    )
    name = fields.Char(
        string="Description",
        compute="_compute_name",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    product_uom_id = fields.Many2one(
        "uom.uom",
        string="Unit",
        compute="_compute_product_uom_id",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    quantity = fields.Float(string="Agreed Quantity", digits="Product Unit", default=1.0)
    quantity_baseline = fields.Float(
        string="Signed Quantity", digits="Product Unit", readonly=True, copy=False
    )
    price_unit = fields.Float(
        string="Unit Price",
        digits="Product Price",
        compute="_compute_price_unit",
        store=True,
        readonly=False,
        precompute=True,
    )
    tax_ids = fields.Many2many(
        "account.tax",
        string="Taxes",
        check_company=True,
        compute="_compute_tax_ids",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('type_tax_use', '=', 'sale')]",
    )
    price_subtotal = fields.Monetary(
        string="Amount Untaxed",
        compute="_compute_amounts",
        store=True,
        readonly=False,
        precompute=True,
    )
    price_total = fields.Monetary(
        string="Amount with Taxes",
        compute="_compute_amounts",
        store=True,
        readonly=False,
        precompute=True,
    )
    quantity_ordered = fields.Float(
        string="Called Off", digits="Product Unit", compute="_compute_quantity_ordered"
    )
    quantity_remaining = fields.Float(
        string="Remaining", digits="Product Unit", compute="_compute_quantity_ordered"
    )

    # === CONSTRAINTS AND INDEXES === #
    _quantity_not_negative = models.Constraint(
        "CHECK (quantity >= 0)", "An agreed quantity cannot be negative."
    )

    # === COMPUTE METHODS === #
    @api.depends("product_id")
    def _compute_name(self):
        for line in self:
            line.name = line.name or line.product_id.display_name

    @api.depends("product_id")
    def _compute_product_uom_id(self):
        unit = self.env.ref("uom.product_uom_unit")
        for line in self:
            line.product_uom_id = line.product_id.uom_id or line.product_uom_id or unit

    @api.depends("product_id", "product_uom_id", "contract_id.currency_id")
    def _compute_price_unit(self):
        """The product's sales price in the contract's currency at today's rate: a proposal."""
        for line in self:
            product, contract = line.product_id, line.contract_id
            if not product or line.price_unit:
                line.price_unit = line.price_unit
                continue
            price = product.currency_id._convert(
                product.lst_price,
                contract.currency_id or product.currency_id,
                contract.company_id or self.env.company,
                (contract.company_id or self.env.company)._sale_admin_today(),
                round=False,
            )
            line.price_unit = product.uom_id._compute_price(price, line.product_uom_id)

    @api.depends("product_id", "contract_id.partner_id")
    def _compute_tax_ids(self):
        for line in self:
            company = line.contract_id.company_id or self.env.company
            position = (
                self.env["account.fiscal.position"]
                .with_company(company)
                ._get_fiscal_position(line.contract_id.partner_id)
            )
            taxes = line.product_id.taxes_id._filter_taxes_by_company(company)
            line.tax_ids = position.map_tax(taxes)

    @api.depends("quantity", "price_unit", "tax_ids")
    def _compute_amounts(self):
        for line in self:
            amounts = line.tax_ids.compute_all(
                line.price_unit,
                currency=line.currency_id,
                quantity=line.quantity,
                product=line.product_id,
                partner=line.contract_id.partner_id,
            )
            line.price_subtotal = amounts["total_excluded"]
            line.price_total = amounts["total_included"]

    @api.depends("product_id", "quantity", "contract_id.order_ids.order_line.product_uom_qty")
    def _compute_quantity_ordered(self):
        """Confirmed orders fill the lines of their product from the first to the last."""
        for contract in self.contract_id:
            ordered = {
                product: quantity
                for product, (quantity, _amount) in contract._get_ordered_by_product().items()
            }
            for line in contract.line_ids:
                left = line.product_id.uom_id._compute_quantity(
                    ordered.get(line.product_id, 0.0), line.product_uom_id, round=False
                )
                later = contract.line_ids.filtered(
                    lambda other, line=line: (
                        other.product_id == line.product_id
                        and (other.sequence, other.id) > (line.sequence, line.id)
                    )
                )
                called = min(left, line.quantity) if later else left
                line.quantity_ordered = called
                line.quantity_remaining = line.quantity - called
                ordered[line.product_id] = line.product_uom_id._compute_quantity(
                    left - called, line.product_id.uom_id, round=False
                )
        orphans = self.filtered(lambda line: not line.contract_id)
        orphans.quantity_ordered = orphans.quantity_remaining = 0.0

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_server_fields(vals)
        lines = super().create(vals_list)
        lines._check_not_signed()
        return lines

    def write(self, vals):
        self._check_server_fields(vals)
        self._check_not_signed()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed(self):
        self._check_not_signed()

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {"quantity_baseline"}

    def _check_not_signed(self):
        for contract in self.contract_id.filtered("date_activated"):
            raise UserError(
                self.env._(
                    "%(contract)s is signed: its lines can only be changed by an amendment.",
                    contract=contract.display_name,
                )
            )

    # === BUSINESS METHODS === #
    @api.model
    def _prepare_vals_from_order_line(self, order_line):
        """Hook: what an order's line says is taken as it stands, rounding included."""
        return {
            "sequence": order_line.sequence,
            "product_id": order_line.product_id.id,
            "name": order_line.name.splitlines()[0],
            "product_uom_id": order_line.product_uom_id.id,
            "quantity": order_line.product_uom_qty,
            "price_unit": order_line.price_unit * (1 - order_line.discount / 100),
            "tax_ids": [fields.Command.set(order_line.tax_ids.ids)],
            "price_subtotal": order_line.price_subtotal,
            "price_total": order_line.price_total,
        }

    def _freeze_baseline(self):
        for line in self:
            line._set({"quantity_baseline": line.quantity})

    def _amend(self, quantity, amount_untaxed, amount_total):
        """Add an approved amendment's deltas to the agreed line; the baseline stays."""
        self.ensure_one()
        self._set(
            {
                "price_subtotal": self.price_subtotal + amount_untaxed,
                "price_total": self.price_total + amount_total,
                "quantity": self.quantity + quantity,
            }
        )

    @api.model
    def _create_amended(self, vals):
        """A line that an approved amendment adds to a signed contract."""
        return super().create([vals])
