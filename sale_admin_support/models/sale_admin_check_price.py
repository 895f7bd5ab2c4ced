from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_compare, formatLang, ormcache


class SaleAdminCheck(models.Model):
    """Prices: the least net price, the most discount, the least margin.

    Net is what the customer pays a unit after every discount, the one given on the whole order by a
    line of its own included. Prices are compared the way they are entered, so without taxes unless
    the company's prices include them; margins are untaxed.
    """

    _inherit = "sale.admin.check"

    # === FIELDS === #
    kind = fields.Selection(
        selection_add=[
            ("price_floor", "Prices: not below a minimum"),
            ("discount", "Discounts: not above a maximum"),
            ("margin", "Margin: not below a minimum"),
        ],
        ondelete={"price_floor": "cascade", "discount": "cascade", "margin": "cascade"},
    )
    floor_ids = fields.One2many(
        "sale.admin.check.floor", "check_id", string="Minimum Prices", copy=True
    )
    floor_pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Minimum Price List",
        check_company=True,
        ondelete="restrict",
        help="Whose prices are the minimum for the products that the list below does not name.",
    )
    discount_max = fields.Float(
        string="Most Discount", digits="Discount", help="In percent; for roles not named below."
    )
    discount_base = fields.Selection(
        [
            ("pricelist", "the customer's price list"),
            ("list", "the product's sales price"),
        ],
        string="Discount Counted From",
        required=True,
        default="pricelist",
    )
    discount_ids = fields.One2many(
        "sale.admin.check.discount", "check_id", string="Most Discount by Role", copy=True
    )
    margin_min = fields.Float(string="Least Margin", digits="Discount", help="In percent.")
    margin_level = fields.Selection(
        [("line", "each line"), ("order", "the whole order")],
        string="Margin Of",
        required=True,
        default="line",
    )
    is_margin_of_goods = fields.Boolean(string="Goods Only", help="Leave services out.")
    missing_cost = fields.Selection(
        [("warn", "is shown as a warning"), ("block", "is treated as a margin too low")],
        string="A Product Without Cost",
        required=True,
        default="warn",
    )

    # === CONSTRAINTS AND INDEXES === #
    _percents_sane = models.Constraint(
        "CHECK (discount_max >= 0 AND discount_max <= 100 AND margin_min <= 100)",
        "A discount is between 0 and 100 %, a margin at most 100 %.",
    )

    # === CONSTRAINT METHODS === #
    @api.constrains("kind", "floor_ids", "floor_pricelist_id")
    def _check_floors(self):
        for check in self:
            if check.kind == "price_floor" and not (check.floor_ids or check.floor_pricelist_id):
                raise ValidationError(
                    self.env._(
                        "%s: name minimum prices or a price list that holds them.",
                        check.display_name,
                    )
                )

    # === PRICE FLOOR === #
    def _check_price_floor(self, orders):
        lines = orders.order_line.filtered(lambda line: line._is_price_checked())
        prices = lines._get_net_prices()
        floors = self._get_price_floors(lines, prices)
        low = lines.filtered(
            lambda line: line in floors and line._compare_prices(prices[line], floors[line]) < 0
        )
        return self._get_price_results(
            low,
            lambda line: self.env._(
                "%(product)s at %(price)s, at least %(floor)s",
                product=line.product_id.display_name,
                price=self._format_price(line, prices[line]),
                floor=self._format_price(line, floors[line]),
            ),
            lambda texts: self.env._("Below the minimum price: %s.", texts),
        )

    def _get_price_floors(self, lines, prices):
        """Return the least net price of the lines that have one: ``{line: price}``.

        :param prices: their net prices
        :return: a unit of the line, in the order's currency, the way its prices are entered
        """
        floors = {}
        for line in lines:
            if floor := self._find_floor(line.product_id):
                floors[line] = self._get_floor_price(floor, line, prices[line])
        if pricelist := self.floor_pricelist_id:
            others = lines.filtered(lambda line: line not in floors)
            floors.update(others._get_reference_prices(dict.fromkeys(others, pricelist), prices))
        return floors

    def _get_floor_price(self, floor, line, net_price):
        product, order = line.product_id, line.order_id
        if floor["basis"] == "percent":
            price = product._price_compute("list_price")[product.id] * floor["percent"] / 100
            currency = product.currency_id
        else:
            price, currency = floor["price"], self.currency_id
        price = currency._convert(
            price, line.currency_id, order.company_id, order.date_order, round=False
        )
        price = product.uom_id._compute_price(price, line.product_uom_id)
        return line._adapt_to_order_taxes(price, net_price)

    def _find_floor(self, product):
        """Return the minimum laid down closest to the product: for itself, for all its variants,
        for the nearest category, for everything; None when nothing is."""
        floors = self._get_floors()
        keys = [("product_id", product.id), ("product_tmpl_id", product.product_tmpl_id.id)]
        path = (product.categ_id.parent_path or "").strip("/").split("/")
        keys += [("categ_id", int(categ_id)) for categ_id in reversed(path) if categ_id]
        return next((floors[key] for key in [*keys, ("all", 0)] if key in floors), None)

    @ormcache("self.id")
    def _get_floors(self):
        """Return the minimum prices by what they are for, kept in memory."""
        return {
            floor._get_key(): {
                "basis": floor.basis,
                "price": floor.price_min,
                "percent": floor.percent_min,
            }
            for floor in self.sudo().floor_ids
        }

    # === DISCOUNT === #
    def _check_discount(self, orders):
        lines = orders.order_line.filtered(lambda line: line._is_price_checked())
        pricelists = {
            line: line.order_id.pricelist_id
            if self.discount_base == "pricelist"
            else self.env["product.pricelist"]
            for line in lines
        }
        prices = lines._get_net_prices()
        references = lines._get_reference_prices(pricelists, prices)
        allowed = {order: self._get_discount_max(order) for order in orders}
        given = {
            line: max((1 - prices[line] / references[line]) * 100, 0.0)
            for line in lines
            if references[line] > 0
        }
        high = lines.filtered(
            lambda line: (
                line in given
                and float_compare(given[line], allowed[line.order_id], precision_digits=2) > 0
            )
        )
        return self._get_price_results(
            high,
            lambda line: self.env._(
                "%(product)s %(given)s %%, at most %(allowed)s %%",
                product=line.product_id.display_name,
                given=formatLang(self.env, given[line], digits=2),
                allowed=formatLang(self.env, allowed[line.order_id], digits=2),
            ),
            lambda texts: self.env._("More discount than allowed: %s.", texts),
        )

    def _get_discount_max(self, order):
        """Return the most discount, in percent, that whoever last changed the order may give.

        Not the salesperson named on it: anybody could name a colleague who may more.
        """
        by_role = self._get_discounts_by_role()
        if not by_role:
            return self.discount_max
        user = order.changed_by_id or order.entered_by_id or order.create_uid
        groups = set(user.all_group_ids.ids)
        own = [percent for group_id, percent in by_role if group_id in groups]
        return max(own, default=self.discount_max)

    @ormcache("self.id")
    def _get_discounts_by_role(self):
        return tuple(
            (discount.group_id.id, discount.discount_max) for discount in self.sudo().discount_ids
        )

    # === MARGIN === #
    def _check_margin(self, orders):
        results = {}
        lines = orders.order_line.filtered(
            lambda line: (
                line._is_price_checked()
                and not (self.is_margin_of_goods and line.product_id.type == "service")
            )
        )
        shares = lines._get_discount_shares()
        for order, order_lines in lines.grouped("order_id").items():
            costs = {line: line._get_cost() for line in order_lines}
            known = lines.browse(line.id for line, cost in costs.items() if cost)
            unknown = order_lines - known
            groups = known if self.margin_level == "line" else [known] if known else []
            low = [
                (group, margin)
                for group in groups
                for margin in [group._get_margin_percent(costs, shares)]
                if float_compare(margin, self.margin_min, precision_digits=2) < 0
            ]
            if low or unknown:
                results[order] = self._prepare_margin_result(low, unknown)
        return results

    def _prepare_margin_result(self, low, unknown):
        """The reason names products alone: costs and margins are for who may see money."""
        reasons, details = [], []
        if low and self.margin_level == "order":
            reasons.append(self.env._("The margin of the order is too low."))
        elif low:
            names = ", ".join(line.product_id.display_name for line, _margin in low)
            reasons.append(self.env._("Margin too low: %s.", names))
        for lines, margin in low:
            details.append(
                self.env._(
                    "%(what)s: margin %(margin)s %%, at least %(least)s %%.",
                    what=lines.product_id.display_name
                    if len(lines) == 1
                    else lines.order_id.display_name,
                    margin=formatLang(self.env, margin, digits=2),
                    least=formatLang(self.env, self.margin_min, digits=2),
                )
            )
        if unknown:
            names = ", ".join(unknown.product_id.mapped("display_name"))
            reasons.append(self.env._("Margin unknown, the product has no cost: %s.", names))
        lines = self.env["sale.order.line"].union(unknown, *(group for group, _margin in low))
        result = {
            "reason": " ".join(reasons),
            "detail": "\n".join(details),
            "fix": lines._get_price_fix(),
            "fingerprint": lines._get_price_fingerprint(),
        }
        if not low and self.missing_cost == "warn" and self.severity == "block":
            result["severity"] = "warn"
        return result

    # === COMMON === #
    @api.model
    def _get_price_results(self, lines, describe, say):
        """Return one result an order for its lines that are wrong."""
        return {
            order: {
                "reason": say("; ".join(describe(line) for line in wrong)),
                "fix": wrong._get_price_fix(),
                "fingerprint": wrong._get_price_fingerprint(),
            }
            for order, wrong in lines.grouped("order_id").items()
        }

    @api.model
    def _format_price(self, line, price):
        return formatLang(self.env, price, dp="Product Price", currency_obj=line.currency_id)
