from odoo import Command

from .common import SaleAdminSupportCommon


class CreditCommon(SaleAdminSupportCommon):
    """A company with a credit policy, two credit controllers, and goods at 100 without taxes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = cls._create_user("credit_1", "sale_admin_support.group_sale_admin_credit")
        cls.controller_2 = cls._create_user(
            "credit_2", "sale_admin_support.group_sale_admin_credit"
        )
        cls.goods.taxes_id = False
        cls.delivered_goods = cls._create_goods(
            "Goods invoiced when delivered", invoice_policy="delivery", taxes_id=False
        )
        cls.policy = (
            cls.env["sale.admin.credit.policy"]
            .sudo()
            .create({"name": "Standard", "mode": "no_limit", "company_id": cls.company.id})
        )
        cls.company.sale_admin_credit_policy_id = cls.policy
        cls.receivable = cls.company_data["default_account_receivable"]

    @classmethod
    def _create_check(cls, kind="credit_limit", **values):
        return cls.env["sale.admin.check"].create(
            {"name": kind, "kind": kind, "active": True, "company_id": cls.company.id, **values}
        )

    @classmethod
    def _grant(cls, amount=None, partner=None, mode=None, **values):
        """Ask for a limit as one controller and approve it as the other."""
        limit = (
            cls.env["sale.admin.credit.limit"]
            .with_context(allowed_company_ids=cls.company.ids)
            .with_user(cls.controller)
            .create(
                {
                    "partner_id": (partner or cls.customer).id,
                    "mode": mode or "limit",
                    "amount": amount or 0.0,
                    "reason": "Annual accounts",
                    **values,
                }
            )
        )
        limit.action_request()
        limit.with_user(cls.controller_2).action_approve()
        return limit.with_user(cls.env.user)

    def _exposure(self, partner=None, company=None):
        partner = (partner or self.customer).with_company(company or self.company)
        partner.invalidate_recordset()
        return partner.credit_exposure

    def assertExposure(self, amount, partner=None, **parts):
        """The exposure and, by keyword, its parts; they are what the documents say."""
        partner = partner or self.customer
        self.assertAlmostEqual(self._exposure(partner), amount, 2)
        for part, value in parts.items():
            self.assertAlmostEqual(partner[f"credit_exposure_{part}"], value, 2, part)
        self.assertFalse(self.env["sale.order"]._get_misjudged_exposures())

    @classmethod
    def _create_customer(cls, name, **values):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "property_account_receivable_id": cls.receivable.id,
                "child_ids": [Command.create({"name": f"{name}'s clerk"})],
                **values,
            }
        )
