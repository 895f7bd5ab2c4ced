from odoo import api, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === CONSTRAINTS AND INDEXES === #
    # Few lines of a grown database are in work: what lists them reads this index alone.
    _in_work_idx = models.Index(
        """(order_id) WHERE state = 'sale' AND display_type IS NULL
       AND is_downpayment IS NOT TRUE
       AND (product_uom_qty > qty_delivered OR qty_to_invoice <> 0)"""
    )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.order_id._note_handover_changed()
        return lines

    def write(self, vals):
        if "product_uom_qty" not in vals:
            return super().write(vals)
        raised = self.filtered(lambda line: line.product_uom_qty < vals["product_uom_qty"])
        res = super().write(vals)
        raised.order_id._note_handover_changed()
        return res
