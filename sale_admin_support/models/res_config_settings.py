from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sale_admin_tz = fields.Selection(related="company_id.sale_admin_tz", readonly=False)
    sale_admin_contract_mode = fields.Selection(
        related="company_id.sale_admin_contract_mode", readonly=False
    )
    sale_admin_renewal_days = fields.Integer(
        related="company_id.sale_admin_renewal_days", readonly=False
    )
    sale_admin_max_file_size = fields.Integer(
        related="company_id.sale_admin_max_file_size", readonly=False
    )
