from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import SQL, format_amount, ormcache

from .sale_admin_check import SEVERITIES, STAGES

MONEY_GROUPS = (
    "sale_admin_support.group_sale_admin_credit,sale_admin_support.group_sale_admin_user,"
    "account.group_account_invoice,account.group_account_readonly"
)
# Figures in which more than before is another matter than the one written down.
WORSE_FIELDS = ("amount_order", "amount_over")
# What the rest of a hold takes along when a part of the order is released.
COPIED_FIELDS = (
    "order_id",
    "check_id",
    "reason_id",
    "severity",
    "stage",
    "reason",
    "detail",
    "partner_id",
    "amount_order",
    "amount_limit",
    "amount_exposure",
    "amount_receivable",
    "amount_open_orders",
    "amount_overdue",
    "amount_over",
    "figures",
    "fix",
    "fingerprint",
    "held_since",
    "is_partial",
)


class SaleAdminHold(models.Model):
    """Work on one order withheld at one stage, and the decision that ended it.

    Written by the system alone, and never deleted: what was judged and decided stays as it was, and
    what follows is another record.
    """

    _name = "sale.admin.hold"
    _inherit = ["sale.admin.guarded"]
    _description = "Order Hold"
    _order = "id desc"
    _rec_name = "reason"
    _check_company_auto = True

    # === FIELDS === #
    order_id = fields.Many2one(
        "sale.order", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    check_id = fields.Many2one(
        "sale.admin.check",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Empty: held by hand.",
    )
    reason_id = fields.Many2one(
        "sale.admin.reason", string="Kind of Reason", readonly=True, ondelete="restrict"
    )
    severity = fields.Selection(SEVERITIES, required=True, readonly=True, default="block")
    stage = fields.Selection(STAGES, required=True, readonly=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("released", "Released"),
            ("rejected", "Rejected"),
            ("lapsed", "Lapsed"),
        ],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    is_current = fields.Boolean(
        string="Current",
        readonly=True,
        default=True,
        help="This speaks for the order now; otherwise a later hold, a cancellation or a new "
        "confirmation has taken its place.",
    )
    is_partial = fields.Boolean(
        string="Holds a Part",
        readonly=True,
        help="Only what is withheld of the order waits; the rest goes on.",
    )
    held_since = fields.Datetime(
        readonly=True,
        default=fields.Datetime.now,
        help="Since when the order waits for this, also if the hold was renewed by other figures.",
    )
    reason = fields.Char(required=True, readonly=True)
    detail = fields.Text(readonly=True, groups=MONEY_GROUPS)
    fix = fields.Json(string="Where to Mend It", readonly=True)
    fingerprint = fields.Char(
        readonly=True,
        help="What was looked at; a release covers nothing but this.",
    )
    recheck_due = fields.Boolean(
        readonly=True, help="Something happened that may end this hold: a job looks at it."
    )
    # --- figures when the hold was placed, in the company's currency, taxes included
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Payer", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    amount_order = fields.Monetary(string="Order Value", readonly=True)
    amount_limit = fields.Monetary(string="Credit Limit", readonly=True, groups=MONEY_GROUPS)
    amount_exposure = fields.Monetary(string="Exposure", readonly=True, groups=MONEY_GROUPS)
    amount_receivable = fields.Monetary(string="Receivables", readonly=True, groups=MONEY_GROUPS)
    amount_open_orders = fields.Monetary(string="Open Orders", readonly=True, groups=MONEY_GROUPS)
    amount_overdue = fields.Monetary(string="Overdue", readonly=True, groups=MONEY_GROUPS)
    amount_over = fields.Monetary(string="Over the Limit", readonly=True, groups=MONEY_GROUPS)
    figures = fields.Json(readonly=True, groups=MONEY_GROUPS)
    # --- the decision
    decided_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    decided_at = fields.Datetime(readonly=True)
    decision_reason_id = fields.Many2one(
        "sale.admin.reason", string="Reason of the Decision", readonly=True, ondelete="restrict"
    )
    note = fields.Char(readonly=True)
    amount_approved = fields.Monetary(
        readonly=True,
        groups=MONEY_GROUPS,
        help="The release covers the order up to this value, taxes included; what is added beyond "
        "it is judged again.",
    )
    valid_until = fields.Date(
        readonly=True, help="The last day on which the release covers a new judgement."
    )
    decision_figures = fields.Json(
        readonly=True, groups=MONEY_GROUPS, help="The figures at the moment of the decision."
    )

    # === CONSTRAINTS AND INDEXES === #
    _current_uniq = models.UniqueIndex(
        "(order_id, check_id, stage) WHERE is_current AND check_id IS NOT NULL",
        "One hold of a check speaks for an order at a stage.",
    )
    _recheck_idx = models.Index("(order_id) WHERE recheck_due")
    _open_payer_idx = models.Index("(partner_id) WHERE state = 'open'")

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise UserError(
            self.env._("Holds are placed by the system: judge the order again, or hold it by hand.")
        )

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(
            self.env._("A hold and the decision on it stay as they are: release or reject it.")
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Holds are kept: they say what was decided, by whom and why."))

    def _place(self, vals_list):
        """Write holds down; private, so no client comes here.

        :return: the holds
        """
        if vals_list and not self._is_any_kept():
            self.env.registry.clear_cache()
        self.flush_model(["is_current"])
        now = fields.Datetime.now()
        vals_list = [{**vals, "held_since": vals.get("held_since") or now} for vals in vals_list]
        try:
            holds = super().create(vals_list)
        except UniqueViolation as error:
            # somebody judged the same order at this moment: what he found is read afresh
            raise ConcurrencyError(str(error)) from error
        if first := holds.order_id.filtered("has_no_holds"):
            first._set({"has_no_holds": False})
        return holds

    def _lapse(self, note):
        """These holds speak for their orders no longer; who was not decided on has lapsed."""
        if not self:
            return
        undecided = self.filtered(lambda hold: hold.state == "open")
        undecided._set(
            {
                "state": "lapsed",
                "decided_by_id": self.env.uid,
                "decided_at": fields.Datetime.now(),
                "note": note,
            }
        )
        self._set({"is_current": False, "recheck_due": False})

    # === ACTION METHODS === #
    def action_release(self, note=None):
        """Let the work of the orders go on; `note` says why.

        :raise UserError: without a note, without the authority, or when it is decided already
        """
        self._release(note)
        return True

    def action_reject(self, note=None, reason_id=None):
        """Decide that the orders shall not go on; they stay confirmed and nothing starts.

        To go on, the order is cancelled, or changed and judged again (`action_recheck`).
        """
        self._reject(note, self.env["sale.admin.reason"].browse(reason_id))
        return True

    # === BUSINESS METHODS: WHAT HOLDS SAY === #
    @api.model
    def _is_gate_used(self):
        """Whether anything could be held at all, in any company; without a query."""
        return self.env["sale.admin.check"]._is_any_active() or self._is_any_kept()

    @api.model
    @ormcache()
    def _is_any_kept(self):
        return bool(self.sudo().search_count([], limit=1))

    def _blocks(self, stage):
        """Whether one of these holds keeps an order from a stage.

        What a person holds before it is handed over is not shipped either; what a check holds there
        has not started, and what has been released meanwhile keeps moving.
        """

        def is_blocking(hold):
            if hold.severity != "block" or hold.state not in ("open", "rejected"):
                return False
            by_hand = not hold.check_id and not hold.is_partial
            return hold.stage == stage or (stage == "ship" and hold.stage == "handover" and by_hand)

        return any(is_blocking(hold) for hold in self)

    def _get_release_state(self):
        """Return the `release_state` of an order for which these holds speak."""
        states = set(self.filtered(lambda hold: hold.severity == "block").mapped("state"))
        for state, release_state in (
            ("rejected", "rejected"),
            ("open", "held"),
            ("released", "released"),
        ):
            if state in states:
                return release_state
        return "free"

    def _get_covering(self, vals):
        """Return those of the holds whose release covers what was found now.

        A release is for a payer, up to a value, until a day, and for what was looked at.
        """

        def is_covering(hold):
            today = hold.company_id._sale_admin_today()
            compare = hold.currency_id.compare_amounts
            return (
                hold.state == "released"
                and hold.check_id.id == vals["check_id"]
                and (not hold.valid_until or hold.valid_until >= today)
                and hold.partner_id.id == vals["partner_id"]
                and compare(vals["amount_order"], hold.amount_approved) <= 0
                and (hold.fingerprint or False) == (vals.get("fingerprint") or False)
            )

        return self.filtered(is_covering)

    def _differs(self, vals):
        """Whether what was found now is another matter than what this hold says, or a worse one."""
        self.ensure_one()
        compare = self.currency_id.compare_amounts
        return (
            self.reason != vals["reason"]
            or self.severity != vals["severity"]
            or self.partner_id.id != vals["partner_id"]
            or (self.fingerprint or False) != (vals.get("fingerprint") or False)
            or any(compare(vals.get(name) or 0.0, self[name]) > 0 for name in WORSE_FIELDS)
        )

    def _done_rechecking(self):
        if due := self.filtered("recheck_due"):
            due._set({"recheck_due": False})

    # === BUSINESS METHODS: DECISIONS === #
    def _release(self, note, amount=None, valid_until=None):
        """Release the holds and start what they withheld.

        :param amount: approved up to this value of each order, by default what it is worth now
        :param valid_until: last day on which the release covers a new judgement
        :raise UserError: when it is not the user's to decide, or decided already
        """
        self._check_decision(note)
        holds = self.sudo()
        holds.order_id._serialize_credit()
        figures = holds._get_figures_now()
        approved = holds._get_amounts_to_approve(amount)
        at_stake = {
            hold: hold._get_amount_at_stake(figures[hold])
            + max(approved[hold] - figures[hold]["amount_order"], 0.0)
            for hold in holds
        }
        self._check_release_authority(at_stake)
        for hold in holds:
            hold._set(
                {
                    **self._prepare_decision_vals("released", note),
                    "amount_approved": approved[hold],
                    "valid_until": valid_until or hold._get_valid_until(),
                    "decision_figures": figures[hold],
                }
            )
        holds._decided()

    def _release_part(self, quantities, note, amount=None, valid_until=None):
        """Release these quantities of an order; the rest stays held by renewed holds.

        To be called with all holds that keep the order from being handed over.

        :param quantities: ``{line: quantity}``, at most what is withheld
        """
        holds = self.sudo()
        order = holds.order_id
        withheld = order.order_line.filtered("qty_withheld")
        if all(
            line.product_uom_id.compare(quantities.get(line, 0.0), line.qty_withheld) == 0
            for line in withheld
        ):
            return self._release(note, valid_until=valid_until)
        self._check_decision(note)
        order._serialize_credit()
        figures = holds._get_figures_now()
        value = withheld._get_amount_of(quantities)
        rest = withheld._get_amount_of({line: line.qty_withheld for line in withheld}) - value
        at_stake = {}
        for hold in holds:
            over = figures[hold].get("amount_over")
            at_stake[hold] = value if over is None else max(over - rest, 0.0)
        self._check_release_authority(at_stake)
        vals_list = holds._prepare_renewal_vals()
        for hold in holds:
            lines = [[line.id, quantity] for line, quantity in quantities.items()]
            hold._set(
                {
                    **self._prepare_decision_vals("released", note),
                    "amount_approved": amount or value,
                    "valid_until": valid_until or hold._get_valid_until(),
                    "decision_figures": {**figures[hold], "amount_part": value, "lines": lines},
                    "is_current": False,
                }
            )
        opened = holds._place([{**vals, "is_partial": True} for vals in vals_list])
        order.order_line._release_withheld(quantities)
        order._settle(order._get_current_holds())
        order._holds_changed(opened, holds)
        return None

    def _reject(self, note, reason=None):
        """Decide that the orders shall not go on.

        :param reason: a `sale.admin.reason` of kind ``reject``, to count rejections by
        """
        self._check_decision(note or (reason and reason.name))
        holds = self.sudo()
        figures = holds._get_figures_now()
        for hold in holds:
            hold._set(
                {
                    **self._prepare_decision_vals("rejected", note or reason.name),
                    "decision_reason_id": reason.id if reason else False,
                    "decision_figures": figures[hold],
                }
            )
        holds._decided()

    def _reopen_rejected(self):
        """Ask again: what was rejected no longer speaks for its order.

        What a person held is held again; what a check found, it finds again or not.

        :return: the holds opened
        """
        rejected = self.filtered(lambda hold: hold.is_current and hold.state == "rejected")
        vals_list = rejected.filtered(lambda hold: not hold.check_id)._prepare_renewal_vals()
        rejected._set({"is_current": False})
        return self._place([{**vals, "held_since": False} for vals in vals_list])

    def _decided(self):
        """Bring the orders in line with the decisions."""
        orders = self.order_id
        orders._settle(orders._get_current_holds())
        orders._holds_changed(self.browse(), self)

    def _prepare_decision_vals(self, state, note):
        return {
            "state": state,
            "decided_by_id": self.env.uid,
            "decided_at": fields.Datetime.now(),
            "note": note.strip(),
            "recheck_due": False,
        }

    def _prepare_renewal_vals(self):
        """Return the values of holds that say the same as these."""
        vals_list = []
        for hold in self:
            vals = {name: hold[name] for name in COPIED_FIELDS}
            vals_list.append(self._convert_to_write(vals))
        return vals_list

    def _get_figures_now(self):
        """Return ``{hold: figures}`` as they are at this moment, to be kept with the decision."""
        figures = {}
        for company, holds in self.grouped("company_id").items():
            orders = holds.order_id.with_company(company)
            amounts = orders._get_amount_company()
            results = orders._get_results(holds.check_id)
            for hold in holds:
                found = {
                    result["check_id"]: result
                    for result in results[hold.order_id]
                    if result["check_id"] == hold.check_id.id
                }
                result = found.get(hold.check_id.id, {})
                figures[hold] = {
                    **{name: v for name, v in result.items() if name.startswith("amount_")},
                    "amount_order": amounts[hold.order_id],
                    "is_found": bool(result) or not hold.check_id,
                }
        return figures

    def _get_amount_at_stake(self, figures):
        """Return what a release decides on: what is over the limit, else the order's value."""
        self.ensure_one()
        over = figures.get("amount_over") or self.amount_over
        return over or figures.get("amount_order") or self.amount_order

    def _get_amounts_to_approve(self, amount):
        amounts = self.order_id._get_amount_company()
        for hold in self:
            order_amount = amounts[hold.order_id]
            if amount is not None and hold.currency_id.compare_amounts(amount, order_amount) < 0:
                raise UserError(
                    self.env._(
                        "%(order)s is worth %(amount)s: approve as much, or release a part of it.",
                        order=hold.order_id.name,
                        amount=format_amount(self.env, order_amount, hold.currency_id),
                    )
                )
        return {hold: amounts[hold.order_id] if amount is None else amount for hold in self}

    def _get_valid_until(self):
        """Hook: until when a release is valid if nobody says otherwise; nothing: for good."""
        self.ensure_one()
        return False

    # === BUSINESS METHODS: WHO MAY DECIDE === #
    def _get_cannot_release_reason(self, at_stake=None):
        """Return ``{hold: why this user cannot decide on it, or False}``.

        :param at_stake: ``{hold: amount}`` in the company's currency; by default that of the hold
        """
        return {hold: hold._get_refusal((at_stake or {}).get(hold.sudo())) for hold in self}

    def _get_refusal(self, at_stake=None):
        self.ensure_one()
        hold = self.sudo()
        order = hold.order_id
        if hold.state != "open" or not hold.is_current:
            return self.env._("it is decided already.")
        if hold.severity != "block":
            return self.env._("it only warns and holds nothing.")
        if order.state != "sale" and hold.check_id:
            return self.env._("the order is not confirmed yet.")
        if self.env.user in order._get_preparers():
            return self.env._(
                "you entered or changed the order last: another person decides on it."
            )
        ceiling = self._get_release_ceiling()[self]
        if ceiling is None:
            return False
        if not ceiling:
            return self.env._("it is released by %(group)s.", group=hold._get_release_group_name())
        if at_stake is None:
            at_stake = hold._get_amount_at_stake({})
        if hold.currency_id.compare_amounts(at_stake, ceiling) > 0:
            return self.env._("it is more than you may release.")
        return False

    def _get_release_group_name(self):
        self.ensure_one()
        if self.check_id:
            return self.check_id.release_group_id.full_name
        return self.env.ref("sale_admin_support.group_sale_admin_user").full_name

    def _get_release_ceiling(self):
        """Return ``{hold: up to which amount this user may release it}``.

        In the company's currency; None: without limit; 0: not at all.
        """
        user = self.env.user
        ceilings = {}
        for hold in self:
            own = hold.sudo()
            if own.check_id:
                amount = own.check_id._get_authority_amount(user, own.company_id)
                ceilings[hold] = None if amount == float("inf") else amount or 0.0
            else:
                may = user.has_group("sale_admin_support.group_sale_admin_user") or user.has_group(
                    "sale_admin_support.group_sale_admin_credit"
                )
                ceilings[hold] = None if may else 0.0
        return ceilings

    def _check_decision(self, note):
        """Refuse a decision without a reason, or by somebody who may not see the hold."""
        self.check_access("read")
        if not self:
            raise UserError(self.env._("Nothing is held here."))
        if not note or not note.strip():
            raise UserError(self.env._("Say in a note why: it is kept with the decision."))
        self._check_release_authority({hold.sudo(): 0.0 for hold in self})

    def _check_release_authority(self, at_stake):
        """Refuse a decision that is not this user's.

        :raise AccessError: with each order and why
        """
        refusals = self._get_cannot_release_reason(at_stake)
        sentences = [
            self.env._(
                "%(order)s, %(reason)s: %(refusal)s",
                order=hold.sudo().order_id.name,
                reason=hold.reason.rstrip("."),
                refusal=refusal,
            )
            for hold, refusal in refusals.items()
            if refusal
        ]
        if sentences:
            raise AccessError("\n".join(sentences))

    # === BUSINESS METHODS: JUDGE AGAIN === #
    @api.model
    def _mark_recheck(self, partners=None, orders=None):
        """Something happened that may end holds: a job looks at them within minutes.

        :param partners: customers of whose orders or accounts it happened
        :param orders: orders of which it happened
        """
        if not self.env["sale.admin.check"]._is_any_active():
            return
        partners = (partners or self.env["res.partner"]).sudo()
        partner_ids = (partners | partners.commercial_partner_id).ids
        order_ids = orders.ids if orders else []
        if not partner_ids and not order_ids:
            return
        self.flush_model(["state", "check_id", "order_id", "partner_id", "recheck_due"])
        self.env["sale.order"].flush_model(
            ["partner_id", "partner_invoice_id", "partner_shipping_id"]
        )
        rows = self.env.execute_query(
            SQL(
                """UPDATE sale_admin_hold hold
                      SET recheck_due = TRUE
                     FROM sale_order so
                     JOIN res_partner customer ON customer.id = so.partner_id
                    WHERE so.id = hold.order_id
                      AND hold.state = 'open'
                      AND hold.check_id IS NOT NULL
                      AND hold.recheck_due IS NOT TRUE
                      AND (so.id = ANY(%(orders)s)
                           OR hold.partner_id = ANY(%(partners)s)
                           OR customer.id = ANY(%(partners)s)
                           OR customer.commercial_partner_id = ANY(%(partners)s)
                           OR so.partner_invoice_id = ANY(%(partners)s)
                           OR so.partner_shipping_id = ANY(%(partners)s))
                RETURNING hold.id""",
                orders=order_ids,
                partners=partner_ids,
            )
        )
        if rows:
            self.browse([row[0] for row in rows]).invalidate_recordset(["recheck_due"])
            self._trigger_recheck()

    @api.model
    def _trigger_recheck(self, minutes=0):
        """Let the job look at what is due, at once or in some minutes."""
        cron = self.env.ref("sale_admin_support.sale_admin_hold_cron_recheck").sudo()
        cron._trigger(fields.Datetime.now() + timedelta(minutes=minutes) if minutes else None)

    @api.model
    def _cron_mark_due(self):
        """Look at all that is held: days pass, and not everything is told."""
        holds = self.sudo().search([("state", "=", "open"), ("check_id", "!=", False)])
        if holds:
            holds._set({"recheck_due": True})
            self._trigger_recheck()

    @api.model
    def _cron_recheck(self):
        """Judge again what waits, by promised date, then age, each order on its own."""
        orders = self.sudo().search([("recheck_due", "=", True)]).order_id._get_judgement_order()
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(orders))
        for order in orders:
            order._recheck_alone()
            if not cron._commit_progress(1):
                break
