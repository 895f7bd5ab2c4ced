from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.sale_order_credit import MONEY_GROUPS


class SaleAdminHoldDecide(models.TransientModel):
    """Asks for a decision on holds and lists, order by order, what came of it."""

    _name = "sale.admin.hold.decide"
    _description = "Decide on Holds"

    # === FIELDS === #
    decision = fields.Selection(
        [("release", "Release"), ("reject", "Reject")], required=True, default="release"
    )
    state = fields.Selection([("ask", "Ask"), ("done", "Done")], default="ask", required=True)
    line_ids = fields.One2many("sale.admin.hold.decide.line", "wizard_id")
    hold_ids = fields.Many2many("sale.admin.hold", compute="_compute_hold_ids")
    order_count = fields.Integer(compute="_compute_hold_ids")
    company_id = fields.Many2one("res.company", compute="_compute_hold_ids")
    currency_id = fields.Many2one(related="company_id.currency_id")
    payer_id = fields.Many2one("res.partner", compute="_compute_hold_ids")
    authority = fields.Char(compute="_compute_hold_ids")
    reason_id = fields.Many2one("sale.admin.reason", domain=[("kind", "=", "reject")])
    note = fields.Char(help="It stays with the decision, and the salesperson reads it.")
    amount = fields.Monetary(
        string="Up to",
        groups=MONEY_GROUPS,
        help="The order may grow to this value, taxes included, without being held again. Empty: "
        "as it is now.",
    )
    valid_until = fields.Date(
        help="After this day what has not left is held again. Empty: by the company's rules."
    )

    # === COMPUTE METHODS === #
    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "line_ids" in fields_list:
            holds = self.env["sale.admin.hold"].browse(
                self.env.context.get("default_hold_ids") or self._get_active_holds().ids
            )
            values["line_ids"] = [
                Command.create({"hold_id": hold.id}) for hold in holds.sorted("order_id")
            ]
        return values

    @api.model
    def _get_active_holds(self):
        """Return the open holds of the orders, or the holds, selected in a list."""
        records = self.env[self.env.context.get("active_model") or "sale.admin.hold"]
        records = records.browse(self.env.context.get("active_ids"))
        if records._name == "sale.admin.hold":
            return records.filtered("is_blocking")
        orders = self.env["sale.order"].browse(records.ids)
        return orders.hold_ids.filtered("is_blocking")

    @api.depends("line_ids.hold_id")
    def _compute_hold_ids(self):
        for wizard in self:
            holds = wizard.line_ids.hold_id
            orders = holds.order_id
            wizard.hold_ids = holds
            wizard.order_count = len(orders)
            wizard.company_id = orders.company_id[:1] or self.env.company
            wizard.payer_id = holds.partner_id if len(holds.partner_id) == 1 else False
            wizard.authority = orders.release_authority if len(orders) == 1 else False

    # === ACTION METHODS === #
    def action_decide(self):
        """Decide on every order by itself: one that fails leaves the others decided."""
        self.ensure_one()
        if not self.line_ids.hold_id:
            raise UserError(self.env._("Nothing here waits for a decision."))
        for order, lines in self.line_ids.grouped("order_id").items():
            try:
                with self.env.cr.savepoint():
                    self._decide(order, lines.hold_id)
                lines.write({"outcome": "done", "message": self._get_outcome(order)})
            except UserError as error:
                lines.write({"outcome": "failed", "message": str(error)})
        if len(self.line_ids.order_id) == 1 and self.line_ids[0].outcome == "failed":
            raise UserError(self.line_ids[0].message)
        if len(self.line_ids.order_id) == 1:
            return {"type": "ir.actions.act_window_close"}
        self.state = "done"
        return self._reopen()

    # === BUSINESS METHODS === #
    def _decide(self, order, holds):
        holds = holds.with_env(self.env)
        if self.decision == "release":
            holds._release(self.note, amount=self._get_amount(), valid_until=self.valid_until)
        else:
            holds._reject(self.note, reason=self.reason_id)

    def _get_amount(self):
        may_see = self._has_field_access(self._fields["amount"], "read")
        return (may_see and self.amount) or None

    def _get_outcome(self, order):
        labels = dict(order._fields["release_state"]._description_selection(self.env))
        return labels[order.release_state]

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Came of It"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }
