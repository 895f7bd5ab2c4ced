from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common_desk import DeskCommon


@tagged("post_install", "-at_install")
class TestSaleOrderDesk(DeskCommon):
    """Who sees what of a hold, and who is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reason = (
            cls.env["sale.admin.reason"].sudo().create({"name": "Quality claim", "kind": "hold"})
        )

    def _get_activities(self, order):
        return order.sudo().activity_ids.filtered(
            lambda a: (
                a.activity_type_id == self.env.ref("sale_admin_support.mail_activity_type_hold")
            )
        )

    def _get_messages_to_salesman(self, order):
        return (
            self.env["mail.message"]
            .sudo()
            .search(
                [
                    ("model", "=", "sale.order"),
                    ("res_id", "=", order.id),
                    ("notified_partner_ids", "in", self.salesman.partner_id.ids),
                ]
            )
        )

    # === BANNER === #
    def test_banner_says_what_holds_and_who_can_act(self):
        self._create_reference_check()
        order = self._create_held_order(10).with_user(self.salesman)
        self.assertIn("The customer's reference is missing.", order.release_banner)
        self.assertIn("credit limit", order.release_banner)
        self.assertIn(self.controller.name, order.release_actors)
        self.assertIn(self.manager.name, order.release_actors)

    def test_no_banner_on_an_order_that_nothing_holds(self):
        order = self._create_held_order(1).with_user(self.salesman)
        self.assertFalse(order.release_banner)
        self.assertFalse(order.release_actors)

    def test_quotation_is_told_what_would_hold_it(self):
        order = self._create_order(10, confirm=False, user_id=self.salesman.id)
        order = order.with_user(self.salesman)
        order.action_recheck()
        self.assertIn("credit limit", order.release_banner)
        self.assertEqual(order.release_state, "free")
        self.assertFalse(self._get_activities(order))

    # === WHO IS TOLD === #
    def test_salesperson_is_told_of_the_hold_without_amounts(self):
        order = self._create_held_order(10)
        message = self._get_messages_to_salesman(order)
        self.assertEqual(len(message), 1)
        self.assertIn("credit limit", message.body)
        for amount in ("1,150", "1150", "1,000", "1000"):
            self.assertNotIn(amount, message.body)
        self.assertEqual(message.message_type, "user_notification")
        noted = order.message_ids.filtered(lambda m: "credit limit" in (m.body or ""))
        self.assertTrue(noted.subtype_id.internal)

    def test_salesperson_is_told_of_the_end(self):
        order = self._create_held_order(10)
        hold = order.hold_ids.with_user(self.controller)
        hold.action_release("Pays always")
        message = self._get_messages_to_salesman(order).sorted("id")[-1]
        self.assertIn("Pays always", message.body)
        self.assertIn(self.controller.name, message.body)

    def test_desk_gets_one_activity_however_many_holds(self):
        self._create_reference_check()
        order = self._create_held_order(10)
        self.assertEqual(len(order.hold_ids), 2)
        self.assertEqual(len(self._get_activities(order)), 1)
        order._hold_by_hand(self.reason, "ship", "claim")
        order.action_recheck()
        self.assertEqual(len(self._get_activities(order)), 1)

    def test_activity_is_closed_with_the_last_hold(self):
        self._create_reference_check()
        order = self._create_held_order(10)
        order.with_user(self.salesman).client_order_ref = "PO 1"
        self.assertEqual(order.release_state, "held")
        self.assertTrue(self._get_activities(order))
        order.hold_ids.filtered("is_blocking").with_user(self.controller).action_release("good")
        self.assertFalse(self._get_activities(order))

    def test_activity_goes_to_somebody_who_can_act(self):
        order = self._create_held_order(10)
        self.assertEqual(self._get_activities(order).user_id, self.controller)

    def test_activity_note_holds_no_amounts(self):
        activity = self._get_activities(self._create_held_order(10))
        self.assertNotRegex(f"{activity.note} {activity.summary}", r"\d[\d,.]*\.\d\d")

    def test_confirming_survives_a_deleted_activity_type(self):
        self.env.ref("sale_admin_support.mail_activity_type_hold").sudo().unlink()
        order = self._create_held_order(10)
        self.assertEqual(order.release_state, "held")

    # === AUTHORITY === #
    def test_authority_is_shown_and_beyond_it_somebody_else_is_asked(self):
        group = self.env.ref("sale_admin_support.group_sale_admin_credit")
        manager_group = self.env.ref("sale_admin_support.group_sale_admin_manager")
        self.env["sale.admin.check.authority"].sudo().create(
            [
                {"check_id": self.limit_check.id, "group_id": group.id, "amount_max": 100.0},
                {
                    "check_id": self.limit_check.id,
                    "group_id": manager_group.id,
                    "is_unlimited": True,
                },
            ]
        )
        order = self._create_held_order(10).with_user(self.controller)  # 150 over
        self.assertFalse(order.can_release)
        self.assertTrue(order.can_escalate)
        self.assertIn("100.00", order.release_authority)
        wizard = self._open_wizard(
            order.action_escalate(), self.controller, note="New line of business"
        )
        self.assertIn(self.manager, wizard.candidate_ids)
        self.assertNotIn(self.controller, wizard.candidate_ids)
        wizard.user_id = self.manager
        wizard.action_escalate()
        asked = self._get_activities(order)  # one still
        self.assertEqual(asked.user_id, self.manager)
        self.assertIn("New line of business", asked.note)
        order.sudo().hold_ids.with_user(self.manager).action_release("agreed")
        self.assertFalse(self._get_activities(order))

    def test_nobody_without_authority_is_asked(self):
        order = self._create_held_order(10).with_user(self.controller)
        with self.assertRaises(UserError):
            order._escalate(self.clerk, "please")

    def test_who_entered_the_order_is_told_why_he_cannot_release(self):
        self.controller.group_ids |= self.env.ref("sales_team.group_sale_salesman_all_leads")
        order = self._create_order(10, confirm=False).with_user(self.controller)
        order.client_order_ref = "changed by the controller"
        order.action_confirm()
        self.assertEqual(order.release_state, "held")
        self.assertFalse(order.can_release)
        self.assertNotIn(self.controller.name, order.release_actors)

    # === CUSTOMER === #
    def test_confirmation_mail_is_sent_for_a_held_order(self):
        order = self._create_order(10, confirm=False, user_id=self.salesman.id)
        order.sudo()._validate_order()
        self.assertEqual(order.release_state, "held")
        mails = order.sudo().message_ids.filtered(
            lambda m: self.customer in m.partner_ids | m.notified_partner_ids
        )
        self.assertTrue(mails)
        for mail in mails:
            for word in ("held", "credit", "limit"):
                self.assertNotIn(word, mail.body.lower())

    def test_customer_reads_that_the_order_is_processed(self):
        order = self._create_held_order(10)
        self.assertTrue(order._is_being_processed())
        self.assertFalse(self._create_held_order(1)._is_being_processed())

    # === EVERYBODY ELSE === #
    def test_order_form_opens_for_whoever_reads_orders(self):
        order = self._create_held_order(10)
        for group in (
            "sales_team.group_sale_salesman_all_leads",
            "sale_admin_support.group_sale_admin_user",
            "sale_admin_support.group_sale_admin_credit",
            "account.group_account_readonly",
            "account.group_account_invoice",
        ):
            with self.subTest(group):
                user = self._create_user(f"reader_{group}", group)
                Form(order.with_user(user))
