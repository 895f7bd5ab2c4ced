from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from .test_sale_admin_contract_report import ContractReportCommon

TODAY = "2026-03-20"


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestContractSchedule(ContractReportCommon):
    """What the printed schedule tells the house, and what it does not tell the customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer_b.user_id = cls.salesman
        cls.contract = cls._create_active_contract(
            partner=cls.customer_b,
            value=600.0,
            title="Máy bơm 水泵",
            note="Secret remark on the customer",
        )
        cls.order = cls._create_order(6.0, date="2026-03-02", partner_id=cls.customer_b.id)
        cls._set_columns(cls.order, sale_contract_id=cls.contract.id)
        cls._set_columns(cls.contract, amount_untaxed=600.0, amount_total=690.0)
        cls._deliver(cls.order, 2.0, date="2026-03-12")
        cls.shown = cls._plan(cls.contract, "2026-03-15", 600.0, "delivered")
        cls.hidden = cls._plan(cls.contract, "2026-03-16")
        cls._set_columns(cls.shown, note="Factory is overbooked")
        cls._set_columns(cls.hidden, visible_to_customer=False)

    def _render(self, name, user=None):
        content, _kind = (
            self.env["ir.actions.report"]
            .with_user(user or self.clerk)
            ._render_qweb_html(f"sale_admin_support.{name}", self.contract.ids)
        )
        return content.decode()

    def test_the_house_reads_everything(self):
        html = self._render("action_report_contract_schedule")
        for text in ("Máy bơm 水泵", self.shown.name, self.hidden.name, "Factory is overbooked"):
            self.assertIn(text, html)

    def test_totals_and_what_is_open(self):
        report = self.env["report.sale_admin_support.report_contract_schedule"]
        delivered = report._get_document_values(self.contract)["totals"][0]
        self.assertEqual(
            (delivered["agreed"], delivered["actual"], delivered["open"]), (600.0, 200.0, 400.0)
        )

    def test_the_customer_reads_no_internal_word(self):
        html = self._render("action_report_contract_status")
        self.assertIn(self.shown.name, html)
        for text in (
            self.hidden.name,
            "Factory is overbooked",
            "Secret remark",
            "Internal",
            "Administrator",
            "Responsible",
        ):
            self.assertNotIn(text, html)

    def test_the_customer_reads_the_own_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer_b.lang = "fr_FR"
        self.shown.with_context(lang="fr_FR").name = "Livraison complète"
        self.assertIn("Livraison complète", self._render("action_report_contract_status"))
        self.assertIn("15/03/2026", self._render("action_report_contract_status"))

    def test_the_customer_s_salesperson_reads_the_whole_contract(self):
        html = self._render("action_report_contract_schedule", self.salesman)
        self.assertIn("200.00", html)

    def test_who_may_not_read_the_contract_prints_nothing(self):
        other = self._create_user("other_salesman", "sales_team.group_sale_salesman")
        for name in ("action_report_contract_schedule", "action_report_contract_status"):
            with self.assertRaises(AccessError):
                self._render(name, other)

    def test_both_are_real_pdf_files(self):
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        for name in ("action_report_contract_schedule", "action_report_contract_status"):
            with self.allow_pdf_render():
                content, _kind = report._render_qweb_pdf(
                    f"sale_admin_support.{name}", self.contract.ids
                )
            self.assertTrue(content.startswith(b"%PDF"))
