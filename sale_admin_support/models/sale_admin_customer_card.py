import re

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang
from odoo.tools.sql import escape_psql

from .sale_admin_clarification import OPEN_STATES

MONEY_GROUPS = (
    "sale_admin_support.group_sale_admin_credit,sale_admin_support.group_sale_admin_user,"
    "account.group_account_invoice,account.group_account_readonly"
)
MATCHES = 8
ORDERS = 20
ROWS = 6


class SaleAdminCustomerCard(models.AbstractModel):
    """All that a customer asks on the phone, from one call.

    Reads with the user's own rights: a salesperson sees his own orders and what belongs to them.
    The number of queries depends neither on the customer nor on his documents.
    """

    _name = "sale.admin.customer.card"
    _description = "Customer Card"

    # === BUSINESS METHODS === #
    @api.model
    @api.readonly
    def get_card(self, query="", partner_id=False):
        """Find customers by name, phone number, e-mail or reference of theirs or of an order.

        :param str query: what was typed; less than two characters find nobody
        :param int partner_id: the customer to show; else the best match is shown
        :return: dict of ``customers`` (the matches, best first: dicts of ``id``, ``name``,
            ``detail``) and ``card``, False or a dict of texts in the user's language; see
            :meth:`_prepare_card`
        """
        matches = self._find_customers(query.strip())
        chosen = self.env["res.partner"].browse(partner_id).exists() if partner_id else matches[:1]
        chosen = chosen.commercial_partner_id
        return {
            "customers": [self._prepare_match(partner) for partner in matches],
            "card": self._prepare_card(chosen) if chosen else False,
        }

    @api.model
    def log_call(self, partner_id, note, order_id=False):
        """Note a call on an order that the user may read, or else on the customer."""
        note = (note or "").strip()
        if not note:
            raise UserError(self.env._("Write down what was said."))
        record = (
            self.env["sale.order"].browse(order_id)
            if order_id
            else self.env["res.partner"].browse(partner_id)
        )
        record.check_access("read")
        # with all rights: who answers the phone may note it, even if he may not edit customers
        record.sudo().message_post(
            body=self.env._("Call: %s", note),
            author_id=self.env.user.partner_id.id,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )
        return True

    # === FINDING === #
    @api.model
    def _find_customers(self, query):
        """Return the commercial entities that `query` finds, the best first."""
        partners = self.env["res.partner"]
        if len(query) < 2:
            return partners
        start = f"{escape_psql(query)}%"
        orders = self.env["sale.order"].search_fetch(
            Domain("name", "=ilike", start) | Domain("client_order_ref", "=ilike", start),
            ["partner_id"],
            limit=MATCHES,
            order="id desc",
        )
        found = partners.search(
            self._get_partner_domain(query), limit=4 * MATCHES, order="customer_rank desc, id"
        )
        by_order = orders.partner_id.commercial_partner_id
        others = (found.commercial_partner_id - by_order).sorted(
            lambda p: (not (p.name or "").lower().startswith(query.lower()), not p.customer_rank)
        )
        return (by_order + others)[:MATCHES]

    @api.model
    def _get_partner_domain(self, query):
        """Hook: how a customer is recognised."""
        text = escape_psql(query)
        domain = (
            Domain("complete_name", "ilike", text)
            | Domain("email", "ilike", text)
            | Domain("ref", "=ilike", f"{text}%")
            | Domain("vat", "=ilike", f"{text}%")
        )
        digits = re.sub(r"\D", "", query).lstrip("0")
        if len(digits) >= 4:
            # however the number is written: with blanks, a country code or a leading zero
            domain |= Domain(
                "id",
                "in",
                SQL(
                    "(SELECT id FROM res_partner"
                    " WHERE regexp_replace(phone, '[^0-9]', '', 'g') LIKE %s)",
                    f"%{digits}%",
                ),
            )
        return domain

    @api.model
    def _prepare_match(self, partner):
        detail = [partner.ref, partner.city, partner.phone]
        return {
            "id": partner.id,
            "name": partner.display_name,
            "detail": " · ".join(filter(None, detail)),
        }

    # === THE CARD === #
    @api.model
    def _prepare_card(self, partner):
        """Hook: what is shown of a customer.

        :return: dict with the customer's data, ``money`` (False for who may not see it), and the
            lists ``orders``, ``holds``, ``clarifications``, ``problems``, ``deliveries``; each item
            has an ``id`` and a ``model`` to be opened
        """
        domain = [("partner_id", "child_of", partner.id), ("state", "=", "sale")]
        orders = self.env["sale.order"]
        open_domain = [*domain, ("is_in_progress", "=", True)]
        open_orders = orders.search(open_domain, limit=ORDERS, order="commitment_date, id")
        return {
            "id": partner.id,
            "name": partner.display_name,
            "ref": partner.ref or "",
            "phone": partner.phone or "",
            "email": partner.email or "",
            "address": ", ".join(
                filter(None, [partner.street, partner.city, partner.country_id.name])
            ),
            "salesperson": partner.user_id.name or "",
            "money": self._prepare_money(partner),
            "order_count": orders.search_count(open_domain),
            "orders": [self._prepare_order(order) for order in open_orders],
            "holds": self._prepare_holds(domain),
            "clarifications": self._prepare_clarifications(partner),
            "problems": self._prepare_problems(domain),
            "deliveries": self._prepare_deliveries(domain),
        }

    @api.model
    def _prepare_money(self, partner):
        """Return balance and overdue in the company's currency, or False without the right.

        :return: dict of ``balance``, ``overdue`` (texts), ``is_overdue``, ``overdue_count``,
            ``oldest_days``, ``more`` (further figures: dicts of ``label`` and ``text``)
        """
        if not self.env.user.has_groups(MONEY_GROUPS):
            return False
        company = self.env.company
        lines = self.env["account.move.line"]
        lines.flush_model(["amount_residual", "date_maturity", "parent_state", "reconciled"])
        today = company._sale_admin_today()
        [[balance, overdue, count, oldest]] = self.env.execute_query(
            SQL(
                """SELECT COALESCE(sum(aml.amount_residual), 0),
                          COALESCE(sum(aml.amount_residual) FILTER (WHERE %(is_overdue)s), 0),
                          count(*) FILTER (WHERE %(is_overdue)s),
                          min(aml.date_maturity) FILTER (WHERE %(is_overdue)s)
                     FROM account_move_line aml
                     JOIN account_account account ON account.id = aml.account_id
                    WHERE aml.partner_id IN (
                          SELECT id FROM res_partner WHERE commercial_partner_id = %(partner)s)
                      AND aml.company_id = %(company)s
                      AND account.account_type = 'asset_receivable'
                      AND aml.parent_state = 'posted'
                      AND aml.reconciled IS NOT TRUE""",
                is_overdue=SQL("aml.date_maturity < %s AND aml.amount_residual > 0", today),
                partner=partner.id,
                company=company.id,
            )
        )
        return {
            "balance": formatLang(self.env, balance, currency_obj=company.currency_id),
            "overdue": formatLang(self.env, overdue, currency_obj=company.currency_id),
            "is_overdue": bool(count),
            "overdue_count": count,
            "oldest_days": (today - oldest).days if oldest else 0,
            "more": self._prepare_credit(partner.sudo()),
        }

    @api.model
    def _prepare_credit(self, partner):
        """Where a credit policy rules: the limit and what is left of it, as label and text."""
        if not partner.credit_is_ruled:
            return []

        def money(amount):
            return formatLang(self.env, amount, currency_obj=partner.credit_currency_id)

        figures = [(self.env._("Exposure"), money(partner.credit_exposure))]
        if partner.credit_mode == "limit":
            figures.append((self.env._("Credit Left"), money(partner.credit_available)))
        elif partner.credit_mode == "no_credit":
            figures.append((self.env._("Credit"), self.env._("None")))
        return [{"label": label, "text": text} for label, text in figures]

    @api.model
    def _prepare_order(self, order):
        return {
            "id": order.id,
            "model": order._name,
            "name": order.name,
            "reference": order.client_order_ref or "",
            "total": formatLang(self.env, order.amount_total, currency_obj=order.currency_id),
            "promised": self._format_day(order.company_id, order.commitment_date),
            "planned": self._format_day(order.company_id, order.date_planned_ship),
            "days_late": order.days_late,
            "delivered": round(order.progress_delivered),
            "is_held": order.release_state in ("held", "rejected"),
            "next": order.progress_next or "",
            "last_word": order.last_word or "",
            "is_untold": order.is_customer_untold,
            "can_tell": order.is_to_deliver,
        }

    @api.model
    def _prepare_holds(self, order_domain):
        """Open holds that stop work, in the words that are meant for salespeople."""
        holds = self.env["sale.admin.hold"]
        if not holds.has_access("read"):
            return []
        found = holds.search(
            [
                ("order_id", "any", order_domain),
                ("state", "=", "open"),
                ("severity", "=", "block"),
            ],
            limit=ROWS,
        )
        return [
            {
                "id": hold.order_id.id,
                "model": "sale.order",
                "name": hold.order_id.name,
                "text": hold.reason,
                "day": self._format_day(hold.company_id, hold.create_date),
            }
            for hold in found
        ]

    @api.model
    def _prepare_clarifications(self, partner):
        """Open questions about the customer's quotations and orders."""
        clarifications = self.env["sale.admin.clarification"]
        if not clarifications.has_access("read"):
            return []
        found = clarifications.search(
            [
                ("order_id", "any", [("partner_id", "child_of", partner.id)]),
                ("state", "in", OPEN_STATES),
            ],
            limit=ROWS,
        )
        return [
            {
                "id": clarification.id,
                "model": clarification._name,
                "name": clarification.order_id.name,
                "text": clarification.name,
                "day": format_date(self.env, clarification.date_due),
            }
            for clarification in found
        ]

    @api.model
    def _prepare_problems(self, order_domain):
        problems = self.env["sale.admin.problem"]
        if not problems.has_access("read"):
            return []
        found = problems.search(
            [("order_id", "any", order_domain), ("state", "=", "open")], limit=ROWS
        )
        return [
            {
                "id": problem.id,
                "model": problem._name,
                "name": problem.order_id.name,
                "text": problem.name,
                "day": self._format_day(problem.company_id, problem.logged_at),
            }
            for problem in found
        ]

    @api.model
    def _prepare_deliveries(self, order_domain):
        pickings = self.env["stock.picking"]
        if not pickings.has_access("read"):
            return []
        found = pickings.search(
            [
                ("sale_id", "any", order_domain),
                ("state", "=", "done"),
                ("location_dest_id.usage", "=", "customer"),
            ],
            limit=ROWS,
            order="date_done desc, id desc",
        )
        return [
            {
                "id": picking.id,
                "model": picking._name,
                "name": picking.name,
                "text": " ".join(filter(None, picking._get_shipment_texts()))
                or picking.sale_id.name,
                "day": self._format_day(picking.company_id, picking.date_done),
            }
            for picking in found
        ]

    @api.model
    def _format_day(self, company, moment):
        return format_date(self.env, company._sale_admin_date(moment)) if moment else ""
