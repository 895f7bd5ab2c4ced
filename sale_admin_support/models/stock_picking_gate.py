from odoo import models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def button_validate(self):
        """What an order is held for stays in the house; the other transfers go out.

        The reasons are written down and shown, so nothing is raised that would undo them.
        """
        moves = self.move_ids._get_leaving()
        moves._get_gate_lines().order_id._judge_again("ship")
        refusals = moves._get_withheld_reasons()
        if not refusals:
            return super().button_validate()
        held = self.browse([move.picking_id.id for move in refusals])
        res = super(StockPicking, self - held).button_validate() if self - held else True
        if isinstance(res, dict):
            return res
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("On hold: %s", ", ".join(held.mapped("display_name"))),
                "message": "\n".join(dict.fromkeys(refusals.values())),
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
