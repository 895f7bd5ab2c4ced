from odoo import Command
from odoo.tests import freeze_time, tagged

from .test_sale_admin_check import SaleAdminCheckCommon


@tagged("post_install", "-at_install")
class TestSaleAdminCheckTerms(SaleAdminCheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dozen = cls.env.ref("uom.product_uom_dozen")
        cls.term = cls.env.ref("account.account_payment_term_30days")
        cls.late_term = cls.env.ref("account.account_payment_term_end_following_month")
        cls.customer.property_payment_term_id = cls.term
        cls.contract = cls._create_contract(
            kind="framework",
            date_signed="2026-01-01",
            date_start="2026-01-01",
            date_end="2030-12-31",
            payment_term_id=cls.term.id,
            partner_id=cls.customer.id,
            line_ids=[
                Command.create({"product_id": cls.goods.id, "quantity": 100.0, "price_unit": 90.0})
            ],
        )
        cls.contract.action_activate()

    def setUp(self):
        super().setUp()
        self.startClassPatcher(freeze_time("2026-06-01"))

    def _check_only(self, *names, **values):
        fields_off = (
            "is_price_agreed",
            "is_quantity_agreed",
            "is_payment_term_agreed",
            "is_pricelist_agreed",
            "is_contract_needed",
        )
        return self._create_check("terms", **{name: name in names for name in fields_off}, **values)

    def _call_off(self, quantity=10.0, price=90.0, confirm=False, **values):
        return self._create_order(
            quantity,
            price,
            confirm=confirm,
            **{"sale_contract_id": self.contract.id, "payment_term_id": self.term.id, **values},
        )

    # === PRICES === #
    def test_agreed_price_passes_and_any_other_fails(self):
        check = self._check_only("is_price_agreed")
        self.assertPasses(check, self._call_off())
        self.assertFails(
            check, self._call_off(price=89.99), "Goods at $\xa089.99, agreed $\xa090.00"
        )
        self.assertFails(check, self._call_off(price=90.01))

    def test_price_within_the_tolerance_passes(self):
        check = self._check_only("is_price_agreed", price_tolerance=1.0)
        for price in (89.1, 90.9):
            self.assertPasses(check, self._call_off(price=price))
        for price in (89.09, 90.91):
            self.assertFails(check, self._call_off(price=price))

    def test_agreed_price_is_in_the_unit_sold(self):
        check = self._check_only("is_price_agreed")
        order = self._call_off(price=1080.0)
        order.order_line.write({"product_uom_id": self.dozen.id, "price_unit": 1080.0})
        self.assertPasses(check, order)
        order.order_line.price_unit = 90.0
        self.assertFails(check, order)

    def test_product_that_is_not_in_the_contract_is_named(self):
        order = self._call_off()
        order.order_line = [Command.create({"product_id": self.service.id})]
        self.assertFails(
            self._check_only("is_price_agreed"), order, "Not in the contract: Service."
        )

    def test_contract_of_a_single_order_binds_no_price(self):
        self.contract = self._create_contract(kind="single", partner_id=self.customer.id)
        self.assertPasses(self._check_only("is_price_agreed"), self._call_off(price=1.0))

    # === QUANTITIES === #
    def test_call_off_up_to_what_is_committed_passes(self):
        check = self._check_only("is_quantity_agreed")
        self._call_off(60.0, confirm=True)
        self.assertPasses(check, self._call_off(40.0))
        self.assertFails(check, self._call_off(40.01), "Goods 100.01 Units of 100")

    def test_quantities_are_compared_in_one_unit(self):
        check = self._check_only("is_quantity_agreed")
        order = self._call_off(9.0)
        order.order_line.product_uom_id = self.dozen
        self.assertFails(check, order, "Goods 108 Units of 100")
        order.order_line.product_uom_qty = 8.0
        self.assertPasses(check, order)

    def test_batch_of_call_offs_is_served_one_after_the_other(self):
        check = self._check_only("is_quantity_agreed")
        first, second = self._call_off(60.0), self._call_off(60.0)
        third = self._call_off(40.0)
        self.assertEqual(list(check._evaluate(first | second | third)), [second])

    def test_held_and_cancelled_orders_call_nothing_off(self):
        check = self._check_only("is_quantity_agreed")
        self._call_off(60.0, confirm=True)._set({"release_state": "held"})
        self._call_off(60.0, confirm=True).action_cancel()
        self.assertPasses(check, self._call_off(100.0))

    def test_contract_without_lines_is_committed_in_value(self):
        self.contract = self._create_contract(
            kind="framework",
            partner_id=self.customer.id,
            date_signed="2026-01-01",
        )
        self.contract.write({"amount_untaxed": 1000.0, "amount_total": 1150.0})
        self.contract.action_activate()
        check = self._check_only("is_quantity_agreed")
        self.assertPasses(check, self._call_off(10.0, 100.0))
        self.assertFails(check, self._call_off(10.0, 100.01), "More than the contract commits to")

    # === TERMS === #
    def test_payment_terms_are_the_contract_s(self):
        check = self._check_only("is_payment_term_agreed")
        self.customer.property_payment_term_id = self.late_term
        self.assertPasses(check, self._call_off())
        self.assertFails(
            check, self._call_off(payment_term_id=self.late_term.id), "agreed “30 Days”"
        )

    def test_payment_terms_without_contract_are_the_customer_s_in_the_order_s_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.customer.with_company(other).property_payment_term_id = self.late_term
        check = self._check_only("is_payment_term_agreed")
        self.assertPasses(check, self._create_order(confirm=False, payment_term_id=self.term.id))
        self.assertFails(
            check, self._create_order(confirm=False, payment_term_id=self.late_term.id)
        )
        order = self._create_order(
            confirm=False, company_id=other.id, payment_term_id=self.late_term.id
        )
        self.assertPasses(check, order)

    def test_payment_terms_that_nobody_agreed_fail(self):
        self.customer.property_payment_term_id = False
        check = self._check_only("is_payment_term_agreed")
        order = self._create_order(confirm=False, payment_term_id=self.term.id)
        self.assertFails(check, order, "agreed “immediately”")
        order.payment_term_id = False
        self.assertPasses(check, order)

    def test_price_list_is_the_customer_s(self):
        self.env["res.config.settings"].create({"group_product_pricelist": True}).execute()
        own = self.env["product.pricelist"].create({"name": "Own", "company_id": False})
        other = self.env["product.pricelist"].create({"name": "Other", "company_id": False})
        self.customer.property_product_pricelist = own
        check = self._check_only("is_pricelist_agreed")
        self.assertPasses(check, self._create_order(confirm=False, pricelist_id=own.id))
        self.assertFails(check, self._create_order(confirm=False, pricelist_id=other.id), "Other")

    # === THE CONTRACT === #
    def test_contract_that_does_not_run_takes_no_orders(self):
        check = self._check_only()
        order = self._call_off()
        self.assertPasses(check, order)
        with freeze_time("2030-12-31"):
            self.assertPasses(check, order)
        with freeze_time("2031-01-01"):
            self.assertFails(check, order, "ended on")
        self.contract._set({"state": "suspended"})
        self.assertFails(check, order, "does not run any more")

    def test_order_belongs_under_the_running_framework_contract(self):
        check = self._check_only("is_contract_needed")
        self.assertFails(check, self._create_order(confirm=False), self.contract.name)
        self.assertPasses(check, self._create_order(confirm=False, product=self.service))
        self.assertPasses(check, self._call_off())
        self.contract._set({"state": "suspended"})
        self.assertPasses(check, self._create_order(confirm=False))

    def test_contact_s_order_belongs_under_the_company_s_contract(self):
        contact = self.env["res.partner"].create({"name": "Kim", "parent_id": self.customer.id})
        order = self._create_order(confirm=False, partner_id=contact.id)
        self.assertFails(self._check_only("is_contract_needed"), order)

    def test_contract_of_another_company_is_not_needed(self):
        other = self.env["res.company"].create({"name": "Other"})
        order = self._create_order(confirm=False, company_id=other.id)
        self.assertPasses(self._check_only("is_contract_needed"), order)

    def test_salesperson_s_rights_change_nothing(self):
        order = self._call_off(price=80.0).with_user(self.salesman)
        self.assertFails(self._check_only("is_price_agreed").with_user(self.salesman), order)

    def test_batch_is_judged_in_a_constant_number_of_queries(self):
        check = self._create_check("terms", is_pricelist_agreed=True)
        orders = self.env["sale.order"].union(
            *(self._call_off(price=80.0, payment_term_id=self.late_term.id) for _i in range(6))
        )
        self.assertConstantQueries(check, orders)
        orders.sale_contract_id = False
        self.assertConstantQueries(check, orders)
