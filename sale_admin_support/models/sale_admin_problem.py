from odoo import api, fields, models
from odoo.exceptions import UserError

CAUSES = [
    ("customer", "Customer"),
    ("office", "Sales office"),
    ("sales", "Salesperson"),
    ("warehouse", "Warehouse"),
    ("production", "Production"),
    ("purchasing", "Purchasing or supplier"),
    ("carrier", "Carrier"),
    ("quality", "Quality of the goods"),
    ("accounting", "Accounting"),
    ("other", "Other"),
]


class SaleAdminProblem(models.Model):
    """Something that went wrong with an order, kept so that it can be counted and learnt from."""

    _name = "sale.admin.problem"
    _inherit = ["sale.admin.guarded", "mail.thread", "mail.activity.mixin"]
    _description = "Order Problem"
    _order = "logged_at desc, id desc"
    _check_company_auto = True

    # === FIELDS === #
    name = fields.Char(string="What Happened", required=True, tracking=True)
    order_id = fields.Many2one(
        "sale.order", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    customer_id = fields.Many2one(
        related="order_id.partner_id.commercial_partner_id",
        string="Customer",
        store=True,
        index=True,
    )
    salesperson_id = fields.Many2one(related="order_id.user_id", store=True, index=True)
    reason_id = fields.Many2one(
        "sale.admin.reason",
        string="Kind",
        required=True,
        index=True,
        ondelete="restrict",
        tracking=True,
        domain="[('kind', '=', 'problem'), ('company_id', 'in', (False, company_id))]",
    )
    cause = fields.Selection(CAUSES, index=True, tracking=True, help="With whom it began.")
    user_id = fields.Many2one(
        "res.users",
        string="Taken Care of By",
        default=lambda self: self.env.user,
        index="btree_not_null",
        tracking=True,
    )
    description = fields.Text()
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount_cost = fields.Monetary(
        string="Cost", help="What it cost us, untaxed, in the company's currency."
    )
    state = fields.Selection(
        [("open", "Open"), ("solved", "Solved")],
        default="open",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    logged_at = fields.Datetime(
        readonly=True, required=True, copy=False, default=fields.Datetime.now, index=True
    )
    solved_at = fields.Datetime(readonly=True, copy=False)
    solved_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    solution = fields.Text(help="What was done, and what keeps it from happening again.")
    days_open = fields.Float(
        string="Days to Solve",
        compute="_compute_days_open",
        store=True,
        digits=(16, 1),
        aggregator="avg",
        help="From the entry to the solution; nothing while it is open.",
    )

    # === CONSTRAINTS AND INDEXES === #
    _cost_positive = models.Constraint("CHECK (amount_cost >= 0)", "A cost cannot be negative.")

    # === COMPUTE METHODS === #
    @api.depends("logged_at", "solved_at")
    def _compute_days_open(self):
        for problem in self:
            duration = problem.solved_at and problem.solved_at - problem.logged_at
            problem.days_open = duration.total_seconds() / 86400 if duration else 0

    # === CONSTRAINT METHODS === #
    @api.constrains("reason_id")
    def _check_reason(self):
        if self.reason_id.filtered(lambda reason: reason.kind != "problem"):
            raise UserError(self.env._("Choose a kind of problem."))

    # === CRUD METHODS === #
    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {"logged_at", "solved_at", "solved_by_id", "state"}

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                self._check_server_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_server_fields(vals)
        return super().write(vals)

    # === ACTION METHODS === #
    def action_solve(self):
        for problem in self.filtered(lambda p: p.state == "open"):
            if not problem.cause:
                raise UserError(
                    self.env._("Say first with whom it began: that is what is evaluated later.")
                )
        self._set_state(
            {
                "state": "solved",
                "solved_at": fields.Datetime.now(),
                "solved_by_id": self.env.uid,
            }
        )
        return True

    def action_reopen(self):
        self._set_state({"state": "open", "solved_at": False, "solved_by_id": False})
        return True

    # === BUSINESS METHODS === #
    def _set_state(self, vals):
        self.check_access("write")
        self.filtered(lambda problem: problem.state != vals["state"])._set(vals)
