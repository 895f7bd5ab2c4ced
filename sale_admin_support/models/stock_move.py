from odoo import models

FACT_FIELDS = {
    "date",
    "location_dest_id",
    "location_id",
    "product_id",
    "product_uom",
    "quantity",
    "sale_line_id",
    "state",
    "to_refund",
}


class StockMove(models.Model):
    _inherit = "stock.move"

    def write(self, vals):
        if not FACT_FIELDS & vals.keys():
            return super().write(vals)
        # with all rights: who works in the warehouse need not read orders
        done = self.sudo().filtered(lambda move: move.state == "done")
        orders = done.sale_line_id.order_id
        res = super().write(vals)
        if vals.get("state") == "done":
            done = self.sudo()
        (orders | done.sale_line_id.order_id)._facts_changed()
        return res
