from odoo import models
from odoo.exceptions import UserError


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        """Whoever ships, and by whatever way: what an order is held for does not leave."""
        if refusals := self._get_leaving()._get_withheld_reasons():
            raise UserError("\n".join(dict.fromkeys(refusals.values())))
        return super()._action_done(cancel_backorder=cancel_backorder)

    def _get_leaving(self):
        """Return those that bring goods to a customer, out of our house or from a vendor.

        None where no order was ever held: this costs nothing then. Returns never wait.
        """
        if not self.env["sale.admin.hold"]._is_gate_used():
            return self.browse()
        return self.filtered(
            lambda move: (
                move.state not in ("done", "cancel")
                and move.location_dest_id.usage == "customer"
                and move.location_id.usage != "customer"
            )
        )

    def _get_gate_line(self):
        """Return the order line that these goods are shipped for, with all rights.

        Goods added to an order's transfer by hand will be counted on its line of that product.
        """
        self.ensure_one()
        move = self.sudo()
        if move.sale_line_id or not move.picking_id.sale_id:
            return move.sale_line_id
        lines = move.picking_id.sale_id.order_line
        of_product = lines.filtered(lambda line: line.product_id == move.product_id)
        return (of_product or lines)[:1]

    def _get_gate_lines(self):
        lines = self.env["sale.order.line"].sudo()
        return lines.union(*(move._get_gate_line() for move in self))

    def _get_withheld_reasons(self):
        """Return ``{move: sentence}`` for those whose order holds them.

        An order held at shipping ships nothing. Of an order of which a part is released, that part
        is shipped and no more.
        """
        refusals = {}
        shipped = {}
        for move in self:
            line = move._get_gate_line()
            order = line.order_id
            if order.release_state not in ("held", "rejected"):
                continue
            if "ship" in order._get_held_stages():
                refusals[move] = order._get_gate_sentence("ship")
            elif move.picked and move.product_id == line.product_id and line.qty_withheld:
                shipped[line] = shipped.get(line, line.qty_delivered)
                shipped[line] += move.product_uom._compute_quantity(
                    move.quantity, line.product_uom_id, rounding_method="HALF-UP"
                )
                released = line.product_uom_qty - line.qty_withheld
                if line.product_uom_id.compare(shipped[line], released) > 0:
                    refusals[move] = self.env._(
                        "%(sentence)s %(released)s of %(product)s are released.",
                        sentence=order._get_gate_sentence("handover"),
                        released=f"{released:g} {line.product_uom_id.name}",
                        product=line.product_id.display_name,
                    )
        return refusals
