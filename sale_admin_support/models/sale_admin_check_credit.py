from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import formatLang

CREDIT_KINDS = [
    ("credit_limit", "Credit: limit"),
    ("credit_overdue", "Credit: overdue items"),
    ("credit_expired", "Credit: limit expired"),
    ("credit_prepayment", "Credit: prepayment not received"),
    ("credit_order_value", "Credit: largest order"),
]


class SaleAdminCheck(models.Model):
    """Checks of the payer's credit.

    A credit kind is a method ``_check_<kind>(order, situation)`` that returns a result or nothing.
    """

    _inherit = "sale.admin.check"

    kind = fields.Selection(
        selection_add=CREDIT_KINDS, ondelete={kind: "cascade" for kind, _label in CREDIT_KINDS}
    )
    is_credit = fields.Boolean(compute="_compute_is_credit", store=True)

    # === COMPUTE METHODS === #
    @api.depends("kind")
    def _compute_is_credit(self):
        kinds = self._get_credit_kinds()
        for check in self:
            check.is_credit = check.kind in kinds

    # === CONSTRAINT METHODS === #
    @api.constrains("kind", "stage")
    def _check_credit_stage(self):
        for check in self:
            if check.is_credit and check.stage == "invoice":
                raise ValidationError(
                    self.env._("The invoice of goods that have left is never held for credit.")
                )

    # === BUSINESS METHODS === #
    @api.model
    def _get_credit_kinds(self):
        """Hook: the kinds that are judged by the payer's credit."""
        return {kind for kind, _label in CREDIT_KINDS}

    def _evaluate_credit(self, orders, blocked):
        """Judge the orders' credit in sequence: what one may use, the next finds used.

        The caller has serialized the accounts (`sale.admin.credit.lock`). Nothing is written.

        :param self: the credit checks to judge by
        :param orders: in the order in which they shall be served, of one company
        :param blocked: those of them that are held by other checks: they use no credit
        :return: ``{order: [result, ...]}`` of the orders that fail; a result is as in `_evaluate`,
            and says in ``check_id`` whose it is
        """
        res = {}
        for company in orders.company_id.root_id:
            mine = orders.filtered(lambda o, c=company: o.company_id.root_id == c)
            res.update(self._evaluate_credit_in(company.sudo(), mine.sudo(), blocked))
        return res

    def _evaluate_credit_in(self, company, orders, blocked):
        payers = orders.credit_partner_id
        accounts = payers._get_credit_accounts(company)
        terms = payers.union(*accounts.values())._get_credit_terms(company)
        situations = payers._get_credit_situations(company, accounts, terms, without_orders=orders)
        released = orders._get_exposure_if_released()
        held = orders._get_exposure_if_held()
        used = dict.fromkeys(accounts.values(), 0.0)
        for order in orders:
            used[accounts[order.credit_partner_id]] += held[order]
        res = {}
        for order in orders:
            account = accounts[order.credit_partner_id]
            asked = released[order] - held[order]
            figures = situations[account]
            situation = {
                **figures,
                "account": account,
                "terms": terms[account],
                "amount": released[order],
                "exposure_before": figures["exposure"] + used[account],
                "exposure_after": figures["exposure"] + used[account] + asked,
                "order_before": figures["order"] + used[account],
            }
            results, is_held = [], order in blocked
            for check in self._filter_applicable(order):
                if result := getattr(check, f"_check_{check.kind}")(order, situation):
                    results.append(check._prepare_credit_result(order, situation, result))
                    is_held |= check.severity == "block"
            if results:
                res[order] = results
            if not is_held:
                used[account] += asked
        return res

    def _filter_applicable(self, order):
        """Hook: those of the checks that look at this order."""
        return self

    def _prepare_credit_result(self, order, situation, result):
        """Complete a result by the figures that a credit controller decides on."""
        terms = situation["terms"]
        return {
            "check_id": self.id,
            "partner_id": situation["account"].id,
            "amount_order": situation["amount"],
            "amount_limit": terms["amount"],
            "amount_exposure": situation["exposure_before"],
            "amount_receivable": situation["receivable"],
            "amount_open_orders": situation["order_before"] + situation["shipped"],
            "amount_overdue": situation["overdue"],
            **result,
        }

    def _format_amount(self, amount, company):
        return formatLang(self.env, amount, currency_obj=company.currency_id)

    # === KINDS === #
    def _check_credit_limit(self, order, situation):
        terms = situation["terms"]
        currency = order.company_id.currency_id
        if terms["mode"] == "no_limit" or currency.is_zero(situation["amount"]):
            return None
        if terms["mode"] == "no_credit":
            over = situation["amount"]
            reason = self.env._("%(customer)s has no credit: orders are paid in advance.")
        else:
            over = situation["exposure_after"] - terms["amount"]
            reason = self.env._("The order exceeds the credit limit of %(customer)s.")
            if currency.compare_amounts(over, terms["tolerance"]) <= 0:
                return None
        return {
            "reason": reason % {"customer": situation["account"].name},
            "detail": self.env._(
                "Exposure %(exposure)s with this order, limit %(limit)s: %(over)s over.",
                exposure=self._format_amount(situation["exposure_after"], order.company_id),
                limit=self._format_amount(terms["amount"], order.company_id),
                over=self._format_amount(over, order.company_id),
            ),
            "amount_over": over,
        }

    def _check_credit_overdue(self, order, situation):
        terms = situation["terms"]
        currency = order.company_id.currency_id
        if currency.compare_amounts(situation["overdue"], terms["overdue_amount"]) <= 0:
            return None
        return {
            "reason": self.env._(
                "%(customer)s has overdue invoices.", customer=situation["account"].name
            ),
            "detail": self.env._(
                "%(amount)s overdue for more than %(days)s days; the oldest was due on %(date)s.",
                amount=self._format_amount(situation["overdue"], order.company_id),
                days=terms["overdue_days"],
                date=situation["oldest"],
            ),
        }

    def _check_credit_expired(self, order, situation):
        terms = situation["terms"]
        if not terms["expired"]:
            return None
        return {
            "reason": self.env._(
                "The credit limit of %(customer)s ended on %(date)s.",
                customer=situation["account"].name,
                date=terms["expired"],
            ),
        }

    def _check_credit_prepayment(self, order, situation):
        return None

    def _check_credit_order_value(self, order, situation):
        return None
