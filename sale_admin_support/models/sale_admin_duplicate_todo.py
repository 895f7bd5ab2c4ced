import logging

from odoo import api, fields, models

from .sale_admin_queue import RETRIED

_logger = logging.getLogger(__name__)


class SaleAdminDuplicateTodo(models.Model):
    """Orders to compare anew because another one, which they look like, has changed. Technical."""

    _name = "sale.admin.duplicate.todo"
    _description = "Order to Compare"

    # === FIELDS === #
    # No link: a foreign key would lock the order, which somebody else may be changing.
    order_id = fields.Integer(required=True)

    # === BUSINESS METHODS === #
    @api.model
    def _add(self, order_ids):
        if order_ids:
            self.sudo().create([{"order_id": order_id} for order_id in sorted(order_ids)])
            self.env.ref("sale_admin_support.sale_admin_duplicate_cron_compare")._trigger()

    @api.model
    def _cron_compare(self):
        """Bring the marks up to date, order by order; one being changed right now is left to the
        next run."""
        todo = self.search([]).grouped("order_id")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(todo))
        for order_id, rows in todo.items():
            try:
                with self.env.cr.savepoint():
                    rows._compare(self.env["sale.order"].browse(order_id).exists())
            except RETRIED:
                self.env.cr.rollback()
            except Exception:
                _logger.warning("Order %s cannot be compared", order_id, exc_info=True)
            if not cron._commit_progress(1):
                break

    def _compare(self, order):
        if order:
            before = order.duplicate_of_id
            order._look_for_duplicates()
            order.flush_recordset()
            if order.duplicate_of_id != before:
                order._after_duplicate_decided()
        self.unlink()
