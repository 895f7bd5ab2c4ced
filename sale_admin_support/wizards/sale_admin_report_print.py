import base64

from odoo import api, fields, models

from ..models.sale_admin_report import LEVELS, Period


class SaleAdminReportPrint(models.TransientModel):
    """Choose a report and a period; look at it, print it or take it as a spreadsheet."""

    _name = "sale.admin.report.print"
    _description = "Print a Report"

    # === FIELDS === #
    report = fields.Selection(
        selection="_selection_report",
        required=True,
        default=lambda self: self._selection_report()[0][0],
    )
    level = fields.Selection(LEVELS, string="Period", required=True, default="month")
    date = fields.Date(
        string="Containing",
        required=True,
        default=lambda self: self.env.company._sale_admin_today(),
        help="Any day of the period.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    period_label = fields.Char(string="Days", compute="_compute_period_label")
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    file = fields.Binary(readonly=True, attachment=False)
    file_name = fields.Char(readonly=True)

    # === COMPUTE METHODS === #
    @api.model
    def _selection_report(self):
        return self.env["sale.admin.report"]._get_reports()

    @api.depends("level", "date")
    def _compute_period_label(self):
        for wizard in self:
            wizard.period_label = (
                wizard.date
                and wizard.level
                and self.env["sale.admin.report"]._get_period_label(wizard._get_period())
            )

    @api.depends("report", "level", "date", "company_id")
    def _compute_preview(self):
        for wizard in self:
            if not (wizard.report and wizard.level and wizard.date and wizard.company_id):
                wizard.preview = False
                continue
            report = wizard._get_report()
            wizard.preview = report._render_html(report._get_document(wizard._get_period()))

    # === ACTION METHODS === #
    def action_previous(self):
        return self._action_show(self._get_period().get_previous())

    def action_next(self):
        return self._action_show(self._get_period().get_next())

    def action_print_pdf(self):
        return self._action_download("pdf")

    def action_print_xlsx(self):
        return self._action_download("xlsx")

    # === BUSINESS METHODS === #
    def _get_period(self):
        self.ensure_one()
        return Period.containing(self.level, self.date)

    def _get_report(self):
        self.ensure_one()
        report = self.env["sale.admin.report"]._get_report(self.report)
        return report.with_company(self.company_id)

    def _action_show(self, period):
        self.date = period.date_from
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Print a Report"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def _action_download(self, file_format):
        report = self._get_report()
        name, content = report._render(report._get_document(self._get_period()), file_format)
        self.write({"file_name": name, "file": base64.b64encode(content)})
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content?model={self._name}&id={self.id}&field=file"
            "&filename_field=file_name&download=true",
            "target": "download",
        }
