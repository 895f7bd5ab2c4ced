from odoo import Command
from odoo.tests import tagged

from odoo.addons.sale_admin_support.tests.common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestProjectRelease(SaleAdminSupportCommon):
    """Orders above 1,150 (with taxes) are held at handover."""

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.quick_ref("project.group_project_manager")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.env["project.project"].create(
            {"name": "Installations", "allow_billable": True}
        )
        cls.task_service = cls._create_service("task_global_project", project_id=cls.project.id)
        cls.project_service = cls._create_service("task_in_project")
        cls.env["sale.admin.check"].create(
            {
                "name": "Large orders",
                "kind": "domain",
                "rule_domain": "[('amount_total', '>', 1150)]",
                "active": True,
                "company_id": cls.company.id,
            }
        )

    @classmethod
    def _create_service(cls, tracking, **values):
        return cls.env["product.product"].create(
            {
                "name": f"Service {tracking}",
                "type": "service",
                "list_price": 100.0,
                "uom_id": cls.env.ref("uom.product_uom_hour").id,
                "invoice_policy": "order",
                "service_tracking": tracking,
                "taxes_id": [Command.set(cls.tax.ids)],
                **values,
            }
        )

    def _release(self, order):
        holds = order.hold_ids.filtered(lambda hold: hold.state == "open")
        holds.with_user(self.manager)._release("Agreed")

    def test_free_order_makes_its_tasks_at_once(self):
        order = self._create_order(10, product=self.task_service)
        self.assertEqual(order.release_state, "free")
        self.assertEqual(order.order_line.task_id.allocated_hours, 10)

    def test_tasks_wait_for_the_release_and_are_made_once(self):
        order = self._create_order(
            lines=[(self.task_service, 10.5, 100.0), (self.project_service, 2, 100.0)]
        )
        self.assertEqual(order.release_state, "held")
        self.assertFalse(order.order_line.task_id)
        self.assertFalse(order.order_line.project_id)
        self._release(order)
        self.assertEqual(order.order_line.mapped("task_id.allocated_hours"), [10.5, 2])
        self.assertEqual(len(order.tasks_ids), 2)
        order.action_recheck()
        self.assertEqual(len(order.tasks_ids), 2)

    def test_released_part_makes_the_task_with_its_hours(self):
        order = self._create_order(20, product=self.task_service)
        line = order.order_line
        order.with_user(self.manager)._release_part({line: 8}, "A part")
        self.assertEqual(line.task_id.allocated_hours, 8)
        self._release(order)
        self.assertEqual(line.task_id.allocated_hours, 20)
        self.assertEqual(len(order.tasks_ids), 1)

    def test_hours_of_a_held_increase_come_with_its_release(self):
        order = self._create_order(10, product=self.task_service)
        task = order.order_line.task_id
        order.order_line.product_uom_qty = 15
        self.assertEqual(order.order_line.qty_withheld, 5)
        self.assertEqual(task.allocated_hours, 10)
        self._release(order)
        self.assertEqual(task.allocated_hours, 15)
        self.assertEqual(order.order_line.task_id, task)

    def test_added_line_waits(self):
        order = self._create_order(10, product=self.task_service)
        order.order_line = [
            Command.create({"product_id": self.task_service.id, "product_uom_qty": 1})
        ]
        old, new = order.order_line
        self.assertTrue(old.task_id)
        self.assertFalse(new.task_id)
        self._release(order)
        self.assertEqual(new.task_id.allocated_hours, 1)
        self.assertEqual(len(order.tasks_ids), 2)

    def test_line_without_quantity_waits_as_well(self):
        order = self._create_order(
            lines=[(self.goods, 20, 100.0), (self.project_service, 0, 100.0)]
        )
        self.assertFalse(order.project_ids)
        self._release(order)
        self.assertEqual(len(order.project_ids), 1)
