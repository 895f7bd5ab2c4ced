from odoo import Command, api, fields, models

from ..models.sale_order_credit import MONEY_GROUPS


class SaleAdminOrderRelease(models.TransientModel):
    """Shows what would release one order, and acts on it."""

    _name = "sale.admin.order.release"
    _description = "What Would Release an Order"

    # === FIELDS === #
    order_id = fields.Many2one("sale.order", required=True, readonly=True)
    currency_id = fields.Many2one(related="order_id.company_id.currency_id")
    reasons = fields.Html(compute="_compute_options")
    can_release = fields.Boolean(related="order_id.can_release", related_sudo=False)
    release_hint = fields.Text(related="order_id.release_hint")
    release_authority = fields.Char(related="order_id.release_authority", related_sudo=False)
    # --- a payment
    has_payment = fields.Boolean(compute="_compute_options")
    amount_payment = fields.Monetary(
        string="Smallest Payment",
        compute="_compute_amounts",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )
    settled = fields.Html(
        string="It Settles",
        compute="_compute_amounts",
        compute_sudo=True,
        groups=MONEY_GROUPS,
        sanitize=False,
    )
    settled_move_ids = fields.Many2many(
        "account.move", compute="_compute_amounts", compute_sudo=True, groups=MONEY_GROUPS
    )
    # --- time
    date_free = fields.Date(
        string="Frees Itself on",
        compute="_compute_options",
        help="When the customer pays what is not yet due on its due date.",
    )
    # --- a part
    line_ids = fields.One2many("sale.admin.order.release.line", "wizard_id")
    amount_room = fields.Monetary(
        string="Room for", compute="_compute_amounts", compute_sudo=True, groups=MONEY_GROUPS
    )
    amount_part = fields.Monetary(string="Chosen", compute="_compute_amount_part")
    note = fields.Char(help="It stays with the decision, and the salesperson reads it.")
    # --- words
    message = fields.Text(
        string="Sentence for the Customer",
        compute="_compute_message",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )

    # === COMPUTE METHODS === #
    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        order = self.env["sale.order"].browse(values.get("order_id")).exists()
        if order and "line_ids" in fields_list:
            # the largest part tells what room there is: not to who may not see money
            part = self._may_see_money() and order._get_release_options()[order]["part"] or {}
            values["line_ids"] = [
                Command.create({"line_id": line.id, "quantity": part.get(line, 0.0)})
                for line in order.sudo().order_line.filtered("qty_withheld")
            ]
        return values

    @api.depends("order_id")
    def _compute_options(self):
        options = self.order_id._get_release_options()
        for wizard in self:
            option = options[wizard.order_id]
            wizard.reasons = wizard.order_id._render_standing_holds()
            wizard.has_payment = bool(option["amount_payment"])
            wizard.date_free = option["date_free"]

    @api.depends("order_id")
    def _compute_amounts(self):
        options = self.order_id._get_release_options()
        for wizard in self:
            option = options[wizard.order_id]
            wizard.amount_payment = option["amount_payment"]
            wizard.settled = wizard._render_settled(option)
            wizard.settled_move_ids = self.env["account.move"].union(
                *(move for move, _amount, _is_full in option["settles"])
            )
            wizard.amount_room = option["amount_room"]

    @api.depends("line_ids.quantity")
    def _compute_amount_part(self):
        for wizard in self:
            wizard.amount_part = sum(wizard.line_ids.mapped("amount"))

    @api.depends("order_id")
    def _compute_message(self):
        for wizard in self:
            wizard.message = wizard.order_id._get_customer_sentence()

    # === ACTION METHODS === #
    def action_release_part(self):
        self.ensure_one()
        quantities = {line.line_id: line.quantity for line in self.line_ids if line.quantity}
        self.order_id._release_part(quantities, self.note)
        return {"type": "ir.actions.act_window_close"}

    def action_view_invoices(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("To Be Paid for %s", self.order_id.name),
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("id", "in", self.settled_move_ids.ids)],
        }

    # === BUSINESS METHODS === #
    @api.model
    def _may_see_money(self):
        return self._has_field_access(self._fields["amount_room"], "read")

    def _render_settled(self, option):
        return self.env["ir.qweb"]._render(
            "sale_admin_support.release_option_settled",
            {**option, "currency": self.currency_id},
        )
