from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, formatLang

from .sale_admin_credit_policy import MODES
from .sale_order_credit import MONEY_GROUPS

CREDIT_GROUP = "sale_admin_support.group_sale_admin_credit"
CORE_FIELDS = {"credit_limit", "use_partner_credit_limit"}
# What is read of an account, see `_get_credit_situations`.
SITUATION = ("exposure", "receivable", "order", "shipped", "overdue", "unallocated", "oldest")


class ResPartner(models.Model):
    _inherit = "res.partner"

    # === FIELDS === #
    credit_policy_id = fields.Many2one(
        "sale.admin.credit.policy",
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
        help="Head of a group of customers: what they owe counts together against its limit.",
    )
    credit_exposure = fields.Monetary(
        currency_field="credit_currency_id",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        help="What the customer owes and will owe to this company: open receivables, and orders "
        "released or shipped and not invoiced yet, with taxes.",
    )
    credit_exposure_receivable = fields.Monetary(
        string="Open Receivables",
        currency_field="credit_currency_id",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        help="Invoices that are not paid, less payments and credit notes not used yet.",
    )
    credit_exposure_order = fields.Monetary(
        string="Released Orders",
        currency_field="credit_currency_id",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        help="Ordered and released, neither shipped nor invoiced.",
    )
    credit_exposure_shipped = fields.Monetary(
        string="Shipped, not Invoiced",
        currency_field="credit_currency_id",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )

    credit_is_ruled = fields.Boolean(
        compute="_compute_credit_terms", compute_sudo=True, groups=MONEY_GROUPS
    )
    credit_currency_id = fields.Many2one(
        "res.currency", compute="_compute_credit_currency_id", groups=MONEY_GROUPS
    )
    credit_mode = fields.Selection(
        MODES,
        string="Credit Granted",
        compute="_compute_credit_terms",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )
    credit_amount = fields.Monetary(
        string="Granted Limit",
        currency_field="credit_currency_id",
        compute="_compute_credit_terms",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )
    credit_date_end = fields.Date(
        string="Granted Until",
        compute="_compute_credit_terms",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )
    credit_available = fields.Monetary(
        string="Available Credit",
        currency_field="credit_currency_id",
        compute="_compute_credit_terms",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        help="The limit less what the customer, or the whole group that shares the limit, owes "
        "and will owe. Negative: over the limit.",
    )
    credit_exposure_group = fields.Monetary(
        string="Exposure of the Group",
        currency_field="credit_currency_id",
        compute="_compute_credit_terms",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        help="Of all customers that share the limit.",
    )
    credit_overdue = fields.Monetary(
        string="Overdue",
        currency_field="credit_currency_id",
        compute="_compute_credit_terms",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        help="Overdue for more days than the policy allows, less payments and credit notes that "
        "are not used yet.",
    )

    # === COMPUTE METHODS === #
    @api.depends_context("company")
    def _compute_credit_currency_id(self):
        self.credit_currency_id = self.env.company.root_id.currency_id

    @api.depends_context("company")
    @api.depends("credit_policy_id", "credit_head_id")
    def _compute_credit_terms(self):
        """What is granted to the account whose limit each partner uses, and what is left of it."""
        company = self.env.company.root_id
        accounts = self._get_credit_accounts(company)
        terms = self._get_credit_terms(company)
        by_account = {account: terms[partner] for partner, account in accounts.items()}
        situations = self._get_credit_situations(company, accounts, by_account)
        for partner in self:
            term, situation = terms[partner], situations.get(accounts[partner]._origin, {})
            partner.credit_is_ruled = partner._is_credit_ruled(company)
            partner.credit_mode = term["mode"]
            partner.credit_amount = term["amount"]
            partner.credit_date_end = term["date_end"]
            partner.credit_available = term["amount"] - situation.get("exposure", 0.0)
            partner.credit_exposure_group = situation.get("exposure", 0.0)
            partner.credit_overdue = situation.get("overdue", 0.0)

    @api.depends_context("company")
    def _compute_credit_exposure(self):
        """The figures of the whole commercial entity, also on its contacts."""
        customers = self.commercial_partner_id
        situations = customers._get_credit_situations(
            self.env.company, {customer: customer for customer in customers}, with_group=False
        )
        for partner in self:
            situation = situations.get(partner.commercial_partner_id._origin, {})
            partner.credit_exposure = situation.get("exposure", 0.0)
            partner.credit_exposure_receivable = situation.get("receivable", 0.0)
            partner.credit_exposure_order = situation.get("order", 0.0)
            partner.credit_exposure_shipped = situation.get("shipped", 0.0)

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self.browse()._check_may_set_credit(vals)
        partners = super().create(vals_list)
        if self.env.company.root_id.sudo().sale_admin_credit_policy_id:
            partners._check_created_limit()
        return partners

    def write(self, vals):
        self._check_may_set_credit(vals)
        if CORE_FIELDS & vals.keys():
            self._check_core_limit_kept(vals)
        moved = {"parent_id", "is_company"} & vals.keys()
        before = {partner: partner.commercial_partner_id for partner in self} if moved else {}
        res = super().write(vals)
        if moved:
            self.filtered(lambda p: p.commercial_partner_id == p != before[p])._follow_credit_terms(
                self.env.company
            )
        if "credit_policy_id" in vals:
            self._adopt_core_limits(self.env.company, self)
            self._follow_credit_terms(self.env.company)
        return res

    def _set_credit(self, vals):
        """Write what only approved limits decide; private, so no client comes here."""
        return super().write(vals)

    def _check_may_set_credit(self, vals):
        """Groups come from approved limits alone; policies are chosen by credit controllers.

        :raise UserError, AccessError: whoever calls
        """
        if self._is_changed("credit_head_id", vals):
            self._raise_no_group()
        if (
            self._is_changed("credit_policy_id", vals)
            and not self.env.su
            and not self.env.user.has_group(CREDIT_GROUP)
        ):
            raise AccessError(
                self.env._("Credit policies are chosen by credit controllers: ask one of them.")
            )

    def _is_changed(self, fname, vals):
        """Whether a value to write, or of partners to create, differs from what is there."""
        value = vals.get(fname) or False
        if not self:
            return bool(value)
        return fname in vals and any(partner[fname].id != value for partner in self.sudo())

    def _check_core_limit_kept(self, vals):
        """Where a policy rules, core's credit limit follows approved limits and nobody else.

        :raise UserError: naming the customer
        """
        fallback = self._get_core_fallback()
        for partner in self.sudo():
            if not partner._is_credit_ruled(self.env.company):
                continue
            kept = {partner.credit_limit, partner.commercial_partner_id.credit_limit}
            if (
                "credit_limit" in vals
                and float(vals["credit_limit"] or 0.0) not in kept
                or vals.get("use_partner_credit_limit") is False
                and fallback not in kept
            ):
                partner._raise_ruled()

    def _check_created_limit(self):
        """A new customer begins with what the policy grants, whatever the caller says."""
        fallback = self._get_core_fallback()
        for partner in self.sudo():
            if partner.commercial_partner_id == partner and partner.credit_limit != fallback:
                partner._raise_ruled()

    def _get_core_fallback(self):
        return self._fields["credit_limit"].get_company_dependent_fallback(self)

    @api.model
    def _raise_no_group(self):
        raise UserError(
            self.env._("A customer joins or leaves a group by an approved limit: ask for one.")
        )

    def _raise_ruled(self):
        raise UserError(
            self.env._(
                "The credit limit of %s is ruled by a credit policy: ask for an approved limit.",
                self.display_name,
            )
        )

    # === ACTION METHODS === #
    def action_view_credit_receivable(self):
        """Show the open items of these customers; so do the others the documents of their part."""
        customers = Domain("partner_id.commercial_partner_id", "in", self.commercial_partner_id.ids)
        receivable = customers & Domain("account_type", "=", "asset_receivable")
        settled = self.env["account.move.line"]._get_settled_by_drafts(receivable)
        open_items = Domain("amount_residual", "!=", 0) | Domain("id", "in", settled.ids)
        return self._get_credit_action(
            "sale_admin_credit_item_action",
            list(receivable & Domain("parent_state", "=", "posted") & open_items),
        )

    def action_view_credit_order(self):
        return self._get_credit_action(
            "sale_admin_credit_order_action",
            [
                ("credit_partner_id", "in", self.commercial_partner_id.ids),
                ("amount_exposed", "!=", 0),
            ],
        )

    def action_view_credit_shipped(self):
        action = self.action_view_credit_order()
        return {**action, "domain": [*action["domain"], ("amount_exposed_shipped", "!=", 0)]}

    def action_view_credit_limits(self):
        customer = self.commercial_partner_id
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_credit_limit_action"
        )
        return {
            **action,
            "domain": [("partner_id", "=", customer.id)],
            "context": {"default_partner_id": customer.id},
        }

    def _get_credit_action(self, name, domain):
        action = self.env["ir.actions.act_window"]._for_xml_id(f"sale_admin_support.{name}")
        company = ("company_id", "child_of", self.env.company.root_id.id)
        return {**action, "domain": [company, *domain]}

    # === TERMS === #
    def _get_credit_accounts(self, company):
        """Return ``{partner: account}``: whose limit the credit of each partner uses.

        It is the commercial entity, or the head of the group that it belongs to.
        """
        return {
            partner: partner.commercial_partner_id.sudo().credit_head_id.with_env(self.env)
            or partner.commercial_partner_id
            for partner in self
        }

    def _is_credit_ruled(self, company):
        """Whether a credit policy rules this customer in a company."""
        self.ensure_one()
        company = company.root_id.sudo()
        customer = self.sudo().commercial_partner_id.with_company(company)
        return bool(company.sale_admin_credit_policy_id or customer.credit_policy_id)

    def _get_credit_terms(self, company):
        """Return what is granted to each partner's account, today in the company's time zone.

        :return: ``{partner: dict}`` with ``mode`` (no_limit, limit, no_credit), ``amount``,
            ``tolerance`` (an amount), ``date_end`` of the limit in force, ``expired`` (day on
            which the last limit ended, if none is in force), ``overdue_days``,
            ``overdue_amount``, ``grace``, ``horizon`` and ``release_days`` (days, 0: none),
            ``policy`` and ``limit`` (records, maybe empty); amounts in the company's currency
        """
        company = company.root_id.sudo()
        today = company._sale_admin_today()
        accounts = self._get_credit_accounts(company)
        found = {}
        partners = self.sudo().with_company(company).union(*accounts.values())
        limits = partners.env["sale.admin.credit.limit"]._get_in_force(partners, company, today)
        for account in partners:
            limit = limits.get(account, partners.env["sale.admin.credit.limit"])
            found[account.id] = account._prepare_credit_terms(company, limit, today)
        return {partner: found[account.id] for partner, account in accounts.items()}

    def _prepare_credit_terms(self, company, limit, today):
        policy = self.credit_policy_id or company.sale_admin_credit_policy_id
        rules = policy._get_rules()
        expired = limit._get_expiry(today, rules["grace"]) if limit else None
        if limit and not expired and limit.mode not in ("policy", "shared"):
            mode, amount = limit.mode, limit.amount
        elif policy:
            mode, amount = rules["mode"], rules["amount"]
        else:
            mode, amount = ("limit" if self.credit_limit else "no_limit"), self.credit_limit
        amount = amount if mode == "limit" else 0.0
        return {
            **rules,
            "mode": mode,
            "amount": amount,
            "tolerance": company.currency_id.round(amount * rules["tolerance_percent"] / 100),
            "date_end": limit.date_end,
            "expired": expired,
            "policy": policy,
            "limit": limit,
        }

    @api.model
    def _get_core_credit_limit(self, terms, company):
        """Return what core's ``credit_limit`` can say of the terms: 0 means no limit there, so no
        credit at all is its smallest amount."""
        if terms["mode"] == "no_credit":
            return company.currency_id.rounding
        return terms["amount"] if terms["mode"] == "limit" else 0.0

    def _follow_credit_terms(self, company):
        """Let core's credit limit say what is granted, and orders that wait be judged anew."""
        company = company.root_id.sudo()
        customers = self.sudo().commercial_partner_id
        customers |= self.sudo().search([("credit_head_id", "in", customers.ids)])
        customers = customers.filtered(lambda p: p._is_credit_ruled(company))
        terms = customers._get_credit_terms(company)
        changed = self.sudo()
        for branch in self.env["res.company"].sudo().search([("id", "child_of", company.id)]):
            for customer in customers.with_company(branch):
                amount = self._get_core_credit_limit(terms[customer], company)
                if customer.credit_limit != amount:
                    family = customer.search([("commercial_partner_id", "=", customer.id)])
                    (customer | family)._set_credit({"credit_limit": amount})
                    changed |= customer
        if changed:
            self.env["sale.admin.hold"]._mark_recheck(partners=changed)

    @api.model
    def _adopt_core_limits(self, company, partners=None):
        """Take over the limits of core, when a policy begins to rule, as the first of the history.

        :param partners: customers to look at, all if not given
        """
        company = company.root_id
        self.flush_model()
        self.env["sale.admin.credit.limit"].flush_model()
        fallback = self.with_company(company)._get_core_fallback()
        self.env.cr.execute(
            SQL(
                """INSERT INTO sale_admin_credit_limit (
                       partner_id, company_id, mode, amount, date_start, state, reason,
                       editor_id, create_uid, create_date, write_uid, write_date)
                   SELECT customer.id, %(company)s,
                          CASE WHEN core.amount > 0 THEN 'limit' ELSE 'no_limit' END,
                          core.amount, %(today)s, 'approved', %(reason)s,
                          %(uid)s, %(uid)s, %(now)s, %(uid)s, %(now)s
                     FROM res_partner customer
                     JOIN LATERAL (
                          SELECT (customer.credit_limit->>%(key)s)::numeric
                          ) core(amount) ON TRUE
                    WHERE customer.commercial_partner_id = customer.id %(condition)s
                      AND core.amount IS NOT NULL AND core.amount <> %(fallback)s
                      AND NOT EXISTS (
                          SELECT FROM sale_admin_credit_limit known
                           WHERE known.partner_id = customer.id
                             AND known.company_id = %(company)s AND known.state = 'approved')""",
                company=company.id,
                key=str(company.id),
                today=company._sale_admin_today(),
                reason=self.env._("Taken over from the customer's credit limit in accounting."),
                uid=self.env.uid,
                now=fields.Datetime.now(),
                fallback=fallback,
                condition=SQL("AND customer.id IN %s", tuple(partners.ids)) if partners else SQL(),
            )
        )
        self.env["sale.admin.credit.limit"].invalidate_model()

    # === EXPOSURE === #
    def _get_credit_situations(
        self, company, accounts=None, terms=None, without_orders=None, with_group=True
    ):
        """Return what each account owes and will owe to a company and its branches.

        One SQL statement for any number of accounts. What is not yet written is flushed first.

        :param accounts: ``{partner: account}``, found by `_get_credit_accounts` if not given
        :param terms: days and horizon of the partners or accounts, see `_get_credit_terms`
        :param without_orders: orders that are left out
        :param with_group: whether heads of groups answer for the whole group
        :return: ``{account: dict}`` in the company's currency, taxes included: ``exposure`` and its
            parts ``receivable``, ``order``, ``shipped``; ``overdue`` (older than the terms' days,
            less ``unallocated`` payments and credit notes) and ``oldest`` (due date of the oldest
            open invoice)
        """
        company = company.root_id
        today = company._sale_admin_today()
        accounts = self._get_credit_accounts(company) if accounts is None else accounts
        ids = sorted({account._origin.id for account in accounts.values() if account._origin})
        if not ids:
            return {}
        by_id = {
            account._origin.id: terms.get(account) or terms.get(partner) or {}
            for partner, account in (accounts.items() if terms else ())
        }
        horizons, due_before = [], []
        for account_id in ids:
            term = by_id.get(account_id, {})
            days = term.get("horizon")
            horizons.append(today + timedelta(days) if days else date.max)
            due_before.append(today - timedelta(term.get("overdue_days", 0)))
        self._flush_credit(without_orders)
        rows = self.env.execute_query(
            SQL(
                """SELECT account.id, receivable.amount + open_order.amount + open_order.shipped,
                          receivable.amount, open_order.amount, open_order.shipped,
                          receivable.overdue, receivable.unallocated, receivable.oldest
                     FROM unnest(%(ids)s::int[], %(horizons)s::date[], %(due_before)s::date[])
                          AS account(id, horizon, due_before)
                    CROSS JOIN LATERAL (%(receivable)s) receivable
                    CROSS JOIN LATERAL (%(open_order)s) open_order""",
                ids=ids,
                horizons=horizons,
                due_before=due_before,
                receivable=self._sql_credit_receivable(company, with_group),
                open_order=self._sql_credit_orders(company, without_orders, with_group),
            )
        )
        return {
            self.browse(account_id): dict(zip(SITUATION, values, strict=True))
            for account_id, *values in rows
        }

    @api.model
    def _flush_credit(self, without_orders=None):
        """Write what the statement reads; orders that it leaves out are written later, at once
        with all that changes of them."""
        orders = self.env["sale.order"]
        names = [
            "credit_partner_id",
            "company_id",
            "amount_exposed",
            "amount_exposed_shipped",
            "commitment_date",
        ]
        left_out = set(without_orders.ids) if without_orders else set()
        pending = set()
        for name in names:
            field = orders._fields[name]
            pending.update(self.env.records_to_compute(field)._ids)
            pending.update(self.env._field_dirty.get(field, ()))
        if pending - left_out:
            orders.flush_model(names)
        self.env["account.move.line"].flush_model(
            [
                "partner_id",
                "company_id",
                "account_id",
                "parent_state",
                "amount_residual",
                "date_maturity",
                "matching_number",
            ]
        )
        self.env["account.partial.reconcile"].flush_model(["amount"])
        self.env["res.partner"].flush_model(["commercial_partner_id", "credit_head_id"])

    @api.model
    def _sql_credit_customers(self, with_group=True):
        """The customers of ``account.id``: the account itself, and who shares its limit."""
        if not with_group:
            return SQL("SELECT account.id")
        return SQL(
            "SELECT account.id UNION SELECT id FROM res_partner WHERE credit_head_id = account.id"
        )

    @api.model
    def _sql_credit_companies(self, company):
        """A company and its branches; not given: those of ``company``, a row of the statement."""
        path = SQL("%s", company.parent_path) if company else SQL("company.parent_path")
        return SQL("ANY(ARRAY(SELECT id FROM res_company WHERE parent_path LIKE %s || '%%'))", path)

    @api.model
    def _sql_credit_receivable(self, company, with_group=True):
        """The open items of ``account.id``; overdue are those due before ``account.due_before``.

        An entry set back to draft keeps its reconciliation, so what it settled is owed again: that
        is added to the residuals.
        """
        return SQL(
            """SELECT coalesce(sum(amount), 0) AS amount,
                      greatest(coalesce(sum(amount) FILTER (
                          WHERE amount < 0 OR date_maturity < account.due_before), 0), 0
                      ) AS overdue,
                      coalesce(sum(amount) FILTER (WHERE amount < 0), 0) AS unallocated,
                      min(date_maturity) FILTER (WHERE amount > 0) AS oldest
                 FROM (
                   SELECT line.amount_residual AS amount, line.date_maturity
                     FROM res_partner contact
                     JOIN account_move_line line ON line.partner_id = contact.id
                    WHERE contact.commercial_partner_id IN (%(customers)s)
                      AND line.parent_state = 'posted' AND line.amount_residual <> 0
                      AND line.company_id = %(companies)s AND line.account_id = %(accounts)s
                    UNION ALL
                   SELECT CASE WHEN settled.id = partial.debit_move_id THEN partial.amount
                               ELSE -partial.amount END,
                          settled.date_maturity
                     FROM res_partner contact
                     JOIN account_move_line draft ON draft.partner_id = contact.id
                     JOIN LATERAL (
                          SELECT * FROM account_partial_reconcile WHERE debit_move_id = draft.id
                           UNION ALL
                          SELECT * FROM account_partial_reconcile WHERE credit_move_id = draft.id
                          ) partial ON TRUE
                     JOIN account_move_line settled
                       ON settled.id IN (partial.debit_move_id, partial.credit_move_id)
                      AND settled.id <> draft.id
                    WHERE contact.commercial_partner_id IN (%(customers)s)
                      AND draft.parent_state = 'draft' AND draft.matching_number IS NOT NULL
                      AND draft.company_id = %(companies)s AND draft.account_id = %(accounts)s
                      AND settled.parent_state = 'posted'
                   ) item""",
            customers=self._sql_credit_customers(with_group),
            companies=self._sql_credit_companies(company),
            accounts=SQL(
                "ANY(ARRAY(SELECT id FROM account_account WHERE account_type = 'asset_receivable'))"
            ),
        )

    @api.model
    def _sql_credit_orders(self, company, without_orders=None, with_group=True):
        """What the orders of ``account.id`` add; those promised for after ``account.horizon`` only
        by what was shipped of them."""
        return SQL(
            """SELECT coalesce(sum(CASE WHEN orders.commitment_date >= account.horizon + 1 THEN 0
                                        ELSE amount_exposed - amount_exposed_shipped END), 0)
                          AS amount,
                      coalesce(sum(amount_exposed_shipped), 0) AS shipped
                 FROM sale_order orders
                WHERE orders.credit_partner_id IN (%(customers)s)
                  AND orders.amount_exposed <> 0 AND orders.company_id = %(companies)s
                      %(condition)s""",
            customers=self._sql_credit_customers(with_group),
            companies=self._sql_credit_companies(company),
            condition=SQL("AND orders.id NOT IN %s", tuple(without_orders.ids))
            if without_orders
            else SQL(),
        )

    # === BANNER === #
    def _get_credit_warnings(self, company, asked, without_orders=None):
        """Return what stands against documents, in words that the current user may read.

        :param asked: ``{document: (partner, amount)}``: what each alone adds to the exposure of
            its payer, in the company's currency
        :param without_orders: orders left out of the exposure
        :return: ``{document: text}``, empty texts where all is well
        """
        partners = self.sudo().union(*(partner for partner, _amount in asked.values()))
        accounts = partners._get_credit_accounts(company)
        terms = partners._get_credit_terms(company)
        figures = partners._get_credit_situations(company, accounts, terms, without_orders)
        sees_money = self.env.su or self.env.user.has_groups(MONEY_GROUPS)
        return {
            document: self._get_credit_warning(
                company,
                accounts[partner],
                terms[partner],
                figures[accounts[partner]],
                amount,
                sees_money,
            )
            for document, (partner, amount) in asked.items()
        }

    @api.model
    def _get_credit_warning(self, company, account, terms, figures, amount, sees_money):
        currency = company.currency_id
        exposure = figures["exposure"] + amount
        lines = []
        if (
            terms["mode"] != "no_limit"
            and currency.compare_amounts(amount, 0) > 0
            and currency.compare_amounts(exposure, terms["amount"] + terms["tolerance"]) > 0
        ):
            if terms["mode"] == "no_credit":
                lines.append(self.env._("%s has no credit.", account.name))
            elif sees_money:
                lines.append(
                    self.env._(
                        "%(customer)s exceeds the credit limit of %(limit)s: %(exposure)s with "
                        "this document.",
                        customer=account.name,
                        limit=formatLang(self.env, terms["amount"], currency_obj=currency),
                        exposure=formatLang(self.env, exposure, currency_obj=currency),
                    )
                )
            else:
                lines.append(self.env._("%s exceeds the credit limit.", account.name))
        if currency.compare_amounts(figures["overdue"], terms["overdue_amount"]) > 0:
            if sees_money:
                amount = formatLang(self.env, figures["overdue"], currency_obj=currency)
                lines.append(
                    self.env._(
                        "%(amount)s of %(customer)s are overdue.",
                        amount=amount,
                        customer=account.name,
                    )
                )
            else:
                lines.append(self.env._("%s has overdue invoices.", account.name))
        return "\n".join(lines)
