from odoo import models
from odoo.tools import SQL


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _is_closed_short(self):
        """Whether goods were to move for this line and no more of them will."""
        self.ensure_one()
        if self.qty_delivered_method != "stock_move":
            return False
        moves = self.move_ids
        return bool(moves) and all(
            move.state in ("done", "cancel") or move.location_id.usage == "customer"
            for move in moves
        )

    def _get_qty_owed(self, withheld=None):
        """Return the quantity that the customer owes or will owe for, invoiced or not.

        It is what is ordered and released, or delivered if that is more. What was ordered and
        will not come any more counts no longer; what came counts, even if the order is cancelled.

        :param withheld: quantity to take as withheld instead of what is
        """
        self.ensure_one()
        sign = -1 if self.product_uom_qty < 0 else 1
        delivered = sign * self.qty_delivered
        if self.order_id.state != "sale" and withheld is None:
            goods_left = self.state == "cancel" and self.qty_delivered_method == "stock_move"
            return sign * delivered if goods_left else 0.0
        starting = withheld is not None and self._is_starting()
        released = sign * (
            self.product_uom_qty - (self.qty_withheld if withheld is None else withheld)
        )
        if released > delivered and not starting and self._is_closed_short():
            released = delivered
        return sign * max(released, delivered, 0.0)

    def _is_starting(self):
        """Whether work is about to start for this line, so that its past moves tell nothing."""
        self.ensure_one()
        return bool(self.qty_withheld) or not self.order_id.judged_at

    def _get_qty_at_stake(self):
        """Hook: the quantity that is withheld if the order does not pass the judgement."""
        self.ensure_one()
        if self.order_id.state != "sale" or not self.order_id.judged_at:
            return self.product_uom_qty
        return self.qty_withheld

    def _get_price_with_taxes(self):
        """Return the price of one unit with taxes and discount, in the order's currency."""
        self.ensure_one()
        if self.product_uom_qty:
            return self.price_total / self.product_uom_qty
        price = self.price_unit * (1 - (self.discount or 0.0) / 100.0)
        return self.tax_ids.compute_all(
            price, self.currency_id, 1.0, self.product_id, self.order_id.partner_shipping_id
        )["total_included"]

    def _get_posted_sums(self):
        """Return ``{line id: (quantity, amount)}`` of the posted invoices less credit notes.

        Quantities are in the line's unit, amounts in the order's currency with taxes; a document
        in another currency is converted once, through the company's currency at the order's rate.
        """
        lines = self.filtered(lambda line: line.qty_invoiced or line.untaxed_amount_invoiced)
        if not lines:
            return {}
        self.env["account.move"].flush_model(["state", "move_type", "invoice_currency_rate"])
        self.env["account.move.line"].flush_model(
            ["quantity", "price_total", "product_uom_id", "currency_id", "sale_line_ids"]
        )
        return {
            line_id: (quantity, amount)
            for line_id, quantity, amount in self.env.execute_query(
                self._sql_posted_sums(SQL("rel.order_line_id IN %s", tuple(lines.ids)))
            )
        }

    def _sql_posted_sums(self, condition):
        return SQL(
            """SELECT rel.order_line_id,
                      sum(sign.sign * aml.quantity * coalesce(unit.factor / line_unit.factor, 1)),
                      sum(sign.sign * CASE WHEN aml.currency_id = line.currency_id
                          THEN aml.price_total
                          ELSE aml.price_total / coalesce(nullif(move.invoice_currency_rate, 0), 1)
                               * coalesce(nullif(orders.currency_rate, 0), 1) END)
                 FROM sale_order_line_invoice_rel rel
                 JOIN account_move_line aml ON aml.id = rel.invoice_line_id
                 JOIN account_move move ON move.id = aml.move_id
                 JOIN LATERAL (SELECT CASE move.move_type WHEN 'out_refund' THEN -1 ELSE 1 END)
                      AS sign(sign) ON TRUE
                 JOIN sale_order_line line ON line.id = rel.order_line_id
                 JOIN sale_order orders ON orders.id = line.order_id
            LEFT JOIN uom_uom unit ON unit.id = aml.product_uom_id
            LEFT JOIN uom_uom line_unit ON line_unit.id = line.product_uom_id
                WHERE (move.state = 'posted' OR move.payment_state = 'invoicing_legacy')
                  AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                  AND %s
             GROUP BY rel.order_line_id""",
            condition,
        )
