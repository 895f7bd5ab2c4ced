from odoo import api, fields, models

# What is judged when it changes on a confirmed order.
JUDGED_FIELDS = {
    "discount",
    "order_id",
    "price_unit",
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "tax_ids",
}
SERVER_FIELDS = {"is_judgement_due", "qty_judged", "qty_withheld"}


class SaleOrderLine(models.Model):
    """What is withheld of a line, and the judgement of what is added to a confirmed order."""

    _name = "sale.order.line"
    _inherit = ["sale.order.line", "sale.admin.guarded"]

    # === FIELDS === #
    qty_withheld = fields.Float(
        string="Withheld",
        digits="Product Unit",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Ordered, but not released to the warehouse, production or purchasing.",
    )
    qty_judged = fields.Float(
        string="Quantity Judged",
        digits="Product Unit",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="The quantity before the last change of a confirmed order, in today's unit.",
    )
    is_judgement_due = fields.Boolean(
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Added or changed on a confirmed order; judged before anything starts for it.",
    )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_server_fields(vals)
        lines = super().create([self._with_gate_values(vals) for vals in vals_list])
        lines._judge_due()
        lines.order_id._lines_changed(lines._get_grown().order_id)
        return lines

    def write(self, vals):
        self._check_server_fields(vals)
        if not JUDGED_FIELDS.intersection(vals):
            return super().write(vals)
        lines = self.sudo()._get_judged(vals)
        terms = {line: line._get_judged_terms() for line in lines}
        lines._remember_judged(vals)
        orders = self.order_id
        res = super().write(vals)
        lowered = lines.filtered(
            lambda line: (
                line._can_be_withheld()  # an advance has no unit
                and line.product_uom_id.compare(line.product_uom_qty, line.qty_judged) < 0
            )
        )
        if lowered:  # others of the customer may go now
            self.env["sale.admin.hold"]._mark_recheck(partners=lowered.order_id.partner_invoice_id)
        lines._judge_due()  # if nothing was to be started
        judged = lines._get_grown().order_id
        repriced = lines.filtered(lambda line: line._get_judged_terms() != terms[line]).order_id
        (repriced - judged)._judge("change")
        (orders | self.order_id)._lines_changed(judged | repriced)
        return res

    def unlink(self):
        orders = self.order_id
        res = super().unlink()
        orders._lines_changed()
        return res

    def _set(self, vals):
        """Write what only the server decides: past the guard of this class, through Odoo's own."""
        return super().write(vals)

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | SERVER_FIELDS

    def _with_gate_values(self, vals):
        """Return the values of a new line, to be judged first if its order is confirmed already."""
        order = self.env["sale.order"].sudo()
        order = order.browse(vals.get("order_id") or self.env.context.get("default_order_id"))
        return {
            **vals,
            "qty_withheld": 0.0,
            "qty_judged": 0.0,
            "is_judgement_due": bool(order) and order._must_judge_changes(),
        }

    # === BUSINESS METHODS: JUDGE WHAT IS ADDED === #
    def _get_judged(self, vals):
        """Return those of the lines that a write of these values makes be judged."""
        if "order_id" in vals:
            target = self.env["sale.order"].sudo().browse(vals["order_id"])
            return self if target._must_judge_changes() else self.browse()
        return self.filtered(lambda line: line.order_id._must_judge_changes())

    def _get_judged_terms(self):
        """Hook: what one unit is sold for; changed, the line is judged even if it does not grow."""
        self.ensure_one()
        return (
            self.product_id,
            self.product_uom_id,
            self.price_unit,
            self.discount,
            frozenset(self.tax_ids.ids),
        )

    def _remember_judged(self, vals):
        """Note how much of each line was judged so far, before it changes.

        In the unit that the line will have; nothing, when it becomes a line of something else.
        """
        uom = self.env["uom.uom"].browse(vals.get("product_uom_id"))
        for line in self:
            judged, withheld = line.product_uom_qty, line.qty_withheld
            product_id = vals.get("product_id", line.product_id.id)
            if "order_id" in vals or product_id != line.product_id.id:
                judged = withheld = 0.0
            elif uom and uom != line.product_uom_id:
                judged, withheld = (
                    line.product_uom_id._compute_quantity(quantity, uom, rounding_method="HALF-UP")
                    for quantity in (judged, withheld)
                )
            line._set({"qty_judged": judged, "qty_withheld": withheld, "is_judgement_due": True})

    def _judge_due(self):
        """Judge what was added to confirmed orders, before anything starts for it."""
        lines = self.sudo().filtered("is_judgement_due")
        added = {}
        for line in lines:
            if quantity := line._withhold_added():
                added[line] = quantity
        if added:
            lines.browse([line.id for line in added]).order_id._judge("change", added)

    def _get_grown(self):
        """Return those of the lines of which more is ordered than before the last change."""
        return self.sudo().filtered(
            lambda line: (
                line._can_be_withheld()
                and line.product_uom_id.compare(line.product_uom_qty, max(line.qty_judged, 0.0)) > 0
            )
        )

    def _withhold_added(self):
        """Withhold what the last change added; what it took away is withheld no longer.

        :return: the quantity added, in the line's unit
        """
        self.ensure_one()
        if not self._can_be_withheld():  # an advance has no unit
            self._set({"is_judgement_due": False, "qty_withheld": 0.0})
            return 0.0
        judged, withheld, quantity = self.qty_judged, self.qty_withheld, self.product_uom_qty
        is_more = bool(self._get_grown())
        if is_more or withheld:
            released = judged - withheld
            pending = quantity - released
            withheld = max(pending, 0.0) if quantity >= 0 else min(pending, 0.0)
        added = withheld - max(self.qty_withheld, 0.0) if is_more else 0.0
        self._set({"is_judgement_due": False, "qty_withheld": withheld})
        return max(added, 0.0)

    def _can_be_withheld(self):
        """Hook: whether this line starts work; not notes, advances, and costs invoiced on."""
        self.ensure_one()
        return not self.display_type and not self.is_downpayment and not self.is_expense

    # === BUSINESS METHODS: WITHHOLD AND START === #
    def _get_amount_of(self, quantities):
        """Return what these quantities of lines are worth, in the company's currency with taxes.

        :param quantities: ``{line: quantity}`` in the line's unit
        """
        amount = 0.0
        for line, quantity in quantities.items():
            if line.product_uom_qty:
                share = line.price_total * quantity / line.product_uom_qty
                amount += share / (line.order_id.currency_rate or 1.0)
        return self.company_id.currency_id.round(amount)

    def _withhold(self):
        """Withhold all of these lines that has not started yet."""
        for line in self:
            withheld = 0.0
            if line._can_be_withheld():
                started = line._get_qty_procurement() if line.move_ids else 0.0
                withheld = line.product_uom_qty - started
                if withheld * line.product_uom_qty < 0:  # more has started than is ordered
                    withheld = 0.0
            if withheld != line.qty_withheld:
                line._set({"qty_withheld": withheld})

    def _forget_withheld(self):
        """Withhold nothing any longer; whoever asks starts it."""
        if lines := self.filtered("qty_withheld"):
            lines._set({"qty_withheld": 0.0})

    def _release_withheld(self, quantities=None):
        """Let go what is withheld, or these quantities of it, and start the work.

        :param quantities: ``{line: quantity}``
        """
        if quantities is None:
            quantities = {line: line.qty_withheld for line in self if line.qty_withheld}
        for line, quantity in quantities.items():
            line._set({"qty_withheld": line.product_uom_id.round(line.qty_withheld - quantity)})
        if quantities:
            lines = self.browse([line.id for line in quantities])
            lines._start_released({line: quantities[line] for line in lines})

    def _start_released(self, released):
        """Start the work for what was let go; apps that start other work extend this.

        :param released: ``{line: quantity}`` in the line's unit, these lines
        """
        locked = self.order_id.filtered("locked")  # locked against changes, not against work
        if locked:
            locked._set({"locked": False})
        for company, lines in self.grouped("company_id").items():
            lines.with_company(company)._action_launch_stock_rule()
        if locked:
            locked._set({"locked": True})

    def _action_launch_stock_rule(self, **kwargs):
        """Nothing starts that was not judged, or is withheld."""
        self.order_id._judge_if_confirming()
        self._judge_due()
        lines = self.filtered(lambda line: line._may_start())
        return super(SaleOrderLine, lines)._action_launch_stock_rule(**kwargs)

    def _may_start(self):
        self.ensure_one()
        line = self.sudo()
        if line.state == "sale" and line.order_id.state != "sale" and line.order_id._must_judge():
            return False  # its order is not confirmed, whatever was written on the line
        return not line.qty_withheld or bool(
            line.product_uom_id.compare(line.qty_withheld, line.product_uom_qty)
        )

    def _create_procurements(self, product_qty, procurement_uom, values):
        """What is withheld is not procured, however much of the rest has started."""
        line = self.sudo()
        if line.qty_withheld and product_qty > 0:
            product_qty -= line.product_uom_id._compute_quantity(
                line.qty_withheld, procurement_uom, rounding_method="HALF-UP"
            )
            if procurement_uom.compare(product_qty, 0.0) <= 0:
                return []
        return super()._create_procurements(product_qty, procurement_uom, values)
