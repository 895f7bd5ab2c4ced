from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    sale_contract_id = fields.Many2one(
        "sale.admin.contract",
        string="Sales Contract",
        check_company=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
