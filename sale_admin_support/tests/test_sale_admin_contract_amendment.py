import base64

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import SaleAdminSupportCommon

PAPER = base64.b64encode(b"signed amendment")


@tagged("post_install", "-at_install")
class TestContractAmendment(SaleAdminSupportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_order(10)
        cls.contract = cls._create_contract(
            cls.order, date_signed=fields.Date.today(), date_end="2099-12-31"
        )
        cls.contract.action_activate()
        cls.manager_2 = cls._create_user(
            "sales_manager_2", "sale_admin_support.group_sale_admin_manager"
        )

    def _amend(self, user=None, **values):
        return (
            self.env["sale.admin.contract.amendment"]
            .with_user(user or self.clerk)
            .create({"contract_id": self.contract.id, "reason": "More chairs", **values})
        )

    def test_amendments_are_numbered_in_their_contract(self):
        self.assertEqual([self._amend().number, self._amend().number], [1, 2])

    def test_an_approved_amendment_changes_the_plan_not_the_baseline(self):
        amendment = self._amend(
            amount_untaxed_delta=200, amount_total_delta=230, file=PAPER, date_end="2100-12-31"
        )
        self.assertEqual(self.contract.amount_untaxed, 1000.0)
        amendment.with_user(self.manager).action_approve()
        self.assertRecordValues(
            self.contract,
            [
                {
                    "amount_untaxed": 1200.0,
                    "amount_total": 1380.0,
                    "amount_untaxed_baseline": 1000.0,
                    "date_end": fields.Date.to_date("2100-12-31"),
                    "date_end_baseline": fields.Date.to_date("2099-12-31"),
                }
            ],
        )
        self.assertEqual(amendment.decided_by_id, self.manager)

    def test_the_author_does_not_approve(self):
        amendment = self._amend(self.manager, file=PAPER)
        with self.assertRaisesRegex(UserError, "another person"):
            amendment.action_approve()
        with self.assertRaisesRegex(UserError, "another person"):
            amendment.write({"state": "approved"})
        amendment.with_user(self.manager_2).action_approve()
        self.assertEqual(amendment.state, "approved")

    def test_who_changed_it_does_not_approve_either(self):
        amendment = self._amend(file=PAPER)
        amendment.with_user(self.manager).amount_untaxed_delta = 999
        with self.assertRaisesRegex(UserError, "another person"):
            amendment.with_user(self.manager).action_approve()
        lined = self._amend(file=PAPER)
        self.env["sale.admin.contract.amendment.line"].with_user(self.manager).create(
            {
                "amendment_id": lined.id,
                "product_id": self.goods.id,
                "quantity_delta": 1,
                "amount_untaxed_delta": 100,
            }
        )
        with self.assertRaisesRegex(UserError, "another person"):
            lined.with_user(self.manager).action_approve()

    def test_only_a_manager_decides(self):
        amendment = self._amend(file=PAPER)
        with self.assertRaisesRegex(UserError, "by a sales administration manager"):
            amendment.with_user(self.clerk_2).action_approve()
        with self.assertRaises(AccessError):
            amendment.with_user(self.salesman).write({"state": "approved"})

    def test_no_approval_without_the_paper(self):
        with self.assertRaisesRegex(UserError, "Attach the signed amendment"):
            self._amend().with_user(self.manager).action_approve()

    def test_state_and_author_are_the_servers(self):
        with self.assertRaisesRegex(UserError, "set by the system"):
            self._amend(author_id=self.manager.id)
        amendment = (
            self.env["sale.admin.contract.amendment"]
            .with_user(self.clerk)
            .with_context(default_state="approved", default_author_id=self.manager.id)
            .create({"contract_id": self.contract.id, "reason": "x", "state": "approved"})
        )
        self.assertRecordValues(amendment, [{"state": "draft", "author_id": self.clerk.id}])
        self.assertEqual(self.contract.amount_untaxed, 1000.0)

    def test_a_decision_is_not_created_by_defaults(self):
        amendment = (
            self.env["sale.admin.contract.amendment"]
            .with_user(self.clerk)
            .with_context(
                default_decided_by_id=self.manager.id,
                default_decided_at="2026-01-01 10:00:00",
                default_editor_id=self.manager.id,
                default_number=9,
            )
            .create({"contract_id": self.contract.id, "reason": "x"})
        )
        self.assertRecordValues(
            amendment,
            [
                {
                    "decided_by_id": False,
                    "decided_at": False,
                    "editor_id": self.clerk.id,
                    "number": 1,
                }
            ],
        )

    def test_what_is_decided_stays(self):
        amendment = self._amend(file=PAPER, amount_untaxed_delta=10, amount_total_delta=11.5)
        amendment.with_user(self.manager).action_approve()
        with self.assertRaisesRegex(UserError, "is decided"):
            amendment.with_user(self.manager).reason = "Other"
        with self.assertRaisesRegex(UserError, "is decided"):
            amendment.with_user(self.manager).action_refuse()
        with self.assertRaisesRegex(UserError, "is decided"):
            amendment.with_user(self.manager).unlink()

    def test_only_running_contracts_are_amended(self):
        draft = self._create_contract()
        with self.assertRaisesRegex(UserError, "only a running contract"):
            self._amend(contract_id=draft.id)

    def test_not_more_is_taken_away_than_there_is(self):
        self._amend(amount_untaxed_delta=-1000, amount_total_delta=-1150)
        with self.assertRaisesRegex(ValidationError, "takes away more"):
            self._amend(amount_untaxed_delta=-1000.01, amount_total_delta=-1150)

    def test_the_new_end_is_not_before_the_start(self):
        with self.assertRaisesRegex(ValidationError, "before the start"):
            self._amend(date_end="2000-01-01")

    def test_an_amendment_from_the_difference_settles_it(self):
        self.order.order_line.product_uom_qty = 12
        self.assertTrue(self.contract.is_order_changed)
        action = self.contract.with_user(self.clerk).action_amend()
        amendment = self.env["sale.admin.contract.amendment"].browse(action["res_id"])
        self.assertRecordValues(
            amendment, [{"amount_untaxed_delta": 200.0, "amount_total_delta": 230.0}]
        )
        amendment.with_user(self.clerk).file = PAPER
        amendment.with_user(self.manager).action_approve()
        self.assertRecordValues(
            self.contract,
            [{"is_order_changed": False, "amount_untaxed": 1200.0, "amount_total": 1380.0}],
        )
        self.assertRecordValues(
            self.contract.line_ids, [{"quantity": 12.0, "quantity_baseline": 10.0}]
        )

    def test_a_product_added_by_the_order_is_added_to_the_agreed_lines(self):
        other = self._create_goods("Other")
        self.order.order_line = [
            fields.Command.create({"product_id": other.id, "product_uom_qty": 2, "price_unit": 50})
        ]
        amendment = self.env["sale.admin.contract.amendment"].browse(
            self.contract.with_user(self.clerk).action_amend()["res_id"]
        )
        amendment.with_user(self.clerk).file = PAPER
        amendment.with_user(self.manager).action_approve()
        self.assertFalse(self.contract.is_order_changed)
        self.assertEqual(self.contract.line_ids.mapped("product_id"), self.goods | other)
        self.assertEqual(self.contract.amount_untaxed, 1100.0)
