from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .sale_order_credit import MONEY_GROUPS

# What is read of an account, see `_get_credit_situations`.
SITUATION = ("exposure", "receivable", "order", "shipped", "overdue", "unallocated", "oldest")


class ResPartner(models.Model):
    _inherit = "res.partner"

    # === FIELDS === #
    credit_policy_id = fields.Many2one(
        "sale.admin.credit.policy",
        string="Credit Policy",
        company_dependent=True,
        groups=MONEY_GROUPS,
        help="Empty: the company's.",
    )
    credit_head_id = fields.Many2one(
        "res.partner",
        string="Shares the Limit of",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        readonly=True,
        groups=MONEY_GROUPS,
        help="Head of a group of customers whose exposures count together against one limit.",
    )
    credit_exposure = fields.Monetary(
        string="Credit Exposure",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        help="What the customer owes and will owe to this company: open receivables, and orders "
        "released or shipped and not invoiced yet, with taxes.",
    )
    credit_exposure_receivable = fields.Monetary(
        string="Open Receivables",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )
    credit_exposure_order = fields.Monetary(
        string="Released Orders",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )
    credit_exposure_shipped = fields.Monetary(
        string="Shipped, not Invoiced",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )

    # === COMPUTE METHODS === #
    @api.depends_context("company")
    def _compute_credit_exposure(self):
        """The figures of the whole commercial entity, also on its contacts."""
        situations = self.commercial_partner_id._get_credit_situations(
            self.env.company, {partner: partner for partner in self.commercial_partner_id}
        )
        for partner in self:
            situation = situations.get(partner.commercial_partner_id, {})
            partner.credit_exposure = situation.get("exposure", 0.0)
            partner.credit_exposure_receivable = situation.get("receivable", 0.0)
            partner.credit_exposure_order = situation.get("order", 0.0)
            partner.credit_exposure_shipped = situation.get("shipped", 0.0)

    # === BUSINESS METHODS === #
    def _get_credit_accounts(self, company):
        """Return ``{partner: account}``: whose limit the credit of each partner uses.

        It is the commercial entity, or the head of the group that it belongs to.
        """
        return {
            partner: partner.commercial_partner_id.sudo().credit_head_id.with_env(self.env)
            or partner.commercial_partner_id
            for partner in self
        }

    def _get_credit_terms(self, company):
        """Return what is granted to each account, today in the company's time zone.

        :return: ``{partner: dict}`` with ``mode`` (no_limit, limit, no_credit), ``amount``,
            ``tolerance`` (an amount), ``date_end`` of the limit in force, ``expired`` (date on
            which the last limit ended, if none is in force), ``overdue_days``,
            ``overdue_amount``, ``grace``, ``horizon`` and ``release_days`` (days, 0: none),
            ``policy`` and ``limit`` (records, maybe empty); amounts in the company's currency
        """
        company = company.root_id
        today = company._sale_admin_today()
        partners = self.sudo().with_company(company)
        limits = partners.env["sale.admin.credit.limit"]._get_latest(partners, company, today)
        res = {}
        for partner in partners:
            policy = partner.credit_policy_id or company.sudo().sale_admin_credit_policy_id
            limit = limits.get(partner, partners.env["sale.admin.credit.limit"])
            expired = (
                limit.date_end if limit and limit._is_expired(today, policy.grace_days) else False
            )
            if limit and not expired:
                mode, amount = limit.mode, limit.amount
            elif policy:
                mode, amount = policy.mode, policy.amount
            else:
                mode, amount = (
                    ("limit" if partner.credit_limit else "no_limit"),
                    partner.credit_limit,
                )
            amount = amount if mode == "limit" else 0.0
            res[partner.with_env(self.env)] = {
                "mode": mode,
                "amount": amount,
                "tolerance": company.currency_id.round(amount * policy.tolerance_percent / 100),
                "date_end": limit.date_end,
                "expired": expired,
                "overdue_days": policy.overdue_days,
                "overdue_amount": policy.overdue_amount,
                "grace": policy.grace_days,
                "horizon": policy.horizon_days,
                "release_days": policy.release_days,
                "policy": policy,
                "limit": limit,
            }
        return res

    def _get_credit_situations(self, company, accounts=None, terms=None, without_orders=None):
        """Return what each account owes and will owe to a company and its branches.

        One SQL statement for any number of accounts. What is not yet written is flushed first.

        :param accounts: ``{partner: account}``, the partners' own figures if not given
        :param terms: see `_get_credit_terms`: days and horizon to be used
        :param without_orders: orders that are left out
        :return: ``{account: dict}`` in the company's currency, taxes included: ``exposure`` and its
            parts ``receivable``, ``order``, ``shipped``; ``overdue`` (older than the terms' days,
            less ``unallocated`` payments and credit notes) and ``oldest`` (date of the oldest open
            item that is due)
        """
        company = company.root_id
        today = company._sale_admin_today()
        ids = sorted({account.id for account in (accounts or {p: p for p in self}).values()})
        terms = {account.id: term for account, term in (terms or {}).items()}
        if not ids:
            return {}
        self._flush_credit()
        horizons, overdue = [], []
        for account_id in ids:
            term = terms.get(account_id, {})
            horizon = term.get("horizon")
            horizons.append(
                today + timedelta(horizon) if horizon else fields.Date.to_date("9999-01-01")
            )
            overdue.append(today - timedelta(term.get("overdue_days", 0)))
        query = self._sql_credit_situations(
            SQL(
                """SELECT * FROM unnest(%s::int[], %s::date[], %s::date[])
                       AS given(id, horizon, due_before)""",
                ids,
                horizons,
                overdue,
            ),
            company,
            SQL("AND orders.id NOT IN %s", tuple(without_orders.ids)) if without_orders else SQL(),
        )
        rows = {}
        for account_id, *values in self.env.execute_query(query):
            rows[account_id] = dict(zip(SITUATION, values, strict=True))
        empty = dict.fromkeys(SITUATION, 0.0) | {"oldest": None}
        return {self.browse(account_id): rows.get(account_id, dict(empty)) for account_id in ids}

    def _flush_credit(self):
        self.env["sale.order"].flush_model(
            [
                "credit_partner_id",
                "company_id",
                "amount_exposed",
                "amount_exposed_shipped",
                "commitment_date",
            ]
        )
        self.env["account.move.line"].flush_model(
            [
                "partner_id",
                "company_id",
                "account_id",
                "parent_state",
                "amount_residual",
                "date_maturity",
            ]
        )
        self.env["account.partial.reconcile"].flush_model(["amount"])
        self.env["res.partner"].flush_model(["commercial_partner_id", "credit_head_id"])

    def _sql_credit_situations(self, accounts, company, orders_condition=None):
        """Return the statement behind `_get_credit_situations`.

        A payment set back to draft keeps its reconciliation, so what it settled is owed again:
        that is added to the residuals.

        :param accounts: SQL that selects ``id``, ``horizon``, ``due_before``
        """
        companies = SQL(
            "ANY(ARRAY(SELECT id FROM res_company WHERE parent_path LIKE %s))",
            f"{company.parent_path}%",
        )
        return SQL(
            """
            WITH account AS (%(accounts)s),
                 customer AS (
                     SELECT account.*, id AS customer_id FROM account
                      UNION ALL
                     SELECT account.*, member.id
                       FROM account
                       JOIN res_partner member ON member.credit_head_id = account.id
                 ),
                 item AS (
                     SELECT customer.id, line.amount_residual AS amount, line.date_maturity,
                            customer.due_before
                       FROM customer
                       JOIN res_partner contact
                         ON contact.commercial_partner_id = customer.customer_id
                       JOIN account_move_line line ON line.partner_id = contact.id
                       JOIN account_account account ON account.id = line.account_id
                      WHERE line.parent_state = 'posted' AND line.amount_residual <> 0
                        AND line.company_id = %(companies)s
                        AND account.account_type = 'asset_receivable'
                      UNION ALL
                     SELECT customer.id,
                            CASE WHEN settled.id = partial.debit_move_id THEN partial.amount
                                 ELSE -partial.amount END,
                            settled.date_maturity, customer.due_before
                       FROM customer
                       JOIN res_partner contact
                         ON contact.commercial_partner_id = customer.customer_id
                       JOIN account_move_line draft ON draft.partner_id = contact.id
                       JOIN account_account account ON account.id = draft.account_id
                       JOIN account_partial_reconcile partial
                         ON draft.id IN (partial.debit_move_id, partial.credit_move_id)
                       JOIN account_move_line settled
                         ON settled.id IN (partial.debit_move_id, partial.credit_move_id)
                        AND settled.id <> draft.id
                      WHERE draft.parent_state = 'draft' AND draft.matching_number IS NOT NULL
                        AND draft.company_id = %(companies)s
                        AND account.account_type = 'asset_receivable'
                        AND settled.parent_state = 'posted'
                 ),
                 receivable AS (
                     SELECT id, sum(amount) AS amount,
                            sum(amount) FILTER (WHERE amount > 0 AND date_maturity < due_before)
                                AS overdue,
                            sum(amount) FILTER (WHERE amount < 0) AS unallocated,
                            min(date_maturity) FILTER (WHERE amount > 0) AS oldest
                       FROM item GROUP BY id
                 ),
                 open_order AS (
                     SELECT customer.id,
                            sum(CASE WHEN orders.commitment_date > customer.horizon
                                THEN 0 ELSE amount_exposed - amount_exposed_shipped END) AS amount,
                            sum(amount_exposed_shipped) AS shipped
                       FROM customer
                       JOIN sale_order orders ON orders.credit_partner_id = customer.customer_id
                      WHERE orders.amount_exposed <> 0 AND orders.company_id = %(companies)s
                            %(orders_condition)s
                      GROUP BY customer.id
                 )
            SELECT account.id,
                   coalesce(receivable.amount, 0) + coalesce(open_order.amount, 0)
                       + coalesce(open_order.shipped, 0),
                   coalesce(receivable.amount, 0), coalesce(open_order.amount, 0),
                   coalesce(open_order.shipped, 0),
                   greatest(
                       coalesce(receivable.overdue, 0) + coalesce(receivable.unallocated, 0), 0
                   ),
                   coalesce(receivable.unallocated, 0), receivable.oldest
              FROM account
         LEFT JOIN receivable ON receivable.id = account.id
         LEFT JOIN open_order ON open_order.id = account.id
            """,
            accounts=accounts,
            companies=companies,
            orders_condition=orders_condition or SQL(),
        )
