from odoo import models


class SaleAdminShipment(models.Model):
    _inherit = "sale.admin.shipment"
    _depends = {"stock.picking": ["carrier_id", "carrier_tracking_ref"]}
