from odoo.exceptions import AccessError
from odoo.tests import Form, TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestResConfigSettings(TransactionCase):
    def test_settings_are_the_company_s(self):
        other = self.env["res.company"].create({"name": "Other"})
        with Form(self.env["res.config.settings"]) as settings:
            settings.sale_admin_tz = "Asia/Tokyo"
            settings.sale_admin_contract_mode = "always"
            settings.sale_admin_renewal_days = 45
            settings.sale_admin_max_file_size = 5
        settings.record.execute()
        self.assertRecordValues(
            self.env.company,
            [
                {
                    "sale_admin_tz": "Asia/Tokyo",
                    "sale_admin_contract_mode": "always",
                    "sale_admin_renewal_days": 45,
                    "sale_admin_max_file_size": 5,
                }
            ],
        )
        self.assertEqual(other.sale_admin_contract_mode, "template")
        self.assertEqual(other.sale_admin_renewal_days, 60)

    def test_manager_without_the_right_to_odoo_s_settings_cannot_change_them(self):
        manager = new_test_user(
            self.env, "manager", groups="sale_admin_support.group_sale_admin_manager"
        )
        with self.assertRaises(AccessError):
            self.env["res.config.settings"].with_user(manager).create({})
        with self.assertRaises(AccessError):
            self.env.company.with_user(manager).sale_admin_contract_mode = "always"
