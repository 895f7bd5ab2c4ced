import logging
from collections import defaultdict
from datetime import timedelta

import pytz
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, float_compare, float_round

_logger = logging.getLogger(__name__)

KINDS = [
    ("production", "Production"),
    ("delivery", "Delivery"),
    ("document", "Document"),
    ("invoice", "Invoice"),
    ("collection", "Collection"),
    ("acceptance", "Acceptance"),
    ("renewal", "Renewal"),
    ("other", "Other"),
]
MEASURES = [
    ("manual", "By hand"),
    ("document", "Paper"),
    ("delivered", "Delivered"),
    ("invoiced", "Invoiced"),
    ("collected", "Collected"),
]
TARGET_TYPES = [
    ("percent", "% of Value"),
    ("amount", "Amount"),
    ("percent_quantity", "% of Quantity"),
    ("quantity", "Quantity"),
]
ANCHORS = [
    ("fixed", "Fixed date"),
    ("signature", "Signature"),
    ("confirmation", "Order confirmation"),
    ("promised", "Promised delivery"),
    ("milestone", "Milestone"),
]
STATUSES = [
    ("planned", "Planned"),
    ("due", "Due"),
    ("late", "Late"),
    ("reached", "Reached"),
    ("reached_late", "Reached Late"),
    ("waived", "Waived"),
]
# Odoo's palette: grey, orange, red, green, and a dull green for what came late.
STATUS_COLORS = {
    "planned": 4,
    "due": 3,
    "late": 1,
    "reached": 10,
    "reached_late": 7,
    "waived": 0,
}

# What `sale.admin.fact._get_progression` tells of each day after contract and measure.
PROGRESSION_COLUMNS = ("product_id", "date", "quantity", "amount_untaxed", "amount_total")
PROGRESS_FIELDS = ("progress", "is_reached", "date_reached")
# What the facts tell; everything else is said by people.
DERIVED_MEASURES = ("delivered", "invoiced", "collected")
QUANTITY_TARGETS = ("percent_quantity", "quantity")
PERCENT_TARGETS = ("percent", "percent_quantity")
# States of the contract in which its schedule is being drawn up, and in which it is executed.
PLANNING_STATES = ("draft", "to_sign")
RUNNING_STATES = ("active", "suspended")
ACTIVITY_TYPE = "sale_admin_support.mail_activity_type_milestone"
# A milestone is due this many days before its planned date.
DUE_DAYS = 7

# Written by the methods of this model alone, whoever asks.
SERVER_FIELDS = {
    "target_from",
    "target_to",
    "amount_planned",
    "date_anchor",
    "date_baseline",
    "amount_baseline",
    "progress",
    "is_reached",
    "is_reached_late",
    "is_open",
    "date_reached",
    "date_done",
    "done_by_id",
    "evidence_by_id",
    "verified_by_id",
    "verified_at",
    "is_waived",
    "waived_by_id",
    "waived_at",
    "waive_reason",
    "date_reminded",
}
# What was agreed: fixed once the contract runs.
AGREED_FIELDS = {
    "kind",
    "measure",
    "target_type",
    "target",
    "product_id",
    "tolerance",
    "needs_verification",
    "anchor",
    "anchor_milestone_id",
    "offset_days",
}
ANCHOR_FIELDS = {"anchor", "anchor_milestone_id", "offset_days"}
EVIDENCE_FIELDS = {"evidence", "file", "file_name"}


class SaleAdminMilestone(models.Model):
    """One dated obligation of a contract: to make, deliver, hand over, invoice or collect.

    Targets are shares: milestones of the same measure follow each other by sequence, each starts
    where the one before it ends. Delivered and invoiced amounts are untaxed, collected ones include
    taxes; all are in the contract's currency. Quantities are in the product's own unit.
    """

    _name = "sale.admin.milestone"
    _description = "Contract Milestone"
    _inherit = ["sale.admin.guarded", "mail.thread", "mail.activity.mixin"]
    _order = "contract_id, sequence, id"
    _check_company_auto = True

    # === FIELDS === #
    contract_id = fields.Many2one(
        "sale.admin.contract", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="contract_id.currency_id", store=True)
    partner_id = fields.Many2one(related="contract_id.partner_id", store=True, index=True)
    contract_state = fields.Selection(
        related="contract_id.state", store=True, string="Contract Status"
    )
    template_line_id = fields.Many2one("sale.admin.milestone.template.line", ondelete="set null")
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(KINDS, required=True, default="other", index=True)
    measure = fields.Selection(
        MEASURES,
        required=True,
        default="manual",
        help="What shows that the milestone is reached: a person's word, a paper, or the goods "
        "moved, invoices posted and money received under the contract.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        index=True,
    )
    visible_to_customer = fields.Boolean(default=True)
    note = fields.Text(string="Internal Note")

    target_type = fields.Selection(TARGET_TYPES, required=True, default="percent")
    target = fields.Float(help="This milestone's own share, in the unit of the target type.")
    product_id = fields.Many2one(
        "product.product", check_company=True, help="Count this product only."
    )
    tolerance = fields.Float(
        string="Tolerance (%)",
        help="Reached when no more than this part of the own share is missing.",
    )
    target_from = fields.Float(
        compute="_compute_scale",
        store=True,
        help="Where the milestone begins on the cumulative scale of its measure: money or "
        "quantity.",
    )
    target_to = fields.Float(
        compute="_compute_scale",
        store=True,
        help="Where the milestone is reached on the cumulative scale of its measure.",
    )
    amount_planned = fields.Monetary(
        compute="_compute_scale",
        store=True,
        help="The share's value: untaxed, for collections with taxes.",
    )

    anchor = fields.Selection(ANCHORS, string="Counted from", required=True, default="fixed")
    anchor_milestone_id = fields.Many2one(
        "sale.admin.milestone",
        domain="[('contract_id', '=', contract_id), ('id', '!=', id)]",
        ondelete="restrict",
        index="btree_not_null",
    )
    offset_days = fields.Integer(string="Days after")
    date_anchor = fields.Date(
        compute="_compute_date_anchor",
        store=True,
        recursive=True,
        help="The day from which the planned date is counted.",
    )
    date_planned = fields.Date(
        compute="_compute_date_planned",
        store=True,
        readonly=False,
        recursive=True,
        index=True,
        tracking=True,
    )
    date_baseline = fields.Date(
        readonly=True, copy=False, help="The planned date when the contract started."
    )
    amount_baseline = fields.Monetary(
        readonly=True, copy=False, help="The planned value when the contract started."
    )
    replan_reason = fields.Char(string="Reason of the Last Re-plan", copy=False)

    progress = fields.Float(
        compute="_compute_progress", store=True, aggregator="avg", help="0 to 1."
    )
    progress_percent = fields.Float(
        string="Progress (%)", compute="_compute_progress_percent", digits=(5, 1)
    )
    is_reached = fields.Boolean(compute="_compute_progress", store=True)
    date_reached = fields.Date(
        compute="_compute_progress",
        store=True,
        help="The day on which the target was reached, and held since. Empty for a reached "
        "milestone whose last deliveries or invoices bear no date.",
    )
    is_reached_late = fields.Boolean(compute="_compute_is_reached_late", store=True)
    is_open = fields.Boolean(
        compute="_compute_is_open",
        store=True,
        help="Still to come, under a contract that runs.",
    )
    status = fields.Selection(STATUSES, compute="_compute_status", search="_search_status")
    color = fields.Integer(compute="_compute_status")
    days_late = fields.Integer(
        compute="_compute_status", help="From the planned date to today or to the day reached."
    )

    date_done = fields.Date(readonly=True, copy=False, tracking=True)
    done_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    evidence = fields.Text(copy=False)
    file = fields.Binary(attachment=True, copy=False)
    file_name = fields.Char(copy=False)
    evidence_by_id = fields.Many2one(
        "res.users",
        string="Evidence by",
        readonly=True,
        copy=False,
        help="Who last changed the evidence or the file.",
    )
    needs_verification = fields.Boolean(string="Second Person Verifies")
    is_waiting = fields.Boolean(
        string="Waits for the Second Person",
        compute="_compute_is_waiting",
        search="_search_is_waiting",
    )
    can_verify = fields.Boolean(compute="_compute_can_verify")
    verified_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    verified_at = fields.Datetime(readonly=True, copy=False)

    is_waived = fields.Boolean(readonly=True, copy=False, tracking=True)
    waived_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    waived_at = fields.Datetime(readonly=True, copy=False)
    waive_reason = fields.Text(readonly=True, copy=False)
    date_reminded = fields.Date(
        readonly=True, copy=False, help="When the responsible was told that it is due."
    )

    # === CONSTRAINTS AND INDEXES === #
    _target_positive = models.Constraint(
        "CHECK (target >= 0)", "The target of a milestone cannot be negative."
    )
    _tolerance_range = models.Constraint(
        "CHECK (tolerance >= 0 AND tolerance < 100)",
        "The tolerance of a milestone is between 0 and 100 %.",
    )
    _open_idx = models.Index("(date_planned, company_id) WHERE is_open IS TRUE")

    # === COMPUTE METHODS === #
    @api.depends("name", "contract_id.name", "partner_id")
    @api.depends_context("sale_admin_queue", "sale_admin_own_contract")
    def _compute_display_name(self):
        """The customer, on the workbench the contract, tells milestones apart, save where they are
        all of one contract."""
        is_queue = self.env.context.get("sale_admin_queue")
        is_own_contract = self.env.context.get("sale_admin_own_contract")
        for milestone in self:
            if is_queue:
                milestone.display_name = f"{milestone.contract_id.name} · {milestone.name}"
            elif is_own_contract or not milestone.partner_id:
                milestone.display_name = milestone.name
            else:
                milestone.display_name = f"{milestone.name} · {milestone.partner_id.name}"

    @api.depends("contract_id")
    def _compute_user_id(self):
        for milestone in self:
            milestone.user_id = milestone.user_id or milestone.contract_id.admin_id

    @api.depends(
        "contract_id.amount_untaxed",
        "contract_id.amount_total",
        "contract_id.line_ids.product_id",
        "contract_id.line_ids.product_uom_id",
        "contract_id.line_ids.quantity",
        "contract_id.line_ids.price_subtotal",
        "contract_id.line_ids.price_total",
        "contract_id.milestone_ids.sequence",
        "contract_id.milestone_ids.measure",
        "contract_id.milestone_ids.target_type",
        "contract_id.milestone_ids.target",
        "contract_id.milestone_ids.product_id",
    )
    def _compute_scale(self):
        computed = self.browse()
        for contract in self.contract_id:
            for milestones in contract.milestone_ids._group_by_scale():
                computed |= milestones & self
                for milestone, values in milestones._get_scale().items():
                    if milestone in self:
                        milestone.update(values)
        (self - computed).update({"target_from": 0.0, "target_to": 0.0, "amount_planned": 0.0})

    @api.depends(
        "anchor",
        "anchor_milestone_id.date_planned",
        "anchor_milestone_id.date_reached",
        "contract_id.date_signed",
        "contract_id.order_ids.state",
        "contract_id.order_ids.date_order",
        "contract_id.order_ids.commitment_date",
    )
    def _compute_date_anchor(self):
        for milestone in self:
            milestone.date_anchor = milestone._get_date_anchor()

    @api.depends("date_anchor", "offset_days")
    def _compute_date_planned(self):
        for milestone in self:
            date = milestone.date_anchor
            milestone.date_planned = (
                date + timedelta(days=milestone.offset_days) if date else milestone.date_planned
            )

    @api.depends(
        "measure",
        "target_type",
        "target_from",
        "target_to",
        "product_id",
        "tolerance",
        "date_done",
        "needs_verification",
        "verified_at",
    )
    def _compute_progress(self):
        """Facts are no fields: `_facts_changed` asks for this when they may have changed."""
        # Known what stands, only what differs is written.
        self._origin.fetch(PROGRESS_FIELDS)
        for milestone, values in self._get_progress().items():
            milestone.update(values)

    @api.depends("progress")
    def _compute_progress_percent(self):
        for milestone in self:
            milestone.progress_percent = milestone.progress * 100.0

    @api.depends("is_reached", "date_reached", "date_planned")
    def _compute_is_reached_late(self):
        for milestone in self:
            milestone.is_reached_late = bool(
                milestone.date_reached
                and milestone.date_planned
                and milestone.date_reached > milestone.date_planned
            )

    @api.depends("contract_state", "is_reached", "is_waived")
    def _compute_is_open(self):
        for milestone in self:
            milestone.is_open = (
                milestone.contract_state in RUNNING_STATES
                and not milestone.is_reached
                and not milestone.is_waived
            )

    @api.depends("is_open", "is_waived", "is_reached", "is_reached_late", "date_planned")
    def _compute_status(self):
        for company, milestones in self.grouped("company_id").items():
            today = (company or self.env.company)._sale_admin_today()
            for milestone in milestones:
                milestone.status = milestone._get_status(today)
                milestone.days_late = milestone._get_days_late(today)
                milestone.color = STATUS_COLORS[milestone.status]

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            domain for status, domain in self._get_status_domains().items() if status in value
        )

    @api.depends("date_done", "is_open")
    def _compute_is_waiting(self):
        for milestone in self:
            milestone.is_waiting = bool(milestone.date_done and milestone.is_open)

    def _search_is_waiting(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("is_open", "=", True), ("date_done", "!=", False)]

    @api.depends("is_waiting", "done_by_id", "evidence_by_id")
    @api.depends_context("uid")
    def _compute_can_verify(self):
        is_administrator = self.env.user.has_group("sale_admin_support.group_sale_admin_user")
        for milestone in self:
            milestone.can_verify = (
                is_administrator
                and milestone.is_waiting
                and self.env.user not in milestone.done_by_id | milestone.evidence_by_id
            )

    # === CONSTRAINT METHODS === #
    @api.constrains("target", "target_type")
    def _check_target(self):
        for milestone in self:
            if (
                milestone.target_type in PERCENT_TARGETS
                and float_compare(milestone.target, 100.0, precision_digits=6) > 0
            ):
                raise ValidationError(
                    self.env._(
                        "Milestone “%(milestone)s”: a share cannot be more than 100 %%.",
                        milestone=milestone.name,
                    )
                )

    @api.constrains("measure", "target_type", "product_id")
    def _check_measure(self):
        for milestone in self.filtered(lambda m: m.measure == "collected"):
            if milestone.product_id or milestone.target_type in QUANTITY_TARGETS:
                raise ValidationError(
                    self.env._(
                        "Milestone “%(milestone)s”: money is collected for the contract as a "
                        "whole; give a share of the value or an amount, and no product.",
                        milestone=milestone.name,
                    )
                )

    @api.constrains("anchor", "anchor_milestone_id", "offset_days", "contract_id")
    def _check_anchor(self):
        if self._has_cycle("anchor_milestone_id"):
            raise ValidationError(
                self.env._("Milestones cannot be counted from each other in a circle.")
            )
        for milestone in self:
            if milestone.anchor == "milestone" and not milestone.anchor_milestone_id:
                raise ValidationError(
                    self.env._(
                        "Milestone “%(milestone)s”: choose the milestone from which it is counted.",
                        milestone=milestone.name,
                    )
                )
            anchor = milestone.anchor_milestone_id
            if anchor.contract_id and anchor.contract_id != milestone.contract_id:
                raise ValidationError(
                    self.env._(
                        "Milestone “%(milestone)s” is counted from a milestone of another "
                        "contract, %(contract)s.",
                        milestone=milestone.name,
                        contract=anchor.contract_id.display_name,
                    )
                )
            if milestone.anchor == "milestone" and milestone.offset_days < 0:
                raise ValidationError(
                    self.env._(
                        "Milestone “%(milestone)s” cannot be planned before “%(anchor)s”, from "
                        "which it is counted.",
                        milestone=milestone.name,
                        anchor=anchor.name,
                    )
                )

    @api.constrains("product_id", "contract_id")
    def _check_product(self):
        for milestone in self.filtered("product_id"):
            products = milestone.contract_id.line_ids.product_id
            if products and milestone.product_id not in products:
                raise ValidationError(
                    self.env._(
                        "Milestone “%(milestone)s”: %(product)s is not in contract %(contract)s.",
                        milestone=milestone.name,
                        product=milestone.product_id.display_name,
                        contract=milestone.contract_id.display_name,
                    )
                )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        milestones = super().create([self._prepare_create_vals(vals) for vals in vals_list])
        milestones._check_can_be_added()
        return milestones

    def write(self, vals):
        self._check_server_fields(vals)
        self._check_file_size(vals)
        if "date_planned" in vals and len(set(self.mapped(lambda m: m._is_planning()))) > 1:
            # A free date and one that needs a reason are two different writes.
            planning = self.filtered(lambda m: m._is_planning())
            return planning.write(vals) and (self - planning).write(vals)
        vals = self._prepare_write_vals(vals)
        self._check_agreed_fields(vals)
        self._check_evidence_fields(vals)
        replanned = self._check_replan(vals)
        old_dates = {milestone: milestone.date_planned for milestone in replanned}
        if replanned:
            # A date set by hand no longer follows another one.
            vals.update(anchor="fixed", anchor_milestone_id=False, offset_days=0)
        result = super().write(vals)
        replanned._log_replan(old_dates)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_if_planning(self):
        for milestone in self:
            if milestone.contract_id.date_activated:
                raise UserError(
                    self.env._(
                        "Milestone “%(milestone)s” belongs to contract %(contract)s, which has "
                        "started: waive it instead of deleting it.",
                        milestone=milestone.name,
                        contract=milestone.contract_id.display_name,
                    )
                )
        dependents = self.search([("anchor_milestone_id", "in", self.ids)]) - self
        if dependents:
            raise UserError(
                self.env._(
                    "Milestone “%(milestone)s” is counted from “%(anchor)s”: change that first.",
                    milestone=dependents[0].name,
                    anchor=dependents[0].anchor_milestone_id.name,
                )
            )

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | SERVER_FIELDS

    def _prepare_create_vals(self, vals):
        """Drop what the server sets, refuse it when it says something."""
        vals = dict(vals)
        for name in SERVER_FIELDS & vals.keys():
            if vals.pop(name):
                self._raise_server_field(name)
        if vals.get("anchor", "fixed") != "fixed":
            # The date follows the anchor.
            vals.pop("date_planned", None)
        if any(vals.get(name) for name in EVIDENCE_FIELDS):
            self._check_file_size(vals)
            vals["evidence_by_id"] = self.env.uid
        return vals

    def _prepare_write_vals(self, vals):
        """Complete what the client wrote by what follows from it."""
        vals = dict(vals)
        if EVIDENCE_FIELDS & vals.keys():
            vals["evidence_by_id"] = self.env.uid
        if "date_planned" not in vals or not self or not self[0]._is_planning():
            return vals
        if ANCHOR_FIELDS & vals.keys():
            if vals.get("anchor", self[0].anchor) != "fixed":
                del vals["date_planned"]
        elif self._filter_changed("date_planned", vals):
            vals.update(anchor="fixed", anchor_milestone_id=False, offset_days=0)
        return vals

    def _check_server_fields(self, vals):
        for name in SERVER_FIELDS & vals.keys():
            if self._filter_changed(name, vals):
                self._raise_server_field(name)

    def _raise_server_field(self, name):
        raise AccessError(
            self.env._(
                "“%(field)s” of a milestone is set by the system and cannot be written.",
                field=self._fields[name]._description_string(self.env),
            )
        )

    def _filter_changed(self, name, vals):
        """Return the milestones of which `vals` changes field `name`."""
        if name not in vals:
            return self.browse()
        field = self._fields[name]
        if field.type == "binary":
            return self
        return self.filtered(
            lambda m: field.convert_to_record(field.convert_to_cache(vals[name], m), m) != m[name]
        )

    def _check_file_size(self, vals):
        """Refuse a file larger than the company allows."""
        if vals.get("file"):
            contract = self.env["sale.admin.contract"].browse(vals.get("contract_id"))
            company = self.company_id[:1] or contract.company_id or self.env.company
            company._check_sale_admin_file(vals["file"])

    def _check_agreed_fields(self, vals):
        """Refuse to change what was agreed once the contract has started."""
        if self._filter_changed("contract_id", vals):
            raise UserError(self.env._("A milestone cannot be moved to another contract."))
        for name in (AGREED_FIELDS | {"sequence"}) & vals.keys():
            changed = self._filter_changed(name, vals).filtered(lambda m: not m._is_planning())
            if name == "sequence":
                # The order of shares is part of the plan, that of manual milestones is not.
                changed = changed.filtered(lambda m: m.measure in DERIVED_MEASURES)
            if changed:
                raise UserError(
                    self.env._(
                        "“%(field)s” of milestone “%(milestone)s” is fixed since contract "
                        "%(contract)s started.",
                        field=self._fields[name]._description_string(self.env),
                        milestone=changed[0].name,
                        contract=changed[0].contract_id.display_name,
                    )
                )

    def _check_evidence_fields(self, vals):
        """Refuse to change the evidence of what is decided."""
        for name in EVIDENCE_FIELDS & vals.keys():
            for milestone in self._filter_changed(name, vals):
                if milestone.date_done and milestone.is_reached:
                    raise UserError(
                        self.env._(
                            "Milestone “%(milestone)s” is reached and its evidence is closed: a "
                            "manager can reopen it with a reason.",
                            milestone=milestone.name,
                        )
                    )
                if not milestone._is_planning():
                    milestone._check_running()

    def _touch_evidence(self):
        """The file changes without the milestone being written: the same rules, the same trace."""
        self._check_evidence_fields({"file": True})
        others = self.filtered(lambda m: m.evidence_by_id != self.env.user)
        others._set({"evidence_by_id": self.env.uid})

    def _check_replan(self, vals):
        """Return the milestones whose date `vals` moves after the start, if that is in order."""
        replanned = self.browse()
        if "date_planned" in vals or "replan_reason" in vals:
            started = self.filtered(lambda m: not m._is_planning())
            replanned = started._filter_changed("date_planned", vals)
            has_reason = bool((vals.get("replan_reason") or "").strip())
            if replanned and not (has_reason and vals["date_planned"]):
                raise UserError(
                    self.env._(
                        "The contract of milestone “%(milestone)s” has started: use Re-plan to "
                        "give a new date and the reason.",
                        milestone=replanned[0].name,
                    )
                )
            if (started - replanned)._filter_changed("replan_reason", vals):
                raise UserError(
                    self.env._("The reason of a re-plan is written together with the new date.")
                )
            for milestone in replanned:
                milestone._check_running()
                milestone._check_undecided()
        return replanned

    def _check_can_be_added(self):
        """Once a contract has started, what bears value comes by an amendment alone."""
        for milestone in self.filtered(lambda m: not m._is_planning()):
            milestone._check_running()
            if not milestone.date_planned:
                raise UserError(
                    self.env._(
                        "Give milestone “%(milestone)s” its planned date.", milestone=milestone.name
                    )
                )
            if milestone.measure in DERIVED_MEASURES:
                raise UserError(
                    self.env._(
                        "Contract %(contract)s has started: milestone “%(milestone)s” would "
                        "change the agreed shares. Add milestones set done by hand or papers.",
                        contract=milestone.contract_id.display_name,
                        milestone=milestone.name,
                    )
                )

    def _check_running(self):
        self.ensure_one()
        if self.contract_id.state not in RUNNING_STATES:
            raise UserError(
                self.env._(
                    "Contract %(contract)s of milestone “%(milestone)s” is not running.",
                    contract=self.contract_id.display_name,
                    milestone=self.name,
                )
            )

    def _check_undecided(self):
        self.ensure_one()
        if self.is_waived:
            raise UserError(self.env._("Milestone “%(milestone)s” is waived.", milestone=self.name))
        if self.is_reached:
            raise UserError(
                self.env._("Milestone “%(milestone)s” is reached already.", milestone=self.name)
            )

    def _check_manager(self):
        if not self.env.user.has_group("sale_admin_support.group_sale_admin_manager"):
            raise AccessError(
                self.env._("Only a sales administration manager may waive or reopen milestones.")
            )

    def _check_reason(self, reason):
        if not (reason or "").strip():
            raise UserError(self.env._("Give a reason: it stays with the milestone."))

    # === ACTION METHODS === #
    def action_set_done(self):
        """Ask for the day and the evidence."""
        return self._get_wizard_action("sale.admin.milestone.done", self.env._("Set Done"))

    def action_replan(self):
        """Ask for the new date and the reason."""
        return self._get_wizard_action("sale.admin.milestone.replan", self.env._("Re-plan"))

    def action_verify(self):
        self._verify()
        return True

    def action_send_back(self):
        return self._get_decision_action("send_back", self.env._("Send Back"))

    def action_reopen(self):
        return self._get_decision_action("reopen", self.env._("Reopen"))

    def action_waive(self):
        return self._get_decision_action("waive", self.env._("Waive"))

    def action_unwaive(self):
        return self._get_decision_action("unwaive", self.env._("Take Back the Waiver"))

    def action_next_step(self):
        """Open what brings the milestone nearer: the transfers, the order or invoices to work on,
        or the question for the evidence."""
        self.ensure_one()
        if self.measure in DERIVED_MEASURES:
            return getattr(self, f"_get_{self.measure}_action")()
        if self.can_verify:
            return self.get_formview_action()
        return self.action_set_done()

    def action_open_contract(self):
        self.ensure_one()
        return self.contract_id.get_formview_action()

    def _get_wizard_action(self, model, name, context=None):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_milestone_ids": self.ids, **(context or {})},
        }

    def _get_decision_action(self, decision, name):
        return self._get_wizard_action(
            "sale.admin.milestone.decide", name, {"default_decision": decision}
        )

    def _get_delivered_action(self):
        pickings = self.contract_id.order_ids.picking_ids.filtered(
            lambda picking: picking.state not in ("done", "cancel")
        )
        return self._get_records_action(
            pickings or self.contract_id.order_ids, self.env._("To Deliver")
        )

    def _get_invoiced_action(self):
        orders = self.contract_id.order_ids
        to_invoice = orders.filtered(lambda order: order.invoice_status == "to invoice")
        return self._get_records_action(to_invoice or orders, self.env._("To Invoice"))

    def _get_collected_action(self):
        invoices = self.contract_id.order_ids.invoice_ids.filtered(
            lambda move: (
                move.state == "posted"
                and move.payment_state in ("not_paid", "partial", "in_payment")
            )
        )
        return self._get_records_action(
            invoices or self.contract_id.order_ids, self.env._("To Collect")
        )

    def _get_records_action(self, records, name):
        if not records:
            raise UserError(
                self.env._(
                    "Contract %(contract)s has no order yet.",
                    contract=self.contract_id.display_name,
                )
            )
        action = {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": records._name,
            "context": {"create": False},
        }
        if len(records) == 1:
            return {**action, "view_mode": "form", "res_id": records.id}
        return {**action, "view_mode": "list,form", "domain": [("id", "in", records.ids)]}

    # === BUSINESS METHODS: the scale === #
    def _is_planning(self):
        self.ensure_one()
        return self.contract_id.state in PLANNING_STATES

    def _group_by_scale(self):
        """Return the milestones that share one cumulative scale, each in its order.

        :return: list of recordsets of the same contract, measure, unit and product
        """
        scales = defaultdict(self.browse)
        derived = self.filtered(lambda m: m.measure in DERIVED_MEASURES)
        for milestone in derived.sorted(lambda m: (m.sequence, m._origin.id or float("inf"))):
            scales[
                milestone.contract_id,
                milestone.measure,
                milestone.target_type in QUANTITY_TARGETS,
                milestone.product_id,
            ] |= milestone
        return list(scales.values())

    def _get_scale(self):
        """Lay the shares of one scale end to end.

        Percentages are rounded as they accumulate, so that the last share takes the rest.

        :return: ``{milestone: values of target_from, target_to and amount_planned}``
        """
        amount, quantity = self[0]._get_agreed()
        is_quantity = self[0].target_type in QUANTITY_TARGETS
        base = quantity if is_quantity else amount
        percent = fixed = start = start_amount = 0.0
        scale = {}
        for milestone in self:
            if milestone.target_type in PERCENT_TARGETS:
                percent += milestone.target
            else:
                fixed += milestone.target
            end = milestone._round_target(fixed + base * percent / 100.0)
            end_amount = end
            if is_quantity:
                end_amount = milestone.currency_id.round(amount * end / quantity) if quantity else 0
            scale[milestone] = {
                "target_from": start,
                "target_to": end,
                "amount_planned": end_amount - start_amount,
            }
            start, start_amount = end, end_amount
        return scale

    def _get_agreed(self):
        """Return the agreed amount and quantity of which this milestone is a share.

        :return: amount in the contract's currency, untaxed (collections: with taxes), and quantity
            in the products' own units, of the contract or of the milestone's product
        """
        self.ensure_one()
        contract, product = self.contract_id, self.product_id
        with_taxes = self.measure == "collected"
        lines = contract.line_ids.filtered(
            lambda line: line.product_id and (not product or line.product_id == product)
        )
        quantity = sum(
            line.product_uom_id._compute_quantity(
                line.quantity, line.product_id.uom_id, round=False
            )
            if line.product_uom_id
            else line.quantity
            for line in lines
        )
        if product:
            amount = sum(lines.mapped("price_total" if with_taxes else "price_subtotal"))
        else:
            amount = contract.amount_total if with_taxes else contract.amount_untaxed
        return amount, quantity

    def _round_target(self, value):
        self.ensure_one()
        if self.target_type in QUANTITY_TARGETS:
            digits = self.env["decimal.precision"].precision_get("Product Unit")
            return float_round(value, precision_digits=digits)
        return self.currency_id.round(value) if self.currency_id else value

    def _compare_target(self, value, target):
        self.ensure_one()
        if self.target_type in QUANTITY_TARGETS:
            digits = self.env["decimal.precision"].precision_get("Product Unit")
            return float_compare(value, target, precision_digits=digits)
        return self.currency_id.compare_amounts(value, target)

    def _check_schedule(self):
        """Return what keeps these milestones of one contract from being a plan.

        :return: list of sentences, empty when the schedule can start
        """
        problems = [
            self.env._("“%(milestone)s” has no planned date.", milestone=milestone.name)
            for milestone in self
            if not milestone.date_planned
        ]
        products = self.contract_id.line_ids.product_id
        problems += [
            self.env._(
                "“%(milestone)s” counts %(product)s, which is not in the contract.",
                milestone=milestone.name,
                product=milestone.product_id.display_name,
            )
            for milestone in self
            if milestone.product_id and milestone.product_id not in products
        ]
        for milestones in self._group_by_scale():
            problems += milestones._get_scale_problems()
        return problems

    def _get_scale_problems(self):
        """Return what is wrong with the shares of one scale."""
        empty = self.filtered(lambda m: m._compare_target(m.target_to, m.target_from) <= 0)
        if empty:
            return [
                self.env._(
                    "“%(milestone)s” has no share: give a target, and the contract a value.",
                    milestone=milestone.name,
                )
                for milestone in empty
            ]
        amount, quantity = self[0]._get_agreed()
        base = quantity if self[0].target_type in QUANTITY_TARGETS else amount
        has_percent = any(m.target_type in PERCENT_TARGETS for m in self)
        difference = self[-1]._compare_target(self[-1].target_to, base)
        # Amounts and quantities alone may plan a part of the contract, but no more than all of it.
        if not difference or (difference < 0 and not has_percent) or not (base or has_percent):
            return []
        share = float_round(self[-1].target_to / base * 100.0, precision_digits=2) if base else 0
        return [
            self.env._(
                "The milestones of measure “%(measure)s” (%(milestones)s) add up to %(share)s %% "
                "of what is agreed, not to 100 %%.",
                measure=dict(self._fields["measure"]._description_selection(self.env))[
                    self[0].measure
                ],
                milestones=", ".join(self.mapped("name")),
                share=f"{share:g}",
            )
        ]

    def _filter_open(self):
        """Return the milestones that are neither reached nor waived, whatever their contract."""
        return self.filtered(lambda m: not m.is_reached and not m.is_waived)

    def _freeze_baseline(self):
        """Keep the plan as it is at the start; nobody can change it afterwards."""
        for milestone in self.filtered(lambda m: not m.date_baseline):
            milestone._set(
                {
                    "date_baseline": milestone.date_planned,
                    "amount_baseline": milestone.amount_planned,
                }
            )

    # === BUSINESS METHODS: dates === #
    def _get_date_anchor(self):
        """Return the day from which the planned date is counted, False for a fixed date.

        Dates of orders are taken until the contract starts and kept from then on; a signature and
        another milestone are followed always.
        """
        self.ensure_one()
        if self.anchor == "signature":
            return self.contract_id.date_signed
        if self.anchor == "milestone":
            return self.anchor_milestone_id.date_reached or self.anchor_milestone_id.date_planned
        if self.anchor == "fixed":
            return False
        kept = self.date_anchor
        if kept and self.contract_id.state not in PLANNING_STATES:
            return kept
        orders = self.contract_id.order_ids.filtered(lambda order: order.state != "cancel")
        if self.anchor == "confirmation":
            dates = orders.filtered(lambda order: order.state == "sale").mapped("date_order")
            moment = min(dates, default=None)
        else:
            dates = [order.commitment_date or order.expected_date for order in orders]
            moment = max(filter(None, dates), default=None)
        return self._to_company_date(moment)

    def _to_company_date(self, moment):
        """Return the day of a UTC datetime in the company's time zone."""
        if not moment:
            return False
        timezone = pytz.timezone(self.company_id.sale_admin_tz or "UTC")
        return pytz.utc.localize(moment).astimezone(timezone).date()

    def _replan(self, date_planned=None, days=0, reason=None, move_dependents=True):
        """Give open milestones of running contracts new dates.

        :param date_planned: the new date, else the dates move by `days`
        :param move_dependents: milestones counted from these follow, else they keep their dates
        :raises UserError: without a reason, or for a milestone that is decided
        """
        self._check_reason(reason)
        moved = self
        if not move_dependents:
            self._detach_dependents(reason)
        elif not date_planned:
            # What is counted from another one of them moves with it, once.
            moved = self.filtered(lambda m: m.anchor_milestone_id not in self)
        dates = {}
        for milestone in moved:
            if not (date_planned or milestone.date_planned):
                raise UserError(
                    self.env._(
                        "Milestone “%(milestone)s” has no date to move.", milestone=milestone.name
                    )
                )
            # All new dates first: moving one may move another of them already.
            dates[milestone] = date_planned or milestone.date_planned + timedelta(days=days)
        for milestone, date in dates.items():
            if milestone.date_planned != date:
                milestone.write({"date_planned": date, "replan_reason": reason})
        self._forget_reminders()

    def _detach_dependents(self, reason):
        """Have the open milestones counted from these keep the dates that they have now."""
        dependents = self.search([("anchor_milestone_id", "in", self.ids), ("is_open", "=", True)])
        for dependent in dependents - self:
            dependent._set(
                {
                    "anchor": "fixed",
                    "anchor_milestone_id": False,
                    "offset_days": 0,
                    "date_planned": dependent.date_planned,
                    "replan_reason": reason,
                }
            )

    def _apply_amendment(self, amendment):
        """Move the open milestones by the days of an approved amendment.

        Percentages follow the new value by themselves; amounts and quantities stay as agreed.
        """
        opened = self._filter_open().filtered("date_planned")
        if amendment.shift_days and opened:
            opened._replan(
                days=amendment.shift_days,
                reason=self.env._(
                    "Amendment %(amendment)s: %(reason)s",
                    amendment=amendment.display_name,
                    reason=amendment.reason,
                ),
            )

    def _log_replan(self, old_dates):
        for milestone in self:
            milestone.contract_id.message_post(
                body=self.env._(
                    "“%(milestone)s” re-planned from %(old)s to %(new)s: %(reason)s",
                    milestone=milestone.name,
                    old=fields.Date.to_string(old_dates[milestone]) or "-",
                    new=fields.Date.to_string(milestone.date_planned),
                    reason=milestone.replan_reason,
                )
            )

    # === BUSINESS METHODS: progress === #
    def _facts_changed(self):
        """Have the progress of these milestones read anew from the facts, and what follows it."""
        derived = self.filtered(lambda m: m.measure in DERIVED_MEASURES)
        for name in PROGRESS_FIELDS:
            self.env.add_to_compute(self._fields[name], derived)
        derived.modified(PROGRESS_FIELDS)

    def _get_progress(self):
        """Return progress, verdict and date of each milestone; writes nothing.

        :return: ``{milestone: values of progress, is_reached and date_reached}``
        """
        derived = self.filtered(lambda m: m.measure in DERIVED_MEASURES)
        progress = {milestone: milestone._get_manual_progress() for milestone in self - derived}
        curves = self._get_curves(derived.contract_id._origin)
        for milestone in derived:
            progress[milestone] = milestone._get_derived_progress(
                curves[milestone.contract_id._origin.id, milestone.measure]
            )
        return progress

    def _get_manual_progress(self):
        self.ensure_one()
        is_reached = bool(self.date_done and (self.verified_at or not self._must_be_verified()))
        return {
            "progress": float(is_reached),
            "is_reached": is_reached,
            "date_reached": is_reached and self.date_done,
        }

    def _must_be_verified(self):
        """A paper is always read by a second person."""
        self.ensure_one()
        return self.needs_verification or self.measure == "document"

    @api.model
    def _get_curves(self, contracts):
        """Return what happened under the contracts, whoever asks, in one query.

        :return: ``{(contract id, measure): [{product_id, date, quantity, amount_untaxed,
            amount_total}]}``, by date, undated last
        """
        curves = defaultdict(list)
        if contracts:
            for contract_id, measure, *row in self.env["sale.admin.fact"]._get_progression(
                contracts
            ):
                curves[contract_id, measure].append(
                    dict(zip(PROGRESSION_COLUMNS, row, strict=True))
                )
        return curves

    def _get_derived_progress(self, rows):
        """Read the verdict from the dated facts, undated ones last.

        Reached is what is reached and held: a return takes it back, and the next delivery sets the
        new date.
        """
        self.ensure_one()
        share = self.target_to - self.target_from
        values = {"progress": 0.0, "is_reached": False, "date_reached": False}
        if self._compare_target(share, 0.0) <= 0:
            return values
        goal = self.target_to - share * self.tolerance / 100.0
        total = 0.0
        for row in rows:
            if self.product_id and row["product_id"] != self.product_id._origin.id:
                continue
            total += row[self._get_fact_column()]
            is_reached = self._compare_target(total, goal) >= 0
            if is_reached and not values["is_reached"]:
                values.update(is_reached=True, date_reached=row["date"] or False)
            elif not is_reached:
                values.update(is_reached=False, date_reached=False)
        if values["is_reached"]:
            values["progress"] = 1.0
        else:
            part = min(max((total - self.target_from) / share, 0.0), 1.0)
            values["progress"] = float_round(part, precision_digits=4, rounding_method="DOWN")
        return values

    def _get_fact_column(self):
        """Return the column of a fact that this milestone counts."""
        self.ensure_one()
        if self.target_type in QUANTITY_TARGETS:
            return "quantity"
        return "amount_total" if self.measure == "collected" else "amount_untaxed"

    def _get_status(self, today):
        self.ensure_one()
        if self.is_waived:
            return "waived"
        if self.is_reached:
            return "reached_late" if self.is_reached_late else "reached"
        if not self.is_open or not self.date_planned:
            return "planned"
        if self.date_planned < today:
            return "late"
        return "due" if self.date_planned <= today + timedelta(days=DUE_DAYS) else "planned"

    def _get_days_late(self, today):
        self.ensure_one()
        if self.status == "late":
            return (today - self.date_planned).days
        if self.status == "reached_late":
            return (self.date_reached - self.date_planned).days
        return 0

    @api.model
    def _get_companies_by_today(self):
        """Return ``{date: companies}``: the day differs with the companies' time zones."""
        companies = self.env["res.company"].sudo().search([])
        return companies.grouped(lambda company: company._sale_admin_today())

    @api.model
    def _get_status_domains(self):
        """Return ``{status: Domain}``; open milestones are found by the index of open ones."""
        waived = Domain("is_waived", "=", True)
        reached = Domain("is_waived", "=", False) & Domain("is_reached", "=", True)
        undecided = Domain("is_waived", "=", False) & Domain("is_reached", "=", False)
        opened = Domain("is_open", "=", True)
        days = self._get_companies_by_today()

        def dated(make):
            return Domain.OR(
                make(today)
                & (Domain("company_id", "in", companies.ids) if len(days) > 1 else Domain.TRUE)
                for today, companies in days.items()
            )

        late = opened & dated(lambda today: Domain("date_planned", "<", today))
        due = opened & dated(
            lambda today: (
                Domain("date_planned", ">=", today)
                & Domain("date_planned", "<=", today + timedelta(days=DUE_DAYS))
            )
        )
        later = dated(lambda today: Domain("date_planned", ">", today + timedelta(days=DUE_DAYS)))
        undated = Domain("date_planned", "=", False)
        return {
            "planned": undecided & (Domain("is_open", "=", False) | undated | later),
            "due": due,
            "late": late,
            "reached": reached & Domain("is_reached_late", "=", False),
            "reached_late": reached & Domain("is_reached_late", "=", True),
            "waived": waived,
        }

    def _field_to_sql(self, alias, field_expr, query=None):
        """The status depends on today and is not stored; lists sort and group by it yet."""
        if field_expr != "status":
            return super()._field_to_sql(alias, field_expr, query)

        def column(name):
            return self._field_to_sql(alias, name, query)

        today = SQL(
            "CASE %s END",
            SQL(" ").join(
                SQL("WHEN %s IN %s THEN %s::date", column("company_id"), tuple(companies.ids), day)
                for day, companies in self._get_companies_by_today().items()
            ),
        )
        return SQL(
            """CASE
                WHEN %(waived)s THEN 'waived'
                WHEN %(reached_late)s THEN 'reached_late'
                WHEN %(reached)s THEN 'reached'
                WHEN %(open)s AND %(planned)s < %(today)s THEN 'late'
                WHEN %(open)s AND %(planned)s <= %(today)s + %(days)s THEN 'due'
                ELSE 'planned'
            END""",
            waived=column("is_waived"),
            reached_late=column("is_reached_late"),
            reached=column("is_reached"),
            open=column("is_open"),
            planned=column("date_planned"),
            today=today,
            days=DUE_DAYS,
        )

    # === BUSINESS METHODS: decisions === #
    def _set_done(self, date_done, evidence=None, file=None, file_name=None):
        """Record that what is set by hand is done, with what shows it.

        What a second person verifies waits for that person; the rest is reached on `date_done`.

        :param date_done: not in the future, in the company's time zone
        :param file: base64, as in a binary field
        """
        given = {"evidence": evidence, "file": file, "file_name": file_name}
        given = {name: value for name, value in given.items() if value}
        for milestone in self:
            milestone._check_can_be_done(date_done)
            if given:
                milestone.write(given)
            milestone._check_evidence()
            milestone._set({"date_done": date_done, "done_by_id": self.env.uid})

    def _check_can_be_done(self, date_done):
        self.ensure_one()
        if self.measure in DERIVED_MEASURES:
            raise UserError(
                self.env._(
                    "“%(milestone)s” is read from deliveries, invoices and payments and cannot be "
                    "set done by hand.",
                    milestone=self.name,
                )
            )
        self._check_running()
        self._check_undecided()
        if self.date_done:
            raise UserError(
                self.env._(
                    "“%(milestone)s” was set done by %(user)s already.",
                    milestone=self.name,
                    user=self.done_by_id.name,
                )
            )
        if not date_done or date_done > self.company_id._sale_admin_today():
            raise UserError(
                self.env._(
                    "“%(milestone)s”: give the day on which it was done, today at the latest.",
                    milestone=self.name,
                )
            )

    def _check_evidence(self):
        self.ensure_one()
        # The size, not the content: papers are large.
        has_file = bool(self.with_context(bin_size=True).file)
        if self.measure == "document" and not has_file:
            raise UserError(
                self.env._("“%(milestone)s” is a paper: attach the file.", milestone=self.name)
            )
        if not has_file and not (self.evidence or "").strip():
            raise UserError(
                self.env._(
                    "“%(milestone)s”: say what shows that it is done, or attach a file.",
                    milestone=self.name,
                )
            )

    def _verify(self):
        """Confirm as the second person what somebody else set done."""
        for milestone in self:
            milestone._check_waiting()
            if self.env.user in milestone.done_by_id | milestone.evidence_by_id:
                raise UserError(
                    self.env._(
                        "“%(milestone)s” is verified by another person than the one who set it "
                        "done or gave its evidence.",
                        milestone=milestone.name,
                    )
                )
        self._check_administrator()
        self._set({"verified_by_id": self.env.uid, "verified_at": fields.Datetime.now()})

    def _check_administrator(self):
        if not self.env.user.has_group("sale_admin_support.group_sale_admin_user"):
            raise AccessError(self.env._("Only sales administrators may verify milestones."))

    def _check_waiting(self):
        self.ensure_one()
        self._check_running()
        if not self.is_waiting:
            raise UserError(
                self.env._(
                    "“%(milestone)s” does not wait for a second person.", milestone=self.name
                )
            )

    def _send_back(self, reason):
        """Refuse what was set done; who did it is told why."""
        self._check_reason(reason)
        for milestone in self:
            milestone._check_waiting()
            doer = milestone.done_by_id
            milestone._set({"date_done": False, "done_by_id": False})
            milestone._log_decision(self.env._("Sent back"), reason)
            milestone.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("Sent back: %(milestone)s", milestone=milestone.name),
                note=reason,
                user_id=doer.id,
            )

    def _reopen(self, reason):
        """Take back that a milestone set done by hand is reached. A manager's decision."""
        self._check_manager()
        self._check_reason(reason)
        for milestone in self:
            milestone._check_running()
            if not (milestone.date_done and milestone.is_reached):
                raise UserError(
                    self.env._(
                        "“%(milestone)s” was not set done by hand.", milestone=milestone.name
                    )
                )
            milestone._set(
                {
                    "date_done": False,
                    "done_by_id": False,
                    "verified_by_id": False,
                    "verified_at": False,
                }
            )
            milestone._log_decision(self.env._("Reopened"), reason)

    def _waive(self, reason):
        """Do without open milestones. A manager's decision."""
        self._check_manager()
        self._write_off(reason)

    def _write_off(self, reason):
        """Waive open milestones on behalf of a decision whose right was checked, as a contract's
        end."""
        self._check_reason(reason)
        for milestone in self:
            milestone._check_running()
            milestone._check_undecided()
        self._set(
            {
                "is_waived": True,
                "waived_by_id": self.env.uid,
                "waived_at": fields.Datetime.now(),
                "waive_reason": reason,
            }
        )
        for milestone in self:
            milestone._log_decision(self.env._("Waived"), reason)

    def _unwaive(self, reason):
        """Ask for waived milestones again. A manager's decision."""
        self._check_manager()
        self._check_reason(reason)
        for milestone in self:
            milestone._check_running()
            if not milestone.is_waived:
                raise UserError(
                    self.env._("“%(milestone)s” is not waived.", milestone=milestone.name)
                )
        self._set(
            {"is_waived": False, "waived_by_id": False, "waived_at": False, "waive_reason": False}
        )
        for milestone in self:
            milestone._log_decision(self.env._("Waiver taken back"), reason)

    def _log_decision(self, decision, reason):
        """Write a decision into the history of the milestone and of its contract."""
        self.ensure_one()
        self.message_post(body=Markup("<b>%s</b>: %s") % (decision, reason))
        self.contract_id.message_post(
            body=Markup("<b>%s</b> (%s): %s") % (decision, self.name, reason)
        )

    # === BUSINESS METHODS: nightly === #
    @api.model
    def _cron_check(self, batch_size=200):
        """Check running contracts against the facts, and tell who is responsible for what is due.

        Running it twice, or not at all for days, changes nothing in the end.
        """
        self._check_facts(batch_size)
        self._close_reminders()
        self._remind()

    @api.model
    def _check_facts(self, batch_size):
        """Correct, and say so, where progress differs from the facts."""
        contracts = self.env["sale.admin.contract"].search(
            [("state", "in", RUNNING_STATES)], order="id"
        )
        remaining = len(contracts)
        for start in range(0, len(contracts), batch_size):
            batch = contracts[start : start + batch_size]
            # One bad contract must not keep the others of its batch from being checked.
            if not self._try(batch.milestone_ids._correct_progress):
                for contract in batch:
                    self._try(contract.milestone_ids._correct_progress)
            remaining -= len(batch)
            self.env["ir.cron"]._commit_progress(len(batch), remaining=remaining)

    def _correct_progress(self):
        """Write what the facts say where something else stands, and leave a note of it."""
        wrong = self.browse()
        for milestone, values in self._get_progress().items():
            if any(milestone[name] != value for name, value in values.items()):
                wrong |= milestone
        wrong._facts_changed()
        for contract, milestones in wrong.grouped("contract_id").items():
            names = ", ".join(milestones.mapped("name"))
            _logger.warning("Progress of %s corrected from the facts: %s", contract.name, names)
            contract._message_log(
                body=self.env._("Progress corrected from the facts: %(names)s", names=names)
            )

    def _try(self, work):
        """Do `work` and keep it, or nothing of it; return whether it was done."""
        try:
            work()
            self.env.flush_all()
        except Exception:
            self.env.cr.rollback()
            _logger.exception("Milestones could not be processed.")
            return False
        self.env["ir.cron"]._commit_progress()
        return True

    @api.model
    def _remind(self):
        """Give the responsible one activity for each milestone that becomes due."""
        milestones = self.search(
            [
                ("status", "in", ("due", "late")),
                ("date_reminded", "=", False),
                ("user_id", "!=", False),
            ],
            order="id",
        )
        for milestone in milestones:
            self._try(milestone._remind_responsible)

    def _remind_responsible(self):
        self.ensure_one()
        self.activity_schedule(
            ACTIVITY_TYPE, date_deadline=self.date_planned, user_id=self.user_id.id
        )
        self._set({"date_reminded": self.company_id._sale_admin_today()})

    def _forget_reminders(self):
        """Take back what was said about a date that is no longer the planned one."""
        reminded = self.filtered("date_reminded")
        reminded.activity_unlink([ACTIVITY_TYPE])
        reminded._set({"date_reminded": False})

    @api.model
    def _close_reminders(self):
        """Take away the activities of milestones that are no longer open."""
        self.search([("date_reminded", "!=", False), ("is_open", "=", False)])._forget_reminders()
        self.env["ir.cron"]._commit_progress()

    # === BUSINESS METHODS: drawing === #
    @api.model
    def get_chart_data(self, contract_id):
        """Return planned against actual value of one contract over time, for a drawing.

        Amounts are cumulative, in the contract's currency: delivered and invoiced untaxed,
        collected with taxes.

        :return: ``{"currency_id", "today", "measures": [{"measure", "label", "planned",
            "baseline", "actual"}]}``, each curve a list of ``[date, amount]``; the date of what
            bears none is False
        """
        contract = self.env["sale.admin.contract"].browse(contract_id)
        contract.check_access("read")
        contract = contract.sudo()
        milestones = contract.milestone_ids.filtered(lambda m: m.measure in DERIVED_MEASURES)
        facts = self._get_curves(contract)
        labels = dict(self._fields["measure"]._description_selection(self.env))
        measures = []
        for measure in DERIVED_MEASURES:
            own = milestones.filtered(lambda m, measure=measure: m.measure == measure)
            planned = own.filtered(lambda m: m.date_planned and not m.is_waived)
            curves = {
                "planned": [(m.date_planned, m.amount_planned) for m in planned],
                "baseline": [(m.date_baseline, m.amount_baseline) for m in own if m.date_baseline],
                "actual": [
                    (
                        row["date"],
                        row["amount_total" if measure == "collected" else "amount_untaxed"],
                    )
                    for row in facts[contract.id, measure]
                ],
            }
            if any(curves.values()):
                measures.append(
                    {
                        "measure": measure,
                        "label": labels[measure],
                        **{name: self._accumulate(points) for name, points in curves.items()},
                    }
                )
        return {
            "currency_id": contract.currency_id.id,
            "today": fields.Date.to_string(contract.company_id._sale_admin_today()),
            "measures": measures,
        }

    @api.model
    def _accumulate(self, points):
        """Add up dated amounts by day, undated ones last."""
        days = defaultdict(float)
        for date, amount in points:
            days[date] += amount
        total, curve = 0.0, []
        for date in sorted(days, key=lambda date: (not date, date or fields.Date.today())):
            total += days[date]
            curve.append([fields.Date.to_string(date), total])
        return curve
