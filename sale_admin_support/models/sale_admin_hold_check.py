from odoo import fields, models
from odoo.exceptions import AccessError, UserError

VERDICTS = [
    ("open", "Not Known Yet"),
    ("right", "Rightly Found"),
    ("false", "False Alarm"),
]


class SaleAdminHold(models.Model):
    """What a watched check found, and whether somebody calls it a false alarm."""

    _inherit = "sale.admin.hold"

    watch_verdict = fields.Selection(
        VERDICTS[1:],
        string="Verdict by Hand",
        readonly=True,
        help="Whether the check would rightly have held the order, as somebody decided.",
    )
    watch_verdict_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")

    def _judge_watch(self, verdict):
        """Note whether what watched checks found was rightly found; it can be noted anew.

        :param verdict: ``right``, ``false``, or False to go back to what the documents say
        :raise AccessError: to all but sales administrators and credit controllers
        """
        self.check_access("read")
        user = self.env.user
        if not (
            user.has_group("sale_admin_support.group_sale_admin_user")
            or user.has_group("sale_admin_support.group_sale_admin_credit")
        ):
            raise AccessError(self.env._("Sales administrators judge what checks found."))
        holds = self.sudo()
        if holds.filtered(lambda hold: hold.severity != "shadow"):
            raise UserError(self.env._("Only what a watched check found is judged here."))
        holds._set({"watch_verdict": verdict, "watch_verdict_by_id": verdict and user.id})
