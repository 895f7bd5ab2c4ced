from odoo import fields, models
from odoo.fields import Domain


class SaleAdminCheck(models.Model):
    """Four eyes: checked by another than who entered or last changed the order."""

    _inherit = "sale.admin.check"

    kind = fields.Selection(
        selection_add=[("four_eyes", "Four eyes: checked by a second person")],
        ondelete={"four_eyes": "cascade"},
    )

    def _check_four_eyes(self, orders):
        results = {}
        for order in orders:
            if not order.checked_at:
                reason = self.env._(
                    "Nobody has checked the order yet: another sales administrator than who "
                    "entered or last changed it marks it as checked."
                )
            elif order._is_changed_since_check():
                reason = self.env._(
                    "The order was changed after %(user)s checked it: a second person checks what "
                    "changed.",
                    user=order.checked_by_id.name,
                )
            else:
                continue
            results[order] = {
                "reason": reason,
                "fix": self._get_four_eyes_fix(order),
                "fingerprint": order._get_fingerprint(),
            }
        return results

    def _get_four_eyes_fix(self, order):
        return {
            "label": self.env._("tab Checks, Mark Checked"),
            "model": "sale.order",
            "res_id": order.id,
            "field": "checked_by_id",
        }

    def _get_waiting_domain(self):
        """Return the orders that wait for their second person by one of these checks.

        A confirmed order waits when it is held or warned of; before that, an order waits once it
        came in. A quotation that the customer thinks about need not be checked.
        """
        domain = Domain.FALSE
        for check in self:
            held = Domain("hold_ids", "any", [("check_id", "=", check.id), ("state", "=", "open")])
            domain |= Domain("state", "=", "sale") & held
            for company in check._get_judged_companies():
                domain |= (
                    Domain("company_id", "=", company.id)
                    & Domain("state", "in", ("draft", "sent"))
                    & Domain("received_at", "!=", False)
                    & (Domain("checked_at", "=", False) | Domain("is_check_stale", "=", True))
                    & check._get_concerned_domain(company)
                )
        return domain

    def _get_judged_companies(self):
        """The companies whose orders this check judges, branches included."""
        companies = self.env["res.company"].sudo()
        if self.company_id:
            return companies.search([("id", "child_of", self.company_id.id)])
        return companies.search([])
