from odoo import Command, fields

from .common import SaleAdminSupportCommon


class DeskCommon(SaleAdminSupportCommon):
    """A company that grants 1,000 and holds orders beyond it; goods cost 115 with taxes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = cls._create_user(
            "credit_controller", "sale_admin_support.group_sale_admin_credit"
        )
        cls.customer.user_id = cls.salesman
        cls.policy = (
            cls.env["sale.admin.credit.policy"]
            .sudo()
            .create({"name": "All customers", "mode": "limit", "amount": 1000.0})
        )
        cls.company.sudo().sale_admin_credit_policy_id = cls.policy
        cls.limit_check = cls._create_check(
            "Credit limit",
            "credit_limit",
            release_group_id=cls.env.ref("sale_admin_support.group_sale_admin_credit").id,
        )

    @classmethod
    def _create_check(cls, name, kind="domain", **values):
        return (
            cls.env["sale.admin.check"]
            .sudo()
            .create({"name": name, "kind": kind, "active": True, **values})
        )

    @classmethod
    def _create_reference_check(cls, **values):
        """Holds orders without the customer's reference."""
        return cls._create_check(
            "Reference",
            rule_domain="[('client_order_ref', '=', False)]",
            message="The customer's reference is missing.",
            **values,
        )

    @classmethod
    def _create_held_order(cls, quantity=10.0, **values):
        """An order beyond the limit, entered and confirmed by its salesperson."""
        order = cls._create_order(quantity, confirm=False, **{"user_id": cls.salesman.id, **values})
        order.with_user(cls.salesman).action_confirm()
        return order.sudo()

    @classmethod
    def _create_open_invoice(cls, amount, due, partner=None):
        """A posted invoice that is to be paid on the day `due`."""
        invoice = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or cls.customer).id,
                "invoice_date": min(due, fields.Date.today()),
                "invoice_date_due": due,
                "invoice_payment_term_id": False,
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Earlier", "quantity": 1, "price_unit": amount, "tax_ids": False}
                    )
                ],
            }
        )
        invoice.action_post()
        return invoice

    @classmethod
    def _open_wizard(cls, action, user, **values):
        """The dialog of an action as the user gets it."""
        return (
            cls.env[action["res_model"]]
            .with_user(user)
            .with_context(**action.get("context", {}))
            .create(values)
        )
