"""Orders on their way: handed over, sent back, late, shipped, returned, with their problems."""

from datetime import timedelta

from .office import Office


class Fulfilment(Office):
    def live(self):
        """Let the last weeks of the warehouse happen."""
        self.company.write(
            {
                "sale_admin_handover_mode": "manual",
                "sale_admin_tracking_expected": True,
            }
        )
        self.company.sale_admin_handover_since = self.moment(-6)
        for happen in (
            self.leave_to_hand_over,
            self.wait_for_an_answer,
            self.take_over_and_wait_for_goods,
            self.send_back,
            self.ship_late,
            self.ship_with_tracking,
            self.take_goods_back,
            self.log_problems,
        ):
            happen()
        self.env.flush_all()

    # === HAND-OVER === #
    def leave_to_hand_over(self):
        """Released, and nobody was given it."""
        order = self.quote("warta", [("labeller", 2)], -1, 6, euro=True, client_order_ref="WR-5518")
        return self.confirm(order, -1)

    def wait_for_an_answer(self):
        """One was handed over this morning, one waits for a day."""
        fresh = self._order("lachong", [("conveyor", 4)], -1, 9, "PO 2207")
        self.hand_over(fresh, 0)
        forgotten = self._order("kujawska", [("tape", 60)], -3, 2, "K/118")
        self.hand_over(forgotten, -1)

    def take_over_and_wait_for_goods(self):
        """Promised in three days, and the belts are not there."""
        order = self._order("saomai", [("belt", 6), ("spares", 2)], -5, 3, "SM-0931")
        self.hand_over(order, -4)
        self.acknowledge(order)

    def send_back(self):
        """The warehouse cannot read the address."""
        order = self._order("ankhanh", [("spares", 12)], -2, 5, "AK 77")
        handover = self.hand_over(order, -1)
        handover.with_user(self.user("budi"))._answer(
            "sent_back",
            self.env.ref("sale_admin_support.sale_admin_reason_send_back_address"),
            "No gate and nobody to ask for: the plant has three of them.",
        )

    # === SHIPMENTS === #
    def ship_late(self):
        """Half of it went; the rest has a new date that the customer does not know."""
        order = self._order("riaalta", [("film", 400)], -11, -4, "RA-2460")
        self.hand_over(order, -10)
        self.acknowledge(order)
        order._note_customer_told(self.day(-4), "phone")
        picking = self.deliver(order, -6, film=180)
        picking.write({"shipment_carrier": "Euro Cargo", "shipment_ref": "EC 40 118 822"})
        order.commitment_date = self.moment(4)
        overdue = self._order("levante", [("tape", 30)], -10, -2, "LV-301")
        self.hand_over(overdue, -9)
        self.acknowledge(overdue)

    def ship_with_tracking(self):
        """One shipment can be followed, one cannot."""
        followed = self._order("klos", [("film", 120)], -9, -3, "KL-14")
        self.hand_over(followed, -8)
        self.acknowledge(followed)
        picking = self.deliver(followed, -4)
        picking.write({"shipment_carrier": "Euro Cargo", "shipment_ref": "EC 40 119 006"})
        followed.with_user(self.user("ana")).sudo().action_verify_shipto()
        lost = self._order("sierra", [("tape", 25)], -8, -1, "SR/2206")
        self.hand_over(lost, -7)
        self.acknowledge(lost)
        self.deliver(lost, -2)

    # === RETURNS === #
    def take_goods_back(self):
        """Three returns: confirmed and credited, with a reason only, and without one."""
        reasons = "sale_admin_support.sale_admin_reason_return_"
        order = self._order("warta", [("tape", 80)], -40, -33, "WR-5390")
        picking = self.deliver(order, -34)
        invoice = self.invoice(order, -33)
        credited = self.take_back(picking, -20, tape=10)
        credited.sale_return_reason_id = self.env.ref(f"{reasons}damaged")
        credited.with_user(order.user_id).action_confirm_return()
        self.credit(invoice, -18, "10 boxes damaged", tape=10)

        wrong = self._order("saomai", [("labeller", 3)], -30, -20, "SM-0877")
        picking = self.deliver(wrong, -21)
        back = self.take_back(picking, -9, labeller=1)
        back.sale_return_reason_id = self.env.ref(f"{reasons}wrong")

        silent = self._order("lachong", [("spares", 20)], -28, -18, "PO 2110")
        picking = self.deliver(silent, -19)
        self.take_back(picking, -3, spares=4)

    # === PROBLEMS === #
    def log_problems(self):
        """Open ones, and solved ones to evaluate."""
        orders = self.env["sale.order"]
        for reference, reason, cause, name, days, cost, solution in (
            ("RA-2460", "late", "carrier", "The truck broke down", -5, 0, None),
            ("SM-0877", "wrong", "warehouse", "One labeller of the wrong series", -10, 240, None),
            (
                "WR-5390",
                "damaged",
                "carrier",
                "Ten boxes crushed",
                -21,
                560,
                "Claimed and credited",
            ),
            ("PO 2110", "entry", "office", "Twenty instead of two", -17, 90, "Checked by two now"),
            ("KL-14", "informed", "office", "Nobody announced the truck", -4, 0, "Told in future"),
        ):
            problem = self.env["sale.admin.problem"].create(
                {
                    "name": name,
                    "order_id": orders.search([("client_order_ref", "=", reference)], limit=1).id,
                    "reason_id": self.env.ref(
                        f"sale_admin_support.sale_admin_reason_problem_{reason}"
                    ).id,
                    "cause": cause,
                    "user_id": self.user("ana").id,
                    "amount_cost": cost,
                    "solution": solution,
                }
            )
            problem._set({"logged_at": self.moment(days)})
            if solution:
                problem.action_solve()
                problem._set({"solved_at": self.moment(days + 2)})

    # === HOW === #
    def _order(self, customer, lines, days, promised, reference):
        order = self.quote(
            customer,
            lines,
            days - 1,
            promised,
            euro=self.ref(f"customer_{customer}").country_id.code != "VN",
            client_order_ref=reference,
        )
        return self.confirm(order, days)

    def hand_over(self, order, days):
        with self.on(days):
            handover = order._create_handover("warehouse")
            vals = {"handed_over_by_id": self.user("ana").id}
            if days:
                moment = self.moment(days)
                hours = self.company.sale_admin_handover_hours
                vals |= {"handed_over_at": moment, "due_at": moment + timedelta(hours=hours)}
            handover._set(vals)
            order._update_handover_state()
            return handover

    def acknowledge(self, order):
        for handover in order.handover_ids:
            handover.with_user(self.user("budi"))._answer("acknowledged")
            handover._set({"answered_at": handover.handed_over_at})
