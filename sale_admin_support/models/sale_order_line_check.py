from odoo import api, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.order_id._checked_values_changed()
        return lines

    def write(self, vals):
        res = super().write(vals)
        if self._get_checked_fields() & vals.keys():
            self.order_id._checked_values_changed()
        return res

    def unlink(self):
        orders = self.order_id
        res = super().unlink()
        orders._checked_values_changed()
        return res

    # === BUSINESS METHODS === #
    @api.model
    def _get_checked_fields(self):
        """Hook: the fields of a line that say what the order promises."""
        return {
            "discount",
            "name",
            "price_unit",
            "product_id",
            "product_uom_id",
            "product_uom_qty",
            "tax_ids",
        }

    def _is_checked(self):
        """Hook: whether the line is part of the promise; a down payment's line is not."""
        return not self.is_downpayment and not self.is_expense
