from odoo import fields, models


class SaleAdminCheck(models.Model):
    """Checks of what came in: entered twice, or with a question still open."""

    _inherit = "sale.admin.check"

    kind = fields.Selection(
        selection_add=[("duplicate", "Entered twice")], ondelete={"duplicate": "cascade"}
    )

    def _check_duplicate(self, orders):
        """An order that may be a copy of an earlier one, until a person tells them apart."""
        orders = orders.sudo()
        reasons = dict(orders._fields["duplicate_reason"]._description_selection(self.env))
        return {
            order: {
                "reason": self.env._(
                    "It may be entered twice: %(other)s has %(what)s.",
                    other=order.duplicate_of_id.name,
                    what=reasons[order.duplicate_reason],
                ),
                "fingerprint": str(order.duplicate_of_id.id),
            }
            for order in orders
            if order.duplicate_of_id
        }
