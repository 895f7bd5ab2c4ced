from odoo import fields, models
from odoo.tools import SQL


class SaleAdminCheck(models.Model):
    """Customer file: blocked customers, and new ones whose data nobody verified."""

    _inherit = "sale.admin.check"

    # === FIELDS === #
    kind = fields.Selection(
        selection_add=[("customer", "Customer file: blocked or not verified")],
        ondelete={"customer": "cascade"},
    )
    is_block_checked = fields.Boolean(string="The Customer Is Not Blocked", default=True)
    verified_scope = fields.Selection(
        [
            ("none", "need not be verified"),
            ("new", "are verified before a customer's first order"),
            ("all", "are verified before every order"),
        ],
        string="Customer Data",
        required=True,
        default="new",
    )

    # === BUSINESS METHODS === #
    def _check_customer(self, orders):
        results = {}
        unverified = self._get_unverified(orders)
        for order in orders:
            customers = order._get_checked_customers()
            blocked = customers.filtered("sale_block_reason") if self.is_block_checked else None
            reasons = [
                self.env._(
                    "%(customer)s is blocked: %(reason)s",
                    customer=customer.display_name,
                    reason=customer.sale_block_reason,
                )
                for customer in blocked or ()
            ]
            customer = order.partner_id.commercial_partner_id
            if customer in unverified:
                reasons.append(
                    self.env._(
                        "Nobody has verified the data of %s yet: name, address and tax number.",
                        customer.display_name,
                    )
                )
            if reasons:
                record = (blocked or customer)[0]
                results[order] = {
                    "reason": " ".join(reasons),
                    "fix": {
                        "label": record.display_name,
                        "model": "res.partner",
                        "res_id": record.id,
                        "field": "sale_block_reason" if blocked else "sale_verified_at",
                    },
                    "fingerprint": " ".join(
                        [
                            *(f"{c.id}:{c.sale_block_reason}" for c in blocked or ()),
                            f"unverified:{customer.id}" if customer in unverified else "",
                        ]
                    ),
                }
        return results

    def _get_unverified(self, orders):
        """Return the customers of the orders that have to be verified and are not."""
        customers = orders.partner_id.commercial_partner_id
        if self.verified_scope == "none":
            return customers.browse()
        unverified = customers.filtered(lambda customer: not customer.sale_verified_at)
        if self.verified_scope == "new" and unverified:
            unverified -= self._get_known_customers(unverified, orders)
        return unverified

    def _get_known_customers(self, customers, orders):
        """Return those of the customers with another order of the company that went through.

        One statement that stops at the first such order of each customer. It asks for what went
        through before, so what is pending now, these orders' confirmation, need not be written.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT customer.id
                     FROM unnest(%(customers)s) AS customer(id)
                    WHERE EXISTS (
                          SELECT 1
                            FROM res_partner contact
                            JOIN sale_order so ON so.partner_id = contact.id
                           WHERE contact.commercial_partner_id = customer.id
                             AND so.company_id = %(company)s
                             AND so.state = 'sale'
                             AND so.release_state IN ('free', 'released')
                             AND so.id != ALL(%(orders)s))""",
                customers=customers.ids,
                company=orders.company_id[:1].id,
                orders=orders.ids,
            )
        )
        return customers.browse(row[0] for row in rows)
