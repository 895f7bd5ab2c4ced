from io import BytesIO
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import convert_xml_import, mute_logger

from .common import SaleAdminSupportCommon

LOGGER = "odoo.addons.sale_admin_support.models.sale_admin_queue"


@tagged("post_install", "-at_install")
class TestSaleAdminQueue(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sale.admin.queue"].search([]).active = False
        cls.group = cls.env["sale.admin.queue.group"].create({"name": "Papers", "sequence": 1})
        cls.director = cls._create_user("director", "sale_admin_support.group_sale_admin_report")
        cls.contract_model = cls.env.ref("sale_admin_support.model_sale_admin_contract")

    @classmethod
    def _create_queue(cls, **values):
        return cls.env["sale.admin.queue"].create(
            {
                "name": "Drafts",
                "group_id": cls.group.id,
                "model_id": cls.contract_model.id,
                "domain": "[('state', '=', 'draft')]",
                **values,
            }
        )

    def _get_counter(self, queue, user=None):
        counters = queue.with_user(user or self.clerk).get_counters()
        return next((counter for counter in counters if counter["id"] == queue.id), None)

    # === COUNT, OLDEST, WORST === #
    def test_empty_queue_counts_zero(self):
        queue = self._create_queue(order_oldest="date_signed", order_worst="amount_untaxed desc")
        counter = self._get_counter(queue)
        self.assertEqual(counter["count"], 0)
        self.assertIs(counter["oldest"], False)
        self.assertIs(counter["worst"], False)
        self.assertIs(counter["error"], False)
        self.assertEqual(counter["domain"], [["state", "=", "draft"]])
        self.assertEqual(counter["group"], {"id": self.group.id, "name": "Papers", "sequence": 1})

    @freeze_time("2026-03-10")
    def test_oldest_and_worst_are_named(self):
        queue = self._create_queue(order_oldest="date_signed", order_worst="amount_untaxed desc")
        self._create_contract(amount_untaxed=5.0)  # no date: counts, but has no age
        old = self._create_contract(date_signed="2026-03-01", amount_untaxed=10.0)
        large = self._create_contract(date_signed="2026-03-02", amount_untaxed=1250.0)
        counter = self._get_counter(queue)
        self.assertEqual(counter["count"], 3)
        self.assertEqual(
            counter["oldest"],
            {"id": old.id, "name": old.display_name, "date": "2026-03-01", "days": 9},
        )
        self.assertEqual(counter["worst"]["id"], large.id)
        self.assertEqual(counter["worst"]["value"], 1250.0)
        self.assertIn("1,250.00", counter["worst"]["text"])
        self.assertEqual(counter["worst"]["label"], "Largest")

    @freeze_time("2026-03-10")
    def test_a_date_ahead_has_negative_days(self):
        queue = self._create_queue(order_oldest="date_signed")
        self._create_contract(date_signed="2026-03-12")
        self.assertEqual(self._get_counter(queue)["oldest"]["days"], -2)

    def test_smallest_is_worst_without_desc(self):
        queue = self._create_queue(order_worst="notice_days")
        self._create_contract(notice_days=30)
        short = self._create_contract(notice_days=3)
        self.assertEqual(self._get_counter(queue)["worst"]["id"], short.id)

    def test_money_is_compared_in_one_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2016-01-01", 0.5)])  # 1 EUR = 2
        queue = self._create_queue(order_worst="amount_untaxed desc")
        self._create_contract(amount_untaxed=150.0)
        euros = self._create_contract(amount_untaxed=100.0, currency_id=currency.id)
        worst = self._get_counter(queue)["worst"]
        self.assertEqual(worst["id"], euros.id)
        self.assertEqual(worst["value"], 100.0)
        self.assertIn("€", worst["text"])

    def test_nothing_is_worst_without_a_value(self):
        queue = self._create_queue(order_worst="amount_untaxed desc")
        self._create_contract()
        self.assertEqual(self._get_counter(queue)["count"], 1)
        self.assertIs(self._get_counter(queue)["worst"], False)

    def test_age_of_a_moment_is_that_of_its_day_in_the_company(self):
        self.company.sale_admin_tz = "Asia/Tokyo"
        queue = self._create_queue(order_oldest="create_date")
        contract = self._create_contract()
        self.env.flush_all()
        self.env.cr.execute(  # 22:00 UTC is the next morning in Tokyo
            "UPDATE sale_admin_contract SET create_date = '2026-03-01 22:00' WHERE id = %s",
            [contract.id],
        )
        contract.invalidate_recordset()
        with freeze_time("2026-03-03 00:00"):
            self.assertEqual(
                self._get_counter(queue)["oldest"],
                {"id": contract.id, "name": contract.display_name, "date": "2026-03-02", "days": 1},
            )

    def test_query_count_does_not_grow_with_records(self):
        for name in ("A", "B", "C"):
            self._create_queue(
                name=name, order_oldest="date_signed", order_worst="amount_untaxed desc"
            )
        Queue = self.env["sale.admin.queue"].with_user(self.clerk)

        def count_queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            counters = Queue.get_counters()
            return self.env.cr.sql_log_count - before, counters[0]["count"]

        for amount in range(3):
            self._create_contract(amount_untaxed=amount, date_signed="2026-01-01")
        count_queries()  # warms what Odoo caches for all requests
        few, waiting = count_queries()
        self.assertEqual(waiting, 3)
        for amount in range(40):
            self._create_contract(amount_untaxed=amount, date_signed="2026-01-02")
        many, waiting = count_queries()
        self.assertEqual(waiting, 43)
        self.assertEqual(many, few)
        self._create_queue(name="D", order_oldest="date_signed", order_worst="amount_untaxed desc")
        one_more, _waiting = count_queries()
        self.assertLessEqual(one_more - few, 3)

    # === WHO SEES WHAT === #
    def test_salesperson_counts_own_customers(self):
        queue = self._create_queue()
        self._create_contract(user_id=self.salesman.id)
        self._create_contract(user_id=self.clerk.id)
        self.customer.user_id = False
        self.assertEqual(self._get_counter(queue, self.salesman)["count"], 1)
        self.assertEqual(self._get_counter(queue, self.clerk)["count"], 2)
        self.assertEqual(self._get_counter(queue, self.director)["count"], 2)

    def test_queue_of_another_group_is_left_out(self):
        queue = self._create_queue(
            group_ids=[Command.link(self.env.ref("sale_admin_support.group_sale_admin_manager").id)]
        )
        self.assertIsNone(self._get_counter(queue, self.clerk))
        self.assertIsNotNone(self._get_counter(queue, self.manager))
        with self.assertRaises(AccessError):
            queue.with_user(self.clerk).action_open()
        queue.group_ids = self.env.ref("sale_admin_support.group_sale_admin_user")
        self.assertIsNotNone(self._get_counter(queue, self.clerk))
        self.assertIsNotNone(self._get_counter(queue, self.manager), "implied groups count")
        self.assertIsNone(self._get_counter(queue, self.director))

    def test_queue_of_a_group_one_lacks_is_left_out_for_the_manager(self):
        queue = self._create_queue(
            group_ids=[Command.link(self.env.ref("sale_admin_support.group_sale_admin_credit").id)]
        )
        self.assertIsNone(self._get_counter(queue, self.manager))
        self.assertTrue(queue.with_user(self.manager).name, "who arranges queues reads them all")

    def test_queue_over_an_unreadable_model_is_left_out(self):
        queue = self._create_queue(
            model_id=self.env["ir.model"]._get_id("ir.config_parameter"), domain="[]"
        )
        self.assertIsNone(self._get_counter(queue, self.clerk))

    def test_who_may_not_see_the_amount_gets_the_count(self):
        queue = self._create_queue(order_worst="amount_untaxed desc")
        self._create_contract(amount_untaxed=10.0)
        field = self.env["sale.admin.contract"]._fields["amount_untaxed"]
        with patch.object(field, "groups", "sale_admin_support.group_sale_admin_manager"):
            counter = self._get_counter(queue, self.clerk)
            self.assertEqual(counter["count"], 1)
            self.assertIs(counter["worst"], False)
            self.assertTrue(self._get_counter(queue, self.manager)["worst"])

    def test_other_company_counts_when_switched_on(self):
        queue = self._create_queue()
        other = self.env["res.company"].create({"name": "Other"})
        self.clerk.company_ids += other
        self._create_contract(company_id=other.id)
        here = queue.with_user(self.clerk).with_context(allowed_company_ids=self.company.ids)
        both = queue.with_user(self.clerk).with_context(
            allowed_company_ids=(self.company + other).ids
        )
        self.assertEqual(here.get_counters()[0]["count"], 0)
        self.assertEqual(both.get_counters()[0]["count"], 1)

    def test_only_the_manager_arranges_queues(self):
        queue = self._create_queue()
        queue.with_user(self.manager).active = False
        queue.with_user(self.manager).write({"active": True, "domain": "[('id', '=', 0)]"})
        for user in (self.clerk, self.salesman, self.director):
            with self.assertRaises(AccessError):
                queue.with_user(user).name = "Mine"
            with self.assertRaises(AccessError):
                queue.with_user(user).copy()

    # === FILTER === #
    @freeze_time("2026-03-10 20:00:00")
    def test_filter_uses_the_company_date(self):
        self.company.sale_admin_tz = "Asia/Tokyo"  # the 11th already
        contract = self._create_contract(date_end="2026-03-11")
        queue = self._create_queue(domain="[('date_end', '=', today)]")
        counter = self._get_counter(queue)
        self.assertEqual(counter["count"], 1)
        self.assertEqual(counter["domain"], [["date_end", "=", "2026-03-11"]])
        queue.domain = "[('date_end', '<=', today - relativedelta(days=1))]"
        self.assertEqual(self._get_counter(queue)["count"], 0)
        contract.admin_id = self.clerk
        queue.domain = "[('admin_id', '=', uid), ('company_id', 'in', company_ids)]"
        self.assertEqual(self._get_counter(queue)["count"], 1)
        self.assertEqual(self._get_counter(queue, self.manager)["count"], 0)

    def test_filter_uses_the_date_words_of_odoo(self):
        self._create_contract(date_end=fields.Date.today())
        queue = self._create_queue(domain="[('date_end', '>=', 'today -1d')]")
        self.assertEqual(self._get_counter(queue)["count"], 1)

    def test_bad_definition_is_refused(self):
        for values, message in (
            ({"domain": "[('no_such_field', '=', 1)]"}, "The filter of the queue Drafts"),
            ({"domain": "[('state', '=', nobody)]"}, "The filter of the queue Drafts"),
            ({"domain": "[('state', '=', 'draft'"}, "The filter of the queue Drafts"),
            ({"domain": "42"}, "The filter of the queue Drafts"),
            ({"domain": "[('date_end', '<', 'someday')]"}, "The filter of the queue Drafts"),
            ({"order_oldest": "no_such_field"}, "not a stored date"),
            ({"order_oldest": "title"}, "not a stored date"),
            ({"order_worst": "no_such_field desc"}, "not one stored field"),
            ({"order_worst": "amount_untaxed; DROP TABLE x"}, "not one stored field"),
            ({"order_worst": "milestone_ids"}, "not one stored field"),
            ({"action_id": self.env.ref("sale.action_orders").id}, "does not show"),
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError) as refusal:
                self._create_queue(**values)
            self.assertIn(message, str(refusal.exception))

    @mute_logger(LOGGER, "odoo.sql_db")
    def test_broken_queue_is_an_entry_and_the_others_count(self):
        broken = self._create_queue(name="Broken", sequence=1)
        failing = self._create_queue(name="Failing", sequence=2)
        fine = self._create_queue(sequence=3)
        self._create_contract()
        self.env.flush_all()
        # As after a customisation went: the filter was fine when it was saved.
        self.env.cr.execute(
            "UPDATE sale_admin_queue SET domain = %s WHERE id = %s",
            ["[('x_gone', '=', 1)]", broken.id],
        )
        self.env.cr.execute(
            "UPDATE sale_admin_queue SET domain = %s WHERE id = %s",
            ["[('notice_days', '=', 'many')]", failing.id],
        )
        self.env.invalidate_all()
        counters = fine.with_user(self.clerk).get_counters()
        self.assertEqual(
            [(counter["id"], counter["count"]) for counter in counters],
            [(broken.id, 0), (failing.id, 0), (fine.id, 1)],
        )
        self.assertEqual(
            counters[0]["error"], "This queue cannot be counted: its filter has to be mended."
        )
        self.assertTrue(counters[1]["error"])
        self.assertIn("x_gone", self._get_counter(broken, self.manager)["error"])

    # === OPENING === #
    def test_open_narrows_the_list_to_what_was_counted(self):
        action = self.env["ir.actions.act_window"].create(
            {
                "name": "Contracts",
                "res_model": "sale.admin.contract",
                "view_mode": "list,form",
                "domain": "[('kind', '=', 'framework')]",
                "context": "{'search_default_mine': 1, 'default_kind': 'framework', 'me': uid}",
            }
        )
        queue = self._create_queue(
            action_id=action.id, domain="[('date_end', '<', today)]", name="Over"
        )
        with freeze_time("2026-03-10"):
            opened = queue.with_user(self.salesman).action_open()
        self.assertEqual(opened["id"], action.id)
        self.assertEqual(opened["name"], "Over")
        self.assertEqual(opened["domain"], [["date_end", "<", "2026-03-10"]])
        self.assertEqual(opened["context"], {"default_kind": "framework", "me": self.salesman.id})

    def test_open_without_an_action_lists_the_model(self):
        opened = self._create_queue().with_user(self.clerk).action_open()
        self.assertEqual(opened["res_model"], "sale.admin.contract")
        self.assertEqual(opened["views"][0], (False, "list"))

    # === XML ALONE === #
    def test_a_bridge_adds_a_queue_by_xml_alone(self):
        xml = b"""<odoo>
            <record id="test_queue_group" model="sale.admin.queue.group">
                <field name="name">Quotations</field>
                <field name="sequence">90</field>
            </record>
            <record id="test_queue" model="sale.admin.queue">
                <field name="name">To send</field>
                <field name="description">Send them to the customer.</field>
                <field name="group_id" ref="test_queue_group" />
                <field name="model_id" ref="sale.model_sale_order" />
                <field name="domain">[('state', '=', 'draft')]</field>
                <field name="action_id" ref="sale.action_quotations" />
                <field name="order_oldest">date_order</field>
                <field name="order_worst">amount_total desc</field>
                <field name="color">warning</field>
                <field name="icon">fa-paper-plane</field>
            </record>
        </odoo>"""
        stream = BytesIO(xml)
        stream.name = "sale_admin_queue_data.xml"
        convert_xml_import(self.env, "sale_admin_support", stream, {}, "init", False)
        queue = self.env.ref("sale_admin_support.test_queue")
        order = self._create_order(confirm=False)
        before = self._get_counter(queue)["count"]
        order.copy()
        counter = self._get_counter(queue)
        self.assertEqual(counter["count"], before + 1)
        self.assertEqual(counter["color"], "warning")
        self.assertTrue(queue.is_shipped)
        self.assertFalse(queue.copy().is_shipped)
