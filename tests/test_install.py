"""Installing and updating the app is silent, with and without demo data."""

import pytest

INSTALL = ("-i", "sale_admin_support", "--stop-after-init")
UPDATE = ("-u", "sale_admin_support", "--stop-after-init")


@pytest.mark.parametrize("demo", [False, True], ids=["bare", "demo"])
def test_install_and_update_are_silent(demo, make_database, run_odoo, sql, assert_quiet):
    database = make_database("install", demo=demo)
    # A database made without demo data stays so; Odoo asks for it at every installation.
    options = ("--with-demo",) if demo else ()
    assert_quiet(run_odoo("-d", database, *INSTALL, *options))
    [[contracts]] = sql(database, "SELECT count(*) FROM sale_admin_contract")
    assert (int(contracts) > 0) == demo
    assert_quiet(run_odoo("-d", database, *UPDATE))
    assert sql(database, "SELECT count(*) FROM sale_admin_contract") == [[contracts]]


def test_every_queue_can_be_counted(make_database, odoo_shell):
    database = make_database("queues", demo=True, installed=True)
    output = odoo_shell(
        database,
        "for counter in env['sale.admin.queue'].get_counters():\n"
        "    if counter['error']: print(counter['name'], counter['error'])\n"
        "    action = env['sale.admin.queue'].browse(counter['id']).action_open()\n"
        "    found = env[action['res_model']].search_count(action['domain'])\n"
        "    if found != counter['count']: print(counter['name'], found, counter['count'])\n",
    )
    assert not output
