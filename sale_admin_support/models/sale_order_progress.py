import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

STEPS = [
    ("held", "Release"),
    ("rejected", "Change or cancel: rejected"),
    ("hand_over", "Hand over"),
    ("sent_back", "Mend and hand over again"),
    ("acknowledge", "Wait to be taken over"),
    ("supply", "Wait for goods"),
    ("pick", "Pick"),
    ("ship", "Ship"),
    ("deliver", "Do the service"),
    ("invoice", "Invoice"),
    ("post", "Post the draft invoice"),
    ("credit", "Credit what came back"),
    ("pay", "Wait for payment"),
    ("done", "Nothing left"),
]
SERVER_FIELDS = {
    "customer_told_at",
    "customer_told_by_id",
    "customer_told_date",
    "customer_told_how",
    "handed_over_at",
    "handover_state",
    "is_customer_untold",
    "shipto_fingerprint",
    "shipto_verified_at",
    "shipto_verified_by_id",
}
SHIPTO_FIELDS = ("name", "street", "street2", "zip", "city", "state_id", "country_id", "phone")
# An order line with work left: goods under way, withheld or never started, or an invoice to make.
# What was cancelled or taken back is not waited for. An index holds just the lines in question.
LINE_IN_WORK = SQL(
    """ol.state = 'sale' AND ol.display_type IS NULL AND ol.is_downpayment IS NOT TRUE
   AND (ol.product_uom_qty > ol.qty_delivered OR ol.qty_to_invoice <> 0)"""
)
# A service sold at a fixed price is never marked as delivered: nobody waits for that.
LINE_IS_DELIVERED = SQL(
    """EXISTS (
       SELECT FROM product_product pp
         JOIN product_template pt ON pt.id = pp.product_tmpl_id
        WHERE pp.id = ol.product_id
          AND (pt.type = 'consu' OR pt.type = 'service' AND (
               pt.invoice_policy = 'delivery' OR ol.qty_delivered_method <> 'manual')))"""
)
LINE_TO_DELIVER = SQL(
    """(ol.product_uom_qty > ol.qty_delivered AND %s AND (
            ol.qty_withheld > 0
         OR NOT EXISTS (SELECT FROM stock_move own WHERE own.sale_line_id = ol.id)
         OR EXISTS (
            SELECT FROM stock_move own
             WHERE own.sale_line_id = ol.id
               AND own.state NOT IN ('done', 'cancel')
               AND own.origin_returned_move_id IS NULL)))""",
    LINE_IS_DELIVERED,
)
# A move that waits for an earlier step of the same line is not where goods are missing.
MOVE_WAITS_FOR_OWN = SQL(
    """SELECT FROM stock_move_move_rel rel
         JOIN stock_move orig ON orig.id = rel.move_orig_id
        WHERE rel.move_dest_id = sm.id
          AND orig.sale_line_id = sm.sale_line_id
          AND orig.state NOT IN ('done', 'cancel')"""
)
LINE_IS_RELEASED = SQL(
    "(ol.product_uom_qty - ol.qty_delivered > COALESCE(ol.qty_withheld, 0) AND %s)",
    LINE_TO_DELIVER,
)


class SaleOrder(models.Model):
    """Where an order stands on its way to the customer, and what the customer was told."""

    _inherit = "sale.order"

    # === FIELDS === #
    handover_ids = fields.One2many(
        "sale.admin.handover", "order_id", readonly=True, copy=False, groups="base.group_user"
    )
    handover_state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("acknowledged", "Taken over"),
            ("sent_back", "Sent back"),
            ("changed", "Changed since"),
        ],
        string="Hand-over",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
    )
    handed_over_at = fields.Datetime(readonly=True, copy=False, groups="base.group_user")
    sent_back_reason = fields.Char(
        string="Sent Back Because",
        compute="_compute_sent_back_reason",
        groups="base.group_user",
    )
    must_hand_over = fields.Boolean(
        compute="_compute_must_hand_over",
        search="_search_must_hand_over",
        groups="base.group_user",
        help="Released, with work to do, and nobody was given it.",
    )
    problem_ids = fields.One2many("sale.admin.problem", "order_id", groups="base.group_user")
    problem_count = fields.Integer(
        string="Open Problems", compute="_compute_problem_count", groups="base.group_user"
    )
    # --- the last word to the customer
    customer_told_date = fields.Date(
        string="Date Told",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="The delivery date that the customer was last told.",
    )
    customer_told_at = fields.Datetime(
        string="Told At", readonly=True, copy=False, groups="base.group_user"
    )
    customer_told_by_id = fields.Many2one(
        "res.users", string="Told By", readonly=True, copy=False, groups="base.group_user"
    )
    customer_told_how = fields.Selection(
        [("mail", "by mail"), ("phone", "by phone")],
        string="Told How",
        readonly=True,
        copy=False,
        groups="base.group_user",
    )
    is_customer_untold = fields.Boolean(
        string="Customer Not Told",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="The promised date changed after the confirmation and the customer does not know.",
    )
    last_word = fields.Char(
        string="Last Word to the Customer", compute="_compute_last_word", groups="base.group_user"
    )
    # --- the address
    shipto_verified_by_id = fields.Many2one(
        "res.users",
        string="Ship-to Verified By",
        readonly=True,
        copy=False,
        groups="base.group_user",
    )
    shipto_verified_at = fields.Datetime(readonly=True, copy=False, groups="base.group_user")
    shipto_fingerprint = fields.Char(readonly=True, copy=False, groups="base.group_user")
    shipto_state = fields.Selection(
        [("none", "Not verified"), ("verified", "Verified"), ("stale", "Changed since")],
        string="Ship-to Contact",
        compute="_compute_shipto_state",
        groups="base.group_user",
    )
    # --- read from the order's documents, for a whole list by one statement; never cached long:
    # these have no dependencies, so that no document has to tell its order that it changed
    is_in_progress = fields.Boolean(
        string="In Progress",
        compute="_compute_progress",
        search="_search_is_in_progress",
        groups="base.group_user",
        help="Something is to be released, delivered or invoiced.",
    )
    is_to_deliver = fields.Boolean(
        string="To Deliver",
        compute="_compute_progress",
        search="_search_is_to_deliver",
        groups="base.group_user",
    )
    is_to_invoice = fields.Boolean(
        string="To Invoice",
        compute="_compute_progress",
        search="_search_is_to_invoice",
        groups="base.group_user",
        help="Something is to be invoiced or credited.",
    )
    is_unpaid = fields.Boolean(
        string="Unpaid",
        compute="_compute_progress",
        search="_search_is_unpaid",
        groups="base.group_user",
        help="A posted invoice is not settled.",
    )
    lacks_goods = fields.Boolean(
        compute="_compute_progress",
        search="_search_lacks_goods",
        groups="base.group_user",
        help="Goods of the order are under way that are not all there.",
    )
    progress_step = fields.Selection(
        STEPS,
        string="Step",
        compute="_compute_progress",
        groups="base.group_user",
    )
    progress_next = fields.Char(
        string="Next Step", compute="_compute_progress", groups="base.group_user"
    )
    progress_supply = fields.Selection(
        [("missing", "Missing"), ("partial", "In part"), ("ready", "Ready")],
        string="Supply",
        compute="_compute_progress",
        groups="base.group_user",
    )
    progress_picked = fields.Float(
        string="Picked", compute="_compute_progress", groups="base.group_user"
    )
    progress_delivered = fields.Float(
        string="Delivered", compute="_compute_progress", groups="base.group_user"
    )
    progress_invoiced = fields.Float(
        string="Invoiced",
        compute="_compute_progress",
        groups="base.group_user",
        help="Part of the order's total on posted invoices, less credit notes.",
    )
    progress_paid = fields.Float(
        string="Paid",
        compute="_compute_progress",
        groups="base.group_user",
        help="Part of the order's total that is invoiced and settled.",
    )
    date_shipped = fields.Datetime(
        string="Last Shipped", compute="_compute_progress", groups="base.group_user"
    )
    shipment_info = fields.Char(
        string="Carrier and Tracking", compute="_compute_progress", groups="base.group_user"
    )
    date_planned_ship = fields.Datetime(
        string="Planned Shipping",
        compute="_compute_progress",
        groups="base.group_user",
        help="When the last of the goods under way is planned to leave.",
    )
    days_late = fields.Integer(
        compute="_compute_progress",
        help="Days past the promised day, for what is still to be delivered.",
    )

    # === CONSTRAINTS AND INDEXES === #
    _promised_idx = models.Index("(commitment_date) WHERE state = 'sale'")
    _customer_untold_idx = models.Index("(commitment_date) WHERE is_customer_untold IS TRUE")

    # === COMPUTE METHODS === #
    @api.depends("handover_ids.state")
    def _compute_sent_back_reason(self):
        for order in self:
            sent_back = order.sudo().handover_ids.filtered(lambda h: h.state == "sent_back")
            last = sent_back.sorted("id")[-1:]
            order.sent_back_reason = " - ".join(filter(None, [last.reason_id.name, last.note]))

    def _compute_must_hand_over(self):
        found = self.search([("id", "in", self.ids), ("must_hand_over", "=", True)])
        for order in self:
            order.must_hand_over = order._origin in found

    def _search_must_hand_over(self, operator, value):
        if operator != "in":
            return NotImplemented
        companies = (
            self.env["res.company"]
            .sudo()
            .search([("sale_admin_handover_mode", "in", ("manual", "auto"))])
        )
        if not companies:
            return Domain.FALSE
        self._flush_lines_in_work()
        self.flush_model(["state", "handover_state", "date_order", "company_id"])
        released = SQL(
            """(SELECT o.id
                  FROM sale_order o
                  JOIN res_company c ON c.id = o.company_id
                 WHERE o.state = 'sale'
                   AND o.company_id = ANY(%(company_ids)s)
                   AND o.date_order >= %(since)s
                   AND o.date_order >= c.sale_admin_handover_since
                   AND (o.handover_state IS NULL OR o.handover_state = 'changed')
                   AND EXISTS (SELECT FROM sale_order_line ol
                                WHERE ol.order_id = o.id AND %(in_work)s AND %(is_released)s))""",
            company_ids=companies.ids,
            since=min(companies.mapped("sale_admin_handover_since")),
            in_work=LINE_IN_WORK,
            is_released=LINE_IS_RELEASED,
        )
        return [("id", "in", released)]

    @api.depends("problem_ids.state")
    def _compute_problem_count(self):
        counts = dict(
            # sudo: who reads the order may know how many, also without a right on problems
            self.env["sale.admin.problem"]
            .sudo()
            ._read_group(
                [("order_id", "in", self.ids), ("state", "=", "open")], ["order_id"], ["__count"]
            )
        )
        for order in self:
            order.problem_count = counts.get(order._origin, 0)

    @api.depends("customer_told_at", "customer_told_date", "is_customer_untold")
    def _compute_last_word(self):
        how = dict(self._fields["customer_told_how"]._description_selection(self.env))
        for order in self:
            order.last_word = order.customer_told_at and self.env._(
                "%(date)s, told %(how)s on %(day)s",
                date=format_date(self.env, order.customer_told_date),
                how=how.get(order.customer_told_how, ""),
                day=format_date(
                    self.env, order.company_id._sale_admin_date(order.customer_told_at)
                ),
            )

    @api.depends(
        "partner_shipping_id",
        "shipto_verified_at",
        *(f"partner_shipping_id.{name}" for name in SHIPTO_FIELDS),
    )
    def _compute_shipto_state(self):
        for order in self:
            if not order.shipto_verified_at:
                order.shipto_state = "none"
            else:
                known = order.sudo().shipto_fingerprint == order._get_shipto_fingerprint()
                order.shipto_state = "verified" if known else "stale"

    def _compute_progress(self):
        figures = self._read_progress(SQL("o.id = ANY(%s)", self._origin.ids or [0]))
        for order in self:
            values = figures.get(order._origin.id) or {}
            order.update(order._prepare_progress_vals(values))

    def _search_is_in_progress(self, operator, value):
        return self._search_by_lines(
            operator, SQL("(ol.qty_to_invoice <> 0 OR %s)", LINE_TO_DELIVER)
        )

    def _search_is_to_deliver(self, operator, value):
        return self._search_by_lines(operator, LINE_TO_DELIVER)

    def _search_is_to_invoice(self, operator, value):
        return self._search_by_lines(operator, SQL("ol.qty_to_invoice <> 0"))

    def _search_by_lines(self, operator, condition):
        """Find the orders that have such a line, by the index of the lines in work."""
        if operator != "in":
            return NotImplemented
        self._flush_lines_in_work()
        lines = SQL(
            "(SELECT ol.order_id FROM sale_order_line ol WHERE %s AND %s)", LINE_IN_WORK, condition
        )
        return [("id", "in", lines)]

    def _search_is_unpaid(self, operator, value):
        """Find the orders with a posted invoice that is not settled."""
        if operator != "in":
            return NotImplemented
        self.env["account.move"].flush_model(["move_type", "payment_state", "state"])
        unpaid = SQL(
            """(SELECT ol.order_id
                  FROM account_move m
                  JOIN account_move_line line ON line.move_id = m.id
                  JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                  JOIN sale_order_line ol ON ol.id = rel.order_line_id
                 WHERE m.state = 'posted' AND m.move_type = 'out_invoice'
                   AND m.payment_state IN ('not_paid', 'partial'))"""
        )
        return [("id", "in", unpaid)]

    def _search_lacks_goods(self, operator, value):
        if operator != "in":
            return NotImplemented
        self._flush_lines_in_work()
        lacking = SQL(
            """(SELECT ol.order_id
                  FROM stock_move sm
                  JOIN sale_order_line ol ON ol.id = sm.sale_line_id
                 WHERE sm.state IN ('waiting', 'confirmed', 'partially_available')
                   AND sm.origin_returned_move_id IS NULL
                   AND NOT EXISTS (%s))""",
            MOVE_WAITS_FOR_OWN,
        )
        return [("id", "in", lacking)]

    def _flush_lines_in_work(self):
        self.env["sale.order.line"].flush_model(
            ["qty_delivered", "qty_to_invoice", "qty_withheld", "product_uom_qty", "state"]
        )
        self.env["stock.move"].flush_model(["sale_line_id", "state"])

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                self._check_progress_fields(vals)
        return super(SaleOrder, self._without_progress_defaults()).create(vals_list)

    def write(self, vals):
        if not self.env.su:
            self._check_progress_fields(vals)
        promised = {}
        if "commitment_date" in vals:
            promised = {o: o._get_promised_day() for o in self if o.state == "sale"}
        res = super().write(vals)
        for order, day in promised.items():
            order._note_promise_changed(day)
        return res

    def _without_progress_defaults(self):
        """Forget the defaults of a client's context for what the server sets."""
        forged = {f"default_{fname}" for fname in SERVER_FIELDS}
        if not forged.intersection(self.env.context):
            return self
        context = {key: val for key, val in self.env.context.items() if key not in forged}
        return self.with_env(self.env(context=context))

    def _check_progress_fields(self, vals):
        if fnames := SERVER_FIELDS.intersection(vals):
            raise UserError(
                self.env._(
                    "%(fields)s: set by the system, leave it out.",
                    fields=", ".join(sorted(self._fields[fname].string for fname in fnames)),
                )
            )

    def _action_confirm(self):
        res = super()._action_confirm()
        self._hand_over_released()
        return res

    def _action_cancel(self):
        res = super()._action_cancel()
        handed_over = self.sudo().filtered("handover_state")
        handed_over._withdraw_handovers()
        handed_over.write({"handover_state": False, "handed_over_at": False})
        return res

    def _holds_changed(self, opened, ended):
        res = super()._holds_changed(opened, ended)
        if ended:
            self._hand_over_released()
        return res

    # === HAND-OVER === #
    def action_hand_over(self):
        """Ask to whom, then hand the orders over."""
        self._check_can_hand_over()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hand Over"),
            "res_model": "sale.order.hand.over",
            "view_mode": "form",
            "target": "new",
            "context": {"default_order_ids": self.ids},
        }

    def action_hand_over_warehouse(self):
        """Hand the orders over to the warehouse in one click."""
        self._hand_over("warehouse")
        return True

    def _hand_over_released(self):
        """Where the company wants it, hand released orders over by themselves."""
        orders = self.filtered(lambda o: o.company_id.sale_admin_handover_mode == "auto").sudo()
        # searched, not read: what was read before the release is out of date
        for order in orders.search([("id", "in", orders.ids), ("must_hand_over", "=", True)]):
            for team in order._get_handover_teams():
                order._create_handover(team)

    def _get_handover_teams(self):
        """Hook: the teams that an order is handed over to by itself."""
        self.ensure_one()
        return ["warehouse"]

    def _check_can_hand_over(self):
        """Refuse what is not released.

        :raise AccessError: unless a sales administrator asks
        :raise UserError: naming the order
        """
        if not (self.env.su or self.env.user.has_group("sale_admin_support.group_sale_admin_user")):
            raise AccessError(self.env._("Orders are handed over by sales administrators."))
        self._flush_lines_in_work()
        rows = self.env.execute_query(
            SQL(
                """SELECT ol.order_id FROM sale_order_line ol
                    WHERE ol.order_id = ANY(%s) AND %s AND %s""",
                self.ids,
                LINE_IN_WORK,
                LINE_IS_RELEASED,
            )
        )
        released_ids = {order_id for (order_id,) in rows}
        for order in self:
            if order.company_id.sale_admin_handover_mode == "off":
                reason = self.env._("hand-overs are switched off in the settings")
            elif order.state != "sale":
                reason = self.env._("it is not confirmed")
            elif order.id not in released_ids:
                reason = self.env._("nothing of it is released and still to be delivered")
            else:
                continue
            raise UserError(
                self.env._(
                    "%(order)s cannot be handed over: %(reason)s.", order=order.name, reason=reason
                )
            )

    def _hand_over(self, team, user=None, message=None):
        """Give the released orders to those who do the work.

        :param str team: a key of `sale.admin.handover.team`
        :param user: who is asked by name; else the whole team
        """
        self.check_access("write")
        self._check_can_hand_over()
        if team not in self.env["sale.admin.handover"]._get_teams():
            raise UserError(self.env._("Nobody can answer for this team: its app is missing."))
        for order in self:
            order._create_handover(team, user, message)

    def _create_handover(self, team, user=None, message=None):
        self.ensure_one()
        order = self.sudo()
        handovers = self.env["sale.admin.handover"].sudo()
        order._withdraw_handovers(team)
        handovers.flush_model(["state"])  # before the new one waits in its place
        automatic = self.env.su or self.env.user._is_public() or not self.env.user._is_internal()
        handover = handovers.create(
            {
                "order_id": order.id,
                "team": team,
                "user_id": user.id if user else False,
                "message": message or False,
                "content": order._get_handover_content(),
                "handed_over_at": fields.Datetime.now(),
                "handed_over_by_id": False if automatic else self.env.uid,
                "due_at": handovers._get_due_at(order.company_id),
            }
        )
        order._update_handover_state()
        if user:
            order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")).user_id = user
        return handover

    def _get_handover_content(self):
        """Hook: what is handed over, in words: released quantities that are not delivered yet."""
        lines = self.order_line.filtered(lambda line: line.product_id and not line.is_downpayment)
        parts = []
        for line in lines:
            quantity = line.product_uom_qty - line.qty_withheld - line.qty_delivered
            if line.product_uom_id.compare(quantity, 0) > 0:
                parts.append(
                    f"{line.product_uom_id.round(quantity):g} {line.product_uom_id.name} "
                    f"{line.product_id.display_name}"
                )
        return "\n".join(parts)

    def _withdraw_handovers(self, team=None):
        """End what waits for an answer that is not wanted any more."""
        self.handover_ids.filtered(
            lambda h: h.state == "waiting" and (not team or h.team == team)
        )._set({"state": "superseded"})

    def _update_handover_state(self):
        """Say on the order what its teams answered; the worst answer counts."""
        for order in self.sudo():
            latest = {}
            for handover in order.handover_ids.sorted("id"):
                if handover.state != "superseded":
                    latest[handover.team] = handover
            states = {handover.state for handover in latest.values()}
            order.write(
                {
                    "handover_state": next(
                        (s for s in ("sent_back", "waiting", "acknowledged") if s in states), False
                    ),
                    "handed_over_at": max(
                        (handover.handed_over_at for handover in latest.values()), default=False
                    ),
                }
            )

    def _note_handover_changed(self):
        """More was ordered than was handed over: it has to be handed over anew."""
        known = self.sudo().filtered(
            lambda o: o.state == "sale" and o.handover_state in ("waiting", "acknowledged")
        )
        if known:
            known.write({"handover_state": "changed"})

    # === PROGRESS === #
    def _prepare_progress_vals(self, values):
        """Return the fields of one order from a row of :meth:`_read_progress`."""
        self.ensure_one()
        step = values.get("step", False)
        supply = {0: "missing", 1: "partial", 2: "ready"}.get(values.get("supply"), False)
        days_late = 0
        if values.get("is_to_deliver") and self.commitment_date:
            company = self.company_id
            days_late = max(
                (company._sale_admin_today() - company._sale_admin_date(self.commitment_date)).days,
                0,
            )
        return {
            "is_in_progress": values.get("is_in_progress", False),
            "is_to_deliver": values.get("is_to_deliver", False),
            "is_to_invoice": values.get("is_to_invoice", False),
            "is_unpaid": values.get("is_unpaid", False),
            "lacks_goods": supply in ("missing", "partial"),
            "progress_step": step,
            "progress_next": self._get_next_step_text(step, values),
            "progress_supply": supply,
            "progress_picked": values.get("picked") or 0,
            "progress_delivered": values.get("delivered") or 0,
            "progress_invoiced": values.get("invoiced") or 0,
            "progress_paid": values.get("paid") or 0,
            "date_shipped": values.get("date_shipped") or False,
            "shipment_info": values.get("shipment_info") or False,
            "date_planned_ship": values.get("date_planned_ship") or False,
            "days_late": days_late,
        }

    def _get_next_step_text(self, step, values):
        """Hook: what is to be done next, in words."""
        if not step:
            return False
        if step == "supply" and values["supply"] == 1:
            return self.env._("Wait for the rest, or ship a part")
        if step == "hand_over" and self.handover_state == "changed":
            return self.env._("Hand over what was added")
        return dict(self._fields["progress_step"]._description_selection(self.env))[step]

    @api.model
    def _read_progress(self, condition):
        """Read where orders stand, by one statement for any number of them.

        Quantities come from lines and movements, never from Odoo's delivery or invoice status.
        Parts are between 0 and 100.

        :param SQL condition: on sale orders `o`
        :return: ``{order id: row}``
        """
        self.env.flush_all()
        rows = self.env.execute_query_dict(self._get_progress_sql(condition))
        return {row["id"]: row for row in rows}

    @api.model
    def _get_progress_sql(self, condition):
        at_customer = self.env["sale.admin.fact"]._sql_is_at_customer
        return SQL(
            """
            WITH chosen AS MATERIALIZED (
                SELECT o.id, o.state, o.release_state, o.handover_state, o.amount_total,
                       o.currency_id, COALESCE(NULLIF(o.currency_rate, 0), 1) AS currency_rate,
                       c.sale_admin_handover_mode IN ('manual', 'auto')
                   AND o.date_order >= c.sale_admin_handover_since AS is_handed_over
                  FROM sale_order o
                  JOIN res_company c ON c.id = o.company_id
                 WHERE %(condition)s
            ), line AS (
                SELECT ol.order_id,
                       sum(ol.product_uom_qty) FILTER (WHERE %(is_delivered)s) AS ordered,
                       sum(LEAST(ol.qty_delivered, ol.product_uom_qty))
                           FILTER (WHERE %(is_delivered)s) AS delivered,
                       bool_or(%(in_work)s AND %(to_deliver)s) AS is_to_deliver,
                       bool_or(%(in_work)s AND %(is_released)s) AS is_released,
                       bool_or(ol.qty_withheld > 0) AS is_withheld,
                       bool_or(ol.qty_to_invoice > 0) AS is_to_invoice,
                       bool_or(ol.qty_to_invoice < 0) AS is_to_credit
                  FROM chosen
                  JOIN sale_order_line ol ON ol.order_id = chosen.id
                 WHERE ol.display_type IS NULL AND ol.is_downpayment IS NOT TRUE
                 GROUP BY ol.order_id
            ), held AS (
                SELECT hold.order_id,
                       bool_or(hold.stage = 'ship' OR hold.check_id IS NULL
                           AND hold.stage = 'handover' AND hold.is_partial IS NOT TRUE) AS ship,
                       bool_or(hold.stage = 'invoice') AS invoice
                  FROM chosen
                  JOIN sale_admin_hold hold ON hold.order_id = chosen.id
                 WHERE chosen.release_state IN ('held', 'rejected')
                   AND hold.is_current AND hold.severity = 'block'
                   AND hold.state IN ('open', 'rejected')
                 GROUP BY hold.order_id
            ), moved AS (
                SELECT ol.order_id,
                       count(*) FILTER (WHERE is_open) AS open_count,
                       count(*) FILTER (WHERE is_open AND NOT %(out)s) AS step_count,
                       sum(CASE WHEN sm.picked OR has_done_origin THEN sm.quantity ELSE 0 END)
                           FILTER (WHERE is_open AND is_last)
                     / NULLIF(sum(sm.product_uom_qty) FILTER (WHERE is_open AND is_last), 0)
                       AS picked,
                       count(*) FILTER (WHERE is_open AND is_first AND sm.state = 'assigned')
                       AS ready_count,
                       count(*) FILTER (WHERE is_open AND is_first AND sm.state <> 'assigned')
                       AS missing_count,
                       bool_or(is_open AND is_first AND sm.state = 'partially_available')
                       AS is_partial,
                       max(sm.date) FILTER (WHERE is_open AND is_last) AS date_planned_ship,
                       max(sm.date) FILTER (WHERE is_shipped) AS date_shipped,
                       array_agg(DISTINCT sm.picking_id) FILTER (WHERE is_shipped) AS shipped_ids
                  FROM chosen
                  JOIN sale_order_line ol ON ol.order_id = chosen.id
                  JOIN stock_move sm ON sm.sale_line_id = ol.id AND sm.state <> 'cancel'
                  CROSS JOIN LATERAL (
                       SELECT sm.state <> 'done' AND sm.origin_returned_move_id IS NULL AS is_open,
                              NOT EXISTS (
                                  SELECT FROM stock_move_move_rel rel
                                    JOIN stock_move next ON next.id = rel.move_dest_id
                                   WHERE rel.move_orig_id = sm.id
                                     AND next.sale_line_id = sm.sale_line_id
                                     AND next.state NOT IN ('done', 'cancel')) AS is_last,
                              NOT EXISTS (%(waits_for_own)s) AS is_first,
                              EXISTS (
                                  SELECT FROM stock_move_move_rel rel
                                    JOIN stock_move orig ON orig.id = rel.move_orig_id
                                   WHERE rel.move_dest_id = sm.id
                                     AND orig.sale_line_id = sm.sale_line_id
                                     AND orig.state = 'done') AS has_done_origin,
                              sm.state = 'done' AND %(out)s AND NOT %(back)s AS is_shipped
                  ) is_it
                 GROUP BY ol.order_id
            ), bill AS (
                SELECT link.order_id,
                       sum(link.amount) FILTER (WHERE link.is_posted) AS invoiced,
                       sum(link.amount * link.open_part) FILTER (WHERE link.is_posted) AS open,
                       bool_or(NOT link.is_posted) AS has_draft
                  FROM (
                       SELECT ol.order_id, m.state = 'posted' AS is_posted,
                              COALESCE(m.amount_residual / NULLIF(m.amount_total, 0), 0)
                              AS open_part,
                              sum(CASE m.move_type WHEN 'out_refund' THEN -1 ELSE 1 END
                                  * aml.price_total)
                            * CASE WHEN m.currency_id = chosen.currency_id THEN 1
                              ELSE chosen.currency_rate
                                 / COALESCE(NULLIF(m.invoice_currency_rate, 0), 1) END AS amount
                         FROM chosen
                         JOIN sale_order_line ol ON ol.order_id = chosen.id
                         JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = ol.id
                         JOIN account_move_line aml ON aml.id = rel.invoice_line_id
                         JOIN account_move m ON m.id = aml.move_id
                        WHERE m.state IN ('draft', 'posted')
                          AND m.move_type IN ('out_invoice', 'out_refund')
                        GROUP BY ol.order_id, m.id, chosen.currency_id, chosen.currency_rate
                       ) link
                 GROUP BY link.order_id
            ), figures AS (
                SELECT chosen.*,
                       COALESCE(line.is_to_deliver, FALSE) AS is_to_deliver,
                       line.is_released, line.is_withheld, line.is_to_invoice, line.is_to_credit,
                       held.ship AS is_ship_held, held.invoice AS is_invoice_held,
                       LEAST(COALESCE(100 * line.delivered / NULLIF(line.ordered, 0), 100), 100)
                       AS delivered,
                       moved.open_count, moved.step_count, moved.picked AS picked_part,
                       moved.date_planned_ship, moved.date_shipped, moved.shipped_ids,
                       CASE WHEN COALESCE(moved.open_count, 0) = 0 THEN NULL
                            WHEN moved.missing_count = 0 THEN 2
                            WHEN moved.ready_count > 0 OR moved.is_partial THEN 1
                            ELSE 0 END AS supply,
                       bill.has_draft, bill.invoiced AS amount_invoiced, bill.open AS amount_open
                  FROM chosen
                  LEFT JOIN line ON line.order_id = chosen.id
                  LEFT JOIN held ON held.order_id = chosen.id
                  LEFT JOIN moved ON moved.order_id = chosen.id
                  LEFT JOIN bill ON bill.order_id = chosen.id
            )
            SELECT id, supply, is_to_deliver, round(amount_open, 2) > 0 AS is_unpaid,
                   COALESCE(is_to_invoice OR is_to_credit, FALSE) AS is_to_invoice,
                   date_planned_ship, date_shipped, delivered,
                   state = 'sale' AND (is_to_deliver OR is_to_invoice OR is_to_credit)
                   AS is_in_progress,
                   LEAST(delivered + (100 - delivered) * COALESCE(picked_part, 0), 100) AS picked,
                   LEAST(GREATEST(100 * amount_invoiced / NULLIF(amount_total, 0), 0), 100)
                   AS invoiced,
                   LEAST(GREATEST(
                       100 * (amount_invoiced - amount_open) / NULLIF(amount_total, 0), 0), 100)
                   AS paid,
                   %(shipment)s AS shipment_info,
                   CASE WHEN state <> 'sale' THEN NULL
                        WHEN release_state = 'rejected' THEN 'rejected'
                        WHEN release_state = 'held' AND is_to_deliver AND NOT is_released
                        THEN 'held'
                        WHEN is_released AND is_handed_over
                         AND (handover_state IS NULL OR handover_state = 'changed')
                        THEN 'hand_over'
                        WHEN is_to_deliver AND handover_state = 'sent_back' THEN 'sent_back'
                        WHEN is_to_deliver AND handover_state = 'waiting' THEN 'acknowledge'
                        WHEN is_to_deliver AND supply < 2 THEN 'supply'
                        WHEN is_to_deliver AND step_count > 0 THEN 'pick'
                        WHEN is_to_deliver AND open_count > 0 AND is_ship_held THEN 'held'
                        WHEN is_to_deliver AND open_count > 0 THEN 'ship'
                        WHEN is_to_deliver AND is_withheld THEN 'held'
                        WHEN is_invoice_held AND (is_to_invoice OR has_draft)
                         AND NOT is_to_deliver
                        THEN 'held'
                        WHEN is_to_invoice AND NOT is_to_deliver THEN 'invoice'
                        WHEN is_to_deliver THEN 'deliver'
                        WHEN is_to_credit THEN 'credit'
                        WHEN has_draft THEN 'post'
                        WHEN round(amount_open, 2) > 0 THEN 'pay'
                        ELSE 'done' END AS step
              FROM figures
            """,
            condition=condition,
            in_work=LINE_IN_WORK,
            is_delivered=LINE_IS_DELIVERED,
            waits_for_own=MOVE_WAITS_FOR_OWN,
            to_deliver=LINE_TO_DELIVER,
            is_released=LINE_IS_RELEASED,
            out=at_customer(SQL("sm.location_dest_id")),
            back=at_customer(SQL("sm.location_id")),
            shipment=self._get_shipments_sql(SQL("figures.shipped_ids")),
        )

    @api.model
    def _get_shipments_sql(self, picking_ids):
        """Return carriers and tracking references of the transfers `picking_ids` as one text."""
        carrier, tracking = self.env["stock.picking"]._get_shipment_sql("sp")
        return SQL(
            """(SELECT string_agg(concat_ws(' ', %(carrier)s, %(tracking)s), ', ' ORDER BY sp.id)
                  FROM stock_picking sp
                 WHERE sp.id = ANY(%(picking_ids)s)
                   AND COALESCE(%(carrier)s, %(tracking)s) IS NOT NULL)""",
            carrier=carrier,
            tracking=tracking,
            picking_ids=picking_ids,
        )

    # === THE CUSTOMER === #
    def _get_promised_day(self):
        self.ensure_one()
        return self.company_id._sale_admin_date(self.commitment_date)

    def _note_promise_changed(self, day_before):
        """Remember that the customer was told, or has in the confirmation, another day."""
        self.ensure_one()
        day = self._get_promised_day()
        if day == day_before:
            return
        order = self.sudo()
        told = order.customer_told_date
        order.write({"is_customer_untold": bool(day) and day != told})

    def _get_date_to_tell(self):
        """Hook: the day on which the customer can expect the rest of the order.

        The promised day, or a later one if the goods are planned to leave later.

        :raise UserError: if that day has passed, or none is known
        """
        self.ensure_one()
        company = self.company_id
        days = [
            company._sale_admin_date(moment)
            for moment in (self.commitment_date, self.date_planned_ship)
            if moment
        ]
        day = max(days, default=False)
        if not day or day < company._sale_admin_today():
            raise UserError(
                self.env._(
                    "There is no date to tell for %(order)s: set its delivery date to a day that "
                    "lies ahead first.",
                    order=self.name,
                )
            )
        return day

    def action_tell_customer(self):
        """Tell the customers by mail, each in his language, when to expect the goods."""
        self._check_can_tell()
        template = self.env.ref("sale_admin_support.mail_template_order_date")
        for order in self:
            day = order._get_date_to_tell()
            if not order.partner_id.email:
                raise UserError(
                    self.env._(
                        "%(customer)s has no e-mail address; call, and note that you did.",
                        customer=order.partner_id.display_name,
                    )
                )
            order._note_customer_told(day, "mail")
            order.message_post_with_source(
                template,
                email_layout_xmlid="mail.mail_notification_layout_with_responsible_signature",
                subtype_xmlid="mail.mt_comment",
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Told: %s", ", ".join(self.mapped("name"))),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_told_by_phone(self):
        """Note that the customers were told on the phone."""
        self._check_can_tell()
        for order in self:
            day = order._get_date_to_tell()
            order._note_customer_told(day, "phone")
            order._message_log(
                body=self.env._(
                    "The customer was told %(date)s by phone.", date=format_date(self.env, day)
                )
            )
        return True

    def _check_may_speak(self):
        """The warehouse may write on orders, too; what a customer was told is the office's."""
        self.check_access("write")
        if not (self.env.su or self.env.user.has_group("sales_team.group_sale_salesman")):
            raise AccessError(self.env._("Customers are told by salespeople and administrators."))

    def _check_can_tell(self):
        self._check_may_speak()
        for order in self:
            if order.state != "sale":
                raise UserError(
                    self.env._("%s is not confirmed: there is no date to tell.", order.name)
                )

    def _note_customer_told(self, day, how):
        self.sudo().write(
            {
                "customer_told_date": day,
                "customer_told_at": fields.Datetime.now(),
                "customer_told_by_id": self.env.uid,
                "customer_told_how": how,
                "is_customer_untold": False,
            }
        )

    # === THE ADDRESS === #
    def action_verify_shipto(self):
        """Note that the delivery address and its contact were verified as they are now."""
        self._check_may_speak()
        for order in self:
            order.sudo().write(
                {
                    "shipto_verified_by_id": self.env.uid,
                    "shipto_verified_at": fields.Datetime.now(),
                    "shipto_fingerprint": order._get_shipto_fingerprint(),
                }
            )
        return True

    def _get_shipto_fingerprint(self):
        """Return what changes when the delivery address is another or is changed."""
        self.ensure_one()
        address = self.sudo().partner_shipping_id
        values = [str(address.id), *(str(address[name] or "") for name in SHIPTO_FIELDS)]
        return hashlib.sha256("\n".join(values).encode()).hexdigest()

    def _is_shipto_verified(self):
        """Whether the delivery address was verified and stayed what it was; for checks."""
        self.ensure_one()
        return self.shipto_state == "verified"

    # === PROBLEMS === #
    def action_log_problem(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Log a Problem"),
            "res_model": "sale.admin.problem",
            "view_mode": "form",
            "target": "new",
            "context": {"default_order_id": self.id},
        }

    def action_view_problems(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_problem_action"
        )
        return {
            **action,
            "domain": [("order_id", "=", self.id)],
            "context": {"default_order_id": self.id},
        }
