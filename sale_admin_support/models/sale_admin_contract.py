import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.misc import format_amount, format_date

_logger = logging.getLogger(__name__)

# A state leads to these only; every caller passes here, also an import or an RPC write.
TRANSITIONS = {
    "draft": {"to_sign", "active", "cancelled"},
    "to_sign": {"draft", "active", "cancelled"},
    "active": {"suspended", "done", "terminated"},
    "suspended": {"active", "done", "terminated"},
    "done": set(),
    "terminated": set(),
    "cancelled": {"draft"},
}
OPEN_STATES = ("draft", "to_sign")
RUNNING_STATES = ("active", "suspended")


class SaleAdminContract(models.Model):
    """The signed agreement with a customer, the orders under it and its execution schedule.

    Amounts are in the contract's currency; "untaxed" and "with taxes" are named in each field.
    """

    _name = "sale.admin.contract"
    _description = "Sales Contract"
    _inherit = [
        "sale.admin.guarded",
        "portal.mixin",
        "mail.thread.main.attachment",
        "mail.activity.mixin",
    ]
    _order = "id desc"
    _check_company_auto = True
    _rec_names_search = ["name", "title", "partner_ref", "partner_id.name"]

    # === FIELDS === #
    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default="/", index="trigram"
    )
    title = fields.Char(tracking=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_sign", "To Sign"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("done", "Done"),
            ("terminated", "Terminated"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        copy=False,
        index=True,
        tracking=True,
    )
    state_reason = fields.Text(
        string="Reason",
        copy=False,
        tracking=True,
        help="Why the contract was suspended, terminated, or closed with something open.",
    )
    kind = fields.Selection(
        [
            ("single", "Single Order"),
            ("framework", "Framework"),
            ("distribution", "Distribution"),
        ],
        default="single",
        required=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        tracking=True,
        check_company=True,
        ondelete="restrict",
        help="The company that signs. A contact chosen here becomes the signatory.",
    )
    signatory_id = fields.Many2one(
        "res.partner",
        check_company=True,
        ondelete="restrict",
        domain="[('commercial_partner_id', '=', partner_id)]",
    )
    partner_ref = fields.Char(string="Customer's Reference", copy=False, index="btree_not_null")
    payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment Terms",
        check_company=True,
        compute="_compute_payment_term_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        index=True,
        compute="_compute_user_id",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    admin_id = fields.Many2one(
        "res.users",
        string="Administrator",
        index=True,
        tracking=True,
        default=lambda self: self._default_admin_id(),
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        check_company=True,
        compute="_compute_team_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="set null",
    )
    # Both follow the customer chosen, not the customer's later moves: last month's statistics stay.
    country_id = fields.Many2one(
        "res.country",
        compute="_compute_region",
        store=True,
        precompute=True,
        help="The customer's country when the contract was opened.",
    )
    country_state_id = fields.Many2one(
        "res.country.state",
        string="Region",
        compute="_compute_region",
        store=True,
        precompute=True,
        help="The customer's region when the contract was opened.",
    )

    date_signed = fields.Date(string="Signed on", copy=False, tracking=True)
    date_start = fields.Date(string="Start", copy=False, tracking=True)
    date_end = fields.Date(string="End", copy=False, tracking=True)
    date_start_baseline = fields.Date(string="Start as Signed", readonly=True, copy=False)
    date_end_baseline = fields.Date(string="End as Signed", readonly=True, copy=False)
    date_activated = fields.Date(string="Active since", readonly=True, copy=False)
    renewal = fields.Selection(
        [
            ("none", "None"),
            ("negotiation", "By Negotiation"),
            ("tacit", "Tacit"),
        ],
        default="none",
        required=True,
        tracking=True,
        help="Tacit: goes on for the same term unless somebody gives notice.",
    )
    notice_days = fields.Integer(string="Notice Period (Days)", tracking=True)
    date_notice = fields.Date(
        string="Last Day for Notice", compute="_compute_date_notice", store=True, index=True
    )
    is_renewal_open = fields.Boolean(
        string="Renewal Window Open",
        compute="_compute_is_renewal_open",
        search="_search_is_renewal_open",
    )
    date_renewal_told = fields.Date(
        readonly=True,
        copy=False,
        help="The end for which the renewal activity was raised; technical.",
    )
    predecessor_id = fields.Many2one(
        "sale.admin.contract",
        string="Renews",
        check_company=True,
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    successor_ids = fields.One2many("sale.admin.contract", "predecessor_id", string="Renewed by")

    amount_untaxed = fields.Monetary(
        string="Value Untaxed",
        compute="_compute_amounts",
        store=True,
        readonly=False,
        tracking=True,
    )
    amount_total = fields.Monetary(
        string="Value with Taxes",
        compute="_compute_amounts",
        store=True,
        readonly=False,
    )
    amount_untaxed_baseline = fields.Monetary(
        string="Signed Value Untaxed", readonly=True, copy=False
    )
    amount_total_baseline = fields.Monetary(
        string="Signed Value with Taxes", readonly=True, copy=False
    )
    amount_ordered = fields.Monetary(
        string="Ordered Untaxed",
        compute="_compute_amount_ordered",
        store=True,
        help="The untaxed total of the confirmed orders under this contract.",
    )
    amount_remaining = fields.Monetary(
        string="Left to Call Off", compute="_compute_amount_remaining"
    )
    is_order_changed = fields.Boolean(
        string="Changed Behind the Contract",
        compute="_compute_is_order_changed",
        store=True,
        help="The confirmed orders differ from what was agreed, amendments included; for a "
        "framework, more was called off than committed.",
    )
    order_difference_text = fields.Text(
        string="Differences to the Orders", compute="_compute_order_difference_text"
    )
    amount_delivered = fields.Monetary(string="Delivered Untaxed", compute="_compute_fact_amounts")
    amount_invoiced = fields.Monetary(string="Invoiced Untaxed", compute="_compute_fact_amounts")
    amount_collected = fields.Monetary(
        string="Collected with Taxes", compute="_compute_fact_amounts"
    )

    percent_delivered = fields.Float(
        string="% Delivered", compute="_compute_fact_amounts", help="Of the value untaxed."
    )
    percent_invoiced = fields.Float(
        string="% Invoiced", compute="_compute_fact_amounts", help="Of the value untaxed."
    )
    percent_collected = fields.Float(
        string="% Collected", compute="_compute_fact_amounts", help="Of the value with taxes."
    )

    signed_file = fields.Binary(string="Signed Copy", attachment=True, copy=False)
    signed_file_name = fields.Char(copy=False)
    has_signed_file = fields.Boolean(
        compute="_compute_has_signed_file", search="_search_has_signed_file"
    )
    note = fields.Html(string="Internal Note")

    order_ids = fields.One2many("sale.order", "sale_contract_id", string="Orders", copy=False)
    order_count = fields.Integer(compute="_compute_order_count")
    invoice_count = fields.Integer(compute="_compute_invoice_count")
    line_ids = fields.One2many(
        "sale.admin.contract.line", "contract_id", string="Agreed Lines", copy=True
    )
    amendment_ids = fields.One2many(
        "sale.admin.contract.amendment", "contract_id", string="Amendments", copy=False
    )
    last_amendment_number = fields.Integer(readonly=True, copy=False)
    milestone_template_id = fields.Many2one(
        "sale.admin.milestone.template",
        string="Schedule Template",
        check_company=True,
        compute="_compute_milestone_template_id",
        store=True,
        readonly=False,
    )
    milestone_ids = fields.One2many(
        "sale.admin.milestone", "contract_id", string="Schedule", copy=False
    )
    has_fact_difference = fields.Boolean(
        string="Differs from Odoo's Figures",
        compute="_compute_has_fact_difference",
        search="_search_has_fact_difference",
        help="The facts of this running contract are not what Odoo's own fields say, and the "
        "documents do not explain it.",
    )
    is_schedule_missing = fields.Boolean(
        compute="_compute_is_schedule_missing", search="_search_is_schedule_missing"
    )

    # === CONSTRAINTS AND INDEXES === #
    _name_company_uniq = models.UniqueIndex(
        "(company_id, name) WHERE name != '/'",
        "This contract number is taken already in the company.",
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_end >= date_start)",
        "The contract ends before it starts: correct the start or the end.",
    )
    _notice_not_negative = models.Constraint(
        "CHECK (notice_days >= 0)", "The notice period cannot be negative."
    )
    _amounts_not_negative = models.Constraint(
        "CHECK (amount_untaxed >= 0 AND amount_total >= 0)",
        "The value of a contract cannot be negative.",
    )

    # === DEFAULTS === #
    def _default_admin_id(self):
        """The user at work, unless a customer or a job opens the contract."""
        user = self.env.user
        return user if user.has_group("sale_admin_support.group_sale_admin_user") else None

    # === COMPUTE METHODS === #
    @api.depends("name", "title", "partner_id")
    def _compute_display_name(self):
        for contract in self:
            number = contract.name if contract.name != "/" else False
            words = filter(None, [number, contract.title])
            contract.display_name = " · ".join(words) or contract.partner_id.name

    def _compute_access_url(self):
        super()._compute_access_url()
        for contract in self:
            contract.access_url = f"/my/contracts/{contract.id}"

    @api.depends("company_id")
    def _compute_currency_id(self):
        for contract in self:
            contract.currency_id = contract.currency_id or contract.company_id.currency_id

    @api.depends("partner_id", "company_id")
    def _compute_payment_term_id(self):
        for contract in self:
            customer = contract.partner_id.with_company(contract.company_id)
            contract.payment_term_id = contract.payment_term_id or customer.property_payment_term_id

    @api.depends("partner_id")
    def _compute_user_id(self):
        for contract in self:
            contract.user_id = contract.user_id or contract.partner_id.user_id

    @api.depends("user_id")
    def _compute_team_id(self):
        for contract in self:
            if contract.user_id and contract.user_id not in contract.team_id.member_ids:
                contract.team_id = self.env["crm.team"]._get_default_team_id(
                    user_id=contract.user_id.id,
                    domain=[("company_id", "in", [contract.company_id.id, False])],
                )
            else:
                contract.team_id = contract.team_id

    @api.depends("partner_id")
    def _compute_region(self):
        for contract in self:
            contract.country_id = contract.partner_id.country_id
            contract.country_state_id = contract.partner_id.state_id

    @api.depends("signed_file")
    def _compute_has_signed_file(self):
        """Without reading the files, for lists."""
        signed = self.search([("id", "in", self.ids), ("has_signed_file", "=", True)])
        for contract in self:
            contract.has_signed_file = contract._origin in signed

    def _search_has_signed_file(self, operator, value):
        if operator != "in":
            return NotImplemented
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            ._search([("res_model", "=", self._name), ("res_field", "=", "signed_file")])
        )
        return [("id", "in", attachments.subselect("res_id"))]

    @api.depends("date_end", "notice_days")
    def _compute_date_notice(self):
        for contract in self:
            contract.date_notice = contract.date_end and fields.Date.subtract(
                contract.date_end, days=contract.notice_days
            )

    @api.depends("state", "renewal", "date_notice", "successor_ids.state")
    def _compute_is_renewal_open(self):
        open_contracts = self.filtered_domain(self._get_renewal_domain(self.company_id))
        open_contracts.is_renewal_open = True
        (self - open_contracts).is_renewal_open = False

    def _search_is_renewal_open(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._get_renewal_domain(self.env["res.company"].sudo().search([]))

    @api.model
    def _get_renewal_domain(self, companies):
        """Running contracts to be renewed or given notice of, from the company's window on."""
        windows = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain(
                "date_notice",
                "<=",
                fields.Date.add(company._sale_admin_today(), days=company.sale_admin_renewal_days),
            )
            for company in companies
        )
        return (
            Domain("state", "in", RUNNING_STATES)
            & Domain("renewal", "!=", "none")
            & ~Domain("successor_ids", "any", [("state", "!=", "cancelled")])
            & windows
        )

    @api.depends(
        "kind",
        "state",
        "order_ids.amount_untaxed",
        "order_ids.amount_total",
        "order_ids.state",
        "line_ids.price_subtotal",
        "line_ids.price_total",
        "amount_untaxed_baseline",
        "amount_total_baseline",
        "amendment_ids.state",
    )
    def _compute_amounts(self):
        for contract in self:
            if contract.state not in OPEN_STATES and contract.date_activated:
                approved = contract.amendment_ids.filtered(lambda a: a.state == "approved")
                untaxed = contract.amount_untaxed_baseline + sum(
                    approved.mapped("amount_untaxed_delta")
                )
                total = contract.amount_total_baseline + sum(approved.mapped("amount_total_delta"))
            elif orders := contract._get_agreed_orders():
                untaxed = sum(orders.mapped("amount_untaxed"))
                total = sum(orders.mapped("amount_total"))
            elif contract.line_ids:
                untaxed = sum(contract.line_ids.mapped("price_subtotal"))
                total = sum(contract.line_ids.mapped("price_total"))
            else:
                untaxed, total = contract.amount_untaxed, contract.amount_total
            contract.amount_untaxed = untaxed
            contract.amount_total = total

    @api.depends("order_ids.amount_untaxed", "order_ids.state")
    def _compute_amount_ordered(self):
        for contract in self:
            confirmed = contract.order_ids.filtered(lambda o: o.state == "sale")
            contract.amount_ordered = sum(confirmed.mapped("amount_untaxed"))

    @api.depends("amount_untaxed", "amount_ordered")
    def _compute_amount_remaining(self):
        for contract in self:
            contract.amount_remaining = contract.amount_untaxed - contract.amount_ordered

    @api.depends(
        "kind",
        "state",
        "amount_untaxed",
        "amount_ordered",
        "order_ids.state",
        "order_ids.order_line.product_id",
        "order_ids.order_line.product_uom_qty",
        "order_ids.order_line.price_subtotal",
        "line_ids.quantity",
        "line_ids.price_subtotal",
    )
    def _compute_is_order_changed(self):
        for contract in self:
            contract.is_order_changed = contract.state in RUNNING_STATES and bool(
                contract._get_order_differences()
            )

    @api.depends("is_order_changed")
    def _compute_order_difference_text(self):
        for contract in self:
            texts = contract._get_order_difference_lines() if contract.is_order_changed else []
            contract.order_difference_text = "\n".join(texts)

    @api.depends("order_ids", "amount_untaxed", "amount_total")
    def _compute_fact_amounts(self):
        for contract, executed in self._get_executed().items():
            contract.amount_delivered = executed["delivered"]
            contract.amount_invoiced = executed["invoiced"]
            contract.amount_collected = executed["collected"]
            untaxed, total = contract.amount_untaxed, contract.amount_total
            contract.percent_delivered = untaxed and 100 * executed["delivered"] / untaxed
            contract.percent_invoiced = untaxed and 100 * executed["invoiced"] / untaxed
            contract.percent_collected = total and 100 * executed["collected"] / total

    @api.depends("order_ids")
    def _compute_order_count(self):
        counts = dict(
            self.env["sale.order"]._read_group(
                [("sale_contract_id", "in", self.ids)], ["sale_contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.order_count = counts.get(contract._origin, 0)

    def _compute_invoice_count(self):
        for contract in self:
            contract.invoice_count = len(contract._get_invoices())

    @api.depends("kind", "partner_id", "order_ids")
    def _compute_milestone_template_id(self):
        for contract in self:
            if contract.state in OPEN_STATES and not contract.milestone_template_id:
                contract.milestone_template_id = self.env["sale.admin.milestone.template"]._propose(
                    contract
                )
            else:
                contract.milestone_template_id = contract.milestone_template_id

    @api.depends("state", "milestone_ids")
    def _compute_is_schedule_missing(self):
        for contract in self:
            contract.is_schedule_missing = (
                contract.state in (*OPEN_STATES, *RUNNING_STATES) and not contract.milestone_ids
            )

    def _search_is_schedule_missing(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [
            ("state", "in", [*OPEN_STATES, *RUNNING_STATES]),
            ("milestone_ids", "=", False),
        ]

    def _compute_has_fact_difference(self):
        difference_model = self.env["sale.admin.fact.difference"]
        contracts = difference_model._get_contracts_to_look_at(self)
        for contract in self:
            contract.has_fact_difference = contract._origin in contracts

    def _search_has_fact_difference(self, operator, value):
        if operator != "in":
            return NotImplemented
        contracts = self.env["sale.admin.fact.difference"]._get_contracts_to_look_at()
        return [("id", "in", contracts.ids)]

    # === CONSTRAINT METHODS === #
    @api.constrains("partner_id", "company_id", "currency_id")
    def _check_orders_agree(self):
        self.order_ids._check_contract_agrees()

    @api.constrains("partner_id", "signatory_id")
    def _check_signatory(self):
        for contract in self:
            signatory = contract.signatory_id
            if signatory and signatory.commercial_partner_id != contract.partner_id:
                raise ValidationError(
                    self.env._(
                        "%(signatory)s does not belong to %(customer)s: choose a contact of the "
                        "customer as signatory.",
                        signatory=signatory.display_name,
                        customer=contract.partner_id.display_name,
                    )
                )

    @api.constrains("signed_file")
    def _check_signed_file(self):
        for contract in self:
            contract.company_id._check_sale_admin_file(contract.signed_file)

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        states = [vals.get("state", "draft") for vals in vals_list]
        for vals in vals_list:
            self._check_server_fields(vals)
        contracts = super().create(
            [{**self._with_commercial_customer(vals), "state": "draft"} for vals in vals_list]
        )
        # A running contract may come in by an import: it passes the same doors as any other. It is
        # numbered last, so that a refusal names what the user knows and leaves no gap.
        for contract, state in zip(contracts, states, strict=True):
            if state != "draft":
                contract._transition(state)
        for contract in contracts:
            sequence = self.env["ir.sequence"].with_company(contract.company_id)
            contract._set({"name": sequence.next_by_code("sale.admin.contract")})
        return contracts

    def write(self, vals):
        self._check_server_fields(vals)
        self._check_locked_fields(vals)
        vals = self._with_commercial_customer(vals)
        state = vals.get("state")
        if state is None:
            return super().write(vals)
        rest = {key: value for key, value in vals.items() if key != "state"}
        if rest:
            super().write(rest)
        self.filtered(lambda c: c.state != state)._transition(state)
        return True

    @api.model
    def load(self, fields, data):
        """Name the refused row alone: Odoo repeats its message under the first row of the batch."""
        result = super().load(fields, data)
        first, *others = result["messages"] or [None]
        if first and any(first["message"] == other["message"] for other in others):
            result["messages"] = others
        return result

    def unlink(self):
        """With their milestones, whose files and messages the database alone would leave."""
        self._unlink_except_happened()
        self.milestone_ids.unlink()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_happened(self):
        for contract in self:
            if contract.state not in ("draft", "cancelled") or contract.date_activated:
                raise UserError(
                    self.env._(
                        "%(contract)s cannot be deleted any more: cancel, terminate or close it, "
                        "so that its history stays.",
                        contract=contract.display_name,
                    )
                )

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {
            "name",
            "amount_untaxed_baseline",
            "amount_total_baseline",
            "date_start_baseline",
            "date_end_baseline",
            "date_activated",
            "date_renewal_told",
            "predecessor_id",
            "last_amendment_number",
        }

    @api.model
    def _get_locked_fields(self):
        """Hook: the fields of the agreement; once it is active only an amendment changes them."""
        return {
            "partner_id",
            "company_id",
            "currency_id",
            "kind",
            "amount_untaxed",
            "amount_total",
            "date_signed",
            "date_start",
            "date_end",
            "payment_term_id",
        }

    def _check_locked_fields(self, vals):
        locked = self._get_locked_fields().intersection(vals)
        for contract in self.filtered(lambda c: c.date_activated):
            changed = [
                fname
                for fname in sorted(locked)
                if contract._fields[fname].convert_to_cache(vals[fname], contract)
                != contract._fields[fname].convert_to_cache(contract[fname], contract)
            ]
            if changed:
                raise UserError(
                    self.env._(
                        "%(contract)s is signed: %(fields)s can only be changed by an amendment.",
                        contract=contract.display_name,
                        fields=", ".join(contract._fields[fname].string for fname in changed),
                    )
                )
            if "signed_file" in vals and contract.signed_file:
                raise UserError(
                    self.env._(
                        "The signed copy of %(contract)s is on file and stays: add an amendment "
                        "with the new paper.",
                        contract=contract.display_name,
                    )
                )

    @api.model
    def _with_commercial_customer(self, vals):
        """The customer is who signs; a contact given instead becomes the signatory."""
        if not vals.get("partner_id"):
            return vals
        partner = self.env["res.partner"].browse(vals["partner_id"])
        if partner.commercial_partner_id == partner:
            return vals
        return {
            "signatory_id": partner.id,
            **vals,
            "partner_id": partner.commercial_partner_id.id,
        }

    # === ACTION METHODS === #
    def action_send_to_sign(self):
        return self.write({"state": "to_sign"})

    def action_sign(self):
        """Ask for the date of signature and the signed copy; also for a copy that came later."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Signed"),
            "res_model": "sale.admin.contract.sign",
            "view_mode": "form",
            "target": "new",
            "context": {"default_contract_id": self.id},
        }

    def action_activate(self):
        return self.write({"state": "active"})

    def action_resume(self):
        return self.write({"state": "active"})

    def action_cancel(self):
        return self.write({"state": "cancelled"})

    def action_draft(self):
        return self.write({"state": "draft"})

    def action_suspend(self):
        return self._action_ask_reason("suspended")

    def action_terminate(self):
        return self._action_ask_reason("terminated")

    def action_close(self):
        """Close what is fully executed at once; ask for a reason when something is open."""
        if any(self._get_open_items().values()):
            return self._action_ask_reason("done")
        return self.write({"state": "done"})

    def _action_ask_reason(self, state):
        return {
            "type": "ir.actions.act_window",
            "name": dict(self._fields["state"]._description_selection(self.env))[state],
            "res_model": "sale.admin.contract.transition",
            "view_mode": "form",
            "target": "new",
            "context": {"default_contract_ids": self.ids, "default_state": state},
        }

    def action_renew(self):
        """Open the contract that renews this one, making it when there is none yet."""
        self.ensure_one()
        successor = self.successor_ids.filtered(lambda c: c.state != "cancelled")[:1]
        return (successor or self._renew())._get_form_action()

    def action_make_schedule(self):
        """Make the schedule of contracts that have none from their template."""
        for contract in self:
            if not contract.milestone_template_id:
                raise UserError(
                    self.env._(
                        "Choose a schedule template for %(contract)s, or add its milestones by "
                        "hand.",
                        contract=contract.display_name,
                    )
                )
            contract.milestone_template_id._make_schedule(contract)
        return True

    def action_refresh_lines(self):
        """Take the agreed lines from the orders anew, while nothing is signed yet."""
        for contract in self:
            if contract.date_activated:
                raise UserError(
                    self.env._(
                        "%(contract)s is signed: its lines can only be changed by an amendment.",
                        contract=contract.display_name,
                    )
                )
        self._pull_lines_from_orders()
        return True

    def action_amend(self):
        """Open a new amendment, filled with what the orders changed behind the contract."""
        self.ensure_one()
        amendment = self.env["sale.admin.contract.amendment"].create(self._prepare_amendment_vals())
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.admin.contract.amendment",
            "res_id": amendment.id,
            "view_mode": "form",
        }

    def action_view_orders(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Orders"),
            "res_model": "sale.order",
            "view_mode": "list,form",
            "domain": [("sale_contract_id", "=", self.id)],
            "context": {"create": False},
        }

    def action_view_invoices(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Invoices"),
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("id", "in", self._get_invoices().ids)],
            "context": {"create": False},
        }

    def action_view_facts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_fact_action"
        )
        return {**action, "domain": [("contract_id", "=", self.id)], "context": {}}

    def action_send_renewal(self):
        """Write to the customer that the contract ends, from the template."""
        self.ensure_one()
        return self._get_mail_action("sale_admin_support.mail_template_contract_renewal")

    def _get_mail_action(self, template_xmlid):
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": self.env.ref(template_xmlid).id,
                "default_composition_mode": "comment",
            },
        }

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS: ORDERS === #
    @api.model
    def _get_framework_kinds(self):
        """Hook: the kinds of contracts that many orders call off from."""
        return ["framework", "distribution"]

    def _is_framework(self):
        self.ensure_one()
        return self.kind in self._get_framework_kinds()

    def _get_agreed_orders(self):
        """The orders that make the value before it is signed: a framework's only call it off."""
        self.ensure_one()
        if self.kind != "single":
            return self.env["sale.order"]
        return self.order_ids.filtered(lambda o: o.state != "cancel")

    def _get_invoices(self):
        """Invoices and credit notes of the orders, and those put under the contract by hand."""
        self.ensure_one()
        return self.order_ids.invoice_ids | self.env["account.move"].search(
            [("sale_contract_id", "=", self.id), ("move_type", "in", self._get_paper_types())]
        )

    @api.model
    def _get_paper_types(self):
        return self.env["account.move"].get_sale_types(include_receipts=True)

    @api.model
    def _prepare_contract_vals(self, order):
        """Hook: the values of the contract that the order opens."""
        return {
            "company_id": order.company_id.id,
            "title": order.client_order_ref
            and f"{order.name} / {order.client_order_ref}"
            or order.name,
            "partner_id": order.partner_id.id,
            "partner_ref": order.client_order_ref,
            "currency_id": order.currency_id.id,
            "payment_term_id": order.payment_term_id.id,
            "user_id": order.user_id.id,
            "team_id": order.team_id.id,
            "date_signed": order.signed_on and order.company_id._sale_admin_date(order.signed_on),
            "date_start": order.company_id._sale_admin_date(order.date_order),
            "milestone_template_id": order.sale_order_template_id.sale_contract_schedule_id.id,
        }

    @api.model
    def _open_from_orders(self, orders):
        """Open a contract for each order that has none, with its lines and its schedule.

        :return: the new contracts, in the order of the orders
        """
        orders = orders.filtered(lambda o: not o.sale_contract_id)
        contracts = self.create([self._prepare_contract_vals(order) for order in orders])
        for order, contract in zip(orders, contracts, strict=True):
            order.sale_contract_id = contract
        contracts._pull_lines_from_orders()
        contracts.filtered("milestone_template_id").action_make_schedule()
        return contracts

    def _pull_lines_from_orders(self):
        for contract in self:
            if orders := contract._get_agreed_orders():
                contract.line_ids.unlink()
                contract.line_ids = [
                    fields.Command.create(self.line_ids._prepare_vals_from_order_line(line))
                    for line in orders.order_line
                    if line.product_id and not line.is_downpayment
                ]

    def _get_order_differences(self):
        """What the confirmed orders say differently from the agreement, per product.

        Quantities are in the product's own unit, amounts untaxed in the contract's currency. A
        framework is called off bit by bit: only what exceeds its commitment differs.

        :return: ``[{product, quantity_agreed, quantity_ordered, amount_agreed, amount_ordered}]``
        """
        self.ensure_one()
        agreed = self._sum_by_product(self.line_ids, "quantity")
        if not agreed:
            return self._get_value_difference()
        ordered = self._get_ordered_by_product()
        differences = []
        for product in agreed.keys() | ordered.keys():
            quantity_agreed, amount_agreed = agreed.get(product, (0.0, 0.0))
            quantity_ordered, amount_ordered = ordered.get(product, (0.0, 0.0))
            if self._is_difference(
                product,
                (quantity_agreed, amount_agreed),
                (quantity_ordered, amount_ordered),
            ):
                differences.append(
                    {
                        "product": product,
                        "quantity_agreed": quantity_agreed,
                        "quantity_ordered": quantity_ordered,
                        "amount_agreed": amount_agreed,
                        "amount_ordered": amount_ordered,
                    }
                )
        return sorted(differences, key=lambda d: d["product"].id)

    def _get_value_difference(self):
        """The difference of a contract that was agreed in one sum."""
        compared = self.currency_id.compare_amounts(self.amount_ordered, self.amount_untaxed)
        is_different = compared and self.order_ids if self.kind == "single" else compared > 0
        if not is_different:
            return []
        return [
            {
                "product": self.env["product.product"],
                "quantity_agreed": 0.0,
                "quantity_ordered": 0.0,
                "amount_agreed": self.amount_untaxed,
                "amount_ordered": self.amount_ordered,
            }
        ]

    def _get_ordered_by_product(self):
        """``{product: (quantity in its own unit, amount untaxed)}`` of the confirmed orders."""
        self.ensure_one()
        confirmed = self.order_ids.filtered(lambda o: o.state == "sale")
        return self._sum_by_product(
            confirmed.order_line.filtered(lambda line: line.product_id and not line.is_downpayment),
            "product_uom_qty",
        )

    @api.model
    def _sum_by_product(self, lines, quantity_field):
        sums = {}
        for line in lines:
            product = line.product_id
            quantity = line.product_uom_id._compute_quantity(
                line[quantity_field], product.uom_id, rounding_method="HALF-UP"
            )
            known = sums.get(product, (0.0, 0.0))
            sums[product] = (known[0] + quantity, known[1] + line.price_subtotal)
        return sums

    def _is_difference(self, product, agreed, ordered):
        unit = product.uom_id or self.env.ref("uom.product_uom_unit")
        quantities = unit.compare(ordered[0], agreed[0])
        amounts = self.currency_id.compare_amounts(ordered[1], agreed[1])
        if self.kind == "single":
            return bool(quantities or amounts)
        return quantities > 0 and bool(agreed[0])

    def _get_order_difference_lines(self):
        """The differences in words, for the form's banner and the printed papers."""
        self.ensure_one()
        texts = []
        for difference in self._get_order_differences():
            product = difference["product"]
            texts.append(
                self.env._(
                    "%(what)s: agreed %(agreed)s, ordered %(ordered)s",
                    what=product.display_name or self.env._("Value"),
                    agreed=self._format_difference(
                        product, difference["quantity_agreed"], difference["amount_agreed"]
                    ),
                    ordered=self._format_difference(
                        product, difference["quantity_ordered"], difference["amount_ordered"]
                    ),
                )
            )
        return texts

    def _format_difference(self, product, quantity, amount):
        money = format_amount(self.env, amount, self.currency_id)
        if not product:
            return money
        return f"{product.uom_id.round(quantity):g} {product.uom_id.name} ({money})"

    # === BUSINESS METHODS: STATES === #
    def _transition(self, state):
        """Bring the contracts into `state` after its guard, and do what the state brings."""
        for contract in self:
            if state not in TRANSITIONS[contract.state]:
                names = dict(self._fields["state"]._description_selection(self.env))
                raise UserError(
                    self.env._(
                        "%(contract)s is %(old)s and cannot become %(new)s.",
                        contract=contract.display_name,
                        old=names[contract.state],
                        new=names[state],
                    )
                )
            problems = getattr(contract, f"_get_problems_{state}", list)()
            if problems:
                raise UserError(
                    "\n".join([contract.display_name, *(f"- {problem}" for problem in problems)])
                )
            getattr(contract, f"_prepare_{state}", list)()
            contract._set({"state": state})

    def _get_problems_to_sign(self):
        return self._get_problems_of_agreement()

    def _get_problems_active(self):
        if self.state == "suspended":
            return []
        problems = self._get_problems_of_agreement()
        if not self.date_signed:
            problems.append(self.env._("Enter the date on which it was signed."))
        elif self.date_signed > self.company_id._sale_admin_today():
            problems.append(self.env._("The date of signature lies in the future."))
        return problems + self.milestone_ids._check_schedule()

    def _get_problems_of_agreement(self):
        """Hook: what must be there before anybody signs."""
        problems = []
        if self.kind == "single" and not self.amount_total:
            problems.append(self.env._("It has no value: attach its order, or enter the value."))
        if self.kind == "framework" and not self.amount_total and not self.line_ids:
            problems.append(
                self.env._("Enter the value or the lines that the framework commits to.")
            )
        if self.renewal != "none" and not self.date_end:
            problems.append(self.env._("A contract to be renewed needs an end."))
        return problems

    def _get_problems_suspended(self):
        return self._get_problems_of_reason()

    def _get_problems_terminated(self):
        return self._get_problems_of_reason()

    def _get_problems_of_reason(self):
        return [] if self.state_reason else [self.env._("Give the reason.")]

    def _get_problems_done(self):
        open_items = self._get_open_items()[self]
        if open_items and not self.state_reason:
            return [
                *open_items,
                self.env._("Finish what is open, or give a reason that says what is written off."),
            ]
        return []

    def _prepare_active(self):
        """Freeze what was agreed: value, lines, dates and schedule."""
        if self.state == "suspended":
            self._set({"state_reason": False})
            return
        if not self.line_ids:
            self._pull_lines_from_orders()
        self.line_ids._freeze_baseline()
        self.milestone_ids._freeze_baseline()
        self._set(
            {
                "date_activated": self.company_id._sale_admin_today(),
                "date_start": self.date_start or self.date_signed,
                "date_start_baseline": self.date_start or self.date_signed,
                "date_end_baseline": self.date_end,
                "amount_untaxed_baseline": self.amount_untaxed,
                "amount_total_baseline": self.amount_total,
            }
        )
        self._facts_changed()

    def _prepare_done(self):
        self._write_off(self.env._("Closed. Written off:"))

    def _prepare_terminated(self):
        self._write_off(self.env._("Terminated. Written off:"))

    def _prepare_cancelled(self):
        """The orders are free for another contract."""
        self.order_ids.sudo().sale_contract_id = False

    def _write_off(self, title):
        """Keep what was open in the chatter and do without the milestones still to come."""
        items = self._get_open_items()[self]
        if not items:
            return
        self._message_log(
            body=self.env._("%(title)s %(items)s", title=title, items="; ".join(items))
        )
        self.milestone_ids._filter_open()._write_off(self.state_reason)

    def _get_open_items(self):
        """What is still to be done under each contract, in words.

        :return: ``{contract: [text]}``; values untaxed, collections with taxes
        """
        executed = self._get_executed()
        result = {}
        for contract in self:
            items = [
                self.env._(
                    "%(milestone)s, planned %(date)s",
                    milestone=milestone.name,
                    date=format_date(self.env, milestone.date_planned),
                )
                for milestone in contract.milestone_ids._filter_open()
            ]
            ordered = contract.amount_ordered
            expected = (
                (self.env._("to deliver"), ordered, executed[contract]["delivered"]),
                (self.env._("to invoice"), ordered, executed[contract]["invoiced"]),
                (
                    self.env._("to collect"),
                    contract._get_amount_ordered_total(),
                    executed[contract]["collected"],
                ),
            )
            for label, planned, actual in expected:
                if contract.currency_id.compare_amounts(planned, actual) > 0:
                    amount = format_amount(self.env, planned - actual, contract.currency_id)
                    items.append(f"{label}: {amount}")
            result[contract] = items
        return result

    def _get_amount_ordered_total(self):
        """The confirmed orders with taxes."""
        confirmed = self.order_ids.filtered(lambda o: o.state == "sale")
        return sum(confirmed.mapped("amount_total"))

    # === BUSINESS METHODS: AMENDMENTS AND RENEWAL === #
    def _prepare_amendment_vals(self):
        self.ensure_one()
        line_model = self.env["sale.admin.contract.amendment.line"]
        lines = [
            fields.Command.create(line_model._prepare_vals_from_difference(difference))
            for difference in self._get_order_differences()
        ]
        vals = {"contract_id": self.id, "line_ids": lines}
        if lines:
            vals["reason"] = "\n".join(self._get_order_difference_lines())
        else:
            vals["reason"] = self.env._("Describe what changes and why.")
        return vals

    def _apply_amendment(self, amendment):
        """Take over an approved amendment: the plan changes, the baseline stays."""
        self.ensure_one()
        if amendment.date_end:
            self._set({"date_end": amendment.date_end})
        amendment.line_ids._apply_to_contract()
        self.milestone_ids._apply_amendment(amendment)

    def _prepare_renewal_vals(self):
        """Hook: the values of the contract that follows this one, for a term of the same length."""
        self.ensure_one()
        vals = {"predecessor_id": self.id}
        if self.date_end:
            start = fields.Date.add(self.date_end, days=1)
            term = self.date_end - (self.date_start or self.date_signed or self.date_end)
            vals.update(date_start=start, date_end=start + term)
        return vals

    def _renew(self):
        """Copy into a new draft that knows its predecessor, with a schedule moved by the term."""
        self.ensure_one()
        vals = self._prepare_renewal_vals()
        predecessor = {"predecessor_id": vals.pop("predecessor_id")}
        successor = self.copy(vals)
        successor._set(predecessor)
        if successor.milestone_template_id:
            successor.action_make_schedule()
        self._message_log(
            body=self.env._("Renewed by %(contract)s.", contract=successor.display_name)
        )
        return successor

    @api.model
    def _cron_renewal_activities(self):
        """Put each contract whose renewal window is open before its administrator, once an end.

        Compares with `<=`, so that days on which the job did not run are made up for.
        """
        domain = Domain("is_renewal_open", "=", True)
        contracts = self.search(domain).filtered(lambda c: c.date_renewal_told != c.date_end)
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(contracts))
        for contract in contracts:
            contract = contract.try_lock_for_update().filtered("is_renewal_open")
            try:
                contract._raise_renewal_activity()
            except Exception:
                self.env.cr.rollback()
                _logger.exception("No renewal activity for the contract %s", contract.id)
            if not cron._commit_progress(1):
                break

    def _raise_renewal_activity(self):
        for contract in self:
            responsible = contract.admin_id or contract.user_id
            contract.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=contract.date_notice,
                summary=self.env._("Renewal: decide before the last day for notice"),
                note=self.env._(
                    "The contract ends on %(end)s; notice must be given by %(notice)s.",
                    end=format_date(self.env, contract.date_end),
                    notice=format_date(self.env, contract.date_notice),
                ),
                user_id=responsible.id or self.env.uid,
            )
            contract._set({"date_renewal_told": contract.date_end})

    # === BUSINESS METHODS: FACTS === #
    def _get_executed(self):
        """Read anew what was executed under each contract, in one query.

        :return: ``{contract: {"delivered": untaxed, "invoiced": untaxed, "collected": with
            taxes}}``, net of returns and credit notes, advances included
        """
        totals = self.env["sale.admin.fact"]._get_totals(self._origin)

        def add_up(contract, position, *kinds):
            by_kind = totals.get(contract._origin.id, {})
            return sum(by_kind.get(kind, (0.0, 0.0, 0.0))[position] for kind in kinds)

        return {
            contract: {
                "delivered": add_up(contract, 1, "delivered", "returned"),
                "invoiced": add_up(contract, 1, "invoiced", "credited"),
                "collected": add_up(contract, 2, "collected", "advance"),
            }
            for contract in self
        }

    def _facts_changed(self):
        """Facts of these contracts may have changed: their milestones are judged anew."""
        self.sudo().milestone_ids._facts_changed()

    def _get_fact_differences(self):
        """Compare the facts of these contracts with Odoo's own figures, whatever the user may read.

        One query for any number of contracts; only what differs is returned.

        :return: list of ``{"contract_id", "order_id", "kind", "facts", "odoo", "difference",
            "unexplained", "explanation"}``; see `sale.admin.fact.difference` for the units
        """
        rows = (
            self.env["sale.admin.fact.difference"]
            .sudo()
            .search_fetch([("contract_id", "in", self.ids)])
        )
        return [
            {
                "contract_id": row.contract_id.id,
                "order_id": row.order_id.id,
                "kind": row.measure,
                "facts": row.facts,
                "odoo": row.odoo,
                "difference": row.difference,
                "unexplained": row.unexplained,
                "explanation": row.explanation,
            }
            for row in rows
        ]

    def action_view_fact_differences(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_fact_difference_action"
        )
        return {**action, "domain": [("contract_id", "=", self.id)], "context": {}}

    # === DEMONSTRATION === #
    @api.model
    def _load_demo(self):
        """Play the demo company's year; called by the demo data alone."""
        from ..demo.month import Month

        Month(self.env).live()
