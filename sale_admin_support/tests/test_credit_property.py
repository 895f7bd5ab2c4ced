import random

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_credit import CreditCommon

STEPS = 18


@tagged("post_install", "-at_install")
class TestCreditProperty(CreditCommon):
    """Whatever happens in whatever order, the exposure is what the documents say.

    The documents are counted here in plain words, with nothing from the code under test.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sale.admin.check"].search([]).active = False
        cls.other_data = cls.setup_other_company()
        cls.companies = cls.company | cls.other_data["company"]
        cls.env.user.company_ids |= cls.companies
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.companies.ids})
        cls.euro = cls.setup_other_currency("EUR", rates=[("2017-01-01", 2.0)])
        cls.pricelists = cls.env["product.pricelist"].create(
            [
                {"name": "Own", "currency_id": cls.company.currency_id.id, "company_id": False},
                {"name": "EUR", "currency_id": cls.euro.id, "company_id": False},
            ]
        )
        cls.customer = cls.customer.with_env(cls.env)
        for company in cls.companies:
            customer = cls.customer.with_company(company)
            accounts = (cls.company_data, cls.other_data)[company != cls.company]
            customer.property_account_receivable_id = accounts["default_account_receivable"]
        cls.contact = cls.env["res.partner"].create(
            {"name": "Clerk", "parent_id": cls.customer.id, "type": "invoice"}
        )
        cls.goods_by_policy = cls.goods | cls.delivered_goods

    # === WHAT THE DOCUMENTS SAY === #
    def _count_company(self, company):
        family = self.customer | self.customer.child_ids
        items = self.env["account.move.line"].search(
            [
                ("company_id", "=", company.id),
                ("partner_id", "in", family.ids),
                ("account_id.account_type", "=", "asset_receivable"),
            ]
        )
        owed = 0.0
        for item in items.filtered(lambda i: i.move_id.state == "posted"):
            owed += item.balance
            for match in item.matched_credit_ids:
                if match.credit_move_id.move_id.state == "posted":
                    owed -= match.amount
            for match in item.matched_debit_ids:
                if match.debit_move_id.move_id.state == "posted":
                    owed += match.amount
        orders = self.env["sale.order"].search(
            [("company_id", "=", company.id), ("partner_invoice_id", "in", family.ids)]
        )
        return owed + sum(self._count_order(order) for order in orders)

    def _count_order(self, order):
        if order.state not in ("sale", "cancel"):
            return 0.0
        to_come = 0.0
        for line in order.order_line:
            posted = line.invoice_lines.filtered(lambda i: i.move_id.state == "posted")
            sign = {"out_invoice": 1, "out_refund": -1}
            quantity = sum(sign[i.move_id.move_type] * i.quantity for i in posted)
            amount = sum(sign[i.move_id.move_type] * i.price_total for i in posted)
            if line.is_downpayment:
                to_come -= amount
                continue
            if line.display_type:
                continue
            wanted = self._count_wanted(line)
            price = line.price_total / line.product_uom_qty if line.product_uom_qty else 0.0
            by_quantity, by_amount = (wanted - quantity) * price, wanted * price - amount
            to_come += max(min(by_quantity, by_amount), 0.0)
        return max(order.company_id.currency_id.round(to_come / order.currency_rate), 0.0)

    def _count_wanted(self, line):
        """What came, or what is ordered and let go, as long as something of it still comes."""
        came = 0.0
        for move in line.move_ids.filtered(lambda m: m.state == "done"):
            came += move.quantity if move.location_dest_id.usage == "customer" else -move.quantity
        if line.order_id.state == "cancel":
            return came
        coming = line.move_ids.filtered(
            lambda m: m.state not in ("done", "cancel") and m.location_dest_id.usage == "customer"
        )
        ordered = line.product_uom_qty - line.qty_withheld
        if line.move_ids and not coming:
            ordered = min(ordered, came)
        return max(ordered, came)

    # === WHAT HAPPENS === #
    def _orders(self, *states):
        return self.env["sale.order"].search(
            [("partner_id", "child_of", self.customer.id), ("state", "in", states)]
        )

    def _invoices(self, state, **values):
        domain = [("state", "=", state), ("move_type", "in", ("out_invoice", "out_refund"))]
        domain += [(name, "=", value) for name, value in values.items()]
        return self.env["account.move"].search(
            [("commercial_partner_id", "=", self.customer.id), *domain]
        )

    def _pick(self, records):
        return self.rng.choice(records) if records else None

    def _do_confirm(self):
        company = self.rng.choice(self.companies)
        order = (
            self.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": self.rng.choice(self.customer | self.contact).id,
                    "company_id": company.id,
                    "pricelist_id": self.rng.choice(self.pricelists).id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": self.rng.choice(self.goods_by_policy).id,
                                "product_uom_qty": self.rng.randint(1, 9),
                                "price_unit": self.rng.choice((10, 33.33, 0.07)),
                                "tax_ids": False,
                            }
                        )
                        for _line in range(self.rng.randint(1, 2))
                    ],
                }
            )
        )
        order.action_confirm()

    def _do_amend(self):
        if order := self._pick(self._orders("sale")):
            line = self.rng.choice(order.order_line.filtered("product_id"))
            line.product_uom_qty = max(line.product_uom_qty + self.rng.randint(-3, 3), 1)

    def _do_reprice(self):
        if order := self._pick(self._orders("sale")):
            self.rng.choice(order.order_line.filtered("product_id")).discount = 10

    def _do_deliver(self):
        order = self._pick(self._orders("sale"))
        pickings = order and order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))
        if pickings:
            move = pickings[0].move_ids[0]
            move.quantity = self.rng.randint(1, int(move.product_uom_qty) or 1)
            move.picked = True
            pickings[0].with_context(skip_backorder=True).button_validate()

    def _do_close_short(self):
        order = self._pick(self._orders("sale"))
        if order:
            order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")).action_cancel()

    def _do_return(self):
        order = self._pick(self._orders("sale"))
        pickings = order and order.picking_ids.filtered(
            lambda p: p.state == "done" and p.picking_type_code == "outgoing"
        )
        if pickings:
            self._return(pickings[0], 1)

    def _do_draft_invoice(self):
        if order := self._pick(self._orders("sale")):
            order._create_invoices(final=self.rng.random() < 0.7).invoice_date = fields.Date.today()

    def _do_post(self):
        if invoice := self._pick(self._invoices("draft")):
            if self.rng.random() < 0.2:
                invoice.invoice_line_ids.filtered("product_id")[:1].discount = 5
            invoice.invoice_date = fields.Date.today()
            invoice.action_post()

    def _do_set_to_draft(self):
        if invoice := self._pick(self._invoices("posted")):
            invoice.button_draft()

    def _do_down_payment(self):
        if order := self._pick(self._orders("sale")):
            self._down_payment(order.with_company(order.company_id), 25)

    def _do_pay(self):
        invoice = self._pick(self._invoices("posted", move_type="out_invoice"))
        if invoice and invoice.amount_residual > 0.02:
            amount = round(invoice.amount_residual * self.rng.choice((0.4, 1)), 2)
            self._pay(invoice.with_company(invoice.company_id), amount)

    def _do_prepay(self):
        company = self.rng.choice(self.companies)
        self.env["account.payment"].with_company(company).create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": self.rng.randint(1, 50),
                "currency_id": self.rng.choice(company.currency_id | self.euro).id,
            }
        ).action_post()

    def _do_bounce(self):
        payments = self.env["account.payment"].search(
            [("partner_id", "child_of", self.customer.id), ("state", "in", ("paid", "in_process"))]
        )
        if payment := self._pick(payments):
            payment.action_draft()
            if self.rng.random() < 0.5:
                payment.action_cancel()

    def _do_refund(self):
        if invoice := self._pick(self._invoices("posted", move_type="out_invoice")):
            refund = invoice.with_company(invoice.company_id)._reverse_moves()
            refund.invoice_date = fields.Date.today()
            if self.rng.random() < 0.5:
                refund.invoice_line_ids.filtered("product_id")[:1].price_unit = 1
            refund.action_post()

    def _do_cancel(self):
        if order := self._pick(self._orders("sale")):
            order._action_cancel()

    def _do_reopen(self):
        if order := self._pick(self._orders("cancel")):
            order.action_draft()
            order.action_confirm()

    def _do_release(self):
        order = self._pick(self._orders("sale").filtered(lambda o: o.release_state == "held"))
        if order:
            order.hold_ids.filtered(lambda h: h.state == "open").sudo()._release("Known")

    # === THE PROPERTY === #
    def _run_sequence(self, seed):
        self.rng = random.Random(seed)
        names = sorted(name for name in dir(self) if name.startswith("_do_"))
        names += ["_do_confirm", "_do_deliver", "_do_draft_invoice", "_do_post", "_do_pay"] * 2
        story = []
        for _step in range(STEPS):
            name = "_do_confirm" if len(story) < 3 else self.rng.choice(names)
            try:
                with self.env.cr.savepoint():
                    getattr(self, name)()
            except UserError as refused:  # Odoo refuses what makes no sense
                name = f"{name} refused: {refused}"
            story.append(name)
            self.env.flush_all()
            for company in self.companies:
                self.assertAlmostEqual(
                    self._exposure(company=company),
                    self._count_company(company),
                    2,
                    f"{company.name} after {story}",
                )
        self.assertFalse(self.env["sale.order"]._get_misjudged_exposures(), story)

    # trap 20
    def test_exposure_is_what_the_documents_say(self):
        for seed in (1, 2, 3):
            with self.subTest(seed), self.env.cr.savepoint() as savepoint:
                self._run_sequence(seed)
                savepoint.rollback()

    # trap 20
    def test_exposure_of_held_orders_is_what_the_documents_say(self):
        self._grant(120)
        self._create_check()
        for seed in (11, 12):
            with self.subTest(seed), self.env.cr.savepoint() as savepoint:
                self._run_sequence(seed)
                savepoint.rollback()
