"""Orders that wait, each for another reason, after the checks were switched on."""

from odoo import Command

from .office import Office


class Desk(Office):
    def live(self):
        self.invoice_film()
        self.switch_on_checks()
        for happen in (
            self.hold_for_credit,
            self.hold_for_overdue_invoices,
            self.hold_for_a_missing_reference,
            self.release_in_part,
            self.reject,
            self.hold_by_hand,
            self.release_for_two_days,
            self.complete_an_order,
            self.warn_of_a_discount,
        ):
            happen()
        self.env.flush_all()

    # === RULES === #
    def switch_on_checks(self):
        """The ready-made basic set, and the papers that this company wants besides."""
        self.company.sale_admin_check_set = "basic"
        self._get_checks("credit_limit").authority_ids = [
            Command.create({"group_id": self._get_group("credit").id, "amount_max": 20000.0}),
            Command.create({"group_id": self._get_group("manager").id, "is_unlimited": True}),
        ]
        requirements = [
            self.env.ref(f"sale_admin_support.sale_admin_requirement_{name}").id
            for name in ("client_order_ref", "commitment_date")
        ]
        self.env["sale.admin.check"].create(
            {
                "name": "Reference and promised date",
                "kind": "completeness",
                "active": True,
                "company_id": self.company.id,
                "sequence": 15,
                "requirement_ids": [Command.set(requirements)],
            }
        )
        self.env["sale.admin.check"].create(
            [
                {
                    "name": "Invoices carry the customer's reference",
                    "kind": "completeness",
                    "stage": "invoice",
                    "active": True,
                    "company_id": self.company.id,
                    "sequence": 110,
                    "requirement_ids": [Command.set(requirements[:1])],
                },
                {
                    "name": "Machines to Poland leave with a signed quotation",
                    "kind": "domain",
                    "stage": "ship",
                    "active": True,
                    "company_id": self.company.id,
                    "sequence": 120,
                    "rule_domain": "[('partner_id.country_id.code', '=', 'PL'),"
                    " ('signed_on', '=', False), ('amount_total', '>', 15000)]",
                },
                {
                    "name": "Discounts above 3 % are seen",
                    "kind": "discount",
                    "severity": "warn",
                    "active": True,
                    "company_id": self.company.id,
                    "sequence": 130,
                    "discount_max": 3.0,
                },
            ]
        )

    def _get_checks(self, kind):
        return self.env["sale.admin.check"].search(
            [("kind", "=", kind), ("company_id", "=", self.company.id)]
        )

    def _get_group(self, name):
        return self.env.ref(f"sale_admin_support.group_sale_admin_{name}")

    def invoice_film(self):
        """Open, and due within the week."""
        order = self.confirm(self.quote("sierra", [("film", 1200)], -30, -26, euro=True), -30)
        self.deliver(order, -25)
        self.invoice(order, -24)

    # === WHAT WAITS === #
    def hold_for_credit(self):
        """An invoice that is due in a week makes room; a part could go now."""
        return self._order(
            "sierra",
            [("labeller", 1), ("conveyor", 4)],
            -3,
            5,
            euro=True,
            client_order_ref="AS-1190",
        )

    def hold_for_overdue_invoices(self):
        return self._order(
            "levante",
            [("film", 300, 12.2)],
            -6,
            -1,
            euro=True,
            client_order_ref="LP-7702",
            sale_contract_id=self._get_contract("levante").id,
        )

    def hold_for_a_missing_reference(self):
        return self._order("warta", [("film", 120), ("tape", 20)], -1, 9, euro=True)

    def release_in_part(self):
        """One of two machines may go; the buyer sees on the portal that it is worked on."""
        order = self._order("saomai", [("wrapper", 2)], -4, 6, client_order_ref="PO-4533")
        with self.on(-2):
            order.with_user(self.user("kasia"))._release_part(
                {order.order_line: 1.0}, "One now; the other when the carton line is paid."
            )

    def reject(self):
        order = self._order("kujawska", [("bagger", 1)], -5, 15, euro=True, client_order_ref="K-88")
        with self.on(-2):
            self._get_credit_holds(order).with_user(self.user("huy")).action_reject(
                "No further machine before the letter of credit is extended."
            )

    def hold_by_hand(self):
        order = self._order("warta", [("conveyor", 6)], -8, 3, euro=True, client_order_ref="ZZ/129")
        reason = self.env["sale.admin.reason"].search([("kind", "=", "hold")], limit=1)
        with self.on(-7):
            hold = order.with_user(self.user("ana"))._hold_by_hand(
                reason or "Customer's wish", "ship", "the hall is ready next week"
            )
        self._put_holds_on_day(hold, -7)

    # === WHAT WENT ON === #
    def release_for_two_days(self):
        """Released, and the release ends before the goods have left."""
        order = self._order(
            "ankhanh", [("erector", 2), ("conveyor", 6)], -9, 2, client_order_ref="AK-310"
        )
        with self.on(-7):
            self._get_credit_holds(order).with_user(self.user("kasia"))._release(
                "Pays every month; the bank confirmed the transfer.", valid_until=self.day(2)
            )

    def complete_an_order(self):
        """The reference came a day later, and the order freed itself."""
        order = self._order("warta", [("tape", 8)], -5, 4, euro=True)
        with self.on(-4):
            order.client_order_ref = "ZZ/130"

    def warn_of_a_discount(self):
        price = self.product("film").list_price
        self._order("saomai", [("film", 10, price * 0.9)], -1, 8, client_order_ref="PO-4540")

    def _get_credit_holds(self, order):
        return order.hold_ids.filtered(lambda h: h.is_blocking and h.check_id.is_credit)

    def _get_contract(self, customer):
        return self.env["sale.admin.contract"].search(
            [("partner_id", "=", self.ref(f"customer_{customer}").id), ("state", "=", "active")],
            limit=1,
        )

    def _order(self, customer, lines, days, promised, **values):
        order = self.confirm(self.quote(customer, lines, days, promised, **values), days)
        self._put_holds_on_day(order.hold_ids, days)
        return order

    def _put_holds_on_day(self, holds, days):
        for hold in holds:
            hold._set({"held_since": self.moment(days)})
            self.put_on_day(hold, days)
