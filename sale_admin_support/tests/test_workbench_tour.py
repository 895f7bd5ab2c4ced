from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestWorkbenchTour(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sale.admin.contract"].search([("state", "=", "draft")]).action_cancel()
        cls.clerk = new_test_user(
            cls.env, "clerk", groups="sale_admin_support.group_sale_admin_user"
        )
        cls.queue = cls.env.ref("sale_admin_support.sale_admin_queue_contract_draft")

    def _start(self, tour):
        self.start_tour("/odoo/sales-administration", tour, login="clerk")

    @mute_logger("odoo.addons.sale_admin_support.models.sale_admin_queue")
    def test_workbench(self):
        self.env["sale.admin.contract"].create(
            {
                "title": "Wind park",
                "partner_id": self.env["res.partner"].create({"name": "Windy"}).id,
                "amount_untaxed": 1234.0,
            }
        )
        broken = self.queue.copy({"name": "Broken"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_admin_queue SET domain = '[(''x_gone'', ''='', 1)]' WHERE id = %s",
            [broken.id],
        )
        self.env.invalidate_all()
        self._start("sale_admin_workbench")

    def test_workbench_all_done(self):
        (self.env["sale.admin.queue"].search([]) - self.queue).active = False
        self._start("sale_admin_workbench_done")

    def test_workbench_without_queues(self):
        self.env["sale.admin.queue"].search([]).active = False
        self._start("sale_admin_workbench_empty")
