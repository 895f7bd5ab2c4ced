from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged

from .common_credit import CreditCommon


@tagged("post_install", "-at_install")
class TestCreditLimit(CreditCommon):
    def _terms(self, partner=None):
        partner = partner or self.customer
        return partner._get_credit_terms(self.company)[partner]

    # === APPROVAL === #
    # trap 5
    def test_limit_is_approved_by_another_controller(self):
        limit = (
            self.env["sale.admin.credit.limit"]
            .with_user(self.controller)
            .create({"partner_id": self.customer.id, "amount": 5000, "reason": "Insured"})
        )
        limit.action_request()
        with self.assertRaises(UserError):
            limit.action_approve()
        with self.assertRaises(UserError):
            limit.with_user(self.clerk).action_approve()
        self.assertEqual(self._terms()["mode"], "no_limit")
        limit.with_user(self.controller_2).action_approve("As insured")
        self.assertEqual(self._terms()["amount"], 5000)
        self.assertRecordValues(
            limit,
            [
                {
                    "state": "approved",
                    "requested_by_id": self.controller.id,
                    "decided_by_id": self.controller_2.id,
                    "note": "As insured",
                    "is_in_force": True,
                }
            ],
        )
        self.assertEqual(self.customer.credit_limit, 5000)

    # trap 5
    def test_clerk_asks_and_a_controller_approves(self):
        limit = (
            self.env["sale.admin.credit.limit"]
            .with_user(self.clerk)
            .create({"partner_id": self.customer.id, "amount": 5000, "reason": "Insured"})
        )
        limit.action_request()
        limit.with_user(self.controller).action_approve()
        self.assertEqual(self._terms()["amount"], 5000)

    # trap 5
    def test_who_last_edited_a_request_does_not_approve_it(self):
        limit = (
            self.env["sale.admin.credit.limit"]
            .with_user(self.controller)
            .create({"partner_id": self.customer.id, "amount": 5000, "reason": "Insured"})
        )
        limit.with_user(self.controller_2).amount = 6000
        limit.action_request()
        with self.assertRaises(UserError):
            limit.with_user(self.controller_2).action_approve()

    # trap 5
    def test_request_is_not_changed_any_more(self):
        limit = self._grant(5000)
        for user in (self.controller, self.controller_2, self.env.user):
            with self.assertRaises(UserError):
                limit.with_user(user).amount = 9000
            with self.assertRaises(UserError):
                limit.with_user(user).unlink()
        with self.assertRaises(UserError):
            limit.with_user(self.controller).write({"state": "approved"})

    # trap 3, trap 5
    def test_client_creates_no_approved_limit(self):
        limits = self.env["sale.admin.credit.limit"].with_user(self.controller)
        vals = {"partner_id": self.customer.id, "amount": 5000, "reason": "Insured"}
        with self.assertRaises(UserError):
            limits.create({**vals, "state": "approved"})
        limit = limits.with_context(default_state="approved").create(vals)
        self.assertEqual(limit.state, "draft")

    def test_reason_is_required_to_ask(self):
        limit = self.env["sale.admin.credit.limit"].create(
            {"partner_id": self.customer.id, "amount": 5000}
        )
        with self.assertRaises(UserError):
            limit.action_request()

    def test_withdrawn_request_is_not_approved(self):
        limit = (
            self.env["sale.admin.credit.limit"]
            .with_user(self.clerk)
            .create({"partner_id": self.customer.id, "amount": 5000, "reason": "Insured"})
        )
        limit.action_request()
        with self.assertRaises(UserError):
            limit.with_user(self.clerk_2).action_withdraw()
        limit.action_withdraw()
        with self.assertRaises(UserError):
            limit.with_user(self.controller).action_approve()

    def test_limit_belongs_to_the_company_not_to_a_contact(self):
        contact = self.env["res.partner"].create(
            {"name": "Buyer", "parent_id": self.customer.id, "type": "contact"}
        )
        with self.assertRaises(ValidationError):
            self.env["sale.admin.credit.limit"].create({"partner_id": contact.id, "amount": 10})

    # === CORE'S LIMIT === #
    # trap 5
    def test_nobody_changes_cores_limit_where_a_policy_rules(self):
        self._grant(5000)
        partner = self.customer
        for values in (
            {"credit_limit": 9000},
            {"credit_limit": 0},
            {"use_partner_credit_limit": False},
        ):
            with self.subTest(values), self.assertRaises(UserError):
                partner.write(values)
            with self.subTest(values), self.assertRaises(UserError):
                partner.sudo().with_context(import_file=True).write(values)
        with self.assertRaises(UserError):
            self.env["res.partner"].create({"name": "New", "credit_limit": 9000})
        with self.assertRaises(UserError):
            self.env["res.partner"].with_context(default_credit_limit=9000).create({"name": "New"})
        with self.assertRaises(UserError):
            self.env["ir.default"].set(
                "res.partner", "credit_limit", 9000.0, company_id=self.company.id
            )
        result = partner.load(
            ["id", "credit_limit"], [[partner.get_external_id()[partner.id], "9"]]
        )
        self.assertFalse(result["ids"])
        self.assertEqual(partner.credit_limit, 5000)

    # trap 5
    def test_same_limit_may_be_written_again(self):
        self._grant(5000)
        self.customer.write({"credit_limit": 5000, "name": "Renamed"})
        contact = self.env["res.partner"].create(
            {"name": "Buyer", "parent_id": self.customer.id, "type": "contact"}
        )
        self.assertEqual(contact.credit_limit, 5000)

    def test_without_a_policy_cores_limit_is_as_before(self):
        self.company.sale_admin_credit_policy_id = False
        self.customer.credit_limit = 700
        self.assertEqual((self._terms()["mode"], self._terms()["amount"]), ("limit", 700))
        self.customer.credit_limit = 0
        self.assertEqual(self._terms()["mode"], "no_limit")

    def test_cores_limits_are_taken_over_when_a_policy_begins_to_rule(self):
        self.company.sale_admin_credit_policy_id = False
        self.customer.credit_limit = 700
        self.policy.mode = "no_credit"
        self.company.sale_admin_credit_policy_id = self.policy
        self.assertEqual(self._terms()["amount"], 700)
        self.assertEqual(self._terms(self.partner_b)["mode"], "no_credit")
        limits = self.env["sale.admin.credit.limit"].search([("partner_id", "=", self.customer.id)])
        self.assertRecordValues(limits, [{"state": "approved", "amount": 700}])

    # trap 16
    def test_no_limit_limit_and_no_credit_are_three_things(self):
        currency = self.company.currency_id
        for mode, amount, core in (
            ("no_limit", 0, 0),
            ("limit", 100, 100),
            ("no_credit", 0, currency.rounding),
        ):
            with self.subTest(mode):
                self._grant(amount, mode=mode)
                self.assertEqual((self._terms()["mode"], self._terms()["amount"]), (mode, amount))
                self.assertEqual(self.customer.credit_limit, core)
        with self.assertRaises(ValidationError):
            self._grant(0, mode="limit")

    def test_policy_of_the_company_and_of_the_customer(self):
        own = (
            self.env["sale.admin.credit.policy"]
            .sudo()
            .create({"name": "Own", "mode": "limit", "amount": 300, "company_id": self.company.id})
        )
        with self.assertRaises(AccessError):
            self.customer.with_user(self.salesman).credit_policy_id = own
        self.customer.sudo().credit_policy_id = own
        self.assertEqual(self._terms()["amount"], 300)
        self.assertEqual(self.customer.credit_limit, 300)
        own.amount = 400
        self.assertEqual(self.customer.credit_limit, 400)
        self.policy.write({"mode": "limit", "amount": 50})
        self.assertEqual(self.partner_b.credit_limit, 50)
        self.assertEqual(self.customer.credit_limit, 400)

    # === DATES === #
    def test_limit_begins_and_ends(self):
        self._grant(5000, date_start="2030-01-10", date_end="2030-01-20")
        self.policy.grace_days = 3
        for day, mode, expired in (
            ("2030-01-09", "no_limit", False),
            ("2030-01-10", "limit", False),
            ("2030-01-23", "limit", False),
            ("2030-01-24", "no_limit", True),
        ):
            with self.subTest(day), freeze_time(f"{day} 12:00:00"):
                terms = self._terms()
                self.assertEqual((terms["mode"], bool(terms["expired"])), (mode, expired))

    def test_core_follows_the_dates(self):
        self._grant(5000, date_start="2030-01-10", date_end="2030-01-20")
        cron = self.env.ref("sale_admin_support.sale_admin_credit_limit_cron_dates")
        for day, amount in (("2030-01-09", 0), ("2030-01-10", 5000), ("2030-01-21", 0)):
            with self.subTest(day), freeze_time(f"{day} 12:00:00"), self.enter_registry_test_mode():
                cron.method_direct_trigger()
                self.customer.invalidate_recordset()
                self.assertEqual(self.customer.credit_limit, amount)

    def test_temporary_limit_gives_way_to_the_one_before(self):
        self._grant(5000, date_start="2030-01-01")
        self._grant(8000, date_start="2030-02-01", date_end="2030-02-28", is_temporary=True)
        for day, amount in (("2030-01-31", 5000), ("2030-02-28", 8000), ("2030-03-01", 5000)):
            with self.subTest(day), freeze_time(f"{day} 12:00:00"):
                self.assertEqual(self._terms()["amount"], amount)

    # === GROUPS === #
    # trap 17
    def test_group_shares_the_limit_of_its_head(self):
        head = self._create_customer("Head")
        self._grant(5000, partner=head)
        self._grant(mode="shared", head_id=head.id)
        self.assertEqual(self._terms()["amount"], 5000)
        self.assertEqual(self.customer.credit_limit, 5000)
        with self.assertRaises(ValidationError):
            self._grant(partner=self.partner_b, mode="shared", head_id=self.customer.id)
        with self.assertRaises(ValidationError):
            self._grant(partner=head, mode="shared", head_id=self.partner_b.id)
        self._grant(100)
        self.assertFalse(self.customer.credit_head_id)
        self.assertEqual(self._terms()["amount"], 100)

    # trap 17
    def test_nobody_joins_a_group_without_approval(self):
        with self.assertRaises(UserError):
            self.partner_b.sudo().credit_head_id = self.customer

    # trap 5
    def test_merging_customers_lends_no_credit(self):
        rich = self._create_customer("Rich twin")
        self._grant(9000, partner=rich)
        self._grant(500, date_start=self.company._sale_admin_today())
        self._grant(partner=self.partner_b, mode="shared", head_id=self.customer.id)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | rich).ids, self.customer)
        self.assertEqual(self.customer.credit_limit, 500)
        self.assertEqual(self.partner_b.credit_head_id, self.customer)

    # === WHO SEES WHAT === #
    # trap 23
    def test_salesperson_reads_no_credit(self):
        partner = self.customer.with_user(self.salesman)
        with self.assertRaises(AccessError):
            partner.read(["credit_exposure"])
        with self.assertRaises(AccessError):
            self.env["sale.admin.credit.limit"].with_user(self.salesman).search([])
        with self.assertRaises(AccessError):
            self.env["sale.admin.credit.report"].with_user(self.salesman).search([])

    def test_controller_reads_what_is_decided_about(self):
        order = self._create_order(user_id=self.salesman.id)
        invoice = self._invoice(order)
        order, invoice = order.with_user(self.controller), invoice.with_user(self.controller)
        self.assertEqual(order.amount_total, 1000)
        self.assertEqual(order.order_line.product_uom_qty, 10)
        self.assertEqual(invoice.line_ids.mapped("amount_residual"), [0, 1000])
        with self.assertRaises(AccessError):
            order.write({"client_order_ref": "X"})
        bill = self.init_invoice(
            "in_invoice", partner=self.partner_b, post=True, amounts=[10], company=self.company
        )
        with self.assertRaises(AccessError):
            bill.with_user(self.controller).read(["amount_total"])

    def test_form_of_a_request(self):
        limits = self.env["sale.admin.credit.limit"].with_user(self.controller)
        with Form(limits) as form:
            form.partner_id = self.customer
            form.amount = 100
            form.reason = "Insured"
        self.assertEqual(form.record.state, "draft")

    # === THE LIST === #
    def test_report_agrees_with_what_orders_are_judged_by(self):
        self._grant(500)
        member = self._create_customer("Member")
        self._grant(partner=member, mode="shared", head_id=self.customer.id)
        self._create_order(4)
        self._create_order(2, partner_id=member.id)
        report = self.env["sale.admin.credit.report"].with_user(self.controller)
        over = report.search([("is_over", "=", True), ("company_id", "=", self.company.id)])
        self.assertRecordValues(
            over,
            [
                {
                    "partner_id": self.customer.id,
                    "mode": "limit",
                    "amount_limit": 500,
                    "amount_exposure": 600,
                    "amount_order": 600,
                    "amount_available": -100,
                }
            ],
        )
        self.policy.tolerance_percent = 20
        self.assertFalse(
            report.search([("is_over", "=", True), ("company_id", "=", self.company.id)])
        )
        self.assertFalse(report.search([("partner_id", "=", member.id)]))
