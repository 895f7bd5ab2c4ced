from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column


class AccountPayment(models.Model):
    _inherit = "account.payment"

    sale_contract_id = fields.Many2one(
        "sale.admin.contract",
        string="Sales Contract",
        compute="_compute_sale_contract_id",
        inverse="_inverse_sale_contract_id",
        store=True,
        readonly=False,
        check_company=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The contract for which the customer pays in advance. Money matched with an invoice "
        "counts for the contract of that invoice.",
    )

    def _auto_init(self):
        """Make the column here: it is empty, and computing it for all payments takes long."""
        if not column_exists(self.env.cr, "account_payment", "sale_contract_id"):
            create_column(self.env.cr, "account_payment", "sale_contract_id", "int4")
        return super()._auto_init()

    @api.depends("move_id.sale_contract_id")
    def _compute_sale_contract_id(self):
        for payment in self:
            if payment.move_id:
                payment.sale_contract_id = payment.move_id.sale_contract_id
            else:  # a draft has no entry yet and keeps what was chosen
                payment.sale_contract_id = payment.sale_contract_id

    def _inverse_sale_contract_id(self):
        for payment in self.filtered("move_id"):
            payment.move_id.sale_contract_id = payment.sale_contract_id

    def _generate_move_vals(self, *args, **kwargs):
        vals = super()._generate_move_vals(*args, **kwargs)
        if self.sale_contract_id:
            vals["sale_contract_id"] = self.sale_contract_id.id
        return vals
