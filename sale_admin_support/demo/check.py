"""Checks at work: a price too low, a second person asked, and checks that only watch for now."""

from odoo import Command

from .office import Office


class Checking(Office):
    def live(self):
        """Let the checks of the last weeks happen; the company's ready-made set comes later."""
        self.verify_customers()
        for happen in (self.watch, self.ask_a_second_person):
            happen()
        self.env.flush_all()

    def verify_customers(self):
        """All customers are known but the newest."""
        for name in ("saomai", "riaalta", "levante", "kujawska"):
            self.ref(f"customer_{name}").with_user(self.user("dewi")).action_verify_customer()

    # === WATCHED CHECKS === #
    def watch(self):
        """Two rules that nobody dared to switch on: one would be a nuisance, one finds mistakes."""
        checks = self.env["sale.admin.check"]
        checks.create(
            {
                "name": "Orders carry the customer's reference",
                "kind": "completeness",
                "severity": "shadow",
                "active": True,
                "company_id": self.company.id,
                "sequence": 210,
                "requirement_ids": [
                    Command.set(
                        self.env.ref(
                            "sale_admin_support.sale_admin_requirement_client_order_ref"
                        ).ids
                    )
                ],
            }
        )
        checks.create(
            {
                "name": "Discounts stay within 5 %",
                "kind": "discount",
                "severity": "shadow",
                "active": True,
                "company_id": self.company.id,
                "sequence": 220,
                "discount_max": 5.0,
            }
        )
        # mended by the customer's mail a day later, and twice nobody missed it
        mended = self._find("riaalta", [("tape", 40)], -20)
        self._mend(mended, -19, client_order_ref="RA-2391")
        for customer, quantity, days in (("levante", 20, -24), ("kujawska", 35, -22)):
            order = self._find(customer, [("tape", quantity)], days)
            self._carry_out(order, days)
        self._find("saomai", [("spares", 6)], -2)
        price = self.product("film").list_price
        low = self._find("klos", [("film", 50, price * 0.9)], -9, client_order_ref="KL-9")
        self._mend(low, -8, price=price * 0.96)
        self._find("riaalta", [("film", 80, price * 0.93)], -3, client_order_ref="RA-2466")

    def _find(self, customer, lines, days, **values):
        order = self.confirm(self.quote(customer, lines, days, days + 5, **values), days)
        self._put_judgement_on_day(order, days)
        return order

    def _mend(self, order, days, price=None, **values):
        with self.on(days):
            if price:
                order.order_line.price_unit = round(price, 2)
            order.write(values)
            order._judge("recheck")
        lapsed = order.hold_ids.filtered(lambda hold: hold.state == "lapsed")
        lapsed._set({"decided_at": self.moment(days)})

    def _carry_out(self, order, days):
        self.deliver(order, days + 3)
        invoice = self.invoice(order, days + 4)
        self.pay(invoice, days + 12)

    def _put_judgement_on_day(self, order, days):
        order._set({"judged_at": self.moment(days)})
        order.hold_ids._set({"held_since": self.moment(days)})

    # === FOUR EYES === #
    def ask_a_second_person(self):
        """Large orders are checked by another; one waits, one was changed after the check."""
        self.env["sale.admin.check"].create(
            {
                "name": "Large orders are checked by two",
                "kind": "four_eyes",
                "severity": "block",
                "active": True,
                "company_id": self.company.id,
                "sequence": 200,
                "amount_min": 150000.0,
            }
        )
        waiting = self._enter("dewi", "saomai", [("bagger", 4)], -1, "SM-0940")
        waiting.received_at = self.moment(-1, 9)
        changed = self._enter("dewi", "klos", [("bagger", 4)], -3, "KL-21")
        changed.received_at = self.moment(-3, 9)
        changed.with_user(self.user("ana")).action_mark_checked()
        changed._set({"checked_at": self.moment(-2)})
        changed.with_user(self.user("dewi")).sudo().write(
            {
                "commitment_date": self.moment(12),
                "order_line": [
                    Command.update(changed.order_line[0].id, {"product_uom_qty": 5}),
                    Command.create(self._prepare_line("spares", 10)),
                ],
            }
        )

    def _enter(self, login, customer, lines, days, reference):
        with self.on(days):
            vals = self._prepare_order(
                customer, lines, days, days + 10, False, {"client_order_ref": reference}
            )
            order = self.env["sale.order"].with_user(self.user(login)).sudo().create(vals)
        return order.with_env(self.env)
