import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

from .sale_admin_credit_lock import CreditBusy

_logger = logging.getLogger(__name__)

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

    def _auto_init(self):
        """Make and fill the columns by one statement: computing all orders takes long."""
        cr = self.env.cr
        is_new = not column_exists(cr, "sale_order", "amount_exposed")
        if is_new:
            create_column(cr, "sale_order", "credit_partner_id", "int4")
            create_column(cr, "sale_order", "amount_exposed", "numeric")
            create_column(cr, "sale_order", "amount_exposed_shipped", "numeric")
        res = super()._auto_init()
        if is_new:
            self._fill_exposures()
        return res

    def _fill_exposures(self):
        """Nothing is withheld yet when the app is installed."""
        self.env.cr.execute(
            SQL(
                """UPDATE sale_order
                      SET credit_partner_id = payer.commercial_partner_id,
                          amount_exposed = coalesce(derived.amount, 0),
                          amount_exposed_shipped = coalesce(derived.shipped, 0)
                     FROM sale_order orders
                     JOIN res_partner payer ON payer.id = orders.partner_invoice_id
                LEFT JOIN (%s) derived ON derived.id = orders.id
                    WHERE sale_order.id = orders.id""",
                self._sql_exposures(withheld=SQL("0")),
            )
        )
        # Until the next vacuum nobody knows that the new index leads to few orders.
        self.env.cr.execute("ANALYZE sale_order")

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

    @api.depends("company_id", "partner_id", "partner_invoice_id", "amount_total", "state")
    def _compute_partner_credit_warning(self):
        """Where a policy rules, the banner says what orders are judged by, and reads no other open
        order of the customer to say it."""
        ruled = self.filtered(
            lambda o: o.credit_partner_id and o.credit_partner_id._is_credit_ruled(o.company_id)
        )
        res = super(SaleOrder, self - ruled)._compute_partner_credit_warning()
        ruled.partner_credit_warning = ""
        quotations = ruled.filtered(lambda o: o.state in ("draft", "sent"))
        for company, orders in quotations.grouped("company_id").items():
            amounts = orders._get_exposure_if_released()
            asked = {order: (order.credit_partner_id, amounts[order]) for order in orders}
            warnings = self.env["res.partner"]._get_credit_warnings(company, asked)
            for order in orders:
                order.partner_credit_warning = warnings[order]
        return res

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

    def _get_credit_results(self, checks, blocked):
        """Judge the credit of these orders alone, in sequence; see `_evaluate_credit`.

        When others judge the same customers again and again, what would be held for credit is
        held until the job looks at it: nobody reads an error, and nothing passes unjudged.
        """
        try:
            self._lock_credit()
        except CreditBusy:
            return self._get_credit_busy_results(checks)
        return checks._evaluate_credit(self, blocked)

    def _get_credit_busy_results(self, checks):
        check = checks.filtered(lambda c: c.severity == "block")[:1]
        if not check:
            return {}
        result = {
            "check_id": check.id,
            "recheck_due": True,
            "reason": self.env._(
                "Credit is being checked for another order of this customer; this order follows "
                "within minutes."
            ),
        }
        return {
            order: [{**result, "partner_id": order.sudo().credit_partner_id.id}] for order in self
        }

    def _serialize_credit(self):
        """Let no order of these payers be judged while a decision lets work go.

        :raise UserError: when others do so again and again
        """
        try:
            self._lock_credit()
        except CreditBusy as error:
            raise UserError(
                self.env._("Other orders of this customer are being judged: try again in a moment.")
            ) from error

    def _lock_credit(self):
        accounts = self.sudo().credit_partner_id._get_credit_accounts(self.company_id)
        self.env["sale.admin.credit.lock"].sudo()._serialize(
            (order.company_id, accounts[order.credit_partner_id])
            for order in self.sudo()
            if order.credit_partner_id
        )

    def _get_prepayments(self, percent=0.0):
        """Return ``{order: (required, received)}`` in the company's currency at the order's rate.

        :param percent: share of the order's total that is required; 0: as the order itself asks
            its customer by online payment
        """
        res = {}
        for order in self.sudo():
            share = percent / 100 or (order.prepayment_percent if order.require_payment else 0.0)
            if not share:
                res[order.with_env(self.env)] = (0.0, 0.0)
                continue
            invoices = order.invoice_ids.filtered(
                lambda m: m.state == "posted" and m.move_type in ("out_invoice", "out_refund")
            )
            paid = sum(
                -invoice.direction_sign
                * invoice.currency_id._convert(
                    invoice.amount_total - invoice.amount_residual,
                    order.currency_id,
                    order.company_id,
                    invoice.invoice_date,
                )
                for invoice in invoices
            )
            paid += sum(
                transaction.amount
                for transaction in order.transaction_ids
                if transaction.state in ("authorized", "done")
                and not transaction.invoice_ids & invoices
            )
            rate = order.currency_rate or 1.0
            round_ = order.company_id.currency_id.round
            res[order.with_env(self.env)] = (
                round_(order.amount_total * share / rate),
                round_(paid / rate),
            )
        return res

    # === REBUILDING === #
    @api.model
    def _sql_exposures(self, condition=None, withheld=None):
        """Return the statement that derives ``id, amount, shipped`` from the documents.

        It says by SQL what `_get_exposures` computes, for all orders at once. The price of a line
        of quantity 0 (expenses) is taken without taxes, which only the method knows.
        """
        return SQL(
            """
            SELECT orders.id, total.amount, least(total.shipped, total.amount) AS shipped
              FROM (
                SELECT order_id,
                       sum(%(open_owed)s) - sum(down_payment) AS amount,
                       sum(%(open_shipped)s) AS shipped
                  FROM (
                    SELECT quantity.*, least(owed, qty_delivered) AS left_us
                      FROM (
                        SELECT line.order_id, line.qty_delivered,
                               CASE WHEN line.is_downpayment THEN coalesce(posted.amount, 0)
                                    ELSE 0 END AS down_payment,
                               CASE WHEN line.is_downpayment THEN 0
                                    WHEN line.product_uom_qty <> 0
                                    THEN line.price_total / line.product_uom_qty
                                    ELSE line.price_unit * (1 - coalesce(line.discount, 0) / 100)
                                END AS price,
                               coalesce(posted.quantity, 0) AS invoiced,
                               coalesce(posted.amount, 0) AS amount_invoiced,
                               sign.sign * CASE
                                   WHEN line_order.state = 'cancel'
                                   THEN CASE WHEN line.qty_delivered_method = 'stock_move'
                                             THEN sign.sign * line.qty_delivered ELSE 0 END
                                   WHEN sign.sign * (line.product_uom_qty - %(withheld)s)
                                        > sign.sign * line.qty_delivered
                                        AND line.qty_delivered_method = 'stock_move'
                                        AND EXISTS (
                                            SELECT FROM stock_move
                                             WHERE sale_line_id = line.id)
                                        AND NOT EXISTS (
                                            SELECT FROM stock_move move
                                              JOIN stock_location source
                                                ON source.id = move.location_id
                                             WHERE move.sale_line_id = line.id
                                               AND move.state NOT IN ('done', 'cancel')
                                               AND source.usage <> 'customer')
                                   THEN greatest(sign.sign * line.qty_delivered, 0)
                                   ELSE greatest(
                                       sign.sign * (line.product_uom_qty - %(withheld)s),
                                       sign.sign * line.qty_delivered, 0)
                                END AS owed
                          FROM sale_order_line line
                          JOIN sale_order line_order ON line_order.id = line.order_id
                          JOIN LATERAL (
                               SELECT CASE WHEN line.product_uom_qty < 0 THEN -1 ELSE 1 END
                               ) sign(sign) ON TRUE
                     LEFT JOIN (%(posted)s) posted(line_id, quantity, amount)
                            ON posted.line_id = line.id
                         WHERE line.display_type IS NULL
                           AND line_order.state IN ('sale', 'cancel')
                        OFFSET 0  -- what is owed is looked up once a line, not at each mention
                       ) quantity
                   ) line
                 GROUP BY order_id
               ) line_total
              JOIN sale_order orders ON orders.id = line_total.order_id
              JOIN res_company company ON company.id = orders.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
              JOIN LATERAL (
                   SELECT greatest(round(line_total.amount / rate.rate / currency.rounding)
                                   * currency.rounding, 0) AS amount,
                          greatest(round(line_total.shipped / rate.rate / currency.rounding)
                                   * currency.rounding, 0) AS shipped
                     FROM (SELECT coalesce(nullif(orders.currency_rate, 0), 1)) rate(rate)
                   ) total ON TRUE
             WHERE %(condition)s""",
            open_owed=self._sql_amount_open(SQL("owed")),
            open_shipped=self._sql_amount_open(SQL("left_us")),
            posted=self.env["sale.order.line"]._sql_posted_sums(
                SQL("(line.qty_invoiced <> 0 OR line.untaxed_amount_invoiced <> 0)")
            ),
            withheld=withheld or SQL("coalesce(line.qty_withheld, 0)"),
            condition=condition or SQL("TRUE"),
        )

    @api.model
    def _sql_amount_open(self, quantity):
        return SQL(
            """CASE WHEN %(q)s * price > 0
               THEN greatest(least((%(q)s - invoiced) * price, %(q)s * price - amount_invoiced), 0)
               ELSE least(greatest((%(q)s - invoiced) * price, %(q)s * price - amount_invoiced), 0)
               END""",
            q=quantity,
        )

    @api.model
    def _get_misjudged_exposures(self):
        """Return the orders whose stored payer or exposure is not what the documents say."""
        self.env.flush_all()
        ids = self.env.execute_query(
            SQL(
                """SELECT orders.id
                     FROM sale_order orders
                     JOIN res_partner payer ON payer.id = orders.partner_invoice_id
                LEFT JOIN (%s) derived ON derived.id = orders.id
                    WHERE orders.credit_partner_id IS DISTINCT FROM payer.commercial_partner_id
                       OR abs(coalesce(orders.amount_exposed, 0)
                              - coalesce(derived.amount, 0)) > 0.00001
                       OR abs(coalesce(orders.amount_exposed_shipped, 0)
                              - coalesce(derived.shipped, 0)) > 0.00001
                 ORDER BY orders.id""",
                self._sql_exposures(),
            )
        )
        return self.sudo().browse([row[0] for row in ids])

    @api.model
    def _cron_verify_exposures(self):
        """Compare what is stored with the documents, mend what differs and say so on the order."""
        orders = self._get_misjudged_exposures()
        self.env["ir.cron"]._commit_progress(remaining=len(orders))
        for order in orders:
            order._mend_exposure()
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _mend_exposure(self):
        """Compute anew what is stored; a change of what is stored is logged and noted."""
        self.ensure_one()
        names = ("credit_partner_id", "amount_exposed", "amount_exposed_shipped")
        before = [self[name] for name in names]
        for name in names:
            self.env.add_to_compute(self._fields[name], self)
        after = [self[name] for name in names]
        if before != after:
            _logger.warning("Exposure of %s was %s, is %s", self.name, before[1:], after[1:])
            self._message_log(
                body=self.env._("What this order adds to the payer's exposure was corrected.")
            )
