from odoo import fields, models
from odoo.tools import SQL


class SaleAdminFact(models.Model):
    """What happened: one dated row for each thing ordered, moved, invoiced or paid."""

    _name = "sale.admin.fact"
    _description = "Sales Fact"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "kind"

    kind = fields.Selection(
        [
            ("ordered", "Ordered"),
            ("delivered", "Delivered"),
            ("returned", "Returned"),
            ("invoiced", "Invoiced"),
            ("credited", "Credited"),
            ("collected", "Collected"),
            ("advance", "Advance"),
        ],
        readonly=True,
    )
    date = fields.Date(readonly=True)
    contract_id = fields.Many2one("sale.admin.contract", readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True)
    order_line_id = fields.Many2one("sale.order.line", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    quantity = fields.Float(digits="Product Unit", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_untaxed = fields.Monetary(readonly=True)
    amount_total = fields.Monetary(readonly=True)
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    amount_untaxed_company = fields.Monetary(
        currency_field="company_currency_id", readonly=True
    )
    amount_total_company = fields.Monetary(
        currency_field="company_currency_id", readonly=True
    )
    stock_move_id = fields.Many2one("stock.move", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    cash_move_id = fields.Many2one(
        "account.move", string="Payment Entry", readonly=True
    )

    @property
    def _table_query(self) -> SQL:
        return SQL("SELECT NULL WHERE FALSE")

    def _get_totals(self, contracts):
        return {}
