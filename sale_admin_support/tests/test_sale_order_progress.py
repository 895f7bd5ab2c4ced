from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import SaleAdminSupportCommon

FIGURES = ["progress_next", "progress_supply", "progress_paid", "days_late", "last_word"]


@tagged("post_install", "-at_install")
class TestOrderProgress(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._sale_admin_today()
        cls.stored = cls._create_goods("Stored", is_storable=True)
        cls.on_delivery = cls._create_goods("On Delivery", invoice_policy="delivery")
        cls.customer.email = "customer@example.com"

    def _read(self, order, *fnames):
        order.invalidate_recordset()
        values = [order[fname] for fname in fnames]
        return values[0] if len(values) == 1 else tuple(values)

    def _find(self, name):
        return self.env["sale.order"].search([(name, "=", True)])

    def _promise(self, order, days):
        order.commitment_date = fields.Datetime.now() + timedelta(days=days)

    # === STEPS === #
    def test_order_goes_from_supply_to_payment(self):
        order = self._create_order(10, product=self.stored)
        self.assertEqual(
            self._read(order, "progress_step", "progress_supply"), ("supply", "missing")
        )
        self.assertIn(order, self._find("lacks_goods"))
        self.env["stock.quant"]._update_available_quantity(
            self.stored, order.warehouse_id.lot_stock_id, 4
        )
        order.picking_ids.action_assign()
        self.assertEqual(
            self._read(order, "progress_step", "progress_supply"), ("supply", "partial")
        )
        self.env["stock.quant"]._update_available_quantity(
            self.stored, order.warehouse_id.lot_stock_id, 6
        )
        order.picking_ids.action_assign()
        self.assertEqual(self._read(order, "progress_step", "progress_supply"), ("ship", "ready"))
        self.assertNotIn(order, self._find("lacks_goods"))
        self._deliver(order, 6)
        self.assertEqual(self._read(order, "progress_step", "progress_delivered"), ("ship", 60.0))
        self._deliver(order)
        self.assertEqual(
            self._read(order, "progress_step", "progress_delivered"), ("invoice", 100.0)
        )
        self.assertIn(order, self._find("is_in_progress"))
        self.assertNotIn(order, self._find("is_to_deliver"))
        draft = self._invoice(order, post=False)
        self.assertEqual(self._read(order, "progress_step", "progress_invoiced"), ("post", 0.0))
        draft.action_post()
        self.assertEqual(self._read(order, "progress_step", "progress_invoiced"), ("pay", 100.0))
        self.assertIn(order, self._find("is_unpaid"))
        self._pay(draft, 460)
        self.assertEqual(self._read(order, "progress_step", "progress_paid"), ("pay", 40.0))
        self._pay(draft)
        self.assertEqual(self._read(order, "progress_step", "progress_paid"), ("done", 100.0))
        self.assertNotIn(order, self._find("is_unpaid"))
        self.assertNotIn(order, self._find("is_in_progress"))

    def test_delivered_is_a_quantity_not_a_status(self):
        """Six of ten, no backorder: Odoo's status says full; a draft return changes nothing."""
        order = self._create_order(10)
        picking = order.picking_ids
        picking.move_ids.quantity = 6
        picking.move_ids.picked = True
        picking.with_context(
            skip_backorder=True, picking_ids_not_to_backorder=picking.ids
        ).button_validate()
        self.assertEqual(order.delivery_status, "full")
        self.assertEqual(self._read(order, "progress_delivered"), 60.0)
        self._return(picking, 2, done=False)
        self.assertEqual(self._read(order, "progress_delivered"), 60.0)

    def test_what_is_cancelled_or_taken_back_is_not_waited_for(self):
        order = self._create_order(10, product=self.on_delivery)
        picking = self._deliver(order, 10)
        self._invoice(order)
        self.assertNotIn(order, self._find("is_in_progress"))
        self._return(picking, 4)
        self.assertEqual(self._read(order, "progress_step", "is_to_deliver"), ("credit", False))
        short = self._create_order(10, product=self.on_delivery)
        short.picking_ids.action_cancel()
        self.assertEqual(self._read(short, "progress_step", "is_in_progress"), ("done", False))

    def test_service_at_a_fixed_price_is_not_waited_for(self):
        order = self._create_order(1, product=self.service)
        self.assertEqual(self._read(order, "progress_step"), "invoice")
        hours = self._create_goods("Hours", type="service", invoice_policy="delivery")
        order = self._create_order(2, product=hours)
        self.assertEqual(self._read(order, "progress_step", "is_to_deliver"), ("deliver", True))
        order.order_line.qty_delivered = 2
        self.assertEqual(self._read(order, "progress_step", "is_to_deliver"), ("invoice", False))

    def test_two_steps_are_picked_then_shipped(self):
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        warehouse.delivery_steps = "pick_ship"
        order = self._create_order(10)
        self.assertEqual(self._read(order, "progress_step", "progress_picked"), ("pick", 0.0))
        self._deliver(order)
        self.assertEqual(self._read(order, "progress_step", "progress_delivered"), ("ship", 0.0))
        self.assertEqual(order.progress_picked, 100.0)
        self._deliver(order)
        self.assertEqual(
            self._read(order, "progress_step", "progress_delivered"), ("invoice", 100.0)
        )

    def test_withheld_order_is_held_at_the_stage_of_its_hold(self):
        order = self._create_order(10)
        order.order_line._set({"qty_withheld": 10})
        order._set({"release_state": "held"})
        self.assertEqual(self._read(order, "progress_step"), "held")

    def test_credit_note_is_no_payment(self):
        order = self._create_order(10)
        self._deliver(order)
        invoice = self._invoice(order)
        note = self._credit(invoice, post=False)
        note.invoice_line_ids.quantity = 4
        note.action_post()
        self._match(invoice, note)
        self.assertEqual(self._read(order, "progress_invoiced", "progress_paid"), (60.0, 0.0))
        self._pay(invoice)
        self.assertEqual(self._read(order, "progress_paid"), 60.0)

    def test_down_payment_counts_once(self):
        order = self._create_order(10)
        deposit = self._down_payment(order, 50)
        self.assertEqual(self._read(order, "progress_invoiced", "progress_paid"), (50.0, 0.0))
        self._pay(deposit)
        self.assertEqual(self._read(order, "progress_invoiced", "progress_paid"), (50.0, 50.0))
        self._deliver(order)
        self._invoice(order)
        self.assertEqual(self._read(order, "progress_invoiced", "progress_paid"), (100.0, 50.0))

    def test_shipment_is_shown_with_its_tracking(self):
        order = self._create_order(10)
        picking = self._deliver(order, 4)
        self.assertFalse(self._read(order, "shipment_info"))
        picking.write({"shipment_carrier": "DHL", "shipment_ref": "JD 1"})
        self.assertEqual(self._read(order, "shipment_info"), "DHL JD 1")
        self.assertTrue(order.date_shipped)

    # === LATE === #
    def test_late_from_the_day_after_the_promised_one(self):
        order = self._create_order(10)
        self._promise(order, 0)
        self.assertEqual(self._read(order, "days_late"), 0)
        self._promise(order, -1)
        self.assertEqual(self._read(order, "days_late"), 1)
        self._deliver(order)
        self.assertEqual(self._read(order, "days_late"), 0)

    def test_days_are_those_of_the_company(self):
        self.company.sale_admin_tz = "Asia/Tokyo"  # nine hours ahead
        order = self._create_order(10)
        order.commitment_date = "2026-03-01 16:00:00"  # the second of March there
        with freeze_time("2026-03-02 14:00:00"):
            self.assertEqual(self._read(order, "days_late"), 0)
        with freeze_time("2026-03-02 15:00:00"):
            self.assertEqual(self._read(order, "days_late"), 1)

    # === THE CUSTOMER IS TOLD === #
    def test_customer_is_told_in_his_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        order = self._create_order(10, user_id=self.salesman.id)
        self._promise(order, 5)
        order.with_user(self.salesman).action_tell_customer()
        day = self.today + timedelta(days=5)
        self.assertRecordValues(
            order,
            [
                {
                    "customer_told_date": day,
                    "customer_told_by_id": self.salesman.id,
                    "customer_told_how": "mail",
                    "is_customer_untold": False,
                }
            ],
        )
        message = order.message_ids[0]
        self.assertEqual(message.partner_ids, self.customer)
        self.assertIn(day.strftime("%d/%m/%Y"), message.body)
        self.assertTrue(order.last_word)

    def test_later_plan_is_told_rather_than_the_promise(self):
        order = self._create_order(10)
        self._promise(order, 2)
        order.picking_ids.move_ids.date = fields.Datetime.now() + timedelta(days=6)
        self.assertEqual(order._get_date_to_tell(), self.today + timedelta(days=6))

    def test_no_past_date_is_told(self):
        order = self._create_order(10)
        self._promise(order, -1)
        order.picking_ids.move_ids.date = fields.Datetime.now() - timedelta(days=1)
        with self.assertRaisesRegex(UserError, "no date to tell"):
            order.action_tell_customer()
        with self.assertRaisesRegex(UserError, "not confirmed"):
            self._create_order(1, confirm=False).action_told_by_phone()

    def test_changed_date_waits_until_it_is_told(self):
        order = self._create_order(10, commitment_date=fields.Datetime.now() + timedelta(days=3))
        self.assertFalse(order.is_customer_untold)
        order.commitment_date += timedelta(days=4)
        self.assertTrue(order.is_customer_untold)
        order.with_user(self.clerk).action_told_by_phone()
        self.assertFalse(order.is_customer_untold)
        self.assertEqual(order.customer_told_how, "phone")
        order.commitment_date += timedelta(minutes=1)  # another day, if it is around midnight
        order.commitment_date -= timedelta(minutes=1)
        self.assertFalse(order.is_customer_untold)

    def test_warehouse_tells_nobody(self):
        worker = self._create_user("worker", "stock.group_stock_user")
        order = self._create_order(10)
        self._promise(order, 3)
        for method in ("action_tell_customer", "action_told_by_phone", "action_verify_shipto"):
            with self.assertRaises(AccessError):
                getattr(order.with_user(worker), method)()

    def test_other_salespeople_do_not_tell(self):
        order = self._create_order(10, user_id=self.clerk.id)
        self._promise(order, 3)
        with self.assertRaises(AccessError):
            order.with_user(self.salesman).action_told_by_phone()

    # === SHIP-TO === #
    def test_verified_address_turns_stale_when_it_changes(self):
        order = self._create_order(10, confirm=False)
        requirement = self.env.ref("sale_admin_support.sale_admin_requirement_shipto_verified")
        self.assertEqual(order.shipto_state, "none")
        self.assertEqual(requirement._find_lacking(order), order)
        order.with_user(self.clerk).action_verify_shipto()
        self.assertEqual(order.shipto_state, "verified")
        self.assertFalse(requirement._find_lacking(order))
        self.customer.phone = "+1 555 0199"
        self.assertEqual(order.shipto_state, "stale")
        order.action_verify_shipto()
        order.partner_shipping_id = self.partner_b
        self.assertEqual(order.shipto_state, "stale")

    # === NUMBERS, COMPANIES === #
    def test_queries_do_not_grow_with_the_orders(self):
        orders = self.env["sale.order"].union(*(self._create_order(1) for _i in range(4)))

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            records.with_user(self.clerk).fetch(["name", "commitment_date"])
            before = self.env.cr.sql_log_count
            records.with_user(self.clerk).read(FIGURES)
            return self.env.cr.sql_log_count - before

        count(orders)  # what is cached once for all
        self.assertEqual(count(orders[:1]), count(orders))

    def test_other_company_is_not_listed(self):
        order = self._create_order(1)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_user", company=other
        )
        found = self.env["sale.order"].with_user(stranger).search([("is_in_progress", "=", True)])
        self.assertNotIn(order, found)

    # === PROBLEMS === #
    def test_problem_is_logged_solved_and_counted(self):
        order = self._create_order(1, user_id=self.salesman.id)
        problem = (
            self.env["sale.admin.problem"]
            .with_user(self.salesman)
            .create(
                {
                    "name": "Two missing",
                    "order_id": order.id,
                    "reason_id": self.env.ref(
                        "sale_admin_support.sale_admin_reason_problem_wrong"
                    ).id,
                }
            )
        )
        self.assertEqual(order.problem_count, 1)
        with self.assertRaisesRegex(UserError, "with whom it began"):
            problem.action_solve()
        problem.cause = "warehouse"
        problem.action_solve()
        self.assertRecordValues(problem, [{"state": "solved", "solved_by_id": self.salesman.id}])
        self.assertEqual(order.problem_count, 0)
        with self.assertRaises(UserError):
            problem.state = "open"
        problem.action_reopen()
        self.assertFalse(problem.solved_at)

    def test_problems_of_others_are_not_seen(self):
        order = self._create_order(1, user_id=self.clerk.id)
        problems = self.env["sale.admin.problem"]
        kind = self.env.ref("sale_admin_support.sale_admin_reason_problem_wrong")
        problem = problems.create({"name": "X", "order_id": order.id, "reason_id": kind.id})
        self.assertIn(problem, problems.with_user(self.clerk).search([]))
        self.assertNotIn(problem, problems.with_user(self.salesman).search([]))
        with self.assertRaises(AccessError):
            problems.with_user(self.salesman).create(
                {"name": "Y", "order_id": order.id, "reason_id": kind.id}
            )
        wrong = self.env.ref("sale_admin_support.sale_admin_reason_return_damaged")
        with self.assertRaises(UserError):
            problems.create({"name": "Z", "order_id": order.id, "reason_id": wrong.id})


@tagged("post_install", "-at_install")
class TestCustomerCard(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.caller = cls.env["res.partner"].create(
            {
                "name": "Zamość Carton Works",
                "ref": "ZCW-17",
                "phone": "+48 84 555 01 77",
                "is_company": True,
                "child_ids": [Command.create({"name": "Ewa Kot", "email": "ewa@zcw.example.com"})],
            }
        )
        cls.order = cls._create_order(
            3,
            partner_id=cls.caller.id,
            user_id=cls.salesman.id,
            client_order_ref="B-4711/x",
            payment_term_id=cls.pay_terms_a.id,  # at once
        )

    def _get_card(self, query, user=None, **kwargs):
        cards = self.env["sale.admin.customer.card"].with_user(user or self.clerk)
        return cards.get_card(query, **kwargs)

    def test_customer_is_found_by_whatever_he_says(self):
        for query in (
            "zamość",
            "carton works",
            "ZCW-1",
            "084 555 0177",
            "0048845550177",
            "ewa@zcw",
            "Ewa Kot",
            "b-4711",
            self.order.name,
        ):
            with self.subTest(query):
                answer = self._get_card(query)
                self.assertEqual(answer["customers"][0]["id"], self.caller.id)
                self.assertEqual(answer["card"]["id"], self.caller.id)
        for query in ("", "z", " z ", "no such customer"):
            self.assertEqual(self._get_card(query), {"customers": [], "card": False})

    def test_like_signs_are_letters(self):
        self.assertFalse(self._get_card("%%")["customers"])

    def test_card_tells_orders_and_balance(self):
        invoice = self._invoice(self.order, date="2020-01-01")
        card = self._get_card("zamość")["card"]
        self.assertEqual([order["id"] for order in card["orders"]], self.order.ids)
        self.assertTrue(card["money"]["is_overdue"])
        self.assertIn("345.00", card["money"]["balance"])
        self._pay(invoice)
        card = self._get_card("zamość")["card"]
        self.assertFalse(card["money"]["is_overdue"])
        self._deliver(self.order)
        card = self._get_card("zamość")["card"]
        self.assertFalse(card["orders"])
        self.assertEqual(card["deliveries"][0]["id"], self.order.picking_ids.id)

    def test_salesperson_sees_own_orders_and_no_money(self):
        foreign = self._create_order(1, partner_id=self.caller.id, user_id=self.clerk.id)
        card = self._get_card("zamość", user=self.salesman)["card"]
        self.assertFalse(card["money"])
        self.assertEqual([order["id"] for order in card["orders"]], self.order.ids)
        self.assertFalse(self._get_card(foreign.name, user=self.salesman)["customers"])

    def test_queries_do_not_grow_with_the_orders(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._get_card("zamość")
            return self.env.cr.sql_log_count - before

        count()
        one = count()
        for _i in range(4):
            order = self._create_order(1, partner_id=self.caller.id)
            self._deliver(order)
            self._create_order(1, partner_id=self.caller.id)
        self.assertLessEqual(count(), one + 3)  # the first deliveries add theirs, once

    def test_call_is_noted(self):
        cards = self.env["sale.admin.customer.card"].with_user(self.salesman)
        cards.log_call(self.caller.id, "Asked for the date", self.order.id)
        self.assertIn("Asked for the date", self.order.message_ids[0].body)
        cards.log_call(self.caller.id, "Will call again")
        self.assertIn("Will call again", self.caller.message_ids[0].body)
        with self.assertRaises(UserError):
            cards.log_call(self.caller.id, "  ")
        foreign = self._create_order(1, partner_id=self.caller.id, user_id=self.clerk.id)
        with self.assertRaises(AccessError):
            cards.log_call(self.caller.id, "Mine?", foreign.id)
