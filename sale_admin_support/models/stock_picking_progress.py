from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

CONFIRMATION_FIELDS = {"return_confirmed_at", "return_confirmed_by_id"}


class StockPicking(models.Model):
    """What a shipment is followed by, and why goods came back."""

    _inherit = "stock.picking"

    # === FIELDS === #
    shipment_carrier = fields.Char(string="Shipped With", copy=False)
    shipment_ref = fields.Char(string="Shipment Reference", copy=False)
    is_shipment_untracked = fields.Boolean(
        string="Shipped Without Tracking",
        compute="_compute_is_shipment_untracked",
        search="_search_is_shipment_untracked",
    )
    is_customer_return = fields.Boolean(
        string="Return of Sold Goods",
        compute="_compute_is_customer_return",
        search="_search_is_customer_return",
    )
    sale_return_reason_id = fields.Many2one(
        "sale.admin.reason",
        string="Reason of the Return",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        domain="[('kind', '=', 'return'), ('company_id', 'in', (False, company_id))]",
    )
    return_confirmed_at = fields.Datetime(readonly=True, copy=False)
    return_confirmed_by_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="The salesperson who agrees that, and why, the goods came back.",
    )
    is_my_return = fields.Boolean(compute="_compute_is_my_return")
    handover_id = fields.Many2one("sale.admin.handover", compute="_compute_handover_id")

    # === COMPUTE METHODS === #
    def _compute_is_shipment_untracked(self):
        found = self.search([("id", "in", self.ids), ("is_shipment_untracked", "=", True)])
        for picking in self:
            picking.is_shipment_untracked = picking._origin in found

    def _search_is_shipment_untracked(self, operator, value):
        """Shipments of the last three months, in companies that follow them."""
        if operator != "in":
            return NotImplemented
        return [
            ("state", "=", "done"),
            ("sale_id", "!=", False),
            ("picking_type_code", "in", ("outgoing", "dropship")),
            ("date_done", ">=", "-90d"),
            ("company_id.sale_admin_tracking_expected", "=", True),
            *self._get_untracked_domain(),
        ]

    @api.model
    def _get_untracked_domain(self):
        """Hook: which done shipments nobody can follow."""
        return [("shipment_ref", "in", (False, ""))]

    @api.depends("location_id", "location_dest_id", "sale_id", "return_id")
    def _compute_is_customer_return(self):
        for picking in self:
            picking.is_customer_return = bool(
                picking.location_id.usage == "customer"
                and picking.location_dest_id.usage != "customer"
                and picking.sudo().sale_id
            )

    def _search_is_customer_return(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [
            ("sale_id", "!=", False),
            ("location_id.usage", "=", "customer"),
            ("location_dest_id.usage", "!=", "customer"),
        ]

    @api.depends("sale_id.user_id", "return_confirmed_at", "state")
    @api.depends_context("uid")
    def _compute_is_my_return(self):
        for picking in self:
            picking.is_my_return = (
                picking.is_customer_return
                and picking.state == "done"
                and not picking.return_confirmed_at
                and picking._may_confirm_return()
            )

    @api.depends("sale_id.handover_state")
    @api.depends_context("uid")
    def _compute_handover_id(self):
        """The hand-over of the transfer's order that waits for the user's answer."""
        handovers = self.env["sale.admin.handover"]
        found = handovers.browse()
        if handovers.has_access("read"):
            found = handovers.search(
                [
                    ("order_id", "in", self.sudo().sale_id.ids),
                    ("state", "=", "waiting"),
                    ("team", "=", "warehouse"),
                ]
            )
        by_order = {handover.sudo().order_id.id: handover for handover in found}
        for picking in self:
            is_open = picking.state not in ("done", "cancel")
            picking.handover_id = is_open and by_order.get(picking.sudo().sale_id.id)

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                self._check_confirmation_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            self._check_confirmation_fields(vals)
        if "sale_return_reason_id" in vals:
            self._check_reason_may_change(vals["sale_return_reason_id"])
        return super().write(vals)

    def _check_confirmation_fields(self, vals):
        if CONFIRMATION_FIELDS.intersection(vals):
            raise UserError(self.env._("Who confirmed a return is noted by the system."))

    def _check_reason_may_change(self, reason_id):
        """What the salesperson confirmed stays as it was confirmed."""
        for picking in self:
            if picking.return_confirmed_at and picking.sale_return_reason_id.id != reason_id:
                raise UserError(
                    self.env._(
                        "The return %s is confirmed: its reason stays.", picking.display_name
                    )
                )

    # === ACTION METHODS === #
    def action_confirm_return(self):
        """The salesperson agrees with the return and its reason."""
        self.check_access("read")
        for picking in self:
            picking._check_can_confirm_return()
        self.sudo().write(
            {"return_confirmed_at": fields.Datetime.now(), "return_confirmed_by_id": self.env.uid}
        )
        return True

    def action_acknowledge_handover(self):
        return self.handover_id.action_acknowledge()

    def action_send_back_handover(self):
        return self.handover_id.action_send_back()

    # === BUSINESS METHODS === #
    def _may_confirm_return(self):
        """Hook: the order's salesperson, or a manager of the office in his place."""
        self.ensure_one()
        user = self.env.user
        return (
            self.sudo().sale_id.user_id == user
            or user.has_group("sale_admin_support.group_sale_admin_manager")
            or self.env.su
        )

    def _check_can_confirm_return(self):
        """
        :raise UserError: naming the transfer and what is missing
        """
        self.ensure_one()
        if not self.is_customer_return or self.state != "done":
            reason = self.env._("it is not a return that was received")
        elif self.return_confirmed_at:
            reason = self.env._("it is confirmed already")
        elif not self.sale_return_reason_id:
            reason = self.env._("it has no reason yet")
        elif not self._may_confirm_return():
            reason = self.env._("only the order's salesperson confirms it")
        else:
            return
        raise UserError(
            self.env._(
                "%(transfer)s cannot be confirmed: %(reason)s.",
                transfer=self.display_name,
                reason=reason,
            )
        )

    @api.model
    def _get_shipment_sql(self, alias):
        """Hook: carrier and tracking reference, as columns of the transfer `alias`."""
        return (
            SQL("%s", SQL.identifier(alias, "shipment_carrier")),
            SQL("%s", SQL.identifier(alias, "shipment_ref")),
        )

    def _get_shipment_texts(self):
        """Hook: carrier and tracking reference of one transfer."""
        self.ensure_one()
        return (self.shipment_carrier, self.shipment_ref)
