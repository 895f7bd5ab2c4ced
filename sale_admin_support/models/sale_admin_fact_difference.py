from odoo import api, fields, models
from odoo.tools import SQL

# What a measure adds up: facts are compared with Odoo's own figures in these units.
MEASURES = [
    ("ordered", "Ordered, Untaxed"),
    ("delivered", "Delivered, Quantity"),
    ("invoiced", "Invoiced, Untaxed"),
    ("collected", "Collected, with Taxes"),
]


class SaleAdminFactDifference(models.Model):
    """Where the facts of an order or paper differ from Odoo's own stored figures.

    The facts come from moves, lines and matchings; Odoo's figures from the fields that it keeps on
    orders, order lines and invoices. Quantities are in the products' own units, amounts in the
    order's (or contract's) currency. A difference that the documents explain is told as such; what
    is left over needs a look.
    """

    _name = "sale.admin.fact.difference"
    _description = "Difference between Facts and Odoo's Figures"
    _auto = False
    _order = "contract_id, order_id, measure"
    _rec_name = "measure"
    _depends = {
        "sale.admin.fact": [],
        "account.move": ["amount_residual"],
        "account.move.line": ["amount_residual"],
        "sale.order.line": ["untaxed_amount_invoiced"],
    }

    # === FIELDS === #
    measure = fields.Selection(MEASURES, readonly=True)
    contract_id = fields.Many2one("sale.admin.contract", readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    facts = fields.Float(digits=(16, 2), readonly=True)
    odoo = fields.Float(digits=(16, 2), readonly=True)
    difference = fields.Float(
        digits=(16, 2), readonly=True, help="The facts less Odoo's own figure."
    )
    explained = fields.Float(
        digits=(16, 2),
        readonly=True,
        help="The part of the difference that the documents themselves explain.",
    )
    unexplained = fields.Float(digits=(16, 2), readonly=True)
    explanation = fields.Char(compute="_compute_explanation")

    # === COMPUTE METHODS === #
    @api.depends("measure", "explained", "unexplained")
    def _compute_explanation(self):
        reasons = self._get_reasons()
        for row in self:
            explained, unexplained = reasons[row.measure]
            texts = []
            if row.explained:
                texts.append(explained)
            if row.unexplained:
                texts.append(unexplained)
            row.explanation = " ".join(texts)

    @api.model
    def _get_reasons(self):
        """Hook: what explains a difference of each measure, and what one left over may mean."""
        return {
            "ordered": ("", self.env._("The order's total is not what its lines add up to.")),
            "delivered": (
                self.env._("Moved back, or out again, without refund."),
                self.env._("The delivered quantity on the order is not what the transfers say."),
            ),
            "invoiced": (
                self.env._(
                    "Lines added by hand or credit notes without order lines: they belong to the "
                    "order's invoices, but the order does not count them."
                ),
                self.env._("The invoiced amount on the order is not what its invoices say."),
            ),
            "collected": (
                self.env._("Settled without money: by write-offs, manual entries or other papers."),
                self.env._(
                    "Settled by a payment that is a draft again: Odoo keeps the matching, but "
                    "there is no money."
                ),
            ),
        }

    # === THE VIEW === #
    @property
    def _table_query(self) -> SQL:
        return SQL(
            """SELECT COALESCE(order_id::int8 * 4, contract_id::int8 * 4 + 1,
                             company_id::int8 * 4 + 2) * 4
                    + CASE measure WHEN 'ordered' THEN 0 WHEN 'delivered' THEN 1
                                   WHEN 'invoiced' THEN 2 ELSE 3 END AS id,
                      measure, contract_id, order_id, company_id,
                      sum(facts) AS facts, sum(odoo) AS odoo,
                      sum(facts) - sum(odoo) AS difference,
                      CASE WHEN bool_or(is_foreign) THEN sum(facts) - sum(odoo)
                           ELSE sum(explained) END AS explained,
                      CASE WHEN bool_or(is_foreign)
                             OR abs(sum(facts) - sum(odoo) - sum(explained)) <= max(tolerance)
                           THEN 0 ELSE sum(facts) - sum(odoo) - sum(explained) END AS unexplained
                 FROM (%s) figure
                GROUP BY measure, contract_id, order_id, company_id
               HAVING abs(sum(facts) - sum(odoo)) > max(tolerance)
                   OR abs(sum(facts) - sum(odoo) - sum(explained)) > max(tolerance)""",
            self._sql_figures(),
        )

    def _sql_figures(self):
        """Hook: rows of facts and of Odoo's figures, to be compared order by order."""
        return SQL(" UNION ALL ").join(
            [
                self._sql_facts(),
                self._sql_odoo_ordered(),
                self._sql_odoo_lines(),
                self._sql_odoo_papers(),
                self._sql_odoo_collected(),
                self._sql_odoo_collected_alone(),
            ]
        )

    def _sql_figure(self, columns, from_where):
        """Return one branch; columns left out are zero, `odoo` counts for Odoo's side."""
        defaults = {
            "facts": SQL("0"),
            "odoo": SQL("0"),
            "explained": SQL("0"),
            "tolerance": SQL("0.005"),
            "is_foreign": SQL("FALSE"),
        }
        types = {
            "measure": SQL("varchar"),
            "contract_id": SQL("int4"),
            "order_id": SQL("int4"),
            "company_id": SQL("int4"),
            "facts": SQL("numeric"),
            "odoo": SQL("numeric"),
            "explained": SQL("numeric"),
            "tolerance": SQL("numeric"),
            "is_foreign": SQL("bool"),
        }
        values = {**defaults, **columns}
        return SQL(
            "SELECT %s %s",
            SQL(", ").join(
                SQL("(%s)::%s AS %s", values[name], sql_type, SQL.identifier(name))
                for name, sql_type in types.items()
            ),
            from_where,
        )

    def _sql_facts(self):
        """Facts; in the order they stand for, what the order does not count is explained."""
        value = SQL(
            """CASE WHEN f.kind IN ('delivered', 'returned') THEN f.quantity
                    WHEN f.kind = 'collected' THEN f.amount_total ELSE f.amount_untaxed END"""
        )
        return self._sql_figure(
            {
                "measure": SQL(
                    """CASE f.kind WHEN 'returned' THEN 'delivered'
                                   WHEN 'credited' THEN 'invoiced' ELSE f.kind END"""
                ),
                "contract_id": SQL("f.contract_id"),
                "order_id": SQL("f.order_id"),
                "company_id": SQL("f.company_id"),
                "facts": value,
                "explained": SQL(
                    """CASE WHEN f.is_unrefunded THEN f.quantity
                            WHEN f.source = 6 THEN f.amount_untaxed ELSE 0 END"""
                ),
                "is_foreign": SQL(
                    """COALESCE((SELECT m.currency_id <> f.currency_id
                                   FROM account_move m WHERE m.id = f.move_id), FALSE)"""
                ),
            },
            SQL("FROM (%s) f WHERE f.kind <> 'advance'", self.env["sale.admin.fact"]._table_query),
        )

    def _sql_odoo_ordered(self):
        return self._sql_figure(
            {
                "measure": SQL("'ordered'"),
                "contract_id": SQL("o.sale_contract_id"),
                "order_id": SQL("o.id"),
                "company_id": SQL("o.company_id"),
                "odoo": SQL("o.amount_untaxed"),
            },
            SQL("FROM sale_order o WHERE o.state = 'sale'"),
        )

    def _sql_odoo_lines(self):
        """Delivered quantities and invoiced amounts as Odoo keeps them on the order's lines.

        Odoo rounds each delivered quantity to the order line's unit: differences within a few
        roundings of another unit than the product's are none.
        """
        fact_model = self.env["sale.admin.fact"]
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        ratio = fact_model._sql_unit_ratio()
        return self._sql_figure(
            {
                "measure": SQL("v.measure"),
                "contract_id": SQL("o.sale_contract_id"),
                "order_id": SQL("o.id"),
                "company_id": SQL("o.company_id"),
                "odoo": SQL("v.odoo"),
                "tolerance": SQL("v.tolerance"),
            },
            SQL(
                """%(from)s %(units)s
                   JOIN LATERAL (
                        VALUES ('delivered', ol.qty_delivered * %(ratio)s,
                                %(rounding)s * GREATEST(%(ratio)s, 1) * 5),
                               ('invoiced', ol.untaxed_amount_invoiced, 0.005)
                   ) v (measure, odoo, tolerance) ON TRUE
                  WHERE ol.display_type IS NULL
                    AND (v.measure = 'invoiced' OR ol.is_downpayment IS NOT TRUE)""",
                **{"from": fact_model._sql_from_order_line()},
                units=fact_model._sql_join_product_unit(),
                ratio=ratio,
                rounding=10**-digits / 2,
            ),
        )

    def _sql_odoo_papers(self):
        """Invoices and credit notes that no order leads to."""
        fact_model = self.env["sale.admin.fact"]
        return self._sql_figure(
            {
                "measure": SQL("'invoiced'"),
                "contract_id": SQL("m.sale_contract_id"),
                "company_id": SQL("m.company_id"),
                "order_id": SQL("NULL"),
                "odoo": SQL("m.amount_untaxed_in_currency_signed"),
            },
            SQL(
                "%s WHERE %s AND %s",
                fact_model._sql_alone_documents(),
                fact_model._sql_is_document(),
                fact_model._sql_is_alone(),
            ),
        )

    def _sql_settled(self):
        """Return what of document `m` is settled, and the part of it settled without money."""
        fact_model = self.env["sale.admin.fact"]
        return SQL(
            """JOIN LATERAL (
                    SELECT %(sign)s * (m.amount_total - m.amount_residual) AS settled,
                           COALESCE(sum(
                               CASE WHEN NOT other.is_cash THEN p.amount
                                    WHEN other.parent_state = 'posted' THEN p.amount - round(
                                         p.amount * other.share, currency.decimal_places)
                                    ELSE 0 END), 0) AS without_cash
                      FROM account_move_line due
                      JOIN (
                            SELECT debit_move_id AS due_id, credit_move_id AS other_id,
                                   debit_amount_currency AS amount
                              FROM account_partial_reconcile
                             UNION ALL
                            SELECT credit_move_id, debit_move_id, - credit_amount_currency
                              FROM account_partial_reconcile
                           ) p ON p.due_id = due.id
                      JOIN LATERAL (
                            SELECT o_line.parent_state,
                                   o_line.payment_id IS NOT NULL
                                   OR o_line.statement_line_id IS NOT NULL AS is_cash,
                                   (%(share)s) AS share
                              FROM account_move_line o_line
                             WHERE o_line.id = p.other_id
                      ) other ON TRUE
                     WHERE due.move_id = m.id AND due.display_type = 'payment_term'
               ) paid ON TRUE""",
            sign=fact_model._sql_sign(),
            share=fact_model._sql_cash_share(SQL("o_line.move_id")),
        )

    def _sql_odoo_collected(self):
        """What is settled of the documents of orders, by the orders' parts."""
        fact_model = self.env["sale.admin.fact"]

        def share(amount):
            return fact_model._sql_share(amount, SQL("currency"))

        return self._sql_figure(
            {
                "measure": SQL("'collected'"),
                "contract_id": SQL("d.sale_contract_id"),
                "order_id": SQL("d.order_id"),
                "company_id": SQL("d.company_id"),
                "odoo": share(SQL("paid.settled")),
                "explained": SQL("- (%s)", share(SQL("paid.without_cash"))),
                "is_foreign": SQL("m.currency_id <> d.currency_id"),
                "tolerance": SQL("0.025"),
            },
            SQL(
                """FROM %s d
                   JOIN account_move m ON m.id = d.move_id
                   JOIN res_currency currency ON currency.id = m.currency_id
                   %s""",
                fact_model._sql_order_documents(
                    columns=SQL("m.invoice_date"),
                    joins=SQL(""),
                    where=fact_model._sql_is_document(),
                    group_by=SQL("m.invoice_date"),
                ),
                self._sql_settled(),
            ),
        )

    def _sql_odoo_collected_alone(self):
        fact_model = self.env["sale.admin.fact"]
        return self._sql_figure(
            {
                "measure": SQL("'collected'"),
                "contract_id": SQL("m.sale_contract_id"),
                "order_id": SQL("NULL"),
                "company_id": SQL("m.company_id"),
                "odoo": SQL("paid.settled"),
                "explained": SQL("- paid.without_cash"),
                "tolerance": SQL("0.025"),
            },
            SQL(
                """%s
                JOIN res_currency currency ON currency.id = m.currency_id
                %s
               WHERE %s AND %s""",
                fact_model._sql_alone_documents(),
                self._sql_settled(),
                fact_model._sql_is_document(),
                fact_model._sql_is_alone(),
            ),
        )

    # === ACTION METHODS === #
    def action_open_facts(self):
        """Open the facts that the row adds up, documents and all."""
        self.ensure_one()
        kinds = {"delivered": ("delivered", "returned"), "invoiced": ("invoiced", "credited")}
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_fact_action"
        )
        return {
            **action,
            "view_mode": "list",
            "views": [(False, "list")],
            "domain": [
                ("contract_id", "=", self.contract_id.id),
                ("order_id", "=", self.order_id.id),
                ("company_id", "=", self.company_id.id),
                ("kind", "in", kinds.get(self.measure, (self.measure,))),
            ],
            "context": {},
        }

    # === BUSINESS METHODS === #
    @api.model
    def _get_contracts_to_look_at(self, contracts=None):
        """Return the running contracts (of `contracts`, or all) with an unexplained difference.

        Comparing every contract takes long: those in which Odoo's stored figures contradict their
        own lines and matchings are found first, and compared alone. Read with all rights: that
        there is a difference is no secret, its figures are read by who may.
        """
        suspects = [
            contract_id for [contract_id] in self.env.execute_query(self._sql_suspects(contracts))
        ]
        groups = self.sudo()._read_group(
            [("contract_id", "in", suspects), ("unexplained", "!=", 0)], ["contract_id"]
        )
        return self.env["sale.admin.contract"].union(*(contract for [contract] in groups))

    def _sql_suspects(self, contracts):
        running = SQL("ct.state IN ('active', 'suspended')")
        if contracts is not None:
            running = SQL("%s AND ct.id = ANY(%s)", running, contracts.ids)
        return SQL(
            "%s %s",
            SQL(" UNION ").join(self._get_suspect_queries(running)),
            SQL().join(SQL(to_flush=field) for field in self._table_sql.to_flush),
        )

    def _get_suspect_queries(self, running):
        """Hook: queries for ids of contracts `ct` that may differ.

        Delivered quantities are not asked: what the moves do not tell is an undated fact. Nor are
        invoiced ones: the order lines add up the very lines that the facts are read from.
        """
        return [
            SQL(
                """SELECT ct.id
                     FROM sale_admin_contract ct
                     JOIN sale_order o ON o.sale_contract_id = ct.id AND o.state = 'sale'
                     JOIN res_company c ON c.id = o.company_id
                     LEFT JOIN sale_order_line ol
                            ON ol.order_id = o.id AND ol.display_type IS NULL
                           AND ol.is_downpayment IS NOT TRUE
                    WHERE %s AND c.tax_calculation_rounding_method <> 'round_globally'
                    GROUP BY ct.id, o.id
                   HAVING abs(o.amount_untaxed - COALESCE(sum(ol.price_subtotal), 0)) > 0.005""",
                running,
            ),
            SQL(
                """SELECT ct.id
                     FROM account_move entry
                     JOIN account_move_line cash ON cash.move_id = entry.id
                     JOIN account_partial_reconcile p
                       ON p.debit_move_id = cash.id OR p.credit_move_id = cash.id
                     JOIN account_move_line due
                       ON due.id IN (p.debit_move_id, p.credit_move_id) AND due.id <> cash.id
                     LEFT JOIN account_move_line line
                            ON line.move_id = due.move_id AND line.display_type = 'product'
                     LEFT JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                     LEFT JOIN sale_order_line ol ON ol.id = rel.order_line_id
                     LEFT JOIN sale_order o ON o.id = ol.order_id
                     JOIN account_move m ON m.id = due.move_id
                     JOIN sale_admin_contract ct
                       ON ct.id = COALESCE(o.sale_contract_id, m.sale_contract_id)
                    WHERE entry.state <> 'posted' AND entry.move_type = 'entry' AND %s""",
                running,
            ),
        ]

    def _get_company_totals(self, companies):
        """Compare all facts with all of Odoo's figures, papers without orders included.

        Quantities of all products and amounts of all currencies are added up as they stand: the
        figure is a check, not a statistic.

        :return: ``{(company_id, measure): {"facts": …, "odoo": …, "explained": …}}``
        """
        query = SQL(
            """SELECT company_id, measure, sum(facts), sum(odoo), sum(explained)
                 FROM (%s) figure WHERE company_id IN %s GROUP BY company_id, measure %s""",
            self._sql_figures(),
            tuple(companies.ids),
            SQL().join(SQL(to_flush=field) for field in self._table_sql.to_flush),
        )
        return {
            (company_id, measure): {"facts": facts, "odoo": odoo, "explained": explained}
            for company_id, measure, facts, odoo, explained in self.env.execute_query(query)
        }
