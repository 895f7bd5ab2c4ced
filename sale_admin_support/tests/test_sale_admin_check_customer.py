from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_sale_admin_check import SaleAdminCheckCommon


@tagged("post_install", "-at_install")
class TestSaleAdminCheckCustomer(SaleAdminCheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = cls._create_user(
            "controller", "sale_admin_support.group_sale_admin_credit"
        )
        partner_manager = cls.env.ref("base.group_partner_manager")
        for user in (cls.clerk, cls.clerk_2, cls.manager):
            user.group_ids += partner_manager
        cls.customer = (
            cls.env["res.partner"]
            .with_user(cls.clerk)
            .create(
                {
                    "name": "New Customer",
                    "is_company": True,
                    "street": "1 Main Street",
                    "city": "Springfield",
                    "country_id": cls.env.ref("base.us").id,
                }
            )
            .sudo()
        )
        cls.check = cls._create_check("customer")
        cls.order = cls._create_order(confirm=False)

    def _block(self, partner=None, user=None, reason="insolvent"):
        partner = (partner or self.customer).with_user(user or self.manager)
        wizard = self.env["sale.admin.customer.block"].with_user(user or self.manager)
        wizard.create({"partner_ids": partner.ids, "reason": reason}).action_block()

    def _verify(self, user=None):
        self.customer.with_user(user or self.clerk_2).action_verify_customer()

    # === BLOCKED === #
    def test_blocked_customer_is_reported_with_the_reason(self):
        self.check.verified_scope = "none"
        self.assertPasses(self.check, self.order)
        self._block()
        self.assertFails(self.check, self.order, "New Customer is blocked: insolvent")
        self.assertEqual(self.customer.sale_blocked_by_id, self.manager)
        self.customer.with_user(self.controller).action_unblock_for_sales()
        self.assertPasses(self.check, self.order)
        self.assertFalse(self.customer.sale_blocked_at)

    def test_block_of_payer_or_receiver_counts(self):
        self.check.verified_scope = "none"
        other = self.env["res.partner"].create({"name": "Affiliate", "is_company": True})
        self._block(other)
        for fname in ("partner_invoice_id", "partner_shipping_id"):
            order = self._create_order(confirm=False, **{fname: other.id})
            self.assertFails(self.check, order, "Affiliate is blocked")

    def test_contact_of_a_blocked_company_is_blocked(self):
        self.check.verified_scope = "none"
        contact = self.env["res.partner"].create({"name": "Kim", "parent_id": self.customer.id})
        self._block(contact)
        self.assertTrue(self.customer.sale_block_reason)
        self.assertFails(self.check, self._create_order(confirm=False, partner_id=contact.id))

    def test_block_is_of_one_company(self):
        self.check.verified_scope = "none"
        other = self.env["res.company"].create({"name": "Other"})
        self._block()
        order = self._create_order(confirm=False, company_id=other.id)
        self.assertEqual(list(self.check._evaluate(self.order | order)), [self.order])

    def test_only_managers_and_credit_controllers_block(self):
        for user in (self.clerk, self.salesman):
            with self.assertRaises(AccessError):
                self._block(user=user)
            with self.assertRaises(AccessError):
                self.customer.with_user(user)._block_for_sales("x")
            with self.assertRaises(AccessError):
                self.customer.with_user(user).action_unblock_for_sales()
        with self.assertRaises(UserError):
            self.customer.with_user(self.manager)._block_for_sales(" ")

    def test_no_client_writes_the_customer_s_file(self):
        for vals in (
            {"sale_block_reason": "x"},
            {"sale_verified_at": fields.Datetime.now()},
            {"sale_verified_by_id": self.manager.id},
            {"sale_data_changed_by_id": False},
        ):
            with self.subTest(vals), self.assertRaises(UserError):
                self.customer.with_user(self.manager).write(vals)
            with self.subTest(vals), self.assertRaises(UserError):
                self.env["res.partner"].with_user(self.manager).create({"name": "x", **vals})
        partner = (
            self.env["res.partner"]
            .with_user(self.manager)
            .with_context(default_sale_verified_at=fields.Datetime.now())
            .create({"name": "x"})
        )
        self.assertFalse(partner.sale_verified_at)

    # === VERIFIED === #
    def test_new_customer_is_verified_by_another_than_who_entered_him(self):
        self.assertFails(self.check, self.order, "Nobody has verified the data of New Customer")
        with self.assertRaisesRegex(UserError, "another person verifies"):
            self._verify(self.clerk)
        self._verify()
        self.assertPasses(self.check, self.order)
        self.assertEqual(self.customer.sale_verified_by_id, self.clerk_2)

    def test_who_changed_the_data_cannot_verify_them(self):
        self.customer.with_user(self.clerk_2).street = "2 Main Street"
        with self.assertRaises(UserError):
            self._verify(self.clerk_2)
        self._verify(self.clerk)

    def test_change_of_the_data_ends_the_verification(self):
        self._verify()
        self.customer.write({"phone": "1", "street": "1 Main Street"})
        self.assertTrue(self.customer.sale_verified_at)
        self.customer.vat = "US123"
        self.assertFalse(self.customer.sale_verified_at)
        self.assertFalse(self.customer.sale_verified_by_id)
        self.assertFails(self.check, self.order)

    def test_incomplete_address_cannot_be_verified(self):
        self.customer.street = False
        with self.assertRaisesRegex(UserError, "address is not complete"):
            self._verify()

    def test_salesperson_does_not_verify(self):
        with self.assertRaisesRegex(UserError, "Sales administrators verify"):
            self._verify(self.salesman)

    def test_customer_of_an_earlier_order_is_not_new(self):
        first = self._create_order()
        self.assertEqual(first.release_state, "held")
        self.assertFails(self.check, self.order)
        first._set({"release_state": "released"})
        self.env.flush_all()
        self.assertPasses(self.check, self.order)
        self.check.verified_scope = "all"
        self.assertFails(self.check, self.order)

    def test_order_in_another_company_does_not_make_the_customer_known(self):
        other = self.env["res.company"].create({"name": "Other"})
        self._create_order(company_id=other.id)._set({"release_state": "free"})
        self.env.flush_all()
        self.assertFails(self.check, self.order)

    def test_held_order_goes_when_the_customer_is_verified(self):
        order = self._create_order()
        self.assertEqual(order.release_state, "held")
        self._verify()
        self.env["sale.admin.hold"].search([("recheck_due", "=", True)]).order_id._judge("recheck")
        self.assertNotEqual(order.release_state, "held")

    def test_batch_is_judged_in_a_constant_number_of_queries(self):
        orders = self.env["sale.order"].union(
            *(self._create_order(confirm=False) for _i in range(6))
        )
        self.assertConstantQueries(self.check, orders)

    # === MERGED === #
    def test_merging_customers_keeps_verification_and_block(self):
        twin = self.env["res.partner"].with_user(self.clerk).create({"name": "Twin"}).sudo()
        self._verify()
        self._block(twin)
        wizard = self.env[
            "base.partner.merge.automatic.wizard"
        ]  # merging is for system administrators
        wizard.create({})._merge((self.customer | twin).ids, self.customer)
        self.assertFalse(twin.exists())
        self.assertEqual(self.customer.sale_block_reason, "insolvent")
        self.assertEqual(self.customer.sale_verified_by_id, self.clerk_2)
        with self.assertRaises(UserError):
            self.customer.with_user(self.manager).sale_verified_by_id = self.manager
