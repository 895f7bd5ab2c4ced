"""Updating the app keeps what people have entered and arranged."""

PREPARE = """
queue = env.ref("sale_admin_support.sale_admin_queue_contract_to_sign")
queue.copy({"name": "Mine"})
queue.active = False
contract = env["sale.admin.contract"].create({
    "title": "Kept",
    "partner_id": env["res.partner"].create({"name": "Kept customer"}).id,
    "amount_untaxed": 1234.0,
    "amount_total": 1400.0,
    "milestone_ids": [(0, 0, {"name": "Acceptance", "measure": "manual",
                              "date_planned": "2030-01-31"})],
})
env.company.sale_admin_renewal_days = 33
env.cr.commit()
"""

LOOK = """
contract = env["sale.admin.contract"].search([("title", "=", "Kept")])
print(contract.name, contract.state, contract.amount_untaxed, contract.amount_total,
      contract.milestone_ids.mapped("name"), contract.milestone_ids.date_planned,
      env.company.sale_admin_renewal_days,
      env.ref("sale_admin_support.sale_admin_queue_contract_to_sign").active,
      env["sale.admin.queue"].search_count([("name", "=", "Mine")]))
"""


def test_update_keeps_data(make_database, run_odoo, odoo_shell, sql, assert_quiet):
    database = make_database("upgrade", installed=True)
    odoo_shell(database, PREPARE)
    before = odoo_shell(database, LOOK)
    assert "1234.0" in before and "Acceptance" in before and before.endswith("33 False 1")
    tables = "SELECT relname FROM pg_class WHERE relname LIKE 'sale_admin%' ORDER BY 1"
    before_tables = sql(database, tables)

    assert_quiet(run_odoo("-d", database, "-u", "sale_admin_support", "--stop-after-init"))

    assert odoo_shell(database, LOOK) == before
    assert sql(database, tables) == before_tables


def test_definition_of_a_shipped_queue_comes_back(make_database, run_odoo, odoo_shell):
    database = make_database("upgrade_queue", installed=True)
    find = "queue = env.ref('sale_admin_support.sale_admin_queue_contract_to_sign')\n"
    odoo_shell(database, find + "queue.domain = '[(0, \"=\", 1)]'; env.cr.commit()")
    run_odoo("-d", database, "-u", "sale_admin_support", "--stop-after-init")
    assert odoo_shell(database, find + "print(queue.domain)") == "[('state', '=', 'to_sign')]"
