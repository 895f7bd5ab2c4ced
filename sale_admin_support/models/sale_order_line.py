from odoo import api, models

FACT_FIELDS = {
    "discount",
    "order_id",
    "price_unit",
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "qty_delivered",
    "tax_ids",
}


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.order_id._facts_changed()
        return lines

    def write(self, vals):
        res = super().write(vals)
        if FACT_FIELDS & vals.keys():
            self.order_id._facts_changed()
        return res

    def unlink(self):
        contracts = self.order_id._get_fact_contracts()
        res = super().unlink()
        contracts._facts_changed()
        return res
