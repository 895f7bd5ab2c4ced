from odoo import fields, models
from odoo.tools import SQL

from ..models.sale_admin_check import STAGES
from ..models.sale_admin_hold_check import VERDICTS

# Paid so many days after the due date at most, an order was no trouble.
PAID_LATE_DAYS = 7


class SaleAdminCheckReport(models.Model):
    """What watched checks would have held: one row for each order that a check found wanting.

    It begins when the check found it and ends when a later judgement found it mended; renewals by
    other figures are one row. Previews of quotations, and what an earlier confirmation of a
    cancelled order found, are left out. The verdict is, in this order:

    - what somebody decided by hand;
    - rightly found, when it was mended: the hold would have been for that;
    - false alarm, when the order was carried out without trouble although nobody mended anything:
      delivered, invoiced and paid in full, nothing sent back or credited, no invoice paid more
      than a week after its due date;
    - otherwise not known yet.

    Amounts are in the company's currency, taxes included, at the time of the finding.
    """

    _name = "sale.admin.check.report"
    _description = "What Watched Checks Found"
    _auto = False
    _order = "date_found desc, id desc"
    _rec_name = "order_id"

    # === FIELDS === #
    check_id = fields.Many2one("sale.admin.check", readonly=True)
    stage = fields.Selection(STAGES, string="Would Wait", readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    reason = fields.Char(readonly=True)
    date_found = fields.Datetime(string="Found", readonly=True)
    date_cured = fields.Datetime(string="Mended", readonly=True)
    days = fields.Float(
        string="Days Held",
        readonly=True,
        aggregator="avg",
        help="How long the order would have been held: until it was mended, or until today.",
    )
    amount_order = fields.Monetary(string="Order Value", readonly=True)
    verdict = fields.Selection(VERDICTS, readonly=True)
    is_marked = fields.Boolean(string="Decided by Hand", readonly=True)
    order_count = fields.Integer(string="Orders", readonly=True)
    false_count = fields.Integer(string="False Alarms", readonly=True)
    false_rate = fields.Float(
        string="% False Alarms",
        readonly=True,
        aggregator="avg",
        help="Of what is known: not counting findings of which nobody can tell yet.",
    )

    _depends = {
        "sale.admin.hold": ["state", "is_current", "decided_at", "watch_verdict"],
        "sale.order": ["state", "judged_at", "invoice_status", "user_id", "team_id"],
        "sale.order.line": ["product_uom_qty", "qty_delivered"],
        "account.move": ["state", "payment_state", "move_type"],
        "account.move.line": ["date_maturity", "sale_line_ids"],
        "account.partial.reconcile": ["max_date"],
        "stock.move": ["state", "sale_line_id"],
    }

    # === QUERY === #
    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s", self._select(), self._from())

    def _select(self) -> SQL:
        return SQL(
            """SELECT found.*,
                      1 AS order_count,
                      (found.verdict = 'false')::int AS false_count,
                      CASE found.verdict
                          WHEN 'false' THEN 100.0
                          WHEN 'right' THEN 0.0
                      END AS false_rate"""
        )

    def _from(self) -> SQL:
        return SQL(
            """FROM (
                   SELECT episode.id, episode.check_id, last.stage, episode.order_id,
                          so.partner_id, so.user_id, so.team_id, so.company_id,
                          company.currency_id, last.reason, last.amount_order,
                          episode.date_found, episode.date_cured,
                          EXTRACT(EPOCH FROM
                              COALESCE(episode.date_cured, NOW() AT TIME ZONE 'UTC')
                              - episode.date_found) / 86400.0 AS days,
                          last.watch_verdict IS NOT NULL AS is_marked,
                          COALESCE(
                              last.watch_verdict,
                              CASE
                                  WHEN episode.date_cured IS NOT NULL THEN 'right'
                                  WHEN %(went_well)s THEN 'false'
                                  ELSE 'open'
                              END) AS verdict
                     FROM (%(episodes)s) episode
                     JOIN sale_admin_hold last ON last.id = episode.id
                     JOIN sale_order so ON so.id = episode.order_id
                     JOIN res_company company ON company.id = so.company_id
               ) found""",
            episodes=self._get_episodes(),
            went_well=self._get_went_well(),
        )

    def _get_episodes(self) -> SQL:
        """The rows of one finding together: a renewal carries `held_since` on."""
        return SQL(
            """SELECT MAX(hold.id) AS id, hold.check_id, hold.order_id,
                      hold.held_since AS date_found,
                      CASE WHEN BOOL_OR(hold.is_current AND hold.state = 'open') THEN NULL
                           ELSE MAX(hold.decided_at)
                      END AS date_cured
                 FROM sale_admin_hold hold
                 JOIN sale_order so ON so.id = hold.order_id
                WHERE hold.severity = 'shadow'
                  AND hold.check_id IS NOT NULL
                  AND so.state = 'sale'
                  AND (hold.decided_at IS NULL OR hold.decided_at > so.judged_at)
             GROUP BY hold.check_id, hold.order_id, hold.held_since"""
        )

    def _get_went_well(self) -> SQL:
        """Hook: whether the order `so` was carried out without trouble."""
        return SQL(
            """so.invoice_status = 'invoiced'
               AND NOT EXISTS (
                   SELECT 1 FROM sale_order_line line
                    WHERE line.order_id = so.id
                      AND line.display_type IS NULL
                      AND line.is_downpayment IS NOT TRUE
                      AND line.qty_delivered < line.product_uom_qty)
               AND NOT EXISTS (
                   SELECT 1 FROM sale_order_line line
                     JOIN stock_move back ON back.sale_line_id = line.id
                     JOIN stock_location source ON source.id = back.location_id
                    WHERE line.order_id = so.id
                      AND back.state = 'done'
                      AND source.usage = 'customer')
               AND NOT EXISTS (
                   SELECT 1 FROM sale_order_line line
                     JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                     JOIN account_move_line item ON item.id = rel.invoice_line_id
                     JOIN account_move move ON move.id = item.move_id
                    WHERE line.order_id = so.id
                      AND move.state != 'cancel'
                      AND (move.move_type = 'out_refund'
                           OR move.payment_state NOT IN ('paid', 'in_payment')
                           OR EXISTS (
                               SELECT 1 FROM account_move_line due
                                 JOIN account_partial_reconcile part
                                   ON part.debit_move_id = due.id
                                WHERE due.move_id = move.id
                                  AND due.display_type = 'payment_term'
                                  AND part.max_date > due.date_maturity + %s)))""",
            PAID_LATE_DAYS,
        )

    # === ACTION METHODS === #
    def action_mark_false_alarm(self):
        self._get_holds()._judge_watch("false")
        return True

    def action_mark_right(self):
        self._get_holds()._judge_watch("right")
        return True

    def action_unmark(self):
        self._get_holds()._judge_watch(False)
        return True

    def action_open_order(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }

    def _get_holds(self):
        """A finding has the id of its last hold."""
        return self.env["sale.admin.hold"].browse(self.ids)
