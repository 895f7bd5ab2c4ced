from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import SaleAdminSupportCommon


class FactCase(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fact_model = cls.env["sale.admin.fact"].with_user(cls.clerk)

    def _get_facts(self, order, *kinds):
        return self.fact_model.search(
            [("order_id", "=", order.id), ("kind", "in", kinds)], order="date, id"
        )

    def assertFacts(self, order, expected):
        """Compare ``{kind: (quantity, untaxed, with taxes)}`` of the order's facts."""
        sums = self._get_fact_sums(order_id=order.id)
        self.assertEqual({kind: sums.get(kind) for kind in expected}, expected)

    def assertDated(self, order):
        """All that was delivered is told by movements, none of it by the quantity alone."""
        self.assertTrue(all(self._get_facts(order, "delivered", "returned").mapped("date")))

    def assertNoDifference(self, *orders):
        """The facts of the orders are Odoo's own figures, or the documents explain why not."""
        rows = self.env["sale.admin.fact.difference"].search(
            [("order_id", "in", [order.id for order in orders]), ("unexplained", "!=", 0)]
        )
        self.assertFalse(rows.read(["measure", "facts", "odoo", "explained"]))


@tagged("post_install", "-at_install")
class TestFactDelivered(FactCase):
    def test_part_delivered_without_backorder_counts_what_moved(self):
        """Odoo's delivery status says full at 6 of 10."""
        order = self._create_order()
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 6, "picked": True})
        picking.with_context(
            skip_backorder=True, picking_ids_not_to_backorder=picking.ids
        ).button_validate()
        self.assertEqual(order.delivery_status, "full")
        self.assertFacts(order, {"delivered": (6, 600, 690), "ordered": (10, 1000, 1150)})
        self.assertNoDifference(order)

    def test_draft_return_counts_nothing(self):
        order = self._create_order()
        picking = self._deliver(order)
        self._return(picking, 4, done=False)
        self.assertFacts(order, {"delivered": (10, 1000, 1150), "returned": None})

    def test_full_return_nets_to_nothing(self):
        order = self._create_order()
        self._return(self._deliver(order), 10)
        self.assertFacts(order, {"delivered": (10, 1000, 1150), "returned": (-10, -1000, -1150)})
        self.assertNoDifference(order)

    def test_return_without_refund_moved_back_and_is_marked(self):
        """Odoo leaves 10 delivered; 6 are at the customer."""
        order = self._create_order()
        contract = self._create_contract(order)
        self._return(self._deliver(order), 4, to_refund=False)
        self.assertEqual(order.order_line.qty_delivered, 10)
        self.assertFacts(order, {"delivered": (10, 1000, 1150), "returned": (-4, -400, -460)})
        self.assertTrue(self._get_facts(order, "returned").is_unrefunded)
        [difference] = contract._get_fact_differences()
        self.assertEqual(
            [difference[key] for key in ("kind", "facts", "odoo", "unexplained")],
            ["delivered", 6, 10, 0],
        )
        self.assertIn("without refund", difference["explanation"])

    def test_exchange_after_return_is_delivered_again(self):
        order = self._create_order()
        picking = self._deliver(order)
        back = self._return(picking, 4, to_refund=True)
        self._return(back, 4, to_refund=True)
        self.assertFacts(order, {"delivered": (14, 1400, 1610), "returned": (-4, -400, -460)})
        self.assertNoDifference(order)

    def test_cancelled_order_keeps_what_was_delivered(self):
        order = self._create_order()
        self._deliver(order, 6)
        order._action_cancel()
        self.assertEqual(order.state, "cancel")
        self.assertFacts(order, {"delivered": (6, 600, 690), "ordered": None})
        self.assertDated(order)

    def test_steps_inside_the_warehouse_count_nothing(self):
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        warehouse.delivery_steps = "pick_pack_ship"
        order = self._create_order()
        self._transfer(order.picking_ids)
        self._transfer(order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")))
        self.assertFacts(order, {"delivered": None})
        self._transfer(order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")))
        self.assertEqual(len(order.picking_ids), 3)
        self.assertFacts(order, {"delivered": (10, 1000, 1150)})
        self.assertDated(order)
        self.assertNoDifference(order)

    def test_dropshipped_goods_are_delivered_once(self):
        order = self._create_order()
        move = order.picking_ids.move_ids
        move.location_id = self.env.ref("stock.stock_location_suppliers")
        self._transfer(order.picking_ids)
        self.assertFacts(order, {"delivered": (10, 1000, 1150)})
        self.assertDated(order)
        self.assertNoDifference(order)

    def test_goods_for_a_sister_company_leave_at_the_transit(self):
        transit = self.env.ref("stock.stock_location_inter_company")
        order = self._create_order()
        order.picking_ids.location_dest_id = transit
        order.picking_ids.move_ids.location_dest_id = transit
        self._transfer(order.picking_ids)
        self.assertFacts(order, {"delivered": (10, 1000, 1150)})
        self.assertDated(order)

    def test_quantities_are_in_the_products_own_unit(self):
        """Two dozens sold, 7 units and then a dozen sent: Odoo keeps 1.58 dozens."""
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._create_order(confirm=False)
        order.order_line.write(
            {"product_uom_id": dozen.id, "product_uom_qty": 2, "price_unit": 120}
        )
        order.action_confirm()
        order.picking_ids.move_ids.product_uom = self.goods.uom_id
        self._deliver(order, 7)
        self.assertEqual(order.order_line.qty_delivered, 0.58)
        self.assertFacts(order, {"ordered": (24, 240, 276), "delivered": (7, 70, 80.5)})
        backorder = order.picking_ids.filtered(lambda p: p.state != "done")
        backorder.move_ids.product_uom = dozen
        self._deliver(order, 1)
        self.assertFacts(order, {"delivered": (19, 190, 218.5)})
        self.assertDated(order)
        self.assertNoDifference(order)

    def test_goods_added_at_the_delivery_have_the_price_of_their_line(self):
        order = self._create_order()
        extra = self._create_goods("Extra", invoice_policy="delivery")
        picking = order.picking_ids
        self.env["stock.move"].create(
            {
                "product_id": extra.id,
                "product_uom_qty": 2,
                "picking_id": picking.id,
                "location_id": picking.location_id.id,
                "location_dest_id": picking.location_dest_id.id,
            }
        )
        self._transfer(picking)
        line = order.order_line.filtered(lambda line: line.product_id == extra)
        self.assertEqual((line.product_uom_qty, line.qty_delivered), (0, 2))
        [fact] = self._get_facts(order, "delivered").filtered(lambda f: f.product_id == extra)
        self.assertEqual((fact.quantity, fact.amount_untaxed), (2, 2 * line.price_unit))
        self.assertAlmostEqual(fact.amount_total, 2 * line.price_unit * 1.15)

    def test_services_by_hand_are_delivered_without_a_date(self):
        order = self._create_order(product=self.service)
        order.order_line.qty_delivered = 4
        self.assertFacts(order, {"delivered": (4, 400, 460)})
        self.assertFalse(self._get_facts(order, "delivered").date)
        order.order_line.qty_delivered = 0
        self.assertFacts(order, {"delivered": None})

    def test_days_are_those_of_the_companys_time_zone(self):
        """Half past ten in the evening of 31 January in UTC is 1 February in Brussels."""
        order = self._create_order(date="2026-01-31 22:59:00")
        self._deliver(order, 6, date="2026-01-31 22:59:00")
        self._deliver(order, 4, date="2026-01-31 23:30:00")
        domain = [("order_id", "=", order.id), ("kind", "=", "delivered")]

        def quantity(day):
            sums = self._get_fact_sums([*domain, ("date", "=", day)])
            return sums.get("delivered", (0,))[0]

        self.assertEqual((quantity("2026-01-31"), quantity("2026-02-01")), (10, 0))
        self.company.sale_admin_tz = "Europe/Brussels"
        self.assertEqual((quantity("2026-01-31"), quantity("2026-02-01")), (6, 4))
        self.assertEqual(str(self._get_facts(order, "ordered").date), "2026-01-31")


@tagged("post_install", "-at_install")
class TestFactInvoiced(FactCase):
    def test_return_after_invoice_is_no_credit_note(self):
        """Delivered 10, invoiced 10, returned 4: 460 to credit, nothing credited."""
        self.goods.invoice_policy = "delivery"
        order = self._create_order()
        picking = self._deliver(order)
        self._invoice(order)
        self._return(picking, 4)
        self.assertEqual(order.order_line.qty_to_invoice, -4)
        self.assertFacts(
            order,
            {
                "returned": (-4, -400, -460),
                "invoiced": (10, 1000, 1150),
                "credited": None,
            },
        )
        self.assertNoDifference(order)

    def test_credit_note_lowers_what_was_invoiced(self):
        order = self._create_order()
        invoice = self._invoice(order)
        self._credit(invoice)
        self.assertFacts(order, {"invoiced": (10, 1000, 1150), "credited": (-10, -1000, -1150)})
        self.assertNoDifference(order)

    def _credit_by_hand(self, invoice, amount):
        """Credit an amount by a line of its own, without the order's lines."""
        credit = self._credit(invoice, post=False)
        credit.invoice_line_ids = [
            Command.clear(),
            Command.create(
                {
                    "name": "Allowance",
                    "price_unit": amount,
                    "tax_ids": [Command.set(self.tax.ids)],
                }
            ),
        ]
        credit.action_post()
        return credit

    def test_credit_note_without_order_lines_finds_its_order(self):
        order = self._create_order()
        contract = self._create_contract(order)
        credit = self._credit_by_hand(self._invoice(order), 100)
        self.assertFalse(credit.line_ids.sale_line_ids)
        self.assertFacts(order, {"credited": (0, -100, -115)})
        self.assertEqual(credit.sale_contract_ids, contract)
        [difference] = contract._get_fact_differences()
        self.assertEqual(
            [difference[key] for key in ("kind", "difference", "unexplained")],
            ["invoiced", -100, 0],
        )

    def test_credit_note_of_nothing_is_a_row_without_order(self):
        credit = self._create_invoice(
            move_type="out_refund",
            partner_id=self.customer,
            invoice_line_ids=[
                self._prepare_invoice_line(product_id=self.goods, price_unit=50, tax_ids=self.tax)
            ],
            post=True,
        )
        [fact] = self.fact_model.search([("move_id", "=", credit.id)])
        self.assertRecordValues(
            fact,
            [
                {
                    "kind": "credited",
                    "order_id": False,
                    "contract_id": False,
                    "quantity": -1,
                    "amount_untaxed": -50,
                    "amount_total": -57.5,
                }
            ],
        )

    def test_discount_on_the_invoice_leaves_the_quantity(self):
        """100 % of the quantity, 90 % of the amount."""
        order = self._create_order()
        invoice = self._invoice(order, post=False)
        invoice.invoice_line_ids.discount = 10
        invoice.action_post()
        self.assertFacts(order, {"invoiced": (10, 900, 1035)})
        self.assertNoDifference(order)

    def test_draft_and_cancelled_invoices_count_nothing(self):
        order = self._create_order()
        invoice = self._invoice(order, post=False)
        self.assertFacts(order, {"invoiced": None})
        invoice.action_post()
        self.assertFacts(order, {"invoiced": (10, 1000, 1150)})
        invoice.button_draft()
        self.assertFacts(order, {"invoiced": None})

    def test_lines_added_by_hand_are_shared_and_the_document_sums_up(self):
        """Orders of 100, 100 and 100, freight of 100 by hand: 33.33, 33.33 and 33.34."""
        orders = self.env["sale.order"].union(
            *(self._create_order(quantity=1) for _number in range(3))
        )
        invoice = self._invoice(orders, post=False)
        self.assertEqual(len(invoice), 1)
        invoice.invoice_line_ids = [
            Command.create(
                {"name": "Freight", "price_unit": 100, "tax_ids": [Command.set(self.tax.ids)]}
            )
        ]
        invoice.action_post()
        shares = [self._get_fact_sums(order_id=order.id)["invoiced"] for order in orders]
        self.assertEqual([share[1] for share in shares], [133.33, 133.33, 133.34])
        self.assertEqual(round(sum(share[1] for share in shares), 2), invoice.amount_untaxed)
        self.assertEqual(round(sum(share[2] for share in shares), 2), invoice.amount_total)
        self.assertNoDifference(*orders)

    def test_tax_rounded_on_the_whole_document_sums_up(self):
        self.company.tax_calculation_rounding_method = "round_globally"
        order = self._create_order(lines=[(self.goods, 1, 0.1)] * 3)
        self.assertNotEqual(
            order.amount_total, round(sum(order.order_line.mapped("price_total")), 2)
        )
        invoice = self._invoice(order)
        sums = self._get_fact_sums(order_id=order.id)
        self.assertEqual(sums["ordered"][1:], (order.amount_untaxed, order.amount_total))
        self.assertEqual(sums["invoiced"][1:], (invoice.amount_untaxed, invoice.amount_total))
        self.assertNoDifference(order)

    def test_down_payment_is_netted_by_the_final_invoice(self):
        order = self._create_order()
        self._down_payment(order, 30)
        self.assertFacts(order, {"invoiced": (0, 300, 345), "ordered": (10, 1000, 1150)})
        self._invoice(order)
        self.assertFacts(order, {"invoiced": (10, 1000, 1150)})
        self.assertNoDifference(order)

    def test_invoice_in_another_currency_counts_at_the_orders_rate(self):
        """Order in euros at 2 for 1; invoice of 50 in the company's money: 100 euros."""
        euro = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": euro.id, "company_id": self.company.id}
        )
        order = self._create_order(quantity=1, price=100, pricelist_id=pricelist.id)
        self.assertEqual(order.currency_id, euro)
        invoice = self._invoice(order, post=False)
        invoice.currency_id = self.company.currency_id
        invoice.invoice_line_ids.price_unit = 50
        invoice.action_post()
        self._pay(invoice)
        [fact] = self._get_facts(order, "invoiced")
        self.assertEqual(fact.currency_id, euro)
        self.assertEqual((fact.amount_untaxed, fact.amount_untaxed_company), (100, 50))
        [cash] = self._get_facts(order, "collected")
        self.assertEqual((cash.amount_total, cash.amount_total_company), (115, 57.5))
        [ordered] = self._get_facts(order, "ordered")
        self.assertEqual((ordered.amount_untaxed, ordered.amount_untaxed_company), (100, 50))
        self.assertNoDifference(order)

    def test_totals_of_a_company_are_odoos_totals(self):
        order = self._create_order()
        self._deliver(order, 6)
        self._pay(self._invoice(order), 600)
        self._create_invoice(
            partner_id=self.customer,
            invoice_line_ids=[self._prepare_invoice_line(price_unit=70, tax_ids=self.tax)],
            post=True,
        )
        totals = self.env["sale.admin.fact.difference"]._get_company_totals(self.company)
        for (_company, measure), total in totals.items():
            self.assertAlmostEqual(total["facts"], total["odoo"], 2, measure)
        self.assertAlmostEqual(float(totals[self.company.id, "invoiced"]["facts"]), 1070)


@tagged("post_install", "-at_install")
class TestFactCollected(FactCase):
    def test_write_off_is_not_money(self):
        """1150 due, 1000 paid, 150 written off by the payment."""
        order = self._create_order()
        contract = self._create_contract(order)
        invoice = self._invoice(order)
        self._pay(invoice, 1000, date="2026-03-05", write_off=True)
        self.assertEqual(invoice.payment_state, self._get_paid_state())
        self.assertFacts(order, {"collected": (0, 869.57, 1000)})
        [difference] = contract._get_fact_differences()
        self.assertEqual(
            [difference[key] for key in ("kind", "facts", "odoo", "unexplained")],
            ["collected", 1000, 1150, 0],
        )

    def _get_paid_state(self):
        return self.env["account.move"]._get_invoice_in_payment_state()

    def test_credit_note_and_manual_entry_are_not_money(self):
        order = self._create_order()
        invoice = self._invoice(order)
        credit = self._credit(invoice)
        self._match(invoice, credit)
        self.assertFacts(order, {"collected": None})
        self.assertNoDifference(order)
        order = self._create_order()
        invoice = self._invoice(order)
        receivable = self.company_data["default_account_receivable"]
        entry = self.env["account.move"].create(
            {
                "line_ids": [
                    Command.create(
                        {
                            "account_id": receivable.id,
                            "partner_id": self.customer.id,
                            "credit": 150,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_expense"].id,
                            "debit": 150,
                        }
                    ),
                ]
            }
        )
        entry.action_post()
        self._match(invoice, entry)
        self.assertEqual(invoice.amount_residual, 1000)
        self.assertFacts(order, {"collected": None})
        self.assertNoDifference(order)

    def test_bank_line_matched_without_a_payment_is_money(self):
        order = self._create_order()
        self._pay_by_bank(self._invoice(order), 500, date="2026-03-07")
        self.assertFacts(order, {"collected": (0, 434.78, 500)})
        self.assertEqual(str(self._get_facts(order, "collected").date), "2026-03-07")
        self.assertNoDifference(order)

    def test_bank_charges_in_the_bank_line_are_not_money(self):
        """The customer owes 1150; the bank pays out 1140 and keeps 10."""
        order = self._create_order()
        invoice = self._invoice(order)
        bank_line = self.env["account.bank.statement.line"].create(
            {
                "payment_ref": "Transfer",
                "journal_id": self.company_data["default_journal_bank"].id,
                "amount": 1140,
                "date": "2026-03-07",
            }
        )
        _liquidity, suspense, _others = bank_line._seek_for_lines()
        bank_line.move_id.with_context(skip_readonly_check=True).write(
            {
                "line_ids": [
                    Command.update(
                        suspense.id,
                        {
                            "account_id": self.company_data["default_account_receivable"].id,
                            "partner_id": self.customer.id,
                            "balance": -1150,
                            "amount_currency": -1150,
                        },
                    ),
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_expense"].id,
                            "name": "Charges",
                            "balance": 10,
                        }
                    ),
                ]
            }
        )
        self._match(invoice, bank_line.move_id)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertFacts(order, {"collected": (0, 991.3, 1140)})
        self.assertNoDifference(order)

    def test_prepayment_is_dated_by_itself_and_an_advance_before_the_invoice(self):
        """Paid on 13 October, invoiced and matched later."""
        order = self._create_order()
        contract = self._create_contract(order)
        payment = self._prepay(500, date="2025-10-13", sale_contract_id=contract.id)
        domain = [("contract_id", "=", contract.id)]
        facts = self.fact_model.search([*domain, ("kind", "in", ("advance", "collected"))])
        self.assertRecordValues(
            facts,
            [{"kind": "advance", "amount_total": 500, "cash_move_id": payment.move_id.id}],
        )
        self.assertEqual(str(facts.date), "2025-10-13")
        invoice = self._invoice(order, date="2025-11-02")
        self._match(payment.move_id, invoice)
        facts = self.fact_model.search([*domain, ("kind", "in", ("advance", "collected"))])
        self.assertRecordValues(
            facts, [{"kind": "collected", "amount_total": 500, "order_id": order.id}]
        )
        self.assertEqual(str(facts.date), "2025-10-13")

    def test_rest_of_an_advance_stays_an_advance(self):
        order = self._create_order(quantity=1)
        contract = self._create_contract(order)
        payment = self._prepay(500, sale_contract_id=contract.id)
        self._match(payment.move_id, self._invoice(order))
        sums = self._get_fact_sums(contract_id=contract.id)
        self.assertEqual((sums["collected"][2], sums["advance"][2]), (115, 385))

    def test_payment_online_before_the_invoice_is_an_advance_of_its_order(self):
        orders = [self._create_order(), self._create_order()]
        payment = self._prepay(230, date="2026-01-05")
        provider = self.env["payment.provider"].sudo().create({"name": "Online"})
        method = self.env["payment.method"].sudo().with_context(active_test=False)
        transaction = (
            self.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": method.search([], limit=1).id,
                    "amount": 230,
                    "currency_id": self.company.currency_id.id,
                    "partner_id": self.customer.id,
                    "reference": "online",
                    "payment_id": payment.id,
                    "sale_order_ids": [Command.set(orders[0].ids)],
                }
            )
        )
        payment.payment_transaction_id = transaction
        self.assertFacts(orders[0], {"advance": (0, 200, 230)})
        transaction.sale_order_ids = [Command.link(orders[1].id)]
        self.assertFacts(orders[0], {"advance": None})

    def test_draft_payment_is_not_money_although_its_matching_stays(self):
        order = self._create_order()
        contract = self._create_contract(order, date_signed="2026-01-01")
        invoice = self._invoice(order)
        payment = self._pay(invoice)
        self.assertFacts(order, {"collected": (0, 1000, 1150)})
        contract.state = "active"
        self.assertFalse(contract.has_fact_difference)
        payment.action_draft()
        self.assertEqual(invoice.amount_residual, 0)
        self.assertFacts(order, {"collected": None})
        contract.invalidate_recordset()
        self.assertTrue(contract.has_fact_difference)
        self.assertIn(
            contract, self.env["sale.admin.contract"].search([("has_fact_difference", "=", True)])
        )
        [difference] = contract._get_fact_differences()
        self.assertEqual(difference["unexplained"], -1150)

    def test_money_paid_back_is_negative(self):
        order = self._create_order()
        invoice = self._invoice(order)
        self._pay(invoice)
        self._pay(self._credit(invoice), 400)
        self.assertFacts(order, {"collected": (0, 652.17, 750)})
        self.assertNoDifference(order)

    def test_one_invoice_over_three_orders_is_shared_by_amounts_with_tax(self):
        """1000 paid on 345 = 3 x 115: 333.33, 333.33 and the rest, 333.34 of 1000."""
        orders = self.env["sale.order"].union(
            *(self._create_order(quantity=1, price=1000 / 1.15) for _number in range(3))
        )
        contract = self._create_contract(orders[2])
        invoice = self._invoice(orders)
        self._pay(invoice, 1000)
        shares = [self._get_fact_sums(order_id=order.id)["collected"][2] for order in orders]
        self.assertEqual(shares, [333.33, 333.33, 333.34])
        sums = self._get_fact_sums(contract_id=contract.id)
        self.assertEqual(sums["collected"][2], 333.34)
        self.assertNoDifference(*orders)

    def test_shares_are_by_amounts_with_tax(self):
        """100 with 15 % tax and 115 without tax are equal shares."""
        free = self._create_goods("Free of tax", taxes_id=[Command.clear()])
        orders = self._create_order(quantity=1) | self._create_order(1, 115, product=free)
        self._pay(self._invoice(orders), 100)
        shares = [self._get_fact_sums(order_id=order.id)["collected"][2] for order in orders]
        self.assertEqual(shares, [50, 50])

    def test_payment_in_instalments_is_collected_once(self):
        order = self._create_order(payment_term_id=self.pay_terms_b.id)
        invoice = self._invoice(order)
        due = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        self.assertEqual(len(due), 2)
        self._pay(invoice, 1150)
        self.assertFacts(order, {"collected": (0, 1000, 1150)})
        self.assertNoDifference(order)


@tagged("post_install", "-at_install")
class TestFactContract(FactCase):
    def _create_paper(self, contract=None, post=True, **values):
        paper = self._create_invoice(
            partner_id=values.pop("partner_id", self.customer),
            invoice_line_ids=[
                self._prepare_invoice_line(product_id=self.goods, price_unit=200, tax_ids=self.tax)
            ],
            **values,
        )
        if contract:
            paper.sale_contract_id = contract
        if post:
            paper.action_post()
        return paper

    def test_invoice_without_order_counts_for_its_contract(self):
        contract = self._create_contract()
        paper = self._create_paper(contract)
        self._pay(paper, 115)
        credit = self._credit(paper)
        self.assertEqual(credit.sale_contract_id, contract)
        self.assertEqual(
            self._get_fact_sums(contract_id=contract.id),
            {
                "invoiced": (1, 200, 230),
                "credited": (-1, -200, -230),
                "collected": (0, 100, 115),
            },
        )
        self.assertEqual(contract._get_fact_differences(), [])

    def test_paper_of_another_customer_is_refused(self):
        contract = self._create_contract()
        with self.assertRaisesRegex(ValidationError, "the contract is with partner_a"):
            self._create_paper(contract, partner_id=self.partner_b)

    def test_paper_of_a_contact_of_the_customer_is_taken(self):
        contract = self._create_contract()
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": self.customer.id})
        self.assertTrue(self._create_paper(contract, partner_id=contact).sale_contract_id)

    def test_customer_of_a_paper_under_contract_cannot_change(self):
        paper = self._create_paper(self._create_contract(), post=False)
        with self.assertRaises(ValidationError):
            paper.partner_id = self.partner_b

    def test_vendor_bill_is_refused(self):
        contract = self._create_contract()
        with self.assertRaisesRegex(ValidationError, "only customer invoices"):
            self._create_paper(contract, move_type="in_invoice", post=False)

    def test_paper_of_an_order_elsewhere_is_refused(self):
        order = self._create_order()
        contract = self._create_contract()
        invoice = self._invoice(order, post=False)
        with self.assertRaisesRegex(ValidationError, "put the order under the contract"):
            invoice.sale_contract_id = contract

    def test_paper_in_a_third_currency_is_refused(self):
        euro = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        pound = self.setup_other_currency("GBP", rates=[("2020-01-01", 4.0)])
        contract = self._create_contract(currency_id=euro.id)
        with self.assertRaisesRegex(ValidationError, "it must be in EUR"):
            self._create_paper(contract, currency_id=pound, post=False)
        paper = self._create_paper(contract, invoice_date="2026-01-01")
        [fact] = self.fact_model.search([("move_id", "=", paper.id)])
        self.assertEqual(fact.currency_id, euro)
        self.assertEqual((fact.amount_untaxed, fact.amount_untaxed_company), (400, 200))

    def test_prepayment_of_another_customer_is_refused_when_posted(self):
        contract = self._create_contract()
        with self.assertRaisesRegex(ValidationError, "the contract is with"):
            self._prepay(100, partner=self.partner_b, sale_contract_id=contract.id)

    def test_other_companies_keep_their_facts(self):
        self._create_order()
        other = self.setup_other_company(name="Other")["company"]
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_user", company=other
        )
        facts = self.env["sale.admin.fact"].with_user(stranger)
        self.assertFalse(facts.search([]))
        mine = self.fact_model.search([("company_id", "=", self.company.id)], limit=1)
        with self.assertRaises(AccessError):
            mine.with_user(stranger).read(["amount_total"])

    def test_salesperson_reads_own_orders_only(self):
        mine = self._create_order(user_id=self.salesman.id)
        self._create_order(user_id=self.manager.id)
        facts = self.env["sale.admin.fact"].with_user(self.salesman).search([])
        self.assertEqual(facts.order_id, mine)

    def test_facts_are_read_by_id_and_open_their_documents(self):
        order = self._create_order()
        picking = self._deliver(order)
        invoice = self._invoice(order)
        payment = self._pay(invoice)
        facts = self.env["sale.admin.fact"].search([("order_id", "=", order.id)])
        self.assertEqual(len(facts), len(set(facts.ids)))
        self.assertLess(max(facts.ids), 2**53)
        facts.invalidate_recordset()
        self.assertEqual(
            {fact.kind: fact.action_open_document()["res_model"] for fact in facts},
            {
                "ordered": "sale.order",
                "delivered": "stock.picking",
                "invoiced": "account.move",
                "collected": "account.payment",
            },
        )
        by_kind = {fact.kind: fact for fact in facts}
        self.assertEqual(by_kind["delivered"]._get_document(), picking)
        self.assertEqual(by_kind["collected"]._get_document(), payment)

    def test_progression_nets_by_measure_and_puts_undated_last(self):
        order = self._create_order(
            lines=[(self.goods, 10, 100), (self.service, 1, 50)], date="2026-01-01"
        )
        contract = self._create_contract(order)
        order.order_line[1].qty_delivered = 1
        picking = self._deliver(order, 6, date="2026-02-01 12:00:00")
        self._return(picking, 2, date="2026-02-03 12:00:00")
        self._prepay(100, date="2026-01-15", sale_contract_id=contract.id)
        rows = self.env["sale.admin.fact"]._get_progression(contract)
        self.assertEqual(
            [(row[1], row[2], str(row[3]), row[4], row[6]) for row in rows],
            [
                ("collected", False, "2026-01-15", 0, 100),
                ("delivered", self.goods.id, "2026-02-01", 6, 690),
                ("delivered", self.goods.id, "2026-02-03", -2, -230),
                ("delivered", self.service.id, "False", 1, 57.5),
            ],
        )

    def test_query_count_does_not_grow_with_contracts(self):
        contracts = self.env["sale.admin.contract"]
        for _number in range(4):
            order = self._create_order()
            contracts |= self._create_contract(order)
            self._deliver(order)
            self._pay(self._invoice(order), 100)
        facts = self.env["sale.admin.fact"]
        facts._get_totals(contracts), facts._get_progression(contracts)
        for some in (contracts[0], contracts):
            self.env.flush_all()
            with self.assertQueryCount(1):
                totals = facts._get_totals(some)
            with self.assertQueryCount(1):
                facts._get_progression(some)
            self.assertEqual(len(totals), len(some))


@tagged("post_install", "-at_install")
class TestFactEvents(FactCase):
    """The contracts concerned are told of each event, by whoever causes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_order()
        cls.contract = cls._create_contract(cls.order)

    def assertTold(self, function, contracts=None):
        told = self.env["sale.admin.contract"]
        contract_class = self.env.registry["sale.admin.contract"]

        def tell(records):
            nonlocal told
            told |= records

        self.patch(contract_class, "_facts_changed", tell)
        result = function()
        self.env.flush_all()
        self.assertEqual(told.sudo(False), self.contract if contracts is None else contracts)
        return result

    def test_delivery(self):
        self.assertTold(lambda: self._deliver(self.order, 6))

    def test_correction_of_a_done_transfer(self):
        picking = self._deliver(self.order)
        picking.is_locked = False
        self.assertTold(lambda: picking.move_line_ids.write({"quantity": 8}))
        self.assertFacts(self.order, {"delivered": (8, 800, 920)})

    def test_invoice_posted_and_draft_again(self):
        invoice = self._invoice(self.order, post=False)
        self.assertTold(invoice.action_post)
        self.assertTold(invoice.button_draft)

    def test_payment_matched_and_draft_again(self):
        invoice = self._invoice(self.order)
        payment = self.assertTold(lambda: self._pay(invoice))
        self.assertTold(payment.action_draft)

    def test_matching_undone(self):
        invoice = self._invoice(self.order)
        self._pay(invoice)
        partials = invoice.line_ids.matched_credit_ids
        self.assertTold(partials.unlink)

    def test_advance_given_to_the_contract_and_taken_away(self):
        payment = self._prepay(100)
        self.assertTold(lambda: payment.write({"sale_contract_id": self.contract.id}))
        self.assertEqual(payment.move_id.sale_contract_id, self.contract)
        self.assertTold(lambda: payment.move_id.write({"sale_contract_id": False}))
        self.assertFalse(payment.sale_contract_id)

    def test_order_line_changed(self):
        self.assertTold(lambda: self.order.order_line.write({"product_uom_qty": 12}))

    def test_order_detached_and_attached(self):
        other = self._create_contract()
        self.assertTold(
            lambda: self.order.write({"sale_contract_id": other.id}), self.contract | other
        )

    def test_nobody_is_told_without_contract(self):
        order = self._create_order()

        def sell():
            self._deliver(order)
            self._pay(self._invoice(order))

        self.assertTold(sell, self.env["sale.admin.contract"])
