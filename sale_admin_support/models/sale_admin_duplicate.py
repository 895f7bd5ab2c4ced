from odoo import fields, models
from odoo.exceptions import UserError


class SaleAdminDuplicate(models.Model):
    """Two orders that look like one and are not, told apart by a person. Never changed."""

    _name = "sale.admin.duplicate"
    _description = "Orders Told Apart"
    _order = "id desc"
    _check_company_auto = True

    # === FIELDS === #
    order_id = fields.Many2one(
        "sale.order", required=True, readonly=True, index=True, ondelete="cascade"
    )
    other_id = fields.Many2one(
        "sale.order", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    note = fields.Char(required=True, readonly=True)
    decided_by_id = fields.Many2one(
        "res.users",
        required=True,
        readonly=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
    )
    decided_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)

    # === CONSTRAINTS AND INDEXES === #
    _pair_uniq = models.UniqueIndex(
        "(LEAST(order_id, other_id), GREATEST(order_id, other_id))",
        "These two orders are told apart already.",
    )

    # === CRUD METHODS === #
    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What was decided about two orders stays as it was decided."))
