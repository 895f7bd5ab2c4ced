"""What the people of the demo company do, each thing on its day in the past.

Documents are made by Odoo's own methods and then put on their day, so that facts, milestones and
statistics come from the same rows as in a company's daily work.
"""

import base64
import io
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from reportlab.pdfgen.canvas import Canvas

from odoo import Command
from odoo.tools import SQL

QUIET = {
    "mail_auto_subscribe_no_notify": True,
    "mail_create_nosubscribe": True,
    "skip_sms": True,
    "skip_backorder": True,
}


class Office:
    def __init__(self, env):
        self.company = env.ref("base.main_company")
        self.env = env(
            user=env.ref("sale_admin_support.demo_user_ana"),
            su=True,
            context={
                **env.context,
                **QUIET,
                "allowed_company_ids": self.company.ids,
                "lang": "en_US",
            },
        )
        self.company = self.company.with_env(self.env)
        self.today = self.company._sale_admin_today()
        self.products = {}

    # === WHO, WHAT, WHEN === #
    def ref(self, name):
        return self.env.ref(f"sale_admin_support.demo_{name}")

    def user(self, login):
        return self.ref(f"user_{login}")

    def product(self, name):
        if name not in self.products:
            self.products[name] = self.ref(f"product_{name}")
        return self.products[name]

    def day(self, days):
        return self.today + timedelta(days=days)

    def moment(self, days, hour=12):
        return datetime.combine(self.day(days), time(hour))

    @contextmanager
    def on(self, days):
        """What is noted in the chatter meanwhile was noted on that day."""
        if self.env.context.get("tracking_disable"):
            yield
            return
        last = self._get_last_message_id()
        yield
        self.env.cr.precommit.run()  # where changes of tracked fields are noted
        self.env.cr.execute(
            "UPDATE mail_message SET date = %s WHERE id > %s", [self.moment(days), last]
        )
        self.env["mail.message"].invalidate_model(["date"])

    def put_on_day(self, record, days):
        """Let the record look as if it was created on that day."""
        record.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET create_date = %s WHERE id = %s",
                SQL.identifier(record._table),
                self.moment(days),
                record.id,
            )
        )
        record.invalidate_recordset(["create_date"])
        return record

    def _get_last_message_id(self):
        self.env.cr.execute("SELECT coalesce(max(id), 0) FROM mail_message")
        return self.env.cr.fetchone()[0]

    # === BEFORE THE FIRST ORDER === #
    def open_books(self):
        """Have accounts, taxes and stock to work with, whatever the database came with."""
        if not self.company.chart_template:
            self.env["account.chart.template"]._load("generic_coa", self.company, False)
        self.company.stock_text_confirmation = False  # nobody is asked about text messages
        names = ("erector", "sealer", "bagger", "checkweigher", "wrapper", "labeller", "conveyor")
        stock = {**dict.fromkeys(names, 60), "spares": 400, "film": 9000, "tape": 2500}
        goods = self.env["product.product"].union(*map(self.product, stock))
        (goods | self.product("installation")).taxes_id = self.company.account_sale_tax_id
        location = (
            self.env["stock.warehouse"]
            .search([("company_id", "=", self.company.id)], limit=1)
            .lot_stock_id
        )
        quants = self.env["stock.quant"].with_context(inventory_mode=True)
        counted = quants.create(
            [
                {
                    "product_id": self.product(name).id,
                    "location_id": location.id,
                    "inventory_quantity": quantity,
                }
                for name, quantity in stock.items()
            ]
        )
        counted.action_apply_inventory()
        moves = self.env["stock.move"].search(
            [("product_id", "in", goods.ids), ("is_inventory", "=", True)]
        )
        moves.date = self.moment(-400)

    def set_euro_rates(self, months=14):
        """One rate a month, moving a little."""
        euro = self.env.ref("base.EUR")
        if euro == self.company.currency_id:
            return
        rates = self.env["res.currency.rate"]
        rates.search([("currency_id", "=", euro.id), ("company_id", "=", self.company.id)]).unlink()
        rates.create(
            [
                {
                    "currency_id": euro.id,
                    "company_id": self.company.id,
                    "name": self.day(-30 * month),
                    "rate": 0.92 + 0.005 * (month % 5 - 2),
                }
                for month in range(months)
            ]
        )

    # === ORDERS AND CONTRACTS === #
    def quote(self, customer, lines, days, promised=None, euro=False, **values):
        """A quotation of `lines`: product, quantity and, where it is not the list's, the price."""
        with self.on(days):
            return self.env["sale.order"].create(
                self._prepare_order(customer, lines, days, promised, euro, values)
            )

    def quote_from(self, template, *args, **kwargs):
        """A quotation whose confirmation opens a contract with the schedule of `template`."""
        return self.quote(
            *args, sale_order_template_id=self.ref(f"quotation_{template}").id, **kwargs
        )

    def _prepare_order(self, customer, lines, days, promised, euro, values):
        partner = self.ref(f"customer_{customer}")
        vals = {
            "partner_id": partner.id,
            "user_id": partner.user_id.id,
            "date_order": self.moment(days),
            "payment_term_id": self.env.ref("account.account_payment_term_30days").id,
            "commitment_date": self.moment(promised) if promised is not None else False,
            "order_line": [Command.create(self._prepare_line(*line, euro=euro)) for line in lines],
            **values,
        }
        if euro:
            vals["pricelist_id"] = self.ref("pricelist_euro").id
        return vals

    def _prepare_line(self, name, quantity, price=None, euro=False):
        product = self.product(name)
        if price is None:
            price = product.list_price * (0.95 if euro else 1)
        return {
            "product_id": product.id,
            "product_uom_qty": quantity,
            "price_unit": round(price, 2),
        }

    def confirm(self, orders, days):
        with self.on(days):
            orders.with_context(ir_sequence_date=self.day(days)).action_confirm()
            orders.date_order = self.moment(days)
        return orders

    def open_contract(self, order, days, **values):
        """The order's contract, as a draft."""
        with self.on(days):
            contract = order.sale_contract_id
            if not contract:
                model = self.env["sale.admin.contract"].with_context(
                    ir_sequence_date=self.day(days)
                )
                contract = model._open_from_orders(order).with_env(self.env)
            contract.with_context(tracking_disable=True).write(
                {"date_start": self.day(days), "admin_id": self.user("ana").id, **values}
            )
            return self.put_on_day(contract, days)

    def agree(self, customer, kind, lines, days, euro=False, **values):
        """A contract that no order opened: a framework or a distribution agreement."""
        with self.on(days):
            partner = self.ref(f"customer_{customer}")
            contract = (
                self.env["sale.admin.contract"]
                .with_context(ir_sequence_date=self.day(days))
                .create(
                    {
                        "partner_id": partner.id,
                        "company_id": self.company.id,
                        "currency_id": (
                            self.env.ref("base.EUR") if euro else self.company.currency_id
                        ).id,
                        "kind": kind,
                        "user_id": partner.user_id.id,
                        "admin_id": self.user("dewi").id,
                        "date_start": self.day(days),
                        "line_ids": [
                            Command.create(
                                {
                                    "product_id": self.product(name).id,
                                    "quantity": quantity,
                                    "price_unit": price,
                                }
                            )
                            for name, quantity, price in lines
                        ],
                        **values,
                    }
                )
            )
            if values.get("milestone_template_id"):
                contract.action_make_schedule()
            return self.put_on_day(contract.with_env(self.env), days)

    def sign(self, contract, days, has_copy=True):
        with self.on(days):
            if has_copy:
                contract.signed_file = self.paper(f"Contract {contract.name}")
                contract.signed_file_name = f"{contract.name.replace('/', '-')}.pdf"
            contract.with_user(contract.admin_id).sudo().write(
                {"date_signed": self.day(days), "state": "active"}
            )
        contract._set({"date_activated": self.day(days)})
        return contract

    def milestone(self, contract, name):
        found = contract.milestone_ids.filtered(lambda m: m.name == name)
        if len(found) != 1:
            raise ValueError(f"{contract.name} has {len(found)} milestones “{name}”")
        return found

    def set_done(
        self, contract, name, days, evidence=None, paper=None, by="ana", verified_by="dewi"
    ):
        """One person says that it is done; another one, if any, confirms it."""
        milestone = self.milestone(contract, name)
        file_name = paper and f"{paper}.pdf"
        with self.on(days):
            milestone.with_user(self.user(by))._set_done(
                self.day(days),
                evidence=evidence,
                file=paper and self.paper(paper),
                file_name=file_name,
            )
            if verified_by and milestone.is_waiting:
                milestone.with_user(self.user(verified_by))._verify()

    # === WAREHOUSE === #
    def deliver(self, orders, days, **quantities):
        """Send the orders' next transfers: all of it, or the quantities of the products named."""
        with self.on(days):
            pickings = orders.picking_ids.filtered(
                lambda p: p.picking_type_code == "outgoing" and p.state not in ("done", "cancel")
            )
            sent = {self.product(name): quantity for name, quantity in quantities.items()}
            for move in pickings.move_ids:
                quantity = sent.get(move.product_id, 0) if sent else move.product_uom_qty
                move.quantity = quantity
                move.picked = bool(quantity)
            pickings.button_validate()
            pickings.date_done = self.moment(days)
            return pickings

    def take_back(self, picking, days, **quantities):
        with self.on(days):
            wizard = (
                self.env["stock.return.picking"]
                .with_context(active_model="stock.picking", active_id=picking.id)
                .create({"picking_id": picking.id})
            )
            for line in wizard.product_return_moves:
                names = [name for name in quantities if self.product(name) == line.product_id]
                line.quantity = quantities[names[0]] if names else 0
            back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
            for move in back.move_ids:
                move.quantity = move.product_uom_qty
            back.move_ids.picked = True
            back.button_validate()
            back.date_done = self.moment(days)
            return back

    # === ACCOUNTING === #
    def invoice(self, orders, days):
        """Invoice what was delivered, orders of one customer together."""
        with self.on(days):
            invoices = orders._create_invoices(final=True)
            invoices.invoice_date = self.day(days)
            invoices.action_post()
            return invoices

    def down_payment(self, order, days, percent):
        with self.on(days):
            wizard = (
                self.env["sale.advance.payment.inv"]
                .with_context(active_model="sale.order", active_ids=order.ids, active_id=order.id)
                .create({"advance_payment_method": "percentage", "amount": percent})
            )
            invoice = wizard._create_invoices(order)
            invoice.invoice_date = self.day(days)
            invoice.action_post()
            return invoice

    def credit(self, invoice, days, reason, **quantities):
        """A credit note of so many of the products named."""
        with self.on(days):
            wizard = (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create(
                    {
                        "date": self.day(days),
                        "reason": reason,
                        "journal_id": invoice.journal_id.id,
                    }
                )
            )
            note = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
            credited = {self.product(name): quantity for name, quantity in quantities.items()}
            for line in note.invoice_line_ids:
                if line.product_id in credited:
                    line.quantity = credited[line.product_id]
                else:
                    line.unlink()
            note.invoice_date = self.day(days)
            note.action_post()
            return note

    def pay(self, invoices, days, amount=None, write_off=False):
        """Receive the money for a customer's invoices; what lacks stays open or is written off."""
        with self.on(days):
            values = {"payment_date": self.day(days), "group_payment": True}
            if amount is not None:
                values["amount"] = amount
            if write_off:
                values["payment_difference_handling"] = "reconcile"
                values["writeoff_label"] = "Bank charges"
                values["writeoff_account_id"] = self._get_expense_account().id
            wizard = (
                self.env["account.payment.register"]
                .with_context(active_model="account.move", active_ids=invoices.ids)
                .create(values)
            )
            return wizard._create_payments().with_env(self.env)

    def pay_each(self, days_by_invoice):
        """Receive the money for many invoices, each on its day."""
        payments = self.env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": invoice.partner_id.id,
                    "amount": invoice.amount_total,
                    "currency_id": invoice.currency_id.id,
                    "date": self.day(days),
                    "memo": invoice.name,
                }
                for invoice, days in days_by_invoice.items()
            ]
        )
        payments.action_post()
        pairs = zip(payments.move_id, days_by_invoice, strict=True)
        self.env["account.move.line"]._reconcile_plan(
            [
                (entry.line_ids + invoice.line_ids).filtered(
                    lambda line: line.account_type == "asset_receivable"
                )
                for entry, invoice in pairs
            ]
        )

    def pay_in_advance(self, contract, days, amount):
        """Money that comes before any invoice, put under the contract by hand."""
        with self.on(days):
            payment = self.env["account.payment"].create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": contract.partner_id.id,
                    "amount": amount,
                    "currency_id": contract.currency_id.id,
                    "date": self.day(days),
                    "memo": contract.name,
                    "sale_contract_id": contract.id,
                }
            )
            payment.action_post()
            return payment

    def _get_expense_account(self):
        return self.env["account.account"].search(
            [
                *self.env["account.account"]._check_company_domain(self.company),
                ("account_type", "=", "expense"),
            ],
            limit=1,
        )

    # === PAPERS === #
    def paper(self, title):
        """A one-page paper, as it would come from the scanner; base64."""
        buffer = io.BytesIO()
        canvas = Canvas(buffer)
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(72, 740, title)
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, 712, "A sample paper of the demonstration data.")
        canvas.save()
        return base64.b64encode(buffer.getvalue())
