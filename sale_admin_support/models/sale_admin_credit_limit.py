from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .sale_admin_credit_policy import MODES

CREDIT_GROUP = "sale_admin_support.group_sale_admin_credit"


class SaleAdminCreditLimit(models.Model):
    """What a customer may owe: asked for by one person, approved by another credit controller.

    Once asked for it is not changed any more, once decided neither: the records of a customer are
    the history of its credit. The limit in force is the one that began last; a temporary limit
    gives way to the one before when it ends. Core's ``credit_limit`` follows.
    """

    _name = "sale.admin.credit.limit"
    _inherit = ["sale.admin.guarded", "mail.thread", "mail.activity.mixin"]
    _description = "Credit Limit"
    _order = "date_start desc, id desc"
    _check_company_auto = True

    # === FIELDS === #
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="restrict",
        tracking=True,
        domain="[('parent_id', '=', False)]",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company.root_id,
        help="Branches share the limits of their company.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    mode = fields.Selection(
        [
            *MODES,
            ("shared", "Shares another customer's limit"),
            ("policy", "As the policy says"),
        ],
        string="Kind",
        required=True,
        default="limit",
        tracking=True,
    )
    amount = fields.Monetary(string="Limit", tracking=True)
    head_id = fields.Many2one(
        "res.partner",
        string="Shares the Limit of",
        ondelete="restrict",
        tracking=True,
        domain="[('parent_id', '=', False), ('id', '!=', partner_id)]",
        help="What both owe counts together against this customer's limit.",
    )
    policy_id = fields.Many2one(
        "sale.admin.credit.policy",
        string="Credit Policy",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="The customer's policy from then on. Empty: it keeps the one that it has.",
    )
    date_start = fields.Date(
        string="From",
        required=True,
        tracking=True,
        default=lambda self: self.env.company._sale_admin_today(),
    )
    date_end = fields.Date(string="Until", tracking=True, help="Its last day. Empty: no end.")
    is_temporary = fields.Boolean(
        string="Temporary",
        tracking=True,
        help="When it ends, the limit before it holds again. Otherwise the customer then has no "
        "limit, until a new one is approved.",
    )
    reason = fields.Text(tracking=True)
    file = fields.Binary(attachment=True, copy=False)
    file_name = fields.Char(copy=False)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "To Approve"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("withdrawn", "Withdrawn"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    # --- who, when, on which figures
    editor_id = fields.Many2one(
        "res.users", string="Last Edited by", readonly=True, copy=False, ondelete="restrict"
    )
    requested_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    requested_at = fields.Datetime(readonly=True, copy=False)
    decided_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    decided_at = fields.Datetime(readonly=True, copy=False)
    note = fields.Char(string="Note on the Decision", readonly=True, copy=False)
    amount_before = fields.Monetary(
        string="Limit before", readonly=True, copy=False, help="When it was asked for."
    )
    amount_exposure = fields.Monetary(
        string="Exposure", readonly=True, copy=False, help="When it was decided, else asked for."
    )
    amount_overdue = fields.Monetary(
        string="Overdue", readonly=True, copy=False, help="When it was decided, else asked for."
    )
    is_in_force = fields.Boolean(
        string="In Force", compute="_compute_is_in_force", search="_search_is_in_force"
    )

    # === CONSTRAINTS AND INDEXES === #
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "A credit limit cannot be negative."
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)",
        "A credit limit cannot end before it begins.",
    )
    _approved_idx = models.Index("(partner_id, company_id, date_start) WHERE state = 'approved'")

    # === COMPUTE METHODS === #
    @api.depends("partner_id", "mode", "amount", "head_id")
    def _compute_display_name(self):
        for limit in self:
            limit.display_name = (
                f"{limit.partner_id.name}: {limit._get_description()}"
                if limit.partner_id
                else self.env._("New")
            )

    def _compute_is_in_force(self):
        for company, limits in self.grouped("company_id").items():
            in_force = self.sudo()._get_in_force(limits.partner_id, company)
            for limit in limits:
                limit.is_in_force = limit in in_force.values()

    def _search_is_in_force(self, operator, value):
        if operator != "in":
            return NotImplemented
        ids = []
        for company in self.env.companies.root_id:
            partners = self.sudo().search(self._get_approved_domain(company)).partner_id
            ids += [limit.id for limit in self.sudo()._get_in_force(partners, company).values()]
        return [("id", "in", ids)]

    # === CONSTRAINT METHODS === #
    @api.constrains("partner_id", "head_id", "mode", "amount", "company_id", "is_temporary")
    def _check_terms(self):
        for limit in self:
            if problems := limit._get_problems_of_terms():
                raise ValidationError("\n".join(problems))

    @api.constrains("file")
    def _check_file(self):
        for limit in self:
            limit.company_id._check_sale_admin_file(limit.file)

    def _get_problems_of_terms(self):
        """Hook: what is wrong with what is asked for."""
        problems = []
        if self.partner_id.commercial_partner_id != self.partner_id:
            problems.append(
                self.env._(
                    "Limits belong to the company: choose %s.",
                    self.partner_id.commercial_partner_id.display_name,
                )
            )
        if self.company_id != self.company_id.root_id:
            problems.append(self.env._("Branches share the limits of their company."))
        if self.mode == "limit" and self.currency_id.is_zero(self.amount):
            problems.append(
                self.env._("A limit needs an amount. To grant nothing, choose “No credit at all”.")
            )
        if self.mode == "shared":
            problems += self._get_problems_of_sharing()
        if self.is_temporary and not self.date_end:
            problems.append(self.env._("A temporary limit needs an end."))
        return problems

    def _get_problems_of_sharing(self):
        head, partner = self.head_id.sudo(), self.partner_id.sudo()
        if not head or head == partner or head != head.commercial_partner_id:
            return [self.env._("Choose another company whose limit is shared.")]
        if head.credit_head_id:
            return [
                self.env._(
                    "%(customer)s itself shares the limit of %(head)s: choose that one.",
                    customer=head.name,
                    head=head.credit_head_id.name,
                )
            ]
        if self.env["res.partner"].sudo().search_count([("credit_head_id", "=", partner.id)], 1):
            return [
                self.env._("Others share the limit of %s: it heads a group.", partner.name),
            ]
        if self.date_end:
            return [self.env._("Sharing has no end: ask for an own limit to leave the group.")]
        return []

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_server_fields(vals)
        return super().create([{**vals, "editor_id": self.env.uid} for vals in vals_list])

    def write(self, vals):
        self._check_server_fields(vals)
        if self._get_content_fields() & vals.keys():
            for limit in self.filtered(lambda limit: limit.state != "draft"):
                raise UserError(
                    self.env._(
                        "%s is no draft any more: withdraw it and ask anew.", limit.display_name
                    )
                )
            vals = {**vals, "editor_id": self.env.uid}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_requested(self):
        for limit in self.filtered(lambda limit: limit.state != "draft"):
            raise UserError(
                self.env._("%s belongs to the history of the customer.", limit.display_name)
            )

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {
            "state",
            "editor_id",
            "requested_by_id",
            "requested_at",
            "decided_by_id",
            "decided_at",
            "note",
            "amount_before",
            "amount_exposure",
            "amount_overdue",
        }

    @api.model
    def _get_content_fields(self):
        return {
            "partner_id",
            "company_id",
            "mode",
            "amount",
            "head_id",
            "policy_id",
            "date_start",
            "date_end",
            "is_temporary",
            "reason",
            "file",
            "file_name",
        }

    # === ACTION METHODS === #
    def action_request(self):
        """Ask another credit controller to approve."""
        for limit in self:
            limit._request()
        return True

    def action_approve(self, note=None):
        for limit in self:
            limit._decide("approved", note)
        return True

    def action_refuse(self, note=None):
        for limit in self:
            limit._decide("refused", note)
        return True

    def action_withdraw(self):
        """Take the request back; who asked, or any credit controller."""
        for limit in self:
            limit._withdraw()
        return True

    # === BUSINESS METHODS === #
    def _request(self):
        self.ensure_one()
        self.check_access("write")
        problems = self._get_problems_of_terms()
        if self.state != "draft":
            problems.append(self.env._("It was asked for already."))
        if not self.reason:
            problems.append(self.env._("Give the reason."))
        self._raise(problems)
        self._set(
            {
                "state": "requested",
                "requested_by_id": self.env.uid,
                "requested_at": fields.Datetime.now(),
                "amount_before": self._get_amount_before(),
                **self._get_figures(),
            }
        )

    def _decide(self, state, note=None):
        """Approve or refuse; what is approved rules from its first day on."""
        self.ensure_one()
        self.check_access("write")
        self._raise(self._get_problems_of_decision(state))
        accounts = self.partner_id | self.head_id
        self.env["sale.admin.credit.lock"].sudo()._serialize(
            (self.company_id, account) for account in accounts
        )
        self._set(
            {
                "state": state,
                "decided_by_id": self.env.uid,
                "decided_at": fields.Datetime.now(),
                "note": note,
                **self._get_figures(),
            }
        )
        if state == "approved":
            self._apply()

    def _withdraw(self):
        self.ensure_one()
        problems = []
        if self.state not in ("draft", "requested"):
            problems.append(self.env._("It is decided: ask for a new limit."))
        user = self.env.user
        if user != self.requested_by_id and not user.has_group(CREDIT_GROUP):
            problems.append(self.env._("Only who asked, or a credit controller, withdraws it."))
        self._raise(problems)
        self._set({"state": "withdrawn"})

    def _raise(self, problems):
        """:raise UserError: naming the record and all problems"""
        if problems:
            raise UserError("\n".join([self.display_name, *(f"- {text}" for text in problems)]))

    def _get_problems_of_decision(self, state):
        """Hook: what stands against the current user's decision."""
        problems = []
        user = self.env.user
        if self.state != "requested":
            problems.append(self.env._("Only what was asked for is decided."))
        if not user.has_group(CREDIT_GROUP):
            problems.append(self.env._("Limits are decided by a credit controller."))
        if state == "approved":
            if user in self.requested_by_id | self.editor_id | self.create_uid:
                problems.append(
                    self.env._("You asked for it: another credit controller has to approve it.")
                )
            if self.date_end and self.date_end < self.company_id._sale_admin_today():
                problems.append(self.env._("It has ended already."))
            problems += self._get_problems_of_terms()
        return problems

    def _get_description(self):
        self.ensure_one()
        if self.mode == "limit":
            return self.currency_id.format(self.amount) if self.currency_id else str(self.amount)
        if self.mode == "shared":
            return self.env._("shares the limit of %s", self.head_id.name)
        return dict(self._fields["mode"]._description_selection(self.env))[self.mode]

    def _get_amount_before(self):
        terms = self.partner_id.sudo()._get_credit_terms(self.company_id)[self.partner_id.sudo()]
        return terms["amount"]

    def _get_figures(self):
        partner = self.partner_id.sudo()
        terms = partner._get_credit_terms(self.company_id)
        [situation] = partner._get_credit_situations(self.company_id, terms=terms).values()
        return {
            "amount_exposure": situation["exposure"],
            "amount_overdue": situation["overdue"],
        }

    def _apply(self):
        """Let the customer, core's field and the orders that wait follow an approved limit."""
        partners = self.env["res.partner"].sudo()
        for limit in self.sudo():
            partner = limit.partner_id
            if limit.date_start <= limit.company_id._sale_admin_today():
                limit._put_in_force()
            partners |= partner | limit.head_id
            partner._message_log(body=self.env._("A new credit limit was approved."))
        for company in self.company_id:
            partners._follow_credit_terms(company)
        self.env["sale.admin.hold"]._mark_recheck(partners=partners)

    def _put_in_force(self):
        """Let the customer join or leave a group, and have its policy."""
        self.ensure_one()
        partner = self.partner_id.sudo().with_company(self.company_id)
        vals = {"credit_head_id": self.head_id.id}
        if self.policy_id:
            vals["credit_policy_id"] = self.policy_id.id
        if any(partner[name].id != value for name, value in vals.items()):
            partner._set_credit(vals)

    @api.model
    def _get_approved_domain(self, company):
        return Domain("company_id", "=", company.id) & Domain("state", "=", "approved")

    @api.model
    def _get_in_force(self, partners, company, today=None):
        """Return ``{partner: limit}``: what rules each customer, ended limits included.

        The limit that began last, or the temporary one that runs now and began after it.
        """
        today = today or company._sale_admin_today()
        limits = self.search_fetch(
            self._get_approved_domain(company)
            & Domain("partner_id", "in", partners.ids)
            & Domain("date_start", "<=", today),
            [
                "partner_id",
                "mode",
                "amount",
                "head_id",
                "policy_id",
                "date_start",
                "date_end",
                "is_temporary",
            ],
            order="date_start, id",
        )
        return {
            limit.partner_id: limit
            for limit in limits
            if not limit.is_temporary or limit.date_end >= today
        }

    def _get_expiry(self, today, grace_days):
        """Return the day on which the limit ended, if the grace days are over too."""
        if self.date_end and self.date_end + timedelta(grace_days) < today:
            return self.date_end
        return None

    # === JOBS === #
    @api.model
    def _cron_follow_dates(self):
        """Let customers follow the limits that began or ended since the last run.

        Limits are read by their dates when orders are judged; what follows here is core's field,
        who belongs to a group, and the orders that wait.
        """
        for company in self.env["res.company"].sudo().search([("parent_id", "=", False)]):
            limits = self.sudo().search(self._get_approved_domain(company))
            partners = limits.partner_id
            for limit in self.sudo()._get_in_force(partners, company).values():
                limit._put_in_force()
            partners._follow_credit_terms(company)
            self.env["ir.cron"]._commit_progress(len(limits))

    # === DEMONSTRATION === #
    @api.model
    def _load_demo(self):
        """Grant the demo company's customers their credit; called by the demo data alone."""
        from ..demo.credit import CreditOffice

        CreditOffice(self.env).grant()
