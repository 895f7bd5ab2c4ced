from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    release_state = fields.Selection(
        [
            ("free", "Free"),
            ("held", "Held"),
            ("released", "Released"),
            ("rejected", "Rejected"),
        ],
        default="free",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    hold_ids = fields.One2many("sale.admin.hold", "order_id", readonly=True, copy=False)
    judged_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the confirmed order was last judged as a whole; what is added later is judged "
        "as an increase.",
    )
    changed_by_id = fields.Many2one(
        "res.users",
        string="Last Changed By",
        readonly=True,
        copy=False,
        help="Who last changed what the order promises: lines, prices, terms, dates.",
    )
