from odoo import models


class SaleAdminRequirement(models.Model):
    _inherit = "sale.admin.requirement"

    def _find_lacking_shipto_verified(self, orders):
        """The delivery address and its contact were verified, and stayed as they were."""
        return self._filter_delivered(orders).filtered(
            lambda order: not order._is_shipto_verified()
        )
