from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import SaleAdminSupportCommon

LOGGER = "odoo.addons.sale_admin_support.models.sale_admin_report_schedule"


@tagged("post_install", "-at_install")
class TestReportSchedule(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sale.admin.report.schedule"].search([]).active = False
        cls.manager_2 = cls._create_user(
            "sales_manager_2", "sale_admin_support.group_sale_admin_manager"
        )
        cls.cron = cls.env.ref("sale_admin_support.sale_admin_report_schedule_cron")
        cls.schedule = cls._create_schedule()

    @classmethod
    def _create_schedule(cls, created="2026-03-20", **values):
        with freeze_time(created):
            return (
                cls.env["sale.admin.report.schedule"]
                .with_user(cls.manager)
                .create(
                    {
                        "name": "Execution of the month",
                        "day": 5,
                        "file_format": "xlsx",
                        "user_ids": [Command.set(cls.clerk.ids)],
                        **values,
                    }
                )
            )

    def _run_cron(self, day):
        """Run the job as the scheduler does: it commits and rolls back by itself."""
        self.env.flush_all()
        with freeze_time(day), self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        self.env.invalidate_all()

    def _get_periods(self, schedule=None):
        logs = (
            (schedule or self.schedule).sudo().log_ids.sorted(lambda log: (log.date_from, log.id))
        )
        return [(str(log.date_from), log.is_manual) for log in logs]

    # === WHEN === #
    def test_sent_on_its_day_and_not_the_day_before(self):
        self._run_cron("2026-04-04")
        self.assertEqual(self._get_periods(), [])
        self._run_cron("2026-04-05")
        self.assertEqual(self._get_periods(), [("2026-03-01", False)])

    def test_sent_once_however_often_the_job_runs(self):
        for _run in range(3):
            self._run_cron("2026-04-05")
        self._run_cron("2026-04-06")
        self.assertEqual(self._get_periods(), [("2026-03-01", False)])
        self.assertEqual(len(self.schedule.log_ids.sudo().mail_ids), 1)

    def test_missed_days_are_made_up_for(self):
        self._run_cron("2026-06-20")
        self.assertEqual(
            self._get_periods(),
            [("2026-03-01", False), ("2026-04-01", False), ("2026-05-01", False)],
        )

    def test_new_schedule_does_not_send_history(self):
        schedule = self._create_schedule(created="2026-03-06")
        self._run_cron("2026-03-31")
        self.assertEqual(self._get_periods(schedule), [])

    def test_new_schedule_sends_what_is_still_to_come(self):
        schedule = self._create_schedule(created="2026-03-05")
        self._run_cron("2026-03-05")
        self.assertEqual(self._get_periods(schedule), [("2026-02-01", False)])

    def test_paused_schedule_does_not_send_what_it_missed(self):
        self.schedule.active = False
        self._run_cron("2026-06-20")
        self.assertEqual(self._get_periods(), [])
        with freeze_time("2026-06-20"):
            self.schedule.active = True
        self._run_cron("2026-06-20")
        self.assertEqual(self._get_periods(), [])

    def test_other_level_is_another_series(self):
        self._run_cron("2026-04-05")
        with freeze_time("2026-04-06"):
            self.schedule.level = "quarter"
        self._run_cron("2026-07-05")
        self.assertEqual(self._get_periods(), [("2026-03-01", False), ("2026-04-01", False)])
        self.assertEqual(set(self.schedule.log_ids.mapped("level")), {"month", "quarter"})

    def test_last_day_of_a_short_month(self):
        schedule = self._create_schedule(created="2026-02-01", day=31)
        self._run_cron("2026-02-27")
        self.assertEqual(self._get_periods(schedule), [])
        self._run_cron("2026-02-28")
        self.assertEqual(self._get_periods(schedule), [("2026-01-01", False)])

    def test_day_begins_in_the_company_s_time_zone(self):
        self.company.sale_admin_tz = "Asia/Ho_Chi_Minh"
        self._run_cron("2026-04-04 16:59:00")
        self.assertEqual(self._get_periods(), [])
        self._run_cron("2026-04-04 17:00:00")
        self.assertEqual(self._get_periods(), [("2026-03-01", False)])

    @freeze_time("2026-04-01")
    def test_next_mail_is_shown(self):
        self.assertEqual(str(self.schedule.date_next), "2026-04-05")
        self.assertEqual(self.schedule.period_next, "March 2026")

    # === CRASHES === #
    def test_crash_after_the_record_sends_nothing_and_the_retry_sends_once(self):
        model = type(self.env["sale.admin.report.schedule"])
        with (
            patch.object(model, "_queue_mails", side_effect=ValueError("mail server is gone")),
            mute_logger(LOGGER),
        ):
            self._run_cron("2026-04-05")
        self.assertEqual(self._get_periods(), [])
        self.assertFalse(self.env["mail.mail"].search([("subject", "like", "March 2026")]))
        self.assertIn("mail server is gone", self.schedule.last_error)
        self._run_cron("2026-04-06")
        self.assertEqual(self._get_periods(), [("2026-03-01", False)])
        self.assertFalse(self.schedule.last_error)

    def test_one_bad_schedule_does_not_stop_the_others(self):
        bad = self._create_schedule(name="A bad one")
        self.clerk_2.email = False
        bad.user_ids = self.clerk_2
        with mute_logger(LOGGER):
            self._run_cron("2026-04-05")
        self.assertEqual(self._get_periods(), [("2026-03-01", False)])
        self.assertEqual(self._get_periods(bad), [])
        self.assertIn(self.clerk_2.name, bad.last_error)

    def test_database_refuses_a_second_record_of_a_period(self):
        self._run_cron("2026-04-05")
        log = self.schedule.log_ids.sudo()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            log.copy()

    # === WHAT AND TO WHOM === #
    def test_each_recipient_gets_one_mail_with_the_kept_file(self):
        partner = self.env["res.partner"].create({"name": "Bank", "email": "bank@example.com"})
        self.schedule.partner_ids = partner
        self._run_cron("2026-04-05")
        log = self.schedule.log_ids
        self.assertEqual(log.partner_ids, self.clerk.partner_id | partner)
        mails = log.sudo().mail_ids
        self.assertEqual(sorted(mails.mapped("recipient_ids.id")), sorted(log.partner_ids.ids))
        self.assertEqual(mails.attachment_ids, log.attachment_ids)
        self.assertEqual(log.attachment_ids.name.rpartition(".")[2], "xlsx")
        self.assertEqual(log.state, "queued")

    def test_each_language_has_its_own_file(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.schedule.user_ids = self.clerk | self.clerk_2
        self.clerk_2.lang = "fr_FR"
        self._run_cron("2026-04-05")
        names = self.schedule.log_ids.attachment_ids.mapped("name")
        self.assertEqual(len(names), 2)
        self.assertTrue(any("mars 2026" in name for name in names))

    def test_archived_user_gets_nothing(self):
        self.schedule.user_ids = self.clerk | self.clerk_2
        self.clerk_2.active = False
        self._run_cron("2026-04-05")
        self.assertEqual(self.schedule.log_ids.partner_ids, self.clerk.partner_id)

    @freeze_time("2026-04-10")
    def test_send_now_is_besides_the_schedule(self):
        self.schedule.action_send_now()
        self.assertEqual(self._get_periods(), [("2026-03-01", True)])
        self._run_cron("2026-04-10")
        self.assertEqual(self._get_periods(), [("2026-03-01", True), ("2026-03-01", False)])

    def test_preview_shows_the_last_ended_period(self):
        with freeze_time("2026-04-10"):
            context = self.schedule.action_preview()["context"]
        self.assertEqual(str(context["default_date"]), "2026-03-01")

    # === RIGHTS === #
    def test_figures_are_read_with_the_responsible_s_rights(self):
        with freeze_time("2026-04-05"):
            report = self.schedule.sudo()._get_report("en_US")
        self.assertEqual(report.env.user, self.manager)
        self.assertFalse(report.env.su)
        self.assertEqual(report.env.companies, self.company)

    def test_responsible_without_rights_sends_nothing(self):
        self.manager.group_ids = self.env.ref("base.group_user")
        with mute_logger(LOGGER):
            self._run_cron("2026-04-05")
        self.assertEqual(self._get_periods(), [])
        self.assertTrue(self.schedule.sudo().last_error)

    def test_responsible_who_left_sends_nothing(self):
        self.manager.active = False
        with mute_logger(LOGGER):
            self._run_cron("2026-04-05")
        self.assertEqual(self._get_periods(), [])
        self.assertIn(self.manager.name, self.schedule.last_error)

    def test_who_changes_the_recipients_becomes_responsible(self):
        schedule = self.schedule.with_user(self.manager_2)
        schedule.write({"user_ids": [Command.link(self.clerk_2.id)], "user_id": self.manager.id})
        self.assertEqual(schedule.user_id, self.manager_2)

    def test_nobody_makes_another_person_responsible(self):
        self.schedule.with_user(self.manager_2).user_id = self.env.ref("base.user_admin")
        self.assertEqual(self.schedule.user_id, self.manager)
        schedule = self._create_schedule(user_id=self.env.ref("base.user_admin").id)
        self.assertEqual(schedule.user_id, self.manager)

    def test_clerk_has_no_access(self):
        with self.assertRaises(AccessError):
            self.schedule.with_user(self.clerk).read(["name"])
        with self.assertRaises(AccessError):
            self.schedule.with_user(self.clerk).action_send_now()

    def test_other_company_has_no_access(self):
        company = self.env["res.company"].create({"name": "Other"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_manager", company
        )
        with self.assertRaises(AccessError):
            self.schedule.with_user(stranger).read(["name"])

    def test_what_was_sent_cannot_be_rewritten(self):
        self._run_cron("2026-04-05")
        log = self.schedule.log_ids.with_user(self.manager)
        with self.assertRaises(AccessError):
            log.write({"date_from": "2026-01-01"})
        with self.assertRaises(AccessError):
            log.unlink()
        with self.assertRaises(UserError):
            self.schedule.unlink()

    def test_somebody_must_receive_it(self):
        with self.assertRaises(ValidationError):
            self.schedule.user_ids = False

    def test_portal_user_is_not_a_user_of_the_house(self):
        portal = self._create_user("portal_user", "base.group_portal")
        with self.assertRaises(ValidationError):
            self.schedule.user_ids = portal
