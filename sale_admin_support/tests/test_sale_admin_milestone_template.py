from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestMilestoneTemplate(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.env["sale.admin.milestone.template"]
        cls.made_to_order = cls.env.ref(
            "sale_admin_support.sale_admin_milestone_template_made_to_order"
        )

    def _create_template(self, name, *lines, **vals):
        return self.model.create(
            {
                "name": name,
                "line_ids": [
                    Command.create({"name": f"Step {number}", **line})
                    for number, line in enumerate(lines or [{}], 1)
                ],
                **vals,
            }
        )

    def test_shipped_templates_are_sound(self):
        templates = self.model.search([])
        self.assertGreaterEqual(len(templates), 4)
        templates._check_percentages()
        templates.line_ids._check_anchor()

    def test_schedule_of_goods_made_to_order(self):
        order = self._create_order(10, 100, commitment_date="2026-04-10 12:00:00")
        contract = self._create_contract(
            order, date_signed="2026-03-02", milestone_template_id=self.made_to_order.id
        )
        contract.action_refresh_lines()
        contract.with_user(self.clerk).action_make_schedule()
        self.assertEqual(
            [(m.name, m.date_planned, round(m.amount_planned, 2)) for m in contract.milestone_ids],
            [
                ("Deposit", date(2026, 3, 2), 345.0),
                ("Goods made", date(2026, 3, 22), 0.0),
                ("Inspection report", date(2026, 3, 24), 0.0),
                ("Delivery", date(2026, 4, 10), 1000.0),
                ("Invoice", date(2026, 4, 10), 1000.0),
                ("Balance", date(2026, 5, 10), 805.0),
                ("Acceptance by the customer", date(2026, 4, 24), 0.0),
                ("End of guarantee", date(2027, 4, 24), 0.0),
            ],
        )
        contract.state = "active"
        self.assertEqual(contract.milestone_ids[5].date_baseline, date(2026, 5, 10))

    def test_every_shipped_template_makes_a_schedule_that_starts(self):
        for template in self.model.search([]):
            order = self._create_order(10, 100)
            contract = self._create_contract(
                order,
                kind=template.kind or "single",
                date_signed="2026-03-02",
                milestone_template_id=template.id,
            )
            contract.action_refresh_lines() if contract.kind == "single" else None
            contract.amount_untaxed, contract.amount_total = 1000, 1150
            contract.action_make_schedule()
            self.assertFalse(contract.milestone_ids._check_schedule(), template.name)

    def test_schedule_is_made_once_and_before_the_start(self):
        contract = self._create_contract(
            self._create_order(),
            date_signed="2026-03-02",
            milestone_template_id=self.made_to_order.id,
        )
        contract.action_make_schedule()
        with self.assertRaises(UserError):
            self.made_to_order._make_schedule(contract)
        contract.milestone_ids.unlink()
        contract.state = "active"
        with self.assertRaises(UserError):
            self.made_to_order._make_schedule(contract)

    def test_names_come_in_every_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self._create_template("Simple")
        template.line_ids.with_context(lang="fr_FR").name = "Étape"
        contract = self._create_contract(milestone_template_id=template.id)
        milestone = template._make_schedule(contract)
        self.assertEqual(milestone.with_context(lang="en_US").name, "Step 1")
        self.assertEqual(milestone.with_context(lang="fr_FR").name, "Étape")

    def test_most_special_template_is_proposed(self):
        self.model.search([]).active = False
        parent = self.env["product.category"].create({"name": "Machines"})
        category = self.env["product.category"].create({"name": "Pumps", "parent_id": parent.id})
        pump = self._create_goods("Pump", categ_id=category.id)
        contract = self._create_contract(self._create_order(product=pump))
        expected = self.model
        for vals in (
            {},
            {"kind": "single"},
            {"categ_ids": [Command.set(parent.ids)]},
            {"categ_ids": [Command.set(category.ids)]},
            {"partner_ids": [Command.set(self.customer.ids)]},
        ):
            expected = self._create_template("Fits", sequence=99, **vals)
            # None of these is meant for this contract.
            self._create_template(
                "Misses", kind="framework", **vals
            ) if "kind" not in vals else None
            self.assertEqual(self.model._propose(contract), expected, vals)
        self._create_template("Other customer", partner_ids=[Command.set(self.partner_b.ids)])
        other = self.env["res.company"].create({"name": "Other company"})
        self._create_template("Other company", company_id=other.id)
        self.assertEqual(self.model._propose(contract), expected)

    def test_shares_add_up(self):
        share = {"measure": "invoiced", "target": 50}
        self._create_template("Sound", share, share)
        for other in (49.98, 50.02):
            with self.assertRaises(ValidationError):
                self._create_template("Unsound", share, {**share, "target": other})
        template = self._create_template("Sound", share, share)
        with self.assertRaises(ValidationError):
            template.line_ids = [Command.update(template.line_ids[0].id, {"target": 40})]
        template.line_ids = [
            Command.update(template.line_ids[0].id, {"target": 40}),
            Command.update(template.line_ids[1].id, {"target": 60}),
        ]

    def test_circle_and_anchor_after_are_refused(self):
        template = self._create_template("Chain", {}, {})
        first, second = template.line_ids
        second.write({"anchor": "milestone", "anchor_line_id": first.id})
        with self.assertRaises(ValidationError):
            first.write({"anchor": "milestone", "anchor_line_id": second.id})
        with self.assertRaises(ValidationError):
            second.offset_days = -1
        with self.assertRaises(ValidationError):
            second.anchor_line_id = self._create_template("Other").line_ids

    def test_copy_is_counted_from_its_own_milestones(self):
        copy = self.made_to_order.copy()
        self.assertEqual(copy.line_ids.anchor_line_id.template_id, copy)
        self.assertEqual(
            copy.line_ids.mapped("anchor_line_id.name"),
            self.made_to_order.line_ids.mapped("anchor_line_id.name"),
        )

    def test_templates_are_kept_by_managers(self):
        with self.assertRaises(AccessError):
            self.made_to_order.with_user(self.clerk).name = "Mine"
        self.made_to_order.with_user(self.manager).name = "Ours"
