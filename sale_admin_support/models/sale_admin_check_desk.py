from odoo import models


class SaleAdminCheck(models.Model):
    """What would let an order pass a check of credit: a payment, or to go in part.

    ``_get_payment_need_<kind>(order, situation)`` returns what a payment must at least be, and
    ``_get_room_<kind>(order, situation)`` how much of what waits could go. A kind without them is
    not mended so. Amounts are in the currency of the order's company, with taxes.
    """

    _inherit = "sale.admin.check"

    def _get_payment_need(self, order, situation):
        """Return the amount, or None where no payment helps."""
        self.ensure_one()
        get_need = getattr(self, f"_get_payment_need_{self.kind}", None)
        return get_need(order, situation) if get_need else None

    def _get_payment_need_credit_limit(self, order, situation):
        terms = situation["terms"]
        return situation["exposure_after"] - terms["amount"] - terms["tolerance"]

    def _get_payment_need_credit_overdue(self, order, situation):
        return situation["overdue"] - situation["terms"]["overdue_amount"]

    def _is_paid_in_advance(self):
        """Hook: whether the payment that this check waits for is one for the order itself."""
        return self.kind == "credit_prepayment"

    def _get_room(self, order, situation):
        """Return how much of what waits could go, or None where no part can."""
        self.ensure_one()
        get_room = getattr(self, f"_get_room_{self.kind}", None)
        return get_room(order, situation) if get_room else None

    def _get_room_credit_limit(self, order, situation):
        terms = situation["terms"]
        return terms["amount"] + terms["tolerance"] - situation["exposure_before"]

    def _get_room_credit_order_value(self, order, situation):
        return self._get_credit_order_max(order) - situation["amount"] + situation["asked"]

    def _is_passed_with_payment(self, order, situation, amount, advance=0.0):
        """Whether the order would pass if the payer paid `amount`, `advance` of it for this order
        and the rest for the oldest debts first."""
        return self._is_passed(
            order,
            {
                **situation,
                "receivable": situation["receivable"] - amount,
                "exposure": situation["exposure"] - amount,
                "exposure_before": situation["exposure_before"] - amount,
                "exposure_after": situation["exposure_after"] - amount,
                "overdue": max(situation["overdue"] - amount + advance, 0.0),
                "prepayment_received": situation["prepayment_received"] + advance,
            },
        )

    def _is_passed_with_part(self, order, situation, amount):
        """Whether the order would pass if only `amount` of what waits were to go."""
        return self._is_passed(
            order,
            {
                **situation,
                "amount": situation["amount"] - situation["asked"] + amount,
                "asked": amount,
                "exposure_after": situation["exposure_before"] + amount,
            },
        )

    def _is_passed(self, order, situation):
        """Ask the check itself, so that what is promised never contradicts a judgement."""
        return not getattr(self, f"_check_{self.kind}")(order, situation)
