import base64
from datetime import timedelta

from odoo.tests import tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestContractQueues(SaleAdminSupportCommon):
    """A contract's way through the queues that the app ships."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._sale_admin_today()
        cls.contract = cls._create_contract(cls._create_order(10), date_signed=cls.today)

    def _get_counts(self, user=None):
        """Return the counts that are not 0, by the queue's name."""
        counters = self.env["sale.admin.queue"].with_user(user or self.clerk).get_counters()
        self.assertFalse([counter["error"] for counter in counters if counter["error"]])
        for counter in counters:
            items = self.env[counter["res_model"]].with_user(user or self.clerk)
            self.assertEqual(items.search_count(counter["domain"]), counter["count"])
        return {counter["name"]: counter["count"] for counter in counters if counter["count"]}

    def _plan(self, days, **values):
        return self.env["sale.admin.milestone"].create(
            {
                "contract_id": self.contract.id,
                "name": "Step",
                "measure": "manual",
                "date_planned": self.today + timedelta(days=days),
                **values,
            }
        )

    def test_draft_is_prepared_then_signed(self):
        self.assertEqual(self._get_counts(), {"To prepare": 1, "Schedule missing": 1})
        self.assertEqual(self._get_counts(self.salesman), {})
        self._plan(30)
        self.assertEqual(self._get_counts(), {"To prepare": 1})
        self.contract.action_send_to_sign()
        self.assertEqual(self._get_counts(), {"To sign": 1})
        self.contract.action_activate()
        self.assertEqual(self._get_counts(), {"Signed copy missing": 1})
        self.contract.signed_file = base64.b64encode(b"signed")
        self.assertEqual(self._get_counts(), {})

    def test_milestones_are_due_for_seven_days_then_late(self):
        self.contract.signed_file = base64.b64encode(b"signed")
        for days in (8, 7, 0, -1):
            self._plan(days)
        self._plan(7, measure="document")
        self._plan(8, measure="document")
        self.contract.action_activate()
        self.assertEqual(self._get_counts(), {"Late": 1, "Due in 7 days": 3, "Papers missing": 1})

    def test_second_person_finds_what_the_first_one_did(self):
        self.contract.signed_file = base64.b64encode(b"signed")
        milestone = self._plan(30, needs_verification=True)
        self.contract.action_activate()
        milestone.with_user(self.clerk)._set_done(self.today, "Seen")
        self.assertEqual(self._get_counts(self.clerk), {})
        self.assertEqual(self._get_counts(self.clerk_2), {"Waiting for the second person": 1})

    def test_amendment_is_put_before_another_manager(self):
        self.contract.signed_file = base64.b64encode(b"signed")
        self._plan(30)
        self.contract.action_activate()
        self.env["sale.admin.contract.amendment"].with_user(self.manager).create(
            {"contract_id": self.contract.id, "reason": "More"}
        )
        manager_2 = self._create_user("manager_2", "sale_admin_support.group_sale_admin_manager")
        self.assertEqual(self._get_counts(self.manager), {})
        self.assertEqual(self._get_counts(manager_2), {"Amendments to approve": 1})

    def test_renewal_and_change_behind_the_contract(self):
        self.contract.write(
            {
                "signed_file": base64.b64encode(b"signed"),
                "renewal": "tacit",
                "date_end": self.today + timedelta(days=60),
            }
        )
        self._plan(30)
        self.contract.action_activate()
        self.assertEqual(self._get_counts(), {"Renewal window open": 1})
        self.contract.order_ids.order_line.product_uom_qty = 12
        self.assertEqual(
            self._get_counts(), {"Renewal window open": 1, "Changed behind the contract": 1}
        )
