from odoo import models
from odoo.tools import SQL


class SaleAdminFact(models.Model):
    """Kits: what is sold moves as its components; the facts count the kits.

    A kit is delivered on the day on which its last component left. How many components make one
    kit is read from what was asked for the order line, so that a bill of materials that changes
    later, or holds other kits, makes no difference.
    """

    _inherit = "sale.admin.fact"
    _depends = {
        "stock.move": ["bom_line_id", "product_uom_qty"],
    }

    def _get_sources(self):
        return [
            *super()._get_sources(),
            self._sql_moved_kit(),
            self._sql_delivered_kit_undated(),
        ]

    def _sql_has_dated_moves(self):
        return SQL("%s AND NOT EXISTS (%s)", super()._sql_has_dated_moves(), self._sql_kit_moves())

    def _sql_kit_moves(self):
        return SQL(
            """SELECT FROM stock_move kit_move
                WHERE kit_move.sale_line_id = ol.id AND kit_move.bom_line_id IS NOT NULL
                  AND kit_move.product_id <> ol.product_id"""
        )

    def _sql_component_quantity(self, condition):
        """Return what left less what came back of a component, in its reference unit."""
        returned = SQL("(NOT %s)", self._sql_is_at_customer(SQL("sm.location_dest_id")))
        return SQL(
            """COALESCE(sum(CASE WHEN %s THEN -1 ELSE 1 END * sm.quantity * move_uom.factor)
                        FILTER (WHERE sm.state = 'done' AND %s AND %s), 0)""",
            returned,
            self._sql_is_crossing(),
            condition,
        )

    def _sql_is_crossing(self):
        return SQL(
            "%s <> %s",
            self._sql_is_at_customer(SQL("sm.location_dest_id")),
            self._sql_is_at_customer(SQL("sm.location_id")),
        )

    def _sql_kits(self, conditions):
        """Count the whole kits of order line `ol`, in its unit, among the moves of each condition.

        :param dict conditions: SQL condition on done moves `sm` by name of the count
        """
        return SQL(
            """SELECT %(kits)s
                 FROM (
                       SELECT bom_line_id, max(asked) AS asked, %(sums)s
                         FROM (
                               SELECT sm.bom_line_id,
                                      sum(sm.product_uom_qty * move_uom.factor) FILTER (
                                          WHERE sm.origin_returned_move_id IS NULL) AS asked,
                                      %(quantities)s
                                 FROM stock_move sm
                                 JOIN stock_location source ON source.id = sm.location_id
                                 JOIN stock_location dest ON dest.id = sm.location_dest_id
                                 JOIN uom_uom move_uom ON move_uom.id = sm.product_uom
                                WHERE sm.sale_line_id = ol.id AND sm.bom_line_id IS NOT NULL
                                GROUP BY sm.bom_line_id, sm.location_id, sm.location_dest_id
                              ) step
                        GROUP BY bom_line_id
                      ) component
                WHERE asked > 0""",
            kits=SQL(", ").join(
                SQL(
                    "COALESCE(floor(min(%(name)s * ol.product_uom_qty / asked) + 0.0001), 0)"
                    " AS %(name)s",
                    name=SQL.identifier(name),
                )
                for name in conditions
            ),
            sums=SQL(", ").join(
                SQL("sum(%(name)s) AS %(name)s", name=SQL.identifier(name)) for name in conditions
            ),
            quantities=SQL(", ").join(
                SQL("%s AS %s", self._sql_component_quantity(condition), SQL.identifier(name))
                for name, condition in conditions.items()
            ),
        )

    def _sql_moved_kit(self):
        """Kits that a transfer completed or broke up."""
        quantity = SQL("(kit.until_then - kit.before_then)")
        return self._sql_source(
            16,
            SQL("event.stock_move_id"),
            {
                **self._sql_order_columns(),
                **self._sql_line_amounts(quantity),
                "kind": SQL("CASE WHEN %s < 0 THEN 'returned' ELSE 'delivered' END", quantity),
                "date": self._sql_day(SQL("event.date")),
                "order_line_id": SQL("ol.id"),
                "product_id": SQL("ol.product_id"),
                "quantity": SQL("%s * %s", quantity, self._sql_unit_ratio()),
                "stock_move_id": SQL("event.stock_move_id"),
                "is_unrefunded": SQL("event.is_unrefunded"),
            },
            SQL(
                """%(order_line)s
                %(units)s
                JOIN (
                      SELECT sm.sale_line_id, sm.date, max(sm.id) AS stock_move_id,
                             bool_and(%(is_unrefunded)s) AS is_unrefunded
                        FROM stock_move sm
                        JOIN stock_location source ON source.id = sm.location_id
                        JOIN stock_location dest ON dest.id = sm.location_dest_id
                       WHERE sm.state = 'done' AND sm.bom_line_id IS NOT NULL AND %(is_crossing)s
                       GROUP BY sm.sale_line_id, sm.date
                     ) event ON event.sale_line_id = ol.id
                JOIN LATERAL (%(kits)s) kit ON kit.until_then <> kit.before_then
               WHERE EXISTS (%(kit_moves)s)""",
                order_line=self._sql_from_order_line(),
                units=self._sql_join_product_unit(),
                is_unrefunded=self._sql_is_unrefunded(),
                is_crossing=self._sql_is_crossing(),
                kits=self._sql_kits(
                    {
                        "until_then": SQL("sm.date <= event.date"),
                        "before_then": SQL("sm.date < event.date"),
                    }
                ),
                kit_moves=self._sql_kit_moves(),
            ),
        )

    def _sql_delivered_kit_undated(self):
        """What Odoo counts as delivered kits beyond those that the components explain."""
        quantity = SQL("(ol.qty_delivered - kit.counted)")
        return self._sql_source(
            17,
            SQL("ol.id"),
            {
                **self._sql_order_columns(),
                **self._sql_line_amounts(quantity),
                "kind": SQL("'delivered'"),
                "order_line_id": SQL("ol.id"),
                "product_id": SQL("ol.product_id"),
                "quantity": SQL("%s * %s", quantity, self._sql_unit_ratio()),
            },
            SQL(
                """%s %s
                JOIN LATERAL (%s) kit ON ol.qty_delivered <> kit.counted
               WHERE ol.display_type IS NULL AND EXISTS (%s)""",
                self._sql_from_order_line(),
                self._sql_join_product_unit(),
                self._sql_kits({"counted": SQL("NOT %s", self._sql_is_unrefunded())}),
                self._sql_kit_moves(),
            ),
        )
