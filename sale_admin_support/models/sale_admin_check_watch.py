from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleAdminCheck(models.Model):
    """Watched checks: what they would have held, before somebody switches them on."""

    _inherit = "sale.admin.check"

    watch_since = fields.Datetime(
        string="First Finding", compute="_compute_watch", help="When it found its first order."
    )
    watch_order_count = fields.Integer(
        string="Would Have Held", compute="_compute_watch", help="Orders that the check found."
    )
    watch_days = fields.Float(
        string="Days Each",
        compute="_compute_watch",
        help="How long an order would have been held on average, until it was mended or until "
        "today.",
    )
    watch_right_count = fields.Integer(string="Rightly", compute="_compute_watch")
    watch_false_count = fields.Integer(string="False Alarms", compute="_compute_watch")
    watch_open_count = fields.Integer(string="Not Known Yet", compute="_compute_watch")
    watch_false_rate = fields.Float(
        string="% False Alarms",
        compute="_compute_watch",
        help="Of the findings of which it is known.",
    )

    # === COMPUTE METHODS === #
    def _compute_watch(self):
        groups = self.env["sale.admin.check.report"]._read_group(
            [("check_id", "in", self.ids)],
            ["check_id"],
            [
                "date_found:min",
                "order_id:count_distinct",
                "days:avg",
                "order_count:sum",
                "false_count:sum",
                "false_rate:count",
                "false_rate:avg",
            ],
        )
        found = {check: values for check, *values in groups}
        for check in self:
            since, orders, days, total, false, known, rate = found.get(
                check, (False, 0, 0.0, 0, 0, 0, 0.0)
            )
            check.watch_since = since
            check.watch_order_count = orders
            check.watch_days = days
            check.watch_false_count = false
            check.watch_right_count = known - false
            check.watch_open_count = total - known
            check.watch_false_rate = rate or 0.0

    # === ACTION METHODS === #
    def action_switch_on(self):
        """From now on hold the orders that fail; what was confirmed before goes on as it does."""
        for check in self:
            if check.severity != "shadow":
                raise UserError(self.env._("“%s” is not a watched check.", check.name))
        self.write({"severity": "block", "active": True})
        return True

    def action_view_watch(self):
        """Open what the check found."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_check_report_action"
        )
        return {**action, "name": self.name, "domain": [("check_id", "=", self.id)], "context": {}}

    # === DEMO === #
    @api.model
    def _load_demo(self):
        """Play the last weeks of the demo company's checks; called by the demo data alone."""
        from ..demo.check import Checking

        Checking(self.env).live()
