from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common_desk import DeskCommon


@tagged("post_install", "-at_install")
class TestSaleOrderRelease(DeskCommon):
    """What would release a held order: the smallest payment, the largest part, time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._sale_admin_today()

    def _get_option(self, order):
        return order._get_release_options()[order]

    # === A PAYMENT === #
    def test_smallest_payment_brings_the_exposure_to_the_limit(self):
        invoice = self._create_open_invoice(500.0, self.today + timedelta(30))
        order = self._create_held_order(10)  # 1,150 beside 500, limit 1,000
        option = self._get_option(order)
        self.assertEqual(option["amount_payment"], 650.0)
        self.assertEqual(option["settles"], [(invoice, 500.0, True)])
        self.assertEqual(option["amount_advance"], 150.0)

    def test_the_smallest_payment_releases_and_a_cent_less_does_not(self):
        invoice = self._create_open_invoice(900.0, self.today + timedelta(30))
        order = self._create_held_order(4)  # 460 beside 900
        payment = self._get_option(order)["amount_payment"]
        self.assertEqual(payment, 360.0)
        self._pay(invoice, amount=payment - 0.01)
        order.action_recheck()
        self.assertEqual(order.release_state, "held")
        self._pay(invoice, amount=0.01)
        order.action_recheck()
        self.assertNotEqual(order.release_state, "held")
        self.assertTrue(order.picking_ids)

    def test_payment_settles_the_oldest_first_and_the_last_in_part(self):
        late = self._create_open_invoice(300.0, self.today - timedelta(3))
        later = self._create_open_invoice(400.0, self.today + timedelta(20))
        order = self._create_held_order(7)  # 805 beside 700: 505 over
        self.assertEqual(
            self._get_option(order)["settles"], [(late, 300.0, True), (later, 205.0, False)]
        )

    def test_overdue_asks_for_what_is_overdue_even_within_the_limit(self):
        self._create_check("Overdue", "credit_overdue")
        self.policy.write({"overdue_days": 5, "overdue_amount": 50.0})
        late = self._create_open_invoice(200.0, self.today - timedelta(10))
        order = self._create_held_order(1)
        option = self._get_option(order)
        self.assertEqual(option["amount_payment"], 150.0)
        self.assertEqual(option["settles"], [(late, 150.0, False)])
        self.assertFalse(option["date_free"], "what is overdue is expected on no date")

    def test_no_payment_helps_a_hold_by_hand(self):
        order = self._create_order(1)
        reason = self.env["sale.admin.reason"].sudo().create({"name": "Wish", "kind": "hold"})
        order.with_user(self.clerk)._hold_by_hand(reason, "handover", "wait")
        option = self._get_option(order.sudo())
        self.assertEqual(option["amount_payment"], 0.0)
        self.assertTrue(option["others"])
        self.assertFalse(option["part"])

    def test_prepayment_is_paid_in_advance(self):
        self.limit_check.active = False
        self._create_check("Prepayment", "credit_prepayment", prepayment_percent=30.0)
        self._create_open_invoice(500.0, self.today + timedelta(30))
        order = self._create_held_order(2)
        option = self._get_option(order)
        self.assertEqual(option["amount_payment"], 69.0)
        self.assertEqual((option["settles"], option["amount_advance"]), ([], 69.0))
        self.assertFalse(option["date_free"])

    def test_no_payment_helps_an_order_that_is_too_large(self):
        self._create_check("Largest order", "credit_order_value", credit_order_max=500.0)
        order = self._create_held_order(10)
        self.assertEqual(self._get_option(order)["amount_payment"], 0.0)

    def test_part_respects_the_largest_order(self):
        self._create_check("Largest order", "credit_order_value", credit_order_max=500.0)
        order = self._create_held_order(10)
        self.assertEqual(self._get_option(order)["part"], {order.order_line: 4.0})

    # === A PART === #
    def test_largest_part_in_whole_units(self):
        order = self._create_held_order(10)
        option = self._get_option(order)
        self.assertEqual(option["part"], {order.order_line: 8.0})  # 920 of 1,000
        self.assertEqual(option["amount_part"], 920.0)
        self.assertEqual(option["amount_room"], 1000.0)

    def test_largest_part_is_found_among_several_lines(self):
        big = self._create_goods("Big")
        order = self._create_held_order(lines=[(big, 1, 600.0), (self.goods, 2, 400.0)])
        # 690 alone would be the dearest first; 2 x 460 fill the room of 1,000 better
        option = self._get_option(order)
        self.assertEqual(option["part"], {order.order_line[1]: 2.0})
        self.assertEqual(option["amount_part"], 920.0)

    def test_no_part_where_the_limit_is_used_up(self):
        self._create_open_invoice(1000.0, self.today + timedelta(5))
        self.assertFalse(self._get_option(self._create_held_order(1))["part"])

    def test_no_part_while_something_else_holds_the_order(self):
        self._create_reference_check()
        order = self._create_held_order(10)
        option = self._get_option(order)
        self.assertFalse(option["part"])
        self.assertEqual(option["others"].mapped("check_id.name"), ["Reference"])

    def test_the_part_is_within_the_limit_and_one_more_is_not(self):
        order = self._create_held_order(10)
        line = order.order_line
        checks = self.limit_check
        situation = order._get_release_situations(self.company)[order][checks]
        unit = line._get_company_unit_amount()
        quantity = self._get_option(order)["part"][line]
        self.assertTrue(checks._is_passed_with_part(order, situation, unit * quantity))
        self.assertFalse(checks._is_passed_with_part(order, situation, unit * (quantity + 1)))

    # === TIME === #
    def test_frees_itself_when_enough_is_due(self):
        self._create_open_invoice(300.0, self.today + timedelta(5))
        self._create_open_invoice(600.0, self.today + timedelta(12))
        order = self._create_held_order(4)  # 460 beside 900: 360 over
        self.assertEqual(self._get_option(order)["date_free"], self.today + timedelta(12))

    def test_never_frees_itself_when_receipts_do_not_suffice(self):
        self._create_open_invoice(300.0, self.today + timedelta(5))
        order = self._create_held_order(10)  # 450 over
        self.assertFalse(self._get_option(order)["date_free"])

    # === SECOND CURRENCY, MANY ORDERS === #
    def test_amounts_are_in_the_companys_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2000-01-01", 0.5)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": currency.id}
        )
        order = self._create_order(
            6, confirm=False, user_id=self.salesman.id, pricelist_id=pricelist.id
        )
        order.with_user(self.salesman).action_confirm()  # 690 EUR are 1,380
        option = self._get_option(order.sudo())
        self.assertEqual(option["amount_payment"], 380.0)
        self.assertEqual(list(option["part"].values()), [4.0])
        self.assertEqual(option["amount_part"], 920.0)

    def test_many_orders_take_no_more_queries_than_few(self):
        self._create_open_invoice(500.0, self.today + timedelta(30))
        orders = self.env["sale.order"].sudo()
        for number in range(6):
            partner = self.env["res.partner"].create({"name": f"Customer {number}"})
            orders |= self._create_held_order(10, partner_id=partner.id)

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some._get_release_options()
            return self.env.cr.sql_log_count - before

        count(orders)
        self.assertLessEqual(count(orders), count(orders[:2]) + 1)

    def test_sentence_for_the_customer_is_in_the_customers_language(self):
        invoice = self._create_open_invoice(900.0, self.today + timedelta(30))
        order = self._create_held_order(4)
        sentence = order._get_customer_sentence()
        self.assertIn(invoice.name, sentence)
        self.assertIn("360.00", sentence)
        for word in ("held", "limit", "credit", "release"):
            self.assertNotIn(word, sentence.lower())

    def test_hint_without_amounts_for_who_may_not_see_them(self):
        self._create_open_invoice(900.0, fields.Date.today() + timedelta(30))
        order = self._create_held_order(4)
        self.assertNotRegex(order.release_hint.replace(str(self.today.year), ""), r"\d+\.\d\d")
        self.assertIn("360.00", order.release_hint_amount)
