from odoo import api, fields, models


class SaleAdminContractSign(models.TransientModel):
    """Asks for the date of signature and the signed copy, and activates the contract."""

    _name = "sale.admin.contract.sign"
    _description = "Register the Signature"

    contract_id = fields.Many2one("sale.admin.contract", required=True)
    is_running = fields.Boolean(compute="_compute_is_running")
    date_signed = fields.Date(
        string="Signed on",
        compute="_compute_date_signed",
        store=True,
        readonly=False,
        required=True,
    )
    signed_file = fields.Binary(string="Signed Copy")
    signed_file_name = fields.Char()

    @api.depends("contract_id")
    def _compute_is_running(self):
        for wizard in self:
            wizard.is_running = bool(wizard.contract_id.date_activated)

    @api.depends("contract_id")
    def _compute_date_signed(self):
        for wizard in self:
            contract = wizard.contract_id
            wizard.date_signed = contract.date_signed or contract.company_id._sale_admin_today()

    def action_apply(self):
        self.ensure_one()
        vals = {}
        if self.signed_file:
            vals.update(signed_file=self.signed_file, signed_file_name=self.signed_file_name)
        if not self.is_running:
            vals.update(date_signed=self.date_signed, state="active")
        self.contract_id.write(vals)
        return {"type": "ir.actions.act_window_close"}
