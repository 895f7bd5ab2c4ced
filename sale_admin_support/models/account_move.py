from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    sale_contract_id = fields.Many2one(
        "sale.admin.contract",
        string="Sales Contract",
        check_company=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        ondelete="restrict",
        help="Set by hand on papers that no order leads to: an advance, an invoice or a credit "
        "note without order lines. Papers of orders find their contract through the order.",
    )
