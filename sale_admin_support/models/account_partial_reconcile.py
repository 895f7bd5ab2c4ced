from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._get_fact_contracts()._facts_changed()
        return partials

    def unlink(self):
        contracts = self._get_fact_contracts()
        res = super().unlink()
        contracts._facts_changed()
        return res

    def _get_fact_contracts(self):
        """Return the contracts whose collected money or advances these matchings tell."""
        return (self.debit_move_id | self.credit_move_id).move_id._get_fact_contracts()
