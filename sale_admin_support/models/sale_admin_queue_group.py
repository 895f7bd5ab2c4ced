from odoo import fields, models


class SaleAdminQueueGroup(models.Model):
    """A heading of the workbench, under which the queues of one capability stand."""

    _name = "sale.admin.queue.group"
    _description = "Work Queue Group"
    _order = "sequence, id"

    # === FIELDS === #
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    queue_ids = fields.One2many("sale.admin.queue", "group_id", string="Queues")
