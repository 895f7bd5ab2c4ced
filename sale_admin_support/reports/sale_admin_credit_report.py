from odoo import api, fields, models
from odoo.tools import SQL

from ..models.sale_admin_credit_policy import MODES


class SaleAdminCreditReport(models.Model):
    """What each customer may owe and owes, one row for each company: read by one statement.

    A group of customers that share a limit is one row, its head's. The amounts are those that
    orders are judged by, in the company's currency with taxes.
    """

    _name = "sale.admin.credit.report"
    _description = "Customers' Credit"
    _auto = False
    _rec_name = "partner_id"
    _order = "amount_available, id"
    _depends = {
        "account.move.line": [
            "account_id",
            "amount_residual",
            "company_id",
            "date_maturity",
            "matching_number",
            "parent_state",
            "partner_id",
        ],
        "account.partial.reconcile": ["amount"],
        "res.company": ["sale_admin_credit_policy_id"],
        "res.partner": [
            "commercial_partner_id",
            "credit_head_id",
            "credit_limit",
            "credit_policy_id",
            "customer_rank",
            "user_id",
        ],
        "sale.admin.credit.limit": ["amount", "date_end", "date_start", "mode", "state"],
        "sale.admin.credit.policy": [
            "amount",
            "grace_days",
            "horizon_days",
            "mode",
            "overdue_amount",
            "overdue_days",
            "tolerance_percent",
        ],
        "sale.order": [
            "amount_exposed",
            "amount_exposed_shipped",
            "commitment_date",
            "company_id",
            "credit_partner_id",
        ],
    }

    # === FIELDS === #
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    policy_id = fields.Many2one("sale.admin.credit.policy", readonly=True)
    limit_id = fields.Many2one("sale.admin.credit.limit", string="Approved Limit", readonly=True)
    mode = fields.Selection(MODES, string="Credit Granted", readonly=True)
    amount_limit = fields.Monetary(string="Limit", readonly=True)
    date_end = fields.Date(string="Until", readonly=True)
    is_expired = fields.Boolean(string="Limit Expired", readonly=True)
    amount_exposure = fields.Monetary(string="Exposure", readonly=True)
    amount_receivable = fields.Monetary(string="Receivables", readonly=True)
    amount_order = fields.Monetary(string="Released Orders", readonly=True)
    amount_shipped = fields.Monetary(string="Shipped, not Invoiced", readonly=True)
    amount_available = fields.Monetary(string="Available", readonly=True)
    amount_overdue = fields.Monetary(string="Overdue", readonly=True)
    date_oldest = fields.Date(string="Oldest Due Date", readonly=True)
    is_over = fields.Boolean(string="Over the Limit", readonly=True)
    is_overdue = fields.Boolean(string="Has Overdue Invoices", readonly=True)

    # === SQL === #
    @property
    def _table_query(self):
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    @api.model
    def _select(self):
        return SQL(
            """
            SELECT (customer.id::bigint << 16) + company.id AS id,
                   customer.id AS partner_id,
                   company.id AS company_id,
                   company.currency_id,
                   customer.user_id,
                   policy.id AS policy_id,
                   granted.id AS limit_id,
                   terms.mode,
                   terms.amount AS amount_limit,
                   granted.date_end,
                   coalesce(granted.is_expired, FALSE) AS is_expired,
                   total.exposure AS amount_exposure,
                   receivable.amount AS amount_receivable,
                   open_order.amount AS amount_order,
                   open_order.shipped AS amount_shipped,
                   CASE WHEN terms.mode <> 'no_limit' THEN terms.amount - total.exposure END
                       AS amount_available,
                   receivable.overdue AS amount_overdue,
                   receivable.oldest AS date_oldest,
                   terms.mode <> 'no_limit' AND total.exposure
                       > terms.amount * (1 + coalesce(policy.tolerance_percent, 0) / 100)
                       AS is_over,
                   receivable.overdue > coalesce(policy.overdue_amount, 0) AS is_overdue
            """
        )

    @api.model
    def _from(self):
        partners = self.env["res.partner"]
        return SQL(
            """
              FROM (VALUES %(companies)s) given(company_id, today, core_limit)
              JOIN res_company company ON company.id = given.company_id
              JOIN res_partner customer
                ON customer.commercial_partner_id = customer.id
               AND customer.credit_head_id IS NULL
               AND (customer.company_id IS NULL OR customer.company_id = company.id)
         LEFT JOIN sale_admin_credit_policy policy
                ON policy.id = coalesce(
                       (customer.credit_policy_id->>company.id::text)::int,
                       company.sale_admin_credit_policy_id)
         LEFT JOIN LATERAL (
                   SELECT id, mode, amount, date_end,
                          date_end + coalesce(policy.grace_days, 0) < given.today AS is_expired
                     FROM sale_admin_credit_limit approved
                    WHERE approved.partner_id = customer.id AND state = 'approved'
                      AND approved.company_id = company.id
                      AND approved.date_start <= given.today
                      AND (is_temporary IS NOT TRUE OR date_end >= given.today)
                 ORDER BY date_start DESC, id DESC LIMIT 1
                   ) granted ON TRUE
             CROSS JOIN LATERAL (
                   SELECT CASE WHEN granted.mode IN ('limit', 'no_limit', 'no_credit')
                                AND granted.is_expired IS NOT TRUE THEN granted.mode
                               WHEN policy.id IS NOT NULL THEN policy.mode
                               WHEN core.amount > 0 THEN 'limit' ELSE 'no_limit' END AS mode,
                          CASE WHEN granted.mode IN ('limit', 'no_limit', 'no_credit')
                                AND granted.is_expired IS NOT TRUE THEN granted.amount
                               WHEN policy.id IS NOT NULL THEN policy.amount
                               ELSE core.amount END AS amount
                     FROM (SELECT coalesce((customer.credit_limit->>company.id::text)::numeric,
                                           given.core_limit)) core(amount)
                   ) rule
             CROSS JOIN LATERAL (
                   SELECT rule.mode,
                          CASE WHEN rule.mode = 'limit' THEN coalesce(rule.amount, 0) ELSE 0 END
                              AS amount
                   ) terms
             CROSS JOIN LATERAL (
                   SELECT customer.id,
                          given.today + coalesce(nullif(policy.horizon_days, 0), 36500) AS horizon,
                          given.today - coalesce(policy.overdue_days, 0) AS due_before
                   ) account
             CROSS JOIN LATERAL (%(receivable)s) receivable
             CROSS JOIN LATERAL (%(open_order)s) open_order
             CROSS JOIN LATERAL (
                   SELECT receivable.amount + open_order.amount + open_order.shipped AS exposure
                   ) total
            """,
            companies=SQL(", ").join(
                SQL(
                    "(%s, %s::date, %s::numeric)",
                    company.id,
                    company._sale_admin_today(),
                    partners.with_company(company)._get_core_fallback() or 0.0,
                )
                for company in self.env.companies.root_id.sudo()
            ),
            receivable=partners._sql_credit_receivable(None),
            open_order=partners._sql_credit_orders(None),
        )

    @api.model
    def _where(self):
        """Customers, and whoever else was granted or owes something."""
        return SQL(
            """WHERE customer.customer_rank > 0 OR granted.id IS NOT NULL
                  OR open_order.amount <> 0 OR open_order.shipped <> 0"""
        )

    # === ACTION METHODS === #
    def action_view_receivable(self):
        return self._get_customers().action_view_credit_receivable()

    def action_view_order(self):
        return self._get_customers().action_view_credit_order()

    def action_view_shipped(self):
        return self._get_customers().action_view_credit_shipped()

    def action_view_limits(self):
        return self.partner_id.with_company(self.company_id).action_view_credit_limits()

    def _get_customers(self):
        """Return the customer and who shares its limit, in the row's company."""
        self.ensure_one()
        members = (
            self.env["res.partner"].sudo().search([("credit_head_id", "=", self.partner_id.id)])
        )
        return self.partner_id.browse((self.partner_id | members).ids).with_company(self.company_id)

    def action_open_customer(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }

    def action_request_limit(self):
        """Ask for a limit of this customer, beginning with the one that it has."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Credit Limit"),
            "res_model": "sale.admin.credit.limit",
            "views": [(False, "form")],
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
                "default_amount": self.amount_limit,
            },
        }
