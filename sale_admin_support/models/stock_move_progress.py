from odoo import models
from odoo.exceptions import UserError


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        self._check_return_has_reason()
        return super()._action_done(cancel_backorder=cancel_backorder)

    def _check_return_has_reason(self):
        """Where the company wants it, sold goods are taken back only with a reason.

        :raise UserError: naming the transfer
        """
        # with all rights: who receives goods need not read orders or reasons
        for move in self.sudo():
            if (
                move.company_id.sale_admin_return_reason_required
                and (move.sale_line_id or move.picking_id.sale_id)
                and move.state not in ("done", "cancel")
                and move.location_id.usage == "customer"
                and move.location_dest_id.usage != "customer"
                and not move.picking_id.sale_return_reason_id
            ):
                raise UserError(
                    self.env._(
                        "Say first why the goods of %(transfer)s came back: fill in the reason of "
                        "the return.",
                        transfer=move.picking_id.name or move.product_id.display_name,
                    )
                )
