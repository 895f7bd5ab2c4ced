from odoo.tests import tagged

from .common import SaleAdminSupportCommon


@tagged("post_install", "-at_install")
class TestHelpers(SaleAdminSupportCommon):
    def test_helpers(self):
        order = self._create_order(date="2026-01-10 10:00:00")
        contract = self._create_contract(order)
        picking = self._deliver(order, 6, date="2026-02-01 10:00:00")
        self.assertEqual(order.order_line.qty_delivered, 6)
        self._return(picking, 2, date="2026-02-03")
        self.assertEqual(order.order_line.qty_delivered, 4)
        invoice = self._invoice(order, date="2026-02-05")
        self.assertEqual(invoice.amount_total, 1150)
        self._pay(invoice, 1000, date="2026-02-06", write_off=True)
        self.assertEqual(invoice.amount_residual, 0)
        order = self._create_order()
        self._down_payment(order, 30)
        invoice = self._invoice(order)
        self._pay_by_bank(invoice, 100)
        payment = self._prepay(50)
        self._match(payment.move_id, invoice)
        self.assertEqual(invoice.amount_residual, 655)
        refund = self._credit(invoice)
        self.assertEqual(refund.amount_total, 805)
        self.assertTrue(contract.with_user(self.clerk).name)
        sums = self._get_fact_sums(contract_id=contract.id)
        self.assertEqual(sums["delivered"], (6, 600, 690))
        self.assertEqual(sums["returned"], (-2, -200, -230))
        self.assertEqual(sums["invoiced"], (10, 1000, 1150))
        self.assertEqual(sums["collected"][2], 1000)
