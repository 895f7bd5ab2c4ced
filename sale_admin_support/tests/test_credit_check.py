from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import Command, fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sale_admin_support.models import sale_admin_credit_lock as lock

from .common_credit import CreditCommon


@tagged("post_install", "-at_install")
class TestCreditCheck(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sale.admin.check"].search([]).active = False
        cls.check = cls._create_check()

    def _overdue(self, amount=100, days=10, partner=None):
        date = self.company._sale_admin_today() - timedelta(days)
        invoice = self.init_invoice(
            "out_invoice",
            partner=partner or self.customer,
            amounts=[amount],
            company=self.company,
            invoice_date=date,
        )
        invoice.invoice_payment_term_id = False
        invoice.invoice_date_due = date
        invoice.action_post()
        return invoice

    def _use(self, kind, **values):
        """Judge by one check of this kind alone."""
        self.check.active = False
        self.check = self._create_check(kind, **values)
        return self.check

    # === LIMIT === #
    def test_order_at_the_limit_passes_and_a_cent_more_is_held(self):
        self._grant(1000)
        self.assertEqual(self._create_order(1, price=1000.01).release_state, "held")
        order = self._create_order(1, price=1000)
        self.assertEqual(order.release_state, "free")
        self.assertTrue(order.picking_ids)

    def test_hold_keeps_the_figures_and_hides_them_from_the_salesperson(self):
        self._grant(1500)
        self._invoice(self._create_order(2))
        self._create_order(3)
        order = self._create_order(user_id=self.salesman.id)
        self.assertFalse(order.hold_ids)
        order = self._create_order(1, user_id=self.salesman.id)
        self.assertRecordValues(
            order.hold_ids,
            [
                {
                    "partner_id": self.customer.id,
                    "amount_order": 100,
                    "amount_limit": 1500,
                    "amount_exposure": 1500,
                    "amount_receivable": 200,
                    "amount_open_orders": 1300,
                    "amount_over": 100,
                }
            ],
        )
        self.assertFalse(any(char.isdigit() for char in order.hold_ids.reason))

    # trap 6
    def test_orders_of_one_call_are_judged_in_sequence(self):
        self._grant(1000)
        orders = self.env["sale.order"].union(
            *(self._create_order(6, confirm=False) for _number in range(3))
        )
        orders[2].order_line.product_uom_qty = 4
        orders.action_confirm()
        self.assertEqual(orders.mapped("release_state"), ["free", "held", "free"])
        self.assertExposure(1000)

    # trap 6
    def test_order_held_by_another_check_uses_no_credit(self):
        self._grant(1000)
        self._create_check("domain", rule_domain="[('client_order_ref', '=', 'X')]")
        orders = self._create_order(confirm=False, client_order_ref="X")
        orders |= self._create_order(confirm=False)
        orders.action_confirm()
        self.assertEqual(orders.mapped("release_state"), ["held", "free"])

    def test_held_order_does_not_count_until_it_is_released(self):
        self._grant(500)
        order = self._create_order()
        self.assertExposure(0)
        order.hold_ids.with_user(self.controller).action_release("Known for years")
        self.assertEqual(order.release_state, "released")
        self.assertTrue(order.picking_ids)
        self.assertExposure(1000)

    def test_higher_limit_frees_what_waits(self):
        order = self._create_order()
        self.assertEqual(order.release_state, "free")
        self._grant(500)
        order = self._create_order(2)
        self.assertEqual(order.release_state, "held")
        self._grant(1200)
        self.assertTrue(order.hold_ids.recheck_due)
        order.action_recheck()
        self.assertNotEqual(order.release_state, "held")
        self.assertTrue(order.picking_ids)

    # trap 10
    def test_part_payment_lets_pass_what_it_pays_only(self):
        self._grant(mode="no_credit")
        self._prepay(10)
        order = self._create_order()
        self.assertEqual(order.release_state, "held")
        self._prepay(989.99)
        order.action_recheck()
        self.assertEqual(order.release_state, "held")
        self._prepay(0.01)
        order.action_recheck()
        self.assertNotEqual(order.release_state, "held")

    # trap 10
    def test_order_with_a_paid_down_payment_is_judged_by_the_rest(self):
        self._grant(mode="limit", amount=400)
        order = self._create_order(confirm=False)
        self._pay(self._down_payment(order, 60))
        order.action_confirm()
        self.assertEqual(order.release_state, "free")
        other = self._create_order(confirm=False)
        self._pay(self._down_payment(other, 99))
        other.action_confirm()
        self.assertEqual(other.release_state, "held")

    # trap 16
    def test_no_limit_limit_and_no_credit(self):
        for mode, amount, state in (
            ("no_limit", 0, "free"),
            ("limit", 1, "held"),
            ("no_credit", 0, "held"),
        ):
            with self.subTest(mode):
                self._grant(amount, mode=mode)
                self.assertEqual(self._create_order().release_state, state)

    def test_tolerance_of_the_policy(self):
        self._grant(1000)
        self.policy.tolerance_percent = 10
        self.assertEqual(self._create_order(11).release_state, "free")
        self.assertEqual(self._create_order(0.01).release_state, "held")

    def test_only_the_increase_is_judged_after_a_release(self):
        self._grant(500)
        order = self._create_order()
        order.hold_ids.with_user(self.controller).action_release("Known for years")
        order.order_line.product_uom_qty = 30
        self.assertEqual(order.release_state, "held")
        self.assertExposure(1000)
        self.assertEqual(order.order_line.qty_withheld, 20)

    # trap 12
    def test_draft_invoice_hides_nothing_from_the_check(self):
        self._grant(1500)
        self._invoice(self._create_order(), post=False)
        self.assertEqual(self._create_order(6).release_state, "held")

    # trap 14
    def test_other_companies_count_not(self):
        other = self.setup_other_company()["company"]
        self.init_invoice(
            "out_invoice",
            partner=self.customer,
            post=True,
            amounts=[5000],
            company=other,
        )
        self._grant(1000)
        self.assertEqual(
            self._create_order().with_context(allowed_company_ids=other.ids).release_state, "free"
        )
        self.assertEqual(self._create_order(1).release_state, "held")

    # trap 15
    def test_limit_is_compared_in_the_companys_currency_with_taxes(self):
        currency = self.setup_other_currency("EUR", rates=[("2017-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": currency.id}
        )
        self.goods.taxes_id = [Command.set(self.tax.ids)]
        self._grant(575)
        self.assertEqual(self._create_order(pricelist_id=pricelist.id).release_state, "free")
        self.assertEqual(self._create_order(0.1, pricelist_id=pricelist.id).release_state, "held")

    # trap 17
    def test_rich_affiliates_invoice_address_is_judged_by_both(self):
        affiliate = self._create_customer("Rich affiliate")
        self._grant(mode="no_credit")
        order = self._create_order(partner_invoice_id=affiliate.id)
        self.assertEqual(order.release_state, "free")
        self._create_check(credit_of="orderer", name="Orderer's credit")
        order = self._create_order(partner_invoice_id=affiliate.id)
        self.assertEqual(order.release_state, "held")
        self.assertEqual(order.hold_ids.partner_id, self.customer)

    # trap 17
    def test_group_is_judged_by_its_common_limit(self):
        member = self._create_customer("Member")
        self._grant(1500)
        self._grant(partner=member, mode="shared", head_id=self.customer.id)
        orders = self._create_order(confirm=False)
        orders |= self._create_order(6, partner_id=member.id, confirm=False)
        orders.action_confirm()
        self.assertEqual(orders.mapped("release_state"), ["free", "held"])
        self.assertEqual(orders[1].hold_ids.partner_id, self.customer)

    def test_deliveries_beyond_the_horizon_do_not_count_yet(self):
        self._grant(1000)
        self.policy.horizon_days = 30
        now = fields.Datetime.now()
        self.assertEqual(
            self._create_order(50, commitment_date=now + timedelta(31)).release_state, "free"
        )
        self.assertEqual(
            self._create_order(commitment_date=now + timedelta(30)).release_state, "free"
        )
        self.assertEqual(
            self._create_order(1, commitment_date=now + timedelta(30)).release_state, "held"
        )

    # trap 21
    def test_credit_never_holds_the_invoice(self):
        with self.assertRaises(ValidationError):
            self.check.stage = "invoice"
        self._grant(1000)
        order = self._create_order()
        self._deliver(order)
        self._overdue(5000)
        self.assertEqual(self._invoice(order).state, "posted")

    # === OTHER KINDS === #
    # trap 18
    def test_overdue_for_more_days_and_above_the_tolerance(self):
        self._use("credit_overdue")
        self.policy.write({"overdue_days": 9, "overdue_amount": 100})
        self._overdue(100, 10)
        self.assertEqual(self._create_order().release_state, "free")
        self._overdue(5000, 9)
        self.assertEqual(self._create_order().release_state, "free")
        self._overdue(0.01, 10)
        order = self._create_order()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(order.hold_ids.amount_overdue, 100.01)

    # trap 18
    def test_unallocated_money_is_no_overdue_item_but_covers_some(self):
        self._use("credit_overdue")
        self._prepay(100, date=self.company._sale_admin_today() - timedelta(50))
        self.assertEqual(self._create_order().release_state, "free")
        self._overdue(100)
        self.assertEqual(self._create_order().release_state, "free")
        self._overdue(0.01)
        self.assertEqual(self._create_order().release_state, "held")

    def test_expired_limit(self):
        self._use("credit_expired")
        today = self.company._sale_admin_today()
        self.assertEqual(self._create_order().release_state, "free")
        limit = self._grant(1000, date_start=today - timedelta(9), date_end=today + timedelta(1))
        self.assertEqual(self._create_order().release_state, "free")
        limit._set({"date_end": today - timedelta(1)})
        order = self._create_order()
        self.assertEqual(order.release_state, "held")
        self._grant(1000)
        order.action_recheck()
        self.assertNotEqual(order.release_state, "held")

    # trap 10
    def test_prepayment(self):
        self._use("credit_prepayment", prepayment_percent=30)
        order = self._create_order()
        self.assertEqual(order.release_state, "held")
        invoice = self._down_payment(order, 30)
        self._pay(invoice, 299.99)
        order.action_recheck()
        self.assertEqual(order.release_state, "held")
        self._pay(invoice)
        order.action_recheck()
        self.assertNotEqual(order.release_state, "held")

    def test_prepayment_as_the_order_asks(self):
        self._use("credit_prepayment")
        self.assertEqual(self._create_order().release_state, "free")
        order = self._create_order(require_payment=True, prepayment_percent=0.5)
        self.assertEqual(order.release_state, "held")

    def test_largest_order(self):
        with self.assertRaises(ValidationError):
            self._use("credit_order_value")
        self._use("credit_order_value", credit_order_max=1000)
        self.assertEqual(self._create_order().release_state, "free")
        order = self._create_order(price=100.01)
        self.assertRecordValues(
            order.hold_ids, [{"state": "open", "amount_over": 0.1, "amount_order": 1000.1}]
        )

    def test_filters_of_a_check_apply(self):
        self.check.amount_min = 2000
        self._grant(mode="no_credit")
        self.assertEqual(self._create_order(19.99).release_state, "free")
        self.assertEqual(self._create_order(20).release_state, "held")

    def test_watching_holds_nothing(self):
        self.check.severity = "shadow"
        self._grant(mode="no_credit")
        order = self._create_order()
        self.assertEqual(order.release_state, "free")
        self.assertEqual(order.hold_ids.severity, "shadow")

    # === BANNER === #
    # trap 23, trap 24
    def test_banner_where_a_policy_rules(self):
        self.company.account_use_credit_limit = True
        self._grant(1000)
        self._create_order()
        order = self._create_order(1, confirm=False, user_id=self.salesman.id)
        invoice = self.init_invoice(
            "out_invoice", partner=self.customer, amounts=[10], company=self.company
        )
        self.assertIn("1,100.00", order.with_user(self.env.user).partner_credit_warning)
        self.assertIn("1,010.00", invoice.partner_credit_warning)
        order.invalidate_recordset()
        warning = order.with_user(self.salesman).partner_credit_warning
        self.assertTrue(warning)
        self.assertFalse(any(char.isdigit() for char in warning.replace("partner_a", "")))

    # trap 24
    def test_banner_reads_no_other_order(self):
        order = self._create_order(1, confirm=False)
        self._create_order()
        counts = []
        for _number in range(2):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            order.mapped("partner_credit_warning")
            counts.append(self.cr.sql_log_count - before)
            for _order in range(3):
                self._create_order()
        self.assertEqual(counts[0], counts[1])

    # === LOCK === #
    # trap 1
    def test_lock_is_written_before_the_exposure_is_read(self):
        self._grant(1000)
        order = self._create_order(confirm=False)
        locks = (
            self.env["sale.admin.credit.lock"]
            .sudo()
            .search([("partner_id", "=", self.customer.id), ("company_id", "=", self.company.id)])
        )
        before = locks.seq
        order.action_confirm()
        locks.invalidate_recordset()
        self.assertGreater(locks.seq, before)

    # trap 1
    def test_head_of_a_group_is_locked(self):
        member = self._create_customer("Member")
        self._grant(partner=member, mode="shared", head_id=self.customer.id)
        locks = self.env["sale.admin.credit.lock"].sudo()
        domain = [("partner_id", "=", self.customer.id)]
        before = locks.search(domain).seq
        self._create_order(partner_id=member.id)
        locks.invalidate_model()
        self.assertGreater(locks.search(domain).seq, before)

    # trap 1
    @mute_logger("odoo.sql_db")
    def test_nobody_reads_an_error_when_others_judge_again_and_again(self):
        self._grant(1000)
        locks = self.env.registry["sale.admin.credit.lock"]

        def lose(_self, _pairs):
            raise SerializationFailure

        self.patch(locks, "_write_rows", lose)
        self.patch(lock, "_lost", {})
        orders = [self._create_order(confirm=False) for _number in range(2)]
        for _attempt in range(lock.MAX_LOST):
            with self.assertRaises(SerializationFailure), self.cr.savepoint():
                orders[0].action_confirm()
        orders[0].action_confirm()
        self.assertEqual(orders[0].release_state, "held")
        self.assertTrue(orders[0].hold_ids.recheck_due)
        self.assertFalse(orders[0].picking_ids)
