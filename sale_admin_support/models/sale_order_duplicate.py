from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, sql

KEPT_BY_SERVER = {"duplicate_of_id", "duplicate_reason"}


class SaleOrder(models.Model):
    """Orders that may have been entered twice.

    The newer order points to the older one. The mark follows changes of either order, and stays
    until a person tells the two apart or cancels one.
    """

    _inherit = "sale.order"

    # === FIELDS === #
    duplicate_of_id = fields.Many2one(
        "sale.order",
        string="Maybe the Same As",
        compute="_compute_duplicate_of_id",
        store=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The newest earlier order of this customer with the same reference, or with the same "
        "lines and amount.",
    )
    duplicate_reason = fields.Selection(
        [("reference", "the same customer reference"), ("lines", "the same lines and amount")],
        compute="_compute_duplicate_of_id",
        store=True,
        copy=False,
    )
    duplicate_decision_ids = fields.One2many(
        "sale.admin.duplicate", "order_id", string="Told Apart", readonly=True, copy=False
    )

    def _auto_init(self):
        """Make the columns without comparing all orders of the past."""
        for name, column_type in (("duplicate_of_id", "int4"), ("duplicate_reason", "varchar")):
            if not sql.column_exists(self.env.cr, self._table, name):
                sql.create_column(self.env.cr, self._table, name, column_type)
        return super()._auto_init()

    # === COMPUTE METHODS === #
    # Not on the state: confirming must cost nothing. Cancelling is looked after in `write`.
    @api.depends(
        "partner_id",
        "company_id",
        "currency_id",
        "client_order_ref",
        "amount_total",
        "order_line.product_id",
        "order_line.product_uom_qty",
        "order_line.product_uom_id",
        "sale_contract_id",
    )
    def _compute_duplicate_of_id(self):
        for order in self - self.filtered("id"):  # in the form, before it is saved
            order.duplicate_of_id = order._origin.duplicate_of_id
            order.duplicate_reason = order._origin.duplicate_reason
        orders = self.filtered("id")
        if not orders:
            return
        found, concerned = orders._find_duplicates()
        for order in orders:
            order.duplicate_of_id, order.duplicate_reason = found.get(order.id, (False, False))
        # Others that were, or now may be, copies of these: not in this transaction, where people
        # who change orders of one customer would come into each other's way.
        self.env["sale.admin.duplicate.todo"]._add(concerned - set(orders.ids))

    def _fetch_duplicate_orders(self):
        """What was told apart is no duplicate for Odoo's own warning either."""
        found = super()._fetch_duplicate_orders()
        if not found:
            return found
        decisions = self.env["sale.admin.duplicate"].sudo()
        for decision in decisions.search(
            ["|", ("order_id", "in", list(found)), ("other_id", "in", list(found))]
        ):
            order, other = decision.order_id.id, decision.other_id.id
            found.get(order, set()).discard(other)
            found.get(other, set()).discard(order)
        return found

    def _find_duplicates(self):
        """Look up, in one statement, which orders these may be copies of.

        :return: ``({order id: (id of the newest earlier order, reason)}, concerned)`` with the
            ids of the orders whose own mark may change with these
        """
        self.env["sale.order.line"].flush_model(
            ["order_id", "product_id", "product_uom_id", "product_uom_qty", "display_type"]
        )
        self.flush_model(
            [
                "partner_id",
                "company_id",
                "currency_id",
                "client_order_ref",
                "amount_total",
                "date_order",
                "state",
                "sale_contract_id",
            ]
        )
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        self.env["res.company"].flush_model(
            ["sale_admin_duplicate_days", "sale_admin_duplicate_ref_days"]
        )
        found, concerned = {}, set()
        for order_id, other_id, reason in self.env.execute_query(self._get_duplicates_sql()):
            if reason and other_id < order_id:
                found.setdefault(order_id, (other_id, reason))
            else:
                concerned.add(other_id)
        return found, concerned

    def _get_duplicates_sql(self):
        """Pairs of each order of `self` and another one, the newest other one first."""
        lines = """
            (SELECT array_agg(
                        concat_ws('/', product_id, product_uom_id, trim_scale(product_uom_qty))
                        ORDER BY product_id, product_uom_id, product_uom_qty)
               FROM sale_order_line
              WHERE order_id = {}.id AND display_type IS NULL AND product_id IS NOT NULL
                AND product_uom_qty != 0)
        """
        reference = "lower(translate({}.client_order_ref, ' -./_#:', ''))"
        # A reference without a figure, such as "by phone", names no order; those called off one
        # contract all carry the contract's reference.
        return SQL(
            f"""
              WITH mine AS MATERIALIZED (
                   SELECT o.id, o.company_id, o.currency_id, o.amount_total, o.sale_contract_id,
                          o.date_order::date AS day, p.commercial_partner_id AS customer_id,
                          CASE WHEN o.client_order_ref ~ '\\d'
                               THEN {reference.format("o")} END AS reference,
                          {lines.format("o")} AS lines,
                          c.sale_admin_duplicate_days AS days,
                          c.sale_admin_duplicate_ref_days AS ref_days
                     FROM sale_order o
                     JOIN res_company c ON c.id = o.company_id
                     JOIN res_partner p ON p.id = o.partner_id
                    WHERE o.id IN %(ids)s AND o.state != 'cancel'
                   )
            SELECT mine.id, other.id,
                   CASE WHEN same.reference THEN 'reference' ELSE 'lines' END
              FROM mine
              JOIN res_partner op ON op.commercial_partner_id = mine.customer_id
              JOIN sale_order other ON other.partner_id = op.id
               AND other.company_id = mine.company_id
               AND other.id != mine.id
               AND other.state != 'cancel'
        CROSS JOIN LATERAL (
                   SELECT other.client_order_ref IS NOT NULL
                          AND mine.ref_days > 0
                          AND abs(mine.day - other.date_order::date) <= mine.ref_days
                          AND (mine.sale_contract_id = other.sale_contract_id) IS NOT TRUE
                          AND mine.reference = {reference.format("other")} AS reference,
                          mine.amount_total = other.amount_total
                          AND mine.currency_id = other.currency_id
                          AND mine.days > 0
                          AND abs(mine.day - other.date_order::date) <= mine.days AS amount
                   ) same
             WHERE (same.reference OR same.amount AND mine.lines = {lines.format("other")})
               AND NOT EXISTS (
                       SELECT FROM sale_admin_duplicate d
                        WHERE LEAST(d.order_id, d.other_id) = LEAST(mine.id, other.id)
                          AND GREATEST(d.order_id, d.other_id) = GREATEST(mine.id, other.id))
         UNION ALL
            SELECT duplicate_of_id, id, NULL FROM sale_order WHERE duplicate_of_id IN %(ids)s
          ORDER BY 2 DESC
            """,
            ids=tuple(self.ids),
        )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [
                {fname: value for fname, value in vals.items() if fname not in KEPT_BY_SERVER}
                for vals in vals_list
            ]
        return super().create(vals_list)

    def write(self, vals):
        if KEPT_BY_SERVER & vals.keys() and not self.env.su:
            raise UserError(
                self.env._("Probable duplicates are found by the system and told apart by people.")
            )
        turned = self.browse()
        if vals.get("state") == "cancel":
            turned = self.filtered(lambda o: o.state != "cancel")
        elif "state" in vals:
            turned = self.filtered(lambda o: o.state == "cancel")
        res = super().write(vals)
        if turned:
            turned._look_for_duplicates()
        return res

    # === ACTION METHODS === #
    def action_tell_apart(self):
        """Ask which of the two orders is right, or why both are."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Entered Twice?"),
            "res_model": "sale.admin.duplicate.decide",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_order_id": self.id},
        }

    # === BUSINESS METHODS === #
    def _look_for_duplicates(self):
        for fname in KEPT_BY_SERVER:
            self.env.add_to_compute(self._fields[fname], self)

    def _get_duplicate_candidates(self):
        """Return the earlier orders that this one may be a copy of, the newest first."""
        self.ensure_one()
        self.env.flush_all()
        rows = self.env.execute_query(self._get_duplicates_sql())
        return self.browse([other for _order, other, reason in rows if reason and other < self.id])

    def _tell_apart(self, note):
        """Note that these orders are no copies of those they look like.

        :raise UserError: without a reason
        """
        note = (note or "").strip()
        if not note:
            raise UserError(self.env._("Say why these are two orders."))
        self.check_access("write")
        for order in self:
            others = order._get_duplicate_candidates()
            # sudo: nobody makes these rows but by this decision
            self.env["sale.admin.duplicate"].sudo().create(
                [{"order_id": order.id, "other_id": other.id, "note": note} for other in others]
            )
            order._message_log(
                body=self.env._(
                    "Not the same as %(orders)s: %(note)s",
                    orders=", ".join(others.sudo().mapped("name")),
                    note=note,
                )
            )
        self._look_for_duplicates()
        self._after_duplicate_decided()

    def _cancel_as_duplicate(self, kept):
        """Cancel this order and keep the other one.

        :raise UserError: it cannot be cancelled, for example when goods have left already
        """
        self.ensure_one()
        if self.state == "sale" and any(self.order_line.mapped("qty_delivered")):
            raise UserError(
                self.env._(
                    "Goods of %(order)s have left: keep it and cancel %(kept)s instead, or take "
                    "the goods back first.",
                    order=self.name,
                    kept=kept.name,
                )
            )
        self.action_cancel()
        self._message_log(
            body=self.env._("Cancelled: it is the same order as %s.", kept._get_html_link())
        )
        kept._message_log(
            body=self.env._(
                "%s was the same order and is cancelled.", self._get_html_link(title=self.name)
            )
        )
        kept._look_for_duplicates()
        (self | kept)._after_duplicate_decided()

    def _after_duplicate_decided(self):
        """Have the holds that waited for it judged anew."""
        self.env["sale.admin.hold"]._mark_recheck(orders=self.filtered(lambda o: o.state == "sale"))
