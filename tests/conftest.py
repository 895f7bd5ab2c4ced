"""Black-box tests: Odoo is driven from outside, on databases of their own.

`shop` offers it all (see tools/sas/workshop.py); the other fixtures are short names for its parts.
"""

import pytest
from sas.context import complaints
from sas.workshop import Workshop


@pytest.fixture(scope="session")
def workshop():
    with Workshop.open() as opened:
        yield opened


@pytest.fixture
def shop(workshop):
    """The workshop; databases made through it are dropped after the test."""
    yield workshop
    workshop.drop_all()


@pytest.fixture
def make_database(shop):
    """make_database(name, demo=False, installed=False) -> the database's name on the server."""
    return shop.make_database


@pytest.fixture
def run_odoo(shop):
    """run_odoo(*arguments, fails=False) -> Odoo's log."""
    return shop.odoo


@pytest.fixture
def odoo_shell(shop):
    """odoo_shell(database, code) -> what the code prints."""
    return shop.shell


@pytest.fixture
def sql(shop):
    """sql(database, query) -> rows as lists of strings."""
    return shop.sql


@pytest.fixture
def assert_quiet():
    """assert_quiet(log): Odoo logged no warning and no error."""

    def check(log):
        found = complaints(log)
        assert not found, "\n".join(found)

    return check
