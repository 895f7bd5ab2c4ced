from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.query import Query

from ..models.sale_admin_fact import RANK_BITS, SOURCE_BITS

# Column types are stated in every SELECT of the union: only branches of equal types are read as one
# table by PostgreSQL, which then uses the indexes of each.
COLUMNS = {
    "id": SQL("int8"),
    "source": SQL("int4"),
    "res_id": SQL("int4"),
    "event": SQL("varchar"),
    "kind": SQL("varchar"),
    "date": SQL("date"),
    "contract_id": SQL("int4"),
    "contract_kind": SQL("varchar"),
    "milestone_id": SQL("int4"),
    "partner_id": SQL("int4"),
    "user_id": SQL("int4"),
    "admin_id": SQL("int4"),
    "team_id": SQL("int4"),
    "country_id": SQL("int4"),
    "country_state_id": SQL("int4"),
    "company_id": SQL("int4"),
    "company_currency_id": SQL("int4"),
    "currency_id": SQL("int4"),
    "amount_planned": SQL("numeric"),
    "amount_baseline": SQL("numeric"),
    "amount_actual": SQL("numeric"),
    "amount_executed": SQL("numeric"),
    "amount_planned_currency": SQL("numeric"),
    "amount_baseline_currency": SQL("numeric"),
    "amount_actual_currency": SQL("numeric"),
    "due_count": SQL("int4"),
    "on_time_count": SQL("int4"),
    "late_count": SQL("int4"),
    "days_late": SQL("int4"),
    "execution_rate": SQL("float8"),
    "on_time_rate": SQL("float8"),
    "average_days_late": SQL("float8"),
}
# What the rates of a group are made of: sums of the group's own rows.
RATIOS = {
    "execution_rate:avg": ("amount_executed", "amount_planned"),
    "on_time_rate:avg": ("on_time_count", "due_count"),
    "average_days_late:avg": ("days_late", "late_count"),
}


class SaleAdminContractReport(models.Model):
    """What contracts planned and what happened: one row for each dated event of a contract.

    Signed, delivered and invoiced amounts are untaxed, collected ones include taxes; delivered nets
    returns, invoiced nets credit notes, collected includes advances. Amounts are in the company's
    currency; the `_currency` ones in the row's own. What was agreed (plan, baseline, signed value)
    is converted once, at the rate of the day of signature; what happened keeps the rate of its
    document. Customer, salesperson, team and region are those frozen on the contract.
    """

    _name = "sale.admin.contract.report"
    _description = "Contract Execution Statistics"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "contract_id"
    _depends = {
        "sale.admin.contract": [
            "admin_id",
            "amount_untaxed_baseline",
            "company_id",
            "country_id",
            "country_state_id",
            "currency_id",
            "date_signed",
            "kind",
            "partner_id",
            "state",
            "team_id",
            "user_id",
        ],
        "sale.admin.contract.amendment": [
            "amount_untaxed_delta",
            "contract_id",
            "decided_at",
            "state",
        ],
        "sale.admin.fact": [],
        "sale.admin.milestone": [
            "amount_baseline",
            "amount_planned",
            "contract_id",
            "date_baseline",
            "date_planned",
            "date_reached",
            "is_open",
            "is_reached",
            "is_reached_late",
            "is_waived",
            "measure",
        ],
        "res.company": ["currency_id", "sale_admin_tz"],
        "res.currency.rate": ["company_id", "currency_id", "name", "rate"],
    }

    # === FIELDS === #
    source = fields.Integer(readonly=True, help="Number of the branch of the view.")
    res_id = fields.Integer(
        string="Record", readonly=True, help="Id of the record that the branch reads."
    )
    event = fields.Selection(
        [
            ("baseline", "Baseline"),
            ("planned", "Planned"),
            ("actual", "Actual"),
        ],
        readonly=True,
    )
    kind = fields.Selection(
        [
            ("signed", "Signed"),
            ("delivered", "Delivered"),
            ("invoiced", "Invoiced"),
            ("collected", "Collected"),
            ("other", "Other Obligations"),
        ],
        readonly=True,
        help="Signed, delivered and invoiced amounts are untaxed, collected ones include taxes.",
    )
    date = fields.Date(readonly=True)
    contract_id = fields.Many2one("sale.admin.contract", readonly=True)
    contract_kind = fields.Selection(
        [
            ("single", "Single Order"),
            ("framework", "Framework"),
            ("distribution", "Distribution"),
        ],
        string="Kind of Contract",
        readonly=True,
    )
    milestone_id = fields.Many2one("sale.admin.milestone", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    admin_id = fields.Many2one("res.users", string="Administrator", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)
    country_state_id = fields.Many2one("res.country.state", string="Region", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)

    amount_planned = fields.Monetary(
        string="Planned",
        currency_field="company_currency_id",
        readonly=True,
        help="By the current plan, on the planned day. Deliveries and invoices untaxed, "
        "collections with taxes; waived milestones are left out.",
    )
    amount_baseline = fields.Monetary(
        string="Baseline",
        currency_field="company_currency_id",
        readonly=True,
        help="As agreed when the contract started, on the day agreed then. Deliveries and invoices "
        "untaxed, collections with taxes.",
    )
    amount_actual = fields.Monetary(
        string="Actual",
        currency_field="company_currency_id",
        readonly=True,
        help="Signed value, deliveries less returns and invoices less credit notes untaxed; money "
        "collected, advances included, with taxes.",
    )
    amount_executed = fields.Monetary(
        string="Executed",
        currency_field="company_currency_id",
        readonly=True,
        help="The actual amount of what has a plan: deliveries, invoices and collections.",
    )
    amount_planned_currency = fields.Monetary(string="Planned in Contract Currency", readonly=True)
    amount_baseline_currency = fields.Monetary(
        string="Baseline in Contract Currency", readonly=True
    )
    amount_actual_currency = fields.Monetary(string="Actual in Document Currency", readonly=True)
    due_count = fields.Integer(
        string="Milestones Due",
        readonly=True,
        help="Milestones planned for the period that were reached or whose day has passed.",
    )
    on_time_count = fields.Integer(string="Reached on Time", readonly=True)
    late_count = fields.Integer(
        string="Late", readonly=True, help="Reached after the planned day, or not reached yet."
    )
    days_late = fields.Integer(
        readonly=True, help="From the planned day until reached, or until today."
    )
    # Empty on a row: a rate belongs to a sum of rows, see `_read_group_select`.
    execution_rate = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Executed by planned amount. Look at it by kind: over several kinds it mixes them.",
    )
    on_time_rate = fields.Float(
        string="On-Time Rate",
        readonly=True,
        aggregator="avg",
        help="Milestones reached on time by milestones due.",
    )
    average_days_late = fields.Float(
        readonly=True, aggregator="avg", help="Days late by milestones late."
    )

    # === QUERY === #
    @property
    def _table_query(self) -> SQL:
        return SQL(" UNION ALL ").join(self._get_events())

    def _get_events(self):
        """Hook: the SELECTs whose union is the report, each made by `_select`."""
        return [
            self._sql_planned(),
            self._sql_baseline(),
            self._sql_signed(),
            self._sql_amended(),
            self._sql_facts(),
        ]

    def _select(self, from_where, **columns):
        """Return one SELECT over a FROM clause that knows `contract` and `company`.

        Of the columns that are left out, those of the contract are read from it, measures are
        zero and the rest is empty.
        """
        columns = {**self._get_contract_columns(), **columns}
        return SQL(
            "SELECT %s %s",
            SQL(", ").join(
                SQL(
                    "(%s)::%s AS %s", columns.get(name, SQL("NULL")), sql_type, SQL.identifier(name)
                )
                for name, sql_type in COLUMNS.items()
            ),
            from_where,
        )

    def _get_contract_columns(self):
        measures = [name for name in COLUMNS if name.startswith("amount_")]
        measures += ["due_count", "on_time_count", "late_count", "days_late"]
        return {
            **dict.fromkeys(measures, SQL("0")),
            "event": SQL("'actual'"),
            "contract_id": SQL("contract.id"),
            "contract_kind": SQL("contract.kind"),
            "partner_id": SQL("contract.partner_id"),
            "user_id": SQL("contract.user_id"),
            "admin_id": SQL("contract.admin_id"),
            "team_id": SQL("contract.team_id"),
            "country_id": SQL("contract.country_id"),
            "country_state_id": SQL("contract.country_state_id"),
            "company_id": SQL("contract.company_id"),
            "company_currency_id": SQL("company.currency_id"),
            "currency_id": SQL("contract.currency_id"),
        }

    def _get_own_columns(self, source, res_id):
        """Identify a row as `sale.admin.fact` does its own, in a rank that no fact has."""
        last_rank = (1 << RANK_BITS) - 1
        return {
            "id": SQL(
                "(%s::int8 << %s) + %s",
                res_id,
                SQL(str(RANK_BITS + SOURCE_BITS)),
                SQL(str((last_rank << SOURCE_BITS) + source)),
            ),
            "source": SQL(str(source)),
            "res_id": res_id,
        }

    def _sql_planned(self):
        """Milestones at their planned day: the amount, and whether the day was kept."""
        today = self._sql_today()
        is_due = SQL(
            "(milestone.is_reached OR (milestone.is_open AND milestone.date_planned < %s))", today
        )
        is_on_time = SQL("(milestone.is_reached AND milestone.is_reached_late IS NOT TRUE)")
        is_late = SQL("%s AND %s IS NOT TRUE", is_due, is_on_time)
        days = SQL("COALESCE(milestone.date_reached, %s) - milestone.date_planned", today)
        return self._select(
            SQL(
                "%s WHERE milestone.date_planned IS NOT NULL AND milestone.is_waived IS NOT TRUE"
                " AND %s",
                self._sql_from_milestone(),
                self._sql_is_agreed(),
            ),
            **self._get_own_columns(1, SQL("milestone.id")),
            event=SQL("'planned'"),
            kind=self._sql_milestone_kind(),
            date=SQL("milestone.date_planned"),
            milestone_id=SQL("milestone.id"),
            amount_planned=self._sql_company_amount(SQL("COALESCE(milestone.amount_planned, 0)")),
            amount_planned_currency=SQL("COALESCE(milestone.amount_planned, 0)"),
            due_count=SQL("CASE WHEN %s THEN 1 ELSE 0 END", is_due),
            on_time_count=SQL("CASE WHEN %s THEN 1 ELSE 0 END", is_on_time),
            late_count=SQL(
                "CASE WHEN %s AND (%s) IS NOT TRUE THEN 1 ELSE 0 END", is_due, is_on_time
            ),
            days_late=SQL("CASE WHEN %s THEN %s ELSE 0 END", is_late, days),
        )

    def _sql_baseline(self):
        """Milestones as they were agreed at activation."""
        return self._select(
            SQL(
                "%s WHERE milestone.date_baseline IS NOT NULL AND %s",
                self._sql_from_milestone(),
                self._sql_is_agreed(),
            ),
            **self._get_own_columns(2, SQL("milestone.id")),
            event=SQL("'baseline'"),
            kind=self._sql_milestone_kind(),
            date=SQL("milestone.date_baseline"),
            milestone_id=SQL("milestone.id"),
            amount_baseline=self._sql_company_amount(SQL("COALESCE(milestone.amount_baseline, 0)")),
            amount_baseline_currency=SQL("COALESCE(milestone.amount_baseline, 0)"),
        )

    def _sql_signed(self):
        """The value of contracts on the day of their signature."""
        amount = SQL("COALESCE(contract.amount_untaxed_baseline, 0)")
        return self._select(
            SQL(
                "FROM sale_admin_contract contract %s"
                " WHERE contract.date_signed IS NOT NULL AND %s",
                self._sql_join_company(),
                self._sql_is_agreed(),
            ),
            **self._get_own_columns(3, SQL("contract.id")),
            kind=SQL("'signed'"),
            date=SQL("contract.date_signed"),
            amount_actual=self._sql_company_amount(amount),
            amount_actual_currency=amount,
        )

    def _sql_amended(self):
        """What approved amendments added to the signed value, on the day of their approval."""
        amount = SQL("COALESCE(amendment.amount_untaxed_delta, 0)")
        return self._select(
            SQL(
                "FROM sale_admin_contract_amendment amendment"
                " JOIN sale_admin_contract contract ON contract.id = amendment.contract_id %s"
                " WHERE amendment.state = 'approved' AND %s",
                self._sql_join_company(),
                self._sql_is_agreed(),
            ),
            **self._get_own_columns(4, SQL("amendment.id")),
            kind=SQL("'signed'"),
            date=SQL(
                "(amendment.decided_at AT TIME ZONE 'UTC'"
                " AT TIME ZONE COALESCE(company.sale_admin_tz, 'UTC'))::date"
            ),
            amount_actual=self._sql_company_amount(amount),
            amount_actual_currency=amount,
        )

    def _sql_facts(self):
        """What happened, at the rate of its own document, whatever became of the contract."""
        amount = self._sql_fact_amount(
            SQL("fact.amount_untaxed_company"), SQL("fact.amount_total_company")
        )
        return self._select(
            SQL(
                "FROM (%s) fact JOIN sale_admin_contract contract ON contract.id = fact.contract_id"
                " JOIN res_company company ON company.id = contract.company_id"
                " WHERE fact.contract_id IS NOT NULL AND fact.kind <> 'ordered'",
                self.env["sale.admin.fact"]._table_query,
            ),
            id=SQL("fact.id"),
            contract_id=SQL("fact.contract_id"),  # so that a filter reaches the facts themselves
            source=SQL("fact.source"),
            res_id=SQL("fact.res_id"),
            kind=SQL(
                "CASE WHEN fact.kind IN ('delivered', 'returned') THEN 'delivered'"
                " WHEN fact.kind IN ('invoiced', 'credited') THEN 'invoiced'"
                " ELSE 'collected' END"
            ),
            date=SQL("fact.date"),
            currency_id=SQL("fact.currency_id"),
            amount_actual=amount,
            amount_executed=amount,
            amount_actual_currency=self._sql_fact_amount(
                SQL("fact.amount_untaxed"), SQL("fact.amount_total")
            ),
        )

    # === PIECES === #
    def _sql_fact_amount(self, untaxed, total):
        return SQL(
            "CASE WHEN fact.kind IN ('collected', 'advance') THEN %s ELSE %s END", total, untaxed
        )

    def _sql_from_milestone(self):
        return SQL(
            "FROM sale_admin_milestone milestone"
            " JOIN sale_admin_contract contract ON contract.id = milestone.contract_id %s",
            self._sql_join_company(),
        )

    def _sql_milestone_kind(self):
        return SQL(
            "CASE WHEN milestone.measure IN ('delivered', 'invoiced', 'collected')"
            " THEN milestone.measure ELSE 'other' END"
        )

    def _sql_is_agreed(self):
        """A plan counts from the contract's start; one that came to nothing never did."""
        return SQL("contract.state IN ('active', 'suspended', 'done', 'terminated')")

    def _sql_today(self):
        """Today in the time zone of the contract's company."""
        days = [
            SQL("WHEN %s THEN %s::date", company.id, company._sale_admin_today())
            for company in self.env["res.company"].sudo().with_context(active_test=False).search([])
        ]
        return SQL("(CASE contract.company_id %s END)", SQL(" ").join(days))

    def _sql_join_company(self):
        """Join the contract's company and the factor into its currency on the day of signature.

        A contract in the company's own currency has no row of `conversion`.
        """
        return SQL(
            """
            JOIN res_company company ON company.id = contract.company_id
            JOIN res_currency company_currency ON company_currency.id = company.currency_id
            LEFT JOIN LATERAL (
                SELECT %(company_rate)s / %(contract_rate)s AS factor
            ) conversion ON contract.currency_id != company.currency_id
            """,
            company_rate=self._sql_rate(SQL("company.currency_id")),
            contract_rate=self._sql_rate(SQL("contract.currency_id")),
        )

    def _sql_rate(self, currency):
        """Return the rate Odoo itself takes: of the day or before, else the first one known."""
        day = SQL("COALESCE(contract.date_signed, contract.create_date::date)")
        rates = SQL(
            "SELECT rate.rate FROM res_currency_rate rate WHERE rate.currency_id = %s AND"
            " (rate.company_id IS NULL"
            " OR rate.company_id = SPLIT_PART(company.parent_path, '/', 1)::int)",
            currency,
        )
        return SQL(
            "COALESCE((%(rates)s AND rate.name <= %(day)s"
            " ORDER BY rate.company_id, rate.name DESC LIMIT 1),"
            " (%(rates)s ORDER BY rate.company_id, rate.name LIMIT 1), 1.0)",
            rates=rates,
            day=day,
        )

    def _sql_company_amount(self, amount):
        return SQL(
            "CASE WHEN contract.currency_id = company.currency_id THEN %(amount)s"
            " ELSE ROUND(%(amount)s * conversion.factor, company_currency.decimal_places) END",
            amount=amount,
        )

    # === BUSINESS METHODS === #
    def _search(self, domain, *args, **kwargs):
        """Find rows by id in the records that their ids name, not by reading the whole view."""
        locate_ids = self.env["sale.admin.fact"]._locate_ids
        return super()._search(Domain(domain).map_conditions(locate_ids), *args, **kwargs)

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        """A rate of a group is a ratio of its sums, at whatever level it is asked for."""
        if aggregate_spec not in RATIOS:
            return super()._read_group_select(aggregate_spec, query)
        numerator, denominator = (
            self._field_to_sql(self._table, fname, query) for fname in RATIOS[aggregate_spec]
        )
        return SQL("SUM(%s)::float8 / NULLIF(SUM(%s), 0)::float8", numerator, denominator)

    def action_open_contract(self):
        self.ensure_one()
        return self.contract_id.get_formview_action()
