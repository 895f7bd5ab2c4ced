from odoo import api, models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._facts_changed()
        return lines

    def write(self, vals):
        res = super().write(vals)
        if {"quantity", "product_uom_id", "move_id"} & vals.keys():
            self._facts_changed()
        return res

    def _facts_changed(self):
        """Quantities of moves that are done already may have been corrected."""
        moves = self.sudo().move_id.filtered(lambda move: move.state == "done")
        moves.sale_line_id.order_id._facts_changed()
