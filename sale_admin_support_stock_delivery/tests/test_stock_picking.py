from odoo.tests import tagged

from odoo.addons.sale_admin_support.tests.common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestCarrier(SaleAdminSupportCommon):
    def test_carriers_tracking_reference_is_shown(self):
        self.company.sale_admin_tracking_expected = True
        order = self._create_order(2)
        picking = self._deliver(order)
        untracked = [("id", "=", picking.id), ("is_shipment_untracked", "=", True)]
        self.assertTrue(picking.search(untracked))
        carrier = self.env["delivery.carrier"].create(
            {
                "name": "Euro Cargo",
                "product_id": self.service.id,
                "company_id": self.company.id,
            }
        )
        picking.write({"carrier_id": carrier.id, "carrier_tracking_ref": "EC 1"})
        self.assertFalse(picking.search(untracked))
        order.invalidate_recordset()
        self.assertEqual(order.shipment_info, "Euro Cargo EC 1")
        row = self.env["sale.admin.shipment"].search([("order_id", "=", order.id)])
        self.assertEqual((row.carrier, row.tracking), ("Euro Cargo", "EC 1"))
