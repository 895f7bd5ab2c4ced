from odoo import models

# What Odoo keeps on partners by itself; nothing is looked at for it.
TECHNICAL_FIELDS = {"customer_rank", "image_1920", "signup_type", "supplier_rank"}


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        """A completed address or tax number may be what an order waits for."""
        res = super().write(vals)
        if not TECHNICAL_FIELDS.issuperset(vals):
            self.env["sale.admin.hold"]._mark_recheck(partners=self)
        return res
