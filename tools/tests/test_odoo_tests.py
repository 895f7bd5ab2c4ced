from pathlib import Path

from sas import odoo_tests

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
    failures, count = odoo_tests.parse(REPORT)
    assert count == 3
    assert failures == {
        "sale: test_order.TestOrder.test_bad",
        "sale_stock: test_a.TestA.test_error",
    }


def test_what_failed_can_be_run_again(tmp_path):
    folder = tmp_path / "sale" / "tests"
    folder.mkdir(parents=True)
    ids = odoo_tests._files([Path(folder)], {"sale: test_order.TestOrder.test_bad"})
    assert ids == [f"{folder}/test_order.py::TestOrder::test_bad"]
