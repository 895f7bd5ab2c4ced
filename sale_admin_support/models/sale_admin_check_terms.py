from odoo import api, fields, models
from odoo.tools import format_date


class SaleAdminCheck(models.Model):
    """Agreed terms: the framework contract's prices and quantities, and the payment terms."""

    _inherit = "sale.admin.check"

    # === FIELDS === #
    kind = fields.Selection(
        selection_add=[("terms", "Agreed terms: contract and customer")],
        ondelete={"terms": "cascade"},
    )
    is_price_agreed = fields.Boolean(
        string="Prices",
        default=True,
        help="A product under a framework contract costs what the contract says.",
    )
    price_tolerance = fields.Float(
        string="Tolerance of Prices", digits="Discount", help="In percent of the agreed price."
    )
    is_quantity_agreed = fields.Boolean(
        string="Quantities",
        default=True,
        help="No more is called off than a framework contract commits to, in quantity or, where "
        "the contract names no products, in value.",
    )
    is_payment_term_agreed = fields.Boolean(
        string="Payment Terms",
        default=True,
        help="They are the contract's; without a contract, the customer's.",
    )
    is_pricelist_agreed = fields.Boolean(
        string="Price List", help="It is the customer's; orders under a contract are left out."
    )
    is_contract_needed = fields.Boolean(
        string="Order Is Under the Contract",
        default=True,
        help="A customer with a running framework contract for a product orders it under that "
        "contract.",
    )

    # === BUSINESS METHODS === #
    def _check_terms(self, orders):
        """What is not as agreed, in the order in which the parameters stand on the form."""
        found = {order: [] for order in orders}
        under = orders.filtered("sale_contract_id")
        frames = under.filtered(lambda order: order.sale_contract_id._is_framework())
        for order in under:
            found[order] += self._get_contract_problems(order)
        if self.is_price_agreed:
            for order in frames:
                found[order] += self._get_price_problems(order)
        if self.is_quantity_agreed:
            for order, problems in self._get_quantity_problems(frames).items():
                found[order] += problems
        if self.is_payment_term_agreed:
            for order in orders:
                found[order] += self._get_payment_term_problems(order)
        if self.is_pricelist_agreed:
            for order in orders - under:
                found[order] += self._get_pricelist_problems(order)
        if self.is_contract_needed:
            for order, problems in self._get_contract_needs(orders - under).items():
                found[order] += problems
        return {
            order: {
                "reason": " ".join(sentence for sentence, _fname in problems),
                "fix": self._get_terms_fix(order, problems[0][1]),
                "fingerprint": self._get_terms_fingerprint(order, problems),
            }
            for order, problems in found.items()
            if problems
        }

    @api.model
    def _get_terms_fingerprint(self, order, problems):
        """The terms, and the problems in words, which name what is called off beyond."""
        return "\n".join([order._get_terms_fingerprint(), *(text for text, _fname in problems)])

    def _get_terms_fix(self, order, fname):
        label = order.fields_get([fname], ["string"])[fname]["string"]
        return {"label": label, "model": "sale.order", "res_id": order.id, "field": fname}

    def _get_contract_problems(self, order):
        """A contract that does not run takes no orders."""
        contract, today = order.sale_contract_id, order.company_id._sale_admin_today()
        if contract.state in ("draft", "to_sign"):
            text = self.env._("Contract %s is not signed yet.", contract.display_name)
        elif contract.state != "active":
            text = self.env._("Contract %s does not run any more.", contract.display_name)
        elif contract.date_start and contract.date_start > today:
            text = self.env._(
                "Contract %(contract)s starts on %(date)s.",
                contract=contract.display_name,
                date=format_date(self.env, contract.date_start),
            )
        elif contract.date_end and contract.date_end < today:
            text = self.env._(
                "Contract %(contract)s ended on %(date)s.",
                contract=contract.display_name,
                date=format_date(self.env, contract.date_end),
            )
        else:
            return []
        # a contract of this order alone is signed in its own time
        return [(text, "sale_contract_id")] if contract._is_framework() else []

    def _get_price_problems(self, order):
        """The net price is that of one of the contract's lines of the product."""
        agreed = order.sale_contract_id.line_ids.filtered("product_id").grouped("product_id")
        lines = order.order_line.filtered(lambda line: line._is_price_checked())
        if not agreed or not lines:
            return []
        prices = lines._get_net_prices()
        unknown, wrong = [], []
        for line in lines:
            offers = agreed.get(line.product_id)
            if not offers:
                unknown.append(line.product_id.display_name)
                continue
            asked = [
                offer.product_uom_id._compute_price(offer.price_unit, line.product_uom_id)
                for offer in offers
            ]
            if not any(self._is_agreed_price(line, prices[line], price) for price in asked):
                nearest = min(asked, key=lambda price, line=line: abs(price - prices[line]))
                wrong.append(
                    self.env._(
                        "%(product)s at %(price)s, agreed %(agreed)s",
                        product=line.product_id.display_name,
                        price=self._format_price(line, prices[line]),
                        agreed=self._format_price(line, nearest),
                    )
                )
        problems = []
        if wrong:
            problems.append(
                (self.env._("Not the contract's price: %s.", "; ".join(wrong)), "order_line")
            )
        if unknown:
            problems.append(
                (self.env._("Not in the contract: %s.", ", ".join(unknown)), "order_line")
            )
        return problems

    def _is_agreed_price(self, line, price, agreed):
        tolerance = abs(agreed) * self.price_tolerance / 100
        return (
            line._compare_prices(price, agreed - tolerance) >= 0
            and line._compare_prices(price, agreed + tolerance) <= 0
        )

    def _get_quantity_problems(self, orders):
        """Return what is called off beyond the contracts; orders are served one after the other.

        What is held is not called off: it waits for what is free.
        """
        contracts = orders.sale_contract_id
        called = self._get_called_off(contracts, orders)
        problems = {}
        for order in orders._get_judgement_order():
            contract = order.sale_contract_id
            taken = called.setdefault(contract, {})
            asked = self._sum_called_off(order.order_line)
            excess = self._get_excess(contract, taken, asked, order)
            if excess:
                text = self.env._("More than the contract commits to: %s.", "; ".join(excess))
                problems[order] = [(text, "order_line")]
                continue
            for key, quantity in asked.items():
                taken[key] = taken.get(key, 0.0) + quantity
        return problems

    def _get_called_off(self, contracts, orders):
        """Return what other confirmed orders call off.

        :return: ``{contract: {product: quantity in its unit, False: amount untaxed}}``
        """
        called = {}
        rows = self.env["sale.order.line"]._read_group(
            [
                ("order_id.sale_contract_id", "in", contracts.ids),
                ("order_id", "not in", orders.ids),
                ("order_id.release_state", "!=", "held"),
                ("state", "=", "sale"),
                ("display_type", "=", False),
                ("is_downpayment", "=", False),
            ],
            ["order_id.sale_contract_id", "product_id", "product_uom_id"],
            ["product_uom_qty:sum", "price_subtotal:sum"],
        )
        for contract, product, unit, quantity, amount in rows:
            taken = called.setdefault(contract, {})
            taken[False] = taken.get(False, 0.0) + amount
            if product:
                taken[product] = taken.get(product, 0.0) + unit._compute_quantity(
                    quantity, product.uom_id, round=False
                )
        return called

    @api.model
    def _sum_called_off(self, lines):
        asked = {}
        for line in lines:
            if line.display_type or line.is_downpayment or not line.product_id:
                continue
            asked[False] = asked.get(False, 0.0) + line.price_subtotal
            asked[line.product_id] = asked.get(
                line.product_id, 0.0
            ) + line.product_uom_id._compute_quantity(
                line.product_uom_qty, line.product_id.uom_id, round=False
            )
        return asked

    def _get_excess(self, contract, taken, asked, order):
        """Return in words what `asked` takes beyond the contract, after what was `taken`."""
        committed = {}
        for line in contract.line_ids:
            if line.product_id and line.quantity:
                committed[line.product_id] = committed.get(
                    line.product_id, 0.0
                ) + line.product_uom_id._compute_quantity(
                    line.quantity, line.product_id.uom_id, round=False
                )
        if not contract.line_ids:
            total = taken.get(False, 0.0) + asked.get(False, 0.0)
            over = order.currency_id.compare_amounts(total, contract.amount_untaxed) > 0
            return [contract.display_name] if over and contract.amount_untaxed else []
        excess = []
        for product, quantity in asked.items():
            if not product or product not in committed:
                continue
            total = taken.get(product, 0.0) + quantity
            if product.uom_id.compare(total, committed[product]) > 0:
                excess.append(
                    self.env._(
                        "%(product)s %(total)s %(unit)s of %(committed)s",
                        product=product.display_name,
                        total=f"{product.uom_id.round(total):,.10g}",
                        unit=product.uom_id.name,
                        committed=f"{committed[product]:,.10g}",
                    )
                )
        return excess

    def _get_payment_term_problems(self, order):
        contract = order.sale_contract_id
        customer = order.partner_id.with_company(order.company_id)
        agreed = contract.payment_term_id or customer.property_payment_term_id
        if order.payment_term_id == agreed:
            return []
        text = self.env._(
            "Payment terms “%(terms)s”, agreed “%(agreed)s”.",
            terms=order.payment_term_id.name or self.env._("immediately"),
            agreed=agreed.name or self.env._("immediately"),
        )
        return [(text, "payment_term_id")]

    def _get_pricelist_problems(self, order):
        agreed = order.partner_id.with_company(order.company_id).property_product_pricelist
        if order.pricelist_id == agreed:
            return []
        text = self.env._(
            "Price list “%(pricelist)s”, the customer's is “%(agreed)s”.",
            pricelist=order.pricelist_id.display_name or self.env._("none"),
            agreed=agreed.display_name or self.env._("none"),
        )
        return [(text, "pricelist_id")]

    def _get_contract_needs(self, orders):
        """Return the orders that a running framework contract of the customer should take."""
        customers = orders.partner_id.commercial_partner_id
        if not customers:
            return {}
        company = orders.company_id[:1]
        today = company._sale_admin_today()
        contracts = self.env["sale.admin.contract"].search(
            [
                ("company_id", "=", company.id),
                ("partner_id", "in", customers.ids),
                ("state", "=", "active"),
                ("kind", "in", self.env["sale.admin.contract"]._get_framework_kinds()),
                "|",
                ("date_start", "=", False),
                ("date_start", "<=", today),
                "|",
                ("date_end", "=", False),
                ("date_end", ">=", today),
            ]
        )
        by_customer = contracts.grouped("partner_id")
        problems = {}
        for order in orders:
            for contract in by_customer.get(order.partner_id.commercial_partner_id, contracts[:0]):
                agreed = contract.line_ids.product_id
                if contract.currency_id != order.currency_id:
                    continue
                if not contract.line_ids or agreed & order.order_line.product_id:
                    text = self.env._(
                        "The customer has contract %s for this: put the order under it.",
                        contract.display_name,
                    )
                    problems[order] = [(text, "sale_contract_id")]
                    break
        return problems
