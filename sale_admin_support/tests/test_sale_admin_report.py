import io
from datetime import date

import openpyxl

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from ..models.sale_admin_report import Period
from .test_sale_admin_contract_report import ContractReportCommon

TODAY = "2026-03-20"
MARCH = Period("month", date(2026, 3, 1), date(2026, 3, 31))


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestReport(ContractReportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Planned 400 and 600, delivered 400 and 100 in March; 200 delivered in February.
        cls.contract_a = cls._create_active_contract(user_id=cls.salesman.id, value=400.0)
        cls.contract_b = cls._create_active_contract(
            partner=cls.customer_b, user_id=cls.clerk.id, value=600.0
        )
        cls.order_a = cls._create_order(6.0, date="2026-02-02")
        cls.order_b = cls._create_order(6.0, date="2026-03-02", partner_id=cls.customer_b.id)
        cls._set_columns(cls.order_a, sale_contract_id=cls.contract_a.id)
        cls._set_columns(cls.order_b, sale_contract_id=cls.contract_b.id)
        cls._deliver(cls.order_a, 2.0, date="2026-02-10")
        cls._deliver(cls.order_a, date="2026-03-10")
        cls._deliver(cls.order_b, 1.0, date="2026-03-12")
        cls._plan(cls.contract_a, "2026-03-10", 400.0, "delivered", reached="2026-03-10")
        cls._plan(cls.contract_b, "2026-03-10", 600.0, "delivered")

    def _get_report(self, user=None):
        return (
            self.env["sale.admin.report.execution"]
            .with_user(user or self.director)
            .with_company(self.company)
        )

    def _get_rows(self, section, period=MARCH, user=None):
        document = self._get_report(user)._get_document(period)
        [section] = [s for s in document["sections"] if s["name"] == section]
        return section["rows"]

    def _read_workbook(self, document):
        _name, content = self._get_report()._render(document, "xlsx")
        return openpyxl.load_workbook(io.BytesIO(content))

    # === FIGURES === #
    def test_overview_compares_with_the_previous_period(self):
        delivered = self._get_rows("overview")[1]["values"]
        self.assertEqual(delivered["planned"], 1000.0)
        self.assertEqual(delivered["actual"], 500.0)
        self.assertEqual(delivered["rate"], 0.5)
        self.assertEqual(delivered["previous"], 200.0)
        self.assertIsNone(delivered["previous_rate"])
        self.assertEqual(delivered["change"], 1.5)

    def test_quarter_and_year_add_up_their_months(self):
        for level in ("quarter", "year"):
            period = Period.containing(level, date(2026, 3, 1))
            delivered = self._get_rows("overview", period)[1]["values"]
            self.assertEqual((delivered["actual"], delivered["previous"]), (700.0, 0.0))
            self.assertIsNone(delivered["change"])

    def test_regions_add_up_to_their_country_and_the_total(self):
        rows = self._get_rows("region")
        figures = [
            (row["level"], row["values"]["delivered_actual"], row["values"]["delivered_rate"])
            for row in rows
        ]
        self.assertEqual(
            figures, [(0, 500.0, 0.5), (1, 400.0, 1.0), (1, 100.0, 100 / 600), (0, 500.0, 0.5)]
        )
        self.assertTrue(rows[-1]["is_total"])

    def test_punctuality_of_regions(self):
        rows = self._get_rows("region")
        self.assertEqual(
            [
                (row["values"]["due"], row["values"]["on_time_rate"], row["values"]["days_late"])
                for row in rows
            ],
            [(2, 0.5, 10.0), (1, 1.0, None), (1, 0.0, 10.0), (2, 0.5, 10.0)],
        )

    def test_without_region_is_a_row_of_its_own(self):
        self._set_columns(self.contract_b, country_id=None, country_state_id=None)
        labels = [row["values"]["name"] for row in self._get_rows("region")]
        self.assertEqual(labels[-3:], ["Not specified", "Not specified", "Total"])

    def test_salesperson_reads_a_report_of_own_contracts(self):
        delivered = self._get_rows("overview", user=self.salesman)[1]["values"]
        self.assertEqual((delivered["planned"], delivered["actual"]), (400.0, 400.0))

    def test_a_person_without_rights_reads_nothing(self):
        stranger = self._create_user("accountant", "account.group_account_invoice")
        with self.assertRaises(AccessError):
            self._get_report(stranger)._get_document(MARCH)

    def test_other_company_is_not_added(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.director.company_ids += company
        report = self._get_report().with_context(allowed_company_ids=[company.id, self.company.id])
        document = report._get_document(MARCH)
        delivered = document["sections"][0]["rows"][1]["values"]
        self.assertEqual(document["company"], company)
        self.assertEqual(delivered["actual"], 0.0)

    # === PERIODS === #
    def test_period_before_and_after(self):
        year_end = Period.containing("month", date(2026, 12, 15))
        self.assertEqual(year_end.get_next().date_to, date(2027, 1, 31))
        self.assertEqual(MARCH.get_previous().date_to, date(2026, 2, 28))
        quarter = Period.containing("quarter", date(2026, 1, 1))
        self.assertEqual(quarter.get_previous().date_from, date(2025, 10, 1))

    def test_day_of_a_period_is_clamped_to_its_length(self):
        february = Period.containing("month", date(2026, 2, 1))
        self.assertEqual(february.get_day(28), date(2026, 2, 28))
        self.assertEqual(february.get_day(29), date(2026, 2, 28))
        leap = Period.containing("month", date(2028, 2, 1))
        self.assertEqual(leap.get_day(31), date(2028, 2, 29))

    def test_only_reports_can_be_asked_for(self):
        with self.assertRaises(UserError):
            self.env["sale.admin.report"]._get_report("res.users")

    # === FILES === #
    def test_name_that_begins_with_an_equals_sign_stays_text(self):
        self.customer.name = '=HYPERLINK("http://evil.example","x")'
        self._invoice(self.order_a, date="2026-03-11")
        workbook = self._read_workbook(self._get_report()._get_document(MARCH))
        cells = [
            cell
            for sheet in workbook
            for row in sheet.iter_rows()
            for cell in row
            if cell.value and "HYPERLINK" in str(cell.value)
        ]
        self.assertTrue(cells)
        self.assertEqual({cell.data_type for cell in cells}, {"s"})

    def test_amounts_are_numbers_in_the_company_s_currency(self):
        workbook = self._read_workbook(self._get_report()._get_document(MARCH))
        sheet = workbook["Overview"]
        self.assertEqual(sheet["C7"].value, 500)
        self.assertIn(self.company.currency_id.name, sheet["C7"].number_format)
        self.assertEqual(sheet.freeze_panes, "B6")
        self.assertTrue(sheet.auto_filter.ref.startswith("A5:"))

    def test_file_name_has_no_slash(self):
        self.company.name = "Sales/Service \\ 1: Co"
        report = self._get_report()
        name = report._get_file_name(report._get_document(MARCH), "pdf")
        self.assertEqual(name, "Execution Statistics - March 2026 - Sales-Service - 1- Co.pdf")

    def test_sheet_names_are_short_and_unique(self):
        report = self._get_report()
        names = set()
        first = report._get_sheet_name("A/B: [long] " + "x" * 40, names)
        second = report._get_sheet_name("A/B: [long] " + "x" * 40, names)
        self.assertEqual(len(first), 31)
        self.assertLessEqual(len(second), 31)
        self.assertNotEqual(first.casefold(), second.casefold())

    def test_fifty_thousand_rows(self):
        report = self._get_report()
        columns = [report._prepare_column("name", "Name")]
        rows = [report._prepare_row({"name": f"=row {i}"}) for i in range(50_000)]
        document = report._get_document(MARCH)
        document["sections"] = [report._prepare_section("big", "Big", columns, rows)]
        _name, content = report._render(document, "xlsx")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        last = list(book["Big"].iter_rows(min_row=50_005, values_only=True))[-1]
        self.assertEqual(last, ("=row 49999",))

    def test_pdf_with_vietnamese_and_chinese_names(self):
        self._invoice(self.order_b, date="2026-03-11")
        report = self._get_report().with_context(force_report_rendering=True)
        with self.allow_pdf_render():
            name, content = report._render(report._get_document(MARCH), "pdf")
        self.assertTrue(content.startswith(b"%PDF"))
        self.assertTrue(name.endswith(".pdf"))
        html = report._render_html(report._get_document(MARCH))
        self.assertIn("Nhà máy Đường Sài Gòn 上海", html)

    def test_markup_in_a_name_is_escaped(self):
        self.salesman.name = "<script>alert(1)</script>"
        report = self._get_report()
        self.assertNotIn("<script>", report._render_html(report._get_document(MARCH)))

    # === WIZARD === #
    def test_wizard_previews_and_prints_the_chosen_period(self):
        form = Form(self.env["sale.admin.report.print"].with_user(self.director))
        form.date = "2026-01-15"
        form.level = "quarter"
        wizard = form.save()
        self.assertEqual(wizard.period_label, "Quarter 1 of 2026")
        self.assertIn("700", wizard.preview)
        action = wizard.action_print_xlsx()
        self.assertIn(f"id={wizard.id}", action["url"])
        self.assertEqual(wizard.file_name.rpartition(".")[2], "xlsx")
        wizard.action_next()
        self.assertEqual(wizard.period_label, "Quarter 2 of 2026")

    def test_labels_are_in_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        report = self._get_report().with_context(lang="fr_FR")
        self.assertEqual(report._get_document(MARCH)["subtitle"], "mars 2026")
