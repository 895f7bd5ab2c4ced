import logging
import math

import psycopg2
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache
from odoo.tools.safe_eval import datetime, safe_eval

_logger = logging.getLogger(__name__)

STAGES = [
    ("handover", "Hand-over: no work starts"),
    ("ship", "Shipping: the transfer waits"),
    ("invoice", "Invoicing: the invoice waits"),
]
SEVERITIES = [
    ("shadow", "Watch: record, stop nothing"),
    ("warn", "Warn: show, stop nothing"),
    ("block", "Hold"),
]
SETS = [("basic", "Basic"), ("strict", "Strict")]


class SaleAdminCheck(models.Model):
    """A rule that orders are judged by; switched off until a company wants it.

    Its kind is a method ``_check_<kind>``, found by name, so that a bridge adds a kind with a
    selection value and a method. The kinds have their parameters and methods in files of their
    own: ``sale_admin_check_<what>.py``.
    """

    _name = "sale.admin.check"
    _description = "Order Check"
    _order = "sequence, id"
    _check_company_auto = True

    # === FIELDS === #
    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=False, string="Switched On", copy=False)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [("domain", "Own rule")], string="What Is Checked", required=True, default="domain"
    )
    stage = fields.Selection(
        STAGES,
        string="What Waits",
        required=True,
        default="handover",
        help="What an order that fails is kept from.",
    )
    severity = fields.Selection(
        SEVERITIES,
        string="What Happens",
        required=True,
        default="block",
        help="To an order that "
        "fails. Watch a new check for some weeks and look at Reporting > Watched Checks before it "
        "holds orders.",
    )
    company_id = fields.Many2one(
        "res.company", index=True, help="Empty: for all companies.", ondelete="cascade"
    )
    currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_currency_id",
        store=True,
        precompute=True,
        help="The currency of this check's amounts: the company's.",
    )
    hint = fields.Char(
        string="What to Do",
        translate=True,
        help="Told to the salesperson with the reason: whom to ask, where to mend it.",
    )
    is_credit = fields.Boolean(compute="_compute_is_credit", store=True, precompute=True)
    # --- which orders
    team_ids = fields.Many2many(
        "crm.team", string="Sales Teams", check_company=True, ondelete="restrict"
    )
    channel_ids = fields.Many2many("sale.admin.channel", string="Channels", ondelete="restrict")
    partner_category_ids = fields.Many2many(
        "res.partner.category", string="Customer Tags", ondelete="restrict"
    )
    amount_min = fields.Monetary(
        string="Order Total From",
        help="Only orders of at least this total, taxes included, are checked. 0: all.",
    )
    amount_max = fields.Monetary(
        string="Order Total Up To",
        help="Only orders of at most this total, taxes included, are checked. 0: all.",
    )
    filter_domain = fields.Char(
        string="Only Orders That Match", help="Empty: all orders that the other filters leave."
    )
    # --- who releases
    release_group_id = fields.Many2one(
        "res.groups",
        string="Released By",
        required=True,
        default=lambda self: self.env.ref("sale_admin_support.group_sale_admin_manager"),
        ondelete="restrict",
    )
    authority_ids = fields.One2many(
        "sale.admin.check.authority", "check_id", string="Up to Which Amount", copy=True
    )
    # --- own rule
    rule_domain = fields.Char(string="Orders That Fail")
    message = fields.Char(
        string="What Is Wrong",
        translate=True,
        help="In the salesperson's words; empty: the check's name.",
    )

    # === CONSTRAINTS AND INDEXES === #
    _amounts_ordered = models.Constraint(
        "CHECK (amount_min >= 0 AND (amount_max = 0 OR amount_max >= amount_min))",
        "The totals of the orders to check: from a smaller amount up to a larger one.",
    )

    # === COMPUTE METHODS === #
    @api.depends("company_id.currency_id")
    def _compute_currency_id(self):
        for check in self:
            check.currency_id = (
                check.company_id.currency_id or check.currency_id or self.env.company.currency_id
            )

    @api.depends("kind")
    def _compute_is_credit(self):
        kinds = self._get_credit_kinds()
        for check in self:
            check.is_credit = check.kind in kinds

    # === CONSTRAINT METHODS === #
    @api.constrains("kind", "rule_domain", "filter_domain")
    def _check_domains(self):
        for check in self:
            if check.kind == "domain" and not check.rule_domain:
                raise ValidationError(
                    self.env._("%s: say which orders fail the check.", check.display_name)
                )
            for fname in self._get_domain_fields():
                check._check_domain_works(fname)

    def _check_domain_works(self, fname):
        """Try the domain on an order, as a judgement will.

        :raise ValidationError: naming the field and what is wrong with it
        """
        try:
            domain = self._get_domain(fname, self.company_id or self.env.company)
            domain.validate(self.env["sale.order"])
            self.env["sale.order"].new().filtered_domain(domain)
        except Exception as error:  # whatever a hand-written domain makes Odoo raise
            raise ValidationError(
                self.env._(
                    "%(check)s: “%(field)s” does not work on orders: %(error)s",
                    check=self.display_name,
                    field=self._fields[fname]._description_string(self.env),
                    error=str(error).splitlines()[0],
                )
            ) from error

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # === BUSINESS METHODS === #
    @api.model
    def _get_active(self, company):
        """Return the checks switched on for a company, with all rights, without a query."""
        return self.sudo().browse(self._get_active_ids(company.id))

    @api.model
    @ormcache("company_id")
    def _get_active_ids(self, company_id):
        """A branch is judged by its parents' checks too."""
        companies = self.env["res.company"].sudo().browse(company_id).parent_ids
        checks = self.sudo().search(
            [("active", "=", True), ("company_id", "in", [False, *companies.ids])]
        )
        return tuple(checks.ids)

    @api.model
    @ormcache()
    def _is_any_active(self):
        """Whether any company has a check switched on; without a query."""
        return bool(self.sudo().search_count([("active", "=", True)], limit=1))

    @api.model
    def _get_credit_kinds(self):
        """Hook: the kinds that read the customer's account; the engine judges them in sequence."""
        return set()

    @api.model
    def _get_domain_fields(self):
        """Hook: the fields that hold a domain over orders."""
        return ["filter_domain", "rule_domain"]

    def _evaluate(self, orders):
        """Judge the orders by this check alone; nothing is written, nothing is raised.

        The words are in the language of who reads them: the salesperson, else the company. A check
        that cannot be applied passes nobody in silence: its orders fail with that as the reason.

        :return: ``{order: result}`` of the orders that fail; a result is a dict with ``reason``
            (a sentence for the salesperson, without amounts that he may not see) and optionally
            ``detail`` (for who may see money), ``fix`` (``{"label", "model", "res_id", "field"}``:
            where to mend it), ``severity`` when it is milder than the check's own, and any figure
            of ``sale.admin.hold`` by its field's name
        """
        self.ensure_one()
        results = {}
        for (company, lang), group in self._group_by_reader(orders).items():
            check = self.sudo().with_company(company).with_context(lang=lang)
            group = group.with_env(check.env)
            try:
                group = check._filter_orders(group)
                found = getattr(check, f"_check_{check.kind}")(group) if group else {}
            except psycopg2.Error:  # the transaction has ended; the request is run again
                raise
            except Exception:
                _logger.exception("The check %s (%s) cannot be applied", check.name, check.id)
                found = {order: check._prepare_broken_result() for order in group}
            for order, result in found.items():
                results[orders.browse(order.id)] = check._with_hint(result)
        return results

    @api.model
    def _group_by_reader(self, orders):
        """Return the orders by company and by the language in which their holds are worded."""
        languages = self.env["res.lang"].get_installed()
        if len(languages) == 1:  # nothing to look up
            return orders.sudo().grouped(lambda order: (order.company_id, languages[0][0]))
        return orders.sudo().grouped(
            lambda order: (
                order.company_id,
                order.user_id.lang or order.company_id.partner_id.lang or self.env.lang,
            )
        )

    def _prepare_broken_result(self):
        return {
            "reason": self.env._(
                "The check “%s” could not be applied: ask a sales administration manager to "
                "correct it.",
                self.name,
            )
        }

    def _with_hint(self, result):
        if not self.hint:
            return result
        return {
            **result,
            "reason": self.env._("%(reason)s %(hint)s", reason=result["reason"], hint=self.hint),
        }

    # === FILTERS === #
    def _filter_orders(self, orders):
        """Return the orders of one company that this check looks at."""
        self.ensure_one()
        return orders.filtered_domain(self._get_concerned_domain(orders.company_id[:1]))

    def _get_concerned_domain(self, company):
        """Hook: the orders of `company` that all filters let pass, to search or to filter by."""
        self.ensure_one()
        allowed = self._get_filter_ids()
        domain = self._get_domain("filter_domain", company)
        if ids := allowed["team_ids"]:
            domain &= Domain("team_id", "in", list(ids))
        if ids := allowed["channel_ids"]:
            domain &= Domain("channel_id", "in", list(ids))
        if ids := allowed["partner_category_ids"]:
            tagged = Domain("category_id", "in", list(ids))
            domain &= Domain("partner_id", "any", tagged) | Domain(
                "partner_id.commercial_partner_id", "any", tagged
            )
        if self.amount_min or self.amount_max:
            domain &= self._get_amount_domain(company)
        return domain

    def _get_amount_domain(self, company):
        """The total with taxes at the order's own rate; a shared check's bounds at today's."""
        currency, today = company.currency_id, company._sale_admin_today()

        def convert(amount):
            return self.currency_id._convert(amount, currency, company, today)

        lowest = convert(self.amount_min) if self.amount_min else -math.inf
        highest = convert(self.amount_max) if self.amount_max else math.inf

        def to_sql(model, alias, query):
            return SQL(
                "ROUND((%s / COALESCE(NULLIF(%s, 0), 1))::numeric, %s) BETWEEN %s AND %s",
                model._field_to_sql(alias, "amount_total", query),
                model._field_to_sql(alias, "currency_rate", query),
                currency.decimal_places,
                lowest,
                highest,
            )

        def predicate(order):
            amount = currency.round(order.amount_total / (order.currency_rate or 1.0))
            return lowest <= amount <= highest

        return Domain.custom(to_sql=to_sql, predicate=predicate)

    @ormcache("self.id")
    def _get_filter_ids(self):
        """Return the related records by field, kept in memory: a judgement reads them in none."""
        check = self.sudo().with_context(active_test=False)
        return {fname: frozenset(check[fname].ids) for fname in self._get_filter_fields()}

    @api.model
    def _get_filter_fields(self):
        """Hook: the relations of a check that a judgement looks up by id."""
        return ["team_ids", "channel_ids", "partner_category_ids"]

    # === AUTHORITY === #
    def _get_authority_amount(self, user, company):
        """Return up to which amount a user may release holds of this check.

        Where amounts are laid down by role they alone count; otherwise the releasing group may
        release any amount.

        :return: in the currency of `company`; ``math.inf`` without limit, None when he may not
        """
        self.ensure_one()
        check = self.sudo()
        groups = user.sudo().all_group_ids
        if not check.authority_ids:
            return math.inf if check.release_group_id in groups else None
        amounts = [
            math.inf
            if authority.is_unlimited
            else check.currency_id._convert(
                authority.amount_max, company.currency_id, company, company._sale_admin_today()
            )
            for authority in check.authority_ids
            if authority.group_id in groups
        ]
        return max(amounts, default=None)

    # === OWN RULE === #
    def _check_domain(self, orders):
        domain = self._get_domain("rule_domain", orders.company_id[:1])
        return {
            order: {
                "reason": self.message or self.name,
                "fingerprint": order._get_terms_fingerprint(),
            }
            for order in orders.filtered_domain(domain)
        }

    def _get_domain(self, fname, company):
        """Return the field's domain, its days by the calendar of `company`."""
        today = company._sale_admin_today()
        return Domain(
            safe_eval(
                self[fname] or "[]",
                {
                    "company_id": company.id,
                    "context_today": lambda: today,
                    "datetime": datetime,
                    "relativedelta": relativedelta,
                    "today": today,
                },
            )
        )
