from pathlib import Path

from sas import odoo_tests
from sas.testing import parse_report

REPORT = """\
<testsuites><testsuite name="pytest">
<testcase classname="x.odoo.addons.sale.tests.test_order.TestOrder" name="test_good"/>
<testcase classname="x.odoo.addons.sale.tests.test_order.TestOrder" name="test_bad">
<failure/></testcase>
<testcase classname="x.odoo.addons.sale_stock.tests.test_a.TestA" name="test_error">
<error/></testcase>
<testcase classname="x.odoo.addons.sale_stock.tests.test_a.TestA" name="test_left_out">
<skipped/></testcase>
</testsuite></testsuites>
"""


def test_a_report_is_read():
    results = parse_report(REPORT)
    assert (results.count, results.skipped) == (3, 1)
    assert {odoo_tests.name(path) for path in results.failed} == {
        "sale: test_order.TestOrder.test_bad",
        "sale_stock: test_a.TestA.test_error",
    }
    assert str(results) == "3 tests, 2 failed, 1 skipped, in 0.0 s"


def test_what_failed_can_be_run_again(tmp_path):
    folder = tmp_path / "sale" / "tests"
    folder.mkdir(parents=True)
    ids = odoo_tests._files([Path(folder)], {"sale: test_order.TestOrder.test_bad"})
    assert ids == [f"{folder}/test_order.py::TestOrder::test_bad"]
