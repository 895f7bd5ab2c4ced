from odoo import api, fields, models

from .sale_order_credit import MONEY_GROUPS


class SaleAdminHold(models.Model):
    """How a hold reads: who can act on it, how long it stood, then and now."""

    _inherit = "sale.admin.hold"

    # === FIELDS === #
    customer_id = fields.Many2one(related="order_id.partner_id", string="Customer")
    is_blocking = fields.Boolean(
        compute="_compute_is_blocking", search="_search_is_blocking", string="Keeps Waiting"
    )
    can_release = fields.Boolean(compute="_compute_can_release")
    release_obstacle = fields.Char(compute="_compute_can_release", string="Why You Cannot Decide")
    days_held = fields.Float(
        compute="_compute_days_held",
        store=True,
        aggregator="avg",
        digits=(16, 1),
        help="From the day it was placed to the decision; 0 while it is open.",
    )
    comparison = fields.Html(
        compute="_compute_comparison", string="Then and Now", sanitize=False, groups=MONEY_GROUPS
    )

    # === COMPUTE METHODS === #
    @api.depends("check_id", "is_current", "state", "severity", "order_id.state")
    def _compute_is_blocking(self):
        for hold in self:
            in_force = hold.order_id.state == "sale" or not hold.check_id
            hold.is_blocking = hold._is_blocking() and in_force

    def _search_is_blocking(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [
            ("is_current", "=", True),
            ("state", "=", "open"),
            ("severity", "=", "block"),
            "|",
            ("check_id", "=", False),
            ("order_id.state", "=", "sale"),
        ]

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_can_release(self):
        blocking = self.filtered("is_blocking")
        refusals = blocking._get_cannot_release_reason()
        for hold in self:
            refusal = refusals.get(hold)
            hold.release_obstacle = refusal and self.env._("You cannot decide: %s", refusal)
            hold.can_release = hold in blocking and not hold.release_obstacle

    @api.depends("decided_at", "held_since")
    def _compute_days_held(self):
        for hold in self:
            since, until = hold.held_since, hold.decided_at
            hold.days_held = (
                max((until - since).total_seconds() / 86400, 0.0) if since and until else 0.0
            )

    @api.depends("state")
    def _compute_comparison(self):
        for hold in self:
            rows = hold._get_comparison()
            hold.comparison = rows and self.env["ir.qweb"]._render(
                "sale_admin_support.hold_comparison", {"hold": hold, "rows": rows}
            )

    # === ACTION METHODS === #
    def action_open_release(self):
        return self._get_decide_action("release", self.env._("Release"))

    def action_open_reject(self):
        return self._get_decide_action("reject", self.env._("Reject"))

    def _get_decide_action(self, decision, name):
        return self.env["sale.order"]._get_wizard_action(
            "sale.admin.hold.decide",
            name,
            default_hold_ids=self.ids,
            default_decision=decision,
        )

    # === WHAT STANDS === #
    def _is_blocking(self):
        self.ensure_one()
        return self.is_current and self.state == "open" and self.severity == "block"

    def _is_standing(self):
        """Whether the order waits for this hold, or was ended by it."""
        self.ensure_one()
        return self.is_current and self.state in ("open", "rejected") and self.severity == "block"

    # === WHO CAN ACT === #
    def _get_actors(self):
        """Return who may decide on each hold, those first who have the least authority that does.

        :return: ``{hold: (group, users)}``, users of the order's company
        """
        return {hold: (hold._get_actor_groups()[:1], hold._get_release_users()) for hold in self}

    def _get_release_users(self):
        self.ensure_one()
        hold = self.sudo()
        users = hold._get_actor_groups().all_user_ids.filtered(
            lambda u: u.active and not u.share and hold.company_id in u.company_ids
        )
        ceilings = {}
        for user in users:
            own = self.with_user(user)
            if not own._get_refusal():
                ceilings[user] = own._get_release_ceiling()[own]
        unlimited = [user for user in ceilings if ceilings[user] is None]
        limited = [user for user in ceilings if ceilings[user] is not None]
        limited.sort(key=lambda u: ceilings[u])
        return users.browse([user.id for user in limited + unlimited])

    def _get_actor_groups(self):
        """The roles that have a say, the usual one first."""
        self.ensure_one()
        check = self.sudo().check_id
        if check:
            return check.authority_ids.group_id or check.release_group_id
        return self.env.ref("sale_admin_support.group_sale_admin_user").sudo() | self.env.ref(
            "sale_admin_support.group_sale_admin_credit"
        )

    # === WORDS === #
    def _get_stage_labels(self):
        """Return the names of the stages that are withheld, short, each once."""
        labels = {
            "handover": self.env._("hand-over"),
            "ship": self.env._("shipping"),
            "invoice": self.env._("invoicing"),
        }
        return [label for stage, label in labels.items() if stage in self.mapped("stage")]

    def _get_end_text(self):
        """Say how the hold ended, for the salesperson: no amounts."""
        self.ensure_one()
        values = {
            "reason": self.reason,
            "user": self.decided_by_id.name or "",
            "note": self.note or "",
        }
        if self.state == "released":
            return self.env._("Released by %(user)s: %(reason)s %(note)s", **values)
        if self.state == "rejected":
            return self.env._("Rejected by %(user)s: %(reason)s %(note)s", **values)
        return self.env._("No longer held: %(reason)s %(note)s", **values)

    # === THEN AND NOW === #
    def _get_comparison(self):
        """Return the figures when the hold was placed, at the decision, and now.

        :return: dicts with ``label``, ``then``, ``decided`` (None: not decided) and ``now``,
            amounts in the company's currency; nothing for a hold that has no figures
        """
        self.ensure_one()
        hold = self.sudo()
        if not hold.partner_id:
            return []
        now = hold._get_credit_figures()
        decided = hold.decision_figures or {}
        return [
            {
                "label": hold._fields[name]._description_string(self.env),
                "then": hold[name],
                "decided": decided.get(name),
                "now": now[name],
            }
            for name in now
        ]

    def _get_credit_figures(self):
        """Return the payer's figures as they are now, by the names of this model's fields."""
        company = self.company_id
        payer = self.partner_id
        terms = payer._get_credit_terms(company)[payer]
        accounts = {payer: payer}
        situation = payer._get_credit_situations(company, accounts, {payer: terms})[payer]
        amount = self.order_id._get_exposure_if_released()[self.order_id]
        after = situation["exposure"] + amount - self.order_id.amount_exposed
        over = max(after - terms["amount"], 0.0) if terms["mode"] != "no_limit" else 0.0
        return {
            "amount_order": amount,
            "amount_limit": terms["amount"],
            "amount_exposure": situation["exposure"],
            "amount_receivable": situation["receivable"],
            "amount_open_orders": situation["order"] + situation["shipped"],
            "amount_overdue": situation["overdue"],
            "amount_over": over,
        }

    # === DEMO === #
    @api.model
    def _load_demo(self):
        """Let orders wait in the demo company; called by the demo data alone."""
        from ..demo.desk import Desk

        Desk(self.env).live()
