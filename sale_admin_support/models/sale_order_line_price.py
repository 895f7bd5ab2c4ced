import hashlib
import json

from odoo import models
from odoo.tools import float_compare


class SaleOrderLine(models.Model):
    """What a line's price is worth, for the checks of prices."""

    _inherit = "sale.order.line"

    def _is_price_checked(self):
        """Hook: whether the line sells something at a price of its own."""
        return bool(
            self.product_id
            and not self.display_type
            and not self.is_downpayment
            and not self.is_expense
            and not self.combo_item_id
            and self.product_id.type != "combo"
            and self.product_uom_qty > 0
            and not self._is_order_discount()
        )

    def _is_order_discount(self):
        """Hook: whether the line takes something off the whole order.

        Goods of a negative quantity come back; a service of a negative quantity takes money off.
        """
        if self.display_type or self.is_downpayment or not self.product_id:
            return False
        return self.price_unit < 0 < self.product_uom_qty or (
            self.product_uom_qty < 0 < self.price_unit and self.product_id.type == "service"
        )

    def _get_discount_shares(self):
        """Return the share that lines of their own take off each order: ``{order: 0..1}``."""
        shares = {}
        for order in self.order_id:
            lines = order.order_line
            discounts = lines.filtered(lambda line: line._is_order_discount())
            off = -sum(discounts.mapped("price_subtotal"))
            sold = sum(line.price_subtotal for line in lines if line.price_subtotal > 0)
            shares[order] = min(off / sold, 1.0) if sold > 0 else 0.0
        return shares

    def _get_net_prices(self):
        """Return what the customer pays a unit of each line, after every discount.

        :return: ``{line: price}`` in the order's currency, the way its prices are entered
        """
        shares = self._get_discount_shares()
        return {
            line: line.price_unit * (1 - line.discount / 100) * (1 - shares[line.order_id])
            for line in self
        }

    def _compare_prices(self, price, other):
        digits = self.env["decimal.precision"].precision_get("Product Price")
        return float_compare(price, other, precision_digits=digits)

    def _get_reference_prices(self, pricelists, net_prices):
        """Return each line's price by the price list given for it: ``{line: price}``.

        Without a price list it is the product's sales price. One query for all lines, unless a
        rule builds on another price list.

        :param pricelists: ``{line: product.pricelist}``
        :param net_prices: as `_get_net_prices` says
        :return: a unit of the line, in the order's currency, the way its prices are entered
        """
        rules, none = self._get_pricelist_rules(pricelists), self.env["product.pricelist.item"]
        return {
            line: line._get_price_by_rules(
                pricelists[line], rules.get(pricelists[line], none), net_prices[line]
            )
            for line in self
        }

    def _get_pricelist_rules(self, pricelists):
        """Return the rules that may apply by price list, in the order in which Odoo tries them."""
        products = self.product_id
        ids = {pricelist.id for pricelist in pricelists.values() if pricelist}
        if not ids:
            return {}
        rules = self.env["product.pricelist.item"].search(
            [
                ("pricelist_id", "in", list(ids)),
                "|",
                ("categ_id", "=", False),
                ("categ_id", "parent_of", products.categ_id.ids),
                "|",
                ("product_tmpl_id", "=", False),
                ("product_tmpl_id", "in", products.product_tmpl_id.ids),
                "|",
                ("product_id", "=", False),
                ("product_id", "in", products.ids),
            ]
        )
        return rules.grouped("pricelist_id")

    def _get_price_by_rules(self, pricelist, rules, net_price):
        self.ensure_one()
        order, unit = self.order_id, self.product_uom_id
        product = self.product_id.with_context(**self._get_product_price_context())
        date = order.date_order
        quantity = unit._compute_quantity(
            self.product_uom_qty, product.uom_id, raise_if_failure=False
        )
        rule = rules.browse()
        for candidate in rules:
            if (
                (not candidate.date_start or candidate.date_start <= date)
                and (not candidate.date_end or candidate.date_end >= date)
                and candidate._is_applicable_for(product, quantity)
            ):
                rule = candidate
                break
        # A rule's fixed price is in its price list's currency, whatever currency is asked for.
        currency = pricelist.currency_id or self.currency_id
        price = rule._compute_price(
            product, self.product_uom_qty, unit, date=date, currency=currency
        )
        price = currency._convert(price, self.currency_id, order.company_id, date, round=False)
        return self._adapt_to_order_taxes(price, net_price)

    def _adapt_to_order_taxes(self, price, net_price):
        """Take the product's taxes out of a price where the order's taxes are not included, as
        Odoo does when it proposes the price.

        That only lowers it, unless the order's own taxes are included: where the net price reaches
        it anyway, nothing has to be looked up.
        """
        position = self.order_id.fiscal_position_id
        if not position or (
            self._compare_prices(net_price, price) >= 0 and not self._has_included_taxes()
        ):
            return price
        taxes = self.product_id.taxes_id._filter_taxes_by_company(self.company_id)
        return self.product_id._get_tax_included_unit_price_from_price(
            price, product_taxes=taxes, fiscal_position=position
        )

    def _has_included_taxes(self):
        """Whether the price includes taxes: told by the amounts, without looking at the taxes."""
        amount = self.price_unit * (1 - self.discount / 100) * self.product_uom_qty
        return self.currency_id.compare_amounts(self.price_subtotal, amount) < 0

    def _get_cost(self):
        """Hook: what the line's quantity costs us, in the order's currency; 0: not known.

        The product's own cost: a cost that the salesperson may overwrite on the line proves
        nothing.
        """
        self.ensure_one()
        order, product = self.order_id, self.product_id.with_company(self.company_id)
        cost = product.uom_id._compute_price(product.standard_price, self.product_uom_id)
        return product.cost_currency_id._convert(
            cost * self.product_uom_qty,
            self.currency_id,
            order.company_id,
            order.date_order,
            round=False,
        )

    def _get_margin_percent(self, costs, shares):
        """Return the margin of the lines together, in percent of what they are sold for; what is
        given away has a margin of -100 %.

        :param costs: as `_get_cost` says, by line
        :param shares: what is taken off the whole order, by order
        """
        sold = sum(line.price_subtotal * (1 - shares[line.order_id]) for line in self)
        cost = sum(costs[line] for line in self)
        return (sold - cost) / sold * 100 if sold > 0 else -100.0

    def _get_price_fix(self):
        order = self.order_id[:1]
        return {
            "label": self.env._("tab Order Lines"),
            "model": "sale.order",
            "res_id": order.id,
            "field": "order_line",
        }

    def _get_price_fingerprint(self):
        """Return what a release of these lines' prices is for: the same text, the same prices."""
        prices = self._get_net_prices()
        values = [
            [line.id, line.product_id.id, line.product_uom_id.id, round(prices[line], 6)]
            for line in self.sorted("id")
        ]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]
