from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import ormcache


class SaleAdminChannel(models.Model):
    """A way by which orders come in: web, portal, e-mail, phone, fax, letter and so on."""

    _name = "sale.admin.channel"
    _description = "Order Channel"
    _order = "sequence, id"

    # === FIELDS === #
    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        readonly=True, copy=False, help="By which the system finds the channel; technical."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    utm_medium_ids = fields.Many2many(
        "utm.medium",
        string="Mediums",
        help="Orders that Odoo tracked to one of these mediums came in by this channel.",
    )
    utm_source_ids = fields.Many2many(
        "utm.source",
        string="Sources",
        help="Orders that Odoo tracked to one of these sources came in by this channel; a source "
        "tells more than a medium.",
    )

    # === CONSTRAINTS AND INDEXES === #
    _code_uniq = models.Constraint("UNIQUE (code)", "There is a channel with this code already.")

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_known_by_code(self):
        if known := self.filtered("code"):
            raise UserError(
                self.env._(
                    "Orders get the channel %s by themselves: archive it if you do not use it.",
                    known[0].name,
                )
            )

    # === BUSINESS METHODS === #
    @api.model
    def _get_by_code(self, code):
        """Return the channel that the system knows by `code`; none when it is archived."""
        return self.sudo().browse(self._get_ids_by_key().get(("code", code)))

    @api.model
    def _get_by_utm(self, source, medium):
        """Return the channel of what Odoo tracked; the source tells more than the medium."""
        ids = self._get_ids_by_key()
        return self.sudo().browse(ids.get(("source", source.id)) or ids.get(("medium", medium.id)))

    @api.model
    @ormcache()
    def _get_ids_by_key(self):
        """Return the channels' ids by what they are found by, so that no order costs a query."""
        ids = {}
        for channel in self.sudo().search([]):
            keys = [
                ("code", channel.code),
                *(("source", source_id) for source_id in channel.utm_source_ids.ids),
                *(("medium", medium_id) for medium_id in channel.utm_medium_ids.ids),
            ]
            for key in keys:
                ids.setdefault(key, channel.id)
        ids.pop(("code", False), None)
        return ids
