from datetime import datetime, timedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time, tagged

from .common_desk import DeskCommon


@tagged("post_install", "-at_install")
class TestSaleAdminHeldOrder(DeskCommon):
    """The list of held orders."""

    def _get_row(self, order):
        return self.env["sale.admin.held.order"].sudo().search([("order_id", "=", order.id)])

    def test_row_tells_why_how_much_and_how_late(self):
        self._create_reference_check()
        with freeze_time("2026-03-02 10:00:00"):
            order = self._create_held_order(10, commitment_date=datetime(2026, 3, 10, 12))
        with freeze_time("2026-03-14 10:00:00"):
            row = self._get_row(order)
            self.assertRecordValues(
                row,
                [
                    {
                        "held_by": "credit",
                        "stage": "handover",
                        "hold_count": 2,
                        "amount_blocked": 1150.0,
                        "amount_order": 1150.0,
                        "amount_over": 150.0,
                        "days_waiting": 12,
                        "days_late": 4,
                        "payer_id": self.customer.id,
                    }
                ],
            )
            self.assertIn("reference is missing", row.reasons)
            self.assertIn("credit limit", row.reasons)

    def test_order_that_nothing_holds_is_not_listed(self):
        self.assertFalse(self._get_row(self._create_held_order(1)))

    def test_released_in_part_only_the_rest_is_blocked(self):
        order = self._create_held_order(10)
        order.with_user(self.controller)._release_part({order.order_line: 8.0}, "room for it")
        self.assertEqual(self._get_row(order).amount_blocked, 230.0)

    def test_held_at_shipping_what_is_not_delivered_is_blocked(self):
        order = self._create_held_order(4)
        self._deliver(order, 1)
        reason = self.env["sale.admin.reason"].sudo().create({"name": "Claim", "kind": "hold"})
        order._hold_by_hand(reason, "ship", "wet boxes")
        row = self._get_row(order)
        self.assertEqual((row.held_by, row.stage, row.amount_blocked), ("hand", "ship", 345.0))

    def test_rejected_order_is_listed_until_it_is_cancelled(self):
        order = self._create_held_order(10)
        order.hold_ids.with_user(self.controller).action_reject("no")
        self.assertEqual(self._get_row(order).release_state, "rejected")
        order._action_cancel()
        self.assertFalse(self._get_row(order))

    def test_amounts_of_another_currency_in_the_companys(self):
        currency = self.setup_other_currency("EUR", rates=[("2000-01-01", 0.5)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": currency.id}
        )
        order = self._create_held_order(10, pricelist_id=pricelist.id)
        self.assertEqual(self._get_row(order).amount_blocked, 2300.0)

    def test_second_company_is_not_seen(self):
        company = self.setup_other_company()["company"]
        other = self._create_user(
            "other_clerk", "sale_admin_support.group_sale_admin_user", company=company
        )
        order = self._create_held_order(10)
        rows = self.env["sale.admin.held.order"]
        self.assertIn(order, rows.with_user(self.clerk).search([]).order_id)
        self.assertFalse(rows.with_user(other).search([("order_id", "=", order.id)]))

    def test_salesperson_sees_only_own_orders(self):
        order = self._create_held_order(10)
        colleague = self._create_user("colleague", "sales_team.group_sale_salesman")
        rows = self.env["sale.admin.held.order"]
        self.assertTrue(rows.with_user(self.salesman).search([("order_id", "=", order.id)]))
        self.assertFalse(rows.with_user(colleague).search([("order_id", "=", order.id)]))

    # === NUMBERS === #
    def _count_queries(self, action):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        action()
        return self.env.cr.sql_log_count - before

    def test_list_takes_no_query_a_row(self):
        self._create_reference_check()
        orders = self.env["sale.order"]
        for number in range(6):
            partner = self.env["res.partner"].create({"name": f"Customer {number}"})
            orders |= self._create_held_order(10, partner_id=partner.id)
        specification = {
            name: {}
            for name in (
                "amount_blocked",
                "can_release",
                "reasons",
                "release_actors",
                "release_hint_amount",
            )
        } | {"order_id": {"fields": {"display_name": {}}}}
        rows = self.env["sale.admin.held.order"].with_user(self.controller)

        def read(limit):
            rows.web_search_read([], specification, limit=limit)

        read(6)
        few = self._count_queries(lambda: read(2))
        many = self._count_queries(lambda: read(6))
        self.assertLessEqual(many, few + 1)

    def test_list_of_quotations_takes_no_query_a_row(self):
        orders = self.env["sale.order"]
        for _number in range(6):
            orders |= self._create_order(1, confirm=False)
        orders.action_recheck()
        view = self.env.ref("sale.view_quotation_tree")
        names = self.env["sale.order"].get_view(view.id, "list")["models"]["sale.order"]
        specification = {name: {} for name in names if name in orders._fields}
        Orders = self.env["sale.order"].with_user(self.clerk)

        def read(ids):
            Orders.web_search_read([("id", "in", ids)], specification)

        read(orders.ids)
        few = self._count_queries(lambda: read(orders.ids[:2]))
        many = self._count_queries(lambda: read(orders.ids))
        self.assertLessEqual(many, few)


@tagged("post_install", "-at_install")
class TestHoldMoneyHidden(DeskCommon):
    """Who may not see a customer's money sees the verdict alone (salesperson, over any way)."""

    AMOUNTS = (
        "amount_limit",
        "amount_exposure",
        "amount_receivable",
        "amount_open_orders",
        "amount_overdue",
        "amount_over",
        "detail",
        "figures",
        "comparison",
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_held_order(10)
        cls.hold = cls.order.hold_ids
        cls.own = cls.hold.with_user(cls.salesman)
        cls.row = (
            cls.env["sale.admin.held.order"]
            .with_user(cls.salesman)
            .search([("order_id", "=", cls.order.id)])
        )

    def test_verdict_is_readable(self):
        self.assertIn("credit limit", self.own.reason)
        self.assertEqual(self.row.hold_count, 1)

    def test_amounts_cannot_be_read(self):
        for name in self.AMOUNTS:
            with self.subTest(name), self.assertRaises(AccessError):
                self.own.read([name])
        for name in ("amount_over", "amount_overdue", "release_hint_amount"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.row.read([name])
        for name in ("release_hint_amount", "amount_exposed"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.order.with_user(self.salesman).read([name])

    def test_reading_everything_leaves_amounts_out(self):
        values = self.own.read()[0]
        self.assertFalse(set(self.AMOUNTS) & values.keys())
        self.assertFalse({"amount_over", "amount_overdue"} & self.row.read()[0].keys())

    def test_amounts_cannot_be_searched_grouped_or_sorted_by(self):
        for name in ("amount_limit", "amount_exposure", "amount_over"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.own.search([(name, ">", 0)])
            with self.subTest(name), self.assertRaises(AccessError):
                self.own.search([], order=name)
            with self.subTest(name), self.assertRaises(AccessError):
                self.own.formatted_read_group([], ["state"], [f"{name}:sum"])
        with self.assertRaises(AccessError):
            self.row.search([("amount_over", ">", 100)])
        with self.assertRaises(AccessError):
            self.env["sale.order"].with_user(self.salesman).search(
                [("hold_ids.amount_over", ">", 100)]
            )

    def test_amounts_cannot_be_exported(self):
        self.salesman.group_ids |= self.env.ref("base.group_allow_export")
        for path in ("hold_ids/amount_over", "hold_ids/detail"):
            with self.subTest(path), self.assertRaises(AccessError):
                self.order.with_user(self.salesman).export_data([path])

    def test_views_hold_no_amounts(self):
        for model, view_type in (("sale.admin.hold", "form"), ("sale.admin.held.order", "list")):
            arch = self.env[model].with_user(self.salesman).get_view(view_type=view_type)["arch"]
            for name in ("amount_over", "amount_limit", "comparison", "release_hint_amount"):
                self.assertNotIn(f'name="{name}"', arch)

    def test_chatter_and_activities_hold_no_amounts(self):
        order = self.order.with_user(self.salesman)
        texts = [
            *order.message_ids.mapped("body"),
            *order.activity_ids.mapped(lambda a: f"{a.summary} {a.note}"),
        ]
        for text in texts:
            for amount in ("1,000", "1000", "150.0"):
                self.assertNotIn(amount, text)

    def test_dialog_tells_the_salesperson_no_amounts(self):
        wizard = self._open_wizard(
            self.order.with_user(self.salesman).action_view_release_options(), self.salesman
        )
        for name in ("amount_payment", "amount_room", "settled", "message"):
            with self.subTest(name), self.assertRaises(AccessError):
                wizard.read([name])
        self.assertFalse(
            any(wizard.line_ids.mapped("quantity")), "the largest part tells what room there is"
        )

    def test_dialog_opens_for_the_salesperson(self):
        action = self.order.with_user(self.salesman).action_view_release_options()
        form = Form(
            self.env[action["res_model"]].with_user(self.salesman).with_context(**action["context"])
        )
        self.assertIn("A payment", form.release_hint)
        self.assertNotIn("amount_payment", form._view["fields"])

    def test_salesperson_is_not_offered_to_escalate(self):
        order = self.order.with_user(self.salesman)
        self.assertFalse(order.can_release)
        self.assertFalse(order.can_escalate)

    def test_portal_customer_reads_no_internal_word(self):
        portal = self.env["res.users"].create(
            {
                "name": "Buyer",
                "login": "portal_buyer",
                "partner_id": self.env["res.partner"]
                .create({"name": "Buyer", "parent_id": self.customer.id})
                .id,
                "group_ids": [Command.set([self.env.ref("base.group_portal").id])],
            }
        )
        order = self.order.with_user(portal)
        self.assertTrue(order.name)
        for name in ("release_state", "hold_ids", "release_banner", "release_hint"):
            with self.subTest(name), self.assertRaises(AccessError):
                order.read([name])
        with self.assertRaises(AccessError):
            self.env["sale.admin.hold"].with_user(portal).search([])

    def test_controller_sees_amounts(self):
        self.assertEqual(self.hold.with_user(self.controller).amount_over, 150.0)
        self.assertIn("150.00", self.hold.with_user(self.controller).detail)


@tagged("post_install", "-at_install")
class TestHoldDecide(DeskCommon):
    """Release and reject by dialog: one or many at once, each order by itself."""

    def _decide(self, orders, user, decision="release", **values):
        action = orders.with_user(user)._get_decide_action(decision, "Decide")
        values = {"note": "because", **values}
        wizard = self._open_wizard(action, user, **values)
        wizard.action_decide()
        return wizard

    def test_release_starts_the_work(self):
        order = self._create_held_order(10)
        self.assertFalse(order.picking_ids)
        self._decide(order, self.controller)
        self.assertEqual(order.release_state, "released")
        self.assertTrue(order.picking_ids)
        self.assertRecordValues(
            order.hold_ids,
            [{"state": "released", "decided_by_id": self.controller.id, "note": "because"}],
        )

    def test_amount_and_expiry_are_kept_with_the_decision(self):
        order = self._create_held_order(10)
        until = self.company._sale_admin_today() + timedelta(10)
        self._decide(order, self.controller, amount=1500.0, valid_until=until)
        self.assertRecordValues(order.hold_ids, [{"amount_approved": 1500.0, "valid_until": until}])

    def test_reject_keeps_the_order_waiting_for_its_cancellation(self):
        order = self._create_held_order(10)
        self._decide(order, self.controller, "reject")
        self.assertEqual((order.state, order.release_state), ("sale", "rejected"))
        self.assertFalse(order.picking_ids)
        self.assertIn("because", order.with_user(self.salesman).release_banner)

    def test_one_that_fails_does_not_stop_the_others(self):
        self._create_reference_check(company_id=self.company.id)
        good = self._create_held_order(10, client_order_ref="PO 1")
        bad = self._create_held_order(1)  # the controller has no say in references
        wizard = self._decide(good | bad, self.controller)
        self.assertEqual(good.release_state, "released")
        self.assertEqual(bad.release_state, "held")
        self.assertEqual(wizard.state, "done")
        outcomes = {line.order_id: line.outcome for line in wizard.line_ids}
        self.assertEqual(outcomes, {good: "done", bad: "failed"})
        self.assertTrue(wizard.line_ids.filtered(lambda line: line.order_id == bad).message)

    def test_dialog_tells_beforehand_what_the_user_may_not_decide(self):
        self._create_reference_check()
        order = self._create_held_order(10)
        action = order.with_user(self.controller)._get_decide_action("release", "Release")
        wizard = self._open_wizard(action, self.controller)
        obstacles = {line.hold_id.check_id.kind: line.obstacle for line in wizard.line_ids}
        self.assertFalse(obstacles["credit_limit"])
        self.assertTrue(obstacles["domain"])

    def test_dialog_guards_nothing_the_model_does(self):
        order = self._create_held_order(10)
        with self.assertRaises(AccessError):
            self.env["sale.admin.hold.decide"].with_user(self.salesman).create({})
        hold = order.hold_ids.with_user(self.salesman)
        with self.assertRaises(AccessError):
            hold.action_release("mine")

    def test_hold_by_hand_from_the_dialog(self):
        reason = self.env["sale.admin.reason"].sudo().create({"name": "Wish", "kind": "hold"})
        order = self._create_order(1)
        wizard = self._open_wizard(
            order.with_user(self.clerk).action_open_hold(),
            self.clerk,
            reason_id=reason.id,
            stage="ship",
            note="hall not ready",
        )
        wizard.action_hold()
        self.assertRecordValues(
            order.sudo().hold_ids,
            [{"stage": "ship", "state": "open", "check_id": False, "reason_id": reason.id}],
        )
        self.assertIn("hall not ready", order.release_banner)

    def test_part_is_released_from_the_dialog(self):
        order = self._create_held_order(10)
        wizard = self._open_wizard(
            order.with_user(self.controller).action_view_release_options(), self.controller
        )
        self.assertEqual(wizard.line_ids.quantity, 8.0)
        self.assertEqual(wizard.amount_part, 920.0)
        wizard.note = "What there is room for"
        wizard.action_release_part()
        self.assertEqual(order.order_line.qty_withheld, 2.0)
        self.assertEqual(sum(order.picking_ids.move_ids.mapped("product_uom_qty")), 8.0)
        self.assertEqual(order.release_state, "held")

    def test_part_is_released_as_the_browser_does(self):
        order = self._create_held_order(10)
        action = order.with_user(self.controller).action_view_release_options()
        form = Form(
            self.env[action["res_model"]]
            .with_user(self.controller)
            .with_context(**action["context"])
        )
        form.note = "What there is room for"
        form.save().action_release_part()
        self.assertEqual(order.order_line.qty_withheld, 2.0)

    def test_then_and_now_are_compared(self):
        order = self._create_held_order(10)
        hold = order.hold_ids
        self.policy.amount = 1100.0
        rows = {row["label"]: row for row in hold._get_comparison()}
        self.assertEqual(rows["Credit Limit"]["then"], 1000.0)
        self.assertEqual(rows["Credit Limit"]["now"], 1100.0)
        self.assertEqual(rows["Over the Limit"]["then"], 150.0)
        self.assertEqual(rows["Over the Limit"]["now"], 50.0)
        self.assertIn("1,100.00", hold.with_user(self.controller).comparison)

    def test_days_held_are_counted_to_the_decision(self):
        with freeze_time("2026-03-02 10:00:00"):
            order = self._create_held_order(10)
        order.hold_ids.flush_recordset()
        self.env.cr.execute(
            "UPDATE sale_admin_hold SET create_date = '2026-03-02 10:00:00' WHERE id = %s",
            [order.hold_ids.id],
        )
        order.hold_ids.invalidate_recordset()
        with freeze_time("2026-03-04 22:00:00"):
            order.hold_ids.with_user(self.controller).action_release("late")
        self.assertAlmostEqual(order.hold_ids.days_held, 2.5)
