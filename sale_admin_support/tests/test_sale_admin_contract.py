import base64

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestContractStates(SaleAdminSupportCommon):
    def _activated(self, **values):
        contract = self._create_contract(
            self._create_order(10), date_signed=fields.Date.today(), **values
        )
        contract.with_user(self.clerk).action_activate()
        return contract

    def test_number_is_by_company_and_given_by_the_server(self):
        other = self.setup_other_company()["company"]
        values = {"partner_id": self.customer.id, "title": "Supply"}
        contracts = self.env["sale.admin.contract"].create([values, values])
        foreign = contracts.create({**values, "company_id": other.id})
        numbers = [int(contract.name.rpartition("/")[2]) for contract in contracts]
        self.assertEqual(numbers, [1, 2])
        self.assertEqual(int(foreign.name.rpartition("/")[2]), 1)
        self.assertEqual(foreign.currency_id, other.currency_id)
        with self.assertRaises(UserError):
            self.env["sale.admin.contract"].create({**values, "name": "MINE"})

    def test_a_contact_as_customer_becomes_the_signatory(self):
        contact = self.env["res.partner"].create(
            {"name": "Buyer", "parent_id": self.customer.id, "type": "contact"}
        )
        contract = self._create_contract(partner_id=contact.id)
        self.assertEqual(contract.partner_id, self.customer)
        self.assertEqual(contract.signatory_id, contact)

    def test_a_signatory_of_another_customer_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "does not belong to"):
            self._create_contract(signatory_id=self.partner_b.id)

    def test_state_cannot_be_created_past_the_guards(self):
        """Neither by value nor by the context's default."""
        contract = (
            self.env["sale.admin.contract"]
            .with_context(default_state="active")
            .create({"partner_id": self.customer.id})
        )
        self.assertEqual(contract.state, "draft")
        with self.assertRaisesRegex(UserError, "Enter the date"):
            self.env["sale.admin.contract"].create(
                {"partner_id": self.customer.id, "amount_total": 100, "state": "active"}
            )

    def test_server_fields_are_not_created_by_defaults(self):
        contract = (
            self.env["sale.admin.contract"]
            .with_user(self.clerk)
            .with_context(
                default_name="FORGED",
                default_date_activated="2026-01-01",
                default_amount_untaxed_baseline=1.0,
                default_amount_total_baseline=1.0,
                default_last_amendment_number=9,
                default_quantity_baseline=1.0,
                default_title="Free to say",
            )
            .create(
                {
                    "partner_id": self.customer.id,
                    "line_ids": [
                        Command.create(
                            {"product_id": self.goods.id, "quantity": 10, "price_unit": 5}
                        )
                    ],
                }
            )
        )
        self.assertRecordValues(
            contract,
            [
                {
                    "title": "Free to say",
                    "date_activated": False,
                    "amount_untaxed_baseline": 0.0,
                    "amount_total_baseline": 0.0,
                    "last_amendment_number": 0,
                }
            ],
        )
        self.assertNotEqual(contract.name, "FORGED")
        self.assertFalse(contract.line_ids.quantity_baseline)
        line = (
            self.env["sale.admin.contract.line"]
            .with_user(self.clerk)
            .with_context(default_quantity_baseline=1.0)
            .create({"contract_id": contract.id, "product_id": self.goods.id, "quantity": 10})
        )
        self.assertFalse(line.quantity_baseline)

    def test_a_running_contract_can_be_imported(self):
        contract = self.env["sale.admin.contract"].create(
            {
                "partner_id": self.customer.id,
                "amount_untaxed": 1000,
                "amount_total": 1150,
                "date_signed": "2020-01-15",
                "state": "active",
            }
        )
        self.assertRecordValues(
            contract,
            [{"state": "active", "amount_untaxed_baseline": 1000, "amount_total_baseline": 1150}],
        )

    def test_transitions_are_guarded_for_every_caller(self):
        contract = self._create_contract(self._create_order(10)).with_user(self.clerk)
        for state in ("suspended", "done", "terminated"):
            with self.assertRaisesRegex(UserError, "cannot become"):
                contract.write({"state": state, "state_reason": "because"})
        contract.write({"state": "to_sign"})
        with self.assertRaisesRegex(UserError, "Enter the date on which it was signed"):
            contract.write({"state": "active"})
        contract.date_signed = fields.Date.add(fields.Date.today(), days=2)
        with self.assertRaisesRegex(UserError, "future"):
            contract.write({"state": "active"})
        contract.date_signed = fields.Date.today()
        contract.write({"state": "active"})
        self.assertEqual(contract.state, "active")
        with self.assertRaisesRegex(UserError, "cannot become"):
            contract.write({"state": "cancelled"})

    def test_a_contract_without_value_is_not_sent_to_sign(self):
        contract = self._create_contract()
        with self.assertRaisesRegex(UserError, "has no value"):
            contract.action_send_to_sign()

    def test_activation_freezes_the_baseline(self):
        contract = self._activated(date_end="2099-12-31")
        self.assertRecordValues(
            contract,
            [
                {
                    "amount_untaxed_baseline": 1000.0,
                    "amount_total_baseline": 1150.0,
                    "date_end_baseline": fields.Date.to_date("2099-12-31"),
                }
            ],
        )
        self.assertRecordValues(
            contract.line_ids,
            [{"product_id": self.goods.id, "quantity": 10.0, "quantity_baseline": 10.0}],
        )

    def test_the_agreement_is_locked_once_active(self):
        contract = self._activated(date_end="2099-12-31").with_user(self.manager)
        for vals in (
            {"amount_untaxed": 5},
            {"date_end": "2098-01-01"},
            {"partner_id": self.partner_b.id},
            {"kind": "framework"},
            {"date_signed": "2020-01-01"},
        ):
            with self.assertRaisesRegex(UserError, "by an amendment"):
                contract.write(vals)
        for vals in ({"amount_untaxed_baseline": 5}, {"date_activated": False}):
            with self.assertRaisesRegex(UserError, "set by the system"):
                contract.write(vals)
        with self.assertRaisesRegex(UserError, "by an amendment"):
            contract.line_ids.write({"quantity": 11})
        with self.assertRaisesRegex(UserError, "by an amendment"):
            contract.write({"line_ids": [Command.clear()]})
        with self.assertRaisesRegex(UserError, "by an amendment"):
            self.env["sale.admin.contract.line"].create(
                {"contract_id": contract.id, "product_id": self.goods.id, "quantity": 1}
            )
        contract.write({"note": "a word", "amount_untaxed": contract.amount_untaxed})

    def test_the_signed_copy_on_file_stays(self):
        contract = self._activated()
        contract.signed_file = base64.b64encode(b"scan")
        with self.assertRaisesRegex(UserError, "is on file and stays"):
            contract.signed_file = base64.b64encode(b"another")

    def test_a_file_larger_than_allowed_is_refused(self):
        self.company.sale_admin_max_file_size = 1
        contract = self._create_contract()
        contract.signed_file = base64.b64encode(b"x" * (1024 * 1024))
        with self.assertRaisesRegex(ValidationError, "more than the 1 MB"):
            contract.signed_file = base64.b64encode(b"x" * (1024 * 1024 + 3))

    def test_end_before_start_is_refused(self):
        with self.assertRaises(Exception) as caught, self.cr.savepoint():
            self._create_contract(date_start="2026-02-01", date_end="2026-01-31")
        self.assertIn("dates_ordered", str(caught.exception))

    def test_suspend_and_terminate_need_a_reason(self):
        contract = self._activated().with_user(self.clerk)
        with self.assertRaisesRegex(UserError, "Give the reason"):
            contract.write({"state": "suspended"})
        wizard = self.env[contract.action_suspend()["res_model"]].with_user(self.clerk)
        wizard = wizard.create(
            {"contract_ids": contract.ids, "state": "suspended", "reason": "Customer moves"}
        )
        wizard.action_apply()
        self.assertEqual(contract.state, "suspended")
        contract.action_resume()
        self.assertRecordValues(contract, [{"state": "active", "state_reason": False}])
        with self.assertRaisesRegex(UserError, "Give the reason"):
            contract.write({"state": "terminated"})

    def test_closing_needs_nothing_open_or_a_reason(self):
        order = self._create_order(10)
        contract = self._create_contract(order, date_signed=fields.Date.today())
        contract.action_activate()
        with self.assertRaisesRegex(UserError, "to deliver"):
            contract.write({"state": "done"})
        self.assertEqual(contract.action_close()["res_model"], "sale.admin.contract.transition")
        self._deliver(order)
        self._pay(self._invoice(order))
        self.assertFalse(contract._get_open_items()[contract])
        self.assertTrue(contract.action_close())
        self.assertEqual(contract.state, "done")

    def test_closing_with_something_open_says_what_is_written_off(self):
        contract = self._activated(
            milestone_ids=[
                Command.create({"name": "Acceptance", "date_planned": fields.Date.today()})
            ]
        ).with_user(self.clerk)
        contract.write({"state": "done", "state_reason": "Customer waived the rest"})
        self.assertEqual(contract.state, "done")
        bodies = " ".join(contract.message_ids.mapped("body"))
        self.assertIn("to collect", bodies)
        self.assertIn("Acceptance", bodies)
        self.assertRecordValues(
            contract.milestone_ids,
            [{"status": "waived", "waive_reason": "Customer waived the rest"}],
        )

    def test_what_was_active_cannot_be_deleted(self):
        contract = self._activated()
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            contract.unlink()
        draft = self._create_contract(
            milestone_ids=[Command.create({"name": "Report", "measure": "document"})]
        )
        draft.milestone_ids.file = base64.b64encode(b"report")
        files = self.env["ir.attachment"].search(
            [("res_model", "=", "sale.admin.milestone"), ("res_id", "=", draft.milestone_ids.id)]
            + [("res_field", "=", "file")]
        )
        self.assertTrue(files)
        draft.action_cancel()
        draft.with_user(self.clerk).unlink()
        self.assertFalse(draft.exists())
        self.assertFalse(files.exists())

    def test_cancelling_frees_the_orders(self):
        order = self._create_order(10)
        contract = self._create_contract(order)
        contract.with_user(self.clerk).action_cancel()
        self.assertFalse(order.sale_contract_id)

    def test_the_region_stays_when_the_customer_moves(self):
        self.customer.country_id = self.env.ref("base.vn")
        contract = self._create_contract()
        self.customer.country_id = self.env.ref("base.pl")
        contract.invalidate_recordset()
        self.assertEqual(contract.country_id, self.env.ref("base.vn"))

    def test_salespeople_read_their_own_contracts_and_change_none(self):
        mine = self._create_contract(user_id=self.salesman.id)
        others = self._create_contract(partner_id=self.partner_b.id)
        model = self.env["sale.admin.contract"].with_user(self.salesman)
        found = model.search([("id", "in", (mine | others).ids)])
        self.assertEqual(found, mine)
        with self.assertRaises(AccessError):
            found.write({"title": "x"})

    def test_another_company_sees_nothing(self):
        contract = self._create_contract()
        other = self.setup_other_company()["company"]
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_manager", other
        )
        with self.assertRaises(AccessError):
            contract.with_user(stranger).read(["title"])

    def test_form_opens_and_saves_as_administrator(self):
        with Form(self.env["sale.admin.contract"].with_user(self.clerk)) as form:
            form.partner_id = self.customer
            form.title = "Supply of chairs"
            form.kind = "framework"
            form.amount_untaxed = 5000
            form.amount_total = 5750
        contract = form.record
        self.assertEqual(contract.admin_id, self.clerk)
        self.assertEqual(contract.amount_untaxed, 5000)


@tagged("post_install", "-at_install")
class TestContractRenewal(SaleAdminSupportCommon):
    def _contract(self, **values):
        return self._create_contract(
            kind="framework",
            amount_untaxed=1000,
            amount_total=1150,
            date_signed="2026-01-01",
            date_start="2026-01-01",
            date_end="2026-12-31",
            admin_id=self.clerk.id,
            **{"renewal": "negotiation", "notice_days": 30, **values},
        )

    def _search_open(self, contract):
        return self.env["sale.admin.contract"].search(
            [("is_renewal_open", "=", True), ("id", "=", contract.id)]
        )

    def test_the_window_opens_before_the_last_day_for_notice(self):
        self.company.sale_admin_renewal_days = 60
        with freeze_time("2026-06-01"):
            contract = self._contract()
            contract.action_activate()
        self.assertEqual(contract.date_notice, fields.Date.to_date("2026-12-01"))
        with freeze_time("2026-10-01"):
            contract.invalidate_recordset()
            self.assertFalse(contract.is_renewal_open)
            self.assertFalse(self._search_open(contract))
        with freeze_time("2026-10-02"):
            contract.invalidate_recordset()
            self.assertTrue(contract.is_renewal_open)
            self.assertTrue(self._search_open(contract))

    def test_no_window_without_renewal(self):
        with freeze_time("2026-12-15"):
            contract = self._contract(renewal="none")
            contract.action_activate()
            self.assertFalse(contract.is_renewal_open)
            self.assertFalse(self._search_open(contract))

    def test_renewing_copies_into_a_contract_that_knows_its_predecessor(self):
        with freeze_time("2026-11-15"):
            contract = self._contract()
            contract.action_activate()
            action = contract.with_user(self.clerk).action_renew()
            successor = self.env["sale.admin.contract"].browse(action["res_id"])
            self.assertRecordValues(
                successor,
                [
                    {
                        "predecessor_id": contract.id,
                        "state": "draft",
                        "date_start": fields.Date.to_date("2027-01-01"),
                        "date_end": fields.Date.to_date("2027-12-31"),
                        "amount_untaxed": 1000.0,
                        "date_signed": False,
                    }
                ],
            )
            self.assertFalse(contract.is_renewal_open)
            self.assertFalse(self._search_open(contract))
            self.assertEqual(contract.action_renew()["res_id"], successor.id)

    def test_the_job_raises_one_activity_even_when_it_missed_days(self):
        with freeze_time("2026-06-01"):
            contract = self._contract()
            contract.action_activate()
        cron = self.env.ref("sale_admin_support.sale_admin_contract_cron_renewal")
        for day in ("2026-11-20", "2026-11-21"):
            with freeze_time(day), self.enter_registry_test_mode():
                cron.method_direct_trigger()
        self.assertEqual(len(contract.activity_ids), 1)
        self.assertEqual(contract.activity_ids.user_id, self.clerk)

    def test_one_bad_contract_does_not_stop_the_job(self):
        with freeze_time("2026-06-01"):
            bad, good = self._contract(), self._contract()
            (bad | good).action_activate()
        model = type(self.env["sale.admin.contract"])
        original = model._raise_renewal_activity

        message = "broken"

        def fails_for_one(contracts):
            if bad in contracts:
                raise UserError(message)
            return original(contracts)

        self.patch(model, "_raise_renewal_activity", fails_for_one)
        cron = self.env.ref("sale_admin_support.sale_admin_contract_cron_renewal")
        with (
            freeze_time("2026-11-20"),
            self.enter_registry_test_mode(),
            self.assertLogs("odoo.addons.sale_admin_support", "ERROR"),
        ):
            cron.method_direct_trigger()
        self.assertEqual(len(good.activity_ids), 1)
        self.assertFalse(bad.activity_ids)
