from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_company_unit_amount(self):
        """Return the price of one unit in the company's currency at the order's rate, with taxes
        and discount; not rounded."""
        self.ensure_one()
        return self._get_price_with_taxes() / (self.order_id.currency_rate or 1.0)
