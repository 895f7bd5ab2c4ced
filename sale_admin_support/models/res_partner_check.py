from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

BLOCK_FIELDS = {"sale_block_reason", "sale_blocked_at", "sale_blocked_by_id"}
VERIFY_FIELDS = {"sale_data_changed_by_id", "sale_verified_at", "sale_verified_by_id"}


class ResPartner(models.Model):
    """The customer's file: blocked for sales, and data verified by a second person."""

    _name = "res.partner"
    _inherit = ["res.partner", "sale.admin.guarded"]

    # === FIELDS === #
    sale_block_reason = fields.Char(
        string="Blocked for Sales",
        company_dependent=True,
        readonly=True,
        groups="base.group_user",
        help="Why this company sells nothing to the customer for now; empty: not blocked.",
    )
    sale_blocked_by_id = fields.Many2one(
        "res.users",
        string="Blocked By",
        company_dependent=True,
        readonly=True,
        groups="base.group_user",
    )
    sale_blocked_at = fields.Datetime(
        string="Blocked On", company_dependent=True, readonly=True, groups="base.group_user"
    )
    sale_verified_by_id = fields.Many2one(
        "res.users",
        string="Verified By",
        readonly=True,
        copy=False,
        ondelete="restrict",
        groups="base.group_user",
    )
    sale_verified_at = fields.Datetime(
        string="Data Verified On",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="When a second person compared name, address and tax number with the customer's "
        "papers; a change of these empties it.",
    )
    sale_data_changed_by_id = fields.Many2one(
        "res.users",
        string="Data Changed By",
        readonly=True,
        copy=False,
        ondelete="set null",
        groups="base.group_user",
        help="Who last changed name, address or tax number, and cannot verify them.",
    )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_server_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_server_fields(vals)
        if not self._get_verified_fields().intersection(vals):
            return super().write(vals)
        before = {partner: partner._get_verified_values() for partner in self.sudo()}
        res = super().write(vals)
        changed = self.sudo().filtered(lambda p: p._get_verified_values() != before[p])
        changed._on_verified_data_changed()
        return res

    def _check_server_fields(self, vals):
        """What is written as it is changes nothing: merging writes all that a customer has."""
        return super()._check_server_fields(
            {
                name: value
                for name, value in vals.items()
                if not (name in self._get_server_fields() and self._has_values(name, value))
            }
        )

    def _has_values(self, name, value):
        field = self._fields[name]
        return bool(self and value) and all(
            field.convert_to_write(partner[name], partner) == value for partner in self.sudo()
        )

    def _set(self, vals):
        """Write what only the server decides: past the guard of this class, through Odoo's own."""
        return super().write(vals)

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | BLOCK_FIELDS | VERIFY_FIELDS

    # === ACTION METHODS === #
    def action_block_for_sales(self):
        """Ask for the reason and block."""
        self._check_may_block()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Block for Sales"),
            "res_model": "sale.admin.customer.block",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_ids": self.commercial_partner_id.ids},
        }

    def action_unblock_for_sales(self):
        """Let the company sell to the customers again; what waited for it is judged again."""
        self._check_may_block()
        blocked = self.commercial_partner_id.sudo().filtered("sale_block_reason")
        blocked._set(
            {"sale_block_reason": False, "sale_blocked_by_id": False, "sale_blocked_at": False}
        )
        for partner in blocked:
            partner._log_customer_file(self.env._("Unblocked for sales."))
        self.env["sale.admin.hold"]._mark_recheck(partners=blocked)
        return True

    def action_verify_customer(self):
        """Note that the user at work compared the customers' data with their papers.

        :raise UserError: when he entered or last changed them, or something is missing
        """
        self.check_access("read")
        for partner in self.commercial_partner_id:
            if problems := partner._get_problems_to_verify():
                raise UserError(
                    self.env._(
                        "%(customer)s cannot be verified: %(problems)s",
                        customer=partner.display_name,
                        problems=" ".join(problems),
                    )
                )
        for partner in self.commercial_partner_id.sudo():
            partner._set(
                {
                    "sale_verified_by_id": self.env.uid,
                    "sale_verified_at": fields.Datetime.now(),
                }
            )
            partner._log_customer_file(self.env._("Customer data verified."))
        self.env["sale.admin.hold"]._mark_recheck(partners=self.commercial_partner_id)
        return True

    # === BUSINESS METHODS === #
    @api.model
    def _get_verified_fields(self):
        """Hook: the data that a second person compares with the customer's papers."""
        return {"name", "vat", "street", "street2", "zip", "city", "state_id", "country_id"}

    def _get_verified_values(self):
        self.ensure_one()
        return {fname: self[fname] or False for fname in self._get_verified_fields()}

    def _on_verified_data_changed(self):
        """Data that changed are to be verified anew, by another than who changed them."""
        user = self.env.user
        for partner in self:
            vals = {}
            if not user._is_superuser() and partner.sale_data_changed_by_id != user:
                vals["sale_data_changed_by_id"] = user.id
            if partner.sale_verified_at:
                vals.update(sale_verified_by_id=False, sale_verified_at=False)
                partner._log_customer_file(
                    self.env._("The customer's data changed: to be verified again.")
                )
            if vals:
                partner._set(vals)

    def _get_problems_to_verify(self):
        """Return why the user at work cannot verify this customer, in sentences."""
        self.ensure_one()
        user, partner = self.env.user, self.sudo()
        problems = []
        if not user.has_group("sale_admin_support.group_sale_admin_user"):
            problems.append(self.env._("Sales administrators verify customers."))
        if user in (partner.sale_data_changed_by_id or partner.create_uid):
            problems.append(
                self.env._("You entered or last changed the data: another person verifies them.")
            )
        if not (partner.street and partner.city and partner.country_id):
            problems.append(self.env._("The address is not complete."))
        return problems

    def _block_for_sales(self, reason):
        """Block the customers for the company at work, with the reason that salespeople read.

        :raise UserError: without a reason
        """
        self._check_may_block()
        if not reason or not reason.strip():
            raise UserError(self.env._("Say why: the salesperson reads it."))
        for partner in self.commercial_partner_id.sudo():
            partner._set(
                {
                    "sale_block_reason": reason.strip(),
                    "sale_blocked_by_id": self.env.uid,
                    "sale_blocked_at": fields.Datetime.now(),
                }
            )
            partner._log_customer_file(self.env._("Blocked for sales: %s", reason))

    def _check_may_block(self):
        """Blocking and unblocking is for managers and credit controllers."""
        self.check_access("read")
        user = self.env.user
        if not (
            user.has_group("sale_admin_support.group_sale_admin_manager")
            or user.has_group("sale_admin_support.group_sale_admin_credit")
        ):
            raise AccessError(
                self.env._(
                    "Customers are blocked and unblocked by sales administration managers and "
                    "credit controllers."
                )
            )

    def _log_customer_file(self, body):
        self._message_log(body=body, author_id=self.env.user.partner_id.id)
