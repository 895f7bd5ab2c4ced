from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, freeze_time, tagged

from odoo.addons.mail.tests.common import MailCase

from .common import SaleAdminSupportCommon

REPLY = """From: {sender}
To: catchall@{domain}
Subject: Re: Question
Message-Id: <{id}@customer.example.com>
In-Reply-To: {parent}
Content-Type: text/plain; charset=utf-8

{body}
"""


class ClarificationCase(SaleAdminSupportCommon, MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "buyer@customer.example.com"
        cls.order = cls._create_order(confirm=False, user_id=cls.salesman.id)

    def _create_question(self, user=None, **values):
        return (
            self.env["sale.admin.clarification"]
            .with_user(user or self.clerk)
            .create(
                {
                    "name": "Delivery address",
                    "question": "To which address shall we deliver?",
                    "order_id": self.order.id,
                    **values,
                }
            )
        )

    def _ask(self, **values):
        question = self._create_question(**values)
        with self.mock_mail_gateway():
            question._ask()
        return question

    def _switch_on_check(self, stage="handover"):
        return self.env["sale.admin.check"].create(
            {
                "name": "Question",
                "kind": "clarification",
                "stage": stage,
                "active": True,
                "company_id": self.company.id,
            }
        )


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestSaleAdminClarification(ClarificationCase):
    # === ASKING === #
    def test_due_after_the_companys_days(self):
        self.company.sale_admin_clarification_days = 3
        self.assertEqual(str(self._create_question().date_due), "2026-03-13")

    def test_customer_is_asked_in_his_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        template = self.env.ref("sale_admin_support.mail_template_clarification_ask")
        template.with_context(lang="fr_FR").subject = "Votre commande: {{ object.name }}"
        question = self._create_question()
        with self.mock_mail_gateway():
            question._ask()
        mail = self._new_mails.filtered(lambda m: self.customer in m.recipient_ids)
        self.assertEqual(mail.subject, "Votre commande: Delivery address")
        self.assertEqual(mail.author_id, self.clerk.partner_id)
        self.assertEqual(question.state, "asked")
        self.assertEqual(question.asked_by_id, self.clerk)

    def test_composer_marks_as_asked(self):
        question = self._create_question()
        action = question.action_ask()
        composer = self.env["mail.compose.message"].with_user(self.clerk)
        composer = composer.with_context(**action["context"]).create({})
        self.assertEqual(composer.partner_ids, self.customer)
        with self.mock_mail_gateway():
            composer._action_send_mail()
        self.assertEqual(question.state, "asked")

    def test_internal_note_asks_nobody(self):
        question = self._create_question()
        question.message_post(body="I shall ask", subtype_xmlid="mail.mt_note")
        self.assertEqual(question.state, "new")

    def test_customer_without_address_cannot_be_asked(self):
        self.customer.email = False
        with self.assertRaises(UserError):
            self._create_question().action_ask()

    def test_order_without_salesperson(self):
        self.order.user_id = False
        with self.assertRaises(UserError):
            self._create_question(asks="salesperson").action_ask()

    def test_asked_question_stays_as_it_was(self):
        question = self._ask()
        with self.assertRaises(UserError):
            question.question = "Another one"
        with self.assertRaises(UserError):
            question.unlink()
        question.date_due = "2026-03-20"

    # === REPLIES === #
    def _reply(self, question, body="To Hanoi", sender="buyer@customer.example.com", number=1):
        parent = question.message_ids.filtered(lambda m: self.customer in m.partner_ids)[:1]
        mail = REPLY.format(
            sender=sender,
            domain=self.alias_domain,
            id=f"reply-{number}",
            parent=parent.message_id,
            body=body,
        )
        with self.mock_mail_gateway():
            self.env["mail.thread"].sudo().message_process(None, mail)

    def test_mail_reply_is_to_be_read(self):
        self._init_mail_gateway()
        question = self._ask()
        self._reply(question)
        self.assertEqual(question.state, "replied")
        self.assertEqual(question.reply, "To Hanoi")
        self.assertEqual(question.replied_by_id, self.customer)
        self.assertEqual(question.activity_ids.user_id, self.clerk)
        question.action_accept()
        self.assertRecordValues(question, [{"state": "answered", "answer": "To Hanoi"}])
        self.assertFalse(question.activity_ids)

    def test_second_reply_is_added_and_a_late_one_reopens_nothing(self):
        self._init_mail_gateway()
        question = self._ask()
        self._reply(question, "To Hanoi")
        self._reply(question, "No, to Hue", number=2)
        self.assertEqual(question.reply, "To Hanoi\n\nNo, to Hue")
        question.action_accept()
        self._reply(question, "Thanks", number=3)
        self.assertEqual(question.state, "answered")

    def test_reply_without_what_it_quotes(self):
        text = self.env["sale.admin.clarification"]._get_reply_text(
            '<p>To Hanoi</p><blockquote data-o-mail-quote="1">To which address?</blockquote>'
        )
        self.assertEqual(text, "To Hanoi")

    def test_customers_mail_to_the_order(self):
        question = self._ask()
        inner = self._ask(asks="salesperson")
        self.order.message_post(body="To Hanoi", author_id=self.customer.id, message_type="email")
        self.assertEqual(question.state, "replied")
        self.assertEqual(inner.state, "asked")

    def test_salesperson_replies_and_the_owner_closes(self):
        question = self._ask(asks="salesperson")
        self.assertEqual(question.activity_ids.user_id, self.salesman)
        mine = question.with_user(self.salesman)
        mine._record("To Hanoi")
        self.assertEqual(question.state, "replied")
        for forbidden in (mine.action_accept, mine.action_withdraw):
            with self.assertRaises(AccessError):
                forbidden()
        question.action_accept()
        self.assertEqual(question.closed_by_id, self.clerk)

    def test_answer_by_phone(self):
        question = self._create_question()
        with self.assertRaises(UserError):
            question._record("  ")
        question._record("To Hanoi")
        self.assertEqual(question.state, "answered")
        with self.assertRaises(UserError):
            question._record("To Hue")
        further = self.env["sale.admin.clarification"].browse(question.action_follow_up()["res_id"])
        self.assertRecordValues(further, [{"parent_id": question.id, "state": "new"}])

    # === RIGHTS === #
    def test_state_is_not_written_nor_defaulted(self):
        question = self._create_question()
        with self.assertRaises(UserError):
            question.write({"state": "answered"})
        with self.assertRaises(UserError):
            self._create_question(state="answered")
        model = self.env["sale.admin.clarification"].with_user(self.clerk)
        forged = model.with_context(default_state="answered", default_reply="x").create(
            {"name": "a", "question": "b", "order_id": self.order.id}
        )
        self.assertRecordValues(forged, [{"state": "new", "reply": False}])

    def test_salesperson_does_not_change_the_desks_question(self):
        question = self._create_question(stage="handover").with_user(self.salesman)
        for vals in ({"stage": False}, {"date_due": "2027-01-01"}, {"user_id": self.salesman.id}):
            with self.assertRaises(AccessError):
                question.write(vals)
        with self.assertRaises(AccessError):
            question.unlink()

    def test_salesperson_sees_own_orders_questions_alone(self):
        mine = self._create_question()
        self.order = self._create_order(confirm=False, user_id=self.manager.id)
        other = self._create_question()
        found = self.env["sale.admin.clarification"].with_user(self.salesman).search([])
        self.assertIn(mine, found)
        self.assertNotIn(other, found)
        self.assertEqual(self._create_question(user=self.clerk).user_id, self.clerk)
        with self.assertRaises(AccessError):
            self._create_question(user=self.salesman, user_id=self.manager.id)

    def test_another_company(self):
        company = self.setup_other_company()["company"]
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_manager", company
        )
        question = self._create_question()
        with self.assertRaises(AccessError):
            question.with_user(stranger).read(["name"])

    # === GATE === #
    def test_order_waits_until_answered(self):
        self._switch_on_check()
        question = self._create_question(stage="handover")
        self.order.action_confirm()
        self.assertEqual(self.order.release_state, "held")
        self.assertFalse(self.order.picking_ids)
        question._note_asked()
        question.sudo()._note_reply("<p>To Hanoi</p>", self.customer)
        self.assertEqual(self.order.release_state, "held", "A reply is not an answer.")
        question.action_accept()
        self.assertEqual(self.order.release_state, "free")
        self.assertTrue(self.order.picking_ids)

    def test_other_stage_and_check_off(self):
        question = self._create_question(stage="ship")
        self.assertTrue(question.is_stage_off)
        self._switch_on_check()
        self.order.action_confirm()
        self.assertTrue(self.order.picking_ids)

    def test_question_asked_after_confirmation(self):
        self._switch_on_check("ship")
        self.order.action_confirm()
        question = self._create_question(stage="ship")
        self.assertEqual(self.order.release_state, "held")
        question.stage = False
        self.assertEqual(self.order.release_state, "free")
        question.stage = "ship"
        question.action_withdraw()
        self.assertEqual(self.order.release_state, "free")

    def test_deleted_before_it_was_asked(self):
        self._switch_on_check()
        question = self._create_question(stage="handover")
        self.order.action_confirm()
        question.unlink()
        self.assertFalse(self.order.has_open_question)
        self.assertEqual(self.order.release_state, "free")

    def test_orders_without_questions_cost_no_query(self):
        check = self._switch_on_check()
        order = self._create_order(confirm=False)
        self.env.flush_all()
        order.fetch(["has_open_question"])
        with self.assertQueryCount(0):
            self.assertFalse(check._check_clarification(order))

    # === REMINDERS === #
    def _remind(self, date):
        with (
            freeze_time(date),
            self.mock_mail_gateway(),
            self.enter_registry_test_mode(),
        ):
            self.env.ref(
                "sale_admin_support.sale_admin_clarification_cron_remind"
            ).method_direct_trigger()
        self.env.invalidate_all()
        return self._new_mails.filtered(lambda m: "wait for your answer" in (m.subject or ""))

    def test_reminded_from_the_due_date_on_once_a_day(self):
        question = self._ask(date_due="2026-03-12")
        self.assertFalse(self._remind("2026-03-11 23:00:00"))
        self.assertEqual(len(self._remind("2026-03-12 01:00:00")), 1)
        self.assertFalse(self._remind("2026-03-12 05:00:00"), "Once a day.")
        self.assertEqual(len(self._remind("2026-03-15 05:00:00")), 1, "Days missed are no matter.")
        self.assertFalse(self._remind("2026-03-16 05:00:00"), "Two reminders, then a call.")
        self.assertEqual(question.reminder_count, 2)
        self.assertEqual(question.activity_ids.user_id, self.clerk)

    def test_answered_is_not_reminded_of(self):
        question = self._ask(date_due="2026-03-12")
        question._record("To Hanoi")
        self.assertFalse(self._remind("2026-03-13 05:00:00"))

    def test_one_bad_question_does_not_stop_the_others(self):
        bad, good = self._ask(date_due="2026-03-11"), self._ask(date_due="2026-03-12")
        model = self.env.registry["sale.admin.clarification"]
        remind = model._remind

        def _remind(clarification):
            if clarification.id == bad.id:
                raise ValueError("broken")
            return remind(clarification)

        logger = "odoo.addons.sale_admin_support.models.sale_admin_clarification"
        with patch.object(model, "_remind", _remind), self.assertLogs(logger, "WARNING"):
            mails = self._remind("2026-03-13 05:00:00")
        self.assertEqual(len(mails), 1)
        self.assertEqual(good.reminder_count, 1)
        self.assertEqual(bad.reminder_count, 0)


@tagged("post_install", "-at_install")
class TestClarificationPortal(ClarificationCase, HttpCase):
    def _post(self, question, answer="To Hanoi", token=None):
        self.authenticate(None, None)
        return self.url_open(
            f"/my/orders/{question.order_id.id}/questions/{question.id}",
            data={"answer": answer, "access_token": token or "", "csrf_token": self._csrf()},
        )

    def _csrf(self):
        page = self.url_open("/web/login").text
        return page.split('name="csrf_token" value="')[1].split('"')[0]

    def test_customer_answers_on_the_page_of_the_order(self):
        question = self._ask()
        inner = self._ask(asks="salesperson", question="Is he solvent?")
        self.order.action_quotation_sent()
        token = self.order._portal_ensure_token()
        page = self.url_open(f"/my/orders/{self.order.id}?access_token={token}").text
        self.assertIn("To which address shall we deliver?", page)
        self.assertNotIn("Is he solvent?", page)
        self._post(question, "<b>To Hanoi</b>", token)
        self.assertEqual(question.state, "replied")
        self.assertIn("To Hanoi", question.reply)
        self._post(inner, "Yes", token)
        self.assertEqual(inner.state, "asked")

    def test_stranger_does_not_answer(self):
        question = self._ask()
        self._post(question, token="wrong")
        self.assertEqual(question.state, "asked")
