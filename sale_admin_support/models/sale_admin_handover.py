from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

TEAMS = [
    ("warehouse", "Warehouse"),
    ("production", "Production"),
    ("purchasing", "Purchasing"),
]


class SaleAdminHandover(models.Model):
    """One order given to those who do the work, and their answer to it.

    Made by :meth:`sale.order._hand_over`, answered once by a member of the team: taken over, or
    sent back with a reason. Then it stands; what is mended is handed over by a new row.
    """

    _name = "sale.admin.handover"
    _inherit = ["sale.admin.guarded"]
    _description = "Order Hand-over"
    _order = "id desc"
    _rec_name = "order_id"
    _check_company_auto = True

    # === FIELDS === #
    order_id = fields.Many2one(
        "sale.order", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="order_id.partner_id", string="Customer", store=True, index=True
    )
    commitment_date = fields.Datetime(related="order_id.commitment_date", string="Promised")
    team = fields.Selection(TEAMS, string="Handed Over To", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Person", readonly=True, help="Who is asked by name, if anybody is."
    )
    content = fields.Text(readonly=True, help="What was handed over, as it was then.")
    message = fields.Char(readonly=True, help="What those who do the work should know.")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("acknowledged", "Taken over"),
            ("sent_back", "Sent back"),
            ("superseded", "Replaced"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
    )
    handed_over_at = fields.Datetime(readonly=True, required=True, default=fields.Datetime.now)
    handed_over_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    due_at = fields.Datetime(
        string="Answer Due", readonly=True, help="When an answer is late, by the company's setting."
    )
    answered_at = fields.Datetime(readonly=True)
    answered_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    reason_id = fields.Many2one(
        "sale.admin.reason", string="Sent Back Because", readonly=True, ondelete="restrict"
    )
    note = fields.Char(readonly=True)
    can_answer = fields.Boolean(compute="_compute_can_answer")

    # === CONSTRAINTS AND INDEXES === #
    _one_waiting = models.UniqueIndex(
        "(order_id, team) WHERE state = 'waiting'",
        "The order is handed over to this team already and waits for its answer.",
    )
    _waiting_idx = models.Index("(due_at) WHERE state = 'waiting'")

    # === COMPUTE METHODS === #
    @api.depends("team", "state")
    @api.depends_context("uid")
    def _compute_can_answer(self):
        teams = self._get_teams_of_user()
        for handover in self:
            handover.can_answer = handover.state == "waiting" and handover.team in teams

    # === CRUD METHODS === #
    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {
            "answered_at",
            "answered_by_id",
            "company_id",
            "content",
            "due_at",
            "handed_over_at",
            "handed_over_by_id",
            "message",
            "note",
            "order_id",
            "partner_id",
            "reason_id",
            "state",
            "team",
            "user_id",
        }

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                self._check_server_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_server_fields(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Hand-overs stay: they tell who took over what, and when."))

    # === ACTION METHODS === #
    def action_acknowledge(self):
        """Take the orders over; for the members of the team."""
        self._answer("acknowledged")
        return True

    def action_send_back(self):
        """Ask for the reason, then send the orders back."""
        self._check_can_answer()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send Back"),
            "res_model": "sale.admin.handover.send.back",
            "view_mode": "form",
            "target": "new",
            "context": {"default_handover_ids": self.ids},
        }

    # === BUSINESS METHODS === #
    @api.model
    def _get_team_groups(self):
        """Hook: who answers for a team, ``{team: names of groups}``; groups of apps that are not
        installed are nobody's."""
        return {
            "warehouse": ("stock.group_stock_user",),
            "production": ("mrp.group_mrp_user",),
            "purchasing": ("purchase.group_purchase_user",),
        }

    @api.model
    def _get_teams(self):
        """Return the teams that somebody can answer for: those whose app is installed."""
        return [
            team
            for team, groups in self._get_team_groups().items()
            if any(self.env.ref(group, raise_if_not_found=False) for group in groups)
        ]

    @api.model
    def _get_teams_of_user(self):
        user = self.env.user
        return {
            team
            for team, groups in self._get_team_groups().items()
            if any(user.has_group(group) for group in groups)
        }

    def _check_can_answer(self):
        """Refuse who is not of the team, and what was answered already.

        :raise AccessError, UserError: with the order's name
        """
        self.check_access("read")
        teams = self._get_teams_of_user()
        labels = dict(self._fields["team"]._description_selection(self.env))
        for handover in self.sudo():
            order = handover.order_id
            if handover.team not in teams and not self.env.su:
                raise AccessError(
                    self.env._(
                        "%(order)s was handed over to %(team)s: only they take it over or send it "
                        "back.",
                        order=order.name,
                        team=labels[handover.team],
                    )
                )
            if handover.state != "waiting":
                raise UserError(
                    self.env._(
                        "%(order)s waits for no answer: it was answered already, or handed over "
                        "anew.",
                        order=order.name,
                    )
                )

    def _answer(self, state, reason=None, note=None):
        """Write down the team's answer and tell the office.

        :param reason: record of `sale.admin.reason` of kind `send_back`, for state `sent_back`
        """
        self._check_can_answer()
        if state == "sent_back" and not (reason and reason.kind == "send_back"):
            raise UserError(self.env._("Choose why the order is sent back."))
        handovers = self.sudo()
        handovers._set(
            {
                "state": state,
                "answered_at": fields.Datetime.now(),
                "answered_by_id": self.env.uid,
                "reason_id": reason.id if reason else False,
                "note": note or False,
            }
        )
        handovers.order_id._update_handover_state()
        for handover in handovers:
            handover._tell_office()

    def _tell_office(self):
        """Note the answer on the order; who handed over has to mend what was sent back."""
        self.ensure_one()
        order = self.order_id
        team = dict(self._fields["team"]._description_selection(self.env))[self.team]
        if self.state == "acknowledged":
            order._message_log(
                body=self.env._("Taken over by %(team)s.", team=team),
                author_id=self.answered_by_id.partner_id.id,
            )
            return
        reason = " ".join(filter(None, [f"{self.reason_id.name}.", self.note]))
        order._message_log(
            body=self.env._("Sent back by %(team)s: %(reason)s", team=team, reason=reason),
            author_id=self.answered_by_id.partner_id.id,
        )
        office = self.handed_over_by_id if self.handed_over_by_id.active else order.user_id
        order.activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=order.company_id._sale_admin_today(),
            summary=self.env._("Sent back by %(team)s", team=team),
            note=self.env._("%(reason)s Mend it and hand the order over again.", reason=reason),
            user_id=office.id or self.env.uid,
        )

    @api.model
    def _get_due_at(self, company):
        return fields.Datetime.now() + timedelta(hours=company.sale_admin_handover_hours)

    # === DEMO === #
    @api.model
    def _load_demo(self):
        """Play the last weeks of the demo company's warehouse; called by the demo data alone."""
        from ..demo.progress import Fulfilment

        Fulfilment(self.env).live()
