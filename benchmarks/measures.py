"""What is measured: each function prepares in `env` and returns the work whose time is taken.

The work returns figures by which two ways of the same work are compared, or nothing.
"""

from datetime import date

from lxml import etree

from odoo import Command, fields


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
    specification = _specification(env, "sale.admin.contract", "form")

    def work():
        contract.web_read(specification)

    return work


def late_milestones_list(env):
    model = env["sale.admin.milestone"]
    specification = _specification(env, model._name, "list")
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


def _specification(env, model, view_type):
    """What the browser asks for to show the view: its fields, and those of lists within it."""
    arch = etree.fromstring(env[model].get_view(view_type=view_type)["arch"])
    return _specification_of(env, model, arch)


def _specification_of(env, model, arch):
    specification = {}
    for node in arch.iter("field"):
        if any(parent.tag == "field" for parent in _ancestors(node, arch)):
            continue
        field = env[model]._fields.get(node.get("name"))
        if field is None:
            continue
        specification[field.name] = {}
        if field.type == "many2one":
            specification[field.name] = {"fields": {"display_name": {}}}
        elif field.type in ("one2many", "many2many"):
            lists = node.findall("list")
            fields_read = _specification_of(env, field.comodel_name, lists[0]) if lists else {}
            specification[field.name] = {"fields": fields_read, "limit": 40}
    return specification


def _ancestors(node, root):
    while node is not root:
        node = node.getparent()
        yield node


# === CONFIRMING AND ACTIVATING === #
def confirm_goods(env):
    return _confirm(env, "consu")


def confirm_services(env):
    return _confirm(env, "service")


def confirm_opens_contract(env):
    env.company.sale_admin_contract_mode = "always"
    return _confirm(env, "consu")


def _confirm(env, product_type):
    products = env["product.product"].search([("name", "=like", "Article %")], limit=10, order="id")
    if product_type == "service":
        products = env["product.product"].create(
            [{"name": f"Service {number}", "type": "service"} for number in range(10)]
        )
    customer = env["res.partner"].search([("name", "=", "Customer 000010")], limit=1)
    order = env["sale.order"].create(
        {
            "partner_id": customer.id,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": 2})
                for product in products
            ],
        }
    )
    return order.action_confirm


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
