"""Orders that Odoo knew before the app came, and those that are held when it goes."""

SELL = """
partner = env["res.partner"].create({"name": "Before"})
product = env["product.product"].create({"name": "Thing", "type": "consu", "list_price": 100.0})
orders = env["sale.order"].create([
    {"partner_id": partner.id, "client_order_ref": ref,
     "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 10})]}
    for ref in ("confirmed", "quotation")
])
orders[0].action_confirm()
env.cr.commit()
"""

LOOK_BACK = """
SELECT client_order_ref, release_state, judged_at = date_order
  FROM sale_order WHERE client_order_ref IN ('confirmed', 'quotation') ORDER BY 1
"""

GROW = """
env["sale.admin.check"].create({
    "name": "All", "kind": "domain", "rule_domain": "[('id', '>', 0)]", "active": True,
})
order = env["sale.order"].search([("client_order_ref", "=", "confirmed")])
order.order_line.product_uom_qty = 15
print(order.release_state, order.order_line.qty_withheld,
      sum(order.picking_ids.move_ids.mapped("product_uom_qty")))
"""

HOLD = """
for stage in ("handover", "ship"):
    env["sale.admin.check"].create({
        "name": stage, "kind": "domain", "active": True, "stage": stage,
        "rule_domain": "[('client_order_ref', '=', '%s')]" % stage,
    })
partner = env["res.partner"].create({"name": "Customer"})
product = env["product.product"].create({"name": "Thing", "type": "consu", "list_price": 100.0})
orders = env["sale.order"].create([
    {"partner_id": partner.id, "client_order_ref": ref,
     "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 10})]}
    for ref in ("handover", "ship")
])
orders.action_confirm()
print(*orders.mapped("release_state"))
env.cr.commit()
"""

REMOVE = """
env["ir.module.module"].search([("name", "=", "sale_admin_support")]).button_immediate_uninstall()
env.cr.commit()
"""

GO_ON = """
orders = env["sale.order"].search([("client_order_ref", "in", ("handover", "ship"))])
orders.order_line.write({"product_uom_qty": 11})
pickings = orders.picking_ids
for picking in pickings:
    for move in picking.move_ids:
        move.quantity = move.product_uom_qty
    picking.move_ids.picked = True
    picking.button_validate()
print(*orders.mapped("state"), *orders.order_line.mapped("qty_delivered"))
"""


def test_orders_before_the_installation_count_as_judged(
    make_database, run_odoo, odoo_shell, sql, assert_quiet
):
    database = make_database("gate_install")
    odoo_shell(database, SELL)
    assert_quiet(run_odoo("-d", database, "-i", "sale_admin_support", "--stop-after-init"))
    assert [row[1] for row in sql(database, LOOK_BACK)] == ["free", "free"]
    assert [row[2] in ("t", "True", True) for row in sql(database, LOOK_BACK)] == [True, False]
    assert odoo_shell(database, GROW).split()[-3:] == ["held", "5.0", "10.0"]


def test_orders_before_the_update_count_as_judged(
    make_database, run_odoo, odoo_shell, sql, assert_quiet
):
    database = make_database("gate_update", installed=True)
    odoo_shell(database, SELL)
    sql(
        database,
        "ALTER TABLE sale_order DROP COLUMN judged_at, DROP COLUMN release_state,"
        " DROP COLUMN changed_by_id",
    )
    assert_quiet(run_odoo("-d", database, "-u", "sale_admin_support", "--stop-after-init"))
    assert [row[2] in ("t", "True", True) for row in sql(database, LOOK_BACK)] == [True, False]
    assert odoo_shell(database, GROW).split()[-3:] == ["held", "5.0", "10.0"]


def test_held_orders_are_ordinary_ones_when_the_app_is_removed(make_database, run_odoo, odoo_shell):
    database = make_database("gate_remove", installed=True)
    assert odoo_shell(database, HOLD).split()[-2:] == ["held", "held"]
    run_odoo("shell", "-d", database, stdin=f"exec({REMOVE!r})\n\n")
    assert odoo_shell(database, GO_ON).split()[-4:] == ["sale", "sale", "11.0", "11.0"]
