from odoo import fields, models

from .sale_admin_clarification import OPEN_STATES


class SaleAdminCheck(models.Model):
    """Checks of what came in: entered twice, or with a question still open."""

    _inherit = "sale.admin.check"

    kind = fields.Selection(
        selection_add=[
            ("duplicate", "Entered twice"),
            ("clarification", "Question not answered yet"),
        ],
        ondelete={"duplicate": "cascade", "clarification": "cascade"},
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

    def _check_clarification(self, orders):
        """An order waits at this check's stage for the answers that somebody said it waits for."""
        orders = orders.filtered("has_open_question")  # so that other orders cost no query
        if not orders:
            return {}
        clarifications = (
            self.env["sale.admin.clarification"]
            .sudo()
            .search(
                [
                    ("order_id", "in", orders.ids),
                    ("state", "in", OPEN_STATES),
                    ("stage", "=", self.stage),
                ]
            )
        )
        return {
            order.with_env(orders.env): {
                "reason": self.env._("Not answered yet: %s", ", ".join(questions.mapped("name"))),
                "fix": {
                    "label": self.env._("Question"),
                    "model": questions._name,
                    "res_id": questions[0].id,
                },
                "fingerprint": ",".join(map(str, questions.ids)),
            }
            for order, questions in clarifications.grouped("order_id").items()
        }
