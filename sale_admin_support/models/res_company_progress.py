from odoo import fields, models


class ResCompany(models.Model):
    """What a company wants of hand-overs, shipments and returns."""

    _inherit = "res.company"

    # === FIELDS === #
    sale_admin_handover_mode = fields.Selection(
        [
            ("off", "Off"),
            ("manual", "By the sales administrator"),
            ("auto", "At once when an order is released"),
        ],
        string="Hand-over of Orders",
        required=True,
        default="off",
        help="Whether released orders are handed over to the warehouse, production or purchasing, "
        "who take them over or send them back.",
    )
    sale_admin_handover_since = fields.Datetime(
        readonly=True, help="Orders confirmed before hand-overs were switched on are left alone."
    )
    sale_admin_handover_hours = fields.Integer(
        string="Hours to Take Over",
        default=4,
        help="A hand-over that nobody answered after so many hours is put before the office.",
    )
    sale_admin_tracking_expected = fields.Boolean(
        string="Shipments Are Tracked",
        help="Shipments of orders without a tracking reference are put before the office.",
    )
    sale_admin_return_reason_required = fields.Boolean(
        string="Returns Need a Reason",
        help="Sold goods are taken back only with a reason.",
    )

    # === CRUD METHODS === #
    def write(self, vals):
        if vals.get("sale_admin_handover_mode", "off") != "off":
            started = self.filtered(lambda company: company.sale_admin_handover_mode == "off")
            super(ResCompany, started).write({"sale_admin_handover_since": fields.Datetime.now()})
        return super().write(vals)
