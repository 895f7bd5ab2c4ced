from odoo import api, models
from odoo.tools import SQL


class StockPicking(models.Model):
    """Carrier and tracking reference are the delivery app's; what was typed before stays."""

    _inherit = "stock.picking"

    @api.model
    def _get_shipment_sql(self, alias):
        carrier, tracking = super()._get_shipment_sql(alias)
        return (
            SQL(
                """COALESCE((SELECT COALESCE(name->>%s, name->>'en_US')
                               FROM delivery_carrier WHERE id = %s), %s)""",
                self.env.lang or "en_US",
                SQL.identifier(alias, "carrier_id"),
                carrier,
            ),
            SQL("COALESCE(%s, %s)", SQL.identifier(alias, "carrier_tracking_ref"), tracking),
        )

    def _get_shipment_texts(self):
        carrier, tracking = super()._get_shipment_texts()
        return (self.carrier_id.name or carrier, self.carrier_tracking_ref or tracking)

    @api.model
    def _get_untracked_domain(self):
        return [*super()._get_untracked_domain(), ("carrier_tracking_ref", "in", (False, ""))]
