from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    qty_withheld = fields.Float(
        string="Withheld",
        digits="Product Unit",
        readonly=True,
        copy=False,
        help="Ordered, but not released to the warehouse, production or purchasing.",
    )
    qty_judged = fields.Float(
        digits="Product Unit",
        readonly=True,
        copy=False,
        help="The quantity that the last judgement looked at, released or withheld.",
    )

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """What is withheld counts as procured, so that nothing is started for it."""
        return super()._get_qty_procurement(previous_product_uom_qty) + self.qty_withheld
