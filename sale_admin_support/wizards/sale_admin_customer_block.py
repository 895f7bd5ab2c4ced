from odoo import fields, models


class SaleAdminCustomerBlock(models.TransientModel):
    """Asks why customers are blocked."""

    _name = "sale.admin.customer.block"
    _description = "Block Customers for Sales"

    partner_ids = fields.Many2many("res.partner", string="Customers", required=True)
    reason = fields.Char(required=True, help="The salesperson reads it on every order held for it.")

    def action_block(self):
        self.ensure_one()
        self.partner_ids._block_for_sales(self.reason)
        return {"type": "ir.actions.act_window_close"}
