from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL


class SaleAdminContractAmendment(models.Model):
    """A numbered change of a running contract, approved by another person than its authors.

    Amounts are in the contract's currency. Once decided it is never changed or deleted.
    """

    _name = "sale.admin.contract.amendment"
    _description = "Contract Amendment"
    _inherit = ["sale.admin.guarded", "mail.thread", "mail.activity.mixin"]
    _order = "contract_id, number"
    _check_company_auto = True

    # === FIELDS === #
    contract_id = fields.Many2one(
        "sale.admin.contract", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(
        related="contract_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="contract_id.currency_id")
    partner_id = fields.Many2one(related="contract_id.partner_id", string="Customer")
    number = fields.Integer(readonly=True, copy=False)
    state = fields.Selection(
        [("draft", "To Approve"), ("approved", "Approved"), ("refused", "Refused")],
        default="draft",
        required=True,
        copy=False,
        index=True,
        tracking=True,
    )
    reason = fields.Text(required=True, tracking=True)
    file = fields.Binary(string="Signed Amendment", attachment=True, copy=False)
    file_name = fields.Char(copy=False)
    line_ids = fields.One2many(
        "sale.admin.contract.amendment.line", "amendment_id", string="Changed Products"
    )
    amount_untaxed_delta = fields.Monetary(
        string="Change of Value Untaxed",
        compute="_compute_amount_deltas",
        store=True,
        readonly=False,
        tracking=True,
    )
    amount_total_delta = fields.Monetary(
        string="Change of Value with Taxes",
        compute="_compute_amount_deltas",
        store=True,
        readonly=False,
    )
    date_end = fields.Date(string="New End", tracking=True)
    shift_days = fields.Integer(
        string="Move Open Milestones by (Days)",
        help="Milestones not reached yet are planned so many days later (or earlier).",
    )
    author_id = fields.Many2one("res.users", readonly=True, copy=False)
    editor_id = fields.Many2one("res.users", string="Last Edited by", readonly=True, copy=False)
    decided_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    decided_at = fields.Datetime(readonly=True, copy=False)

    # === CONSTRAINTS AND INDEXES === #
    _number_uniq = models.Constraint(
        "UNIQUE (contract_id, number)", "Two amendments of a contract cannot have the same number."
    )

    # === COMPUTE METHODS === #
    @api.depends("contract_id.name", "number")
    def _compute_display_name(self):
        for amendment in self:
            amendment.display_name = f"{amendment.contract_id.name}/A{amendment.number}"

    @api.depends("line_ids.amount_untaxed_delta", "line_ids.amount_total_delta")
    def _compute_amount_deltas(self):
        for amendment in self:
            if lines := amendment.line_ids:
                amendment.amount_untaxed_delta = sum(lines.mapped("amount_untaxed_delta"))
                amendment.amount_total_delta = sum(lines.mapped("amount_total_delta"))
            else:
                amendment.amount_untaxed_delta = amendment.amount_untaxed_delta
                amendment.amount_total_delta = amendment.amount_total_delta

    # === CONSTRAINT METHODS === #
    @api.constrains("file")
    def _check_file(self):
        for amendment in self:
            amendment.company_id._check_sale_admin_file(amendment.file)

    @api.constrains("date_end", "contract_id")
    def _check_date_end(self):
        for amendment in self:
            start = amendment.contract_id.date_start
            if amendment.date_end and start and amendment.date_end < start:
                raise ValidationError(
                    self.env._("The new end lies before the start of the contract: correct it.")
                )

    @api.constrains("amount_untaxed_delta", "amount_total_delta", "contract_id")
    def _check_value_left(self):
        for amendment in self.filtered(lambda a: a.state == "draft"):
            contract = amendment.contract_id
            compare = contract.currency_id.compare_amounts
            if (
                compare(contract.amount_untaxed + amendment.amount_untaxed_delta, 0) < 0
                or compare(contract.amount_total + amendment.amount_total_delta, 0) < 0
            ):
                raise ValidationError(
                    self.env._(
                        "The amendment takes away more than the value of the contract: correct the "
                        "change of value."
                    )
                )

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        prepared = []
        for vals in vals_list:
            self._check_server_fields(vals)
            contract = self.env["sale.admin.contract"].browse(vals.get("contract_id"))
            contract.check_access("write")
            if contract.state not in ("active", "suspended"):
                raise UserError(
                    self.env._(
                        "%(contract)s is not running: only a running contract is amended.",
                        contract=contract.display_name,
                    )
                )
            prepared.append(
                {
                    **vals,
                    "state": "draft",
                    "number": self._next_number(contract),
                    "author_id": self.env.uid,
                    "editor_id": self.env.uid,
                }
            )
        return super().create(prepared)

    def write(self, vals):
        self._check_server_fields(vals)
        self._check_undecided()
        state = vals.get("state")
        rest = {key: value for key, value in vals.items() if key != "state"}
        if rest:
            super().write({**rest, "editor_id": self.env.uid})
        if state in ("approved", "refused"):
            for amendment in self:
                amendment._decide(state)
        return True

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        self._check_undecided()

    @api.model
    def _get_server_fields(self):
        own = {"number", "author_id", "editor_id", "decided_by_id", "decided_at"}
        return super()._get_server_fields() | own

    def _check_undecided(self):
        for amendment in self.filtered(lambda a: a.state != "draft"):
            raise UserError(
                self.env._(
                    "%(amendment)s is decided and stays as it is: write a new amendment.",
                    amendment=amendment.display_name,
                )
            )

    def _edit(self):
        """Note who changes the lines: who changed the figures may not approve them."""
        self._check_undecided()
        self._set({"editor_id": self.env.uid})

    @api.model
    def _next_number(self, contract):
        """Count on the contract's own row: of two at once, the second is tried anew by Odoo."""
        contract.flush_recordset(["last_amendment_number"])
        self.env.cr.execute(
            SQL(
                "UPDATE sale_admin_contract"
                " SET last_amendment_number = coalesce(last_amendment_number, 0) + 1"
                " WHERE id = %s RETURNING last_amendment_number",
                contract.id,
            )
        )
        contract.invalidate_recordset(["last_amendment_number"])
        return self.env.cr.fetchone()[0]

    # === ACTION METHODS === #
    def action_approve(self):
        return self.write({"state": "approved"})

    def action_refuse(self):
        return self.write({"state": "refused"})

    # === BUSINESS METHODS === #
    def _decide(self, state):
        self.ensure_one()
        if problems := self._get_problems_of_decision(state):
            raise UserError(
                "\n".join([self.display_name, *(f"- {problem}" for problem in problems)])
            )
        self._set(
            {
                "state": state,
                "decided_by_id": self.env.uid,
                "decided_at": fields.Datetime.now(),
            }
        )
        if state == "approved":
            self.contract_id._apply_amendment(self)
        self.contract_id._message_log(
            body=self.env._(
                "%(amendment)s: %(state)s. %(reason)s",
                amendment=self.display_name,
                state=dict(self._fields["state"]._description_selection(self.env))[state],
                reason=self.reason,
            )
        )

    def _get_problems_of_decision(self, state):
        """Hook: what stands against the current user's decision."""
        problems = []
        user = self.env.user
        if not user.has_group("sale_admin_support.group_sale_admin_manager"):
            problems.append(self.env._("Amendments are decided by a sales administration manager."))
        if state == "approved":
            if user in self.author_id | self.editor_id:
                problems.append(
                    self.env._("You wrote or changed it: another person has to approve it.")
                )
            if not self.file:
                problems.append(self.env._("Attach the signed amendment."))
            if self.contract_id.state not in ("active", "suspended"):
                problems.append(self.env._("The contract is not running any more."))
        return problems
