from odoo import api, fields, models
from odoo.tools import ormcache

STAGES = [
    ("handover", "Hand-over: no work starts"),
    ("ship", "Shipping: the transfer waits"),
    ("invoice", "Invoicing: the invoice waits"),
]
SEVERITIES = [
    ("shadow", "Watch: record, stop nothing"),
    ("warn", "Warn: show, stop nothing"),
    ("block", "Hold"),
]


class SaleAdminCheck(models.Model):
    """A rule that orders are judged by; switched off until a company wants it.

    Its kind is a method ``_check_<kind>``, found by name, so that a bridge adds a kind with a
    selection value and a method.
    """

    _name = "sale.admin.check"
    _description = "Order Check"
    _order = "sequence, id"

    # === FIELDS === #
    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=False, string="Switched on")
    sequence = fields.Integer(default=10)
    kind = fields.Selection([("domain", "Own rule")], required=True)
    stage = fields.Selection(STAGES, required=True, default="handover")
    severity = fields.Selection(SEVERITIES, required=True, default="block")
    company_id = fields.Many2one(
        "res.company", index=True, help="Empty: for all companies.", ondelete="cascade"
    )
    release_group_id = fields.Many2one(
        "res.groups",
        string="Released by",
        required=True,
        default=lambda self: self.env.ref("sale_admin_support.group_sale_admin_manager"),
        ondelete="restrict",
    )

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

    # === BUSINESS METHODS === #
    @api.model
    def _get_active(self, company):
        """Return the checks switched on for a company, with all rights, without a query."""
        return self.sudo().browse(self._get_active_ids(company.id))

    @api.model
    @ormcache("company_id")
    def _get_active_ids(self, company_id):
        checks = self.sudo().search(
            [("active", "=", True), ("company_id", "in", (False, company_id))]
        )
        return tuple(checks.ids)

    def _evaluate(self, orders):
        """Judge the orders by this check alone; nothing is written.

        :return: ``{order: result}`` of the orders that fail; a result is a dict with ``reason``
            (a sentence for the salesperson, without amounts that he may not see) and optionally
            ``detail`` (for who may see money), ``fix`` (``{"label", "field"}`` or an action),
            and any figure of ``sale.admin.hold`` by its field's name
        """
        self.ensure_one()
        return getattr(self, f"_check_{self.kind}")(orders)

    def _check_domain(self, orders):
        return {}
