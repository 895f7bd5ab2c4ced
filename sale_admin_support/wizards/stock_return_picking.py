from odoo import api, fields, models


class StockReturnPicking(models.TransientModel):
    _inherit = "stock.return.picking"

    sale_return_reason_id = fields.Many2one(
        "sale.admin.reason",
        string="Reason of the Return",
        domain="[('kind', '=', 'return'), ('company_id', 'in', (False, company_id))]",
    )
    is_customer_return = fields.Boolean(compute="_compute_is_customer_return")
    is_return_reason_required = fields.Boolean(compute="_compute_is_customer_return")

    @api.depends("picking_id")
    def _compute_is_customer_return(self):
        for wizard in self:
            picking = wizard.picking_id.sudo()
            wizard.is_customer_return = bool(
                picking.sale_id and picking.location_dest_id.usage == "customer"
            )
            wizard.is_return_reason_required = (
                wizard.is_customer_return and picking.company_id.sale_admin_return_reason_required
            )

    def _prepare_picking_default_values_based_on(self, picking):
        vals = super()._prepare_picking_default_values_based_on(picking)
        if self.is_customer_return and picking == self.picking_id:
            vals["sale_return_reason_id"] = self.sale_return_reason_id.id
        return vals
