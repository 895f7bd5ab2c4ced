from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class SaleAdminRequirement(models.Model):
    """Something that an order must say before it is complete.

    Either a field of the order, or of what it leads to, that must be filled in: `path`; or a
    method ``_find_lacking_<code>`` that returns the orders lacking it, so that a bridge adds one by
    a record and a method.
    """

    _name = "sale.admin.requirement"
    _description = "Requirement of Orders"
    _order = "sequence, id"

    # === FIELDS === #
    name = fields.Char(
        required=True, translate=True, help="What must be there, such as: customer's reference."
    )
    where = fields.Char(
        string="Where to Mend It",
        translate=True,
        help="Told to the salesperson, such as: tab Other Info, Customer Reference.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    path = fields.Char(
        string="Field",
        help="The field of the order, or of what it leads to, that must be filled in.",
    )
    code = fields.Char(readonly=True, copy=False, help="The method that looks for it; technical.")

    # === CONSTRAINT METHODS === #
    @api.constrains("path", "code")
    def _check_path(self):
        for requirement in self.filtered(lambda r: not r.code):
            model = self.env["sale.order"]
            for fname in (requirement.path or "").split("."):
                field = model._fields.get(fname) if model is not None else None
                if field is None:
                    raise ValidationError(
                        self.env._(
                            "%(requirement)s: choose a field of the order, “%(path)s” is none.",
                            requirement=requirement.name,
                            path=requirement.path or "",
                        )
                    )
                model = self.env[field.comodel_name] if field.relational else None

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self):
        if known := self.filtered("code"):
            raise UserError(
                self.env._(
                    "“%s” is looked for by the app: archive it if you do not use it.",
                    known[0].name,
                )
            )

    # === BUSINESS METHODS === #
    def _find_lacking(self, orders):
        """Return the orders that lack what is required; no query grows with the orders."""
        self.ensure_one()
        return self._find_lacking_by(orders, self.code, self.path)

    @api.model
    def _find_lacking_by(self, orders, code, path):
        """Likewise, without reading the requirement itself.

        :param code: of the method that looks for it; otherwise the field `path` must be filled in
        """
        if code:
            return getattr(self, f"_find_lacking_{code}")(orders)
        return orders.filtered(lambda order: not any(order.mapped(path)))

    def _find_lacking_delivery_address(self, orders):
        """Street, place and country: what a carrier needs."""
        return self._filter_delivered(orders).filtered(
            lambda order: not self._is_address_complete(order.partner_shipping_id)
        )

    def _find_lacking_delivery_contact(self, orders):
        """A person, or an address that has a name of its own, not just the company."""
        return self._filter_delivered(orders).filtered(
            lambda order: order.partner_shipping_id.is_company or not order.partner_shipping_id.name
        )

    def _find_lacking_delivery_phone(self, orders):
        return self._filter_delivered(orders).filtered(
            lambda order: not order.partner_shipping_id.phone
        )

    def _find_lacking_invoice_address(self, orders):
        return orders.filtered(
            lambda order: not self._is_address_complete(order.partner_invoice_id)
        )

    def _find_lacking_tax_number(self, orders):
        """Private persons have none."""
        customers = {order: order.partner_invoice_id.commercial_partner_id for order in orders}
        return orders.filtered(
            lambda order: customers[order].is_company and not customers[order].vat
        )

    def _find_lacking_signature(self, orders):
        """Signed online, or the signed contract is on file."""
        return orders.filtered(
            lambda order: not order.signed_by and not order.sale_contract_id.has_signed_file
        )

    def _find_lacking_document(self, orders):
        """The customer's order as it came in: a file on the order."""
        found = self.env["ir.attachment"]._read_group(
            [("res_model", "=", "sale.order"), ("res_id", "in", orders.ids)], ["res_id"]
        )
        filed = {res_id for (res_id,) in found}
        return orders.filtered(lambda order: order.id not in filed)

    @api.model
    def _filter_delivered(self, orders):
        """Hook: the orders with something to ship; a service needs no delivery address."""
        return orders.filtered(
            lambda order: any(line.product_id.type == "consu" for line in order.order_line)
        )

    @api.model
    def _is_address_complete(self, partner):
        return bool(partner.street and (partner.city or partner.zip) and partner.country_id)

    def _get_fix(self, order):
        """Return where it is mended; in the contact when the path leads there."""
        self.ensure_one()
        field = (self.path or "").split(".")[0]
        partner = {
            "delivery_address": order.partner_shipping_id,
            "delivery_contact": order.partner_shipping_id,
            "delivery_phone": order.partner_shipping_id,
            "invoice_address": order.partner_invoice_id,
            "tax_number": order.partner_invoice_id.commercial_partner_id,
        }.get(self.code)
        record = partner if partner else order
        return {
            "label": self.where or self.name,
            "model": record._name,
            "res_id": record.id,
            "field": field,
        }
