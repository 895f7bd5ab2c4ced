from odoo import api, fields, models


class SaleAdminContractLine(models.Model):
    """A product agreed in a contract: what the order says, or what a framework commits to."""

    _name = "sale.admin.contract.line"
    _description = "Agreed Contract Line"
    _order = "contract_id, sequence, id"
    _check_company_auto = True

    contract_id = fields.Many2one(
        "sale.admin.contract", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="contract_id.currency_id")
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product", check_company=True, ondelete="restrict", index=True
    )
    name = fields.Char(string="Description", required=True)
    product_uom_id = fields.Many2one("uom.uom", string="Unit", required=True)
    quantity = fields.Float(string="Agreed Quantity", digits="Product Unit")
    quantity_baseline = fields.Float(digits="Product Unit", readonly=True, copy=False)
    price_unit = fields.Float(string="Unit Price Untaxed", digits="Product Price")
    price_subtotal = fields.Monetary(string="Amount Untaxed")
    price_total = fields.Monetary(string="Amount with Taxes")
