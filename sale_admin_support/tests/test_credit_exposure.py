from odoo import Command
from odoo.tests import tagged

from .common_credit import CreditCommon


@tagged("post_install", "-at_install")
class TestCreditExposure(CreditCommon):
    # === ORDERS === #
    def test_confirmed_order_counts_with_taxes(self):
        self.goods.taxes_id = [Command.set(self.tax.ids)]
        order = self._create_order(confirm=False)
        self.assertExposure(0)
        order.action_confirm()
        self.assertExposure(1150, order=1150, shipped=0, receivable=0)

    def test_part_of_contacts_counts_for_the_company(self):
        contact = self.env["res.partner"].create(
            {"name": "Buyer", "parent_id": self.customer.id, "type": "contact"}
        )
        self._create_order(partner_id=contact.id)
        self.assertExposure(1000)
        self.assertExposure(1000, partner=contact)

    # trap 13
    def test_undelivered_goods_invoiced_on_delivery_count(self):
        order = self._create_order(product=self.delivered_goods)
        self.assertExposure(1000, order=1000)
        self._deliver(order, 4)
        self.assertExposure(1000, order=600, shipped=400)

    # trap 13
    def test_order_closed_short_counts_what_was_delivered(self):
        order = self._create_order(product=self.delivered_goods)
        self._deliver(order, 6)
        order.picking_ids.filtered(lambda p: p.state != "done").action_cancel()
        self.assertExposure(600, order=0, shipped=600)
        self._invoice(order)
        self.assertExposure(600, receivable=600)

    # trap 13
    def test_quantity_lowered_to_what_was_delivered_stops_counting(self):
        order = self._create_order()
        self._deliver(order, 6)
        order.order_line.product_uom_qty = 6
        self.assertExposure(600, order=0, shipped=600)

    # trap 20
    def test_more_delivered_than_ordered_counts_as_delivered(self):
        order = self._create_order(product=self.delivered_goods)
        order.picking_ids.move_ids.quantity = 12
        order.picking_ids.move_ids.picked = True
        order.picking_ids.button_validate()
        self.assertExposure(1200, shipped=1200)

    # trap 20, trap 21
    def test_goods_that_left_count_until_they_are_invoiced(self):
        order = self._create_order()
        self._deliver(order)
        self.assertExposure(1000, shipped=1000)
        invoice = self._invoice(order)
        self.assertExposure(1000, receivable=1000, shipped=0)
        self._pay(invoice)
        self.assertExposure(0)

    # trap 20
    def test_cancelled_order_counts_what_has_left(self):
        order = self._create_order()
        self._deliver(order, 4)
        order._action_cancel()
        self.assertExposure(400, shipped=400)

    # trap 20
    def test_reopened_order_counts_once(self):
        order = self._create_order()
        order._action_cancel()
        self.assertExposure(0)
        order.action_draft()
        order.action_confirm()
        self.assertExposure(1000)

    def test_returned_goods_that_are_refunded_stop_counting(self):
        order = self._create_order(product=self.delivered_goods)
        picking = self._deliver(order)
        self._return(picking, 4)
        self.assertExposure(600, shipped=600)

    def test_negative_line_lowers_the_order(self):
        self._create_order(lines=[(self.goods, 10, 100.0), (self.service, 1, -100.0)])
        self.assertExposure(1000 - 100 * 1.15)

    def test_line_without_ordered_quantity_counts_as_delivered(self):
        order = self._create_order(lines=[(self.goods, 1, 100.0), (self.service, 0, 100.0)])
        order.order_line[1].qty_delivered = 2
        self.assertAlmostEqual(self._exposure(), 100 + 230)

    # === INVOICES === #
    # trap 12
    def test_draft_invoice_changes_nothing(self):
        order = self._create_order()
        invoice = self._invoice(order, post=False)
        self.assertExposure(1000, order=1000, receivable=0)
        invoice.action_post()
        self.assertExposure(1000, order=0, receivable=1000)
        invoice.button_draft()
        self.assertExposure(1000, order=1000, receivable=0)

    # trap 11
    def test_down_payment_counts_once(self):
        order = self._create_order()
        down_payment = self._down_payment(order, 50)
        self.assertExposure(1000, order=500, receivable=500)
        self._pay(down_payment)
        self.assertExposure(500, order=500, receivable=0)
        self._invoice(order)
        self.assertExposure(500, order=0, receivable=500)

    def test_discount_on_the_invoice_leaves_nothing_to_invoice(self):
        order = self._create_order()
        invoice = self._invoice(order, post=False)
        invoice.invoice_line_ids.filtered("product_id").price_unit = 90
        invoice.action_post()
        self.assertExposure(900, receivable=900)

    def test_invoice_without_order_counts(self):
        self.init_invoice(
            "out_invoice", partner=self.customer, post=True, amounts=[250], company=self.company
        )
        self.assertExposure(250, receivable=250)

    # trap 20
    def test_credit_note_of_an_undelivered_order_reopens_it(self):
        order = self._create_order()
        invoice = self._invoice(order)
        self._credit(invoice)
        self.assertExposure(1000, order=1000, receivable=0)

    # trap 28
    def test_credit_note_of_a_price_reopens_no_more_than_its_amount(self):
        order = self._create_order()
        self._deliver(order)
        refund = self._credit(self._invoice(order), post=False)
        refund.invoice_line_ids.filtered("product_id").price_unit = 10
        refund.action_post()
        self.assertExposure(1000, receivable=900, shipped=100)

    # === MONEY === #
    # trap 18
    def test_unallocated_payment_lowers_what_is_owed(self):
        self._invoice(self._create_order())
        self._prepay(300)
        self.assertExposure(700, receivable=700)

    # trap 18
    def test_payment_set_back_to_draft_brings_the_debt_back(self):
        invoice = self._invoice(self._create_order())
        payment = self._pay(invoice, 400)
        self.assertExposure(600)
        payment.action_draft()
        self.assertExposure(1000, receivable=1000)
        payment.action_post()
        self.assertExposure(600)

    # trap 18
    def test_bounced_payment_brings_the_debt_back(self):
        invoice = self._invoice(self._create_order())
        payment = self._pay(invoice)
        self.assertExposure(0)
        payment.action_draft()
        payment.action_cancel()
        self.assertExposure(1000, receivable=1000)

    # trap 19
    def test_exposure_is_read_anew_within_a_transaction(self):
        core = self.customer.credit  # stale from here on
        order = self._create_order()
        self._invoice(order)
        situation = self.customer._get_credit_situations(self.company)[self.customer]
        self.assertEqual((core, situation["receivable"]), (0, 1000))

    # === COMPANIES, CURRENCIES, PAYERS === #
    # trap 14
    def test_each_company_has_its_own_exposure(self):
        other = self.setup_other_company()["company"]
        self._create_order()
        order = self.env["sale.order"].with_company(other)
        goods = self.goods.with_company(other)
        order = order.create(
            {
                "partner_id": self.customer.id,
                "company_id": other.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": goods.id,
                            "product_uom_qty": 3,
                            "price_unit": 100,
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        self.assertEqual(self._exposure(), 1000)
        self.assertEqual(self._exposure(company=other), 300)

    # trap 15
    def test_amounts_are_converted_once_at_the_orders_rate(self):
        currency = self.setup_other_currency("EUR", rates=[("2017-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": currency.id}
        )
        order = self._create_order(pricelist_id=pricelist.id)
        self.assertEqual(order.currency_id, currency)
        self.assertExposure(500)
        currency.rate_ids.rate = 4.0
        self.assertExposure(500)
        invoice = self._invoice(order)
        self.assertExposure(250, receivable=250)
        self._pay(invoice)
        self.assertExposure(0)

    # trap 17
    def test_account_is_the_payers(self):
        payer = self._create_customer("Payer")
        self._create_order(partner_invoice_id=payer.id)
        self.assertExposure(0)
        self.assertExposure(1000, partner=payer)

    # trap 17
    def test_group_counts_together_once(self):
        member = self._create_customer("Member")
        self._grant(partner=member, mode="shared", head_id=self.customer.id)
        self._create_order()
        self._create_order(5, partner_id=member.id)
        situation = member._get_credit_situations(self.company)
        self.assertEqual(situation[self.customer]["exposure"], 1500)
        self.assertEqual(list(situation), [self.customer])
        self.assertExposure(500, partner=member)

    # === PARTS OPEN THEIR DOCUMENTS === #
    def test_parts_open_the_documents_behind_them(self):
        shipped, ordered = self._create_order(), self._create_order(3)
        self._deliver(shipped)
        invoice = self._invoice(self._create_order(2))
        for part, expected in (("order", 300), ("shipped", 1000), ("receivable", 200)):
            action = getattr(self.customer, f"action_view_credit_{part}")()
            records = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(self.customer[f"credit_exposure_{part}"], expected, part)
            self.assertTrue(records, part)
        self.assertEqual(records.move_id, invoice)
        self.assertEqual(ordered.amount_exposed, 300)

    # trap 18
    def test_items_settled_by_a_draft_payment_are_shown(self):
        invoice = self._invoice(self._create_order())
        self._pay(invoice, 400).action_draft()
        self._pay(self._invoice(self._create_order(2)), 200).action_draft()
        action = self.customer.action_view_credit_receivable()
        items = self.env["account.move.line"].search(action["domain"])
        self.assertEqual(len(items), 2)
        self.assertEqual(sum(items.mapped("amount_owed")), 1200)
        self.assertExposure(1200, receivable=1200)

    # === REBUILDING === #
    def test_wrong_exposure_is_found_and_mended(self):
        order = self._create_order()
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_order SET amount_exposed = 5 WHERE id = %s", order.ids)
        self.env.invalidate_all()
        self.assertEqual(self.env["sale.order"]._get_misjudged_exposures(), order)
        cron = self.env.ref("sale_admin_support.sale_order_cron_verify_exposures")
        logger = "odoo.addons.sale_admin_support.models.sale_order_credit"
        with self.enter_registry_test_mode(), self.assertLogs(logger, "WARNING"):
            cron.method_direct_trigger()
        self.assertExposure(1000)
        self.assertIn("corrected", order.message_ids[0].body)

    def test_installation_fills_what_methods_compute(self):
        order = self._create_order()
        self._deliver(order, 3)
        self._down_payment(order, 20)
        self._invoice(self._create_order())
        cancelled = self._create_order()
        cancelled._action_cancel()
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_order SET amount_exposed = NULL, credit_partner_id = NULL")
        self.env["sale.order"]._fill_exposures()
        self.env.invalidate_all()
        self.assertExposure(1000 + 1000, order=500, shipped=300)

    # === COST === #
    # trap 24
    def test_one_statement_for_any_number_of_customers(self):
        customers = self.env["res.partner"]
        for number in range(3):
            customers |= self._create_customer(f"Customer {number}")
            self._create_order(partner_id=customers[-1].id)
        self.env.flush_all()
        accounts = {customer: customer for customer in customers}
        customers._get_credit_situations(self.company, accounts)
        with self.assertQueryCount(1):
            found = customers._get_credit_situations(self.company, accounts)
        self.assertEqual([found[c]["exposure"] for c in customers], [1000] * 3)
