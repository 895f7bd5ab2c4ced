from odoo.tests import tagged

from .common import SaleAdminSupportCommon


class SaleAdminGateCommon(SaleAdminSupportCommon):
    """An own rule holds the orders whose customer reference starts with "HOLD"."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sale.admin.check"].search([]).active = False
        cls.check = cls._create_check()

    @classmethod
    def _create_check(cls, **values):
        return cls.env["sale.admin.check"].create(
            {
                "name": "Reference to clear",
                "kind": "domain",
                "rule_domain": "[('client_order_ref', '=like', 'HOLD%')]",
                "active": True,
                "release_group_id": cls.env.ref("sale_admin_support.group_sale_admin_user").id,
                **values,
            }
        )

    @classmethod
    def _create_held(cls, **values):
        order = cls._create_order(client_order_ref="HOLD", **values)
        assert order.release_state == "held", order.release_state
        return order


@tagged("post_install", "-at_install")
class TestSaleOrderGate(SaleAdminGateCommon):
    def test_order_without_finding_is_free_and_starts(self):
        order = self._create_order()
        self.assertRecordValues(order, [{"state": "sale", "release_state": "free"}])
        self.assertEqual(order.picking_ids.move_ids.product_uom_qty, 10.0)
        self.assertFalse(order.hold_ids)

    def test_held_order_is_confirmed_and_starts_nothing(self):
        order = self._create_held()
        self.assertRecordValues(order, [{"state": "sale", "release_state": "held"}])
        self.assertFalse(order.picking_ids)
        self.assertEqual(order.order_line.qty_withheld, 10.0)
        self.assertRecordValues(
            order.hold_ids, [{"check_id": self.check.id, "stage": "handover", "state": "open"}]
        )

    def test_release_starts_what_was_withheld(self):
        order = self._create_held()
        order.hold_ids.with_user(self.clerk).action_release("Cleared by phone")
        self.assertEqual(order.release_state, "released")
        self.assertEqual(order.order_line.qty_withheld, 0.0)
        self.assertEqual(order.picking_ids.move_ids.product_uom_qty, 10.0)
        self.assertRecordValues(
            order.hold_ids,
            [
                {
                    "state": "released",
                    "decided_by_id": self.clerk.id,
                    "note": "Cleared by phone",
                    "amount_approved": order.amount_total,
                }
            ],
        )

    def test_rejected_order_waits_until_it_is_checked_again(self):
        order = self._create_held()
        order.hold_ids.with_user(self.clerk).action_reject("Not our terms")
        self.assertEqual(order.release_state, "rejected")
        self.assertFalse(order.picking_ids)
        order.action_recheck()
        self.assertEqual(order.release_state, "held")
        self.assertEqual(sorted(order.hold_ids.mapped("state")), ["open", "rejected"])

    def test_mended_order_is_freed_at_once(self):
        order = self._create_held()
        order.client_order_ref = "PO 1"
        self.assertEqual(order.release_state, "free")
        self.assertEqual(order.hold_ids.state, "lapsed")
        self.assertEqual(order.picking_ids.move_ids.product_uom_qty, 10.0)
