"""What is measured of contracts, their schedule and the workbench."""

from datetime import date

from odoo import Command, fields

from .release import confirm_lines
from .specification import get_specification


# === A YEAR'S STATISTICS === #
def _last_year():
    today = date.today()
    return today.replace(year=today.year - 1, day=1), today.replace(day=1)


def statistics_report(env):
    start, end = _last_year()

    def work():
        rows = env["sale.admin.contract.report"]._read_group(
            [("date", ">=", start), ("date", "<", end)],
            ["date:month", "kind"],
            ["amount_planned:sum", "amount_actual:sum"],
        )
        return _sum_by_kind((kind, planned, actual) for _month, kind, planned, actual in rows)

    return work


def statistics_sql(env):
    """The same months and kinds by one statement, knowing that there is one currency."""
    start, end = _last_year()
    query = """
        SELECT date_trunc('month', date) AS month, kind, sum(planned), sum(actual) FROM (
            SELECT m.date_planned AS date, m.amount_planned AS planned, 0 AS actual,
                   CASE WHEN m.measure IN ('delivered', 'invoiced', 'collected') THEN m.measure
                        ELSE 'other' END AS kind
              FROM sale_admin_milestone m JOIN sale_admin_contract c ON c.id = m.contract_id
             WHERE c.state IN ('active', 'suspended', 'done', 'terminated')
               AND m.is_waived IS NOT TRUE
               AND m.date_planned >= %(start)s AND m.date_planned < %(end)s
            UNION ALL
            SELECT c.date_signed, 0, c.amount_untaxed_baseline, 'signed'
              FROM sale_admin_contract c
             WHERE c.state IN ('active', 'suspended', 'done', 'terminated')
               AND c.date_signed >= %(start)s AND c.date_signed < %(end)s
            UNION ALL
            SELECT sm.date::date, 0, ol.price_subtotal * sm.quantity / ol.product_uom_qty,
                   'delivered'
              FROM stock_move sm
              JOIN sale_order_line ol ON ol.id = sm.sale_line_id
              JOIN sale_order o ON o.id = ol.order_id
             WHERE sm.state = 'done' AND o.sale_contract_id IS NOT NULL
               AND sm.date >= %(start)s AND sm.date < %(end)s
            UNION ALL
            SELECT line.invoice_date, 0, line.price_subtotal, 'invoiced'
              FROM account_move_line line
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
              JOIN sale_order_line ol ON ol.id = rel.order_line_id
              JOIN sale_order o ON o.id = ol.order_id
             WHERE line.parent_state = 'posted' AND line.display_type = 'product'
               AND o.sale_contract_id IS NOT NULL
               AND line.invoice_date >= %(start)s AND line.invoice_date < %(end)s
            UNION ALL
            SELECT payment.date, 0, partial.amount, 'collected'
              FROM account_partial_reconcile partial
              JOIN account_move_line payment ON payment.id = partial.credit_move_id
              JOIN account_move_line receivable ON receivable.id = partial.debit_move_id
             WHERE payment.date >= %(start)s AND payment.date < %(end)s
               AND EXISTS (
                   SELECT FROM account_move_line line
                     JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                     JOIN sale_order_line ol ON ol.id = rel.order_line_id
                     JOIN sale_order o ON o.id = ol.order_id
                    WHERE line.move_id = receivable.move_id AND o.sale_contract_id IS NOT NULL)
        ) event GROUP BY 1, 2"""

    def work():
        env.cr.execute(query, {"start": start, "end": end})
        return _sum_by_kind(row[1:] for row in env.cr.fetchall())

    return work


def _sum_by_kind(rows):
    sums = {}
    for kind, planned, actual in rows:
        known = sums.get(kind, (0.0, 0.0))
        sums[kind] = (known[0] + float(planned or 0), known[1] + float(actual or 0))
    return {kind: [round(amount) for amount in amounts] for kind, amounts in sorted(sums.items())}


# === FORM AND LISTS === #
def contract_form(env):
    contract = _contract(env)
    specification = get_specification(env, "sale.admin.contract", "form")

    def work():
        contract.web_read(specification)

    return work


def late_milestones_list(env):
    model = env["sale.admin.milestone"]
    specification = get_specification(env, model._name, "list")
    domain = [("status", "=", "late")]

    def work():
        found = model.web_search_read(
            domain, specification, limit=80, order="date_planned", count_limit=1_000_000
        )
        return found["length"]

    return work


def late_milestones_sql(env):
    late = """FROM sale_admin_milestone m
              JOIN sale_admin_contract c ON c.id = m.contract_id
              JOIN res_partner p ON p.id = c.partner_id
             WHERE m.is_open AND m.date_planned < %s AND c.state = 'active'"""
    today = env.company._sale_admin_today()

    def work():
        env.cr.execute(
            f"""SELECT m.id, m.name->>'en_US', m.kind, m.date_planned, m.progress, m.amount_planned,
                       c.name, p.name {late} ORDER BY m.date_planned LIMIT 80""",
            [today],
        )
        env.cr.fetchall()
        env.cr.execute(f"SELECT count(*) {late}", [today])
        return env.cr.fetchone()[0]

    return work


def workbench_counters(env):
    def work():
        return len(env["sale.admin.queue"].get_counters())

    return work


def _contract(env):
    return env["sale.admin.contract"].search([("name", "=", "BENCH/000010")], limit=1)


# === CONFIRMING AND ACTIVATING === #
def confirm_opens_contract(env):
    env.company.sale_admin_contract_mode = "always"
    return confirm_lines(env, "Customer 000010", "consu")


def activate_100_milestones(env):
    today = fields.Date.today()
    contract = env["sale.admin.contract"].create(
        {
            "partner_id": _contract(env).partner_id.id,
            "kind": "framework",
            "amount_untaxed": 1000.0,
            "amount_total": 1150.0,
            "date_signed": today,
            "milestone_ids": [
                Command.create(
                    {
                        "name": f"Delivery {number}",
                        "kind": "delivery",
                        "measure": "delivered",
                        "target": 1.0,
                        "sequence": number,
                        "date_planned": fields.Date.add(today, days=number),
                    }
                )
                for number in range(100)
            ],
        }
    )
    return contract.action_activate
