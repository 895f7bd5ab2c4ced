"""The demo company's running month, and the year of closed contracts behind it.

Days are counted from today: -50 is fifty days ago. Every method is one contract, or one paper that
a newcomer should find.
"""

from .office import Office

FRAMEWORK = "sale_admin_support.sale_admin_milestone_template_framework"

# customer, day signed, days to the promised delivery, days that it was late, days from the invoice
# to the payment, in euro, lines
CLOSED = [
    ("warta", -352, 21, 0, 28, True, [("wrapper", 2), ("conveyor", 6)]),
    ("saomai", -341, 28, 4, 35, False, [("sealer", 3), ("conveyor", 4)]),
    ("klos", -330, 14, 0, 26, True, [("erector", 1)]),
    ("sierra", -318, 20, 0, 41, True, [("labeller", 2)]),
    ("lachong", -309, 30, 9, 30, False, [("bagger", 1), ("checkweigher", 1)]),
    ("kujawska", -296, 14, 0, 20, True, [("labeller", 1), ("conveyor", 2)]),
    ("riaalta", -271, 25, 3, 30, True, [("erector", 1), ("sealer", 1)]),
    ("warta", -262, 14, 0, 29, True, [("checkweigher", 2)]),
    ("saomai", -248, 21, 0, 52, False, [("wrapper", 2)]),
    ("klos", -226, 21, 6, 30, True, [("bagger", 1)]),
    ("lachong", -214, 28, 0, 24, False, [("erector", 2), ("sealer", 2)]),
    ("kujawska", -192, 21, 0, 30, True, [("checkweigher", 1), ("conveyor", 8)]),
    ("ankhanh", -181, 25, 11, 30, False, [("bagger", 1)]),
    ("riaalta", -170, 14, 0, 44, True, [("labeller", 1), ("spares", 6)]),
    ("saomai", -149, 21, 2, 31, False, [("checkweigher", 1), ("conveyor", 4)]),
    ("levante", -137, 10, 0, 25, True, [("film", 900), ("tape", 200)]),
    ("klos", -124, 18, 0, 30, True, [("sealer", 2)]),
    ("lachong", -113, 21, 0, 22, False, [("wrapper", 1), ("labeller", 1)]),
    ("sierra", -101, 14, 5, 29, True, [("checkweigher", 1)]),
    ("kujawska", -92, 14, 0, 27, True, [("sealer", 1), ("spares", 10)]),
]


class Month(Office):
    def live(self):
        """Let the year happen, the past first."""
        self.open_books()
        self.set_euro_rates()
        self.close_last_year()
        for happen in (
            self.supply_film_by_framework,
            self.supply_wear_parts,
            self.appoint_distributor,
            self.renew_film_supply,
            self.write_off_bank_charges,
            self.terminate,
            self.suspend,
            self.make_carton_line,
            self.make_bagging_line,
            self.deliver_packing_cell,
            self.change_tray_line,
            self.amend_labelling,
            self.take_deposit_without_invoice,
            self.send_to_sign,
            self.forget_the_schedule,
            self.cancel_a_draft,
            self.trade_without_contract,
        ):
            happen()
        self.env["sale.admin.contract"].search([])._facts_changed()
        self.env.flush_all()

    # === THE YEAR BEHIND === #
    def close_last_year(self):
        """Contracts that were signed, delivered, invoiced, paid and closed."""
        context = {**self.env.context, "tracking_disable": True, "mail_create_nolog": True}
        office = self.__class__(self.env(context=context))
        orders = office.env["sale.order"]
        for customer, day, promised, _late, _paid, euro, lines in CLOSED:
            orders += office.quote(customer, lines, day - 6, day + promised, euro=euro)
        orders.action_confirm()
        plans = list(zip(orders, CLOSED, strict=True))
        for order, (_customer, day, *_rest) in plans:
            order.date_order = self.moment(day)
            title = f"{order.order_line[0].product_id.name}, {order.partner_id.city}"
            office.sign(office.open_contract(order, day, title=title), day)
        office.deliver(orders, 0)
        for order, (_customer, day, promised, late, *_rest) in plans:
            order.picking_ids.date_done = self.moment(day + promised + late)
        invoices = orders._create_invoices(final=True, grouped=True)
        for order, (_customer, day, promised, late, *_rest) in plans:
            order.invoice_ids.invoice_date = self.day(day + promised + late)
        invoices.action_post()
        office.pay_each(
            {
                order.invoice_ids: day + promised + late + paid
                for order, (_customer, day, promised, late, paid, *_rest) in plans
            }
        )
        contracts = orders.sale_contract_id
        contracts._facts_changed()
        contracts.write({"state": "done"})

    # === FRAMEWORKS, DISTRIBUTION, RENEWALS === #
    def supply_film_by_framework(self):
        """Called off by orders, two of them on one invoice; damaged rolls came back."""
        contract = self.agree(
            "riaalta",
            "framework",
            [("film", 2400, 12.9), ("tape", 300, 56.0)],
            -215,
            euro=True,
            title="Film and tape, one year",
            date_end=self.day(150),
            renewal="negotiation",
            notice_days=30,
            partner_ref="RA-2291",
            milestone_template_id=self.env.ref(FRAMEWORK).id,
        )
        self.sign(contract, -215)
        calls = self.env["sale.order"]
        for days, film, tape in ((-190, 600, 70), (-120, 500, 60), (-110, 100, 20), (-40, 450, 0)):
            lines = [("film", film, 12.9)] + [("tape", tape, 56.0)] * bool(tape)
            order = self.quote("riaalta", lines, days, days + 5, euro=True)
            order.sale_contract_id = contract
            self.confirm(order, days)
            self.deliver(order, days + 4)
            calls += order
        self.pay(self.invoice(calls[0], -180), -152)
        self.pay(self.invoice(calls[1] + calls[2], -104), -70)
        last = self.invoice(calls[3], -34)
        self.take_back(calls[3].picking_ids, -30, film=40)
        self.credit(last, -29, "40 rolls damaged in transport", film=40)
        return contract

    def supply_wear_parts(self):
        """A framework that ends soon: its renewal window is open."""
        contract = self.agree(
            "warta",
            "framework",
            [("spares", 60, 720.0)],
            -345,
            euro=True,
            title="Wear parts, one year",
            date_end=self.day(20),
            renewal="negotiation",
            milestone_template_id=self.env.ref(FRAMEWORK).id,
        )
        self.sign(contract, -345)
        for days, quantity in ((-300, 15), (-210, 15), (-115, 14), (-25, 10)):
            order = self.quote("warta", [("spares", quantity, 720.0)], days, days + 7, euro=True)
            order.sale_contract_id = contract
            self.confirm(order, days)
            self.deliver(order, days + 6)
            invoice = self.invoice(order, days + 7)
            if days < -60:
                self.pay(invoice, days + 36)
        self.set_done(
            contract,
            "Review of the year with the customer",
            -40,
            "Met Ms Nowak in Poznań; she wants the same quantity and a price fixed for a year.",
        )

    def appoint_distributor(self):
        """Goes on for another year unless somebody gives notice; a payment bounced."""
        contract = self.agree(
            "levante",
            "distribution",
            [],
            -290,
            euro=True,
            title="Distribution, Valencia and Murcia",
            date_end=self.day(75),
            renewal="tacit",
            notice_days=30,
            amount_untaxed=120000.0,
            amount_total=120000.0,
        )
        self._plan(
            contract,
            [
                ("Sales plan of the year", "document", -260),
                ("Half-year review", "manual", -108),
                ("Stock count at the distributor", "manual", 12),
            ],
        )
        self.sign(contract, -290)
        self.set_done(contract, "Sales plan of the year", -262, paper="Sales plan")
        self.set_done(contract, "Half-year review", -101, "Minutes sent on the same day.")
        for days, film in ((-85, 700), (-20, 800)):
            order = self.quote(
                "levante", [("film", film, 12.2), ("tape", 80, 52.0)], days, days + 6, euro=True
            )
            order.sale_contract_id = contract
            self.confirm(order, days)
            self.deliver(order, days + 5)
            invoice = self.invoice(order, days + 5)
            if days < -60:
                payment = self.pay(invoice, days + 38)
        with self.on(-2):
            payment.action_draft()  # the bank took it back; Odoo still calls the invoice paid

    def renew_film_supply(self):
        """Done, and followed by a new contract that knows it."""
        contract = self.agree(
            "sierra",
            "framework",
            [("film", 900, 13.4)],
            -372,
            euro=True,
            title="Film, one year",
            date_end=self.day(-8),
            renewal="negotiation",
        )
        self._plan(contract, [("Everything delivered", "delivered", -30)])
        self.sign(contract, -372)
        order = self.quote("sierra", [("film", 900, 13.4)], -90, -60, euro=True)
        order.sale_contract_id = contract
        self.confirm(order, -90)
        self.deliver(order, -62)
        self.pay(self.invoice(order, -60), -31)
        with self.on(-7):
            contract._facts_changed()
            successor = contract.with_context(ir_sequence_date=self.day(-7))._renew()
            successor.title = "Film, second year"
            contract.write({"state": "done"})

    # === ENDED OTHERWISE === #
    def write_off_bank_charges(self):
        """The bank kept its charges: closed with the reason, not counted as cash."""
        order = self.quote("sierra", [("labeller", 1)], -90, -60, euro=True)
        self.confirm(order, -84)
        contract = self.open_contract(
            order,
            -84,
            title="Labeller for the one-litre bottle",
        )
        self.sign(contract, -84)
        self.deliver(order, -61)
        invoice = self.invoice(order, -61)
        self.pay(invoice, -32, amount=invoice.amount_total - 24.5, write_off=True)
        with self.on(-30):
            contract._facts_changed()
            contract.write({"state_reason": "Bank charges of 24.50 written off.", "state": "done"})

    def terminate(self):
        order = self.quote("kujawska", [("wrapper", 2)], -146, -100, euro=True)
        self.confirm(order, -140)
        contract = self.open_contract(
            order,
            -140,
            title="Pallet wrappers, Bydgoszcz",
        )
        self.sign(contract, -140)
        with self.on(-110):
            order._action_cancel()
            contract.write(
                {
                    "state_reason": "The customer closed the hall; ended by agreement.",
                    "state": "terminated",
                }
            )

    def suspend(self):
        order = self.quote_from(
            "machines", "kujawska", [("bagger", 1), ("checkweigher", 1)], -52, 30, euro=True
        )
        self.confirm(order, -45)
        contract = self.open_contract(
            order,
            -45,
            title="Cosmetics line, second phase",
        )
        self.sign(contract, -45)
        with self.on(-12):
            contract.write(
                {
                    "state_reason": "Letter of credit expired; waiting for the bank's extension.",
                    "state": "suspended",
                }
            )

    # === RUNNING === #
    def make_carton_line(self):
        """Everything that a schedule can show; its buyer follows it on the portal."""
        order = self.quote_from(
            "machines",
            "saomai",
            [("erector", 1), ("sealer", 2), ("conveyor", 10)],
            -58,
            -12,
            client_order_ref="PO-4471",
        )
        self.confirm(order, -50)
        contract = self.open_contract(
            order,
            -50,
            title="Carton line, Cần Thơ",
            signatory_id=self.ref("contact_mai").id,
        )
        self.sign(contract, -50)
        deposit = self.down_payment(order, -50, 30)
        self.pay(deposit, -50)
        self.set_done(contract, "Goods made", -31, "All three machines ran empty for eight hours.")
        self.set_done(contract, "Inspection report", -24, paper="Inspection report")
        self.deliver(order, -14, erector=1, conveyor=4)

    def make_bagging_line(self):
        """The goods are made, says one; a second person has to look. The paper is missing."""
        order = self.quote_from("machines", "lachong", [("bagger", 1), ("conveyor", 2)], -33, 9)
        self.confirm(order, -26)
        contract = self.open_contract(
            order,
            -26,
            title="Bagging line, second hall",
        )
        self.sign(contract, -26)
        self.pay(self.down_payment(order, -26, 30), -22)
        self.set_done(
            contract,
            "Goods made",
            -3,
            "Ran 400 bags of the customer's rice crackers without a fault.",
            verified_by=None,
        )

    def deliver_packing_cell(self):
        """Delivered and invoiced; the balance is due this week, a paper was waived."""
        order = self.quote_from(
            "machines",
            "warta",
            [("erector", 1), ("checkweigher", 1), ("installation", 3)],
            -88,
            -30,
            euro=True,
            client_order_ref="ZZ/118",
        )
        self.confirm(order, -80)
        contract = self.open_contract(
            order,
            -80,
            title="Packing cell for cheese",
        )
        self.sign(contract, -80)
        self.pay(self.down_payment(order, -80, 30), -79)
        self.set_done(contract, "Goods made", -60, "Works test passed.")
        with self.on(-57):
            self.milestone(contract, "Inspection report").with_user(self.user("kasia"))._waive(
                "The customer's own engineer inspected the machines in our hall."
            )
        self.deliver(order, -27)
        service = order.order_line.filtered(
            lambda line: line.product_id == self.product("installation")
        )
        service.qty_delivered = 3
        invoice = self.invoice(order, -27)
        self.pay(invoice, -5, amount=round(invoice.amount_total / 2, 2))
        self.set_done(contract, "Acceptance by the customer", -10, "Signed by Ms Nowak on site.")

    def change_tray_line(self):
        """Two conveyors more than agreed; the amendment waits, the signed copy is missing."""
        order = self.quote("klos", [("sealer", 1), ("conveyor", 6)], -25, 12, euro=True)
        self.confirm(order, -18)
        contract = self.open_contract(
            order,
            -18,
            title="Conveyors for the bread hall",
        )
        self.sign(contract, -18, has_copy=False)
        with self.on(-4):
            line = order.order_line.filtered(
                lambda line: line.product_id == self.product("conveyor")
            )
            line.product_uom_qty = 8
            amendments = self.env["sale.admin.contract.amendment"].with_user(self.user("ana"))
            amendment = amendments.create(
                contract.with_user(self.user("ana"))._prepare_amendment_vals()
            )
            self.put_on_day(amendment, -4)

    def amend_labelling(self):
        """A labeller more, ten days later: approved by another person than its author."""
        order = self.quote_from(
            "installation", "kujawska", [("labeller", 1), ("conveyor", 2)], -44, 6, euro=True
        )
        self.confirm(order, -38)
        contract = self.open_contract(
            order,
            -38,
            title="Labelling for jars",
        )
        self.sign(contract, -38)
        self.pay(self.down_payment(order, -36, 40), -25)
        with self.on(-15):
            line = order.order_line.filtered(
                lambda line: line.product_id == self.product("labeller")
            )
            line.product_uom_qty = 2
            amendments = self.env["sale.admin.contract.amendment"].with_user(self.user("ana"))
            amendment = amendments.create(
                {
                    **contract.with_user(self.user("ana"))._prepare_amendment_vals(),
                    "reason": "A second labeller for the small jars; ten days more to make it.",
                    "file": self.paper("Amendment 1"),
                    "file_name": "Amendment 1.pdf",
                    "shift_days": 10,
                }
            )
            amendment.with_user(self.user("kasia")).action_approve()

    def take_deposit_without_invoice(self):
        """Money came before any invoice: an advance under the contract."""
        order = self.quote_from(
            "machines", "ankhanh", [("wrapper", 1), ("checkweigher", 1)], -22, 19
        )
        self.confirm(order, -16)
        contract = self.open_contract(
            order,
            -16,
            title="End of line, rice mill 2",
        )
        self.sign(contract, -16)
        self.pay_in_advance(contract, -13, round(order.amount_total * 0.3, 2))

    # === NOT YET === #
    def send_to_sign(self):
        with self.on(-9):
            order = self.quote_from(
                "machines",
                "saomai",
                [("checkweigher", 1), ("wrapper", 1)],
                -11,
                35,
                client_order_ref="PO-4502",
            )
            self.confirm(order, -9)
            contract = self.open_contract(
                order,
                -9,
                title="Checkweigher and wrapper",
            )
            contract.write({"state": "to_sign"})

    def forget_the_schedule(self):
        order = self.quote("klos", [("spares", 12)], -3, 20, euro=True)
        self.confirm(order, -2)
        contract = self.open_contract(order, -2, title="Wear parts for the bagger")
        contract.milestone_ids.unlink()
        contract.milestone_template_id = False

    def cancel_a_draft(self):
        contract = self.agree(
            "klos",
            "framework",
            [("tape", 400, 55.0)],
            -33,
            euro=True,
            title="Tape, one year",
            date_end=self.day(332),
        )
        with self.on(-28):
            contract.write({"state": "cancelled"})

    def trade_without_contract(self):
        """Quotations and orders of every state that no contract is made for."""
        self.quote("riaalta", [("wrapper", 1)], -1, 25, euro=True)
        self.quote_from(
            "machines", "lachong", [("erector", 1), ("sealer", 1), ("conveyor", 4)], -2, 40
        )
        self.quote("sierra", [("film", 300)], -6, 10, euro=True).action_quotation_sent()
        self.quote("ankhanh", [("tape", 40)], -20, -6)._action_cancel()
        self.confirm(self.quote("klos", [("film", 200)], -3, 4, euro=True), -3)
        order = self.confirm(self.quote("levante", [("tape", 100)], -19, -12, euro=True), -17)
        self.deliver(order, -13, tape=60)

    def _plan(self, contract, milestones):
        """A schedule by hand: name, measure, day."""
        kinds = {"document": "document", "delivered": "delivery", "manual": "other"}
        self.env["sale.admin.milestone"].create(
            [
                {
                    "contract_id": contract.id,
                    "name": name,
                    "sequence": 10 * number,
                    "kind": kinds[measure],
                    "measure": measure,
                    "target": 100.0 if measure == "delivered" else 0.0,
                    "date_planned": self.day(days),
                }
                for number, (name, measure, days) in enumerate(milestones, 1)
            ]
        )
