"""The demonstration data: loads without a word, and shows everything there is to see."""

import json

import pytest
from sas.context import complaints

READ = """
import json

admin = env["res.users"].search([("login", "=", "admin")])
here = env(user=admin)
contracts = here["sale.admin.contract"].search([])
print(json.dumps(%s))
"""


@pytest.fixture(scope="module")
def demo(workshop):
    """The database with the demo data, and what Odoo logged while it was loaded."""
    database = workshop.make_database("demo_data", demo=True)
    log = workshop.odoo(
        "-d", database, "-i", "sale_admin_support", "--with-demo", "--stop-after-init"
    )
    return database, log


@pytest.fixture
def read(demo, workshop):
    """read(expression) -> its value in the demo, for the administrator."""

    def evaluate(expression):
        return json.loads(workshop.shell(demo[0], READ % expression).splitlines()[-1])

    return evaluate


def test_loads_quietly(demo):
    _database, log = demo
    assert not complaints(log)


def test_every_queue_has_work(read):
    counters = read("here['sale.admin.queue'].get_counters()")
    assert counters
    assert not [c["name"] for c in counters if c["error"] or not c["count"]]


def test_every_status_and_state_occurs(read):
    statuses = read("sorted(set(contracts.milestone_ids.mapped('status')))")
    assert statuses == ["due", "late", "planned", "reached", "reached_late", "waived"]
    states = read("sorted(set(contracts.mapped('state')))")
    assert states == [
        "active",
        "cancelled",
        "done",
        "draft",
        "suspended",
        "terminated",
        "to_sign",
    ]


def test_orders_of_every_state(read):
    states = read(
        "sorted({(o.state, o.delivery_status or '') for o in contracts.order_ids"
        " | here['sale.order'].search([('partner_id.email', '=like', 'office@%')])})"
    )
    assert ["draft", ""] in states
    assert ["sent", ""] in states
    assert ["sale", "full"] in states
    assert ["sale", "partial"] in states
    assert ["cancel", ""] in states


def test_history_lies_in_the_past(read):
    """Facts are dated on the days of their documents, over most of a year."""
    months = read(
        "[[kind, months] for kind, months in here['sale.admin.fact']._read_group("
        "[('contract_id', 'in', contracts.ids)], ['kind'], ['date:array_agg'])"
        " for months in [len({d.strftime('%Y-%m') for d in months if d})]]"
    )
    by_kind = dict(map(tuple, months))
    assert min(by_kind[kind] for kind in ("ordered", "delivered", "invoiced", "collected")) >= 9
    assert by_kind["returned"] == by_kind["credited"] == 1
