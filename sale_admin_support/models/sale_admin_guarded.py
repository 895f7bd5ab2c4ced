from odoo import api, models
from odoo.exceptions import UserError


class SaleAdminGuarded(models.AbstractModel):
    """A register with fields that only the server writes, whoever calls and by whatever way.

    To be inherited first, so that `_set` passes the model's own guards and nothing else.
    """

    _name = "sale.admin.guarded"
    _description = "Register with Fields Kept by the Server"

    @api.model_create_multi
    def create(self, vals_list):
        return super(SaleAdminGuarded, self._without_server_defaults()).create(vals_list)

    @api.model
    def _get_server_fields(self):
        """Hook: the names of the fields that no client writes."""
        return set()

    def _check_server_fields(self, vals):
        """Refuse values of a client for what the server sets.

        :raise UserError: naming the fields
        """
        if fnames := self._get_server_fields().intersection(vals):
            raise UserError(
                self.env._(
                    "%(fields)s: set by the system, leave it out.",
                    fields=", ".join(sorted(self._fields[fname].string for fname in fnames)),
                )
            )

    def _without_server_defaults(self):
        """Forget the defaults of a client's context for what the server sets."""
        forged = {f"default_{fname}" for fname in self._get_server_fields()}
        if not forged.intersection(self.env.context):
            return self
        context = {key: value for key, value in self.env.context.items() if key not in forged}
        return self.with_env(self.env(context=context))

    def _set(self, vals):
        """Write what only the server decides; private, so no client comes here."""
        return super().write(vals)
