from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    sale_contract_count = fields.Integer(
        string="Contracts",
        compute="_compute_sale_contract_count",
        groups="sales_team.group_sale_salesman",
    )

    def _compute_sale_contract_count(self):
        """The contracts of the whole commercial entity."""
        counts = dict(
            self.env["sale.admin.contract"]._read_group(
                [("partner_id", "in", self.commercial_partner_id.ids)],
                ["partner_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.sale_contract_count = counts.get(partner.commercial_partner_id, 0)

    def action_view_sale_contracts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sale_admin_support.sale_admin_contract_action"
        )
        customer = self.commercial_partner_id
        return {
            **action,
            "domain": [("partner_id", "=", customer.id)],
            "context": {"default_partner_id": customer.id},
        }
