from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import sql
from odoo.tools.mail import is_html_empty

from .sale_admin_clarification import OPEN_STATES


class SaleOrder(models.Model):
    """How an order came in, when, and who entered it."""

    _inherit = "sale.order"

    # === FIELDS === #
    channel_id = fields.Many2one(
        "sale.admin.channel",
        string="Order Channel",
        compute="_compute_channel_id",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="How the customer's order came in.",
    )
    received_at = fields.Datetime(
        string="Order Received",
        copy=False,
        help="When the customer's order came in; by itself for orders by mail, web and portal, "
        "otherwise at the latest when it is confirmed.",
    )
    entered_by_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="Who entered the order here; empty when nobody did: it came from the web shop, by "
        "an interface or from a job.",
    )

    intake_id = fields.Many2one(
        "sale.admin.intake",
        string="Came in As",
        readonly=True,
        copy=False,
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    intake_body = fields.Html(related="intake_id.body", string="Message of the Customer")
    has_intake_body = fields.Boolean(compute="_compute_has_intake_body")
    is_channel_asked = fields.Boolean(related="company_id.sale_admin_channel_required")

    clarification_ids = fields.One2many(
        "sale.admin.clarification", "order_id", string="Clarifications", readonly=True, copy=False
    )
    has_open_question = fields.Boolean(
        readonly=True, copy=False, help="Whether a stage of the order waits for an answer."
    )
    clarification_count = fields.Integer(compute="_compute_clarification_count")
    clarification_open_count = fields.Integer(compute="_compute_clarification_count")

    def _auto_init(self):
        """Make the columns without computing them over all orders of the past."""
        for name, column_type in (("channel_id", "int4"), ("received_at", "timestamp")):
            if not sql.column_exists(self.env.cr, self._table, name):
                sql.create_column(self.env.cr, self._table, name, column_type)
        return super()._auto_init()

    # === COMPUTE METHODS === #
    @api.depends(
        lambda self: (
            ("source_id", "medium_id") + (("website_id",) if "website_id" in self._fields else ())
        )
    )
    def _compute_channel_id(self):
        """By what Odoo tracks; a channel that is known already stays."""
        for order in self:
            order.channel_id = order.channel_id or order._get_tracked_channel()

    def _get_tracked_channel(self):
        """Hook: the channel of a new order, as far as Odoo knows it."""
        self.ensure_one()
        channels = self.env["sale.admin.channel"]
        if "website_id" in self._fields and self.website_id:
            return channels._get_by_code("web")
        return channels._get_by_utm(self.source_id, self.medium_id)

    @api.depends("intake_body")
    def _compute_has_intake_body(self):
        for order in self:
            order.has_intake_body = not is_html_empty(order.intake_body)

    @api.depends("clarification_ids.state")
    def _compute_clarification_count(self):
        counts = {
            (order, state in OPEN_STATES): 0 for order in self._origin for state in ("new", "")
        }
        groups = self.env["sale.admin.clarification"]._read_group(
            [("order_id", "in", self._origin.ids)], ["order_id", "state"], ["__count"]
        )
        for order, state, count in groups:
            counts[order, state in OPEN_STATES] += count
        for order in self:
            is_open = counts.get((order._origin, True), 0)
            order.clarification_open_count = is_open
            order.clarification_count = is_open + counts.get((order._origin, False), 0)

    # === CRUD METHODS === #
    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {"has_open_question"}

    @api.model_create_multi
    def create(self, vals_list):
        self._check_may_link_intake(vals_list)
        return super().create([self._prepare_entered_vals(vals) for vals in vals_list])

    def write(self, vals):
        if "entered_by_id" in vals and not self.env.su:
            raise UserError(self.env._("Who entered an order is noted by the system."))
        self._check_may_link_intake([vals])
        if vals.get("state") == "sale":
            vals = self._note_received_at_confirmation(vals)
        return super().write(vals)

    def _prepare_entered_vals(self, vals):
        """Say who enters the order: no value and no default of a client counts."""
        if not (self.env.su and vals.get("entered_by_id")):
            vals = {**vals, "entered_by_id": self._get_entering_user().id}
        if vals.get("state") == "sale":
            vals.setdefault("received_at", fields.Datetime.now())
        return vals

    def _check_may_link_intake(self, vals_list):
        """What came in is shown beside the order: only who may read it may tie it to an order."""
        if not self.env.su:
            ids = {vals["intake_id"] for vals in vals_list if vals.get("intake_id")}
            self.env["sale.admin.intake"].browse(ids).check_access("read")

    def _get_entering_user(self):
        """Return the person at work, through sudo too; jobs and visitors are nobody."""
        user = self.env.user
        return user.browse() if user.id == SUPERUSER_ID or user._is_public() else user

    @api.model
    def _create_records_from_attachments(self, attachments, grouping_method=None):
        """What a machine wrote for a machine came in by EDI."""
        orders = self
        if attachments and all("xml" in (a.mimetype or "") for a in attachments):
            edi = self.env["sale.admin.channel"]._get_by_code("edi")
            orders = self.with_context(
                default_channel_id=edi.id, default_received_at=fields.Datetime.now()
            )
        return super(SaleOrder, orders)._create_records_from_attachments(
            attachments, grouping_method
        )

    # === ACTION METHODS === #
    def action_view_clarifications(self):
        """List the order's questions; without any, ask the first one."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_clarification_action"
        )
        action["domain"] = [("order_id", "=", self.id)]
        action["context"] = {"default_order_id": self.id}
        if not self.clarification_count:
            action["views"] = [(False, "form")]
        return action

    # === BUSINESS METHODS === #
    def _message_post_after_hook(self, message, msg_values):
        """A customer's mail to the order may be the reply to what he was asked about it."""
        res = super()._message_post_after_hook(message, msg_values)
        if message.message_type == "email" and (
            not message.author_id or message.author_id.partner_share
        ):
            waiting = self.sudo().clarification_ids.filtered(
                lambda c: c.asks == "customer" and c.state in ("asked", "replied")
            )
            waiting._note_reply(message.body, message.author_id)
        return res

    def _note_received_at_confirmation(self, vals):
        """An order is in when it is confirmed, at the latest; part of the same write.

        :return: the values to write on all of `self`
        """
        for order in self:
            online = not order.channel_id and order._is_confirmed_by_customer()
            noted = {}
            if not order.received_at and "received_at" not in vals:
                noted["received_at"] = order.signed_on or fields.Datetime.now()
            if online and "channel_id" not in vals:
                noted["channel_id"] = self.env["sale.admin.channel"]._get_by_code("portal").id
            if noted and len(self) == 1:
                return {**vals, **noted}
            if noted:
                super(SaleOrder, order).write(noted)
        return vals

    def _is_confirmed_by_customer(self):
        """Whether the customer confirms it himself: signs or pays online."""
        self.ensure_one()
        user = self.env.user
        if user.id == SUPERUSER_ID:  # the job that finishes payments
            return bool(self.signed_on or self.transaction_ids)
        return bool(self.signed_on) or not user._is_internal()

    def _get_portal_clarifications(self):
        """Return the questions that the customer reads on the page of his order, the open first."""
        self.ensure_one()
        return self.clarification_ids.filtered(
            lambda c: (
                c.asks == "customer" and c.asked_at and c.state in ("asked", "replied", "answered")
            )
        ).sorted(lambda c: (["asked", "replied", "answered"].index(c.state), c.date_due, c.id))
