from weakref import WeakKeyDictionary

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.tools import SQL

# Attempts of a request that lost against another one; its cursor is the same when Odoo retries.
_lost = WeakKeyDictionary()
MAX_LOST = 3


class CreditBusy(Exception):
    """The credit of a customer is being judged by others, again and again."""


class SaleAdminCreditLock(models.Model):
    """One row for each customer whose credit is used, written before it is read.

    Odoo's transactions read a snapshot: of two that judge one customer's credit at once, the second
    must not see the state before the first. Both write this row, so the second fails, is tried
    again by Odoo, and then reads what the first has left.
    """

    _name = "sale.admin.credit.lock"
    _description = "Credit Lock"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)
    seq = fields.Integer(default=0)

    _company_partner_uniq = models.Constraint(
        "UNIQUE (company_id, partner_id)", "A customer's credit has one lock in a company."
    )

    @api.model
    def _serialize(self, companies_and_partners):
        """Make sure that nobody else judges the credit of these customers at the same time.

        To be called before an exposure is read, by everything that uses or changes credit.

        :param companies_and_partners: pairs of company and customer
        :raise SerializationFailure: another transaction was faster: Odoo tries again
        :raise CreditBusy: the fourth time in one request; the transaction remains usable, but the
            exposure that it reads may be out of date
        """
        pairs = sorted(
            {(company.root_id.id, partner.id) for company, partner in companies_and_partners}
        )
        if not pairs:
            return
        cr = self.env.cr
        last_attempt = _lost.get(cr, 0) >= MAX_LOST
        try:
            if last_attempt:
                with cr.savepoint(flush=False):
                    self._write_rows(pairs)
            else:
                self._write_rows(pairs)
        except SerializationFailure as error:
            if last_attempt:
                raise CreditBusy from error
            _lost[cr] = _lost.get(cr, 0) + 1
            raise

    def _write_rows(self, pairs):
        self.env.cr.execute(
            SQL(
                """INSERT INTO sale_admin_credit_lock (company_id, partner_id, seq)
                   SELECT * FROM (VALUES %s) pair ORDER BY 1, 2
                       ON CONFLICT (company_id, partner_id)
                       DO UPDATE SET seq = sale_admin_credit_lock.seq + 1""",
                SQL(", ").join(SQL("(%s, %s, 0)", *pair) for pair in pairs),
            )
        )
