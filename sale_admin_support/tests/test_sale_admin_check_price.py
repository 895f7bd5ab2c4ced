import psycopg2

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_sale_admin_check import SaleAdminCheckCommon


@tagged("post_install", "-at_install")
class TestSaleAdminCheckPrice(SaleAdminCheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dozen = cls.env.ref("uom.product_uom_dozen")
        cls.order = cls._create_order(confirm=False)  # 10 at 100

    def _set_price(self, price, discount=0.0, order=None):
        (order or self.order).order_line[0].write({"price_unit": price, "discount": discount})

    def _take_off(self, amount, quantity=1.0, order=None):
        order = order or self.order
        product = self.env["product.product"].create({"name": "Discount", "type": "service"})
        order.order_line = [
            Command.create(
                {
                    "product_id": product.id,
                    "product_uom_qty": quantity,
                    "price_unit": -amount / quantity,
                    "tax_ids": [Command.set(self.tax.ids)],
                }
            )
        ]

    # === MINIMUM PRICE === #
    def _floor(self, *floors, **values):
        return self._create_check(
            "price_floor", floor_ids=[Command.create(floor) for floor in floors], **values
        )

    def test_price_at_the_minimum_passes_and_a_cent_below_fails(self):
        check = self._floor({"product_id": self.goods.id, "price_min": 90.0})
        self._set_price(90.0)
        self.assertPasses(check, self.order)
        self._set_price(100.0, discount=10.0)
        self.assertPasses(check, self.order)
        self._set_price(89.99)
        self.assertFails(check, self.order, "Goods at $\xa089.99, at least $\xa090.00")

    def test_discount_on_the_whole_order_counts(self):
        check = self._floor({"product_id": self.goods.id, "price_min": 90.0})
        self._take_off(100.0)
        self.assertPasses(check, self.order)
        self._take_off(0.1)
        self.assertFails(check, self.order)

    def test_service_of_a_negative_quantity_is_a_discount_too(self):
        check = self._floor({"product_id": self.goods.id, "price_min": 90.0})
        self._take_off(200.0, quantity=-1.0)
        self.assertFails(check, self.order)

    def test_minimum_closest_to_the_product_counts(self):
        parent = self.env["product.category"].create({"name": "Parent"})
        child = self.env["product.category"].create({"name": "Child", "parent_id": parent.id})
        self.goods.categ_id = child
        check = self._floor({"basis": "percent", "percent_min": 50.0})
        self._set_price(50.0)
        self.assertPasses(check, self.order)
        for values, least in (
            ({"categ_id": parent.id}, 60.0),
            ({"categ_id": child.id}, 70.0),
            ({"product_tmpl_id": self.goods.product_tmpl_id.id}, 80.0),
            ({"product_id": self.goods.id}, 75.0),
        ):
            check.floor_ids = [Command.create({"price_min": least, **values})]
            self._set_price(least)
            self.assertPasses(check, self.order)
            self._set_price(least - 0.01)
            self.assertFails(check, self.order)

    def test_minimum_is_a_unit_of_the_product_whatever_unit_is_sold(self):
        check = self._floor({"product_id": self.goods.id, "price_min": 90.0})
        self.order.order_line.product_uom_id = self.dozen
        self._set_price(1080.0)
        self.assertPasses(check, self.order)
        self._set_price(1079.99)
        self.assertFails(check, self.order)

    def test_minimum_is_converted_to_the_order_s_currency(self):
        check = self._floor({"product_id": self.goods.id, "price_min": 90.0})
        pricelist = self._create_pricelist()  # two of it are one of ours
        order = self._create_order(price=180.0, confirm=False, pricelist_id=pricelist.id)
        self.assertPasses(check, order)
        self._set_price(179.99, order=order)
        self.assertFails(check, order)

    def test_price_list_holds_the_minimum_of_products_not_named(self):
        floors = self.env["product.pricelist"].create(
            {
                "name": "Minimum",
                "company_id": False,
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 20.0}),
                    Command.create(
                        {
                            "applied_on": "1_product",
                            "product_tmpl_id": self.service.product_tmpl_id.id,
                            "compute_price": "fixed",
                            "fixed_price": 70.0,
                            "min_quantity": 5.0,
                        }
                    ),
                ],
            }
        )
        check = self._floor(
            {"product_id": self.goods.id, "price_min": 90.0}, floor_pricelist_id=floors.id
        )
        for product, quantity, least in (
            (self.goods, 1.0, 90.0),
            (self.service, 4.0, 80.0),
            (self.service, 5.0, 70.0),
        ):
            with self.subTest(product.name, quantity=quantity):
                order = self._create_order(quantity, least, product=product, confirm=False)
                self.assertPasses(check, order)
                self._set_price(least - 0.01, order=order)
                self.assertFails(check, order)

    def test_fixed_price_of_a_price_list_in_another_currency_is_converted(self):
        floors = self._create_pricelist()
        floors.item_ids = [
            Command.create(
                {
                    "applied_on": "1_product",
                    "product_tmpl_id": self.goods.product_tmpl_id.id,
                    "compute_price": "fixed",
                    "fixed_price": 180.0,  # 90 of ours
                }
            )
        ]
        check = self._create_check("price_floor", floor_pricelist_id=floors.id)
        self._set_price(90.0)
        self.assertPasses(check, self.order)
        self._set_price(89.99)
        self.assertFails(check, self.order)

    def test_rule_of_a_price_list_that_ended_is_no_minimum(self):
        floors = self.env["product.pricelist"].create(
            {
                "name": "Minimum",
                "company_id": False,
                "item_ids": [
                    Command.create(
                        {
                            "compute_price": "percentage",
                            "percent_price": 0.0,
                            "date_end": "2020-01-01",
                        }
                    ),
                    Command.create(
                        {"compute_price": "percentage", "percent_price": 50.0, "min_quantity": 0.5}
                    ),
                ],
            }
        )
        check = self._create_check("price_floor", floor_pricelist_id=floors.id)
        self._set_price(50.0)
        self.assertPasses(check, self.order)

    def test_taxes_included_in_the_price_do_not_lift_it_over_the_minimum(self):
        """The product's price includes 15 % tax that the customer's fiscal position takes out."""
        included = self.tax.copy({"name": "incl", "price_include_override": "tax_included"})
        position = self.env["account.fiscal.position"].create({"name": "Export"})
        export = self.tax.copy(
            {
                "name": "0",
                "amount": 0.0,
                "fiscal_position_ids": position.ids,
                "original_tax_ids": included.ids,
            }
        )
        self.goods.write({"taxes_id": [Command.set(included.ids)], "list_price": 115.0})
        check = self._floor({"basis": "percent", "percent_min": 100.0})
        order = self._create_order(price=100.0, confirm=False, fiscal_position_id=position.id)
        self.assertEqual(order.order_line.tax_ids, export)
        self.assertPasses(check, order)
        self._set_price(99.99, order=order)
        self.assertFails(check, order)

    def test_lines_that_sell_nothing_have_no_minimum(self):
        check = self._floor({"basis": "percent", "percent_min": 100.0})
        self._set_price(0.0)
        self.assertFails(check, self.order)
        self.order.order_line.product_uom_qty = 0.0
        self.assertPasses(check, self.order)
        self.order.order_line.product_uom_qty = -1.0
        self.assertPasses(check, self.order)
        self.order.order_line = [
            Command.clear(),
            Command.create({"display_type": "line_note", "name": "Note"}),
        ]
        self.assertPasses(check, self.order)

    def test_minimum_of_a_product_and_a_category_at_once_is_refused(self):
        with self.assertRaises(ValidationError):
            self._create_check("price_floor")
        category = self.env["product.category"].create({"name": "Category"})
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError):
            self._floor({"categ_id": category.id, "product_id": self.goods.id})

    def test_fingerprint_tells_whether_the_price_released_is_still_the_price(self):
        check = self._floor({"product_id": self.goods.id, "price_min": 90.0})
        self._set_price(80.0)
        first = check._evaluate(self.order)[self.order]["fingerprint"]
        self.order.order_line.product_uom_qty = 11.0
        self.assertEqual(check._evaluate(self.order)[self.order]["fingerprint"], first)
        self._set_price(79.0)
        self.assertNotEqual(check._evaluate(self.order)[self.order]["fingerprint"], first)

    # === DISCOUNT === #
    def test_discount_at_the_maximum_passes_and_one_step_past_fails(self):
        check = self._create_check("discount", discount_max=10.0)
        self._set_price(100.0, discount=10.0)
        self.assertPasses(check, self.order)
        self._set_price(100.0, discount=10.01)
        self.assertFails(check, self.order, "Goods 10.01 %, at most 10.00 %")

    def test_lowered_price_and_order_discount_are_discounts(self):
        check = self._create_check("discount", discount_max=10.0)
        self._set_price(89.98)
        self.assertFails(check, self.order)
        self._set_price(100.0)
        self._take_off(100.1)
        self.assertFails(check, self.order)

    def test_what_the_price_list_gives_is_not_the_salesperson_s_discount(self):
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Dealers",
                "company_id": False,
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 40.0})
                ],
            }
        )
        check = self._create_check("discount", discount_max=10.0)
        order = self._create_order(price=54.0, confirm=False, pricelist_id=pricelist.id)
        self.assertPasses(check, order)
        self._set_price(53.99, order=order)
        self.assertFails(check, order)
        check.discount_base = "list"
        self._set_price(90.0, order=order)
        self.assertPasses(check, order)
        self._set_price(54.0, order=order)
        self.assertFails(check, order)

    def test_discount_in_another_currency_and_unit(self):
        check = self._create_check("discount", discount_max=10.0)
        pricelist = self._create_pricelist()
        order = self._create_order(confirm=False, pricelist_id=pricelist.id)
        order.order_line.product_uom_id = self.dozen
        self._set_price(2160.0, order=order)  # 12 at 200, less 10 %
        self.assertPasses(check, order)
        self._set_price(2159.0, order=order)
        self.assertFails(check, order)

    def test_most_discount_is_that_of_who_last_changed_the_order(self):
        check = self._create_check(
            "discount",
            discount_max=5.0,
            discount_ids=[
                Command.create(
                    {
                        "group_id": self.env.ref("sale_admin_support.group_sale_admin_manager").id,
                        "discount_max": 20.0,
                    }
                )
            ],
        )
        order = self._create_order(confirm=False).with_user(self.salesman).sudo()
        order.user_id = self.manager  # naming a colleague gives nobody his rights
        order = (
            self.env["sale.order"]
            .with_user(self.clerk)
            .create(
                {
                    "partner_id": self.customer.id,
                    "user_id": self.manager.id,
                    "order_line": [Command.create({"product_id": self.goods.id, "discount": 15.0})],
                }
            )
        )
        self.assertFails(check, order)
        order = (
            self.env["sale.order"]
            .with_user(self.manager)
            .create(
                {
                    "partner_id": self.customer.id,
                    "user_id": self.salesman.id,
                    "order_line": [Command.create({"product_id": self.goods.id, "discount": 20.0})],
                }
            )
        )
        self.assertPasses(check, order)
        order.order_line.discount = 20.01
        self.assertFails(check, order)

    # === MARGIN === #
    def test_margin_at_the_minimum_passes_and_one_step_below_fails(self):
        check = self._create_check("margin", margin_min=25.0)
        self.goods.standard_price = 75.0
        self.assertPasses(check, self.order)
        self.goods.standard_price = 75.01
        result = check._evaluate(self.order)[self.order]
        self.assertEqual(result["reason"], "Margin too low: Goods.")
        self.assertEqual(result["detail"], "Goods: margin 24.99 %, at least 25.00 %.")

    def test_margin_of_the_whole_order_is_made_up_by_its_lines(self):
        other = self._create_goods("Other", standard_price=90.0)
        self.goods.standard_price = 60.0
        order = self._create_order(
            lines=[(self.goods, 1.0, 100.0), (other, 1.0, 100.0)], confirm=False
        )
        check = self._create_check("margin", margin_min=25.0)
        self.assertFails(check, order, "Other")
        check.margin_level = "order"
        self.assertPasses(check, order)
        other.standard_price = 90.1
        self.assertFails(check, order, "The margin of the order is too low.")

    def test_order_discount_lowers_the_margin(self):
        check = self._create_check("margin", margin_min=25.0)
        self.goods.standard_price = 75.0
        self._take_off(1.0)
        self.assertFails(check, self.order)

    def test_product_without_cost_is_reported_as_such(self):
        check = self._create_check("margin", margin_min=25.0)
        result = check._evaluate(self.order)[self.order]
        self.assertEqual(
            (result["reason"], result["severity"]),
            ("Margin unknown, the product has no cost: Goods.", "warn"),
        )
        check.missing_cost = "block"
        self.assertNotIn("severity", check._evaluate(self.order)[self.order])
        check.write({"missing_cost": "warn", "severity": "shadow"})
        self.assertNotIn("severity", check._evaluate(self.order)[self.order])

    def test_product_without_cost_does_not_hide_another_with_a_low_margin(self):
        other = self._create_goods("Other", standard_price=90.0)
        order = self._create_order(
            lines=[(self.goods, 1.0, 100.0), (other, 1.0, 100.0)], confirm=False
        )
        check = self._create_check("margin", margin_min=25.0)
        result = check._evaluate(order)[order]
        self.assertIn("Margin too low: Other.", result["reason"])
        self.assertIn("no cost: Goods", result["reason"])
        self.assertNotIn("severity", result)

    def test_services_can_be_left_out(self):
        order = self._create_order(product=self.service, confirm=False)
        check = self._create_check("margin", margin_min=25.0)
        self.assertFails(check, order)
        check.is_margin_of_goods = True
        self.assertPasses(check, order)

    def test_margin_in_another_currency_and_unit(self):
        check = self._create_check("margin", margin_min=25.0)
        self.goods.standard_price = 75.0
        pricelist = self._create_pricelist()
        order = self._create_order(confirm=False, pricelist_id=pricelist.id)
        order.order_line.product_uom_id = self.dozen
        self._set_price(2400.0, order=order)
        self.assertPasses(check, order)
        self._set_price(2399.0, order=order)
        self.assertFails(check, order)

    def test_cost_is_that_of_the_order_s_company(self):
        other = self._create_company_with_accounts()
        self.goods.standard_price = 75.0
        self.goods.with_company(other).standard_price = 76.0
        order = self._create_order(confirm=False, company_id=other.id)
        check = self._create_check("margin", margin_min=25.0)
        self.assertPasses(check, self.order)
        self.assertFails(check, order)
        orders = self.order | order
        self.assertEqual(list(check._evaluate(orders)), [order])

    def _create_company_with_accounts(self):
        return self.env["res.company"].create(
            {"name": "Other", "currency_id": self.company.currency_id.id}
        )

    # === ALL === #
    def test_archived_product_and_salesperson_s_rights_change_nothing(self):
        self.goods.standard_price = 90.0
        self._set_price(80.0)
        self.goods.active = False
        order = self.order.with_user(self.salesman)
        for check in (
            self._floor({"product_id": self.goods.id, "price_min": 90.0}),
            self._create_check("discount", discount_max=10.0),
            self._create_check("margin", margin_min=25.0),
        ):
            self.assertFails(check.with_user(self.salesman), order, "Goods")

    def test_batch_is_judged_in_a_constant_number_of_queries(self):
        orders = self.env["sale.order"].union(
            *(self._create_order(price=50.0, confirm=False) for _i in range(6))
        )
        self.goods.standard_price = 90.0
        pricelist = self.env["product.pricelist"].create({"name": "Minimum", "company_id": False})
        for check in (
            self._floor({"categ_id": self.goods.categ_id.id, "price_min": 90.0}),
            self._create_check("price_floor", floor_pricelist_id=pricelist.id),
            self._create_check("discount", discount_max=10.0),
            self._create_check("margin", margin_min=25.0),
        ):
            with self.subTest(check.kind):
                self.assertConstantQueries(check, orders)
