import base64

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged

from odoo.addons.mail.tests.common import MailCase

from .common import SaleAdminSupportCommon

MAIL = """From: {sender}
To: {to}
Subject: {subject}
Date: {date}
Message-Id: <{id}@customer.example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: text/plain; charset=utf-8

{body}

--part
Content-Type: application/pdf; name="{file}"
Content-Disposition: attachment; filename="{file}"
Content-Transfer-Encoding: base64

{content}

--part--
"""


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestSaleAdminIntake(SaleAdminSupportCommon, MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._init_mail_gateway()
        cls.company.alias_domain_id = cls.mail_alias_domain
        cls.company.sale_admin_intake_alias_name = "orders"
        cls.buyer = cls.env["res.partner"].create(
            {
                "name": "Buyer",
                "parent_id": cls.customer.id,
                "email": "buyer@customer.example.com",
            }
        )
        cls.intakes = cls.env["sale.admin.intake"]

    def _format(self, **values):
        return MAIL.format(
            **{
                "sender": "Buyer <buyer@customer.example.com>",
                "to": f"orders@{self.alias_domain}",
                "subject": "Our order",
                "date": "Mon, 09 Mar 2026 10:00:00 +0100",
                "id": "order-1",
                "body": "Please deliver. Purchase order no. PO-4711.",
                "file": "order.pdf",
                "content": base64.b64encode(b"%PDF-1.4 order").decode(),
                **values,
            }
        )

    def _receive(self, **values):
        with self.mock_mail_gateway():
            intake_id = self.env["mail.thread"].sudo().message_process(None, self._format(**values))
        return self.intakes.browse(intake_id or [])

    def _upload(self, name="order.pdf", content=b"%PDF-1.4 order", user=None):
        return (
            self.env["ir.attachment"]
            .with_user(user or self.clerk)
            .create({"name": name, "raw": content})
        )

    def _take_in(self, *args, user=None, **kwargs):
        return self.intakes.with_user(user or self.clerk)._take_in(*args, **kwargs)

    # === MAILBOX === #
    def test_mail_of_a_known_buyer(self):
        intake = self._receive()
        self.assertRecordValues(
            intake,
            [
                {
                    "name": "Our order",
                    "company_id": self.company.id,
                    "partner_id": self.buyer.id,
                    "partner_origin": "address",
                    "client_order_ref": "PO-4711",
                    "state": "new",
                    "channel_id": self.env.ref("sale_admin_support.sale_admin_channel_email").id,
                }
            ],
        )
        self.assertEqual(str(intake.received_at), "2026-03-09 09:00:00")
        self.assertEqual(intake.message_main_attachment_id.name, "order.pdf")

    def test_unknown_sender_is_nobody(self):
        intake = self._receive(sender="Stranger <stranger@elsewhere.example.net>")
        self.assertFalse(intake.partner_id)
        action = intake.with_user(self.clerk).action_enter()
        self.assertEqual(action["tag"], "display_notification")
        self.assertFalse(intake.order_ids)
        with self.assertRaises(UserError):
            intake.with_user(self.clerk)._enter()

    def test_two_customers_with_the_address(self):
        self.partner_b.email = self.buyer.email
        self.assertFalse(self._receive().partner_id)

    def test_colleague_of_a_known_buyer(self):
        intake = self._receive(sender="New <new@customer.example.com>")
        self.assertRecordValues(
            intake, [{"partner_id": self.customer.id, "partner_origin": "domain"}]
        )

    def test_public_mail_domain_tells_nothing(self):
        self.buyer.email = "buyer@gmail.com"
        self.assertFalse(self._receive(sender="other@gmail.com").partner_id)

    def test_forwarded_by_one_of_us(self):
        self.salesman.email = "salesman@us.example.com"
        intake = self._receive(
            sender="salesman@us.example.com",
            body="From: Buyer <buyer@customer.example.com>\nPlease deliver",
        )
        self.assertRecordValues(intake, [{"partner_id": self.buyer.id, "partner_origin": "text"}])

    def test_customer_of_another_company(self):
        self.buyer.parent_id = False
        self.buyer.company_id = self.setup_other_company()["company"]
        self.assertFalse(self._receive().partner_id)

    def test_same_mail_twice(self):
        intake = self._receive()
        self.assertFalse(self._receive())
        attachment = self._upload("again.eml", self._format().encode())
        self.assertEqual(self._take_in(attachment), intake)
        self.assertEqual(self.intakes.search_count([]), 1)

    def test_same_order_sent_again(self):
        first = self._receive()
        second = self._receive(id="order-2", body="Did you get our order?")
        self.assertEqual(second.same_as_id, first)
        self.assertFalse(first.same_as_id)
        other = base64.b64encode(b"%PDF-1.4 other").decode()
        self.assertFalse(self._receive(id="order-3", content=other).same_as_id)

    def test_mailboxes_of_two_companies(self):
        other = self.setup_other_company()["company"]
        other.alias_domain_id = self.mail_alias_domain
        other.sale_admin_intake_alias_name = "orders-2"
        intake = self._receive(to=f"orders-2@{self.alias_domain}")
        self.assertEqual(intake.company_id, other)
        with self.assertRaises(AccessError):
            intake.with_user(self.clerk).read(["name"])

    def test_mailbox_is_renamed_and_closed(self):
        alias = self.company.sale_admin_intake_alias_id
        self.company.sale_admin_intake_alias_name = "bestellungen"
        self.assertEqual(self.company.sale_admin_intake_alias_id, alias)
        self.company.sale_admin_intake_alias_name = False
        self.assertFalse(alias.exists())

    def test_date_in_the_future_is_not_believed(self):
        intake = self._receive(date="Mon, 09 Mar 2037 10:00:00 +0100")
        self.assertEqual(str(intake.received_at), "2026-03-10 12:00:00")

    # === REFERENCE === #
    def test_reference(self):
        for text, reference in (
            ("PO 4711", "4711"),
            ("Our PO-4711/A, please", "PO-4711/A"),
            ("Purchase order no. 12", "12"),
            ("Order no: 77-B", "77-B"),
            ("Bestellung Nr. 4500012345", "4500012345"),
            ("Zamówienie nr 118/26", "118/26"),
            ("Pedido n.º 2026-17", "2026-17"),
            ("Đơn hàng số 88", "88"),
            ("Purchase order 100 pcs", False),
            ("Our order: as always", False),
            ("PO 4711 and PO 4712", False),
            ("in order to 1000", False),
            (False, False),
        ):
            with self.subTest(text=text):
                self.assertEqual(self.intakes._guess_reference(text), reference)

    # === REGISTERING BY HAND === #
    def test_files_are_one_order(self):
        files = self._upload() + self._upload("plan.xlsx", b"plan")
        intake = self._take_in(files, values={"partner_id": self.customer.id})
        self.assertEqual(len(intake), 1)
        self.assertEqual(set(files.mapped("res_id")), {intake.id})

    def test_each_mail_is_an_order(self):
        mails = self.env["ir.attachment"]
        for number in (1, 2):
            mails += self._upload(f"{number}.eml", self._format(id=f"m{number}").encode())
        intakes = self._take_in(mails)
        self.assertEqual(intakes.partner_id, self.buyer)
        self.assertEqual(len(intakes), 2)

    def test_text(self):
        intake = self._take_in(
            self.env["ir.attachment"], text="Order no. 5\nfrom buyer@customer.example.com"
        )
        self.assertRecordValues(
            intake, [{"name": "Order no. 5", "partner_id": self.buyer.id, "client_order_ref": "5"}]
        )

    def test_nothing_empty_and_too_large(self):
        none = self.env["ir.attachment"].with_user(self.clerk)
        with self.assertRaisesRegex(UserError, "nothing to register"):
            self._take_in(none, text="   ")
        with self.assertRaisesRegex(UserError, "is empty"):
            self._take_in(self._upload("empty.pdf", b""))
        self.company.sale_admin_max_file_size = 1
        with self.assertRaises(ValidationError):
            self._take_in(self._upload("big.pdf", b"x" * (1024 * 1024 + 1)))
        self.assertFalse(self.intakes.search_count([]))

    def test_broken_mail_and_exotic_names_are_kept(self):
        broken = self._upload("mail.eml", b"\x00\xff this is no mail")
        intake = self._take_in(broken)
        self.assertEqual(broken.res_id, intake.id)
        exotic = self._upload("../../=cmd|'\n\u202eđơn.pdf", b"x")
        self.assertNotIn("\n", self._take_in(exotic).name)

    def test_files_of_others_are_copied(self):
        theirs = self._upload(user=self.clerk_2)
        theirs.write({"res_model": "sale.order", "res_id": self._create_order().id})
        intake = self._take_in(theirs.with_user(self.clerk))
        self.assertEqual(theirs.res_model, "sale.order")
        self.assertEqual(intake.message_attachment_count, 1)

    def test_files_that_one_may_not_read(self):
        secret = self._upload(user=self.manager)
        with self.assertRaises(AccessError):
            self._take_in(secret.with_user(self.clerk))

    def test_wizard_proposes_and_makes_the_order(self):
        attachment = self._upload("order.eml", self._format().encode())
        wizard = self.env["sale.admin.intake.register"].with_user(self.clerk)
        wizard = wizard.create({"attachment_ids": [Command.set(attachment.ids)]})
        wizard._onchange_attachment_ids()
        self.assertRecordValues(
            wizard,
            [{"partner_id": self.buyer.id, "client_order_ref": "PO-4711", "mail_count": 1}],
        )
        action = wizard.action_make_order()
        order = self.env["sale.order"].browse(action["res_id"])
        self.assertEqual(order.partner_id, self.buyer)

    # === ENTERING === #
    def test_entered_with_all_papers(self):
        intake = self._receive().with_user(self.clerk)
        intake.action_enter()
        order = intake.order_ids
        self.assertRecordValues(
            order,
            [
                {
                    "partner_id": self.buyer.id,
                    "client_order_ref": "PO-4711",
                    "entered_by_id": self.clerk.id,
                    "channel_id": intake.channel_id.id,
                    "received_at": intake.received_at,
                    "state": "draft",
                }
            ],
        )
        papers = self.env["ir.attachment"].search(
            [("res_model", "=", "sale.order"), ("res_id", "=", order.id)]
        )
        self.assertEqual(papers.mapped("name"), ["order.pdf"])
        self.assertIn("Please deliver", "".join(order.message_ids.mapped("body")))
        self.assertRecordValues(intake, [{"state": "entered", "closed_by_id": self.clerk.id}])
        self.assertEqual(intake.action_enter()["res_id"], order.id, "Not entered a second time.")
        self.assertEqual(len(intake.order_ids), 1)
        intake.action_enter_another()
        self.assertEqual(len(intake.order_ids), 2)

    def test_somebody_else_is_at_it(self):
        intake = self._receive()
        intake.with_user(self.clerk).action_take()
        with self.assertRaises(UserError):
            intake.with_user(self.clerk_2).action_take()

    def test_no_order_needs_a_reason(self):
        intake = self._receive().with_user(self.clerk)
        with self.assertRaises(UserError):
            intake._discard(" ")
        intake._discard("An offer of a supplier")
        self.assertEqual(intake.state, "discarded")
        with self.assertRaises(UserError):
            intake.action_enter()
        intake.action_reopen()
        self.assertRecordValues(intake, [{"state": "new", "close_note": False}])

    def test_belongs_to_an_order(self):
        order = self._create_order()
        intake = self._receive().with_user(self.clerk)
        intake._discard("A change", order.with_user(self.clerk))
        self.assertEqual(order.message_attachment_count, 1)

    def test_later_mail_reaches_who_entered_it(self):
        intake = self._receive()
        intake.with_user(self.clerk)._enter()
        parent = intake.message_ids.filtered(lambda m: m.message_type == "email")
        reply = self._format(id="late").replace(
            "MIME-Version", f"In-Reply-To: {parent.message_id}\nMIME-Version"
        )
        with self.mock_mail_gateway():
            self.env["mail.thread"].sudo().message_process(None, reply)
        self.assertEqual(self.intakes.search_count([]), 1)
        self.assertEqual(intake.order_ids.activity_ids.user_id, self.clerk)

    # === RIGHTS === #
    def test_server_fields(self):
        intake = self._receive().with_user(self.manager)
        for vals in ({"state": "entered"}, {"content_hash": "x"}, {"closed_by_id": 1}):
            with self.assertRaises(UserError):
                intake.write(vals)
        forged = self.intakes.with_user(self.clerk).with_context(default_state="entered")
        self.assertEqual(forged.create({"name": "x"}).state, "new")
        with self.assertRaises(UserError):
            self.intakes.with_user(self.clerk).create({"name": "x", "state": "entered"})

    def test_nothing_is_lost(self):
        intake = self._receive()
        with self.assertRaises(AccessError):
            intake.with_user(self.clerk).unlink()
        with self.assertRaises(UserError):
            intake.with_user(self.manager).unlink()

    def test_salesperson_sees_own_customers_alone(self):
        mine = self._receive()
        other = self._receive(id="o2", sender="stranger@elsewhere.example.net")
        self.customer.user_id = self.salesman
        found = self.intakes.with_user(self.salesman).search([])
        self.assertEqual(found, mine)
        registered = self._take_in(self._upload(user=self.salesman), user=self.salesman)
        self.assertIn(registered, self.intakes.with_user(self.salesman).search([]))
        with self.assertRaises(AccessError):
            self.env["sale.order"].with_user(self.salesman).create(
                {"partner_id": self.customer.id, "intake_id": other.id}
            )
        with self.assertRaises(AccessError):
            other.with_user(self.salesman).read(["body"])
