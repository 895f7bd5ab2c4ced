from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

FACT_FIELDS = {"currency_id", "date_order", "sale_contract_id", "state"}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    sale_contract_id = fields.Many2one(
        "sale.admin.contract",
        string="Sales Contract",
        check_company=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        ondelete="restrict",
        tracking=True,
        domain="[('company_id', '=', company_id), ('partner_id', 'parent_of', partner_id),"
        " ('state', 'not in', ('done', 'terminated', 'cancelled'))]",
    )

    @api.constrains("sale_contract_id", "partner_id", "company_id", "currency_id")
    def _check_contract_agrees(self):
        """An order and its contract have one customer, one company and one currency."""
        for order in self.filtered("sale_contract_id"):
            contract = order.sale_contract_id.sudo()
            if order.partner_id.commercial_partner_id != contract.partner_id:
                reason = self.env._(
                    "the contract is with %(customer)s", customer=contract.partner_id.display_name
                )
            elif order.company_id != contract.company_id:
                reason = self.env._(
                    "the contract belongs to %(company)s", company=contract.company_id.display_name
                )
            elif order.currency_id != contract.currency_id:
                reason = self.env._(
                    "the contract is in %(currency)s", currency=contract.currency_id.name
                )
            else:
                continue
            raise ValidationError(
                self.env._(
                    "%(order)s cannot be put under %(contract)s: %(reason)s.",
                    order=order.name,
                    contract=contract.display_name,
                    reason=reason,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_may_attach(vals_list)
        orders = super().create(vals_list)
        orders.filtered("sale_contract_id")._check_contract_takes_orders()
        orders.filtered(lambda o: o.state == "sale")._open_contracts_at_confirmation()
        return orders

    def write(self, vals):
        self._check_may_attach([vals])
        moved = self.browse()
        if "sale_contract_id" in vals:
            moved = self.filtered(
                lambda o: o.sale_contract_id.id != (vals["sale_contract_id"] or False)
            )
            moved._check_may_leave_contract()
        # Every way to confirm passes here: the button, a signature, a payment, an import.
        confirmed = self.browse()
        if vals.get("state") == "sale":
            confirmed = self.filtered(lambda o: o.state != "sale")
        contracts = self._get_fact_contracts() if moved else self.env["sale.admin.contract"]
        res = super().write(vals)
        if FACT_FIELDS & vals.keys():
            (contracts | self._get_fact_contracts())._facts_changed()
        moved.filtered("sale_contract_id")._check_contract_takes_orders()
        confirmed._open_contracts_at_confirmation()
        return res

    def _check_may_attach(self, vals_list):
        if any(vals.get("sale_contract_id") for vals in vals_list) and not (
            self.env.su or self.env.user.has_group("sale_admin_support.group_sale_admin_user")
        ):
            raise AccessError(
                self.env._(
                    "Orders are put under contracts by sales administrators: ask one of them."
                )
            )

    def _check_may_leave_contract(self):
        """Once a contract runs, only a manager takes a confirmed order from under it."""
        if self.env.su or self.env.user.has_group("sale_admin_support.group_sale_admin_manager"):
            return
        for order in self.filtered(lambda o: o.state == "sale" and o.sale_contract_id):
            if order.sale_contract_id.date_activated:
                raise UserError(
                    self.env._(
                        "%(order)s is part of the running contract %(contract)s: only a sales "
                        "administration manager can take it out.",
                        order=order.name,
                        contract=order.sale_contract_id.display_name,
                    )
                )

    def _check_contract_takes_orders(self):
        for order in self:
            contract = order.sale_contract_id
            if contract.state in ("done", "terminated", "cancelled"):
                raise UserError(
                    self.env._(
                        "%(contract)s has ended and takes no more orders.",
                        contract=contract.display_name,
                    )
                )

    def _must_open_contract(self):
        """Hook: whether confirming this order opens a contract."""
        self.ensure_one()
        if self.sale_contract_id or self.currency_id.compare_amounts(self.amount_total, 0) <= 0:
            return False
        mode = self.company_id.sale_admin_contract_mode
        return mode == "always" or (
            mode == "template" and self.sale_order_template_id.opens_sale_contract
        )

    def _open_contracts_at_confirmation(self):
        """Open contracts as the company wants; the confirming user may be a customer.

        What hinders a contract never undoes the confirmation, with it a signature or a payment: the
        salesperson is told instead, and the order's button opens the contract later.
        """
        for order in self.sudo().filtered(lambda o: o._must_open_contract()):
            try:
                with self.env.cr.savepoint():
                    self.env["sale.admin.contract"].sudo()._open_from_orders(order)
            except UserError as error:
                order.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("No contract was opened"),
                    note=str(error),
                    user_id=order.user_id.id or self.env.uid,
                )

    # === ACTION METHODS === #
    def action_view_sale_contract(self):
        """Open the order's contract; a button for administrators makes it when there is none."""
        self.ensure_one()
        if not self.sale_contract_id:
            if self.state == "cancel":
                raise UserError(self.env._("A cancelled order opens no contract."))
            self.env["sale.admin.contract"]._open_from_orders(self)
        return self.sale_contract_id._get_form_action()

    # === FACTS === #
    def _get_fact_contracts(self):
        """Return the contracts of these orders, with all rights: whoever works on an order changes
        what is known of its contract."""
        return self.sudo().sale_contract_id

    def _facts_changed(self):
        """What happened to these orders changed: tell their contracts, if any."""
        if contracts := self._get_fact_contracts():
            contracts._facts_changed()
