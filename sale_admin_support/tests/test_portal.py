import re

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaleAdminSupportCommon

SECRETS = ("secret note", "secret reason", "secret evidence", "secret waiver", "secret milestone")
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class PortalCommon(SaleAdminSupportCommon, HttpCase):
    """Two customers with portal users; the first has a contract with a schedule."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({"is_company": True, "name": "Acme"})
        cls.contact = cls.env["res.partner"].create(
            {"name": "Ann of Acme", "parent_id": cls.customer.id, "email": "ann@acme.example"}
        )
        cls.portal_user = cls._create_portal_user("ann_acme", cls.contact)
        cls.contact.name = "Ann of Acme"  # a test user is named after its login
        cls.stranger = cls._create_portal_user(
            "bob_other", cls.env["res.partner"].create({"name": "Bob of another customer"})
        )
        cls.order = cls._create_order(quantity=10.0, price=100.0)
        cls.contract = cls._create_contract(
            cls.order,
            title="Pumps",
            partner_ref="PO 4711",
            user_id=cls.salesman.id,
            admin_id=cls.clerk.id,
            note="secret note",
            date_signed=fields.Date.today(),
            date_start=fields.Date.today(),
        )
        cls.milestone = cls._create_milestone(
            name="Shipping", kind="delivery", note="secret note", evidence="secret evidence"
        )
        cls.hidden_milestone = cls._create_milestone(
            name="secret milestone", visible_to_customer=False
        )
        cls._set_state(cls.contract, "active")

    @classmethod
    def _create_portal_user(cls, login, partner, company=None):
        return new_test_user(
            cls.env,
            login=login,
            password=login,
            groups="base.group_portal",
            partner_id=partner.id,
            company_id=(company or cls.company).id,
            company_ids=[Command.set((company or cls.company).ids)],
        )

    @classmethod
    def _create_milestone(cls, **values):
        return cls.env["sale.admin.milestone"].create(
            {
                "contract_id": cls.contract.id,
                "kind": "other",
                "measure": "manual",
                "date_planned": fields.Date.add(fields.Date.today(), days=30),
                **values,
            }
        )

    @classmethod
    def _set_state(cls, contract, state):
        """Put the contract into a state, past the guards: what is tested is who sees it."""
        contract._set({"state": state})
        contract.flush_recordset()

    def _get_page(self, contract=None, login=None, **params):
        self.authenticate(login, login) if login else self.authenticate(None, None)
        contract = contract or self.contract
        return self.url_open(
            f"/my/contracts/{contract.id}?" + "&".join(f"{k}={v}" for k, v in params.items())
        )

    def _get_text(self, response):
        """What is read on the page: no markup, one space between words."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))

    def assertShown(self, response, contract=None):
        self.assertEqual(response.status_code, 200)
        self.assertIn(f"/my/contracts/{(contract or self.contract).id}", response.url)
        self.assertIn((contract or self.contract).name, response.text)

    def assertRefused(self, response, contract=None):
        contract = contract or self.contract
        self.assertNotIn(f"/my/contracts/{contract.id}", response.url.split("?")[0])
        self.assertNotIn(contract.title or contract.name, response.text)


@tagged("post_install", "-at_install")
class TestPortalAccess(PortalCommon):
    # === WHO SEES A CONTRACT === #
    def test_customer_sees_contract_without_following_it(self):
        self.assertNotIn(self.contact, self.contract.message_partner_ids)
        self.assertShown(self._get_page(login="ann_acme"))

    def test_every_contact_of_the_customer_sees_it(self):
        other = self.env["res.partner"].create({"name": "Al", "parent_id": self.contact.id})
        self._create_portal_user("al_acme", other)
        self.assertShown(self._get_page(login="al_acme"))

    def test_another_customer_is_refused(self):
        self.assertRefused(self._get_page(login="bob_other"))

    def test_subsidiary_is_another_customer(self):
        subsidiary = self.env["res.partner"].create(
            {"name": "Acme North", "parent_id": self.customer.id, "is_company": True}
        )
        self._create_portal_user("sub_acme", subsidiary)
        self.assertRefused(self._get_page(login="sub_acme"))

    def test_portal_user_of_another_company_is_refused(self):
        company_2 = self.env["res.company"].create({"name": "Second Company"})
        contact = self.env["res.partner"].create({"name": "Cy", "parent_id": self.customer.id})
        self._create_portal_user("cy_acme", contact, company_2)
        self.assertRefused(self._get_page(login="cy_acme"))

    def test_colleague_of_another_company_is_refused(self):
        company_2 = self.env["res.company"].create({"name": "Second Company"})
        self._create_user("clerk_company_2", "sale_admin_support.group_sale_admin_user", company_2)
        self.assertRefused(self._get_page(login="clerk_company_2"))

    def test_colleague_without_rights_is_refused(self):
        self._create_user("colleague", "base.group_user")
        self.assertRefused(self._get_page(login="colleague"))

    def test_colleague_of_the_desk_previews_a_draft(self):
        self._set_state(self.contract, "draft")
        self.assertShown(self._get_page(login="sales_clerk"))

    def test_visitor_is_refused_without_token(self):
        self.assertRefused(self._get_page())

    def test_visitor_is_refused_with_wrong_token(self):
        self.contract._portal_ensure_token()
        self.assertRefused(self._get_page(access_token="00000000-0000-0000-0000-000000000000"))
        self.assertRefused(self._get_page(access_token=""))

    def test_visitor_is_refused_with_the_token_of_another_contract(self):
        other = self._create_contract(title="Other one")
        self._set_state(other, "active")
        self.assertRefused(self._get_page(access_token=other._portal_ensure_token()))

    def test_empty_token_does_not_open_a_contract_that_has_none(self):
        self.contract.access_token = False
        self.assertRefused(self._get_page(access_token=""))
        self.assertRefused(self._get_page(access_token="False"))

    def test_link_opens_the_contract_without_login(self):
        self.authenticate(None, None)
        self.assertShown(self.url_open(self.contract.get_portal_url()))

    def test_link_opens_the_contract_for_another_user(self):
        self.authenticate("bob_other", "bob_other")
        self.assertShown(self.url_open(self.contract.get_portal_url()))

    def test_unknown_contract_answers_as_a_forbidden_one(self):
        self.authenticate("bob_other", "bob_other")
        forbidden = self.url_open(f"/my/contracts/{self.contract.id}", allow_redirects=False)
        unknown = self.url_open("/my/contracts/999999999", allow_redirects=False)
        self.assertEqual(forbidden.status_code, unknown.status_code)
        self.assertEqual(forbidden.headers["Location"], unknown.headers["Location"])

    def test_only_what_is_sent_out_is_shown(self):
        token = self.contract._portal_ensure_token()
        for state, shown in (
            ("draft", False),
            ("to_sign", True),
            ("active", True),
            ("suspended", True),
            ("done", True),
            ("terminated", True),
            ("cancelled", False),
        ):
            with self.subTest(state=state):
                self._set_state(self.contract, state)
                check = self.assertShown if shown else self.assertRefused
                check(self._get_page(login="ann_acme"))
                check(self._get_page(access_token=token))

    # === WHAT IS ON THE PAGE === #
    def test_page_shows_no_internal_word(self):
        self.contract._set({"state_reason": "secret reason"})
        self.contract.message_post(body="secret note", subtype_xmlid="mail.mt_note")
        for response in (
            self._get_page(login="ann_acme"),
            self._get_page(access_token=self.contract._portal_ensure_token()),
        ):
            self.assertShown(response)
            self.assertIn("Shipping", response.text)
            for secret in SECRETS:
                self.assertNotIn(secret, response.text)
            self.assertNotIn(self.clerk.name, response.text)
            self.assertIn(self.salesman.name, response.text)

    def test_administrator_is_the_contact_where_nobody_sells(self):
        self.contract.user_id = False
        self.assertIn(self.clerk.name, self._get_page(login="ann_acme").text)

    # === OTHER WAYS IN === #
    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.models")
    def test_portal_user_is_refused_by_rpc(self):
        self.authenticate("ann_acme", "ann_acme")
        for model in (
            "sale.admin.contract",
            "sale.admin.contract.line",
            "sale.admin.contract.amendment",
            "sale.admin.milestone",
            "sale.admin.milestone.template",
            "sale.admin.fact",
            "sale.admin.contract.report",
            "sale.admin.queue",
        ):
            if model not in self.env:
                continue
            for method, args in (
                ("search_read", [[]]),
                ("read", [[self.contract.id]]),
                ("web_search_read", [[], {"display_name": {}}]),
                ("search_count", [[]]),
                ("formatted_read_group", [[], [], ["__count"]]),
                ("export_data", [[self.contract.id], ["display_name"]]),
                ("name_search", [""]),
            ):
                with self.subTest(model=model, method=method), self.assertRaises(JsonRpcException):
                    self.make_jsonrpc_request(
                        f"/web/dataset/call_kw/{model}/{method}",
                        {"model": model, "method": method, "args": args, "kwargs": {}},
                    )

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.models")
    def test_order_does_not_lead_the_portal_user_to_the_contract(self):
        self.order.message_subscribe(self.contact.ids)
        self.authenticate("ann_acme", "ann_acme")
        with self.assertRaises(JsonRpcException):
            self.make_jsonrpc_request(
                "/web/dataset/call_kw/sale.order/read",
                {
                    "model": "sale.order",
                    "method": "read",
                    "args": [[self.order.id], ["sale_contract_id"]],
                    "kwargs": {},
                },
            )

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.models")
    def test_portal_user_is_refused_the_report_by_its_address(self):
        reports = self.env["ir.actions.report"].search([("model", "=like", "sale.admin.%")])
        self.authenticate("ann_acme", "ann_acme")
        for report in reports:
            for converter in ("html", "pdf", "text"):
                response = self.url_open(
                    f"/report/{converter}/{report.report_name}/{self.contract.id}"
                )
                with self.subTest(report=report.report_name, converter=converter):
                    self.assertNotEqual(response.status_code, 200)
                    self.assertNotIn("Pumps", response.text)

    @mute_logger("odoo.http")
    def test_files_are_refused_by_their_address(self):
        attachment = self.env["ir.attachment"].create(
            {
                "name": "calculation.txt",
                "raw": b"secret note",
                "res_model": self.contract._name,
                "res_id": self.contract.id,
            }
        )
        self.contract.write({"signed_file": b"c2VjcmV0IG5vdGU=", "signed_file_name": "signed.txt"})
        self.milestone.write({"file": b"c2VjcmV0IG5vdGU=", "file_name": "proof.txt"})
        for login in ("ann_acme", None):
            self.authenticate(login, login)
            for url in (
                f"/web/content/{attachment.id}",
                f"/web/content/sale.admin.contract/{self.contract.id}/signed_file",
                f"/web/content/sale.admin.milestone/{self.milestone.id}/file",
                f"/web/image/sale.admin.contract/{self.contract.id}/signature",
                f"/web/content/{attachment.id}?access_token={self.contract._portal_ensure_token()}",
            ):
                with self.subTest(login=login, url=url):
                    self.assertNotIn("secret note", self.url_open(url).text)

    @mute_logger("odoo.http")
    def test_link_does_not_open_the_chatter(self):
        self.contract.message_post(body="secret note", subtype_xmlid="mail.mt_comment")
        token = self.contract._portal_ensure_token()
        self.authenticate(None, None)
        params = {"thread_model": self.contract._name, "thread_id": self.contract.id}
        with self.assertRaises(JsonRpcException):
            self.make_jsonrpc_request("/mail/chatter_fetch", {**params, "token": token})
        pid = self.contract.partner_id.id
        with self.assertRaises(JsonRpcException):
            self.make_jsonrpc_request(
                "/mail/message/post",
                {
                    **params,
                    "post_data": {"body": "spam"},
                    "token": token,
                    "pid": pid,
                    "hash": self.contract._sign_token(pid),
                },
            )

    # === LIST AND HOME === #
    def test_home_counts_the_contracts_of_the_customer(self):
        to_sign = self._create_contract(title="New pumps")
        self._set_state(to_sign, "to_sign")
        self._create_contract(title="Draft pumps")
        counters = {"counters": ["sale_contract_count", "sale_contract_to_sign_count"]}
        self.authenticate("ann_acme", "ann_acme")
        values = self.make_jsonrpc_request("/my/counters", counters)
        self.assertEqual(values["sale_contract_count"], 2)
        self.assertEqual(values["sale_contract_to_sign_count"], 1)
        self.assertIn("/my/contracts", self.url_open("/my").text)
        self.authenticate("bob_other", "bob_other")
        values = self.make_jsonrpc_request("/my/counters", counters)
        self.assertEqual(values["sale_contract_count"], 0)

    def test_list_shows_own_contracts_only(self):
        self.authenticate("ann_acme", "ann_acme")
        self.assertIn("Pumps", self.url_open("/my/contracts").text)
        self.authenticate("bob_other", "bob_other")
        page = self.url_open("/my/contracts").text
        self.assertNotIn("Pumps", page)
        self.assertIn("There are no contracts for your account yet.", page)

    def test_list_sends_visitors_to_login(self):
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open("/my/contracts").url)

    def test_list_searches_filters_and_sorts(self):
        other = self._create_contract(title="Valves", partner_ref="PO 4712")
        self._set_state(other, "done")
        self.authenticate("ann_acme", "ann_acme")
        for query, pumps, valves in (
            ("search=Pumps", True, False),
            ("search=4712&search_in=partner_ref", False, True),
            ("search=4712&search_in=name", False, False),
            (f"search={self.order.name}&search_in=order", True, False),
            ("filterby=running", True, False),
            ("filterby=ended", False, True),
            ("filterby=to_sign", False, False),
            ("filterby=nonsense&sortby=nonsense&search_in=nonsense", True, True),
            ("sortby=state", True, True),
            ("sortby=end", True, True),
            ("sortby=name", True, True),
            ("search=%25&search_in=all", True, True),
        ):
            with self.subTest(query=query):
                response = self.url_open(f"/my/contracts?{query}")
                self.assertEqual(response.status_code, 200)
                self.assertEqual("Pumps" in response.text, pumps)
                self.assertEqual("Valves" in response.text, valves)

    def test_list_has_pages(self):
        contracts = self.env["sale.admin.contract"]
        for number in range(80):
            contracts += self._create_contract(title=f"Number {number}")
        contracts._set({"state": "active"})
        contracts.flush_recordset()
        self.authenticate("ann_acme", "ann_acme")
        first, second = self.url_open("/my/contracts"), self.url_open("/my/contracts/page/2")
        self.assertIn("/my/contracts/page/2", first.text)
        rows = [
            len(re.findall(r'href="/my/contracts/\d+\?', page.text)) for page in (first, second)
        ]
        self.assertEqual(rows, [80, 1])

    # === SIGNATURE === #
    def _sign(self, token=None, name="Ann", signature=PIXEL):
        return self.make_jsonrpc_request(
            f"/my/contracts/{self.contract.id}/sign",
            {"access_token": token, "name": name, "signature": signature},
        )

    def test_customer_signs_online_once(self):
        self._set_state(self.contract, "to_sign")
        self.contract._set({"date_signed": False})
        self.authenticate("ann_acme", "ann_acme")
        self.assertTrue(self._sign().get("force_refresh"))
        self.contract.invalidate_recordset()
        self.assertRecordValues(
            self.contract,
            [
                {
                    "state": "to_sign",
                    "signed_by": "Ann",
                    "date_signed": self.company._sale_admin_today(),
                    "signed_amount_total": self.contract.amount_total,
                }
            ],
        )
        self.assertTrue(self.contract.signature)
        message = self.contract.message_ids.filtered(lambda m: "Signed online" in (m.body or ""))
        self.assertEqual(message.author_id, self.contact)
        self.assertEqual(len(message.attachment_ids), 1)
        self.assertEqual(self.contract.activity_ids.user_id, self.clerk)
        self.assertIn("signed already", self._sign(name="Eve")["error"])
        self.assertEqual(self.contract.signed_by, "Ann")

    def test_link_signs_for_the_signatory(self):
        self._set_state(self.contract, "to_sign")
        self.contract.signatory_id = self.contact
        self.authenticate(None, None)
        self.assertTrue(self._sign(self.contract._portal_ensure_token()).get("force_refresh"))
        self.contract.invalidate_recordset()
        self.assertEqual(self.contract.signed_by, "Ann")

    def test_signature_is_refused(self):
        token = self.contract._portal_ensure_token()
        for state, login, access_token, name, signature in (
            ("active", "ann_acme", None, "Ann", PIXEL),
            ("draft", "ann_acme", None, "Ann", PIXEL),
            ("draft", None, token, "Ann", PIXEL),
            ("to_sign", "bob_other", None, "Bob", PIXEL),
            ("to_sign", None, None, "Ann", PIXEL),
            ("to_sign", None, "wrong", "Ann", PIXEL),
            ("to_sign", "ann_acme", None, " ", PIXEL),
            ("to_sign", "ann_acme", None, "Ann", ""),
            ("to_sign", "ann_acme", None, "Ann", "no picture"),
            ("to_sign", "ann_acme", None, {"a": 1}, PIXEL),
        ):
            with self.subTest(state=state, login=login, token=access_token, name=name):
                self._set_state(self.contract, state)
                self.authenticate(login, login)
                self.assertTrue(self._sign(access_token, name, signature)["error"])
                self.contract.invalidate_recordset()
                self.assertFalse(self.contract.signature)
                self.assertFalse(self.contract.signed_by)

    def test_signature_cannot_be_written_by_a_client(self):
        for values in ({"signature": PIXEL}, {"signed_by": "Ann"}, {"signed_on": "2026-01-01"}):
            with self.subTest(values=values), self.assertRaises(UserError):
                self.contract.with_user(self.manager).write(values)

    def test_signed_agreement_is_not_changed_behind_the_customer(self):
        self._set_state(self.contract, "to_sign")
        self.contract._sign_by_customer("Ann", PIXEL, self.contact)
        clerk_contract = self.contract.with_user(self.clerk)
        with self.assertRaises(UserError):
            clerk_contract.date_end = "2030-01-01"
        self.order.order_line.product_uom_qty = 20.0
        with self.assertRaisesRegex(UserError, "value changed"):
            clerk_contract.write({"state": "active"})
        clerk_contract.write({"state": "draft"})
        self.assertFalse(self.contract.signature)


@tagged("post_install", "-at_install")
class TestPortalStatus(PortalCommon):
    """What the customer is told is what happened: 10 pieces at 100, 15 % tax."""

    def test_nothing_happened_yet(self):
        status = self.contract._get_customer_status()
        self.assertEqual(
            [(row["ordered"], row["delivered"], row["open"]) for row in status["products"]],
            [(10.0, 0.0, 10.0)],
        )
        self.assertFalse(status["deliveries"] or status["invoices"] or status["payments"])
        self.assertEqual(status["amount_open"], 0.0)

    def test_part_delivered_invoiced_and_paid(self):
        picking = self._deliver(self.order, 6.0)
        invoice = self._invoice(self.order)
        self._pay(invoice, 500.0)
        status = self.contract._get_customer_status()
        self.assertEqual(
            [(row["ordered"], row["delivered"], row["open"]) for row in status["products"]],
            [(10.0, 6.0, 4.0)],
        )
        self.assertEqual(
            [(row["picking"], row["kind"], row["lines"]) for row in status["deliveries"]],
            [(picking, "delivered", [{"product": self.goods, "quantity": 6.0}])],
        )
        self.assertEqual(
            [(row["move"], row["amount"], row["amount_open"]) for row in status["invoices"]],
            [(invoice, 1150.0, 650.0)],
        )
        self.assertEqual(status["amount_paid"], 500.0)
        self.assertEqual(status["amount_open"], 650.0)

    def test_returned_goods_are_open_again(self):
        picking = self._deliver(self.order)
        self._return(picking, 4.0)
        status = self.contract._get_customer_status()
        self.assertEqual(status["products"][0]["delivered"], 6.0)
        self.assertEqual(status["products"][0]["open"], 4.0)
        returned = [row for row in status["deliveries"] if row["kind"] == "returned"]
        self.assertEqual([row["lines"][0]["quantity"] for row in returned], [4.0])

    def test_credit_note_is_negative(self):
        invoice = self._invoice(self.order)
        self._credit(invoice)
        status = self.contract._get_customer_status()
        self.assertEqual(sorted(row["amount"] for row in status["invoices"]), [-1150.0, 1150.0])
        self.assertEqual(status["amount_invoiced"], 0.0)
        self.assertEqual(status["amount_open"], 0.0)

    def test_write_off_is_neither_paid_nor_open(self):
        invoice = self._invoice(self.order)
        self._pay(invoice, 1100.0, write_off=True)
        status = self.contract._get_customer_status()
        self.assertEqual(status["amount_paid"], 1100.0)
        self.assertEqual(status["amount_open"], 0.0)

    def test_invoice_over_two_orders_counts_by_the_contracts_share(self):
        other_order = self._create_order(quantity=30.0)
        invoice = self._invoice(self.order | other_order)
        self.assertEqual(invoice.amount_total, 4600.0)
        self._pay(invoice, 2300.0)
        status = self.contract._get_customer_status()
        self.assertEqual(
            [(row["amount"], row["amount_open"]) for row in status["invoices"]], [(1150.0, 575.0)]
        )
        self.assertEqual(status["amount_paid"], 575.0)

    def test_draft_invoice_is_not_shown(self):
        self._invoice(self.order, post=False)
        self.assertFalse(self.contract._get_customer_status()["invoices"])

    def test_amounts_are_in_the_contracts_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2017-01-01", 2.0)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": currency.id}
        )
        order = self._create_order(pricelist_id=pricelist.id)
        contract = self._create_contract(order)
        self._set_state(contract, "active")
        invoice = self._invoice(order)
        self._pay(invoice, 500.0, currency_id=currency.id)
        status = contract._get_customer_status()
        self.assertEqual(contract.currency_id, currency)
        self.assertEqual(status["amount_invoiced"], 1150.0)
        self.assertEqual(status["amount_paid"], 500.0)
        self.assertEqual(status["amount_open"], 650.0)

    def test_page_shows_what_happened_and_links_to_own_papers(self):
        picking = self._deliver(self.order, 6.0)
        invoice = self._invoice(self.order)
        self._pay(invoice, 500.0)
        for login in ("ann_acme", None):
            response = self._get_page(
                login=login, access_token="" if login else self.contract._portal_ensure_token()
            )
            text = self._get_text(response)
            self.assertIn(picking.name, text)
            self.assertIn(invoice.name, text)
            self.assertRegex(text, r"Total \$ 1,150.00 \$ 650.00")
            self.assertIn(f"/my/invoices/{invoice.id}?access_token=", response.text)

    def test_invoice_to_somebody_else_has_no_link(self):
        self.order.partner_invoice_id = self.partner_b
        invoice = self._invoice(self.order)
        page = self._get_page(login="ann_acme").text
        self.assertIn(invoice.name, page)
        self.assertNotIn(f"/my/invoices/{invoice.id}", page)

    def test_document_is_downloaded_by_login_and_by_link(self):
        for login, token in (("ann_acme", ""), (None, self.contract._portal_ensure_token())):
            response = self._get_page(
                login=login, access_token=token, report_type="pdf", download="true"
            )
            self.assertEqual(response.status_code, 200)
            self.assertIn("attachment", response.headers["Content-Disposition"])
            self.assertIn(self.contract.name, response.text)
            for secret in SECRETS:
                self.assertNotIn(secret, response.text)
            self.assertNotIn(self.clerk.name, response.text)
        self.assertRefused(self._get_page(login="bob_other", report_type="pdf"))
        self.assertRefused(self._get_page(report_type="pdf"))

    def test_page_speaks_the_customers_language(self):
        self.env["res.lang"]._activate_lang("vi_VN")
        self.milestone.with_context(lang="vi_VN").name = "Giao hàng"
        self.customer.lang = "vi_VN"
        self.portal_user.lang = "vi_VN"
        token = self.contract._portal_ensure_token()
        self.assertIn("Giao hàng", self._get_page(access_token=token).text)
        self.authenticate("ann_acme", "ann_acme")
        self.assertIn("Giao hàng", self.url_open(f"/vi/my/contracts/{self.contract.id}").text)

    def test_customer_goes_through_the_pages(self):
        self._deliver(self.order, 6.0)
        self.start_tour("/my", "sale_admin_portal", login="ann_acme")

    def test_customer_signs_in_the_browser(self):
        self.contract.signatory_id = self.contact
        self._set_state(self.contract, "to_sign")
        self.start_tour(self.contract.get_portal_url(), "sale_admin_portal_sign", login=None)
        self.contract.invalidate_recordset()
        self.assertEqual(self.contract.signed_by, "Ann of Acme")
        self.assertTrue(self.contract.signature)


@tagged("post_install", "-at_install")
class TestPortalMails(PortalCommon):
    def _send(self, action):
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.clerk)
            .with_context(**action["context"])
            .create({})
        )
        composer._action_send_mail()
        return self.contract.message_ids.sorted("id")[-1:]

    def test_status_is_sent_to_the_customer_and_kept(self):
        self.contract.signatory_id = self.contact
        message = self._send(self.contract.with_user(self.clerk).action_send_status())
        self.assertIn(self.contact, message.partner_ids)
        self.assertIn(self.contract.access_token, message.body)
        attachment = message.attachment_ids
        self.assertEqual(len(attachment), 1)
        content = attachment.raw
        for values in ({"raw": b"other"}, {"name": "x.pdf"}, {"res_id": 0}, {"datas": False}):
            for user in (self.clerk, self.manager, self.env.ref("base.user_root")):
                with self.subTest(values=values, user=user.login), self.assertRaises(UserError):
                    attachment.with_user(user).write(values)
        with self.assertRaises(UserError):
            attachment.with_user(self.manager).unlink()
        with self.assertRaises(UserError):
            attachment.with_user(self.manager).write({"is_sale_admin_sent": False})
        self.order.order_line.product_uom_qty = 20.0
        self.assertEqual(attachment.raw, content)

    def test_papers_of_internal_notes_can_be_removed(self):
        message = self.contract.message_post(
            body="Note", attachments=[("a.txt", b"a")], subtype_xmlid="mail.mt_note"
        )
        message.attachment_ids.unlink()

    def test_mails_speak_the_customers_language(self):
        self.env["res.lang"]._activate_lang("vi_VN")
        for xmlid in ("status", "to_sign", "renewal"):
            template = self.env.ref(f"sale_admin_support.mail_template_contract_{xmlid}")
            template.with_context(lang="vi_VN").subject = "Xin chào {{ object.name }}"
            self.customer.lang = "vi_VN"
            values = template._generate_template(self.contract.ids, ["subject", "partner_to"])
            self.assertEqual(values[self.contract.id]["subject"], f"Xin chào {self.contract.name}")

    def test_renewal_letter_names_the_dates_and_the_link(self):
        self.contract._set({"date_end": "2027-06-30", "notice_days": 30, "renewal": "tacit"})
        template = self.env.ref("sale_admin_support.mail_template_contract_renewal")
        body = template._generate_template(self.contract.ids, ["body_html"])[self.contract.id][
            "body_html"
        ]
        self.assertIn("06/30/2027", body)
        self.assertIn("05/31/2027", body)
        self.assertIn(f"/my/contracts/{self.contract.id}?access_token=", body)

    def test_nothing_is_sent_of_a_contract_that_the_customer_does_not_see(self):
        self._set_state(self.contract, "draft")
        with self.assertRaises(UserError):
            self.contract.with_user(self.clerk).action_send_status()
        with self.assertRaises(UserError):
            self.contract.with_user(self.clerk).action_ask_signature()
