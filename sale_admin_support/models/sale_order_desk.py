from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

ACTIVITY_TYPE = "sale_admin_support.mail_activity_type_hold"


class SaleOrder(models.Model):
    """What people see of an order's holds, and who is told of them."""

    _inherit = "sale.order"

    # === FIELDS === #
    release_banner = fields.Char(
        string="Held Because",
        compute="_compute_release_banner",
        groups="base.group_user",
        help="What holds the order and who can act, in one line without amounts.",
    )
    release_banner_kind = fields.Selection(
        [("held", "Held"), ("rejected", "Rejected"), ("note", "Note")],
        compute="_compute_release_banner",
        groups="base.group_user",
    )
    release_actors = fields.Char(
        string="Who Can Act", compute="_compute_release_actors", groups="base.group_user"
    )
    release_authority = fields.Char(
        string="Your Authority", compute="_compute_release_authority", groups="base.group_user"
    )
    can_release = fields.Boolean(
        compute="_compute_release_authority",
        groups="base.group_user",
        help="Whether you may decide on at least one of its holds.",
    )
    can_escalate = fields.Boolean(
        compute="_compute_release_authority",
        groups="base.group_user",
        help="Whether you release such holds, but not this one.",
    )

    # === COMPUTE METHODS === #
    @api.depends("hold_ids.state", "release_state", "state")
    def _compute_release_banner(self):
        for order in self:
            order.release_banner_kind, order.release_banner = order._get_release_banner()

    @api.depends("hold_ids.state", "release_state", "state")
    def _compute_release_actors(self):
        actors = self._get_standing_holds()._get_actors()
        for order in self:
            names = {}
            for hold in order._get_standing_holds():
                group, users = actors[hold]
                names.setdefault(group, users)
            order.release_actors = "; ".join(
                self._format_actors(group, users) for group, users in names.items()
            )

    @api.depends("hold_ids.state", "release_state", "state")
    @api.depends_context("uid")
    def _compute_release_authority(self):
        holds = self._get_standing_holds().filtered(lambda h: h.state == "open")
        holds = holds.with_env(self.env)
        obstacles = holds._get_cannot_release_reason()
        ceilings = holds._get_release_ceiling()
        for order in self:
            own = order._get_standing_holds() & holds
            order.can_release = any(not obstacles[hold] for hold in own)
            order.can_escalate = any(obstacles[hold] and ceilings[hold] != 0.0 for hold in own)
            order.release_authority = order._get_release_authority(own, obstacles, ceilings)

    # === ACTION METHODS === #
    def action_open_release(self):
        """Ask for the note and what else a release takes."""
        return self._get_decide_action("release", self.env._("Release"))

    def action_open_reject(self):
        return self._get_decide_action("reject", self.env._("Reject"))

    def action_open_hold(self):
        return self._get_wizard_action(
            "sale.admin.order.hold", self.env._("Hold"), default_order_ids=self.ids
        )

    def action_view_release_options(self):
        """Show what would release the order, and act on it."""
        self.ensure_one()
        return self._get_wizard_action(
            "sale.admin.order.release",
            self.env._("What Would Release %s", self.name),
            default_order_id=self.id,
        )

    def action_escalate(self):
        """Ask somebody with the authority that the user lacks."""
        self.ensure_one()
        return self._get_wizard_action(
            "sale.admin.order.escalate", self.env._("Ask for a Decision"), default_order_id=self.id
        )

    # === BANNER === #
    def _get_standing_holds(self):
        """Return the holds that keep the orders waiting or that ended them, with all rights."""
        return self.sudo().hold_ids.filtered(lambda h: h._is_standing())

    def _get_release_banner(self):
        """Return how the order stands with its holds and the sentence that says it."""
        self.ensure_one()
        holds = self._get_standing_holds().sorted("id")
        reasons = " · ".join(dict.fromkeys(holds.mapped("reason")))
        if self.state not in ("draft", "sent", "sale"):
            return False, False
        if not holds:
            return self._get_warning_banner()
        if self.release_state == "rejected":
            decided = holds.filtered(lambda h: h.state == "rejected").sorted("decided_at")[-1:]
            return "rejected", self.env._(
                "Rejected by %(user)s, to be cancelled: %(note)s (%(reasons)s)",
                user=decided.decided_by_id.name,
                note=decided.note,
                reasons=reasons,
            )
        if self.state != "sale":
            return "note", self.env._("Would be held when confirmed: %s", reasons)
        return "held", self.env._(
            "Held (%(stages)s): %(reasons)s",
            stages=", ".join(holds._get_stage_labels()),
            reasons=reasons,
        )

    def _get_warning_banner(self):
        warnings = self.sudo().hold_ids.filtered(
            lambda h: h.is_current and h.state == "open" and h.severity == "warn"
        )
        if not warnings:
            return False, False
        reasons = dict.fromkeys(warnings.sorted("id").mapped("reason"))
        return "note", self.env._("Please note: %s", " · ".join(reasons))

    def _format_actors(self, group, users):
        names = users[:3].mapped("name")
        if len(users) > 3:
            names.append(self.env._("and %s more", len(users) - 3))
        return self.env._(
            "%(names)s (%(group)s)",
            group=group.name,
            names=", ".join(names) or self.env._("nobody"),
        )

    def _get_release_authority(self, holds, obstacles, ceilings):
        """Say in one sentence what the user may do about the holds."""
        self.ensure_one()
        if not holds:
            return False
        refusals = dict.fromkeys(why for hold in holds if (why := obstacles[hold]))
        sentences = [self.env._("You cannot decide: %s", why) for why in refusals]
        if refusals and not all(obstacles[hold] for hold in holds):
            sentences = [
                self.env._("%(reason)s You cannot decide: %(why)s", reason=hold.reason, why=why)
                for hold in holds
                if (why := obstacles[hold])
            ]
        amounts = [ceilings[hold] for hold in holds if ceilings[hold]]
        if amounts:
            sentences.insert(
                0,
                self.env._(
                    "You may release up to %(amount)s.",
                    amount=self.company_id.currency_id.format(min(amounts)),
                ),
            )
        return " ".join(dict.fromkeys(sentences)) or self.env._("You may release it.")

    def _render_standing_holds(self):
        """Return the reasons as a list, for a dialog."""
        self.ensure_one()
        items = Markup("").join(
            Markup("<li>%s</li>") % hold.reason for hold in self._get_standing_holds().sorted("id")
        )
        return Markup("<ul class='mb-0'>%s</ul>") % items

    # === ESCALATION === #
    def _get_escalation_users(self):
        """Return the others who may decide on what holds the order, least authority first."""
        self.ensure_one()
        users = self.env["res.users"]
        for _group, actors in self._get_standing_holds()._get_actors().values():
            users |= actors
        return users - self.env.user

    def _escalate(self, user, note):
        """Ask somebody with more authority to decide; the order's chatter tells of it.

        :raise UserError: when that person could not decide either
        """
        self.ensure_one()
        self.check_access("read")
        if user not in self._get_escalation_users():
            raise UserError(
                self.env._("%s has no authority to decide on this order.", user.display_name)
            )
        # sudo: who decides on the order's credit need not be one who writes orders
        order = self.sudo()
        activity = order._get_release_activities()[:1] or order._schedule_release_activity()
        activity.write(
            {
                "user_id": user.id,
                "date_deadline": self.company_id._sale_admin_today(),
                "note": self.env._(
                    "%(user)s asks you to decide: %(note)s", user=self.env.user.name, note=note
                ),
            }
        )
        order._message_log(
            body=self.env._("%(user)s is asked to decide: %(note)s", user=user.name, note=note)
        )

    # === WHO IS TOLD === #
    def _holds_changed(self, opened, ended):
        """Tell the salesperson, and give the desk one task an order as long as it waits."""
        res = super()._holds_changed(opened, ended)
        opened = opened.filtered(lambda h: h._is_blocking())
        ended = ended.filtered(lambda h: h.severity == "block")
        for order in (opened.order_id | ended.order_id).filtered(lambda o: o.state == "sale"):
            order._tell_salesperson(opened & order.hold_ids, ended & order.hold_ids)
        (opened.order_id | ended.order_id)._update_release_activity()
        return res

    def _tell_salesperson(self, opened, ended):
        """Note in the chatter what happened, without amounts, and notify the salesperson."""
        self.ensure_one()
        order = self.with_context(lang=self.user_id.lang or self.env.lang)
        lines = [
            order.env._("Held (%(stage)s): %(reason)s", stage=stage, reason=hold.reason)
            for hold in opened.with_env(order.env)
            for stage in hold._get_stage_labels()
        ]
        lines += [hold._get_end_text() for hold in ended.with_env(order.env)]
        if opened:
            lines.append(order.env._("Who can act: %s", order.release_actors))
        elif order.release_state == "released":
            lines.append(order.env._("Nothing holds the order any more: its work starts."))
        body = Markup("<br/>").join(lines)
        author = self.env.ref("base.partner_root")
        self._message_log(body=body, author_id=author.id)
        if self.user_id:
            order._notify_salesperson(body, author)

    def _notify_salesperson(self, body, author):
        """Not by a message of the order itself: that would make Odoo write to the customer's
        record, which orders confirmed at the same time share."""
        self.env["mail.thread"].message_notify(
            model=self._name,
            res_id=self.id,
            subject=self.env._(
                "%(order)s: %(customer)s", order=self.name, customer=self.partner_id.name
            ),
            body=body,
            author_id=author.id,
            partner_ids=self.user_id.partner_id.ids,
            notify_author_mention=True,  # also when the salesperson is who confirmed
        )

    def _update_release_activity(self):
        """Keep exactly one task for each order that waits for a decision, and none for others."""
        orders = self.sudo()
        if not self._get_release_activity_type():
            return  # somebody deleted it: no confirmation fails for that
        activities = orders._get_release_activities()
        waiting = orders.filtered(lambda o: o.state == "sale" and o.release_state == "held")
        asked = activities.filtered(lambda a: a.res_id in waiting.ids)
        (activities - asked).unlink()
        for order in waiting.filtered(lambda o: o.id not in asked.mapped("res_id")):
            order._schedule_release_activity()

    def _get_release_activities(self):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", self._get_release_activity_type().id),
            ]
        )

    @api.model
    def _get_release_activity_type(self):
        activity_type = self.env.ref(ACTIVITY_TYPE, raise_if_not_found=False)
        return activity_type or self.env["mail.activity.type"]

    def _schedule_release_activity(self):
        self.ensure_one()
        user = self._get_release_user()
        order = self.with_context(lang=user.lang, mail_activity_quick_update=True)
        today = self.company_id._sale_admin_today()
        promised = self.company_id._sale_admin_date(self.commitment_date)
        return order.activity_schedule(
            activity_type_id=self._get_release_activity_type().id,
            date_deadline=max(today, promised) if promised else today,
            summary=order.env._("Held: %s", self.partner_id.commercial_partner_id.name),
            note=order.release_banner,
            user_id=user.id,
        )

    def _get_release_user(self):
        """Hook: who gets the task to decide: the first of those who can act on most holds."""
        self.ensure_one()
        counts = {}
        for _group, users in self._get_standing_holds()._get_actors().values():
            for user in users:
                counts[user] = counts.get(user, 0) + 1
        nobody = self.user_id or self.env.ref("base.user_admin")
        return max(counts, key=counts.get, default=nobody)

    # === CUSTOMER === #
    def _is_being_processed(self):
        """Whether to tell the customer that the order is accepted and being processed."""
        self.ensure_one()
        order = self.sudo()
        return order.state == "sale" and (
            order.release_state in ("held", "rejected")
            or (order.release_state == "released" and order.delivery_status in (False, "pending"))
        )

    # === DIALOGS === #
    def _get_decide_action(self, decision, name):
        holds = self._get_standing_holds().filtered(lambda h: h.state == "open")
        return self._get_wizard_action(
            "sale.admin.hold.decide",
            name,
            default_hold_ids=holds.ids,
            default_decision=decision,
        )

    def _get_wizard_action(self, model, name, **context):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": context,
        }
