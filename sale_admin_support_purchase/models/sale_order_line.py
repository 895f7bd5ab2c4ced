from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === BUSINESS METHODS === #
    def _purchase_service_generation(self):
        self.order_id._judge_if_confirming()
        self._judge_due()
        lines = self.filtered(lambda line: line._may_start())
        return super(SaleOrderLine, lines)._purchase_service_generation()

    def _purchase_service_prepare_line_values(self, purchase_order, quantity=False):
        quantity = quantity or self.product_uom_qty - self.qty_withheld
        return super()._purchase_service_prepare_line_values(purchase_order, quantity)

    def _purchase_increase_ordered_qty(self, new_qty, origin_values):
        """An increase that is withheld is bought when it is released."""
        self._judge_due()
        free = self.filtered(lambda line: not line.qty_withheld)
        return super(SaleOrderLine, free)._purchase_increase_ordered_qty(new_qty, origin_values)

    def _start_released(self, released):
        """Buy what is released: what the line never bought, or more of it."""
        result = super()._start_released(released)
        services = self.sudo().filtered(lambda line: line.is_service and not line.is_expense)
        new = services.filtered(
            lambda line: (
                line.product_uom_id.compare(
                    released[line] + line.qty_withheld, line.product_uom_qty
                )
                >= 0
            )
        )
        new._purchase_service_generation()
        for line in (services - new).filtered("purchase_line_ids"):
            line._purchase_more(released[line])
        return result

    def _purchase_more(self, quantity):
        """Ask the vendor for more, in the open request or in a new one."""
        self.ensure_one()
        last = self.purchase_line_ids.sorted("id")[-1]
        if last.state in ("draft", "sent", "to approve"):
            last.product_qty += self.product_uom_id._compute_quantity(quantity, last.product_uom_id)
        else:
            self._purchase_service_create(quantity=quantity)
