from odoo import fields, models


class SaleOrderHandOver(models.TransientModel):
    _name = "sale.order.hand.over"
    _description = "Hand Orders Over"

    order_ids = fields.Many2many("sale.order", required=True)
    team = fields.Selection(selection="_selection_team", required=True, default="warehouse")
    user_id = fields.Many2one("res.users", string="Person", domain=[("share", "=", False)])
    message = fields.Char(help="What those who do the work should know.")

    def _selection_team(self):
        handovers = self.env["sale.admin.handover"]
        labels = dict(handovers._fields["team"]._description_selection(self.env))
        return [(team, labels[team]) for team in handovers._get_teams()]

    def action_hand_over(self):
        self.ensure_one()
        self.order_ids._hand_over(self.team, self.user_id, self.message)
        return {"type": "ir.actions.act_window_close"}
