from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestContractOrders(SaleAdminSupportCommon):
    def _activated(self, order, **values):
        contract = self._create_contract(order, date_signed=fields.Date.today(), **values)
        contract.action_activate()
        return contract

    # === OPENING === #
    def test_orders_open_contracts_as_the_company_wants(self):
        self.company.sale_admin_contract_mode = "never"
        self.assertFalse(self._create_order().sale_contract_id)
        self.company.sale_admin_contract_mode = "always"
        contract = self._create_order().sale_contract_id
        self.assertRecordValues(
            contract,
            [{"state": "draft", "amount_untaxed": 1000.0, "partner_id": self.customer.id}],
        )

    def test_the_quotation_template_can_say_so(self):
        self.company.sale_admin_contract_mode = "template"
        quiet, opens = self.env["sale.order.template"].create(
            [{"name": "Quiet"}, {"name": "Project", "opens_sale_contract": True}]
        )
        self.assertFalse(self._create_order(sale_order_template_id=quiet.id).sale_contract_id)
        self.assertTrue(self._create_order(sale_order_template_id=opens.id).sale_contract_id)

    def test_every_way_to_confirm_opens_the_contract(self):
        self.company.sale_admin_contract_mode = "always"
        written = self._create_order(confirm=False)
        written.with_user(self.salesman.sudo(False)).sudo().write({"state": "sale"})
        self.assertTrue(written.sale_contract_id)
        created = self._create_order(confirm=False, state="sale")
        self.assertTrue(created.sale_contract_id)
        # the customer signs in the portal: nobody of the office is at work
        signed = self._create_order(confirm=False, signed_on="2026-03-31 23:30:00")
        self.company.sale_admin_tz = "Asia/Ho_Chi_Minh"
        signed.with_user(self.env.ref("base.public_user")).sudo()._validate_order()
        self.assertRecordValues(
            signed.sale_contract_id,
            [{"date_signed": fields.Date.to_date("2026-04-01"), "admin_id": False}],
        )

    def test_what_hinders_a_contract_does_not_undo_the_confirmation(self):
        self.company.sale_admin_contract_mode = "always"

        message = "no contract today"

        def refuse(contracts):
            raise UserError(message)

        self.patch(type(self.env["sale.admin.contract"]), "_pull_lines_from_orders", refuse)
        order = self._create_order()
        self.assertRecordValues(order, [{"state": "sale", "sale_contract_id": False}])
        self.assertIn("no contract today", order.activity_ids.note)

    def test_an_order_without_value_opens_no_contract(self):
        self.company.sale_admin_contract_mode = "always"
        self.assertFalse(self._create_order(price=0).sale_contract_id)
        self.assertTrue(self._create_order(price=0.01).sale_contract_id)

    def test_confirming_many_costs_no_more_queries_with_many_contracts_there(self):
        self.company.sale_admin_contract_mode = "always"

        def confirm():
            order = self._create_order(confirm=False)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            order.action_confirm()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        confirm()
        few = confirm()
        for _index in range(10):
            self._create_order()
        self.assertLessEqual(confirm(), few)

    def test_the_button_opens_a_contract_once(self):
        order = self._create_order().with_user(self.clerk)
        first = order.action_view_sale_contract()["res_id"]
        self.assertEqual(order.sale_contract_id.id, first)
        self.assertEqual(order.action_view_sale_contract()["res_id"], first)

    # === ATTACHING === #
    def test_customer_company_and_currency_agree(self):
        order = self._create_order()
        with self.assertRaisesRegex(ValidationError, "the contract is with"):
            self._create_contract(order, partner_id=self.partner_b.id)
        euro = self.setup_other_currency("EUR")
        with self.assertRaisesRegex(ValidationError, "the contract is in EUR"):
            self._create_contract(order, currency_id=euro.id)
        other = self.setup_other_company()["company"]
        with self.assertRaises(UserError):
            self._create_contract(order, company_id=other.id)

    def test_the_contract_cannot_change_away_from_its_orders(self):
        contract = self._create_contract(self._create_order())
        with self.assertRaisesRegex(ValidationError, "the contract is with"):
            contract.partner_id = self.partner_b

    def test_only_administrators_attach_orders(self):
        order = self._create_order(user_id=self.salesman.id)
        contract = self._create_contract(user_id=self.salesman.id)
        with self.assertRaisesRegex(AccessError, "by sales administrators"):
            order.with_user(self.salesman).sale_contract_id = contract
        order.with_user(self.clerk).sale_contract_id = contract
        self.assertEqual(contract.order_ids, order)

    def test_only_a_manager_takes_an_order_from_a_running_contract(self):
        order = self._create_order()
        contract = self._activated(order)
        with self.assertRaisesRegex(UserError, "only a sales administration manager"):
            order.with_user(self.clerk).sale_contract_id = False
        with self.assertRaisesRegex(UserError, "only a sales administration manager"):
            contract.with_user(self.clerk).order_ids = [Command.unlink(order.id)]
        order.with_user(self.manager).sale_contract_id = False
        self.assertFalse(contract.order_ids)

    def test_an_ended_contract_takes_no_orders(self):
        contract = self._activated(self._create_order())
        contract.write({"state": "terminated", "state_reason": "Bankrupt"})
        with self.assertRaisesRegex(UserError, "takes no more orders"):
            self._create_order().sale_contract_id = contract

    # === DIFFERENCES === #
    def test_an_order_changed_behind_the_contract_shows(self):
        order = self._create_order(10)
        contract = self._activated(order)
        self.assertFalse(contract.is_order_changed)
        order.order_line.product_uom_qty = 12
        self.assertTrue(contract.is_order_changed)
        self.assertEqual(contract.amount_untaxed, 1000.0)
        self.assertRecordValues(
            contract, [{"amount_untaxed_baseline": 1000.0, "amount_ordered": 1200.0}]
        )
        self.assertEqual(
            [
                (d["product"], d["quantity_agreed"], d["quantity_ordered"])
                for d in contract._get_order_differences()
            ],
            [(self.goods, 10.0, 12.0)],
        )
        order.order_line.product_uom_qty = 10
        self.assertFalse(contract.is_order_changed)

    def test_an_exchange_at_the_same_total_shows(self):
        other = self._create_goods("Other")
        order = self._create_order(lines=[(self.goods, 5, 100), (other, 5, 100)])
        contract = self._activated(order)
        order.order_line[0].product_uom_qty = 6
        order.order_line[1].product_uom_qty = 4
        self.assertEqual(contract.amount_ordered, contract.amount_untaxed)
        self.assertTrue(contract.is_order_changed)

    def test_quantities_compare_in_the_products_unit(self):
        order = self._create_order(24)
        contract = self._activated(order)
        dozen = self.env.ref("uom.product_uom_dozen")
        order.order_line.write({"product_uom_id": dozen.id, "product_uom_qty": 2})
        order.order_line.price_unit = 1200
        self.assertFalse(contract.is_order_changed)
        order.order_line.product_uom_qty = 3
        self.assertTrue(contract.is_order_changed)

    def test_a_cancelled_order_shows_as_difference(self):
        order = self._create_order(10)
        contract = self._activated(order)
        order._action_cancel()
        self.assertTrue(contract.is_order_changed)

    # === FRAMEWORK === #
    def test_a_framework_is_called_off_by_orders(self):
        contract = self._create_contract(
            kind="framework",
            date_signed=fields.Date.today(),
            line_ids=[
                Command.create({"product_id": self.goods.id, "quantity": 100, "price_unit": 90})
            ],
        )
        self.assertEqual(contract.amount_untaxed, 9000.0)
        contract.action_activate()
        first = self._create_order(30, price=90)
        first.sale_contract_id = contract
        self.assertRecordValues(
            contract.line_ids, [{"quantity_ordered": 30.0, "quantity_remaining": 70.0}]
        )
        self.assertRecordValues(
            contract,
            [{"amount_remaining": 6300.0, "is_order_changed": False, "amount_untaxed": 9000.0}],
        )
        self._create_order(70, price=90).sale_contract_id = contract
        self.assertFalse(contract.is_order_changed)
        self._create_order(1, price=90).sale_contract_id = contract
        self.assertTrue(contract.is_order_changed, "one more than committed")

    def test_a_framework_over_a_value_alone(self):
        contract = self._create_contract(
            kind="framework",
            date_signed=fields.Date.today(),
            amount_untaxed=1000,
            amount_total=1150,
        )
        contract.action_activate()
        self._create_order(10).sale_contract_id = contract
        self.assertRecordValues(contract, [{"amount_remaining": 0.0, "is_order_changed": False}])
        self._create_order(1).sale_contract_id = contract
        self.assertRecordValues(contract, [{"amount_remaining": -100.0, "is_order_changed": True}])
