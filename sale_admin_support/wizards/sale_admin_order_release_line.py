from odoo import api, fields, models


class SaleAdminOrderReleaseLine(models.TransientModel):
    """How much of an order's line is to go now."""

    _name = "sale.admin.order.release.line"
    _description = "Release a Part: Line"

    wizard_id = fields.Many2one("sale.admin.order.release", required=True, ondelete="cascade")
    line_id = fields.Many2one("sale.order.line", required=True, ondelete="cascade")
    product_id = fields.Many2one(related="line_id.product_id")
    product_uom_id = fields.Many2one(related="line_id.product_uom_id")
    qty_ordered = fields.Float(string="Ordered", related="line_id.product_uom_qty")
    qty_withheld = fields.Float(related="line_id.qty_withheld")
    quantity = fields.Float(string="Release Now", digits="Product Unit")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    amount = fields.Monetary(
        compute="_compute_amount", help="In the company's currency, taxes included."
    )

    @api.depends("quantity", "line_id")
    def _compute_amount(self):
        for line in self:
            line.amount = line.quantity * line.line_id._get_company_unit_amount()
