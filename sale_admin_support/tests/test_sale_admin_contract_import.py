from odoo.tests import tagged

from .common import SaleAdminSupportCommon

COLUMNS = [
    "title",
    "partner_id",
    "kind",
    "amount_untaxed",
    "amount_total",
    "date_signed",
    "state",
    "milestone_ids/name",
    "milestone_ids/kind",
    "milestone_ids/measure",
    "milestone_ids/target",
    "milestone_ids/date_planned",
]


@tagged("post_install", "-at_install")
class TestContractImport(SaleAdminSupportCommon):
    """What Odoo's own import does with a company's spreadsheet, as administrator."""

    def _load(self, rows):
        return self.env["sale.admin.contract"].with_user(self.clerk).load(COLUMNS, rows)

    def _rows(self, balance="70"):
        customer = self.customer.name
        return [
            [
                *("Chairs", customer, "Framework", "1000", "1150", "2026-01-15", "Active"),
                *("Deposit", "Collection", "Collected", "30", "2026-01-20"),
            ],
            [
                *([""] * 7),
                *("Balance", "Collection", "Collected", balance, "2026-03-20"),
            ],
        ]

    def test_contracts_with_milestones_come_in_running(self):
        result = self._load(self._rows())
        self.assertFalse(result["messages"])
        contract = self.env["sale.admin.contract"].browse(result["ids"])
        self.assertRecordValues(
            contract,
            [
                {
                    "state": "active",
                    "amount_untaxed_baseline": 1000.0,
                    "partner_id": self.customer.id,
                }
            ],
        )
        self.assertRecordValues(
            contract.milestone_ids,
            [
                {"name": "Deposit", "target_to": 345.0},
                {"name": "Balance", "target_to": 1150.0},
            ],
        )
        self.assertTrue(all(contract.milestone_ids.mapped("date_baseline")))

    def test_a_bad_row_is_named_and_nothing_is_half_written(self):
        before = self.env["sale.admin.contract"].search_count([])
        rows = self._rows() + self._rows(balance="60")
        result = self._load(rows)
        self.assertFalse(result["ids"])
        message = result["messages"][0]
        self.assertEqual((message["type"], message["rows"]), ("error", {"from": 2, "to": 3}))
        self.assertIn("%", message["message"])
        self.assertEqual(self.env["sale.admin.contract"].search_count([]), before)
