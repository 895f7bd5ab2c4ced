import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .sale_admin_report import LEVELS, Period

_logger = logging.getLogger(__name__)

# Whoever changes one of these decides what is sent to whom, and answers for it.
DECISIVE_FIELDS = {
    "report",
    "level",
    "company_id",
    "file_format",
    "user_ids",
    "partner_ids",
    "active",
}
# A change of these makes another series of periods: what lies before it is not sent.
SERIES_FIELDS = {"report", "level", "company_id"}


class SaleAdminReportSchedule(models.Model):
    """A report mailed to chosen people once for every period that has ended.

    The figures are read with the rights of the responsible, who is the last person that decided
    what is sent to whom; nobody can make another person responsible. Receivers get the same figures
    whatever they may read themselves.
    """

    _name = "sale.admin.report.schedule"
    _description = "Report Mail"
    _inherit = ["mail.thread"]
    _order = "name, id"

    # === FIELDS === #
    name = fields.Char(required=True)
    active = fields.Boolean(default=True, tracking=True)
    report = fields.Selection(
        selection="_selection_report",
        required=True,
        tracking=True,
        default=lambda self: self._selection_report()[0][0],
    )
    level = fields.Selection(LEVELS, string="Period", required=True, default="month", tracking=True)
    day = fields.Integer(
        string="Sent on Day",
        required=True,
        default=1,
        tracking=True,
        help="The day of the next month, quarter or year on which the report of the past one is "
        "sent; the last day where it has fewer days.",
    )
    file_format = fields.Selection(
        [("pdf", "PDF"), ("xlsx", "Spreadsheet"), ("both", "PDF and Spreadsheet")],
        string="Format",
        required=True,
        default="pdf",
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        default=lambda self: self.env.user,
        help="The report is made with the rights of this person: the last who decided what is sent "
        "to whom.",
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Users",
        domain=[("share", "=", False)],
        tracking=True,
        help="Internal users. Each gets the report in the own language.",
    )
    partner_ids = fields.Many2many(
        "res.partner",
        string="Other Recipients",
        tracking=True,
        help="Contacts without a user. They get the same figures as everybody else on the list.",
    )
    date_start = fields.Date(
        string="From",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env.company._sale_admin_today(),
        help="Reports that were to be sent before this day are not sent any more.",
    )
    date_next = fields.Date(string="Next Mail", compute="_compute_next")
    period_next = fields.Char(string="Next Report", compute="_compute_next")
    log_ids = fields.One2many("sale.admin.report.log", "schedule_id", string="Sent Reports")
    date_last = fields.Datetime(string="Last Sent", compute="_compute_date_last")
    last_error = fields.Text(readonly=True, copy=False)

    # === CONSTRAINTS AND INDEXES === #
    _day_positive = models.Constraint(
        "CHECK (day BETWEEN 1 AND 366)", "The day of sending is 1 or later."
    )

    # === COMPUTE METHODS === #
    @api.model
    def _selection_report(self):
        return self.env["sale.admin.report"]._get_reports()

    @api.depends(
        "log_ids.is_manual", "level", "day", "date_start", "company_id", "active", "report"
    )
    def _compute_next(self):
        for schedule in self:
            period = schedule._get_next_period()
            schedule.date_next = schedule.active and schedule._get_date_due(period)
            schedule.period_next = self.env["sale.admin.report"]._get_period_label(period)

    @api.depends("log_ids.sent_at")
    def _compute_date_last(self):
        dates = dict(
            self.env["sale.admin.report.log"]._read_group(
                [("schedule_id", "in", self.ids)], ["schedule_id"], ["sent_at:max"]
            )
        )
        for schedule in self:
            schedule.date_last = dates.get(schedule._origin)

    # === CONSTRAINT METHODS === #
    @api.constrains("user_ids", "partner_ids", "active")
    def _check_recipients(self):
        for schedule in self:
            if any(user.share for user in schedule.sudo().user_ids):
                raise ValidationError(
                    self.env._(
                        "%s: only internal users can be chosen as users. Choose the contact among "
                        "the other recipients.",
                        schedule.name,
                    )
                )
            if schedule.active and not schedule.user_ids and not schedule.partner_ids:
                raise ValidationError(self.env._("%s: choose who receives it.", schedule.name))

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._prepare_own_vals(vals, is_new=True) for vals in vals_list])

    def write(self, vals):
        vals = self._prepare_own_vals(vals)
        resumed = self.filtered(lambda s: vals.get("active") and not s.active)
        result = super().write(vals)
        for schedule in self if SERIES_FIELDS & vals.keys() else resumed:
            today = schedule.company_id.sudo()._sale_admin_today()
            super(SaleAdminReportSchedule, schedule).write({"date_start": today})
        return result

    def _prepare_own_vals(self, vals, is_new=False):
        """Make the caller responsible for what he decides; nobody says so of another person."""
        if self.env.su:
            return vals
        vals = {
            key: value
            for key, value in vals.items()
            if key not in ("user_id", "date_start", "last_error")
        }
        if is_new or DECISIVE_FIELDS & vals.keys():
            vals["user_id"] = self.env.uid
        if is_new:
            company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
            vals["date_start"] = company.sudo()._sale_admin_today()
        return vals

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        if self.log_ids:
            raise UserError(
                self.env._("What was sent stays on record: archive the report mail instead.")
            )

    # === ACTION METHODS === #
    def action_preview(self):
        """Show the report of the last ended period, as the caller may read it."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_report_print_action"
        )
        action["context"] = {
            "dialog_size": "extra-large",
            "default_report": self.report,
            "default_level": self.level,
            "default_date": self._get_last_period().date_from,
            "default_company_id": self.company_id.id,
        }
        return action

    def action_send_now(self):
        """Send the last ended period at once, besides what the schedule sends by itself."""
        for schedule in self:
            schedule.check_access("write")
            schedule._send(schedule._get_last_period(), is_manual=True)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The report is on its way."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_open_logs(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_report_log_action"
        )
        action["domain"] = [("schedule_id", "in", self.ids)]
        return action

    # === BUSINESS METHODS === #
    def _get_last_period(self):
        """Return the last period that has ended, in the company's time zone."""
        self.ensure_one()
        today = self.company_id.sudo()._sale_admin_today()
        return Period.containing(self.level, today).get_previous()

    def _get_date_due(self, period):
        """Return the day on which the period's report is sent."""
        return period.get_next().get_day(self.day)

    def _get_next_period(self):
        """Return the first period that was not sent yet and is to be sent by this schedule."""
        self.ensure_one()
        sent = self._get_sent_dates()
        period = Period.containing(self.level, self.date_start).get_previous()
        while period.date_from in sent or self._get_date_due(period) < self.date_start:
            period = period.get_next()
        return period

    def _get_sent_dates(self):
        logs = self.env["sale.admin.report.log"].sudo()
        return set(
            logs.search(
                [
                    ("schedule_id", "in", self._origin.ids),
                    ("report", "=", self.report),
                    ("level", "=", self.level),
                    ("is_manual", "=", False),
                ]
            ).mapped("date_from")
        )

    def _get_due_period(self):
        """Return the first period whose report is due, or None."""
        period = self._get_next_period()
        today = self.company_id.sudo()._sale_admin_today()
        return period if self._get_date_due(period) <= today else None

    @api.model
    def _cron_send(self):
        """Send what is due, each schedule in its own transaction.

        A mail and the record that it was sent are written together or not at all: whatever goes
        wrong, a period is sent once. One schedule's error is kept on it and stops no other; it is
        tried again at the next run.
        """
        schedules = self.search([("active", "=", True)])
        self.env["ir.cron"]._commit_progress(remaining=len(schedules))
        for schedule in schedules:
            schedule._send_due()
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _send_due(self):
        """Send every due period; on an error undo all of it and keep its text."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                schedule = self.try_lock_for_update().filtered("active")
                while schedule and (period := schedule._get_due_period()):
                    schedule._send(period)
                if schedule.last_error:
                    schedule.last_error = False
        except Exception as error:
            _logger.warning("Report mail %s could not be sent", self.id, exc_info=True)
            self.last_error = self.env._(
                "%(date)s: %(error)s",
                date=fields.Datetime.context_timestamp(self, fields.Datetime.now()).strftime(
                    "%Y-%m-%d %H:%M"
                ),
                error=error,
            )

    def _send(self, period, is_manual=False):
        """Queue the mails of one period and record them.

        Recipients who read the same language share the files. Nothing is sent on an error.
        """
        self.ensure_one()
        recipients = self._get_recipients()
        log = (
            self.env["sale.admin.report.log"]
            .sudo()
            .create(self._prepare_log_vals(period, recipients, is_manual))
        )
        for lang, partners in recipients.grouped(lambda p: p.lang or self.env.lang).items():
            document, attachments = self._make_files(period, lang, log)
            log.mail_ids += self._queue_mails(document, attachments, partners, lang)
        return log

    def _get_recipients(self):
        """Return the contacts that receive the report; users who left are no longer among them."""
        users = self.sudo().user_ids.filtered(lambda user: user.active and not user.share)
        partners = (users.partner_id | self.sudo().partner_ids).filtered("active")
        unreachable = partners.filtered(lambda partner: not partner.email)
        if unreachable:
            raise UserError(
                self.env._("No e-mail address: %s", ", ".join(unreachable.mapped("name")))
            )
        if not partners:
            raise UserError(self.env._("Nobody is left to receive %s.", self.name))
        return partners

    def _get_report(self, lang):
        """Return the report model in the responsible's rights, for the schedule's company."""
        if not self.user_id.active:
            raise UserError(
                self.env._(
                    "%s, who is responsible, is no longer a user: another person has to take over.",
                    self.user_id.name,
                )
            )
        reports = self.env["sale.admin.report"].with_user(self.user_id)
        context = {"lang": lang, "allowed_company_ids": self.company_id.ids}
        return reports.with_context(**context)._get_report(self.report)

    def _make_files(self, period, lang, log):
        report = self._get_report(lang)
        document = report._get_document(period)
        formats = ("pdf", "xlsx") if self.file_format == "both" else (self.file_format,)
        attachments = self.env["ir.attachment"].sudo()
        for file_format in formats:
            name, content = report._render(document, file_format)
            attachments += attachments.create(
                {"name": name, "raw": content, "res_model": log._name, "res_id": log.id}
            )
        return document, attachments

    def _queue_mails(self, document, attachments, partners, lang):
        """Return one waiting mail for each recipient: nobody reads the others' addresses."""
        report = self._get_report(lang)
        summary = report._render_html({**document, "sections": document["sections"][:1]})
        subject = f"{document['title']}: {document['subtitle']} ({document['company'].name})"
        return (
            self.env["mail.mail"]
            .sudo()
            .create(
                [
                    {
                        "subject": subject,
                        "body_html": report.env["ir.qweb"]._render(
                            "sale_admin_support.report_mail",
                            {
                                "recipient": partner,
                                "document": document,
                                "heading_note": report._get_amounts_note(document),
                                "summary": summary,
                            },
                        ),
                        "recipient_ids": [fields.Command.link(partner.id)],
                        "attachment_ids": [fields.Command.set(attachments.ids)],
                        "email_from": self.user_id.email_formatted
                        or self.company_id.email_formatted,
                        "author_id": self.user_id.partner_id.id,
                        "auto_delete": False,
                    }
                    for partner in partners
                ]
            )
        )

    def _prepare_log_vals(self, period, recipients, is_manual):
        return {
            "schedule_id": self.id,
            "report": self.report,
            "level": period.level,
            "date_from": period.date_from,
            "date_to": period.date_to,
            "is_manual": is_manual,
            "user_id": self.user_id.id,
            "partner_ids": [fields.Command.set(recipients.ids)],
        }
