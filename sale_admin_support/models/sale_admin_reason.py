from odoo import fields, models


class SaleAdminReason(models.Model):
    """Why something was done, in words to choose from, so that it can be counted afterwards."""

    _name = "sale.admin.reason"
    _description = "Reason"
    _order = "kind, sequence, id"

    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(
        [
            ("hold", "Hold by hand"),
            ("reject", "Rejection"),
            ("send_back", "Sent back by warehouse or production"),
            ("return", "Return of goods"),
            ("problem", "Problem of an order"),
            ("short", "Closed short"),
        ],
        required=True,
        index=True,
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Empty: for all companies.")
