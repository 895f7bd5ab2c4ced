"""Removing the app leaves Odoo's sales, stock and invoicing working, and nothing of the app."""

import pytest

UNINSTALL = """
env["ir.module.module"].search([("name", "=", "sale_admin_support")]).button_immediate_uninstall()
env.cr.commit()
"""

SELL = """
partner = env["res.partner"].create({"name": "After"})
product = env["product.product"].create(
    {"name": "Thing", "type": "consu", "list_price": 100.0, "invoice_policy": "delivery"}
)
order = env["sale.order"].create(
    {"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id})]}
)
order.action_confirm()
picking = order.picking_ids
picking.move_ids.quantity = 1
picking.button_validate()
assert order.order_line.qty_delivered == 1, "not delivered"
invoice = order._create_invoices()
invoice.action_post()
env["account.payment.register"].with_context(
    active_model="account.move", active_ids=invoice.ids
).create({})._create_payments()
print(order.state, picking.state, invoice.state, invoice.payment_state)
env.cr.commit()
"""

# Where something of the app could stay behind; each query must find nothing.
LEFTOVERS = {
    "records that belonged to it": (
        "SELECT model, name FROM ir_model_data WHERE module = 'sale_admin_support'"
    ),
    "views": (
        "SELECT id, name FROM ir_ui_view WHERE arch_db::text LIKE '%sale_admin%' "
        "OR arch_db::text LIKE '%sale.admin%' OR arch_db::text LIKE '%sale_contract_id%'"
    ),
    "fields": (
        "SELECT model, name FROM ir_model_fields WHERE name LIKE 'sale_admin%' "
        "OR name LIKE 'sale_contract%' OR model LIKE 'sale.admin.%' OR relation LIKE 'sale.admin.%'"
    ),
    "models": "SELECT model FROM ir_model WHERE model LIKE 'sale.admin.%'",
    "menus": (
        "SELECT id, name FROM ir_ui_menu "
        "WHERE name->>'en_US' IN ('Sales Administration', 'Workbench')"
    ),
    "actions": (
        "SELECT id, name FROM ir_act_window WHERE res_model LIKE 'sale.admin.%' "
        "UNION ALL SELECT id, name FROM ir_act_client WHERE tag LIKE 'sale_admin%' "
        "UNION ALL SELECT id, name FROM ir_act_report_xml WHERE model LIKE 'sale.admin.%'"
    ),
    "jobs": "SELECT id, cron_name FROM ir_cron WHERE cron_name ILIKE '%sales administration%'",
    "mail templates": "SELECT id, model FROM mail_template WHERE model LIKE 'sale.admin.%'",
    "groups": (
        "SELECT id, name FROM res_groups_privilege "
        "WHERE name->>'en_US' LIKE 'Sales Administration%'"
    ),
    "tables": "SELECT relname FROM pg_class WHERE relname LIKE 'sale_admin%'",
    "columns": (
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' "
        "AND (column_name LIKE 'sale_admin%' OR column_name LIKE 'sale_contract%')"
    ),
    "activities": "SELECT id FROM mail_activity WHERE res_model LIKE 'sale.admin.%'",
    "files": "SELECT id, name FROM ir_attachment WHERE res_model LIKE 'sale.admin.%'",
    "functions": "SELECT proname FROM pg_proc WHERE proname LIKE 'sale_admin%'",
}


@pytest.fixture(scope="module")
def uninstalled(workshop):
    """A database that had the app with its demo data, and the log of its removal."""
    database = workshop.make_database("uninstall", demo=True, installed=True)
    log = workshop.odoo(
        *("shell", "-d", database, "--log-level=info"), stdin=f"exec({UNINSTALL!r})\n\n"
    )
    yield database, log
    workshop.drop_all()


def test_uninstalling_is_silent(uninstalled, assert_quiet):
    _database, log = uninstalled
    assert_quiet(log)


def test_nothing_stays_behind(uninstalled, workshop):
    database, _log = uninstalled
    [[state]] = workshop.sql(
        database, "SELECT state FROM ir_module_module WHERE name = 'sale_admin_support'"
    )
    assert state == "uninstalled"
    left = {
        what: rows for what, query in LEFTOVERS.items() if (rows := workshop.sql(database, query))
    }
    assert not left


def test_an_order_is_sold_delivered_invoiced_and_paid(uninstalled, workshop):
    database, _log = uninstalled
    assert workshop.shell(database, SELL).split()[-4:] == ["sale", "done", "posted", "paid"]


def test_what_remains_updates_silently(uninstalled, workshop, assert_quiet):
    database, _log = uninstalled
    assert_quiet(workshop.odoo("-d", database, "-u", "sale_stock", "--stop-after-init"))


def test_installing_again_is_silent(make_database, run_odoo, assert_quiet):
    database = make_database("again", installed=True)
    run_odoo("shell", "-d", database, stdin=f"exec({UNINSTALL!r})\n\n")
    assert_quiet(run_odoo("-d", database, "-i", "sale_admin_support", "--stop-after-init"))
