from contextlib import nullcontext

from odoo import Command, fields
from odoo.tests import freeze_time, new_test_user

from odoo.addons.sale.tests.common import TestSaleCommon


class SaleAdminSupportCommon(TestSaleCommon):
    """A company with a customer, goods at 100 with 15 % tax, and the people of a sales office.

    The helpers do what the offices around ours do (warehouse, accounting), with the rights of the
    test's own user; what is under test is called with :meth:`with_user` on the clerk, the manager
    or the salesman.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.sale_admin_tz = "UTC"
        cls.customer = cls.partner_a
        cls.tax = cls.tax_sale_a
        cls.goods = cls._create_goods("Goods")
        cls.service = cls.env["product.product"].create(
            {
                "name": "Service",
                "type": "service",
                "list_price": 100.0,
                "invoice_policy": "order",
                "taxes_id": [Command.set(cls.tax.ids)],
            }
        )
        cls.salesman = cls._create_user("sales_person", "sales_team.group_sale_salesman")
        cls.clerk = cls._create_user("sales_clerk", "sale_admin_support.group_sale_admin_user")
        cls.clerk_2 = cls._create_user("sales_clerk_2", "sale_admin_support.group_sale_admin_user")
        cls.manager = cls._create_user(
            "sales_manager", "sale_admin_support.group_sale_admin_manager"
        )

    @classmethod
    def get_default_groups(cls):
        groups = super().get_default_groups()
        return (
            groups
            | cls.quick_ref("stock.group_stock_manager")
            | cls.quick_ref("sale_admin_support.group_sale_admin_manager")
        )

    @classmethod
    def _create_user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login=login,
            groups=groups,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    @classmethod
    def _create_goods(cls, name, **values):
        """Goods that need no stock on hand, invoiced as ordered."""
        return cls.env["product.product"].create(
            {
                "name": name,
                "type": "consu",
                "list_price": 100.0,
                "invoice_policy": "order",
                "taxes_id": [Command.set(cls.tax.ids)],
                **values,
            }
        )

    # === ORDERS AND CONTRACTS === #
    @classmethod
    def _create_order(
        cls, quantity=10.0, price=100.0, product=None, lines=None, confirm=True, date=None, **values
    ):
        """Create an order of one line, or of `lines`: tuples of product, quantity, price.

        :param date: day (or moment, in UTC) of the confirmation
        """
        with freeze_time(date) if date else nullcontext():
            order = cls.env["sale.order"].create(
                {
                    "partner_id": cls.customer.id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": line_product.id,
                                "product_uom_qty": line_quantity,
                                "price_unit": line_price,
                            }
                        )
                        for line_product, line_quantity, line_price in lines
                        or [(product or cls.goods, quantity, price)]
                    ],
                    **values,
                }
            )
            if confirm:
                order.action_confirm()
        return order

    @classmethod
    def _create_contract(cls, orders=None, **values):
        """Create a draft contract with the orders under it."""
        orders = orders or cls.env["sale.order"]
        contract = cls.env["sale.admin.contract"].create(
            {
                "partner_id": (orders.partner_id[:1] or cls.customer).commercial_partner_id.id,
                "company_id": (orders.company_id[:1] or cls.company).id,
                "currency_id": (orders.currency_id[:1] or cls.company.currency_id).id,
                **values,
            }
        )
        orders.sale_contract_id = contract
        return contract

    # === WAREHOUSE === #
    @classmethod
    def _transfer(cls, picking, quantity=None, date=None):
        """Do the transfer: all of it, or `quantity` of each product; the rest is a backorder."""
        with freeze_time(date) if date else nullcontext():
            for move in picking.move_ids:
                move.quantity = move.product_uom_qty if quantity is None else quantity
            picking.move_ids.picked = True
            picking.with_context(skip_backorder=True).button_validate()
        return picking

    @classmethod
    def _deliver(cls, order, quantity=None, date=None):
        """Do the order's next outgoing transfer and return it."""
        picking = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and not p.return_id
        ).sorted("id")[:1]
        return cls._transfer(picking, quantity, date)

    @classmethod
    def _return(cls, picking, quantity, to_refund=True, date=None, done=True):
        """Take `quantity` of each product of a done transfer back."""
        wizard = (
            cls.env["stock.return.picking"]
            .with_context(active_model="stock.picking", active_id=picking.id)
            .create({"picking_id": picking.id})
        )
        wizard.product_return_moves.write({"quantity": quantity, "to_refund": to_refund})
        back = cls.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        return cls._transfer(back, date=date) if done else back

    # === ACCOUNTING === #
    @classmethod
    def _invoice(cls, orders, date=None, post=True):
        """Invoice what is to invoice of the orders, together where Odoo allows it."""
        invoice = orders._create_invoices(final=True)
        invoice.invoice_date = date or fields.Date.today()
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def _down_payment(cls, order, percent, date=None):
        """Post a down payment invoice of `percent` of the order."""
        wizard = (
            cls.env["sale.advance.payment.inv"]
            .with_context(active_model="sale.order", active_ids=order.ids, active_id=order.id)
            .create({"advance_payment_method": "percentage", "amount": percent})
        )
        invoice = wizard._create_invoices(order)
        invoice.invoice_date = date or fields.Date.today()
        invoice.action_post()
        return invoice

    @classmethod
    def _credit(cls, invoice, date=None, post=True):
        """Reverse the invoice by a credit note, posted unless its lines are to be changed."""
        return cls._reverse_invoice(invoice, post=post, date=date or fields.Date.today())

    @classmethod
    def _pay(cls, invoices, amount=None, date=None, write_off=False, **values):
        """Register a payment of the invoices; what it lacks is left open or written off."""
        values["payment_date"] = date or fields.Date.today()
        if amount is not None:
            values["amount"] = amount
        if write_off:
            values["payment_difference_handling"] = "reconcile"
            values["writeoff_account_id"] = cls.company_data["default_account_expense"].id
        return cls._register_payment(invoices, **values)

    @classmethod
    def _prepay(cls, amount, date=None, partner=None, **values):
        """Post a customer payment that is matched with nothing yet."""
        payment = cls.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": (partner or cls.customer).id,
                "amount": amount,
                "date": date or fields.Date.today(),
                **values,
            }
        )
        payment.action_post()
        return payment

    @classmethod
    def _match(cls, *moves):
        """Reconcile the receivable lines of the entries with each other."""
        lines = cls.env["account.move.line"].union(*(move.line_ids for move in moves))
        lines.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()

    @classmethod
    def _pay_by_bank(cls, invoice, amount, date=None):
        """Match a bank statement line directly with the invoice, without a payment."""
        cls.pay_with_statement_line(
            invoice,
            cls.company_data["default_journal_bank"].id,
            date or fields.Date.today(),
            amount,
        )

    # === FACTS === #
    def _get_fact_sums(self, domain=(), **domain_values):
        """Return ``{kind: (quantity, amount_untaxed, amount_total)}`` of the facts, rounded."""
        domain = list(domain) + [(name, "=", value) for name, value in domain_values.items()]
        groups = self.env["sale.admin.fact"]._read_group(
            domain, ["kind"], ["quantity:sum", "amount_untaxed:sum", "amount_total:sum"]
        )
        return {kind: tuple(round(value or 0.0, 2) for value in values) for kind, *values in groups}
