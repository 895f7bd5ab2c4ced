import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date, formatLang

_logger = logging.getLogger(__name__)

CREDIT_KINDS = [
    ("credit_limit", "Credit limit"),
    ("credit_overdue", "Overdue invoices"),
    ("credit_expired", "Credit limit expired"),
    ("credit_prepayment", "Prepayment not received"),
    ("credit_order_value", "Largest order on credit"),
]


class SaleAdminCheck(models.Model):
    """Checks of the payer's credit.

    A credit kind is a method ``_check_<kind>(order, situation)`` that returns a result, or nothing
    when the order passes. It reads nothing but its arguments, so that it also answers "what if".
    ``_get_payment_need_<kind>``, where there is one, says what a payment must at least be for the
    order to pass; a kind without it is not mended by a payment.
    """

    _inherit = "sale.admin.check"

    kind = fields.Selection(
        selection_add=CREDIT_KINDS, ondelete={kind: "cascade" for kind, _label in CREDIT_KINDS}
    )
    credit_of = fields.Selection(
        [("payer", "Payer"), ("orderer", "Orderer")],
        string="Whose Credit",
        required=True,
        default="payer",
        help="Payer: the company of the invoice address, whose credit the order uses. Orderer: "
        "the company that orders, when it is another one.",
    )
    prepayment_percent = fields.Float(
        string="Prepayment (%)",
        help="Of the order's total with taxes. 0: as the order asks for by online payment.",
    )
    credit_order_max = fields.Monetary(
        string="Largest Order", help="With taxes; only what is not paid yet counts."
    )

    # === CONSTRAINTS AND INDEXES === #
    _prepayment_percent_range = models.Constraint(
        "CHECK (prepayment_percent BETWEEN 0 AND 100)", "A prepayment is 0 to 100 % of the order."
    )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        """Credit is released by credit controllers, unless another group is chosen."""
        kinds = self._get_credit_kinds()
        group = self.env.ref("sale_admin_support.group_sale_admin_credit")
        return super().create(
            [
                {"release_group_id": group.id, **vals} if vals.get("kind") in kinds else vals
                for vals in vals_list
            ]
        )

    @api.onchange("kind")
    def _onchange_kind_credit(self):
        if self.kind in self._get_credit_kinds():
            self.release_group_id = self.env.ref("sale_admin_support.group_sale_admin_credit")

    # === CONSTRAINT METHODS === #
    @api.constrains("kind", "stage", "credit_order_max")
    def _check_credit_parameters(self):
        for check in self.filtered("is_credit"):
            if check.stage == "invoice":
                raise ValidationError(
                    self.env._("The invoice of goods that have left is never held for credit.")
                )
            if check.kind == "credit_order_value" and check.credit_order_max <= 0:
                raise ValidationError(
                    self.env._("%s: say how large an order may be.", check.display_name)
                )

    # === BUSINESS METHODS === #
    @api.model
    def _get_credit_kinds(self):
        return super()._get_credit_kinds() | {kind for kind, _label in CREDIT_KINDS}

    def _evaluate_credit(self, orders, blocked):
        """Judge the orders' credit in sequence: what one may use, the next finds used.

        The caller has serialized the accounts (`sale.admin.credit.lock`). Nothing is written.

        :param self: the credit checks to judge by
        :param orders: in the order in which they shall be served
        :param blocked: those of them that are held by other checks: they use no credit
        :return: ``{order: [result, ...]}`` of the orders that fail; a result is as in `_evaluate`,
            and says in ``check_id`` whose it is
        """
        res = {}
        for company in orders.company_id.root_id:
            mine = orders.filtered(lambda o, c=company: o.company_id.root_id == c)
            ledger = self.sudo()._prepare_credit_ledger(company, mine.sudo())
            for order in mine:
                if results := self.sudo()._evaluate_credit_of(order, ledger, order in blocked):
                    res[order] = results
        return res

    def _prepare_credit_ledger(self, company, orders):
        """Return what is known of the accounts before the orders are judged: their use of credit
        is added order by order. The orders' own parts are left out of the exposure, and counted
        as what they add if they are held."""
        payers = orders.credit_partner_id
        if "orderer" in self.mapped("credit_of"):
            payers |= orders.partner_id.commercial_partner_id
        company = company.sudo()
        accounts = payers._get_credit_accounts(company)
        terms = payers._get_credit_terms(company)
        terms.update({account: terms[payer] for payer, account in accounts.items()})
        ledger = {
            "accounts": accounts,
            "terms": terms,
            "figures": payers._get_credit_situations(company, accounts, terms, orders),
            "released": orders._get_exposure_if_released(),
            "held": orders._get_exposure_if_held(),
            "used": dict.fromkeys(accounts.values(), 0.0),
        }
        for order in orders:
            if self._is_in_horizon(order, terms[order.credit_partner_id]):
                account = accounts[order.credit_partner_id]
                ledger["used"][account] += ledger["held"][order]
        return ledger

    def _evaluate_credit_of(self, order, ledger, is_blocked):
        """Judge one order and write into the ledger what it uses."""
        order = order.sudo()
        lang = order.user_id.lang or order.company_id.partner_id.lang or self.env.lang
        results = []
        for check in self.with_context(lang=lang):
            if result := check._judge_credit(order, ledger):
                results.append(result)
                is_blocked |= check.severity == "block"
        terms = ledger["terms"][order.credit_partner_id]
        if not is_blocked and self._is_in_horizon(order, terms):
            account = ledger["accounts"][order.credit_partner_id]
            ledger["used"][account] += ledger["released"][order] - ledger["held"][order]
        return results

    def _judge_credit(self, order, ledger):
        """Return this check's result of one order; what cannot be judged does not pass."""
        self.ensure_one()
        try:
            if not self._filter_orders(order):
                return None
            situation = self._get_credit_situation(order, ledger)
            return situation and self._apply_credit_kind(order, situation)
        except psycopg2.Error:  # the transaction has ended; the request is run again
            raise
        except Exception:
            _logger.exception("The check %s (%s) cannot be applied", self.name, self.id)
            return {**self._prepare_broken_result(), "check_id": self.id}

    def _get_credit_situation(self, order, ledger):
        """Return what this check judges by, or None when it is none of its business."""
        self.ensure_one()
        payer = order.credit_partner_id
        asked = ledger["released"][order] - ledger["held"][order]
        amount = ledger["released"][order]
        if self.credit_of == "orderer":
            orderer = order.partner_id.commercial_partner_id
            if ledger["accounts"][orderer] == ledger["accounts"][payer]:
                return None
            payer = orderer
        account = ledger["accounts"][payer]
        return self._prepare_credit_situation(
            order,
            account,
            ledger["figures"][account],
            ledger["terms"][account],
            amount,
            asked,
            ledger["used"][account],
        )

    def _prepare_credit_situation(self, order, account, figures, terms, amount, asked, used):
        """Return all that a credit kind judges by; amounts in the company's currency with taxes.

        :param figures: of the account, see `_get_credit_situations`, without the judged orders
        :param terms: see `_get_credit_terms`
        :param amount: what the order adds to the exposure if nothing of it is withheld
        :param asked: that much of it is not released yet
        :param used: what orders judged before it, and released parts of judged orders, add
        """
        if not self._is_in_horizon(order, terms):
            asked = 0.0
        prepayment = (0.0, 0.0)
        if self.kind == "credit_prepayment":
            prepayment = order._get_prepayments(self.prepayment_percent)[order]
        return {
            **figures,
            "account": account,
            "terms": terms,
            "amount": amount,
            "asked": asked,
            "in_horizon": self._is_in_horizon(order, terms),
            "order_before": figures["order"] + used,
            "exposure_before": figures["exposure"] + used,
            "exposure_after": figures["exposure"] + used + asked,
            "prepayment_required": prepayment[0],
            "prepayment_received": prepayment[1],
        }

    @api.model
    def _is_in_horizon(self, order, terms):
        """Whether the order is promised for so soon that it counts; without a promise it does."""
        if not terms["horizon"] or not order.commitment_date:
            return True
        company = order.company_id
        days = (company._sale_admin_date(order.commitment_date) - company._sale_admin_today()).days
        return days <= terms["horizon"]

    def _apply_credit_kind(self, order, situation):
        """Return the kind's result with the figures that a credit controller decides on."""
        result = getattr(self, f"_check_{self.kind}")(order, situation)
        if not result:
            return None
        return self._with_hint(
            {
                "check_id": self.id,
                "partner_id": situation["account"].id,
                "amount_order": situation["amount"],
                "amount_limit": situation["terms"]["amount"],
                "amount_exposure": situation["exposure_before"],
                "amount_receivable": situation["receivable"],
                "amount_open_orders": situation["order_before"] + situation["shipped"],
                "amount_overdue": situation["overdue"],
                **result,
            }
        )

    @api.model
    def _format_credit(self, amount, order):
        return formatLang(self.env, amount, currency_obj=order.company_id.currency_id)

    # === KINDS === #
    def _check_credit_limit(self, order, situation):
        """What is asked for fits into what the account may owe.

        An order that adds nothing, being paid in advance, passes whatever else is owed.
        """
        terms, currency = situation["terms"], order.company_id.currency_id
        over = situation["exposure_after"] - terms["amount"]
        if (
            terms["mode"] == "no_limit"
            or not situation["in_horizon"]
            or currency.compare_amounts(situation["amount"], 0) <= 0
            or currency.compare_amounts(over, terms["tolerance"]) <= 0
        ):
            return None
        if terms["mode"] == "no_credit":
            reason = self.env._(
                "%s has no credit: the order has to be paid in advance.", situation["account"].name
            )
        else:
            reason = self.env._(
                "%s: the order exceeds the credit limit.", situation["account"].name
            )
        return {
            "reason": reason,
            "detail": self.env._(
                "With this order %(exposure)s are owed; the limit is %(limit)s: %(over)s too much.",
                exposure=self._format_credit(situation["exposure_after"], order),
                limit=self._format_credit(terms["amount"], order),
                over=self._format_credit(over, order),
            ),
            "amount_over": over,
        }

    def _check_credit_overdue(self, order, situation):
        """What is overdue for too long, less payments and credit notes not used yet, is small."""
        terms, currency = situation["terms"], order.company_id.currency_id
        if (
            currency.compare_amounts(situation["overdue"], terms["overdue_amount"]) <= 0
            or currency.compare_amounts(situation["amount"], 0) <= 0
        ):
            return None
        return {
            "reason": self.env._("%s has overdue invoices.", situation["account"].name),
            "detail": self.env._(
                "%(amount)s are overdue for more than %(days)s days; the oldest open invoice was "
                "due on %(date)s.",
                amount=self._format_credit(situation["overdue"], order),
                days=terms["overdue_days"],
                date=format_date(self.env, situation["oldest"]),
            ),
        }

    def _check_credit_expired(self, order, situation):
        """A limit is in force, if there ever was one."""
        expired = situation["terms"]["expired"]
        if not expired or order.company_id.currency_id.compare_amounts(situation["amount"], 0) <= 0:
            return None
        return {
            "reason": self.env._(
                "The credit limit of %(customer)s ended on %(date)s.",
                customer=situation["account"].name,
                date=format_date(self.env, expired),
            )
        }

    def _check_credit_prepayment(self, order, situation):
        """What the customer has to pay before anything starts has come."""
        missing = situation["prepayment_required"] - situation["prepayment_received"]
        if order.company_id.currency_id.compare_amounts(missing, 0) <= 0:
            return None
        return {
            "reason": self.env._("The prepayment has not been received."),
            "detail": self.env._(
                "%(received)s of %(required)s received.",
                received=self._format_credit(situation["prepayment_received"], order),
                required=self._format_credit(situation["prepayment_required"], order),
            ),
            "amount_over": missing,
        }

    def _get_payment_need_credit_prepayment(self, order, situation):
        return max(situation["prepayment_required"] - situation["prepayment_received"], 0.0)

    def _check_credit_order_value(self, order, situation):
        """No single order on credit is larger than this."""
        largest = self._get_credit_order_max(order)
        over = situation["amount"] - largest
        if order.company_id.currency_id.compare_amounts(over, 0) <= 0:
            return None
        return {
            "reason": self.env._("The order is larger than may be delivered on credit."),
            "detail": self.env._(
                "%(amount)s on credit, at most %(largest)s: %(over)s too much.",
                amount=self._format_credit(situation["amount"], order),
                largest=self._format_credit(largest, order),
                over=self._format_credit(over, order),
            ),
            "amount_over": over,
        }

    def _get_credit_order_max(self, order):
        """Return the amount in the currency of the order's company."""
        company = order.company_id
        return self.currency_id._convert(
            self.credit_order_max, company.currency_id, company, order.date_order
        )
