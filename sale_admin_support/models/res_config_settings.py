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

    # --- intake
    sale_admin_channel_required = fields.Boolean(
        related="company_id.sale_admin_channel_required", readonly=False
    )
    sale_admin_intake_alias_name = fields.Char(
        related="company_id.sale_admin_intake_alias_name", readonly=False
    )
    sale_admin_intake_alias_domain = fields.Char(
        related="company_id.sale_admin_intake_alias_domain"
    )
    sale_admin_duplicate_days = fields.Integer(
        related="company_id.sale_admin_duplicate_days", readonly=False
    )
    sale_admin_duplicate_ref_days = fields.Integer(
        related="company_id.sale_admin_duplicate_ref_days", readonly=False
    )
    sale_admin_clarification_days = fields.Integer(
        related="company_id.sale_admin_clarification_days", readonly=False
    )
    sale_admin_clarification_reminders = fields.Integer(
        related="company_id.sale_admin_clarification_reminders", readonly=False
    )
    # === PROGRESS === #
    sale_admin_handover_mode = fields.Selection(
        related="company_id.sale_admin_handover_mode", readonly=False
    )
    sale_admin_handover_hours = fields.Integer(
        related="company_id.sale_admin_handover_hours", readonly=False
    )
    sale_admin_tracking_expected = fields.Boolean(
        related="company_id.sale_admin_tracking_expected", readonly=False
    )
    sale_admin_return_reason_required = fields.Boolean(
        related="company_id.sale_admin_return_reason_required", readonly=False
    )
    # credit
    sale_admin_credit_policy_id = fields.Many2one(
        related="company_id.sale_admin_credit_policy_id", readonly=False
    )
    # --- checks
    sale_admin_check_set = fields.Selection(
        related="company_id.sale_admin_check_set", readonly=False
    )
