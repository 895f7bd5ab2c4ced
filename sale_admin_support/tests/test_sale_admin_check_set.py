from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .test_sale_admin_check import SaleAdminCheckCommon


@tagged("post_install", "-at_install")
class TestSaleAdminCheckSet(SaleAdminCheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.checks = cls.env["sale.admin.check"].with_context(active_test=False)
        cls.templates = cls.checks.search([("is_template", "=", True)])

    def _get_own(self, company=None):
        return self.checks.search(
            [
                ("company_id", "=", (company or self.company).id),
                ("template_id", "in", self.templates.ids),
            ]
        )

    def _get_presets(self, company=None):
        return set(self._get_own(company).filtered("active").template_id.mapped("preset"))

    def test_nothing_is_switched_on_at_installation(self):
        self.assertEqual(self.company.sale_admin_check_set, "none")
        self.assertFalse(self.templates.filtered("active"))
        self.assertFalse(self._get_own())

    def test_set_is_switched_on_by_copies_of_the_company(self):
        self.company.sale_admin_check_set = "basic"
        own = self._get_own()
        self.assertEqual(
            own.template_id, self.templates.filtered(lambda check: check.preset == "basic")
        )
        self.assertTrue(all(own.mapped("active")))
        self.assertFalse(self.templates.filtered("active"))
        self.assertEqual(self.env["sale.admin.check"]._get_active(self.company) & own, own)

    def test_strict_includes_basic_and_going_back_switches_the_rest_off(self):
        self.company.sale_admin_check_set = "strict"
        self.assertEqual(self._get_presets(), {"basic", "strict"})
        self.company.sale_admin_check_set = "basic"
        self.assertEqual(self._get_presets(), {"basic"})
        self.company.sale_admin_check_set = "none"
        self.assertEqual(self._get_presets(), set())
        self.assertEqual(self._get_own().template_id, self.templates)

    def test_switching_on_again_makes_no_second_copy_and_keeps_changes(self):
        self.company.sale_admin_check_set = "basic"
        own = self._get_own()
        changed, switched_off, deleted = own[0], own[1], own[2]
        changed.write({"name": "Ours", "severity": "warn"})
        switched_off.active = False
        template = deleted.template_id
        deleted.unlink()
        self.company.sale_admin_check_set = "none"
        self.company.sale_admin_check_set = "basic"
        again = self._get_own()
        self.assertEqual(len(again), len(own.exists()) + 1)
        self.assertRecordValues(changed, [{"name": "Ours", "severity": "warn", "active": True}])
        self.assertFalse(switched_off.active)
        self.assertIn(template, again.template_id)

    def test_update_of_the_app_leaves_the_company_s_copies_alone(self):
        self.company.sale_admin_check_set = "basic"
        own = self._get_own()[0]
        own.template_id.name = "New words"
        self.assertNotEqual(own.name, "New words")

    def test_set_is_of_one_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.company.sale_admin_check_set = "strict"
        self.assertFalse(self._get_own(other))
        third = self.env["res.company"].create({"name": "Third", "sale_admin_check_set": "basic"})
        self.assertEqual(self._get_presets(third), {"basic"})

    def test_template_is_not_switched_on_itself(self):
        with self.assertRaises(ValidationError):
            self.templates[0].active = True
        copy = self.templates[0].copy()
        self.assertFalse(copy.active or copy.is_template)

    def test_every_ready_made_check_judges_an_order(self):
        order = self._create_order(confirm=False)
        self.company.sale_admin_check_set = "strict"
        for check in self._get_own().filtered(lambda check: not check.is_credit):
            result = check._evaluate(order).get(order, {})
            self.assertNotIn("could not be applied", result.get("reason", ""))

    def test_manager_switches_a_set_on_where_the_checks_are(self):
        wizard = self.env["sale.admin.check.apply"]
        wizard.with_user(self.manager).create({"preset": "basic"}).action_apply()
        self.assertEqual(self.company.sale_admin_check_set, "basic")
        with self.assertRaises(AccessError):
            self.env["sale.admin.check"].with_user(self.clerk)._switch_set(self.company, "none")
        other = self.env["res.company"].create({"name": "Other"})
        with self.assertRaises(AccessError):
            self.env["sale.admin.check"].with_user(self.manager)._switch_set(other, "basic")
