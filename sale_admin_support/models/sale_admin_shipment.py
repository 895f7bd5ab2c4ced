from odoo import fields, models
from odoo.tools import SQL


class SaleAdminShipment(models.Model):
    """The register of what left for customers and what came back, one row a movement.

    Read from done stock moves that cross the border to the customer, as the facts of contracts do;
    with or without an order. ``id`` is the stock move's. Quantities are in the product's own unit,
    returns negative in `quantity`. Values are untaxed, in the company's currency at the order's
    rate, at the prices of the order line. Days are those of the company's time zone.

    What is credited is counted on the order line and given to its returns in their order, so that
    sums are right: `qty_credited` of all returns of a line never exceeds what credit notes say.
    """

    _name = "sale.admin.shipment"
    _description = "Shipment or Return"
    _auto = False
    _order = "moment desc, id desc"
    _rec_name = "picking_id"
    _depends = {
        "account.move": ["move_type", "state"],
        "account.move.line": ["display_type", "move_id", "quantity", "product_uom_id"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["uom_id"],
        "res.company": ["currency_id", "sale_admin_tz"],
        "res.partner": ["commercial_partner_id"],
        "sale.order": ["company_id", "currency_rate", "partner_id", "team_id", "user_id"],
        "sale.order.line": ["invoice_lines", "order_id", "price_subtotal", "product_uom_qty"],
        "stock.location": ["parent_path", "usage"],
        "stock.move": [
            "date",
            "location_dest_id",
            "location_id",
            "origin_returned_move_id",
            "picking_id",
            "product_id",
            "product_uom",
            "quantity",
            "sale_line_id",
            "state",
            "to_refund",
        ],
        "stock.picking": [
            "partner_id",
            "return_confirmed_at",
            "return_confirmed_by_id",
            "sale_return_reason_id",
            "shipment_carrier",
            "shipment_ref",
        ],
        "uom.uom": ["factor"],
    }

    # === FIELDS === #
    kind = fields.Selection([("out", "Shipment"), ("back", "Return")], readonly=True)
    moment = fields.Datetime(string="Moved At", readonly=True)
    date = fields.Date(readonly=True, help="The day in the company's time zone.")
    company_id = fields.Many2one("res.company", readonly=True)
    picking_id = fields.Many2one("stock.picking", string="Transfer", readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True)
    order_line_id = fields.Many2one("sale.order.line", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    address_id = fields.Many2one("res.partner", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    uom_id = fields.Many2one("uom.uom", string="Unit", readonly=True)
    lots = fields.Char(string="Lots and Serial Numbers", readonly=True)
    quantity = fields.Float(
        digits="Product Unit",
        readonly=True,
        help="In the product's own unit; what came back is negative, so that sums are net.",
    )
    qty_out = fields.Float(string="Shipped", digits="Product Unit", readonly=True)
    qty_back = fields.Float(string="Moved Back", digits="Product Unit", readonly=True)
    qty_credited = fields.Float(
        string="Credited",
        digits="Product Unit",
        readonly=True,
        help="What posted credit notes of the order line cover of this return.",
    )
    qty_uncredited = fields.Float(
        string="Moved Back, Not Credited",
        digits="Product Unit",
        readonly=True,
        help="Nothing for returns that are not to be refunded.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_back = fields.Monetary(
        string="Value Moved Back",
        readonly=True,
        help="At the order's price, untaxed, in the company's currency.",
    )
    amount_uncredited = fields.Monetary(
        string="Value Not Credited",
        readonly=True,
        help="At the order's price, untaxed, in the company's currency.",
    )
    is_unrefunded = fields.Boolean(
        string="Without Refund", readonly=True, help="A return that is not to be refunded."
    )
    reason_id = fields.Many2one("sale.admin.reason", string="Reason of the Return", readonly=True)
    confirmed_at = fields.Datetime(readonly=True)
    confirmed_by_id = fields.Many2one("res.users", readonly=True)
    carrier = fields.Char(readonly=True)
    tracking = fields.Char(readonly=True)

    # === THE VIEW === #
    @property
    def _table_query(self) -> SQL:
        return SQL("SELECT %s %s WHERE %s", self._select(), self._from(), self._where())

    def _get_columns(self):
        """Hook: SQL by column. Each stands alone, so that the database reads only what a list
        shows; `sm` is the move, `ol` and `o` its order, `sp` its transfer, `c` the company."""
        carrier, tracking = self.env["stock.picking"]._get_shipment_sql("sp")
        back = self._sql_is_back()
        in_unit = SQL(
            "(sm.quantity * COALESCE(move_uom.factor / NULLIF(product_uom.factor, 0), 1))"
        )
        refundable = SQL("(%s AND sm.to_refund IS TRUE)", back)
        credited = SQL("(CASE WHEN %s THEN %s ELSE 0 END)", refundable, self._sql_credited(in_unit))
        uncredited = SQL("(CASE WHEN %s THEN %s - %s ELSE 0 END)", refundable, in_unit, credited)
        return {
            "id": SQL("sm.id"),
            "kind": SQL("CASE WHEN %s THEN 'back' ELSE 'out' END", back),
            "moment": SQL("sm.date"),
            "date": self.env["sale.admin.fact"]._sql_day(SQL("sm.date")),
            "company_id": SQL("sm.company_id"),
            "picking_id": SQL("sm.picking_id"),
            "order_id": SQL("ol.order_id"),
            "order_line_id": SQL("ol.id"),
            "partner_id": SQL("customer.commercial_partner_id"),
            "address_id": SQL("COALESCE(sp.partner_id, sm.partner_id)"),
            "user_id": SQL("o.user_id"),
            "team_id": SQL("o.team_id"),
            "product_id": SQL("sm.product_id"),
            "uom_id": SQL("pt.uom_id"),
            "lots": SQL(
                """(SELECT string_agg(DISTINCT lot.name, ', ')
                      FROM stock_move_line sml
                      JOIN stock_lot lot ON lot.id = sml.lot_id
                     WHERE sml.move_id = sm.id)"""
            ),
            "quantity": SQL("CASE WHEN %s THEN -%s ELSE %s END", back, in_unit, in_unit),
            "qty_out": SQL("CASE WHEN %s THEN 0 ELSE %s END", back, in_unit),
            "qty_back": SQL("CASE WHEN %s THEN %s ELSE 0 END", back, in_unit),
            "qty_credited": credited,
            "qty_uncredited": uncredited,
            "currency_id": SQL("c.currency_id"),
            "amount_back": SQL(
                "CASE WHEN %s THEN %s * %s ELSE 0 END", back, in_unit, self._sql_price()
            ),
            "amount_uncredited": SQL("%s * %s", uncredited, self._sql_price()),
            "is_unrefunded": SQL("%s AND sm.to_refund IS NOT TRUE", back),
            "reason_id": SQL("sp.sale_return_reason_id"),
            "confirmed_at": SQL("sp.return_confirmed_at"),
            "confirmed_by_id": SQL("sp.return_confirmed_by_id"),
            "carrier": carrier,
            "tracking": tracking,
        }

    def _select(self):
        return SQL(", ").join(
            SQL("%s AS %s", value, SQL.identifier(name))
            for name, value in self._get_columns().items()
        )

    def _from(self):
        return SQL(
            """FROM stock_move sm
               LEFT JOIN sale_order_line ol ON ol.id = sm.sale_line_id
               LEFT JOIN sale_order o ON o.id = ol.order_id
               JOIN res_company c ON c.id = sm.company_id
               JOIN product_product pp ON pp.id = sm.product_id
               JOIN product_template pt ON pt.id = pp.product_tmpl_id
               JOIN uom_uom move_uom ON move_uom.id = sm.product_uom
               JOIN uom_uom product_uom ON product_uom.id = pt.uom_id
               LEFT JOIN stock_picking sp ON sp.id = sm.picking_id
               LEFT JOIN res_partner customer
                 ON customer.id = COALESCE(o.partner_id, sp.partner_id, sm.partner_id)"""
        )

    def _where(self):
        at_customer = self.env["sale.admin.fact"]._sql_is_at_customer
        return SQL(
            "sm.state = 'done' AND sm.quantity <> 0 AND %s <> %s",
            at_customer(SQL("sm.location_dest_id")),
            at_customer(SQL("sm.location_id")),
        )

    def _sql_is_back(self):
        # one end is at the customer, see the condition: looking at one settles it
        return SQL(
            "(NOT %s)",
            self.env["sale.admin.fact"]._sql_is_at_customer(SQL("sm.location_dest_id")),
        )

    def _sql_price(self):
        """Return the order line's price of one of the product's own units, company currency."""
        return SQL(
            """COALESCE((
               SELECT ol.price_subtotal / NULLIF(ol.product_uom_qty, 0)
                    * COALESCE(product_uom.factor / NULLIF(line_uom.factor, 0), 1)
                    / COALESCE(NULLIF(o.currency_rate, 0), 1)
                 FROM uom_uom line_uom WHERE line_uom.id = ol.product_uom_id), 0)"""
        )

    def _sql_credited(self, quantity):
        """Return what the line's posted credit notes leave for this return after earlier ones."""
        credited = SQL(
            """SELECT COALESCE(sum(aml.quantity * aml_uom.factor / product_uom.factor), 0)
                 FROM sale_order_line_invoice_rel rel
                 JOIN account_move_line aml
                   ON aml.id = rel.invoice_line_id AND aml.display_type = 'product'
                 JOIN account_move m ON m.id = aml.move_id
                 JOIN uom_uom aml_uom ON aml_uom.id = aml.product_uom_id
                WHERE rel.order_line_id = ol.id
                  AND m.move_type = 'out_refund' AND m.state = 'posted'"""
        )
        at_customer = self.env["sale.admin.fact"]._sql_is_at_customer
        earlier = SQL(
            """SELECT COALESCE(sum(other.quantity * other_uom.factor / product_uom.factor), 0)
                 FROM stock_move other
                 JOIN uom_uom other_uom ON other_uom.id = other.product_uom
                WHERE other.sale_line_id = ol.id AND other.state = 'done'
                  AND other.product_id = sm.product_id AND other.to_refund IS TRUE
                  AND %s AND NOT %s
                  AND (other.date, other.id) < (sm.date, sm.id)""",
            at_customer(SQL("other.location_id")),
            at_customer(SQL("other.location_dest_id")),
        )
        return SQL("LEAST(GREATEST((%s) - (%s), 0), %s)", credited, earlier, quantity)

    # === ACTION METHODS === #
    def action_open_picking(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "stock.picking",
            "res_id": self.picking_id.id,
            "views": [(False, "form")],
        }

    def action_confirm_return(self):
        """The salesperson agrees with the returns."""
        self.picking_id.action_confirm_return()
        return True
