from odoo import fields, models
from odoo.tools import SQL

from ..models.sale_admin_check import STAGES
from ..models.sale_order_credit import MONEY_GROUPS


class SaleAdminHeldOrder(models.Model):
    """What a confirmed order that waits is about: one row an order, with its order's id.

    Amounts are in the company's currency at the order's own rate, taxes included. Days are counted
    in the company's time zone. A rejected order stays until somebody cancels it.
    """

    _name = "sale.admin.held.order"
    _description = "Held Order"
    _auto = False
    _order = "date_promised, held_since, id"
    _rec_name = "order_id"
    _depends = {
        "sale.order": [
            "amount_total",
            "commitment_date",
            "company_id",
            "currency_rate",
            "date_order",
            "name",
            "partner_id",
            "partner_invoice_id",
            "release_state",
            "state",
            "team_id",
            "user_id",
        ],
        "sale.order.line": [
            "order_id",
            "price_total",
            "product_uom_qty",
            "qty_delivered",
            "qty_invoiced",
            "qty_withheld",
        ],
        "sale.admin.hold": [
            "amount_over",
            "amount_overdue",
            "check_id",
            "held_since",
            "is_current",
            "order_id",
            "partner_id",
            "reason",
            "severity",
            "stage",
            "state",
        ],
        "sale.admin.check": ["kind", "sequence"],
        "res.company": ["currency_id", "sale_admin_tz"],
        "res.partner": ["commercial_partner_id"],
    }

    # === FIELDS === #
    order_id = fields.Many2one("sale.order", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    release_state = fields.Selection(
        [("held", "Held"), ("rejected", "Rejected")], string="Status", readonly=True
    )
    stage = fields.Selection(
        STAGES, readonly=True, help="The earliest stage at which the order is held."
    )
    check_id = fields.Many2one(
        "sale.admin.check",
        string="Held by",
        readonly=True,
        help="The first of the checks that hold it; empty: held by hand.",
    )
    held_by = fields.Selection(
        [("credit", "Credit"), ("check", "Checks"), ("hand", "By hand")],
        string="Kind of Hold",
        readonly=True,
        help="Credit before checks before holds by hand, when several hold the order.",
    )
    reasons = fields.Text(readonly=True)
    hold_count = fields.Integer(string="Holds", readonly=True)
    held_since = fields.Datetime(readonly=True)
    days_waiting = fields.Integer(readonly=True, aggregator="max")
    date_promised = fields.Date(string="Promised", readonly=True)
    days_late = fields.Integer(
        readonly=True, aggregator="max", help="Days past the promised date; 0: in time."
    )
    amount_order = fields.Monetary(string="Order Value", readonly=True)
    amount_blocked = fields.Monetary(
        string="Blocked",
        readonly=True,
        help="What waits: withheld at hand-over, not delivered at shipping, not invoiced at "
        "invoicing.",
    )
    amount_over = fields.Monetary(string="Over the Limit", readonly=True, groups=MONEY_GROUPS)
    amount_overdue = fields.Monetary(string="Overdue", readonly=True, groups=MONEY_GROUPS)
    release_hint = fields.Text(related="order_id.release_hint")
    release_hint_amount = fields.Text(related="order_id.release_hint_amount", groups=MONEY_GROUPS)
    release_actors = fields.Char(related="order_id.release_actors")
    can_release = fields.Boolean(related="order_id.can_release", related_sudo=False)

    # === ACTION METHODS === #
    def action_open_order(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(self.env.ref("sale.view_order_form").id, "form")],
        }

    def action_open_release(self):
        return self.order_id.action_open_release()

    def action_open_reject(self):
        return self.order_id.action_open_reject()

    def action_recheck(self):
        return self.order_id.action_recheck()

    def action_view_release_options(self):
        return self.order_id.action_view_release_options()

    # === BUSINESS METHODS === #
    @property
    def _table_query(self) -> SQL:
        return SQL(
            """
            WITH %(holds)s, %(lines)s
            %(select)s
            %(from)s
            """,
            holds=self._with_holds(),
            lines=self._with_lines(),
            select=self._select(),
            **{"from": self._from()},
        )

    def _with_holds(self) -> SQL:
        """What stands against each order, by decision or undecided."""
        return SQL(
            """
            holds AS (
                SELECT hold.order_id,
                       MIN(hold.held_since) AS held_since,
                       COUNT(*)::int4 AS hold_count,
                       STRING_AGG(DISTINCT hold.reason, '\n') AS reasons,
                       MAX(hold.partner_id) AS payer_id,
                       MAX(hold.amount_over) AS amount_over,
                       MAX(hold.amount_overdue) AS amount_overdue,
                       BOOL_OR(hold.check_id IS NULL) AS is_by_hand,
                       BOOL_OR(%(is_credit)s) AS is_credit,
                       (ARRAY_AGG(hold.check_id ORDER BY chk.sequence, hold.id))[1] AS check_id,
                       (ARRAY_AGG(hold.stage ORDER BY %(stage_rank)s, hold.id))[1] AS stage
                  FROM sale_admin_hold hold
                  JOIN sale_order o ON o.id = hold.order_id
             LEFT JOIN sale_admin_check chk ON chk.id = hold.check_id
                 WHERE hold.is_current
                   AND hold.severity = 'block'
                   AND hold.state IN ('open', 'rejected')
                   AND o.release_state IN ('held', 'rejected')
                   AND o.state = 'sale'
              GROUP BY hold.order_id
            )
            """,
            is_credit=self._sql_is_credit(),
            stage_rank=self._sql_stage_rank(),
        )

    def _with_lines(self) -> SQL:
        return SQL(
            """
            lines AS (
                SELECT line.order_id,
                       SUM(line.price_total / line.product_uom_qty * CASE holds.stage
                             WHEN 'handover' THEN line.qty_withheld
                             WHEN 'ship' THEN GREATEST(line.product_uom_qty - line.qty_delivered, 0)
                             ELSE GREATEST(line.product_uom_qty - line.qty_invoiced, 0)
                           END) AS amount_blocked
                  FROM sale_order_line line
                  JOIN holds ON holds.order_id = line.order_id
                 WHERE line.product_uom_qty <> 0
              GROUP BY line.order_id
            )
            """
        )

    def _select(self) -> SQL:
        return SQL(
            """
            SELECT o.id,
                   o.id AS order_id,
                   o.company_id,
                   company.currency_id,
                   o.partner_id,
                   COALESCE(holds.payer_id, payer.commercial_partner_id) AS payer_id,
                   o.user_id,
                   o.team_id,
                   o.release_state,
                   holds.stage,
                   holds.check_id,
                   CASE WHEN holds.is_credit THEN 'credit'
                        WHEN holds.check_id IS NOT NULL THEN 'check'
                        ELSE 'hand' END AS held_by,
                   holds.reasons,
                   holds.hold_count,
                   holds.held_since,
                   (%(today)s - %(since)s)::int4 AS days_waiting,
                   %(promised)s AS date_promised,
                   GREATEST(%(today)s - %(promised)s, 0)::int4 AS days_late,
                   o.amount_total / o.currency_rate AS amount_order,
                   COALESCE(lines.amount_blocked, 0) / o.currency_rate AS amount_blocked,
                   holds.amount_over,
                   holds.amount_overdue
            """,
            today=self._sql_day(SQL("%s::timestamp", fields.Datetime.now())),
            since=self._sql_day(SQL("holds.held_since")),
            promised=self._sql_day(SQL("o.commitment_date")),
        )

    def _from(self) -> SQL:
        return SQL(
            """
              FROM sale_order o
              JOIN holds ON holds.order_id = o.id
              JOIN res_company company ON company.id = o.company_id
              JOIN res_partner payer ON payer.id = o.partner_invoice_id
         LEFT JOIN lines ON lines.order_id = o.id
            """
        )

    def _sql_is_credit(self) -> SQL:
        kinds = tuple(self.env["sale.admin.check"]._get_credit_kinds())
        return SQL("chk.kind IN %s", kinds) if kinds else SQL("FALSE")

    def _sql_stage_rank(self) -> SQL:
        stages = [stage for stage, _label in STAGES]
        return SQL("ARRAY_POSITION(%s::varchar[], hold.stage)", stages)

    def _sql_day(self, moment) -> SQL:
        """The day of a UTC moment in the time zone of the row's company."""
        return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE company.sale_admin_tz)::date", moment)
