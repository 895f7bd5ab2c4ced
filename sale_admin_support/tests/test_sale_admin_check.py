import math

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import SaleAdminSupportCommon


class SaleAdminCheckCommon(SaleAdminSupportCommon):
    """Checks are asked directly: what an order is held for, whatever becomes of the hold."""

    @classmethod
    def _create_check(cls, kind, **values):
        return cls.env["sale.admin.check"].create(
            {"name": "Check", "kind": kind, "active": True, **values}
        )

    def _get_reason(self, check, order):
        """Return what the check says of the order; False: nothing is wrong."""
        return check._evaluate(order).get(order, {}).get("reason", False)

    def assertConstantQueries(self, check, orders):
        """The check asks the database as often for two orders as for all."""

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(check._evaluate(records)), len(records))
            return self.env.cr.sql_log_count - before

        count(orders)  # fills what stays in memory
        self.assertEqual(count(orders[:2]), count(orders))

    def _create_pricelist(self, code="EUR", rate=2.0):
        """A price list in a currency of which `rate` units are one of the company's."""
        currency = (
            self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)])
        )
        currency.active = True
        currency.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "company_id": self.company.id,
                "rate": rate,
                "name": "2020-01-01",
            }
        )
        return self.env["product.pricelist"].create(
            {"name": code, "currency_id": currency.id, "company_id": False}
        )

    def assertFails(self, check, order, reason=None):
        found = self._get_reason(check, order)
        self.assertTrue(found, "the check lets the order pass")
        if reason:
            self.assertIn(reason, found)

    def assertPasses(self, check, order):
        self.assertFalse(self._get_reason(check, order))


@tagged("post_install", "-at_install")
class TestSaleAdminCheck(SaleAdminCheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 1,000 untaxed, 1,150 with taxes
        cls.order = cls._create_order(confirm=False)
        cls.check = cls._create_check("domain", rule_domain="[('order_line.discount', '>', 5)]")

    # === SWITCHED ON AND OFF === #
    def test_checks_are_delivered_switched_off(self):
        shipped = self.env["ir.model.data"].search([("model", "=", "sale.admin.check")])
        checks = self.env["sale.admin.check"].browse(shipped.mapped("res_id"))
        self.assertFalse(checks.filtered("active"))
        self.assertFalse(
            self.env["sale.admin.check"].create({"name": "New", "rule_domain": "[]"}).active
        )

    def test_active_checks_are_those_of_the_company_and_of_all(self):
        other = self.env["res.company"].create({"name": "Other"})
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        own = self._create_check("domain", rule_domain="[]", company_id=self.company.id)
        foreign = self._create_check("domain", rule_domain="[]", company_id=other.id)
        get_active = self.env["sale.admin.check"]._get_active
        self.assertEqual(get_active(self.company) & (own | foreign | self.check), own | self.check)
        self.assertEqual(get_active(branch) & (own | foreign | self.check), own | self.check)
        self.assertEqual(get_active(other) & (own | foreign | self.check), foreign | self.check)

    def test_switching_a_check_off_counts_at_once(self):
        get_active = self.env["sale.admin.check"]._get_active
        self.assertIn(self.check, get_active(self.company))
        self.check.active = False
        self.assertNotIn(self.check, get_active(self.company))

    def test_active_checks_are_known_without_a_query(self):
        self.env["sale.admin.check"]._get_active(self.company)
        with self.assertQueryCount(0):
            self.env["sale.admin.check"]._get_active(self.company)

    def test_only_a_manager_changes_checks(self):
        with self.assertRaises(AccessError):
            self.check.with_user(self.clerk).severity = "warn"
        with self.assertRaises(AccessError):
            self.check.with_user(self.salesman).active = False
        self.check.with_user(self.manager).severity = "warn"
        self.assertTrue(self.check.with_user(self.salesman).name)

    def test_manager_of_another_company_does_not_see_the_check(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_manager", company=other
        )
        self.check.company_id = self.company
        with self.assertRaises(AccessError):
            self.check.with_user(stranger).severity = "warn"

    # === OWN RULE === #
    def test_own_rule_lets_an_order_at_the_edge_pass(self):
        self.order.order_line.discount = 5.0
        self.assertPasses(self.check, self.order)

    def test_own_rule_finds_an_order_one_step_past(self):
        self.order.order_line.discount = 5.01
        self.check.write({"message": "More than 5 % discount.", "hint": "Ask Kim."})
        self.assertFails(self.check, self.order, "More than 5 % discount. Ask Kim.")

    def test_own_rule_is_judged_with_all_rights(self):
        self.order.order_line.discount = 6.0
        check = self.check.with_user(self.salesman)
        self.assertFails(check, self.order.with_user(self.salesman))

    def test_today_is_the_company_s(self):
        self.company.sale_admin_tz = "Pacific/Auckland"
        check = self._create_check("domain", rule_domain="[('validity_date', '<', today)]")
        self.order.validity_date = "2026-03-01"
        with freeze_time("2026-03-01 08:00:00"):  # 21:00 in Auckland
            self.assertPasses(check, self.order)
        with freeze_time("2026-03-01 12:00:00"):  # already the 2nd in Auckland
            self.assertFails(check, self.order)

    def test_rule_that_does_not_work_is_refused(self):
        for domain in ("[('no_such_field', '=', 1)]", "[(", "boom", "__import__('os')"):
            with self.subTest(domain), self.assertRaises(ValidationError):
                self.check.rule_domain = domain
        with self.assertRaises(ValidationError):
            self.check.filter_domain = "[('no_such_field', '=', 1)]"
        with self.assertRaises(ValidationError):
            self.check.rule_domain = False

    def test_broken_check_raises_nothing_and_passes_nobody(self):
        """A field of the rule went with its app."""
        self.env.cr.execute(
            "UPDATE sale_admin_check SET rule_domain = %s WHERE id = %s",
            ["[('gone_field', '=', 1)]", self.check.id],
        )
        self.check.invalidate_recordset()
        with mute_logger("odoo.addons.sale_admin_support.models.sale_admin_check"):
            self.assertFails(self.check, self.order, "could not be applied")

    def test_reason_is_in_the_salesperson_s_language(self):
        self.env["res.lang"]._activate_lang("pl_PL")
        self.salesman.lang = "pl_PL"
        self.check.message = "Too much"
        self.check.with_context(lang="pl_PL").message = "Za dużo"
        self.order.order_line.discount = 6.0
        self.assertFails(self.check, self.order, "Too much")
        self.order.user_id = self.salesman
        self.assertFails(self.check, self.order, "Za dużo")

    def test_batch_is_judged_in_a_constant_number_of_queries(self):
        orders = [self._create_order(confirm=False) for _i in range(8)]
        orders = self.env["sale.order"].union(*orders)
        orders.order_line.discount = 6.0
        self.check.write(
            {"amount_min": 10.0, "partner_category_ids": [Command.create({"name": "A"})]}
        )
        self.customer.category_id = self.check.partner_category_ids
        self.assertConstantQueries(self.check, orders)

    # === FILTERS === #
    def test_filters_leave_other_orders_alone(self):
        tag = self.env["res.partner.category"].create({"name": "Tag"})
        team = self.env["crm.team"].create({"name": "Team"})
        channel = self.env["sale.admin.channel"].create({"name": "Pigeon"})
        check = self._create_check("domain", rule_domain="[]")
        self.assertFails(check, self.order)
        for fname, record in (
            ("team_ids", team),
            ("channel_ids", channel),
            ("partner_category_ids", tag),
        ):
            check[fname] = record
            self.assertPasses(check, self.order)
            check[fname] = False
        check.write(
            {"team_ids": team.ids, "channel_ids": channel.ids, "partner_category_ids": tag.ids}
        )
        self.order.write({"team_id": team.id, "channel_id": channel.id})
        self.assertPasses(check, self.order)
        self.customer.category_id = tag
        self.assertFails(check, self.order)

    def test_tag_of_the_company_counts_for_its_contacts(self):
        tag = self.env["res.partner.category"].create({"name": "Tag"})
        contact = self.env["res.partner"].create({"name": "Kim", "parent_id": self.customer.id})
        order = self._create_order(confirm=False, partner_id=contact.id)
        self.customer.category_id = tag
        check = self._create_check("domain", rule_domain="[]", partner_category_ids=tag.ids)
        self.assertFails(check, order)

    def test_archived_team_still_filters(self):
        team = self.env["crm.team"].create({"name": "Team"})
        check = self._create_check("domain", rule_domain="[]", team_ids=team.ids)
        team.active = False
        self.assertPasses(check, self.order)

    def test_amount_filter_counts_with_taxes_at_the_edges(self):
        check = self._create_check("domain", rule_domain="[]", amount_min=1150.0, amount_max=1150.0)
        self.assertFails(check, self.order)
        check.write({"amount_max": 2000.0, "amount_min": 1150.01})
        self.assertPasses(check, self.order)
        check.write({"amount_max": 1149.99, "amount_min": 0.0})
        self.assertPasses(check, self.order)

    def test_amount_filter_is_in_the_company_s_currency(self):
        pricelist = self._create_pricelist()  # 1,150 EUR are 575 of ours
        order = self._create_order(confirm=False, pricelist_id=pricelist.id)
        check = self._create_check("domain", rule_domain="[]", amount_min=575.0, amount_max=575.0)
        self.assertFails(check, order)
        check.write({"amount_min": 575.01, "amount_max": 600.0})
        self.assertPasses(check, order)

    def test_filter_domain_narrows(self):
        check = self._create_check(
            "domain", rule_domain="[]", filter_domain="[('client_order_ref', '!=', False)]"
        )
        self.assertPasses(check, self.order)
        self.order.client_order_ref = "PO 7"
        self.assertFails(check, self.order)

    # === AUTHORITY === #
    def test_releasing_group_releases_any_amount_unless_amounts_are_laid_down(self):
        get = self.check._get_authority_amount
        self.assertEqual(get(self.manager, self.company), math.inf)
        self.assertIsNone(get(self.clerk, self.company))
        self.check.authority_ids = [
            Command.create(
                {
                    "group_id": self.env.ref("sale_admin_support.group_sale_admin_user").id,
                    "amount_max": 500.0,
                }
            )
        ]
        self.assertEqual(get(self.clerk, self.company), 500.0)
        self.assertEqual(get(self.manager, self.company), 500.0)
        self.assertIsNone(get(self.salesman, self.company))
        self.check.authority_ids = [
            Command.create(
                {
                    "group_id": self.env.ref("sale_admin_support.group_sale_admin_manager").id,
                    "is_unlimited": True,
                }
            )
        ]
        self.assertEqual(get(self.manager, self.company), math.inf)
        self.assertEqual(get(self.clerk, self.company), 500.0)

    def test_authority_of_a_shared_check_is_converted(self):
        currency = self._create_pricelist().currency_id
        other = self.env["res.company"].create({"name": "Other", "currency_id": currency.id})
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.company.currency_id.id,
                "company_id": other.id,
                "company_rate": 0.5,
                "name": "2020-01-01",
            }
        )
        self.check.authority_ids = [
            Command.create(
                {
                    "group_id": self.env.ref("sale_admin_support.group_sale_admin_user").id,
                    "amount_max": 500.0,
                }
            )
        ]
        self.assertEqual(self.check._get_authority_amount(self.clerk, other), 1000.0)


@tagged("post_install", "-at_install")
class TestSaleAdminCheckCompleteness(SaleAdminCheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write(
            {
                "is_company": True,
                "vat": False,
                "phone": False,
                "street": "1 Main Street",
                "city": "Springfield",
                "country_id": cls.env.ref("base.us").id,
            }
        )
        cls.order = cls._create_order(confirm=False)

    def _require(self, *names):
        refs = [
            self.env.ref(f"sale_admin_support.sale_admin_requirement_{name}").id for name in names
        ]
        return self._create_check("completeness", requirement_ids=[Command.set(refs)])

    def test_order_that_says_everything_passes(self):
        check = self._require("client_order_ref", "commitment_date", "payment_term")
        self.order.write(
            {
                "client_order_ref": "PO 7",
                "commitment_date": "2030-01-01",
                "payment_term_id": self.env.ref("account.account_payment_term_30days").id,
            }
        )
        self.assertPasses(check, self.order)

    def test_reason_names_all_that_is_missing_and_where_to_mend_it(self):
        check = self._require("client_order_ref", "commitment_date")
        result = check._evaluate(self.order)[self.order]
        self.assertEqual(
            result["reason"],
            "Missing: customer's reference (tab Other Info, Customer Reference); promised delivery "
            "date (tab Other Info, Delivery Date).",
        )
        self.assertEqual(
            result["fix"],
            {
                "label": "tab Other Info, Customer Reference",
                "model": "sale.order",
                "res_id": self.order.id,
                "field": "client_order_ref",
            },
        )

    def test_delivery_address_needs_street_place_country(self):
        check = self._require("delivery_address")
        self.assertPasses(check, self.order)
        for values in ({"street": False}, {"city": False, "zip": False}, {"country_id": False}):
            address = self.env["res.partner"].create(
                {
                    "name": "Ramp 3",
                    "type": "delivery",
                    "parent_id": self.customer.id,
                    "street": "2 Side Street",
                    "city": "Springfield",
                    "country_id": self.env.ref("base.us").id,
                    **values,
                }
            )
            self.order.partner_shipping_id = address
            self.assertFails(check, self.order, "street, place and country")

    def test_delivery_needs_phone_and_a_person(self):
        check = self._require("delivery_contact", "delivery_phone")
        self.assertFails(check, self.order, "person at the delivery address")
        self.order.partner_shipping_id = self.env["res.partner"].create(
            {"name": "Kim", "parent_id": self.customer.id, "phone": "+1 555"}
        )
        self.assertPasses(check, self.order)

    def test_services_need_no_delivery_address(self):
        check = self._require("delivery_contact", "delivery_phone", "delivery_address")
        order = self._create_order(confirm=False, product=self.service)
        self.assertPasses(check, order)

    def test_tax_number_is_asked_of_companies(self):
        check = self._require("tax_number")
        self.assertFails(check, self.order, "tax number")
        self.customer.is_company = False
        self.assertPasses(check, self.order)
        self.customer.write({"is_company": True, "vat": "/"})
        self.assertPasses(check, self.order)

    def test_signed_quotation_online_or_by_the_contract_s_signed_copy(self):
        check = self._require("signature")
        self.assertFails(check, self.order, "signed quotation")
        contract = self._create_contract(self.order)
        self.assertFails(check, self.order)
        contract.signed_file = "UEFQRVI="
        self.assertPasses(check, self.order)
        other = self._create_order(confirm=False, signed_by="Kim")
        self.assertPasses(check, other)

    def test_document_is_a_file_on_the_order(self):
        check = self._require("document")
        self.assertFails(check, self.order, "order on file")
        self.env["ir.attachment"].create(
            {"name": "po.pdf", "raw": b"x", "res_model": "sale.order", "res_id": self.order.id}
        )
        self.assertPasses(check, self.order)

    def test_own_requirement_is_any_field(self):
        requirement = self.env["sale.admin.requirement"].create(
            {"name": "customer's website", "path": "partner_id.website"}
        )
        check = self._create_check("completeness", requirement_ids=requirement.ids)
        self.assertFails(check, self.order, "Missing: customer's website.")
        self.customer.website = "https://example.com"
        self.assertPasses(check, self.order)

    def test_requirement_of_no_field_is_refused(self):
        for path in (False, "no_such", "partner_id.no_such", "name.upper"):
            with self.subTest(path), self.assertRaises(ValidationError):
                self.env["sale.admin.requirement"].create({"name": "x", "path": path})

    def test_archived_requirement_still_counts_where_it_was_chosen(self):
        check = self._require("client_order_ref")
        self.env.ref("sale_admin_support.sale_admin_requirement_client_order_ref").active = False
        self.assertFails(check, self.order)

    def test_completeness_without_requirements_is_refused(self):
        with self.assertRaises(ValidationError):
            self._create_check("completeness")

    def test_batch_is_judged_in_a_constant_number_of_queries(self):
        requirements = self.env["sale.admin.requirement"].search([])
        check = self._create_check("completeness", requirement_ids=requirements.ids)
        orders = self.env["sale.order"].union(
            *(self._create_order(confirm=False) for _i in range(6))
        )
        self.assertConstantQueries(check, orders)
