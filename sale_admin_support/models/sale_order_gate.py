import logging
import random
import time
from contextlib import contextmanager

from psycopg2.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import sql

_logger = logging.getLogger(__name__)

ATTEMPTS = 5

# What is changed without changing what was judged.
TECHNICAL_FIELDS = {
    "access_token",
    "locked",
    "message_main_attachment_id",
    "pending_email_template_id",
    "signature",
    "signed_by",
    "signed_on",
    "state",
}
# Who pays and when: changed on a released order, it is judged for its new payer.
PAYER_FIELDS = {"partner_id", "partner_invoice_id", "payment_term_id"}
# What an order promises; `changed_by_id` tells who changed it last.
PROMISE_FIELDS = PAYER_FIELDS | {
    "client_order_ref",
    "commitment_date",
    "company_id",
    "fiscal_position_id",
    "incoterm",
    "order_line",
    "partner_shipping_id",
    "picking_policy",
    "pricelist_id",
    "warehouse_id",
}
SERVER_FIELDS = {"changed_by_id", "has_no_holds", "hold_ids", "judged_at", "release_state"}


class SaleOrder(models.Model):
    """The gate: an order is judged when it is confirmed or grows, and what fails is withheld.

    Nothing raises here: whoever confirms, a customer who signs or a payment included, the order is
    confirmed, and its work waits until the last hold of the stage has ended.
    """

    _name = "sale.order"
    _inherit = ["sale.order", "sale.admin.guarded"]

    # === FIELDS === #
    release_state = fields.Selection(
        [
            ("free", "Free"),
            ("held", "Held"),
            ("released", "Released"),
            ("rejected", "Rejected"),
        ],
        default="free",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
        groups="base.group_user",
    )
    hold_ids = fields.One2many(
        "sale.admin.hold", "order_id", readonly=True, copy=False, groups="base.group_user"
    )
    has_no_holds = fields.Boolean(
        readonly=True,
        copy=False,
        groups="base.group_user",
        export_string_translation=False,
        help="Known to have never had a hold, so that a confirmation need not look for any.",
    )
    judged_at = fields.Datetime(
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="When the confirmed order was last judged as a whole; what is added later is judged "
        "as an increase.",
    )
    changed_by_id = fields.Many2one(
        "res.users",
        string="Last Changed By",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Who last changed what the order promises: lines, prices, terms, dates.",
    )

    def _auto_init(self):
        """Orders of the past are free, and count as judged when they were confirmed."""
        cr = self.env.cr
        if not sql.column_exists(cr, "sale_order", "release_state"):
            cr.execute("ALTER TABLE sale_order ADD COLUMN release_state varchar DEFAULT 'free'")
            cr.execute("ALTER TABLE sale_order ALTER COLUMN release_state DROP DEFAULT")
        if not sql.column_exists(cr, "sale_order", "judged_at"):
            sql.create_column(cr, "sale_order", "judged_at", "timestamp")
            cr.execute("UPDATE sale_order SET judged_at = date_order WHERE state = 'sale'")
        return super()._auto_init()

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_server_fields(vals)
        server_vals = {
            "release_state": "free",
            "has_no_holds": True,
            "judged_at": False,
            "changed_by_id": self._get_changing_user().id,
        }
        orders = super().create([{**vals, **server_vals} for vals in vals_list])
        orders._judge_if_confirming()
        return orders

    def write(self, vals):
        self._check_server_fields(vals)
        orders = self.sudo()
        state = vals.get("state")
        touched = orders._get_touched(vals)
        left = orders.filtered(lambda order: state and state != "sale" and order.state != state)
        vals = orders._with_gate_values(vals)
        with touched._changing():
            res = super().write(vals)
        orders._judge_if_confirming()
        left._close_gate()
        touched._judge_changed("change" if PAYER_FIELDS.intersection(vals) else "recheck")
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_held(self):
        """Decisions outlive the wish to be rid of them."""
        orders = self.sudo().with_context(active_test=False)
        if held := orders.filtered("hold_ids"):
            raise UserError(
                self.env._(
                    "%(orders)s: what held it and who decided is kept; cancel it instead of "
                    "deleting it.",
                    orders=", ".join(held.mapped("name")),
                )
            )

    def _set(self, vals):
        """Write what only the server decides: past the guard of this class, through Odoo's own."""
        return super().write(vals)

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | SERVER_FIELDS

    def _with_gate_values(self, vals):
        """Return the values of a write with what goes into the same statement."""
        state = vals.get("state")
        if state and state != "sale":
            vals = {**vals, "judged_at": False}
        elif state and all(o.state != "sale" and not o._must_judge() for o in self):
            vals = {**vals, "judged_at": fields.Datetime.now()}
        if PROMISE_FIELDS.intersection(vals) and (user := self._get_changing_user()):
            vals = {**vals, "changed_by_id": user.id}
        return vals

    @api.model
    def _get_changing_user(self):
        """Return the person at work, also behind sudo; jobs change nothing of their own will."""
        user = self.env.user
        return user.browse() if user._is_superuser() else user

    def _note_change(self):
        """Somebody changed lines of these orders."""
        if user := self._get_changing_user():
            orders = self.sudo().filtered(lambda order: order.changed_by_id != user)
            if orders:
                orders._set({"changed_by_id": user.id})

    def _lines_changed(self, judged=None):
        """Somebody changed lines: note who, and look whether a held order may go now.

        :param judged: orders that were judged since the change
        """
        self._note_change()
        held = self.sudo().filtered(lambda order: order.release_state == "held")
        (held - judged if judged else held)._judge_changed()

    def _get_touched(self, vals):
        """Return the orders that are to be judged because of a write: a change of a held order may
        be what it waited for, and another payer is another credit.

        What Odoo or the app notes on an order is no change of it.
        """
        if PAYER_FIELDS.intersection(vals):
            return self.filtered(lambda order: order._must_judge_changes())
        names = vals.keys() - TECHNICAL_FIELDS
        if all(name in self._fields and self._fields[name].readonly for name in names):
            return self.browse()
        return self.filtered(lambda order: order.release_state == "held")

    @contextmanager
    def _changing(self):
        """Judge these orders once, when all that is being changed of them is written."""
        changing = self.env.cr.precommit.data.setdefault("sale_admin_changing", set())
        added = set(self.ids) - changing
        changing.update(added)
        try:
            yield
        finally:
            changing.difference_update(added)

    def _judge_changed(self, event="recheck"):
        """Judge those of the confirmed orders of which nothing more is being changed."""
        changing = self.env.cr.precommit.data.get("sale_admin_changing", ())
        self.filtered(
            lambda order: order.state == "sale" and order.judged_at and order.id not in changing
        )._judge(event)

    # === ACTION METHODS === #
    def action_recheck(self):
        """Judge the orders again as they are now; a quotation as if it were confirmed."""
        self.check_access("read")
        orders = self.sudo().filtered(lambda order: order.state != "cancel")
        orders.filtered(lambda order: order.state != "sale")._judge("quotation")
        confirmed = orders.filtered(lambda order: order.state == "sale")
        reopened = confirmed.hold_ids._reopen_rejected()
        confirmed._judge("recheck")
        if reopened:
            confirmed._holds_changed(reopened, reopened.browse())
        return True

    # === BUSINESS METHODS: WHEN TO JUDGE === #
    def _must_judge(self):
        """Whether a judgement could find anything: no query where no check is switched on."""
        self.ensure_one()
        return self.release_state != "free" or bool(
            self.env["sale.admin.check"]._get_active(self.company_id)
        )

    def _must_judge_changes(self):
        """Whether what is added to this order is judged on its own."""
        self.ensure_one()
        return self.state == "sale" and bool(self.judged_at) and self._must_judge()

    def _judge_if_confirming(self):
        """Judge the orders that are being confirmed right now, by whatever way; else nothing.

        Called by everything that starts work, before it starts.
        """
        orders = self.sudo().filtered(lambda order: order.state == "sale" and not order.judged_at)
        if orders:
            orders._judge("confirm")

    def _judge_again(self, stage):
        """Judge the orders by the checks of a stage that they have come to.

        :param stage: ``ship`` or ``invoice``
        """
        orders = self.sudo().filtered(lambda order: order._must_judge_changes())
        if orders:
            orders._judge(stage)

    def _get_judgement_order(self):
        """Return the orders as they are served: by promised date, then age."""
        return self.sorted(lambda order: (order.commitment_date or order.date_order, order.id))

    # === BUSINESS METHODS: THE ENGINE === #
    def _judge(self, event, added=None):
        """Judge the orders by the active checks, write down what stands against them, and withhold
        or start their work accordingly.

        :param event: ``confirm`` (as a whole, before anything starts), ``change`` (they grew or
            have another price or payer), ``ship`` and ``invoice`` (only the checks of that stage),
            ``recheck`` (something else changed), ``quotation`` (a preview, withholds nothing)
        :param added: at a change, ``{line: quantity}`` that was added and counts as withheld
        """
        holds = self.env["sale.admin.hold"].sudo()
        opened, ended = holds, holds
        for company, orders in self.sudo().grouped("company_id").items():
            checks = holds.env["sale.admin.check"]._get_active(company)
            if event in ("ship", "invoice"):
                checks = checks.filtered(lambda check: check.stage == event)
                if not checks:
                    continue
            if not checks and event == "confirm":
                free = orders.filtered(lambda order: order.release_state == "free")
                free._set({"judged_at": fields.Datetime.now()})
                orders -= free
            if orders:
                orders = orders.with_company(company)._get_judgement_order()
                company_opened, company_ended = orders._judge_by(checks, event, added or {})
                opened |= company_opened
                ended |= company_ended
        if opened or ended:
            self.sudo()._holds_changed(opened, ended)

    def _judge_by(self, checks, event, added):
        """Judge orders of one company by these checks.

        :return: the holds opened and the holds that ended
        """
        current = self._get_current_holds()
        results = self._get_results(checks, current, event)
        outdated, found = self._compare_with_holds(checks, event, current, results)
        outdated._lapse(self._get_lapse_note(event))
        opened = outdated.browse()._place(found)
        for hold in opened:
            current[hold.order_id] |= hold
        for order in self:
            current[order] = current[order].filtered("is_current")
        if event == "confirm":
            self._set({"judged_at": fields.Datetime.now()})
        if event != "quotation":
            self._settle(current, event, added)
        self._note_rechecked(current, results)
        return opened, outdated

    def _note_rechecked(self, current, results):
        """What was looked at now is due no longer, but for what could not be judged yet."""
        holds = self.env["sale.admin.hold"]
        busy = self.filtered(lambda o: any(found.get("recheck_due") for found in results[o]))
        holds.union(*(current[order] for order in self - busy))._done_rechecking()
        if busy:
            holds._trigger_recheck(minutes=1)

    def _get_current_holds(self):
        """Return ``{order: the holds that speak for it now}`` by one query, if by any."""
        holds = self.env["sale.admin.hold"]
        if known := self.filtered(lambda order: not order.has_no_holds):
            holds = holds.search([("order_id", "in", known.ids), ("is_current", "=", True)])
        current = dict.fromkeys(self, holds.browse())
        for hold in holds:
            current[hold.order_id] |= hold
        return current

    def _get_results(self, checks, current=None, event="recheck"):
        """Evaluate the checks: what is wrong with each order, held or not.

        Credit comes last and in sequence: an order that waits for something else uses no credit.

        :return: ``{order: [result]}``, each with its check in ``check_id``
        """
        results = {order: [] for order in self}
        credit = checks.filtered("is_credit")
        for check in checks - credit:
            for order, result in check._evaluate(self).items():
                results[order].append({**result, "check_id": check.id})
        if credit:
            blocked = self._get_blocked(current or {}, results, event)
            for order, found in self._get_credit_results(credit, blocked).items():
                results[order] += found
        return results

    def _get_blocked(self, current, results, event):
        """Return those of the orders whose work waits for something else than credit."""
        check_model = self.env["sale.admin.check"]

        def is_blocked(order):
            holds = current.get(order, self.env["sale.admin.hold"])
            if holds.filtered(lambda hold: not hold.check_id)._blocks("handover"):
                return True
            for result in results[order]:
                check = check_model.browse(result["check_id"])
                if check.stage == "handover" and order._is_blocking(check, result, holds):
                    return True
            return False

        return self.filtered(is_blocked)

    def _is_blocking(self, check, result, holds):
        """Whether a result holds this order, or a decision on it covers it."""
        severity = result.get("severity") or check.severity
        return severity == "block" and not holds._get_covering(
            self._prepare_hold_vals(check, result)
        )

    def _compare_with_holds(self, checks, event, current, results):
        """Compare what is wrong now with what is written down.

        :return: the holds that no longer say it right, and the values of those to open
        """
        outdated = self.env["sale.admin.hold"]
        found = []
        for order in self:
            by_check = current[order].filtered("check_id").grouped("check_id")
            if event == "confirm":  # a preview or an earlier confirmation decides nothing now
                outdated = outdated.union(outdated, *by_check.values())
                by_check = {}
            failed = checks.browse()
            for result in results[order]:
                check = checks.browse(result["check_id"])
                failed |= check
                vals = order._prepare_hold_vals(check, result)
                holds = by_check.get(check, outdated.browse())
                vals["stage"] = order._get_hold_stage(check, event, holds)
                if not vals["stage"] or holds._get_covering(vals):
                    continue
                if holds.filtered(lambda hold: hold.state == "rejected"):
                    continue
                same = holds.filtered(lambda hold, v=vals: hold.stage == v["stage"])
                if event == "recheck" and same.state == "open" and same.severity != "block":
                    vals["severity"] = same.severity  # a check made stricter holds what follows
                if same.state == "open" and not same._differs(vals):
                    continue
                if same:
                    outdated |= same
                    vals["held_since"] = same.state == "open" and same.held_since
                vals["is_partial"] = (
                    same.is_partial
                    if same.state == "open"
                    else vals["stage"] == "handover" and event in ("change", "recheck")
                )
                found.append(vals)
            for check, holds in by_check.items():
                if check in failed or (check not in checks and event in ("ship", "invoice")):
                    continue
                outdated |= holds.filtered(lambda hold: hold.state == "open")
        return outdated, found

    def _get_hold_stage(self, check, event, holds):
        """Return the stage at which this order waits for what a check found, if at any.

        Work that has started cannot be withheld from starting: what got dearer waits at shipping,
        and where nothing is left to ship, its invoice waits, but never for credit. A mere look at
        the order finds nothing new for what has started.
        """
        self.ensure_one()
        if check.stage != "handover" or event in ("confirm", "quotation"):
            return check.stage
        if self.order_line.filtered("qty_withheld"):
            return "handover"
        if event != "change":
            return holds.filtered(lambda hold: hold.state == "open")[:1].stage
        if self._has_goods_to_ship():
            return "ship"
        return False if check.is_credit else "invoice"

    def _has_goods_to_ship(self):
        """Whether anything of this order could still be kept from leaving."""
        self.ensure_one()
        return any(
            line.qty_delivered_method == "stock_move"
            and line.product_uom_id.compare(line.qty_delivered, line.product_uom_qty) < 0
            for line in self.order_line
        )

    def _prepare_hold_vals(self, check, result):
        """Return the values of the hold that a result of a check leads to."""
        self.ensure_one()
        hold_model = self.env["sale.admin.hold"]
        vals = {fname: value for fname, value in result.items() if fname in hold_model._fields}
        return {
            "partner_id": self.partner_invoice_id.commercial_partner_id.id,
            "severity": check.severity,
            "recheck_due": False,
            **vals,
            "order_id": self.id,
            "check_id": check.id,
            "stage": check.stage,
            "amount_order": self._get_amount_company()[self],
        }

    def _get_amount_company(self):
        """Return ``{order: total}`` with taxes, in the company's currency at the order's rate."""
        return {
            order: order.company_id.currency_id.round(
                order.amount_total / (order.currency_rate or 1.0)
            )
            for order in self
        }

    @api.model
    def _get_lapse_note(self, event):
        notes = {
            "confirm": self.env._("Judged anew at the confirmation."),
            "cancel": self.env._("The order was cancelled."),
        }
        return notes.get(event) or self.env._("No longer found, or found differently.")

    # === BUSINESS METHODS: WHAT FOLLOWS === #
    def _settle(self, current, event="recheck", added=None):
        """Bring the orders in line with the holds that speak for them: withhold, or start.

        :param current: ``{order: holds}``
        """
        added = added or {}
        by_state = {}
        started = self.browse()
        for order in self:
            holds = current[order]
            if order.state != "sale":  # a preview withholds nothing
                holds = holds.filtered(lambda hold: not hold.check_id)
            state = holds._get_release_state()
            if order.release_state != state:
                by_state[state] = by_state.get(state, self.browse()) | order
            if holds._blocks("handover"):
                if event == "confirm":
                    order.order_line._withhold()
            else:
                for line, quantity in added.items():
                    if line.order_id == order:  # whoever adds it starts it
                        line._set({"qty_withheld": line.qty_withheld - quantity})
                started |= order
        for state, orders in by_state.items():
            orders._set({"release_state": state})
        if event == "confirm":
            started.order_line._forget_withheld()
        else:
            started.order_line._release_withheld()

    def _close_gate(self):
        """The orders left the confirmed state: what stood against them ends with them.

        Transfers that still wait stay held, as an order set back by an import leaves them behind.
        """
        hold_model = self.env["sale.admin.hold"].sudo()
        cancelled = self.filtered(lambda order: order.state == "cancel")
        if not cancelled:
            return
        ended = hold_model
        current = cancelled._get_current_holds()
        for order, holds in current.items():
            alive = order.order_line.move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
            if not alive:
                ended |= holds.filtered("check_id")
        ended._lapse(self._get_lapse_note("cancel"))
        for order, holds in current.items():
            state = (holds - ended)._get_release_state()
            if order.release_state != state:
                order._set({"release_state": state})
        cancelled.order_line._forget_withheld()
        hold_model._mark_recheck(partners=cancelled.partner_invoice_id)
        if ended:
            cancelled._holds_changed(hold_model, ended)

    def _get_held_stages(self):
        """Hook: the stages (`handover`, `ship`, `invoice`) at which this order is withheld."""
        self.ensure_one()
        order = self.sudo()
        if order.release_state not in ("held", "rejected"):
            return set()
        holds = order.hold_ids.filtered("is_current")
        return {stage for stage in ("handover", "ship", "invoice") if holds._blocks(stage)}

    def _get_gate_sentence(self, stage):
        """Return in one sentence, without amounts, what this order waits for at a stage."""
        self.ensure_one()
        holds = self.sudo().hold_ids.filtered(lambda hold: hold.is_current and hold._blocks(stage))
        return self.env._(
            "%(order)s is on hold: %(reasons)s",
            order=self.name,
            reasons=" ".join(dict.fromkeys(holds.mapped("reason"))),
        )

    def _holds_changed(self, opened, ended):
        """Hook: holds of these orders were opened, or have ended by a decision or by themselves.

        :param opened: holds of any severity, with all rights
        :param ended: likewise
        """

    # === BUSINESS METHODS: DECISIONS === #
    def _get_preparers(self):
        """Hook: who entered the order or changed it last, and therefore decides nothing on it."""
        self.ensure_one()
        order = self.sudo()
        return order.create_uid | order.entered_by_id | order.changed_by_id

    def _hold_by_hand(self, reason, stage, note=None):
        """Hold the orders until somebody releases them; they never free themselves.

        :param reason: a `sale.admin.reason`, or the reason in words
        :return: the holds
        :raise AccessError: for who may neither change the order nor control credit
        """
        if not self.env.user.has_group("sale_admin_support.group_sale_admin_credit"):
            self.check_access("write")
        self.check_access("read")
        is_record = isinstance(reason, models.BaseModel)
        words = [reason.name if is_record else reason, note]
        text = ": ".join(word.strip() for word in words if word and word.strip())
        if not text:
            raise UserError(self.env._("Say why the order is to wait."))
        orders = self.sudo()
        if cancelled := orders.filtered(lambda order: order.state == "cancel"):
            raise UserError(
                self.env._(
                    "%(orders)s: nothing of a cancelled order is left to hold.",
                    orders=", ".join(cancelled.mapped("name")),
                )
            )
        amounts = orders._get_amount_company()
        holds = (
            self.env["sale.admin.hold"]
            .sudo()
            ._place(
                [
                    {
                        "order_id": order.id,
                        "reason_id": reason.id if is_record else False,
                        "reason": text,
                        "stage": stage,
                        "partner_id": order.partner_invoice_id.commercial_partner_id.id,
                        "amount_order": amounts[order],
                    }
                    for order in orders
                ]
            )
        )
        orders._settle(orders._get_current_holds())
        orders._holds_changed(holds, holds.browse())
        return holds

    def _release_part(self, quantities, note, amount=None, valid_until=None):
        """Let a part of one held order go; the rest stays held by the same reasons.

        :param quantities: ``{line: quantity to start}``, at most what is withheld, in its unit
        :param amount: approved up to this value of the part, in the company's currency with taxes
        :raise UserError: who may not release each hold that keeps the work from starting
        """
        self.ensure_one()
        order = self.sudo()
        quantities = order._check_part(quantities)
        current = order._get_current_holds()[order]
        holds = current.filtered(
            lambda hold: (
                hold.stage == "handover"
                and hold.severity == "block"
                and hold.state in ("open", "rejected")
            )
        )
        holds.with_env(self.env)._release_part(quantities, note, amount, valid_until)
        return True

    def _check_part(self, quantities):
        """Return the quantities that can go, without lines of which nothing goes."""
        part = {}
        for line, quantity in quantities.items():
            line = line.sudo()
            uom = line.product_uom_id
            if line.order_id != self:
                raise UserError(self.env._("%(line)s is of another order.", line=line.name))
            if uom.compare(quantity, 0.0) < 0 or uom.compare(quantity, line.qty_withheld) > 0:
                raise UserError(
                    self.env._(
                        "%(line)s: between 0 and %(withheld)s can be released.",
                        line=line.name,
                        withheld=line.qty_withheld,
                    )
                )
            if not uom.is_zero(quantity):
                part[line] = quantity
        if not part:
            raise UserError(self.env._("Say how much of which line is to go."))
        return part

    # === BUSINESS METHODS: JUDGE AGAIN === #
    def _recheck_alone(self):
        """Judge a held order again in a transaction of its own; it hinders no other one.

        What another user changes at the same moment is read afresh. What fails for another reason
        is tried again when something happens, at the latest after an hour.
        """
        self.ensure_one()
        for attempt in range(ATTEMPTS):
            try:
                if self.state == "cancel":
                    self.hold_ids._done_rechecking()
                else:
                    self._judge("recheck" if self.state == "sale" else "quotation")
                self.env.flush_all()
                return
            except (ConcurrencyError, SerializationFailure, DeadlockDetected, LockNotAvailable):
                self.env.cr.rollback()
                self.env.invalidate_all()
                time.sleep(random.uniform(0.0, 0.2 * 2**attempt))
            except Exception:
                self.env.cr.rollback()
                self.env.invalidate_all()
                _logger.exception("%s (%s) could not be judged again", self.name, self.id)
                self.hold_ids._done_rechecking()
                return
        self.env["sale.admin.hold"]._trigger_recheck(minutes=1)
