"""What is measured of orders, checks and credit, most of it runs without the app too."""

from uuid import uuid4

from odoo import Command, fields

from .specification import get_specification

# More than anybody owes.
UNREACHED = 1e12
# What about every second customer exceeds.
LIMIT_OF_ALL = 60_000
# What the completeness check asks for.
REQUIREMENTS = (
    "client_order_ref",
    "commitment_date",
    "payment_term",
    "delivery_address",
    "delivery_phone",
    "invoice_address",
    "salesperson",
)


# === ORDERS === #
def confirm_lines(env, customer, product_type):
    order = _quotation(env, customer, product_type)

    def work():
        order.action_confirm()
        assert order.state == "sale", "the order was not confirmed"
        assert _is_released(order), order.hold_ids.mapped("reason")

    return work


def quotation_form(env, customer):
    order = _quotation(env, customer, "consu")
    env.company.account_use_credit_limit = True
    specification = get_specification(env, "sale.order", "form")

    def work():
        order.web_read(specification)

    return work


def quotation_list(env, limit):
    model = env["sale.order"]
    specification = get_specification(env, "sale.order", "list")
    env.company.account_use_credit_limit = True

    def work():
        found = model.web_search_read(
            [("state", "in", ("draft", "sent"))], specification, limit=limit
        )
        return len(found["records"])

    return work


def _quotation(env, customer, product_type):
    partner = _customer(env, customer)
    _grant_popular_limit(partner)
    name = "Service %" if product_type == "service" else "Article %"
    products = env["product.product"].search([("name", "=like", name)], limit=10, order="id")
    return env["sale.order"].create(
        {
            "partner_id": partner.id,
            "client_order_ref": f"Bench {uuid4()}",
            "commitment_date": fields.Datetime.add(fields.Datetime.now(), days=7),
            "payment_term_id": env.ref("account.account_payment_term_30days").id,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": 2})
                for product in products
            ],
        }
    )


def _customer(env, name):
    return env["res.partner"].search([("name", "=", name)], limit=1)


def _grant_popular_limit(partner, amount=UNREACHED):
    """Switch the public addon's check of the customer on, if it is installed."""
    if switches := _get_popular_switches(partner):
        partner.write({**dict.fromkeys(switches, True), "credit_limit": amount})


def _get_popular_switches(partner):
    names = (name for name in partner._fields if name.startswith("risk_"))
    return [name for name in names if name.endswith("_include")]


def _is_released(order):
    return "release_state" not in order._fields or order.release_state in ("free", "released")


# === CREDIT === #
def exposure(env, customer):
    """Whoever asks has the customer and the company at hand."""
    partner = _customer(env, customer).sudo()

    def read_before():
        return partner.name, partner.env.company.currency_id.name

    def work():
        return round(partner.credit_exposure, 2)

    return read_before, work


def exposure_sql(env, customer):
    """The same by hand: one company, no contacts, no groups of customers, no drafts matched."""
    partner = _customer(env, customer)

    def work():
        env.cr.execute(
            """SELECT (SELECT coalesce(sum(line.amount_residual), 0)
                         FROM account_move_line line
                         JOIN account_account account ON account.id = line.account_id
                        WHERE line.partner_id = %(id)s AND line.parent_state = 'posted'
                          AND line.reconciled IS NOT TRUE AND line.amount_residual <> 0
                          AND account.account_type = 'asset_receivable')
                    + (SELECT coalesce(sum(amount_exposed), 0) FROM sale_order
                        WHERE credit_partner_id = %(id)s AND amount_exposed <> 0)""",
            {"id": partner.id},
        )
        return round(float(env.cr.fetchone()[0]), 2)

    return work


def over_limit(env):
    """Count the customers who owe and will owe more than they may, of all."""
    _grant_all(env, LIMIT_OF_ALL)
    partners = env["res.partner"].search([("name", "=like", "Customer %")])

    def ours():
        return (
            env["sale.admin.credit.report"]
            .sudo()
            .search_count([("is_over", "=", True), ("partner_id", "in", partners.ids)])
        )

    def popular():
        return len(partners.filtered("risk_exception"))

    def plain():
        return len(partners.filtered(lambda p: p.credit + p.credit_to_invoice > p.credit_limit))

    if "credit_exposure" in partners._fields:
        return ours
    return popular if "risk_total" in partners._fields else plain


def _grant_all(env, amount):
    """Give all customers the same limit."""
    if "sale_admin_credit_policy_id" in env.company._fields:
        env.company.sudo().sale_admin_credit_policy_id.amount = amount
        return
    env.company.account_use_credit_limit = True
    env.flush_all()
    columns = ", ".join(f"{name} = TRUE" for name in _get_popular_switches(env["res.partner"]))
    limit = f"credit_limit = jsonb_build_object('{env.company.id}', {amount})"
    env.cr.execute(
        f"UPDATE res_partner SET {', '.join(filter(None, [limit, columns]))}"
        " WHERE name LIKE 'Customer %'"
    )
    env.invalidate_all()


def over_limit_sql(env):
    """The same by hand, see `exposure_sql`."""

    def work():
        env.cr.execute(
            """SELECT count(*) FROM res_partner partner
                 LEFT JOIN (
                     SELECT line.partner_id, sum(line.amount_residual) AS amount
                       FROM account_move_line line
                       JOIN account_account account ON account.id = line.account_id
                      WHERE line.parent_state = 'posted' AND line.amount_residual <> 0
                        AND account.account_type = 'asset_receivable'
                      GROUP BY line.partner_id) item ON item.partner_id = partner.id
                 LEFT JOIN (
                     SELECT credit_partner_id, sum(amount_exposed) AS amount FROM sale_order
                      WHERE amount_exposed <> 0 GROUP BY credit_partner_id) orders
                   ON orders.credit_partner_id = partner.id
                WHERE partner.name LIKE 'Customer %%'
                  AND coalesce(item.amount, 0) + coalesce(orders.amount, 0) > %s""",
            [LIMIT_OF_ALL],
        )
        return env.cr.fetchone()[0]

    return work


# === RACES === #
def prepare_race(env):
    """Make a customer with a limit of 3,000 and 50 quotations of 300."""
    partner = env["res.partner"].create({"name": "Racer", "is_company": True})
    product = env["product.product"].create(
        {"name": "Prize", "type": "consu", "list_price": 300.0, "taxes_id": [Command.clear()]}
    )
    _grant_popular_limit(partner, 3000.0)
    if "credit_policy_id" in partner._fields:
        partner.sudo().credit_policy_id = _create_policy(env(su=True), 3000.0)
    orders = env["sale.order"].create(
        [
            {
                "partner_id": partner.id,
                "client_order_ref": f"Race {partner.id}/{number}",
                "order_line": [Command.create({"product_id": product.id})],
            }
            for number in range(50)
        ]
    )
    return orders.ids


def count_released(env, orders):
    orders = env["sale.order"].browse(orders)
    confirmed = orders.filtered(lambda order: order.state == "sale")
    released = confirmed.filtered(_is_released)
    started = orders.filtered("picking_ids")
    assert released == started, f"{len(released)} released, {len(started)} started"
    return {"released": len(released), "held": len(orders - released)}


def work_off(env):
    """Let the job judge again what had no turn in the crowd."""
    if "sale.admin.hold" in env:
        env["sale.admin.hold"]._cron_recheck()


# === CHECKS === #
def switch(env, on):
    """Switch checks on for good, and give every customer more credit than they use.

    :param on: ``none``, ``credit`` (the limit alone) or ``all``
    """
    env = env(su=True)
    if on != "none" and not env.company.sale_admin_credit_policy_id:
        env.company.sale_admin_credit_policy_id = _create_policy(env, UNREACHED)
    for check in _get_checks(env):
        check.active = on == "all" or (on == "credit" and check.kind == "credit_limit")


def _create_policy(env, amount):
    return env["sale.admin.credit.policy"].create(
        {
            "name": f"Up to {amount:,.0f}",
            "mode": "limit",
            "amount": amount,
            "overdue_amount": UNREACHED,
        }
    )


def _get_checks(env):
    """Return a check of each kind that an order passes without a person's doing."""
    checks = env["sale.admin.check"].with_context(active_test=False)
    requirements = [env.ref(f"sale_admin_support.sale_admin_requirement_{n}") for n in REQUIREMENTS]
    parameters = {
        "domain": {"rule_domain": "[('amount_total', '>', 1000000)]"},
        "completeness": {"requirement_ids": [Command.set([r.id for r in requirements])]},
        "price_floor": {"floor_ids": [Command.create({"price_min": 0.1})]},
        "discount": {"discount_max": 10.0},
        "terms": {"is_payment_term_agreed": False},
        "credit_order_value": {"credit_order_max": UNREACHED},
        "four_eyes": None,
    }
    found = checks.search([("name", "=like", "Bench %")])
    for kind, _label in checks._fields["kind"]._description_selection(env):
        values = parameters.get(kind, {})
        if values is not None and kind not in found.mapped("kind"):
            found |= checks.create({"name": f"Bench {kind}", "kind": kind, **values})
    return found
