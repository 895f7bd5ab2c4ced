from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .test_sale_admin_check import SaleAdminCheckCommon


@tagged("post_install", "-at_install")
class TestSaleAdminCheckReport(SaleAdminCheckCommon):
    """A watched check: orders need a customer's reference."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.check = cls._create_check(
            "completeness",
            severity="shadow",
            requirement_ids=cls.env.ref(
                "sale_admin_support.sale_admin_requirement_client_order_ref"
            ).ids,
        )

    def _get_findings(self, order=None):
        domain = [("check_id", "=", self.check.id)]
        if order:
            domain.append(("order_id", "=", order.id))
        self.env["sale.admin.check.report"].invalidate_model()  # as in the next request
        return self.env["sale.admin.check.report"].search(domain)

    def _recheck(self, order):
        order.sudo()._judge("recheck")

    def _mend(self, order):
        """Later than the confirmation, which leaves out what it found mended itself."""
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), minutes=5)):
            order.client_order_ref = "PO 7"
            self._recheck(order)

    def _carry_out(self, order, date=None):
        self._deliver(order)
        invoice = self._invoice(order)
        self._pay(invoice, date=date)
        return invoice

    # === WHAT IS FOUND === #
    def test_watched_order_is_recorded_and_not_held(self):
        order = self._create_order()
        self.assertEqual(order.release_state, "free")
        self.assertTrue(order.picking_ids)
        self.assertRecordValues(
            self._get_findings(order),
            [
                {
                    "check_id": self.check.id,
                    "order_id": order.id,
                    "verdict": "open",
                    "stage": "handover",
                }
            ],
        )

    def test_order_that_passes_is_not_recorded(self):
        order = self._create_order(client_order_ref="PO 7")
        self.assertFalse(self._get_findings(order))

    def test_preview_of_a_quotation_is_left_out(self):
        quotation = self._create_order(confirm=False)
        quotation.action_recheck()
        self.assertTrue(quotation.hold_ids)
        self.assertFalse(self._get_findings(quotation))
        with freeze_time(fields.Datetime.add(fields.Datetime.now(), minutes=5)):
            quotation.action_confirm()
        self.assertEqual(len(self._get_findings(quotation)), 1)

    def test_check_that_holds_is_not_watched(self):
        self.check.severity = "block"
        self.assertFalse(self._get_findings(self._create_order()))

    # === HOW LONG === #
    def test_order_would_have_been_held_until_it_was_mended(self):
        with freeze_time("2026-03-01 12:00:00"):
            order = self._create_order()
        with freeze_time("2026-03-02 23:55:00"):
            self._mend(order)
        finding = self._get_findings(order)
        self.assertRecordValues(finding, [{"verdict": "right", "false_count": 0}])
        self.assertAlmostEqual(finding.days, 1.5, 3)

    def test_finding_renewed_by_other_figures_is_one(self):
        with freeze_time("2026-03-01 12:00:00"):
            order = self._create_order()
        with freeze_time("2026-03-02 12:00:00"):
            self.check.hint = "Ask Kim."
            self._recheck(order)
        self.assertEqual(len(order.hold_ids), 2)
        with freeze_time("2026-03-03 11:55:00"):
            self._mend(order)
        self.assertAlmostEqual(self._get_findings(order).days, 2.0, 3)

    # === FALSE ALARMS === #
    def test_order_carried_out_without_trouble_was_a_false_alarm(self):
        order = self._create_order()
        self._deliver(order)
        self.assertEqual(self._get_findings(order).verdict, "open")
        invoice = self._invoice(order)
        self.assertEqual(self._get_findings(order).verdict, "open")
        self._pay(invoice, amount=100.0)
        self.assertEqual(self._get_findings(order).verdict, "open")
        self._pay(invoice)
        self.assertRecordValues(
            self._get_findings(order), [{"verdict": "false", "false_count": 1, "false_rate": 100.0}]
        )

    def test_order_paid_up_to_a_week_late_was_a_false_alarm(self):
        for days, verdict in ((7, "false"), (8, "open")):
            order = self._create_order()
            paid = fields.Date.add(fields.Date.today(), days=days)
            self._carry_out(order, date=paid)
            self.assertEqual(self._get_findings(order).verdict, verdict)

    def test_order_with_goods_sent_back_was_no_false_alarm(self):
        order = self._create_order()
        self._carry_out(order)
        self._return(order.picking_ids, 1.0, to_refund=False)
        self.assertEqual(self._get_findings(order).verdict, "open")

    def test_order_with_a_credit_note_was_no_false_alarm(self):
        order = self._create_order()
        self._credit(self._carry_out(order))
        self.assertEqual(self._get_findings(order).verdict, "open")

    def test_mended_order_was_rightly_found_however_it_went(self):
        order = self._create_order()
        self._mend(order)
        self._carry_out(order)
        self.assertEqual(self._get_findings(order).verdict, "right")

    def test_verdict_by_hand_comes_first(self):
        order = self._create_order()
        finding = self._get_findings(order).with_user(self.clerk)
        finding.action_mark_false_alarm()
        self.assertRecordValues(
            self._get_findings(order), [{"verdict": "false", "is_marked": True}]
        )
        self.assertEqual(order.hold_ids.watch_verdict_by_id, self.clerk)
        finding.action_mark_right()
        self.assertEqual(self._get_findings(order).verdict, "right")
        finding.action_unmark()
        self.assertEqual(self._get_findings(order).verdict, "open")

    def test_salesperson_and_other_company_give_no_verdict(self):
        order = self._create_order()
        with self.assertRaises(AccessError):
            order.hold_ids.with_user(self.salesman)._judge_watch("false")
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_user", company=other
        )
        self.assertFalse(self.env["sale.admin.check.report"].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            order.hold_ids.with_user(stranger)._judge_watch("false")

    def test_hold_that_was_real_gets_no_verdict(self):
        self.check.severity = "block"
        order = self._create_order()
        with self.assertRaises(UserError):
            order.hold_ids.with_user(self.clerk)._judge_watch("false")

    # === SWITCHING ON === #
    def test_check_sums_up_what_it_found(self):
        mended, smooth, running = (self._create_order() for _i in range(3))
        self._mend(mended)
        self._carry_out(smooth)
        self.check.invalidate_recordset()
        self.assertRecordValues(
            self.check.with_user(self.manager),
            [
                {
                    "watch_order_count": 3,
                    "watch_right_count": 1,
                    "watch_false_count": 1,
                    "watch_open_count": 1,
                    "watch_false_rate": 50.0,
                }
            ],
        )
        action = self.check.action_view_watch()
        self.assertEqual(
            self.env["sale.admin.check.report"].search(action["domain"]).order_id,
            mended | smooth | running,
        )

    def test_check_without_findings_shows_nothing(self):
        self.assertRecordValues(self.check, [{"watch_order_count": 0, "watch_since": False}])

    def test_manager_switches_the_check_on(self):
        watched = self._create_order()
        with self.assertRaises(AccessError):
            self.check.with_user(self.clerk).action_switch_on()
        self.check.with_user(self.manager).action_switch_on()
        self.assertEqual(self.check.severity, "block")
        self.assertEqual(watched.release_state, "free")
        self.assertEqual(self._create_order().release_state, "held")
        with self.assertRaises(UserError):
            self.check.with_user(self.manager).action_switch_on()

    def test_summary_of_many_checks_takes_no_query_more(self):
        checks = self.check
        for _i in range(3):
            checks |= self._create_check("domain", rule_domain="[]", severity="shadow")
        self._create_order()

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.mapped("watch_order_count")
            return self.env.cr.sql_log_count - before

        count(checks)
        self.assertEqual(count(self.check), count(checks))
