from odoo import api, fields, models
from odoo.tools import SQL, float_round, format_date, groupby

from .sale_order_credit import MONEY_GROUPS

# How many combinations of quantities are tried in search of the largest part of an order.
PART_TRIALS = 2000


class SaleOrder(models.Model):
    """What would release a held order: a payment, a part of it now, or time."""

    _inherit = "sale.order"

    # === FIELDS === #
    release_hint = fields.Text(
        string="What Would Release It (Without Amounts)",
        compute="_compute_release_hint",
        compute_sudo=True,
        groups="base.group_user",
    )
    release_hint_amount = fields.Text(
        string="What Would Release It",
        compute="_compute_release_hint",
        compute_sudo=True,
        groups=MONEY_GROUPS,
    )

    # === COMPUTE METHODS === #
    @api.depends("hold_ids.state", "order_line.qty_withheld")
    def _compute_release_hint(self):
        options = self._get_release_options()
        for order in self:
            option = options[order]
            order.release_hint = "\n".join(order._get_release_hints(option))
            order.release_hint_amount = "\n".join(order._get_release_hints(option, amounts=True))

    # === BUSINESS METHODS === #
    def _get_release_options(self):
        """Return what would release each order, with a fixed number of queries for all of them.

        What is said is proved against the checks themselves. Amounts are in the currency of the
        order's company, taxes included.

        :return: ``{order: dict}`` with ``amount_payment``, the smallest payment that would do (0:
            none would), and ``payer``, whose; ``settles``, the open items that it settles, the
            oldest first, as tuples (journal entry, amount, whether in full); ``amount_advance``,
            what of it no open item takes; ``amount_overdue``, what of it must go to overdue items;
            ``part`` ``{line: quantity}``, the largest part in whole units that could go now,
            ``amount_part`` its value and ``amount_room`` what there is room for; ``date_free``, the
            day on which expected receipts would free it (False: they would not); ``others``, the
            holds that are not of credit
        """
        options = {order: order._prepare_release_option() for order in self}
        for company, orders in self.sudo().grouped(lambda o: o.company_id.root_id).items():
            situations = orders._get_release_situations(company)
            for order, by_check in situations.items():
                order._find_payment(options[order], by_check)
                order._find_part(options[order], by_check)
            orders._find_receipts(company, options)
        return options

    def _prepare_release_option(self):
        self.ensure_one()
        return {
            "payer": self.env["res.partner"],
            "amount_payment": 0.0,
            "amount_overdue": 0.0,
            "settles": [],
            "amount_advance": 0.0,
            "part": {},
            "amount_part": 0.0,
            "amount_room": 0.0,
            "date_free": False,
            "others": self.sudo().hold_ids.filtered(
                lambda h: h._is_blocking() and not h.check_id.is_credit
            ),
        }

    def _get_credit_holds(self):
        return self.hold_ids.filtered(lambda h: h._is_blocking() and h.check_id.is_credit)

    def _get_release_situations(self, company):
        """Return what the checks of credit that hold these orders judge them by.

        Each order by itself: held orders use no credit, so those that wait beside it do not matter.

        :return: ``{order: {check: situation}}``
        """
        orders = self.filtered(lambda o: o._get_credit_holds())
        if not orders:
            return {}
        checks = orders._get_credit_holds().check_id
        ledger = checks._prepare_credit_ledger(company, orders)
        return {
            order: {
                check: situation
                for check in order._get_credit_holds().check_id
                if (situation := check._get_credit_situation(order, ledger))
            }
            for order in orders
        }

    # === A PAYMENT === #
    def _find_payment(self, option, situations):
        """The smallest payment after which all checks of credit would let the order go."""
        needs = {check: check._get_payment_need(self, s) for check, s in situations.items()}
        payers = self.env["res.partner"].union(*(s["account"] for s in situations.values()))
        if not needs or None in needs.values() or len(payers) > 1:
            return
        currency = self.company_id.currency_id
        advance = max(
            (need for check, need in needs.items() if check._is_paid_in_advance()), default=0.0
        )
        # what is paid in advance lowers the exposure too, but settles nothing that is overdue
        rest = max(
            (
                need + (advance if check.kind == "credit_overdue" else 0.0)
                for check, need in needs.items()
            ),
        )
        amount = float_round(
            max(advance, rest), precision_rounding=currency.rounding, rounding_method="UP"
        )
        if currency.compare_amounts(amount, 0.0) > 0 and all(
            check._is_passed_with_payment(self, situation, amount, advance)
            for check, situation in situations.items()
        ):
            overdue = [need for check, need in needs.items() if check.kind == "credit_overdue"]
            option["payer"] = payers
            option["amount_payment"] = amount
            option["amount_advance"] = currency.round(advance)
            option["amount_overdue"] = max(overdue, default=0.0)

    # === A PART === #
    def _find_part(self, option, situations):
        """The largest part in whole units that the checks of credit have room for now."""
        rooms = [check._get_room(self, situation) for check, situation in situations.items()]
        if option["others"] or not rooms or None in rooms or min(rooms) <= 0:
            return
        room = self.company_id.currency_id.round(min(rooms))
        part, amount = self._choose_part(room)
        option["amount_room"] = room
        if part and all(
            check._is_passed_with_part(self, situation, amount)
            for check, situation in situations.items()
        ):
            option["part"] = part
            option["amount_part"] = amount

    def _choose_part(self, room):
        """Choose whole quantities of what is withheld, worth as much as there is room for.

        Tries the dearest first and then other combinations, up to a number of trials. What costs
        nothing goes along.

        :return: ``{line: quantity}`` and its value
        """
        self.ensure_one()
        round_amount = self.company_id.currency_id.round
        waiting = self.order_line.filtered(lambda line: int(line.qty_withheld + 1e-6) > 0)
        prices = {line: line._get_company_unit_amount() for line in waiting}
        priced = waiting.filtered(lambda line: prices[line] > 0).sorted(lambda line: -prices[line])
        items = [(prices[line], int(line.qty_withheld + 1e-6)) for line in priced]
        quantities = self._fill_room(items, room)
        part = {line: float(qty) for line, qty in zip(priced, quantities, strict=True) if qty}
        if part:
            part.update(
                {line: line.qty_withheld for line in waiting if round_amount(prices[line]) == 0}
            )
        return part, round_amount(sum(prices[line] * qty for line, qty in part.items()))

    @api.model
    def _fill_room(self, items, room):
        """Return how many of each item fill the room best.

        :param items: tuples (price, how many there are), the dearest first
        """
        rest = [0.0]  # what all further items are worth
        for price, count in reversed(items):
            rest.insert(0, rest[0] + price * count)
        best = (0.0, [0] * len(items))
        trials = PART_TRIALS
        stack = [(0, 0.0, [])]
        while stack and trials:
            trials -= 1
            index, used, chosen = stack.pop()
            if used + rest[index] <= best[0] + 1e-6:
                continue
            if used > best[0]:
                best = (used, chosen + [0] * (len(items) - len(chosen)))
            if index == len(items):
                continue
            price, count = items[index]
            most = min(count, int((room - used + 1e-6) / price))
            stack += [(index + 1, used + price * qty, [*chosen, qty]) for qty in range(most + 1)][
                -PART_TRIALS:
            ]
        return best[1]

    # === TIME === #
    def _find_receipts(self, company, options):
        """What the payments settle, and when expected receipts come up to them."""
        payable = self.filtered(lambda order: options[order]["amount_payment"])
        if not payable:
            return
        needs = {}
        for order in payable:
            payer = options[order]["payer"]
            needs[payer] = max(needs.get(payer, 0.0), options[order]["amount_payment"])
        items = self._get_open_items(company, needs)
        receipts = self._get_expected_receipts(company, needs, items)
        for order in payable:
            option = options[order]
            order._settle_items(option, items.get(option["payer"], []))
            if not option["others"]:
                option["date_free"] = order._find_date_free(
                    option, receipts.get(option["payer"], [])
                )

    def _settle_items(self, option, items):
        currency = self.company_id.currency_id
        left = option["amount_payment"] - option["amount_advance"]
        for move, _date, amount in items:
            if currency.compare_amounts(left, 0.0) <= 0:
                break
            settled = currency.round(min(amount, left))
            is_full = currency.compare_amounts(settled, amount) == 0
            option["settles"].append((move, settled, is_full))
            left -= settled
        option["amount_advance"] += max(currency.round(left), 0.0)

    def _find_date_free(self, option, receipts):
        """The first day on which the receipts expected until then would do."""
        if option["amount_advance"] and not option["settles"]:
            return False  # a prepayment has no date
        total = overdue = 0.0
        compare = self.company_id.currency_id.compare_amounts
        for date, amount, is_overdue in receipts:
            total += amount
            overdue += amount * is_overdue
            if (
                compare(total, option["amount_payment"]) >= 0
                and compare(overdue, option["amount_overdue"]) >= 0
            ):
                return date
        return False

    def _get_expected_receipts(self, company, needs, items):
        """Hook: what the accounts are expected to pay, in order of time.

        Here: what is not yet due, on its due date. What is overdue was expected before and did not
        come, so nothing is expected for it until somebody promises it.

        :param needs: ``{account: amount}`` of interest
        :param items: see `_get_open_items`
        :return: ``{account: [(date, amount, whether it is overdue)]}``, company's currency
        """
        today = company._sale_admin_today()
        return {
            account: [(date, amount, False) for _move, date, amount in rows if date >= today]
            for account, rows in items.items()
        }

    def _get_open_items(self, company, needs):
        """Return the accounts' open receivables, the oldest first, as far as they are needed.

        Of each account: those that a payment of the amount needed would settle, and those not yet
        due until they come up to it.

        :param needs: ``{account: amount}``
        :return: ``{account: [(journal entry, due date, amount)]}``, company's currency
        """
        self.env["res.partner"]._flush_credit()
        rows = self.env.execute_query(self._sql_open_items(company, needs))
        moves = self.env["account.move"].browse([row[1] for row in rows])
        return {
            self.env["res.partner"].browse(account_id): [
                (moves.browse(move_id).with_prefetch(moves.ids), date, amount)
                for _account_id, move_id, date, amount in group
            ]
            for account_id, group in groupby(rows, lambda row: row[0])
        }

    def _sql_open_items(self, company, needs):
        companies = self.env["res.company"].sudo().search([("id", "child_of", company.id)])
        return SQL(
            """
            WITH account AS (
                     SELECT * FROM unnest(%(ids)s::int[], %(amounts)s::numeric[]) a(id, need)
                 ),
                 customer AS (
                     SELECT id, need, id AS customer_id FROM account
                      UNION ALL
                     SELECT account.id, need, member.id
                       FROM account
                       JOIN res_partner member ON member.credit_head_id = account.id
                 ),
                 item AS (
                     SELECT customer.id, customer.need, line.move_id, line.date_maturity,
                            line.amount_residual AS amount,
                            SUM(line.amount_residual) OVER oldest AS sum_all,
                            SUM(CASE WHEN line.date_maturity >= %(today)s
                                THEN line.amount_residual ELSE 0 END) OVER oldest AS sum_future
                       FROM customer
                       JOIN res_partner contact
                         ON contact.commercial_partner_id = customer.customer_id
                       JOIN account_move_line line ON line.partner_id = contact.id
                       JOIN account_account account ON account.id = line.account_id
                      WHERE line.parent_state = 'posted'
                        AND line.amount_residual > 0
                        AND line.company_id IN %(companies)s
                        AND account.account_type = 'asset_receivable'
                     WINDOW oldest AS (
                         PARTITION BY customer.id
                         ORDER BY line.date_maturity, line.id
                         ROWS UNBOUNDED PRECEDING
                     )
                 )
            SELECT id, move_id, date_maturity, amount
              FROM item
             WHERE sum_all - amount < need
                OR (date_maturity >= %(today)s AND sum_future - amount < need)
          ORDER BY id, date_maturity, move_id
            """,
            ids=[account.id for account in needs],
            amounts=list(needs.values()),
            today=company._sale_admin_today(),
            companies=tuple(companies.ids),
        )

    # === WORDS === #
    def _get_release_hints(self, option, amounts=False):
        """Return the ways out, each in a few words."""
        self.ensure_one()
        if self.release_state != "held":
            return []
        hints = []
        if option["others"].filtered("check_id"):
            hints.append(self.env._("Mend what the checks found"))
        if option["others"].filtered(lambda h: not h.check_id):
            hints.append(self.env._("Somebody releases it"))
        if option["amount_payment"]:
            hints.append(self._get_payment_hint(option) if amounts else self.env._("A payment"))
        if option["part"]:
            hints.append(
                self._get_part_hint(option) if amounts else self.env._("A part could go now")
            )
        if option["date_free"]:
            hints.append(self.env._("By itself on %s", format_date(self.env, option["date_free"])))
        return hints or [self.env._("A decision")]

    def _get_payment_hint(self, option):
        moves = [move.name or move.ref or "" for move, _amount, _is_full in option["settles"]]
        amount = self.company_id.currency_id.format(option["amount_payment"])
        if not moves:
            return self.env._("A payment of %(amount)s in advance", amount=amount)
        names = ", ".join(moves[:2])
        if len(moves) > 2:
            names = self.env._("%(names)s and %(count)s more", names=names, count=len(moves) - 2)
        return self.env._("A payment of %(amount)s (%(names)s)", amount=amount, names=names)

    def _get_part_hint(self, option):
        quantities = ", ".join(
            f"{qty:g} × {line.product_id.display_name or line.name}"
            for line, qty in list(option["part"].items())[:2]
        )
        if len(option["part"]) > 2:
            quantities += " …"
        return self.env._(
            "%(quantities)s now (%(amount)s)",
            quantities=quantities,
            amount=self.company_id.currency_id.format(option["amount_part"]),
        )

    def _get_customer_sentence(self):
        """Return what to write to the customer, in the customer's language, to be copied.

        It says what to pay or what is still needed, and no internal word.
        """
        self.ensure_one()
        order = self.with_context(lang=self.partner_id.lang or self.env.lang)
        option = order._get_release_options()[order]
        values = {"order": order.client_order_ref or order.name}
        if not option["amount_payment"]:
            return order.env._(
                "Thank you for your order %(order)s. It is being processed; we will tell you the "
                "date of delivery.",
                **values,
            )
        values["amount"] = order._format_for_customer(option["amount_payment"])
        if not option["settles"]:
            return order.env._(
                "Thank you for your order %(order)s. We will send it as soon as we have received "
                "%(amount)s in advance.",
                **values,
            )
        values["invoices"] = ", ".join(move.name for move, _a, _f in option["settles"])
        if option["amount_advance"]:
            return order.env._(
                "Thank you for your order %(order)s. We will send it as soon as we have received "
                "%(amount)s: for %(invoices)s, and %(advance)s in advance.",
                advance=order._format_for_customer(option["amount_advance"]),
                **values,
            )
        return order.env._(
            "Thank you for your order %(order)s. We will send it as soon as we have received "
            "%(amount)s for %(invoices)s.",
            **values,
        )

    def _format_for_customer(self, amount):
        """Return an amount of the company's currency in the order's, at today's rate, rounded up
        so that what is paid suffices."""
        company = self.company_id
        converted = company.currency_id._convert(
            amount, self.currency_id, company, company._sale_admin_today(), round=False
        )
        return self.currency_id.format(
            float_round(
                converted, precision_rounding=self.currency_id.rounding, rounding_method="UP"
            )
        )
