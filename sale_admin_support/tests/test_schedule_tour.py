from datetime import timedelta

from odoo.tests import HttpCase, tagged

from .test_sale_admin_milestone import MANUAL, MilestoneCommon, invoiced


@tagged("post_install", "-at_install")
class TestScheduleTour(MilestoneCommon, HttpCase):
    def test_schedule_is_followed_on_the_contract(self):
        late = self.company._sale_admin_today() - timedelta(days=3)
        contract = self._create_scheduled(
            {**MANUAL, "name": "Goods made", "date_planned": late},
            invoiced(name="Invoice", date_planned=late),
        )
        self.start_tour(
            f"/odoo/sales-contracts/{contract.id}", "sale_admin_schedule", login="sales_clerk"
        )
        made, training, invoice = contract.milestone_ids.sorted(
            lambda m: ["Goods made", "Training", "Invoice"].index(m.name)
        )
        self.assertEqual(str(training.date_planned), "2050-12-31")
        self.assertEqual(made.done_by_id, self.clerk)
        self.assertEqual(invoice.replan_reason, "Site not ready")
