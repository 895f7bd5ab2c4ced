from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

FACT_FIELDS = {"state", "sale_contract_id", "invoice_date", "date", "reversed_entry_id"}


class AccountMove(models.Model):
    _inherit = "account.move"

    # === FIELDS === #
    sale_contract_id = fields.Many2one(
        "sale.admin.contract",
        string="Sales Contract",
        check_company=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="Set by hand on papers that no order leads to: an advance, an invoice or a credit "
        "note without order lines. Papers of orders find their contract through the order.",
    )
    sale_contract_ids = fields.Many2many(
        "sale.admin.contract",
        string="Sales Contracts",
        compute="_compute_sale_contract_ids",
        help="The contracts that this paper counts for: its orders', or the one set by hand.",
    )
    sale_contract_count = fields.Integer(compute="_compute_sale_contract_ids")
    can_have_sale_contract = fields.Boolean(compute="_compute_can_have_sale_contract")

    # === COMPUTE METHODS === #
    @api.depends("sale_contract_id", "line_ids.sale_line_ids")
    def _compute_sale_contract_ids(self):
        ids_by_move = self._get_contract_ids_by_move()
        contract_model = self.env["sale.admin.contract"]
        for move in self:
            # who may not read a contract is not told that it exists
            contracts = contract_model.browse(ids_by_move.get(move._origin.id, ()))
            move.sale_contract_ids = contracts._filtered_access("read")
            move.sale_contract_count = len(move.sale_contract_ids)

    @api.depends("move_type", "origin_payment_id", "statement_line_id", "line_ids.sale_line_ids")
    def _compute_can_have_sale_contract(self):
        for move in self:
            move.can_have_sale_contract = (
                move._is_sales_paper() and not move.line_ids.sudo().sale_line_ids
            )

    # === CONSTRAINT METHODS === #
    @api.constrains(
        "sale_contract_id", "move_type", "partner_id", "company_id", "currency_id", "line_ids"
    )
    def _check_sale_contract(self):
        for move in self.filtered("sale_contract_id"):
            contract = move.sale_contract_id.sudo()
            if reason := move._get_contract_mismatch(contract):
                raise ValidationError(
                    self.env._(
                        "%(paper)s cannot be put under %(contract)s: %(reason)s",
                        paper=move.display_name,
                        contract=contract.display_name,
                        reason=reason,
                    )
                )

    def _get_contract_mismatch(self, contract):
        """Hook: why this paper cannot count for the contract, a sentence, or nothing."""
        self.ensure_one()
        orders = self.line_ids.sudo().sale_line_ids.order_id
        if not self._is_sales_paper():
            return self.env._("only customer invoices, credit notes and payments count.")
        if self.company_id != contract.company_id:
            return self.env._(
                "the contract belongs to %(company)s.", company=contract.company_id.display_name
            )
        if self.partner_id.commercial_partner_id != contract.partner_id:
            return self.env._(
                "the contract is with %(customer)s.", customer=contract.partner_id.display_name
            )
        if self.currency_id not in contract.currency_id | contract.company_id.currency_id:
            return self.env._(
                "it must be in %(currency)s, or in the currency of the company.",
                currency=contract.currency_id.name,
            )
        if others := orders.filtered(lambda order: order.sale_contract_id != contract):
            return self.env._(
                "its lines lead to %(orders)s; put the order under the contract instead.",
                orders=", ".join(others.mapped("name")),
            )
        return None

    def _is_sales_paper(self):
        """Whether this is a customer's invoice, credit note, payment or bank line."""
        self.ensure_one()
        return self.move_type in ("out_invoice", "out_refund") or (
            self.move_type == "entry" and self.journal_id.type in ("bank", "cash", "credit")
        )

    # === CRUD METHODS === #
    def write(self, vals):
        contracts = self.env["sale.admin.contract"].sudo()
        if "sale_contract_id" in vals:
            contracts = self.sudo().sale_contract_id
        res = super().write(vals)
        if FACT_FIELDS & vals.keys():
            (contracts | self._get_fact_contracts())._facts_changed()
        return res

    def _reverse_moves(self, default_values_list=None, cancel=False):
        """The credit note of a paper set under a contract by hand counts for the same contract."""
        default_values_list = default_values_list or [{} for _move in self]
        for move, values in zip(self, default_values_list, strict=True):
            if move.sale_contract_id and move.move_type == "out_invoice":
                values["sale_contract_id"] = move.sale_contract_id.id
        return super()._reverse_moves(default_values_list, cancel=cancel)

    # === ACTION METHODS === #
    def action_view_sale_contracts(self):
        self.ensure_one()
        return self.sale_contract_ids._get_records_action(
            name=self.env._("Sales Contracts"), context={"create": False}
        )

    # === BUSINESS METHODS === #
    def _get_fact_contracts(self):
        """Return the contracts of which these papers, as they stand, tell facts, with all rights.

        The contracts of an invoice's orders, of the invoice that a credit note reverses, the one
        set by hand, and for a payment those of the invoices that it is matched with.
        """
        ids_by_move = self._get_contract_ids_by_move()
        ids = set().union(*ids_by_move.values())
        return self.env["sale.admin.contract"].sudo().browse(sorted(ids))

    def _get_contract_ids_by_move(self):
        """Return ``{move_id: {contract_id}}`` by one query, none for what is no sales paper."""
        moves = self.filtered(lambda move: move._is_sales_paper())._origin
        ids_by_move = {}
        if not moves.ids:
            return ids_by_move
        for move_id, contract_id in self.env.execute_query(moves._sql_contracts_of_moves()):
            ids_by_move.setdefault(move_id, set()).add(contract_id)
        return ids_by_move

    def _sql_contracts_of_moves(self):
        flushed = (
            ("account.move", "origin_payment_id"),
            ("account.move", "reversed_entry_id"),
            ("account.move", "sale_contract_id"),
            ("account.move.line", "move_id"),
            ("account.move.line", "sale_line_ids"),
            ("account.partial.reconcile", "credit_move_id"),
            ("account.partial.reconcile", "debit_move_id"),
            ("account.payment", "payment_transaction_id"),
            ("sale.order", "sale_contract_id"),
            ("sale.order.line", "order_id"),
        )
        return SQL(
            """WITH paper AS (
                    SELECT id AS move_id, id AS paper_id
                      FROM account_move WHERE id IN %(ids)s
                     UNION
                    SELECT id, reversed_entry_id
                      FROM account_move WHERE id IN %(ids)s AND reversed_entry_id IS NOT NULL
                     UNION
                    SELECT cash.move_id, line.move_id
                      FROM account_move_line cash
                      JOIN account_partial_reconcile p ON p.credit_move_id = cash.id
                      JOIN account_move_line line ON line.id = p.debit_move_id
                     WHERE cash.move_id IN %(ids)s
                     UNION
                    SELECT cash.move_id, line.move_id
                      FROM account_move_line cash
                      JOIN account_partial_reconcile p ON p.debit_move_id = cash.id
                      JOIN account_move_line line ON line.id = p.credit_move_id
                     WHERE cash.move_id IN %(ids)s
               )
               SELECT paper.move_id, o.sale_contract_id
                 FROM paper
                 JOIN account_move_line line ON line.move_id = paper.paper_id
                 JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                 JOIN sale_order_line ol ON ol.id = rel.order_line_id
                 JOIN sale_order o ON o.id = ol.order_id
                WHERE o.sale_contract_id IS NOT NULL
                UNION
               SELECT paper.move_id, m.sale_contract_id
                 FROM paper
                 JOIN account_move m ON m.id = paper.paper_id
                WHERE m.sale_contract_id IS NOT NULL
                UNION
               SELECT m.id, o.sale_contract_id
                 FROM account_move m
                 JOIN account_payment payment ON payment.id = m.origin_payment_id
                 JOIN sale_order_transaction_rel rel
                   ON rel.transaction_id = payment.payment_transaction_id
                 JOIN sale_order o ON o.id = rel.sale_order_id
                WHERE m.id IN %(ids)s AND o.sale_contract_id IS NOT NULL %(flushed)s""",
            ids=tuple(self.ids),
            flushed=SQL().join(
                SQL(to_flush=self.env[model]._fields[name]) for model, name in flushed
            ),
        )
