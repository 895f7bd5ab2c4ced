from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column

MONEY_GROUPS = (
    "sale_admin_support.group_sale_admin_credit,sale_admin_support.group_sale_admin_user,"
    "account.group_account_invoice,account.group_account_readonly"
)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # === FIELDS === #
    credit_partner_id = fields.Many2one(
        "res.partner",
        string="Payer",
        compute="_compute_credit_partner_id",
        store=True,
        precompute=True,
        copy=False,
        groups="base.group_user",
        help="The commercial entity of the invoice address: its credit this order uses.",
    )
    credit_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency", groups="base.group_user"
    )
    amount_exposed = fields.Monetary(
        string="On Credit",
        currency_field="credit_currency_id",
        compute="_compute_amount_exposed",
        store=True,
        copy=False,
        groups=MONEY_GROUPS,
        help="What this order adds to the payer's exposure: released or shipped and not invoiced "
        "yet, with taxes, in the company's currency at the order's rate.",
    )
    amount_exposed_shipped = fields.Monetary(
        string="Shipped, not Invoiced",
        currency_field="credit_currency_id",
        compute="_compute_amount_exposed",
        store=True,
        copy=False,
        groups=MONEY_GROUPS,
    )

    # === CONSTRAINTS AND INDEXES === #
    _credit_exposure_idx = models.Index(
        "(credit_partner_id, company_id)"
        " INCLUDE (amount_exposed, amount_exposed_shipped, commitment_date)"
        " WHERE amount_exposed <> 0"
    )

    # === COMPUTE METHODS === #
    @api.depends("partner_invoice_id.commercial_partner_id")
    def _compute_credit_partner_id(self):
        for order in self:
            order.credit_partner_id = order.partner_invoice_id.commercial_partner_id

    @api.depends(
        "state",
        "currency_rate",
        "order_line.price_total",
        "order_line.price_unit",
        "order_line.product_uom_qty",
        "order_line.qty_delivered",
        "order_line.qty_withheld",
        "order_line.invoice_lines.price_total",
        "order_line.invoice_lines.quantity",
        "order_line.invoice_lines.move_id.state",
        "order_line.move_ids.state",
    )
    def _compute_amount_exposed(self):
        exposures = self._get_exposures()
        for order in self:
            order.amount_exposed, order.amount_exposed_shipped = exposures[order]

    # === BUSINESS METHODS === #
    def _get_exposures(self, withheld=None):
        """Return what each order adds to its payer's exposure.

        :param withheld: ``{line: quantity}`` to take instead of what is withheld; quotations are
            then valued as if they were confirmed
        :return: ``{order: (amount, amount shipped)}``, company currency at the order's rate,
            taxes included, never below 0
        """
        orders = self.sudo()
        posted = orders.order_line._get_posted_sums()
        res = {}
        for order in orders:
            amount = shipped = 0.0
            for line in order.order_line:
                if line.display_type:
                    continue
                sums = posted.get(line.id, (0.0, 0.0))
                if line.is_downpayment:
                    amount -= sums[1]  # deducted again by the final invoice
                    continue
                owed = line._get_qty_owed(None if withheld is None else withheld.get(line, 0.0))
                amount += self._get_amount_open(line, owed, *sums)
                shipped += self._get_amount_open(line, min(owed, line.qty_delivered), *sums)
            rate = order.currency_rate or 1.0
            currency = order.company_id.currency_id
            amount = max(currency.round(amount / rate), 0.0)
            res[order.with_env(self.env)] = (
                amount,
                min(max(currency.round(shipped / rate), 0.0), amount),
            )
        return res

    @api.model
    def _get_amount_open(self, line, owed, invoiced, amount_invoiced):
        """Return what is still to invoice of a quantity owed, by quantity and by amount.

        The less of both counts: a discount given on the invoice leaves nothing to invoice, and a
        credit note for a part of the price reopens no more than its amount.
        """
        if not owed:
            return 0.0
        price = line._get_price_with_taxes()
        by_quantity = (owed - invoiced) * price
        by_amount = owed * price - amount_invoiced
        if owed * price > 0:
            return max(min(by_quantity, by_amount), 0.0)
        return min(max(by_quantity, by_amount), 0.0)

    def _get_exposure_if_released(self):
        """Return ``{order: amount}``: what it would add if nothing of it were withheld."""
        exposures = self._get_exposures(withheld={})
        return {order: amount for order, (amount, _shipped) in exposures.items()}

    def _get_exposure_if_held(self):
        """Return ``{order: amount}``: what it adds if all that is being judged is withheld."""
        exposures = self._get_exposures(
            withheld={line: line._get_qty_at_stake() for line in self.sudo().order_line}
        )
        return {order: amount for order, (amount, _shipped) in exposures.items()}
