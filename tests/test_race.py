"""Many people at once, and a process that dies: no order starts past a limit, or by half.

One customer's limit is enough for ten orders of 300. A server of sixteen processes answers calls
that arrive at the same time; nobody may get an error. What had no turn in the crowd waits for the
job.
"""

import json
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from sas.demo import free_port
from sas.paths import LOGS, ensure, local

PROCESSES = 16
PRICE = 300
LIMIT = 10 * PRICE
HELD, FREE = ("held",), ("free", "released")
# What somebody is told who may not, or comes too late: a sentence, no error page.
REFUSALS = ("odoo.exceptions.UserError", "odoo.exceptions.AccessError")

PREPARE = """
from odoo import Command
def user(login, *groups):
    env['res.users'].create({
        'login': login, 'password': login, 'name': login,
        'group_ids': [Command.set([env.ref(group).id for group in groups])],
    })
user('seller', 'sales_team.group_sale_salesman_all_leads', 'stock.group_stock_user',
     'sale_admin_support.group_sale_admin_user')
user('controller', 'sales_team.group_sale_salesman_all_leads', 'stock.group_stock_user',
     'base.group_system', 'sale_admin_support.group_sale_admin_manager',
     'sale_admin_support.group_sale_admin_credit')
env['sale.admin.check'].create({
    'name': 'Limit', 'kind': 'credit_limit', 'active': True,
    'release_group_id': env.ref('sale_admin_support.group_sale_admin_credit').id,
})
product = env['product.product'].create(
    {'name': 'Prize', 'type': 'consu', 'list_price': 1.0, 'taxes_id': [Command.clear()]}
)
env.cr.commit()
"""


class Office:
    """The company's server, and what its people do there."""

    def __init__(self, database, url):
        self.database, self.url = database, url
        self.numbers = count(1)
        self.users = {
            login: self.ask("common", "login", database, login, login)
            for login in ("seller", "controller")
        }
        [self.product] = self.call("product.product", "search", [["name", "=", "Prize"]])

    def ask(self, service, method, *arguments):
        body = {"service": service, "method": method, "args": arguments}
        request = urllib.request.Request(
            f"{self.url}/jsonrpc",
            json.dumps({"jsonrpc": "2.0", "method": "call", "params": body}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=300) as response:
            answer = json.load(response)
        if "error" in answer:
            raise Fault(answer["error"]["data"])
        return answer["result"]

    def call(self, model, method, *arguments, login="controller"):
        return self.ask(
            *("object", "execute_kw", self.database, self.users[login], login),
            *(model, method, list(arguments)),
        )

    def at_once(self, calls):
        """Make the calls (tuples of model, method, arguments), sixteen at a time.

        :return: how many of them were refused by a sentence; anything else is an error here
        """
        barrier = Barrier(min(PROCESSES, len(calls)))

        def work(number, call):
            if number < barrier.parties:
                barrier.wait()
            try:
                self.call(*call)
            except Fault as fault:
                if fault.name not in REFUSALS:
                    raise
                return 1
            return 0

        with ThreadPoolExecutor(barrier.parties) as pool:
            return sum(pool.map(work, range(len(calls)), calls))

    # === WHAT THERE IS TO WORK WITH === #
    def make_customer(self, limit=LIMIT):
        """A customer with a policy of their own: an id of each."""
        name = f"Customer {next(self.numbers)}"
        policy = self.call(
            "sale.admin.credit.policy", "create", {"name": name, "mode": "limit", "amount": limit}
        )
        values = {"name": name, "is_company": True, "credit_policy_id": policy}
        return self.call("res.partner", "create", values), policy

    def make_orders(self, customer, values, confirmed=False):
        """Quotations of these values, entered by the seller."""
        orders = self.call(
            *("sale.order", "create"),
            [
                {
                    "partner_id": customer,
                    "order_line": [(0, 0, {"product_id": self.product, "product_uom_qty": value})],
                }
                for value in values
            ],
            login="seller",
        )
        if confirmed:
            self.call("sale.order", "action_confirm", orders, login="seller")
        return orders

    def work_off(self):
        """Run the job that judges again what waits for its turn."""
        [cron] = self.call("ir.cron", "search", [["code", "like", "_cron_recheck"]])
        self.call("ir.cron", "method_direct_trigger", [cron])

    def get_holds(self, orders):
        return self.call(
            "sale.admin.hold", "search", [["order_id", "in", orders], ["state", "=", "open"]]
        )

    # === WHAT HAPPENED === #
    def get_started(self, orders):
        """What has started of each order: all of it but what is withheld, neither less nor more.

        :return: ``{order id: value}``, also of the orders that are not confirmed
        """
        lines = self.call(
            *("sale.order.line", "search_read", [["order_id", "in", orders]]),
            ["order_id", "state", "product_uom_qty", "qty_withheld"],
        )
        moves = self.call(
            *("stock.move", "search_read"),
            [["sale_line_id.order_id", "in", orders], ["state", "!=", "cancel"]],
            ["sale_line_id", "product_uom_qty"],
        )
        started = dict.fromkeys(orders, 0)
        for line in lines:
            is_sold = line["state"] == "sale"
            expected = line["product_uom_qty"] - line["qty_withheld"] if is_sold else 0
            found = [move for move in moves if move["sale_line_id"][0] == line["id"]]
            assert sum(move["product_uom_qty"] for move in found) == expected, (line, found)
            started[line["order_id"][0]] += expected
        return started

    def get_orders(self, orders, states):
        """Those of the orders in one of the release states; each started whole or not at all."""
        started = self.get_started(orders)
        rows = self.call("sale.order", "read", orders, ["release_state", "amount_total"])
        for row in rows:
            expected = row["amount_total"] if row["release_state"] in FREE else 0
            assert started[row["id"]] == expected, row
        return [row["id"] for row in rows if row["release_state"] in states]

    def assert_counts(self, orders, free):
        """So many of the orders are free, at once or after the job, and all others are held."""
        assert len(self.get_orders(orders, FREE)) <= free
        self.work_off()
        assert len(self.get_orders(orders, FREE)) == free
        assert len(self.get_orders(orders, HELD)) == len(orders) - free

    def get_exposure(self, customer):
        [row] = self.call("res.partner", "read", [customer], ["credit_exposure"])
        return row["credit_exposure"]


class Fault(Exception):
    """What Odoo answers instead of a result."""

    def __init__(self, data):
        super().__init__(data["debug"])
        self.name = data["name"]


@pytest.fixture(scope="module")
def place(workshop):
    """A database with a check of the credit limit, a seller and a credit controller."""
    database = workshop.make_database("race", installed=True)
    workshop.shell(database, PREPARE)
    yield database
    workshop.drop_database("race")


@pytest.fixture(scope="module")
def office(workshop, place):
    # what Odoo's server for the browser's live updates listens on is nobody's here
    ports = ("--gevent-port", free_port())
    with workshop.serve(place, "--workers", PROCESSES, *ports) as url:
        yield Office(place, url)


def confirmations(orders):
    return [("sale.order", "action_confirm", [order]) for order in orders]


def test_ten_of_fifty_orders_pass_when_sixteen_confirm_at_once(office):
    customer, _policy = office.make_customer()
    orders = office.make_orders(customer, [PRICE] * 50)
    assert not office.at_once(confirmations(orders))
    office.assert_counts(orders, free=10)
    assert office.get_exposure(customer) == LIMIT


def test_ten_of_a_hundred_orders_pass_in_one_call(office):
    customer, _policy = office.make_customer()
    orders = office.make_orders(customer, [PRICE] * 100, confirmed=True)
    assert len(office.get_orders(orders, FREE)) == 10
    assert len(office.get_orders(orders, HELD)) == 90
    assert office.get_exposure(customer) == LIMIT


def test_a_hold_is_released_once_when_sixteen_release_it(office):
    """Whoever comes second is told so; the work starts once."""
    customer, _policy = office.make_customer(limit=1)
    orders = office.make_orders(customer, [PRICE] * 4, confirmed=True)
    holds = office.get_holds(orders)
    assert len(holds) == 4
    calls = [("sale.admin.hold", "action_release", [hold], "Agreed") for hold in holds * 4]
    assert office.at_once(calls) == 12
    assert office.get_orders(orders, FREE) == orders
    assert office.get_exposure(customer) == 4 * PRICE


def test_ten_of_twenty_raised_quantities_pass_at_once(office):
    """Twenty orders of 100 are raised to 200; the limit is enough for ten of them."""
    customer, _policy = office.make_customer()
    orders = office.make_orders(customer, [100] * 20, confirmed=True)
    assert office.get_orders(orders, FREE) == orders
    lines = office.call("sale.order.line", "search", [["order_id", "in", orders]])
    assert not office.at_once(
        [("sale.order.line", "write", [line], {"product_uom_qty": 200}) for line in lines]
    )
    office.work_off()
    assert sorted(office.get_started(orders).values()) == [100] * 10 + [200] * 10
    assert office.get_exposure(customer) == LIMIT


def test_everything_at_once_stays_within_the_limit(office):
    """Orders are confirmed, raised, closed, reopened and released while the limit is lowered."""
    customer, policy = office.make_customer()
    reopened = office.make_orders(customer, [PRICE] * 5, confirmed=True)
    raised = office.make_orders(customer, [100] * 5, confirmed=True)
    granted = office.make_orders(customer, [LIMIT * 2] * 3, confirmed=True)
    new = office.make_orders(customer, [PRICE] * 12)
    holds = office.get_holds(granted)
    assert len(holds) == 3
    lines = office.call("sale.order.line", "search", [["order_id", "in", raised]])
    calls = [
        *confirmations(new[:6]),
        *[("sale.order", "action_cancel", [order]) for order in reopened],
        *[("sale.order.line", "write", [line], {"product_uom_qty": PRICE}) for line in lines],
        ("sale.admin.credit.policy", "write", [policy], {"amount": LIMIT - PRICE}),
        *confirmations(new[6:]),
    ]
    assert not office.at_once(calls)
    others = [*reopened, *raised, *new]
    assert sum(office.get_started(others).values()) <= LIMIT
    office.call("sale.order", "action_draft", reopened)
    calls = [
        *confirmations(reopened),
        *[("sale.order", "action_recheck", [order]) for order in new],
        *[("sale.admin.hold", "action_release", [hold], "Agreed") for hold in holds],
    ]
    # a controller in the crowd may be asked to try again in a moment
    refused = office.at_once(calls)
    left = office.get_holds(granted)
    assert len(left) == refused
    if left:
        office.call("sale.admin.hold", "action_release", left, "Agreed")
    office.work_off()
    assert sum(office.get_started(others).values()) <= LIMIT
    assert office.get_started(granted) == dict.fromkeys(granted, LIMIT * 2)
    assert office.get_exposure(customer) == sum(office.get_started([*others, *granted]).values())


# === A PROCESS THAT DIES === #
DIE = """
import os, signal
from odoo.addons.stock.models.stock_rule import StockRule
run, started = StockRule.run, []
def run_and_die(self, procurements, *arguments, **options):
    result = run(self, procurements, *arguments, **options)
    started.extend(procurements)
    if len(started) >= {number}:
        self.env.flush_all()
        os.kill(os.getpid(), signal.SIGKILL)
    return result
StockRule.run = run_and_die
env = env(user=env['res.users'].search([('login', '=', 'controller')]))
{work}
env.cr.commit()
"""


def run_and_die(workshop, database, number, work):
    """Do the work in a process that is killed when so many lines have started, uncommitted."""
    command = workshop.context.odoo_command("shell", "-d", database, "--no-http")
    with open(ensure(LOGS) / "outside-killed.log", "w") as log:
        done = subprocess.run(
            command,
            input=DIE.format(number=number, work=work),
            env=workshop.environment,
            cwd=local("run"),
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
    assert done.returncode == -9, "the process was to be killed in the midst of its work"


def test_a_killed_release_leaves_nothing_behind(workshop, place, office):
    customer, _policy = office.make_customer(limit=1)
    orders = office.make_orders(customer, [PRICE] * 10, confirmed=True)
    holds = office.get_holds(orders)
    work = f"env['sale.admin.hold'].browse({holds}).action_release('Agreed')"
    run_and_die(workshop, place, 1, work)
    assert office.get_orders(orders, HELD) == orders
    assert office.get_holds(orders) == holds
    office.call("sale.admin.hold", "action_release", holds, "Agreed")
    assert office.get_orders(orders, FREE) == orders


def test_the_job_goes_on_where_a_killed_one_ended(workshop, place, office):
    customer, policy = office.make_customer(limit=1)
    orders = office.make_orders(customer, [PRICE] * 8, confirmed=True)
    assert office.get_orders(orders, HELD) == orders
    office.call("sale.admin.credit.policy", "write", [policy], {"amount": 6 * PRICE})
    run_and_die(workshop, place, 4, "env['sale.admin.hold']._cron_recheck()")
    assert 0 < len(office.get_orders(orders, FREE)) < 6
    office.assert_counts(orders, free=6)
    assert office.get_orders(orders, FREE) == orders[:6]
