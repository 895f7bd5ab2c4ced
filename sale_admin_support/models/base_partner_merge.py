from odoo import models

from .res_partner_check import VERIFY_FIELDS


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_values(self, src_partners, dst_partner):
        """The customer that remains keeps its credit and its verification: what is merged into it
        lends it neither. A block for sales is not lost, whichever of them has it.

        The approved limits of both stay, as one history; the one that began last rules.
        """
        remaining = dst_partner.sudo()
        src_partners.sudo()._set(
            {
                name: remaining._fields[name].convert_to_write(remaining[name], remaining)
                for name in VERIFY_FIELDS
            }
        )
        src_partners.sudo()._set_credit(
            {
                "credit_limit": remaining.credit_limit,
                "credit_head_id": remaining.credit_head_id.id,
                "credit_policy_id": remaining.credit_policy_id.id,
            }
        )
        res = super()._update_values(src_partners, dst_partner)
        dst_partner._follow_credit_terms(self.env.company)
        return res
