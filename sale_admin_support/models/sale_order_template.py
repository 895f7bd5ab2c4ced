from odoo import fields, models


class SaleOrderTemplate(models.Model):
    _inherit = "sale.order.template"

    opens_sale_contract = fields.Boolean(
        string="Opens a Contract",
        help="Confirming an order made from this template opens a sales contract.",
    )
    sale_contract_schedule_id = fields.Many2one(
        "sale.admin.milestone.template",
        string="Execution Schedule",
        check_company=True,
        help="The schedule of the contract; empty: the one that suits best is proposed.",
    )
