from sas.context import complaints
from sas.odoo_tests import parse, tag

LOG = """\
2026-01-05 10:00:00,000 12 INFO db odoo.modules.loading: an ERROR in a sentence
2026-01-05 10:00:00,000 12 WARNING db odoo.fields: a label is given twice
Traceback (most recent call last):
2026-01-05 10:00:00,000 12 ERROR ? odoo.addons.base: broken
<string>:3: (ERROR/3) Unexpected indentation.
"""

TESTS = """\
2026-01-05 10:00:00,000 12 ERROR db odoo.addons.sale.tests.test_a: FAIL: TestA.test_one
2026-01-05 10:00:00,000 12 ERROR db odoo.addons.sale.tests.test_a: FAIL: Subtest TestA.test_two (x=1)
2026-01-05 10:00:00,000 12 ERROR db odoo.addons.sale.tests.test_a: FAIL: Subtest TestA.test_two (x=2)
2026-01-05 10:00:00,000 12 ERROR db odoo.addons.sale_stock.tests.test_b: ERROR: setUpClass (odoo.addons.sale_stock.tests.test_b.TestB)
2026-01-05 10:00:00,000 12 ERROR db odoo.tests.result: 3 failed, 1 error(s) of 370 tests when loading database 'db'
"""  # noqa: E501


def test_complaints():
    assert [line.split(": ")[-1] for line in complaints(LOG)] == [
        "a label is given twice",
        "broken",
        "(ERROR/3) Unexpected indentation.",
    ]


def test_results_of_odoos_runner():
    failures, count = parse(TESTS)
    assert count == 370
    assert failures == {
        "sale: TestA.test_one",
        "sale: TestA.test_two",
        "sale_stock: setUpClass (odoo.addons.sale_stock.tests.test_b.TestB)",
    }
    assert {tag(name) for name in failures} == {
        "/sale:TestA.test_one",
        "/sale:TestA.test_two",
        "/sale_stock:TestB",
    }
