from odoo import api, fields, models

from .sale_admin_report import LEVELS, Period


class SaleAdminReportLog(models.Model):
    """One report as it was sent. Nobody writes it but the sending itself."""

    _name = "sale.admin.report.log"
    _description = "Sent Report"
    _order = "id desc"

    # === FIELDS === #
    schedule_id = fields.Many2one(
        "sale.admin.report.schedule", string="Report Mail", required=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="schedule_id.company_id", store=True, index=True)
    report = fields.Selection(selection="_selection_report", required=True)
    level = fields.Selection(LEVELS, string="Period", required=True)
    date_from = fields.Date(required=True)
    date_to = fields.Date(required=True)
    period_label = fields.Char(string="Report of", compute="_compute_period_label")
    is_manual = fields.Boolean(string="Sent by Hand")
    sent_at = fields.Datetime(required=True, default=fields.Datetime.now)
    user_id = fields.Many2one(
        "res.users", string="Responsible", help="With whose rights the figures were read."
    )
    partner_ids = fields.Many2many("res.partner", string="Recipients")
    attachment_ids = fields.One2many(
        "ir.attachment",
        "res_id",
        domain=[("res_model", "=", "sale.admin.report.log")],
        string="Files",
    )
    mail_ids = fields.Many2many("mail.mail", string="Mails")
    state = fields.Selection(
        [("queued", "Queued"), ("sent", "Sent"), ("failed", "Failed")],
        compute="_compute_state",
        compute_sudo=True,
    )

    # === CONSTRAINTS AND INDEXES === #
    _sent_once = models.UniqueIndex(
        "(schedule_id, report, level, date_from) WHERE is_manual IS NOT TRUE",
        "This report was already sent.",
    )

    # === COMPUTE METHODS === #
    @api.model
    def _selection_report(self):
        return self.env["sale.admin.report"]._get_reports()

    @api.depends("level", "date_from")
    def _compute_period_label(self):
        reports = self.env["sale.admin.report"]
        for log in self:
            log.period_label = reports._get_period_label(log._get_period())

    @api.depends("period_label", "schedule_id.name")
    def _compute_display_name(self):
        for log in self:
            log.display_name = f"{log.schedule_id.name}, {log.period_label}"

    @api.depends("mail_ids.state")
    def _compute_state(self):
        for log in self:
            states = set(log.mail_ids.mapped("state"))
            if states & {"exception", "cancel"}:
                log.state = "failed"
            else:
                log.state = "queued" if "outgoing" in states else "sent"

    # === BUSINESS METHODS === #
    def _get_period(self):
        return Period(self.level, self.date_from, self.date_to)
