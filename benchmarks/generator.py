"""Fill a database with a sales office's years, by SQL.

One record of each kind is made through Odoo, so that every column is filled as the installed apps
want it, and is then cloned with INSERT ... SELECT; only what differs from record to record is
computed. The data is the same at every run of a scale, but for today's date.

Of the orders 5 % are drafts, 5 % cancelled, 25 % confirmed, the rest delivered and invoiced; two
thirds of these invoices are paid. Invoices without an order make up the number of open items. Each
customer has one contract with five milestones, over all confirmed orders of that customer. Beside
them are customers with many open invoices ("Invoices 1000") or many open orders ("Orders 1000").

Left out: chatter, detailed operations of transfers, stock on hand of what was delivered.
"""

from contextlib import contextmanager
from dataclasses import dataclass

from odoo import Command, fields

LINES = 5
PRODUCTS = 200
SERVICES = 10
MILESTONES = (  # name, kind, measure, share in percent, days after signature
    ("Deposit", "collection", "collected", 30, 5),
    ("Delivery", "delivery", "delivered", 100, 30),
    ("Invoice", "invoice", "invoiced", 100, 32),
    ("Balance", "collection", "collected", 70, 62),
    ("Acceptance", "acceptance", "manual", 0, 90),
)


@dataclass(frozen=True)
class Scale:
    customers: int
    orders: int
    open_items: int
    # one customer each, beside the others
    heavy_invoices: tuple = (10, 1_000, 20_000)
    heavy_orders: tuple = (10, 1_000, 5_000)


SCALES = {
    "tiny": Scale(50, 500, 1_000, (10,), (10,)),
    "small": Scale(1_000, 10_000, 40_000),
    "full": Scale(20_000, 200_000, 400_000),
}
# What a customer of many invoices has of orders, and the other way round.
FEW_ORDERS = 5
FEW_INVOICES = 10


class Bulk:
    """SQL that clones records."""

    def __init__(self, env):
        self.env, self.cr = env, env.cr

    def reserve(self, table, count):
        """Take `count` ids; they are the returned number + 1 and following."""
        self.cr.execute(f"SELECT nextval('{table}_id_seq')")
        base = self.cr.fetchone()[0]
        self.cr.execute("SELECT setval(%s, %s)", [f"{table}_id_seq", base + count + 1])
        return base

    def clone(self, record, source, **values):
        """Insert one copy of `record` for each row of `source` (alias g).

        :param values: SQL of the columns that differ; columns that the table lacks are left out
        """
        table = record._table
        self.cr.execute(
            """SELECT column_name FROM information_schema.columns
                WHERE table_name = %s AND table_schema = 'public' AND is_generated = 'NEVER'""",
            [table],
        )
        columns = [row[0] for row in self.cr.fetchall()]
        names = ", ".join(f'"{column}"' for column in columns)
        selected = ", ".join(values.get(column, f's."{column}"') for column in columns)
        self.cr.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {selected}'
            f' FROM {source} CROSS JOIN "{table}" s WHERE s.id = {record.id}'
        )

    def table(self, name, query):
        self.cr.execute(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}")
        self.cr.execute(f"ANALYZE {name}")

    def count(self, table, where="TRUE"):
        self.cr.execute(f"SELECT count(*) FROM {table} WHERE {where}")
        return self.cr.fetchone()[0]

    def without_checks(self):
        """No foreign keys are checked until the end of the transaction, if the role may say so."""
        self.cr.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if self.cr.fetchone()[0]:
            self.cr.execute("SET LOCAL session_replication_role = replica")

    @contextmanager
    def without_indexes(self, *tables):
        """Make the tables' plain indexes anew at the end, which is faster than row by row."""
        self.cr.execute(
            """SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
                 FROM pg_index i
                WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisprimary AND NOT i.indisunique
                  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)""",
            [list(tables)],
        )
        indexes = self.cr.fetchall()
        for name, _definition in indexes:
            self.cr.execute(f"DROP INDEX {name}")
        yield
        for _name, definition in indexes:
            self.cr.execute(definition)


class SalesYears(Bulk):
    """Customers, orders, transfers, invoices and payments; needs Odoo only, not the app."""

    def __init__(self, env, scale):
        super().__init__(env)
        self.scale = scale

    def fill(self):
        self._make_samples()
        self.without_checks()
        self._fill_customers()
        with self.without_indexes("sale_order", "sale_order_line"):
            self._fill_orders()
        with self.without_indexes("stock_picking", "stock_move"):
            self._fill_transfers()
        with self.without_indexes("account_move", "account_move_line"):
            self._fill_invoices()
            self._fill_payments()

    # === SAMPLES === #
    def _make_samples(self):
        env = self.env
        company = env.company
        if not company.chart_template:
            env["account.chart.template"].try_loading(
                "generic_coa", company=company, install_demo=False
            )
        self.tax = env["account.tax"].search(
            [("type_tax_use", "=", "sale"), ("amount", "=", 15), ("company_id", "=", company.id)],
            limit=1,
        )
        self.products = env["product.product"].create(
            [
                {
                    "name": f"Article {number:03}",
                    "type": "consu",
                    "is_storable": True,
                    "list_price": 10 + number * 37 % 91,
                    "standard_price": 5,
                    "invoice_policy": "order",
                    "taxes_id": [Command.set(self.tax.ids)],
                }
                for number in range(PRODUCTS)
            ]
        )
        env["product.product"].create(
            [
                {
                    "name": f"Service {number:03}",
                    "type": "service",
                    "list_price": 50,
                    "standard_price": 20,
                    "taxes_id": [Command.set(self.tax.ids)],
                }
                for number in range(SERVICES)
            ]
        )
        warehouse = env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        env["stock.quant"].with_context(inventory_mode=True).create(
            [
                {
                    "product_id": product.id,
                    "location_id": warehouse.lot_stock_id.id,
                    "inventory_quantity": 1_000_000,
                }
                for product in self.products
            ]
        ).action_apply_inventory()
        self.partner = env["res.partner"].create(
            {
                "name": "Sample Customer",
                "is_company": True,
                "street": "Main Street 1",
                "zip": "12345",
                "city": "Springfield",
                "country_id": env.ref("base.us").id,
                "phone": "+1 555 0100",
                "email": "office@example.com",
                "customer_rank": 1,
            }
        )
        self.order = env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": 1})
                    for product in self.products[:LINES]
                ],
            }
        )
        self.order.action_confirm()
        self.picking = self.order.picking_ids
        self.picking.move_ids.picked = True
        self.picking.button_validate()
        self.invoice = self.order._create_invoices()
        self.invoice.invoice_date = fields.Date.today()
        self.invoice.action_post()
        self._make_sample_payment()
        env.flush_all()

    def _make_sample_payment(self):
        """Match a line of a bank statement with the invoice, as an accountant does."""
        env = self.env
        receivable = self.invoice.line_ids.filtered(
            lambda line: line.display_type == "payment_term"
        )
        self.bank_line = env["account.bank.statement.line"].create(
            {
                "journal_id": env["account.journal"]
                .search([("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1)
                .id,
                "partner_id": self.partner.id,
                "payment_ref": "Sample",
                "amount": self.invoice.amount_total,
                "date": fields.Date.today(),
            }
        )
        _liquidity, suspense, _other = self.bank_line._seek_for_lines()
        suspense.account_id = receivable.account_id
        (receivable + suspense).reconcile()
        self.payment = self.bank_line.move_id
        self.partial = suspense.matched_debit_ids
        self.full = receivable.full_reconcile_id

    # === BULK === #
    def _fill_customers(self):
        """The ordinary ones are numbered first, those of many documents follow."""
        ordinary = self.scale.customers
        heavy = [(f"Invoices {n}", FEW_ORDERS, n) for n in self.scale.heavy_invoices]
        heavy += [(f"Orders {n}", n, FEW_INVOICES) for n in self.scale.heavy_orders]
        self.table(
            "bench_customer",
            f"""SELECT c, 'Customer ' || lpad(c::text, 6, '0') AS name, 0 AS orders, 0 AS invoices
                  FROM generate_series(1, {ordinary}) c UNION ALL VALUES """
            + ", ".join(
                f"({ordinary + number}, '{name}', {orders}, {invoices})"
                for number, (name, orders, invoices) in enumerate(heavy, 1)
            ),
        )
        self.first_partner = self.reserve("res_partner", ordinary + len(heavy))
        name = "g.name"
        self.clone(
            self.partner,
            "bench_customer g",
            id=f"{self.first_partner} + g.c",
            name=name,
            complete_name=name,
            commercial_company_name=name,
            commercial_partner_id=f"{self.first_partner} + g.c",
        )

    def _fill_orders(self):
        first_product = self.products[0].id
        assert self.products.ids == list(range(first_product, first_product + PRODUCTS))
        self._plan_orders()
        self.table(
            "bench_line",
            f"""SELECT o, l, {first_product} + p AS product_id,
                       (1 + (o * 7 + l * 3) % 10) AS quantity,
                       (10 + p * 37 % 91)::numeric AS price,
                       ((1 + (o * 7 + l * 3) % 10) * (10 + p * 37 % 91))::numeric AS untaxed
                  FROM generate_series(1, {self.orders}) o, generate_series(1, {LINES}) l,
                       LATERAL (SELECT (o * 13 + l * 17) % {PRODUCTS} AS p) x""",
        )
        self.table(
            "bench_order",
            """SELECT o, c, kind,
                      CASE kind WHEN 'done' THEN 45 + o * 37 % 650 ELSE o * 37 % 45 END AS age,
                      sum(untaxed) AS untaxed, sum(round(untaxed * 0.15, 2)) AS tax
                 FROM bench_line JOIN bench_plan USING (o) GROUP BY o, c, kind""",
        )
        self.first_order = self.reserve("sale_order", self.orders)
        self.first_line = self.reserve("sale_order_line", self.orders * LINES)
        state = "CASE WHEN g.kind IN ('open', 'done') THEN 'sale' ELSE g.kind END"
        invoice_status = (
            "CASE g.kind WHEN 'open' THEN 'to invoice' WHEN 'done' THEN 'invoiced' ELSE 'no' END"
        )
        day = "now() AT TIME ZONE 'UTC' - g.age * interval '1 day'"
        partner = f"{self.first_partner} + g.c"
        self.clone(
            self.order,
            "bench_order g",
            id=f"{self.first_order} + g.o",
            name="'B' || lpad(g.o::text, 7, '0')",
            partner_id=partner,
            partner_invoice_id=partner,
            partner_shipping_id=partner,
            state=state,
            invoice_status=invoice_status,
            delivery_status="CASE g.kind WHEN 'open' THEN 'pending' WHEN 'done' THEN 'full' END",
            date_order=day,
            amount_untaxed="g.untaxed",
            amount_tax="g.tax",
            amount_total="g.untaxed + g.tax",
            access_token="NULL",
        )
        done = "CASE g.kind WHEN 'done' THEN g.quantity ELSE 0 END"
        self.clone(
            self.order.order_line[0],
            """(SELECT l.*, o.c, o.kind, l.untaxed + round(l.untaxed * 0.15, 2) AS total
                  FROM bench_line l JOIN bench_order o USING (o)) g""",
            id=f"{self.first_line} + (g.o - 1) * {LINES} + g.l",
            order_id=f"{self.first_order} + g.o",
            order_partner_id=partner,
            product_id="g.product_id",
            state=state,
            invoice_status=invoice_status,
            product_uom_qty="g.quantity",
            price_unit="g.price",
            technical_price_unit="g.price",
            price_subtotal="g.untaxed",
            price_tax="g.total - g.untaxed",
            price_total="g.total",
            qty_delivered=done,
            qty_invoiced=done,
            qty_to_invoice="CASE g.kind WHEN 'open' THEN g.quantity ELSE 0 END",
            untaxed_amount_to_invoice="CASE g.kind WHEN 'open' THEN g.untaxed ELSE 0 END",
            untaxed_amount_invoiced="CASE g.kind WHEN 'done' THEN g.untaxed ELSE 0 END",
        )
        self.cr.execute(
            f"""INSERT INTO account_tax_sale_order_line_rel (sale_order_line_id, account_tax_id)
                SELECT {self.first_line} + i, {self.tax.id}
                  FROM generate_series(1, {self.orders * LINES}) i"""
        )

    def _plan_orders(self):
        """Say which order is whose and how far it came."""
        ordinary = self.scale.orders
        self.table(
            "bench_plan",
            f"""SELECT o, 1 + (o::bigint * 7919 % {self.scale.customers})::int AS c,
                       CASE WHEN o % 20 = 0 THEN 'draft' WHEN o % 20 = 1 THEN 'cancel'
                            WHEN o % 20 < 7 THEN 'open' ELSE 'done' END AS kind
                  FROM generate_series(1, {ordinary}) o
                UNION ALL
                SELECT ({ordinary} + row_number() OVER (ORDER BY c))::int, c, 'open'
                  FROM bench_customer, generate_series(1, orders)""",
        )
        self.orders = self.count("bench_plan")

    def _fill_transfers(self):
        self.table(
            "bench_picking",
            "SELECT *, row_number() OVER (ORDER BY o) AS k FROM bench_order WHERE kind = 'done'",
        )
        count = self.count("bench_picking")
        first = self.reserve("stock_picking", count)
        first_move = self.reserve("stock_move", count * LINES)
        day = "now() AT TIME ZONE 'UTC' - (g.age - 10) * interval '1 day'"
        reference = "'BENCH/OUT/' || g.k"
        self.clone(
            self.picking,
            "bench_picking g",
            id=f"{first} + g.k",
            name=reference,
            sale_id=f"{self.first_order} + g.o",
            partner_id=f"{self.first_partner} + g.c",
            scheduled_date=day,
            date_done=day,
        )
        self.clone(
            self.picking.move_ids[0],
            "(SELECT l.*, p.k, p.c, p.age FROM bench_line l JOIN bench_picking p USING (o)) g",
            id=f"{first_move} + (g.k - 1) * {LINES} + g.l",
            picking_id=f"{first} + g.k",
            sale_line_id=f"{self.first_line} + (g.o - 1) * {LINES} + g.l",
            product_id="g.product_id",
            product_uom_qty="g.quantity",
            product_qty="g.quantity",
            quantity="g.quantity",
            partner_id=f"{self.first_partner} + g.c",
            reference=reference,
            date=day,
        )

    def _fill_invoices(self):
        """Invoices of the delivered orders first, then open ones without an order."""
        self.table(
            "bench_ordered_invoice",
            """SELECT row_number() OVER (ORDER BY o) AS i, o, c, untaxed, tax, age - 12 AS age,
                      o % 3 > 0 AS is_paid
                 FROM bench_order WHERE kind = 'done'""",
        )
        ordered = self.count("bench_ordered_invoice")
        single = max(0, self.scale.open_items - self.count("bench_ordered_invoice", "NOT is_paid"))
        self.table(
            "bench_single_invoice",
            f"""SELECT {ordered} + row_number() OVER () AS i, c FROM (
                    SELECT 1 + (n * 7919 % {self.scale.customers})::int AS c
                      FROM generate_series(1::bigint, {single}) n
                    UNION ALL
                    SELECT c FROM bench_customer, generate_series(1, invoices)) every""",
        )
        single = self.count("bench_single_invoice")
        self.table(
            "bench_invoice",
            """SELECT * FROM bench_ordered_invoice
               UNION ALL
               SELECT i, NULL, c, (100 + i * 7919 % 4900)::numeric,
                      round((100 + i * 7919 % 4900) * 0.15, 2), (i * 37 % 300)::int, FALSE
                 FROM bench_single_invoice""",
        )
        self.first_invoice = self.reserve("account_move", ordered + single)
        self._clone_invoices()
        self._clone_invoice_lines(ordered, single)

    def _clone_invoices(self):
        day = "current_date - g.age"
        partner = f"{self.first_partner} + g.c"
        total = "g.untaxed + g.tax"
        residual = f"CASE WHEN g.is_paid THEN 0 ELSE {total} END"
        name = "'BENCH/' || lpad(g.i::text, 7, '0')"
        self.clone(
            self.invoice,
            "bench_invoice g",
            id=f"{self.first_invoice} + g.i",
            name=name,
            payment_reference=name,
            sequence_prefix="'BENCH/'",
            sequence_number="g.i",
            partner_id=partner,
            commercial_partner_id=partner,
            partner_shipping_id=partner,
            date=day,
            invoice_date=day,
            invoice_date_due=f"{day} + 30",
            invoice_origin="'B' || lpad(g.o::text, 7, '0')",
            amount_untaxed="g.untaxed",
            amount_untaxed_signed="g.untaxed",
            amount_untaxed_in_currency_signed="g.untaxed",
            amount_tax="g.tax",
            amount_tax_signed="g.tax",
            amount_total=total,
            amount_total_signed=total,
            amount_total_in_currency_signed=total,
            amount_residual=residual,
            amount_residual_signed=residual,
            payment_state="CASE WHEN g.is_paid THEN 'paid' ELSE 'not_paid' END",
            access_token="NULL",
            made_sequence_gap="FALSE",
        )

    def _clone_invoice_lines(self, ordered, single):
        day = "current_date - g.age"
        common = {
            "move_id": f"{self.first_invoice} + g.i",
            "move_name": "'BENCH/' || lpad(g.i::text, 7, '0')",
            "partner_id": f"{self.first_partner} + g.c",
            "date": day,
            "invoice_date": day,
            "full_reconcile_id": "NULL",
            "matching_number": "NULL",
        }
        lines = self.invoice.line_ids
        total = "g.untaxed + g.tax"
        residual = f"CASE WHEN g.is_paid THEN 0 ELSE {total} END"
        self.first_receivable = self.reserve("account_move_line", ordered + single)
        self.clone(
            lines.filtered(lambda line: line.display_type == "payment_term"),
            "bench_invoice g",
            **common,
            id=f"{self.first_receivable} + g.i",
            date_maturity=f"{day} + 30",
            debit=total,
            credit="0",
            balance=total,
            amount_currency=total,
            amount_residual=residual,
            amount_residual_currency=residual,
            reconciled="g.is_paid",
        )
        first_tax = self.reserve("account_move_line", ordered + single)
        self.clone(
            lines.filtered("tax_line_id"),
            "bench_invoice g",
            **common,
            id=f"{first_tax} + g.i",
            debit="0",
            credit="g.tax",
            balance="-g.tax",
            amount_currency="-g.tax",
            tax_base_amount="g.untaxed",
        )
        product_line = lines.filtered(lambda line: line.display_type == "product")[0]
        amounts = {
            "debit": "0",
            "credit": "g.untaxed",
            "balance": "-g.untaxed",
            "amount_currency": "-g.untaxed",
            "price_subtotal": "g.untaxed",
            "price_total": "g.untaxed + round(g.untaxed * 0.15, 2)",
        }
        first = self.reserve("account_move_line", single)
        self.clone(
            product_line,
            "(SELECT * FROM bench_invoice WHERE o IS NULL) g",
            **common,
            **amounts,
            id=f"{first} + g.i - {ordered}",
            price_unit="g.untaxed",
        )
        first = self.reserve("account_move_line", ordered * LINES)
        self.clone(
            product_line,
            """(SELECT i.i, i.c, i.age, l.o, l.l, l.product_id, l.quantity, l.price, l.untaxed
                  FROM bench_line l JOIN bench_ordered_invoice i USING (o)) g""",
            **common,
            **amounts,
            id=f"{first} + (g.i - 1) * {LINES} + g.l",
            product_id="g.product_id",
            quantity="g.quantity",
            price_unit="g.price",
        )
        self.cr.execute(
            f"""INSERT INTO sale_order_line_invoice_rel (order_line_id, invoice_line_id)
                SELECT {self.first_line} + (o - 1) * {LINES} + l, {first} + (i - 1) * {LINES} + l
                  FROM bench_ordered_invoice, generate_series(1, {LINES}) l"""
        )

    def _fill_payments(self):
        """Bank statement lines that pay the paid invoices, 28 days after them."""
        self.table(
            "bench_payment",
            """SELECT i, c, untaxed + tax AS total, greatest(age - 28, 0) AS age,
                      row_number() OVER (ORDER BY i) AS k
                 FROM bench_ordered_invoice WHERE is_paid""",
        )
        count = self.count("bench_payment")
        first = self.reserve("account_move", count)
        first_line = self.reserve("account_move_line", count * 2)
        first_bank_line = self.reserve("account_bank_statement_line", count)
        first_partial = self.reserve("account_partial_reconcile", count)
        first_full = self.reserve("account_full_reconcile", count)
        partner = f"{self.first_partner} + g.c"
        day = "current_date - g.age"
        name = "'BENCH/BNK/' || lpad(g.k::text, 7, '0')"
        self.clone(
            self.payment,
            "bench_payment g",
            id=f"{first} + g.k",
            name=name,
            sequence_prefix="'BENCH/BNK/'",
            sequence_number="g.k",
            partner_id=partner,
            commercial_partner_id=partner,
            date=day,
            amount_total="g.total",
            amount_total_signed="g.total",
            amount_total_in_currency_signed="g.total",
            statement_line_id=f"{first_bank_line} + g.k",
            access_token="NULL",
            made_sequence_gap="FALSE",
        )
        self.clone(
            self.bank_line,
            "bench_payment g",
            id=f"{first_bank_line} + g.k",
            move_id=f"{first} + g.k",
            partner_id=partner,
            amount="g.total",
        )
        common = {
            "move_id": f"{first} + g.k",
            "statement_line_id": f"{first_bank_line} + g.k",
            "move_name": name,
            "partner_id": partner,
            "date": day,
            "date_maturity": day,
        }
        full = f"{first_full} + g.k"
        liquidity_line = self.payment.line_ids.filtered("debit")
        self.clone(
            liquidity_line,
            "bench_payment g",
            **common,
            id=f"{first_line} + g.k * 2 - 1",
            debit="g.total",
            balance="g.total",
            amount_currency="g.total",
        )
        self.clone(
            self.payment.line_ids - liquidity_line,
            "bench_payment g",
            **common,
            id=f"{first_line} + g.k * 2",
            credit="g.total",
            balance="-g.total",
            amount_currency="-g.total",
            amount_residual="0",
            amount_residual_currency="0",
            full_reconcile_id=full,
            matching_number=f"({full})::text",
        )
        self.clone(self.full, "bench_payment g", id=full)
        self.clone(
            self.partial,
            "bench_payment g",
            id=f"{first_partial} + g.k",
            debit_move_id=f"{self.first_receivable} + g.i",
            credit_move_id=f"{first_line} + g.k * 2",
            amount="g.total",
            debit_amount_currency="g.total",
            credit_amount_currency="g.total",
            max_date=day,
            full_reconcile_id=full,
        )
        self.cr.execute(
            f"""UPDATE account_move_line line
                   SET full_reconcile_id = {first_full} + p.k,
                       matching_number = ({first_full} + p.k)::text
                  FROM bench_payment p WHERE line.id = {self.first_receivable} + p.i"""
        )


class Contracts(Bulk):
    """One contract a customer over all confirmed orders; needs the app and `SalesYears`."""

    def fill(self):
        sample = self._make_sample()
        self.without_checks()
        self.table(
            "bench_contract",
            """SELECT (row_number() OVER (ORDER BY o.partner_id))::int AS c, o.partner_id,
                      sum(o.amount_untaxed) AS untaxed, sum(o.amount_total) AS total,
                      100 + o.partner_id * 13 % 600 AS age
                 FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
                WHERE o.state = 'sale' AND p.name LIKE 'Customer %' GROUP BY o.partner_id""",
        )
        count = self.count("bench_contract")
        first = self.reserve("sale_admin_contract", count)
        signed = "current_date - g.age"
        amounts = {
            "amount_untaxed": "g.untaxed",
            "amount_untaxed_baseline": "g.untaxed",
            "amount_ordered": "g.untaxed",
            "amount_total": "g.total",
            "amount_total_baseline": "g.total",
        }
        self.clone(
            sample,
            "bench_contract g",
            **amounts,
            id=f"{first} + g.c",
            name="'BENCH/' || lpad(g.c::text, 6, '0')",
            partner_id="g.partner_id",
            date_signed=signed,
            date_start=signed,
            date_activated=signed,
            access_token="NULL",
        )
        self._clone_milestones(sample, first, count)
        self.cr.execute(
            f"""UPDATE sale_order o SET sale_contract_id = {first} + g.c FROM bench_contract g
                 WHERE o.partner_id = g.partner_id AND o.state = 'sale'"""
        )

    def _make_sample(self):
        contract = self.env["sale.admin.contract"].create(
            {
                "title": "Yearly supply",
                "partner_id": self.env["res.partner"]
                .search([("name", "=", "Sample Customer")], limit=1)
                .id,
                "kind": "framework",
                "amount_untaxed": 1000.0,
                "amount_total": 1150.0,
                "date_signed": fields.Date.today(),
                "milestone_ids": [
                    Command.create(
                        {
                            "name": name,
                            "kind": kind,
                            "measure": measure,
                            "target": share,
                            "sequence": number,
                            "date_planned": fields.Date.add(fields.Date.today(), days=days),
                        }
                    )
                    for number, (name, kind, measure, share, days) in enumerate(MILESTONES)
                ],
            }
        )
        contract.action_activate()
        self.env.flush_all()
        return contract

    def _clone_milestones(self, sample, first_contract, count):
        """Two of three contracts are executed up to the balance, the others wait for the goods."""
        first = self.reserve("sale_admin_milestone", count * len(MILESTONES))
        is_reached = "(g.c % 3 > 0 AND {number} < 4)"
        for number, (milestone, (_name, _kind, measure, share, days)) in enumerate(
            zip(sample.milestone_ids.sorted("sequence"), MILESTONES, strict=True)
        ):
            reached = is_reached.format(number=number)
            planned = f"current_date - g.age + {days} + (g.c % 5) * 60"
            base = "g.total" if measure == "collected" else "g.untaxed"
            amount = f"round({base} * {share} / 100, 2)"
            self.clone(
                milestone,
                "bench_contract g",
                id=f"{first} + (g.c - 1) * {len(MILESTONES)} + {number + 1}",
                contract_id=f"{first_contract} + g.c",
                partner_id="g.partner_id",
                date_anchor=planned,
                date_planned=planned,
                date_baseline=planned,
                amount_planned=amount,
                amount_baseline=amount,
                target_to=amount,
                is_reached=reached,
                is_open=f"NOT {reached}",
                progress=f"CASE WHEN {reached} THEN 1 ELSE 0 END",
                date_reached=f"CASE WHEN {reached} THEN {planned} + (g.c % 4)::int - 1 END",
                is_reached_late=f"{reached} AND g.c % 4 > 1",
            )


def check(env):
    """Raise AssertionError unless the books balance and lines add up to their documents."""
    for what, query in (
        ("debit and credit", "SELECT 1 FROM account_move_line HAVING sum(balance) <> 0"),
        (
            "invoices and their lines",
            """SELECT move_id FROM account_move_line WHERE parent_state = 'posted'
                GROUP BY move_id HAVING sum(balance) <> 0""",
        ),
        (
            "orders and their lines",
            """SELECT o.id FROM sale_order o JOIN sale_order_line l ON l.order_id = o.id
                GROUP BY o.id HAVING sum(l.price_total) <> o.amount_total""",
        ),
    ):
        env.cr.execute(f"SELECT count(*) FROM ({query}) wrong")
        wrong = env.cr.fetchone()[0]
        assert not wrong, f"{what} disagree {wrong} times"
