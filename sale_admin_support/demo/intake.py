"""What came in at the demo company these days: mails, a fax, an order entered twice, questions."""

import base64
from email.message import EmailMessage
from email.utils import format_datetime

import pytz

from .office import Office


class Intake(Office):
    def live(self):
        for happen in (
            self.receive_mails,
            self.receive_a_fax,
            self.enter_an_order_twice,
            self.leave_an_order_unconfirmed,
            self.ask_questions,
        ):
            happen()
        self.env.flush_all()

    # === WHAT CAME IN === #
    def receive_mails(self):
        """One of a known buyer with the order as a PDF, one of a sender whom nobody knows."""
        buyer = self.ref("contact_thao")
        self.receive(
            f'"{buyer.name}" <{buyer.email}>',
            "Order PO-4519, spare parts",
            "Dear Linh,\n\nplease find our purchase order PO-4519 attached: sealing tape and wear "
            "parts, delivery to the plant as always.\n\nBest regards\nThảo",
            days=0,
            hour=6,
            paper="Purchase order PO-4519: 40 sealing tape, 6 wear parts",
            file_name="PO-4519.pdf",
        )
        self.receive(
            '"Bluewater Foods, purchasing" <purchasing@bluewaterfoods.example.net>',
            "Order: stretch wrapper",
            "Good morning,\n\nwe saw your wrapper at the fair and would like to order one, with "
            "200 rolls of film. Our order no. BW-88.\n\nRegards\nNora Lind",
            days=-1,
            hour=15,
        )

    def receive(self, sender, subject, text, days, hour, paper=None, file_name=None):
        mail = EmailMessage()
        mail["From"] = sender
        mail["To"] = "orders@packline.example.com"
        mail["Subject"] = subject
        mail["Date"] = format_datetime(pytz.utc.localize(self.moment(days, hour)))
        mail["Message-Id"] = f"<{subject.replace(' ', '-')}@demo.packline.example.com>"
        mail.set_content(text)
        if paper:
            mail.add_attachment(
                base64.b64decode(self.paper(paper)),
                maintype="application",
                subtype="pdf",
                filename=file_name,
            )
        self.env["mail.thread"].message_process(
            "sale.admin.intake", mail.as_bytes(), custom_values={"company_id": self.company.id}
        )

    def receive_a_fax(self):
        fax = self.env["ir.attachment"].create(
            {
                "name": "Fax 0932.pdf",
                "datas": self.paper("Zamówienie nr 118/26: 2 x labeller"),
            }
        )
        customer = self.ref("customer_kujawska")
        self.env["sale.admin.intake"].with_user(self.user("dewi"))._take_in(
            fax.with_user(self.user("dewi")).sudo(),
            values={
                "name": "Fax, two labellers",
                "partner_id": customer.id,
                "client_order_ref": "118/26",
                "channel_id": self.channel("fax").id,
                "received_at": self.moment(-1, 9),
            },
        )

    def channel(self, code):
        return self.env["sale.admin.channel"]._get_by_code(code)

    # === ORDERS === #
    def enter(self, by, *args, **values):
        order = self.quote(*args, **values)
        order.entered_by_id = self.user(by)
        return order

    def enter_an_order_twice(self):
        """Ordered by mail, and by phone the next day to be sure."""
        lines = [("tape", 60), ("film", 150)]
        for days, code, by in ((-2, "email", "dewi"), (-1, "phone", "ana")):
            self.enter(
                by,
                "sierra",
                lines,
                days,
                12,
                euro=True,
                client_order_ref="PC-2207",
                channel_id=self.channel(code).id,
                received_at=self.moment(days, 8),
            )

    def leave_an_order_unconfirmed(self):
        self.enter(
            "ana",
            "warta",
            [("spares", 8)],
            -4,
            9,
            euro=True,
            client_order_ref="W/311",
            channel_id=self.channel("letter").id,
            received_at=self.moment(-5, 10),
        )

    # === QUESTIONS === #
    def ask_questions(self):
        """One due today, one with a reply to read, one answered, one to the salesperson."""
        first = self.enter(
            "ana",
            "saomai",
            [("sealer", 2), ("tape", 20)],
            -3,
            24,
            client_order_ref="SM-0611",
            channel_id=self.channel("email").id,
            received_at=self.moment(-3, 7),
        )
        first.action_quotation_sent()
        self.ask(
            first,
            "Delivery address",
            "To which of your two plants shall we deliver the sealers, and who receives them?",
            asked=-2,
            due=0,
        )
        replied = self.ask(
            first, "Voltage", "Do the sealers run on 230 V or on 400 V?", asked=-2, due=1
        )
        replied._note_reply("<p>400 V, please. Mai</p>", self.ref("contact_mai"))
        replied._set({"replied_at": self.moment(-1, 10)})
        second = self.enter(
            "dewi",
            "riaalta",
            [("tape", 90)],
            -1,
            6,
            euro=True,
            channel_id=self.channel("salesperson").id,
            received_at=self.moment(-1, 11),
        )
        answered = self.ask(
            second, "Customer reference", "Which number has your order?", asked=-1, due=1, by="dewi"
        )
        answered.with_user(self.user("dewi"))._record("RA-2350, told by phone")
        second.client_order_ref = "RA-2350"
        self.ask(
            second,
            "Price of the tape",
            "The framework says 56.00; is the list price agreed with them?",
            asked=-1,
            due=1,
            by="dewi",
            asks="salesperson",
        )

    def ask(self, order, name, question, asked, due, by="ana", **values):
        """As if it had been sent; nothing is mailed out of a demo."""
        clarification = self.env["sale.admin.clarification"].create(
            {
                "order_id": order.id,
                "name": name,
                "question": question,
                "user_id": self.user(by).id,
                "date_due": self.day(due),
                **values,
            }
        )
        clarification.with_user(self.user(by)).sudo()._note_asked()
        clarification._set({"asked_at": self.moment(asked, 9)})
        return clarification
