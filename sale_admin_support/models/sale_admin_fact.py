from datetime import date

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL, Query

# Column types are stated in every branch of the view: only branches of equal types are read as one
# table by PostgreSQL, which then uses the indexes of each.
COLUMNS = {
    "kind": SQL("varchar"),
    "date": SQL("date"),
    "contract_id": SQL("int4"),
    "order_id": SQL("int4"),
    "order_line_id": SQL("int4"),
    "company_id": SQL("int4"),
    "partner_id": SQL("int4"),
    "user_id": SQL("int4"),
    "team_id": SQL("int4"),
    "product_id": SQL("int4"),
    "quantity": SQL("numeric"),
    "currency_id": SQL("int4"),
    "amount_untaxed": SQL("numeric"),
    "amount_total": SQL("numeric"),
    "company_currency_id": SQL("int4"),
    "amount_untaxed_company": SQL("numeric"),
    "amount_total_company": SQL("numeric"),
    "stock_move_id": SQL("int4"),
    "move_id": SQL("int4"),
    "cash_move_id": SQL("int4"),
    "is_unrefunded": SQL("bool"),
}
SOURCE_BITS = 5
RANK_BITS = 14
ZERO = SQL("0")
JOIN = SQL("JOIN")


class SaleAdminFact(models.Model):
    """What happened: one dated row for each thing ordered, moved, invoiced or paid.

    Read from Odoo's own documents, never stored. Quantities are in the product's own unit. Amounts
    are untaxed and with taxes, in the currency of the order (of the contract for papers that no
    order leads to) and in the company's. Goods taken back, credit notes and money paid back are
    negative, so that sums are net. Dates are days in the company's time zone; rows without a date
    are what Odoo counts as delivered without a dated movement (services, entries by hand).

    A document in another currency than its order is converted once: its amount in the company's
    currency, as booked, times the order's own rate.

    ``id`` is made of the row's own record, so it is the same at every reading:
    ``res_id << 19 | rank << 5 | source``. `source` numbers the branch of the view, `res_id` is the
    id of the record that the branch reads and `rank` tells the rows of one record apart (the
    orders sharing an invoice). It stays below 2^53, what a browser counts exactly.
    """

    _name = "sale.admin.fact"
    _description = "Sales Fact"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "kind"
    _depends = {
        "account.journal": ["default_account_id"],
        "account.move": [
            "amount_total",
            "amount_total_in_currency_signed",
            "amount_total_signed",
            "amount_untaxed",
            "amount_untaxed_in_currency_signed",
            "amount_untaxed_signed",
            "commercial_partner_id",
            "company_id",
            "currency_id",
            "invoice_currency_rate",
            "invoice_date",
            "invoice_user_id",
            "move_type",
            "reversed_entry_id",
            "sale_contract_id",
            "state",
            "team_id",
        ],
        "account.move.line": [
            "account_id",
            "amount_residual",
            "amount_residual_currency",
            "balance",
            "currency_id",
            "date",
            "display_type",
            "move_id",
            "parent_state",
            "payment_id",
            "price_subtotal",
            "price_total",
            "product_id",
            "product_uom_id",
            "quantity",
            "sale_line_ids",
            "statement_line_id",
        ],
        "account.account": ["account_type"],
        "account.partial.reconcile": [
            "amount",
            "credit_amount_currency",
            "credit_move_id",
            "debit_amount_currency",
            "debit_move_id",
        ],
        "account.payment": ["move_id", "outstanding_account_id"],
        "payment.transaction": ["payment_id", "sale_order_ids"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["uom_id"],
        "res.company": ["currency_id", "sale_admin_tz", "tax_calculation_rounding_method"],
        "res.currency": ["decimal_places"],
        "res.currency.rate": ["company_id", "currency_id", "name", "rate"],
        "res.partner": ["commercial_partner_id"],
        "sale.admin.contract": ["amount_total", "amount_untaxed", "currency_id"],
        "sale.order": [
            "amount_total",
            "amount_untaxed",
            "company_id",
            "currency_id",
            "currency_rate",
            "date_order",
            "partner_id",
            "sale_contract_id",
            "state",
            "team_id",
            "user_id",
        ],
        "sale.order.line": [
            "discount",
            "display_type",
            "is_downpayment",
            "order_id",
            "price_subtotal",
            "price_total",
            "price_unit",
            "product_id",
            "product_uom_id",
            "product_uom_qty",
            "qty_delivered",
            "tax_ids",
        ],
        "stock.location": ["parent_path", "usage"],
        "stock.move": [
            "date",
            "location_dest_id",
            "location_id",
            "origin_returned_move_id",
            "product_id",
            "product_uom",
            "quantity",
            "sale_line_id",
            "state",
            "to_refund",
        ],
        "uom.uom": ["factor"],
    }

    # === FIELDS === #
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
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    quantity = fields.Float(digits="Product Unit", readonly=True, help="In the product's own unit.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_untaxed = fields.Monetary(
        string="Untaxed in Order's Currency",
        readonly=True,
        help="In the currency of the order, or of the contract for papers without an order.",
    )
    amount_total = fields.Monetary(
        string="With Taxes in Order's Currency",
        readonly=True,
        help="In the currency of the order, or of the contract for papers without an order.",
    )
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    amount_untaxed_company = fields.Monetary(
        string="Untaxed",
        currency_field="company_currency_id",
        readonly=True,
        help="In the company's currency.",
    )
    amount_total_company = fields.Monetary(
        string="With Taxes",
        currency_field="company_currency_id",
        readonly=True,
        help="In the company's currency.",
    )
    stock_move_id = fields.Many2one("stock.move", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    cash_move_id = fields.Many2one("account.move", string="Payment", readonly=True)
    is_unrefunded = fields.Boolean(
        string="Without Refund",
        readonly=True,
        help="Moved back, or out again, without changing what Odoo counts as delivered: a return "
        "that is not to be refunded.",
    )
    source = fields.Integer(readonly=True, help="Number of the branch of the view.")
    res_id = fields.Integer(
        string="Record", readonly=True, help="Id of the record that the branch reads."
    )

    # === THE VIEW === #
    @property
    def _table_query(self) -> SQL:
        return SQL(" UNION ALL ").join(SQL("(%s)", source) for source in self._get_sources())

    def _get_sources(self):
        """Hook: the branches of the view, each made by :meth:`_sql_source`."""
        return [
            self._sql_ordered(),
            self._sql_ordered_rounding(),
            self._sql_moved(),
            self._sql_delivered_undated(),
            self._sql_invoiced_order_line(),
            self._sql_invoiced_order_rest(),
            self._sql_invoiced_alone_line(),
            self._sql_invoiced_alone_rest(),
            self._sql_collected(),
            self._sql_collected_alone(),
            self._sql_advance(),
            self._sql_advance_of_order(),
        ]

    def _sql_source(self, source, res_id, values, from_where, rank=ZERO):
        """Return one branch of the view.

        :param int source: number of the branch, unique, 1 to 31; 16 and above are for bridges
        :param SQL res_id: id of the record that the branch reads
        :param dict values: SQL by column; columns left out are empty
        :param SQL from_where: the rest of the statement
        :param SQL rank: number that tells apart the rows of one record
        """
        return SQL(
            "SELECT (%(res_id)s::int8 << %(res_shift)s)"
            " + ((%(rank)s)::int8 << %(rank_shift)s) + %(source)s AS id,"
            " %(source)s AS source, %(res_id)s::int4 AS res_id, %(columns)s %(from_where)s",
            res_id=res_id,
            res_shift=SQL(str(RANK_BITS + SOURCE_BITS)),
            rank=rank,
            rank_shift=SQL(str(SOURCE_BITS)),
            source=SQL(str(source)),
            columns=SQL(", ").join(
                SQL("(%s)::%s AS %s", values.get(name, SQL("NULL")), sql_type, SQL.identifier(name))
                for name, sql_type in COLUMNS.items()
            ),
            from_where=from_where,
        )

    def _sql_day(self, moment):
        """Return the day of a moment stored in UTC in the time zone of company `c`."""
        return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE c.sale_admin_tz)::date", moment)

    def _sql_amounts(self, untaxed, total, untaxed_company, total_company):
        return {
            "amount_untaxed": untaxed,
            "amount_total": total,
            "amount_untaxed_company": untaxed_company,
            "amount_total_company": total_company,
        }

    def _sql_customer(self, partner_id):
        """Return the commercial entity; looked up for the rows that are shown or grouped by it."""
        return SQL("(SELECT commercial_partner_id FROM res_partner WHERE id = %s)", partner_id)

    # === ORDERED === #
    def _sql_order_columns(self):
        """Columns that a branch takes from order `o` and its company `c`."""
        return {
            "contract_id": SQL("o.sale_contract_id"),
            "order_id": SQL("o.id"),
            "company_id": SQL("o.company_id"),
            "partner_id": self._sql_customer(SQL("o.partner_id")),
            "user_id": SQL("o.user_id"),
            "team_id": SQL("o.team_id"),
            "currency_id": SQL("o.currency_id"),
            "company_currency_id": SQL("c.currency_id"),
        }

    def _sql_from_order_line(self):
        return SQL(
            """FROM sale_order_line ol
               JOIN sale_order o ON o.id = ol.order_id
               JOIN res_company c ON c.id = o.company_id"""
        )

    def _sql_join_product_unit(self):
        """Join the units of the order line (`line_uom`) and of its product (`product_uom`)."""
        return SQL(
            """LEFT JOIN product_product pp ON pp.id = ol.product_id
               LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
               LEFT JOIN uom_uom product_uom ON product_uom.id = pt.uom_id
               LEFT JOIN uom_uom line_uom ON line_uom.id = ol.product_uom_id"""
        )

    def _sql_unit_ratio(self):
        """Factor from the order line's unit to the product's own."""
        return SQL("COALESCE(line_uom.factor / NULLIF(product_uom.factor, 0), 1)")

    def _sql_order_amounts(self, untaxed, total):
        """Columns of two amounts in the currency of order `o`."""
        rate = SQL("COALESCE(NULLIF(o.currency_rate, 0), 1)")
        return self._sql_amounts(
            untaxed, total, SQL("%s / %s", untaxed, rate), SQL("%s / %s", total, rate)
        )

    def _sql_ordered(self):
        return self._sql_source(
            1,
            SQL("ol.id"),
            {
                **self._sql_order_columns(),
                **self._sql_order_amounts(SQL("ol.price_subtotal"), SQL("ol.price_total")),
                "kind": SQL("'ordered'"),
                "date": self._sql_day(SQL("o.date_order")),
                "order_line_id": SQL("ol.id"),
                "product_id": SQL("ol.product_id"),
                "quantity": SQL("ol.product_uom_qty * %s", self._sql_unit_ratio()),
            },
            SQL(
                """%s %s
                WHERE o.state = 'sale'
                  AND ol.display_type IS NULL
                  AND ol.is_downpayment IS NOT TRUE""",
                self._sql_from_order_line(),
                self._sql_join_product_unit(),
            ),
        )

    def _sql_ordered_rounding(self):
        """What an order's totals differ from its lines where taxes are rounded on the whole."""
        untaxed = SQL("o.amount_untaxed - sum(ol.price_subtotal)")
        total = SQL("o.amount_total - sum(ol.price_total)")
        return self._sql_source(
            2,
            SQL("o.id"),
            {
                **self._sql_order_columns(),
                **self._sql_order_amounts(SQL("(%s)", untaxed), SQL("(%s)", total)),
                "kind": SQL("'ordered'"),
                "date": self._sql_day(SQL("o.date_order")),
            },
            SQL(
                """%s
                WHERE o.state = 'sale' AND c.tax_calculation_rounding_method = 'round_globally'
                GROUP BY o.id, c.id
               HAVING %s <> 0 OR %s <> 0""",
                self._sql_from_order_line(),
                untaxed,
                total,
            ),
        )

    # === DELIVERED AND RETURNED === #
    def _sql_is_at_customer(self, location_id):
        """Condition: goods at `location_id` left us; as in Odoo, also transit between companies."""
        transit_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "stock.stock_location_inter_company", raise_if_not_found=False
        )
        # Found once for the whole statement, not judged again for each movement.
        return SQL(
            """(%(location_id)s = ANY (ARRAY(
                SELECT outside.id FROM stock_location outside
                 WHERE outside.usage = 'customer'
                    OR outside.parent_path LIKE COALESCE((
                       SELECT parent_path || '%%' FROM stock_location WHERE id = %(transit_id)s
                       ), ''))))""",
            location_id=location_id,
            transit_id=transit_id or None,
        )

    def _sql_join_moves(self, join=JOIN):
        """Join the done moves `sm` of order line `ol` whose goods reach or leave the customer.

        Steps inside our own locations, scrap and corrections of stock do not cross that border;
        dropshipping does. A move of another product than the line's is left to bridges; nearly all
        have it, which PostgreSQL would not guess from a plain equality.
        """
        return SQL(
            """%(join)s (
                    stock_move sm
                    JOIN stock_location source ON source.id = sm.location_id
                    JOIN stock_location dest ON dest.id = sm.location_dest_id
                    JOIN uom_uom move_uom ON move_uom.id = sm.product_uom
               ) ON sm.sale_line_id = ol.id
                AND CASE WHEN sm.product_id = ol.product_id THEN TRUE ELSE FALSE END
                AND sm.state = 'done'
                AND %(out)s <> %(back)s""",
            join=join,
            out=self._sql_is_at_customer(SQL("sm.location_dest_id")),
            back=self._sql_is_at_customer(SQL("sm.location_id")),
        )

    def _sql_is_unrefunded(self):
        """Condition: Odoo does not count move `sm` in the line's delivered quantity."""
        return SQL(
            "(sm.to_refund IS NOT TRUE AND (%s OR sm.origin_returned_move_id IS NOT NULL))",
            self._sql_is_at_customer(SQL("sm.location_id")),
        )

    def _sql_price(self, price, with_taxes):
        """Return the price of one unit of order line `ol`, in the line's unit and currency.

        `price` is the line's amount. A line without an ordered quantity (goods added at the
        delivery) has none yet: its unit price less the discount serves, with its percentage taxes.
        """
        taxes = SQL(
            """SELECT 1
                    + sum(CASE WHEN %s THEN t.amount ELSE 0 END) / 100.0 AS added,
                      1 + sum(t.amount) FILTER (
                          WHERE COALESCE(t.price_include_override, c.account_price_include)
                              = 'tax_included') / 100.0 AS included
                 FROM account_tax_sale_order_line_rel r
                 JOIN account_tax t ON t.id = r.account_tax_id
                WHERE r.sale_order_line_id = ol.id AND t.amount_type = 'percent'""",
            with_taxes,
        )
        return SQL(
            """CASE WHEN ol.product_uom_qty <> 0 THEN %s / ol.product_uom_qty
               ELSE ol.price_unit * (1 - COALESCE(ol.discount, 0) / 100.0)
                  * (SELECT COALESCE(added, 1) / COALESCE(included, 1) FROM (%s) taxes) END""",
            price,
            taxes,
        )

    def _sql_line_amounts(self, quantity):
        """Columns of the value of `quantity` (in the line's unit) at the order line's price."""
        untaxed = self._sql_price(SQL("ol.price_subtotal"), SQL("FALSE"))
        total = self._sql_price(SQL("ol.price_total"), SQL("TRUE"))
        return self._sql_order_amounts(
            SQL("(%s * (%s))", quantity, untaxed), SQL("(%s * (%s))", quantity, total)
        )

    def _sql_moved(self):
        # one end is at the customer, see the join: looking at `dest` settles it for most moves
        returned = SQL("(NOT %s)", self._sql_is_at_customer(SQL("sm.location_dest_id")))
        quantity = SQL("(CASE WHEN %s THEN -1 ELSE 1 END * sm.quantity)", returned)
        in_line_unit = SQL(
            "(%s * COALESCE(move_uom.factor / NULLIF(line_uom.factor, 0), 1))", quantity
        )
        return self._sql_source(
            3,
            SQL("sm.id"),
            {
                **self._sql_order_columns(),
                **self._sql_line_amounts(in_line_unit),
                "kind": SQL("CASE WHEN %s THEN 'returned' ELSE 'delivered' END", returned),
                "date": self._sql_day(SQL("sm.date")),
                "order_line_id": SQL("ol.id"),
                "product_id": SQL("sm.product_id"),
                "quantity": SQL(
                    "%s * COALESCE(move_uom.factor / NULLIF(product_uom.factor, 0), 1)", quantity
                ),
                "stock_move_id": SQL("sm.id"),
                "is_unrefunded": self._sql_is_unrefunded(),
            },
            SQL(
                "%s %s %s",
                self._sql_from_order_line(),
                self._sql_join_moves(),
                self._sql_join_product_unit(),
            ),
        )

    def _sql_delivered_undated(self):
        """What Odoo counts as delivered beyond the moves: services, entries by hand, imports.

        The moves are added up as Odoo does it, rounded to the order line's unit, so that a rounded
        unit makes no difference.
        """
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        quantity = SQL(
            """(ol.qty_delivered - COALESCE(sum(
                    round(sm.quantity * move_uom.factor / line_uom.factor, %s)
                  * CASE WHEN %s THEN 0 WHEN %s THEN -1 ELSE 1 END), 0))""",
            digits,
            self._sql_is_unrefunded(),
            self._sql_is_at_customer(SQL("sm.location_id")),
        )
        return self._sql_source(
            4,
            SQL("ol.id"),
            {
                **self._sql_order_columns(),
                **self._sql_line_amounts(quantity),
                "kind": SQL("'delivered'"),
                "order_line_id": SQL("ol.id"),
                "product_id": SQL("ol.product_id"),
                "quantity": SQL("%s * %s", quantity, self._sql_unit_ratio()),
            },
            SQL(
                """%s %s %s
                WHERE ol.display_type IS NULL AND ol.is_downpayment IS NOT TRUE AND %s
                GROUP BY ol.id, o.id, c.id, line_uom.id, product_uom.id
               HAVING round(%s, %s) <> 0""",
                self._sql_from_order_line(),
                self._sql_join_product_unit(),
                self._sql_join_moves(SQL("LEFT JOIN")),
                self._sql_has_dated_moves(),
                quantity,
                digits,
            ),
        )

    def _sql_has_dated_moves(self):
        """Hook: condition on order lines `ol` whose moves tell the delivered quantity."""
        return SQL("TRUE")

    # === INVOICED AND CREDITED === #
    def _sql_document_columns(self):
        """Columns that a branch takes from customer document `m` and company `c`."""
        return {
            "kind": SQL("CASE m.move_type WHEN 'out_refund' THEN 'credited' ELSE 'invoiced' END"),
            "date": SQL("m.invoice_date"),
            "move_id": SQL("m.id"),
        }

    def _sql_is_document(self):
        return SQL("m.state = 'posted' AND m.move_type IN ('out_invoice', 'out_refund')")

    def _sql_sign(self):
        return SQL("CASE m.move_type WHEN 'out_refund' THEN -1 ELSE 1 END")

    def _sql_total_company(self):
        """Amount with taxes of document line `line` in the company's currency, unsigned."""
        return SQL(
            "round(line.price_total / COALESCE(NULLIF(m.invoice_currency_rate, 0), 1),"
            " company_currency.decimal_places)"
        )

    def _sql_converted(self, amount, amount_company):
        """Return what counts in the currency of `d`, given an amount of document `m`."""
        return SQL(
            "CASE WHEN m.currency_id = d.currency_id THEN %s ELSE %s * d.currency_rate END",
            amount,
            amount_company,
        )

    def _sql_invoiced_order_line(self):
        """Lines of customer documents that are linked with a line of an order."""
        sign = self._sql_sign()
        untaxed = SQL("%s * line.price_subtotal", sign)
        total = SQL("%s * line.price_total", sign)
        untaxed_company = SQL("- line.balance")
        total_company = SQL("%s * %s", sign, self._sql_total_company())
        order_rate = SQL("COALESCE(NULLIF(o.currency_rate, 0), 1)")
        same = SQL("m.currency_id = o.currency_id")
        return self._sql_source(
            5,
            SQL("line.id"),
            {
                **self._sql_order_columns(),
                **self._sql_document_columns(),
                **self._sql_amounts(
                    SQL(
                        "CASE WHEN %s THEN %s ELSE (%s) * %s END",
                        same,
                        untaxed,
                        untaxed_company,
                        order_rate,
                    ),
                    SQL(
                        "CASE WHEN %s THEN %s ELSE (%s) * %s END",
                        same,
                        total,
                        total_company,
                        order_rate,
                    ),
                    untaxed_company,
                    total_company,
                ),
                "order_line_id": SQL("ol.id"),
                "product_id": SQL("line.product_id"),
                "quantity": SQL(
                    "CASE WHEN ol.is_downpayment THEN 0 ELSE %s * %s END",
                    sign,
                    self._sql_document_quantity(),
                ),
            },
            SQL(
                """%s
                JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = ol.id
                JOIN account_move_line line ON line.id = rel.invoice_line_id
                JOIN account_move m ON m.id = line.move_id
                %s %s
               WHERE line.display_type = 'product' AND %s""",
                self._sql_from_order_line(),
                self._sql_join_company_currency(),
                self._sql_join_document_unit(),
                self._sql_is_document(),
            ),
            rank=SQL("ol.id %% %s", SQL(str(1 << RANK_BITS))),
        )

    def _sql_join_company_currency(self):
        return SQL("JOIN res_currency company_currency ON company_currency.id = c.currency_id")

    def _sql_join_currencies(self):
        """Join the currencies of document `m` and of its company `c`, for their decimals."""
        return SQL(
            "JOIN res_currency currency ON currency.id = m.currency_id %s",
            self._sql_join_company_currency(),
        )

    def _sql_join_document_unit(self):
        return SQL(
            """LEFT JOIN product_product pp ON pp.id = line.product_id
               LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
               LEFT JOIN uom_uom product_uom ON product_uom.id = pt.uom_id
               LEFT JOIN uom_uom line_uom ON line_uom.id = line.product_uom_id"""
        )

    def _sql_document_quantity(self):
        """Return the quantity of document line `line` in the product's own unit."""
        return SQL("line.quantity * %s", self._sql_unit_ratio())

    def _sql_order_documents(self, columns, joins, where, group_by, chosen=None):
        """Return the customer documents of orders, with each order's part in its document.

        A document `m` belongs to the orders that its lines are linked with; a credit note without
        such lines to the orders of the invoice that it reverses. The parts are by amounts with
        taxes: `weight` of `weight_total`; the last order takes what rounding leaves.

        What else a branch reads is joined inside, so that a search by date finds its few documents
        before their parts are looked up, as a search by contract does. `chosen` joins to
        `link` what keeps a few of the documents, under the alias `chosen`; parts are looked up for
        these alone, because the document that tells them is read from `chosen.part_id`.
        """
        order_columns = SQL(
            """o.id AS order_id, o.sale_contract_id, o.company_id, o.partner_id, o.user_id,
               o.team_id, o.currency_id, COALESCE(NULLIF(o.currency_rate, 0), 1) AS currency_rate,
               line.move_id AS origin_id, m.id AS move_id, %s""",
            columns,
        )
        order_lines = SQL(
            """FROM sale_order o
               JOIN sale_order_line ol ON ol.order_id = o.id
               JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = ol.id
               JOIN account_move_line line
                 ON line.id = rel.invoice_line_id AND line.display_type = 'product'"""
        )
        return SQL(
            """(SELECT link.*, part.* %(chosen_columns)s
                 FROM (
                       SELECT %(order_columns)s
                         %(order_lines)s
                         JOIN account_move m ON m.id = line.move_id
                         %(joins)s
                        WHERE %(where)s
                        GROUP BY o.id, line.move_id, m.id, %(group_by)s
                        UNION ALL
                       SELECT %(order_columns)s
                         %(order_lines)s
                         JOIN account_move m ON m.reversed_entry_id = line.move_id
                         %(joins)s
                        WHERE %(where)s
                          AND m.reversed_entry_id IS NOT NULL  -- few: their index is small
                          AND NOT EXISTS (%(linked_lines)s)
                        GROUP BY o.id, line.move_id, m.id, %(group_by)s
                      ) link
                 %(chosen)s
                 JOIN LATERAL (
                       SELECT sum(weight) AS weight_total,
                              sum(weight) FILTER (WHERE id = link.order_id) AS weight,
                              array_agg(weight ORDER BY id) AS weights,
                              count(*) AS order_count,
                              count(*) FILTER (WHERE id < link.order_id) AS order_rank
                         FROM (
                               SELECT ol.order_id AS id, sum(line.price_total) AS weight
                                 FROM account_move_line line
                                 JOIN sale_order_line_invoice_rel rel
                                   ON rel.invoice_line_id = line.id
                                 JOIN sale_order_line ol ON ol.id = rel.order_line_id
                                WHERE line.move_id = %(part_id)s
                                  AND line.display_type = 'product'
                                GROUP BY ol.order_id
                              ) weights
                      ) part ON TRUE)""",
            order_columns=order_columns,
            order_lines=order_lines,
            joins=joins,
            where=where,
            group_by=group_by,
            chosen=chosen or SQL(""),
            chosen_columns=SQL(", chosen.*") if chosen else SQL(""),
            part_id=SQL("chosen.part_id") if chosen else SQL("link.origin_id"),
            linked_lines=self._sql_order_linked_lines(SQL("m.id")),
        )

    def _sql_order_linked_lines(self, move_id):
        return SQL(
            """SELECT FROM account_move_line own
                 JOIN sale_order_line_invoice_rel own_rel ON own_rel.invoice_line_id = own.id
                WHERE own.move_id = %s AND own.display_type = 'product'""",
            move_id,
        )

    def _sql_share(self, amount, currency):
        """Return the part of `amount` that falls to order document `d`, rounded to `currency`."""

        def part(weight):
            return SQL(
                "COALESCE(round(%s * %s / NULLIF(d.weight_total, 0), %s.decimal_places), 0)",
                amount,
                weight,
                currency,
            )

        return SQL(
            """CASE WHEN d.order_count = 1 THEN %(amount)s
                    WHEN d.order_rank < d.order_count - 1 THEN %(part)s
                    ELSE %(amount)s - (
                         SELECT COALESCE(sum(%(other_part)s), 0)
                           FROM unnest(d.weights[:d.order_count - 1]) other) END""",
            amount=amount,
            part=part(SQL("d.weight")),
            other_part=part(SQL("other")),
        )

    def _sql_order_document_columns(self):
        return {
            "contract_id": SQL("d.sale_contract_id"),
            "order_id": SQL("d.order_id"),
            "company_id": SQL("d.company_id"),
            "partner_id": self._sql_customer(SQL("d.partner_id")),
            "user_id": SQL("d.user_id"),
            "team_id": SQL("d.team_id"),
            "currency_id": SQL("d.currency_id"),
            "company_currency_id": SQL("c.currency_id"),
        }

    def _sql_invoiced_order_rest(self):
        """What an order's document holds beside linked lines: discounts or freight added by hand,
        tax roundings, a whole credit note without order lines."""
        rests = {
            "untaxed": SQL(
                "m.amount_untaxed_in_currency_signed - %s * linked.untaxed", self._sql_sign()
            ),
            "total": SQL("m.amount_total_in_currency_signed - %s * linked.total", self._sql_sign()),
            "untaxed_company": SQL("m.amount_untaxed_signed - linked.untaxed_company"),
            "total_company": SQL(
                "m.amount_total_signed - %s * linked.total_company", self._sql_sign()
            ),
        }
        shares = {
            name: self._sql_share(
                SQL("d.%s", SQL.identifier(name)),
                SQL("company_currency") if name.endswith("_company") else SQL("currency"),
            )
            for name in rests
        }
        return self._sql_source(
            6,
            SQL("d.move_id"),
            {
                **self._sql_order_document_columns(),
                **self._sql_document_columns(),
                "date": SQL("d.date"),
                "move_id": SQL("d.move_id"),
                **self._sql_amounts(
                    self._sql_converted(shares["untaxed"], shares["untaxed_company"]),
                    self._sql_converted(shares["total"], shares["total_company"]),
                    shares["untaxed_company"],
                    shares["total_company"],
                ),
            },
            SQL(
                """FROM %(documents)s d
                   JOIN account_move m ON m.id = d.move_id
                   JOIN res_company c ON c.id = d.company_id
                   %(currencies)s""",
                documents=self._sql_order_documents(
                    columns=SQL("m.invoice_date AS date"),
                    joins=SQL(""),
                    where=self._sql_is_document(),
                    group_by=SQL("m.invoice_date"),
                    chosen=self._sql_join_rest(rests),
                ),
                currencies=self._sql_join_currencies(),
            ),
            rank=SQL("d.order_rank"),
        )

    def _sql_join_rest(self, rests):
        """Join to `link` what its document holds beside linked lines, if there is anything."""
        return SQL(
            """JOIN LATERAL (
                    SELECT linked.part_id, %(rests)s
                      FROM account_move m
                      JOIN res_company c ON c.id = link.company_id
                      %(company_currency)s
                      JOIN LATERAL (
                           SELECT link.origin_id AS part_id,
                                  COALESCE(sum(line.price_subtotal), 0) AS untaxed,
                                  COALESCE(sum(line.price_total), 0) AS total,
                                  COALESCE(sum(- line.balance), 0) AS untaxed_company,
                                  COALESCE(sum(%(total_company)s), 0) AS total_company
                             FROM account_move_line line
                             JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                            WHERE line.move_id = m.id AND line.display_type = 'product'
                           ) linked ON TRUE
                     WHERE m.id = link.move_id
               ) chosen ON %(is_any)s""",
            rests=SQL(", ").join(
                SQL("%s AS %s", rest, SQL.identifier(name)) for name, rest in rests.items()
            ),
            total_company=self._sql_total_company(),
            company_currency=self._sql_join_company_currency(),
            is_any=SQL(" OR ").join(SQL("chosen.%s <> 0", SQL.identifier(name)) for name in rests),
        )

    def _sql_alone_documents(self):
        """Return the customer documents and cash entries that no order leads to."""
        return SQL(
            """FROM account_move m
               JOIN res_company c ON c.id = m.company_id
               JOIN res_currency company_currency ON company_currency.id = c.currency_id
               LEFT JOIN sale_admin_contract contract ON contract.id = m.sale_contract_id"""
        )

    def _sql_is_alone(self):
        return SQL(
            "NOT EXISTS (%s) AND NOT EXISTS (%s)",
            self._sql_order_linked_lines(SQL("m.id")),
            self._sql_order_linked_lines(SQL("m.reversed_entry_id")),
        )

    def _sql_alone_columns(self):
        return {
            "contract_id": SQL("m.sale_contract_id"),
            "company_id": SQL("m.company_id"),
            "partner_id": SQL("m.commercial_partner_id"),
            "user_id": SQL("m.invoice_user_id"),
            "team_id": SQL("m.team_id"),
            "currency_id": SQL("COALESCE(contract.currency_id, m.currency_id)"),
            "company_currency_id": SQL("c.currency_id"),
        }

    def _sql_in_contract_currency(self, currency, date, amount, amount_company):
        """Return what counts in the contract's currency of an amount in `currency`.

        An amount in another currency is converted from the company's at the rate of `date`.
        """
        rate = SQL(
            """SELECT r.rate FROM res_currency_rate r
                WHERE r.currency_id = contract.currency_id AND r.name <= %s
                  AND (r.company_id = c.id OR r.company_id IS NULL)
                ORDER BY r.company_id IS NULL, r.name DESC LIMIT 1""",
            date,
        )
        return SQL(
            """CASE WHEN %(currency)s = COALESCE(contract.currency_id, %(currency)s)
               THEN %(amount)s
               WHEN contract.currency_id = c.currency_id THEN %(amount_company)s
               ELSE %(amount_company)s * COALESCE((%(rate)s), 1) END""",
            currency=currency,
            amount=amount,
            amount_company=amount_company,
            rate=rate,
        )

    def _sql_alone_amounts(self, untaxed, total, untaxed_company, total_company):
        currency, date = SQL("m.currency_id"), SQL("m.invoice_date")
        return self._sql_amounts(
            self._sql_in_contract_currency(currency, date, untaxed, untaxed_company),
            self._sql_in_contract_currency(currency, date, total, total_company),
            untaxed_company,
            total_company,
        )

    def _sql_invoiced_alone_line(self):
        """Product lines of customer documents that no order leads to."""
        sign = self._sql_sign()
        return self._sql_source(
            7,
            SQL("line.id"),
            {
                **self._sql_alone_columns(),
                **self._sql_document_columns(),
                **self._sql_alone_amounts(
                    SQL("(%s * line.price_subtotal)", sign),
                    SQL("(%s * line.price_total)", sign),
                    SQL("(- line.balance)"),
                    SQL("(%s * %s)", sign, self._sql_total_company()),
                ),
                "product_id": SQL("line.product_id"),
                "quantity": SQL("%s * %s", sign, self._sql_document_quantity()),
            },
            SQL(
                """%s
                JOIN account_move_line line ON line.move_id = m.id
                %s
               WHERE line.display_type = 'product' AND %s AND %s""",
                self._sql_alone_documents(),
                self._sql_join_document_unit(),
                self._sql_is_document(),
                self._sql_is_alone(),
            ),
        )

    def _sql_invoiced_alone_rest(self):
        """What such a document's totals differ from its product lines."""
        sign = self._sql_sign()
        untaxed = SQL(
            "(m.amount_untaxed_in_currency_signed - COALESCE(sum(%s * line.price_subtotal), 0))",
            sign,
        )
        total = SQL(
            "(m.amount_total_in_currency_signed - COALESCE(sum(%s * line.price_total), 0))", sign
        )
        untaxed_company = SQL("(m.amount_untaxed_signed - COALESCE(sum(- line.balance), 0))")
        total_company = SQL(
            "(m.amount_total_signed - COALESCE(sum(%s * %s), 0))", sign, self._sql_total_company()
        )
        amounts = (untaxed, total, untaxed_company, total_company)
        return self._sql_source(
            8,
            SQL("m.id"),
            {
                **self._sql_alone_columns(),
                **self._sql_document_columns(),
                **self._sql_alone_amounts(*amounts),
            },
            SQL(
                """%s
                LEFT JOIN account_move_line line
                       ON line.move_id = m.id AND line.display_type = 'product'
               WHERE %s AND %s
               GROUP BY m.id, c.id, company_currency.id, contract.id
              HAVING %s""",
                self._sql_alone_documents(),
                self._sql_is_document(),
                self._sql_is_alone(),
                SQL(" OR ").join(SQL("%s <> 0", amount) for amount in amounts),
            ),
        )

    # === COLLECTED === #
    def _sql_cash_share(self, entry_id):
        """Return the cash in one unit of what entry `entry_id` settles of receivables.

        A write-off in the entry of a payment or bank line settles without cash: the share is what
        reached the bank (or the outstanding account) over what was settled.
        """
        return SQL(
            """SELECT COALESCE(LEAST(GREATEST(
                        - sum(entry.balance) FILTER (
                              WHERE entry.account_id IN (
                                    payment.outstanding_account_id, journal.default_account_id))
                        / NULLIF(sum(entry.balance) FILTER (
                              WHERE account.account_type = 'asset_receivable'), 0),
                      0), 1), 1) AS share
                 FROM account_move_line entry
                 JOIN account_account account ON account.id = entry.account_id
                 JOIN account_journal journal ON journal.id = entry.journal_id
                 LEFT JOIN account_payment payment ON payment.id = entry.payment_id
                WHERE entry.move_id = %s""",
            entry_id,
        )

    def _sql_cash(self, matched, entry_id):
        """Return the cash, rounded, in what is `matched` with entry `entry_id`."""
        return SQL(
            """SELECT round(%(matched)s.amount * share, currency.decimal_places) AS amount,
                      round(%(matched)s.amount_company * share,
                            company_currency.decimal_places) AS amount_company
                 FROM (%(share)s) entry""",
            matched=matched,
            share=self._sql_cash_share(entry_id),
        )

    def _sql_is_cash(self, line):
        """Condition: journal item `line` is of a posted payment or bank statement line."""
        return SQL(
            """(%(line)s.parent_state = 'posted'
                AND (%(line)s.payment_id IS NOT NULL OR %(line)s.statement_line_id IS NOT NULL))""",
            line=line,
        )

    def _sql_join_cash(self):
        """Join the receivable lines of document `m` and the cash `p` that they are matched with.

        Cash comes in against a debit and goes out against a credit. Matching with credit notes,
        manual entries and exchange differences is no cash.
        """
        return SQL(
            """JOIN account_move_line due
                 ON due.move_id = m.id AND due.display_type = 'payment_term'
               JOIN (
                     SELECT id, debit_move_id AS due_id, credit_move_id AS cash_id,
                            debit_amount_currency AS amount, amount AS amount_company
                       FROM account_partial_reconcile
                      UNION ALL
                     SELECT id, credit_move_id, debit_move_id,
                            - credit_amount_currency, - amount
                       FROM account_partial_reconcile
                    ) p ON p.due_id = due.id
               JOIN account_move_line cash_line ON cash_line.id = p.cash_id AND %s""",
            self._sql_is_cash(SQL.identifier("cash_line")),
        )

    def _sql_collected_columns(self):
        return {"kind": SQL("'collected'"), "move_id": SQL("m.id")}

    def _sql_untaxed_ratio(self):
        return SQL("COALESCE(m.amount_untaxed / NULLIF(m.amount_total, 0), 1)")

    def _sql_collected_amounts(self, total, total_company):
        """Columns of cash: the untaxed part is in the document's proportion."""
        ratio = self._sql_untaxed_ratio()
        return self._sql_amounts(
            SQL("round((%s) * %s, currency.decimal_places)", total, ratio),
            total,
            SQL("round((%s) * %s, company_currency.decimal_places)", total_company, ratio),
            total_company,
        )

    def _sql_collected(self):
        """Cash matched with the documents of orders, by the order's part of the document."""
        total = self._sql_share(SQL("cash.amount"), SQL("currency"))
        total_company = self._sql_share(SQL("cash.amount_company"), SQL("company_currency"))
        return self._sql_source(
            9,
            SQL("d.partial_id"),
            {
                **self._sql_order_document_columns(),
                **self._sql_collected_columns(),
                **self._sql_collected_amounts(
                    self._sql_converted(total, total_company), total_company
                ),
                "date": SQL("d.date"),
                "move_id": SQL("d.move_id"),
                "cash_move_id": SQL("d.cash_move_id"),
            },
            SQL(
                """FROM %(documents)s d
                   JOIN account_move m ON m.id = d.move_id
                   JOIN res_company c ON c.id = d.company_id
                   %(currencies)s
                   JOIN LATERAL (%(cash)s) cash ON TRUE""",
                documents=self._sql_order_documents(
                    columns=SQL(
                        """p.id AS partial_id, p.amount, p.amount_company, cash_line.date,
                           cash_line.move_id AS cash_move_id"""
                    ),
                    joins=self._sql_join_cash(),
                    where=self._sql_is_document(),
                    group_by=SQL("p.id, p.amount, p.amount_company, cash_line.id"),
                ),
                currencies=self._sql_join_currencies(),
                cash=self._sql_cash(SQL("d"), SQL("d.cash_move_id")),
            ),
            rank=SQL("d.order_rank"),
        )

    def _sql_collected_alone(self):
        """Cash matched with customer documents that no order leads to."""
        amounts = (SQL("cash.amount"), SQL("cash.amount_company"))
        total = self._sql_in_contract_currency(
            SQL("m.currency_id"), SQL("m.invoice_date"), *amounts
        )
        return self._sql_source(
            10,
            SQL("p.id"),
            {
                **self._sql_alone_columns(),
                **self._sql_collected_columns(),
                **self._sql_collected_amounts(total, SQL("cash.amount_company")),
                "date": SQL("cash_line.date"),
                "cash_move_id": SQL("cash_line.move_id"),
            },
            SQL(
                """%s
                JOIN res_currency currency ON currency.id = m.currency_id
                %s
                JOIN LATERAL (%s) cash ON TRUE
               WHERE %s AND %s""",
                self._sql_alone_documents(),
                self._sql_join_cash(),
                self._sql_cash(SQL("p"), SQL("cash_line.move_id")),
                self._sql_is_document(),
                self._sql_is_alone(),
            ),
        )

    # === ADVANCES === #
    def _sql_advance_columns(self):
        return {
            "kind": SQL("'advance'"),
            "date": SQL("line.date"),
            "cash_move_id": SQL("line.move_id"),
            "company_id": SQL("line.company_id"),
            "company_currency_id": SQL("c.currency_id"),
        }

    def _sql_join_advance(self):
        """Join the open receivable lines of cash entries to entry `m`, with their cash."""
        return SQL(
            """JOIN account_move_line line ON line.move_id = m.id
               JOIN account_account receivable
                 ON receivable.id = line.account_id
                AND receivable.account_type = 'asset_receivable'
               JOIN res_company c ON c.id = m.company_id
               JOIN res_currency company_currency ON company_currency.id = c.currency_id
               JOIN res_currency currency ON currency.id = line.currency_id
               JOIN LATERAL (
                    SELECT round(- line.amount_residual_currency * cash.share,
                                 currency.decimal_places) AS amount,
                           round(- line.amount_residual * cash.share,
                                 company_currency.decimal_places) AS amount_company
                      FROM (%s) cash
               ) cash ON line.amount_residual <> 0""",
            self._sql_cash_share(SQL("m.id")),
        )

    def _sql_advance(self):
        """Open money of payments and bank lines that were given to a contract by hand."""
        total = self._sql_in_contract_currency(
            SQL("line.currency_id"),
            SQL("line.date"),
            SQL("cash.amount"),
            SQL("cash.amount_company"),
        )
        ratio = SQL("COALESCE(contract.amount_untaxed / NULLIF(contract.amount_total, 0), 1)")
        return self._sql_source(
            11,
            SQL("line.id"),
            {
                **self._sql_advance_columns(),
                **self._sql_amounts(
                    SQL("round((%s) * %s, currency.decimal_places)", total, ratio),
                    total,
                    SQL("round(cash.amount_company * %s, company_currency.decimal_places)", ratio),
                    SQL("cash.amount_company"),
                ),
                "contract_id": SQL("m.sale_contract_id"),
                "partner_id": SQL("contract.partner_id"),
                "user_id": SQL("contract.user_id"),
                "team_id": SQL("contract.team_id"),
                "currency_id": SQL("contract.currency_id"),
            },
            SQL(
                """FROM account_move m
                   JOIN sale_admin_contract contract ON contract.id = m.sale_contract_id
                   %s WHERE %s""",
                self._sql_join_advance(),
                self._sql_is_cash(SQL.identifier("line")),
            ),
        )

    def _sql_advance_of_order(self):
        """Open money of payments made online for exactly one order."""
        total = SQL(
            """(CASE WHEN line.currency_id = o.currency_id THEN cash.amount
               ELSE cash.amount_company * COALESCE(NULLIF(o.currency_rate, 0), 1) END)"""
        )
        ratio = SQL("COALESCE(o.amount_untaxed / NULLIF(o.amount_total, 0), 1)")
        return self._sql_source(
            12,
            SQL("line.id"),
            {
                **self._sql_order_columns(),
                **self._sql_advance_columns(),
                **self._sql_amounts(
                    SQL("round(%s * %s, currency.decimal_places)", total, ratio),
                    total,
                    SQL("round(cash.amount_company * %s, company_currency.decimal_places)", ratio),
                    SQL("cash.amount_company"),
                ),
            },
            SQL(
                """FROM sale_order o
                   JOIN sale_order_transaction_rel rel ON rel.sale_order_id = o.id
                   JOIN payment_transaction tx ON tx.id = rel.transaction_id
                   JOIN account_payment pay ON pay.id = tx.payment_id
                   JOIN account_move m ON m.id = pay.move_id AND m.sale_contract_id IS NULL
                   %s
                  WHERE %s
                    AND NOT EXISTS (
                        SELECT FROM sale_order_transaction_rel other
                         WHERE other.transaction_id = tx.id AND other.sale_order_id <> o.id)""",
                self._sql_join_advance(),
                self._sql_is_cash(SQL.identifier("line")),
            ),
        )

    # === ACTION METHODS === #
    def action_open_document(self):
        """Open the payment, invoice, transfer or order behind the fact."""
        self.ensure_one()
        return self._get_document()._get_records_action()

    def _get_document(self):
        """Hook: the record that tells this fact, the nearest to it first."""
        if entry := self.cash_move_id:
            return entry.origin_payment_id or entry
        if self.move_id:
            return self.move_id
        return self.stock_move_id.picking_id or self.order_id

    # === SEARCH === #
    def _search(self, domain, *args, **kwargs):
        """Find facts by id in the records that their ids name, not by reading the whole view."""
        domain = Domain(domain).map_conditions(self._locate_ids)
        return super()._search(domain, *args, **kwargs)

    def _locate_ids(self, condition):
        if condition.field_expr != "id" or condition.operator not in ("=", "in"):
            return condition
        ids = [condition.value] if condition.operator == "=" else condition.value
        if isinstance(ids, (Query, SQL)):
            return condition
        ids_by_source = {}
        for fact_id in filter(None, ids):
            source = fact_id & ((1 << SOURCE_BITS) - 1)
            ids_by_source.setdefault(source, []).append(fact_id >> (RANK_BITS + SOURCE_BITS))
        return condition & Domain.OR(
            Domain("source", "=", source) & Domain("res_id", "in", ids)
            for source, ids in ids_by_source.items()
        )

    # === BUSINESS METHODS === #
    def _get_totals(self, contracts):
        """Return what happened under each contract, whatever the user may read of it.

        One query for any number of contracts. Quantities are in the products' own units; amounts
        are in the currency of the contract's orders.

        :return: ``{contract_id: {kind: (quantity, amount_untaxed, amount_total)}}``; kinds of which
            nothing happened are left out
        """
        totals = {contract_id: {} for contract_id in contracts.ids}
        for contract, kind, *sums in self.sudo()._read_group(
            [("contract_id", "in", contracts.ids)],
            ["contract_id", "kind"],
            ["quantity:sum", "amount_untaxed:sum", "amount_total:sum"],
        ):
            totals[contract.id][kind] = tuple(value or 0.0 for value in sums)
        return totals

    def _get_progression(self, contracts):
        """Return how the contracts were executed day by day, whatever the user may read of it.

        One query for any number of contracts. Measure `delivered` is net of returns, `invoiced` of
        credit notes, `collected` includes advances. Units and currency as in :meth:`_get_totals`.

        :return: list of ``(contract_id, measure, product_id, date, quantity, amount_untaxed,
            amount_total)``, one for each day, by date, undated last; ``product_id`` and ``date``
            are ``False`` where there is none
        """
        measures = {
            "delivered": "delivered",
            "returned": "delivered",
            "invoiced": "invoiced",
            "credited": "invoiced",
            "collected": "collected",
            "advance": "collected",
        }
        days = {}
        for contract, kind, product, day, *sums in self.sudo()._read_group(
            [("contract_id", "in", contracts.ids), ("kind", "in", list(measures))],
            ["contract_id", "kind", "product_id", "date:day"],
            ["quantity:sum", "amount_untaxed:sum", "amount_total:sum"],
        ):
            key = (contract.id, measures[kind], product.id, day)
            row = days.setdefault(key, [0.0, 0.0, 0.0])
            for index, value in enumerate(sums):
                row[index] += value or 0.0
        rows = [(*key, *values) for key, values in days.items()]
        return sorted(rows, key=lambda row: (row[3] or date.max, row[:2], row[2] or 0))
