from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache

MODES = [
    ("no_limit", "No limit"),
    ("limit", "A limit"),
    ("no_credit", "No credit at all"),
]


class SaleAdminCreditPolicy(models.Model):
    """What a company grants its customers, as long as nothing else was approved for one."""

    _name = "sale.admin.credit.policy"
    _description = "Credit Policy"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"

    # === FIELDS === #
    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", index=True, required=True, default=lambda self: self.env.company.root_id
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    mode = fields.Selection(
        MODES,
        string="Without an Approved Limit",
        required=True,
        default="no_credit",
        tracking=True,
        help="What holds for customers for whom no limit was approved.",
    )
    amount = fields.Monetary(string="Limit", tracking=True)
    tolerance_percent = fields.Float(
        string="Tolerance (%)",
        tracking=True,
        help="An order passes while the exposure is over the limit by no more than this.",
    )
    overdue_days = fields.Integer(
        string="Days Tolerated",
        default=0,
        tracking=True,
        help="Only items overdue for more than these days count as overdue.",
    )
    overdue_amount = fields.Monetary(
        string="Amount Tolerated",
        tracking=True,
        help="Overdue amounts up to this, as cents left over, hold nothing.",
    )
    grace_days = fields.Integer(
        string="Days of Grace",
        tracking=True,
        help="For so many days a limit that has ended still holds good.",
    )
    horizon_days = fields.Integer(
        string="Horizon (Days)",
        tracking=True,
        help="Orders promised for later than so many days from today do not count yet. 0: all "
        "orders count.",
    )
    release_days = fields.Integer(
        string="Releases Valid (Days)",
        default=30,
        tracking=True,
        help="For how long a credit controller's release of an order holds good. 0: no end.",
    )

    # === CONSTRAINTS AND INDEXES === #
    _amounts_positive = models.Constraint(
        "CHECK (amount >= 0 AND overdue_amount >= 0 AND tolerance_percent >= 0)",
        "Amounts and the tolerance of a credit policy cannot be negative.",
    )
    _days_positive = models.Constraint(
        "CHECK (overdue_days >= 0 AND grace_days >= 0 AND horizon_days >= 0 AND release_days >= 0)",
        "Days of a credit policy cannot be negative.",
    )

    # === CONSTRAINT METHODS === #
    @api.constrains("mode", "amount")
    def _check_limit_has_amount(self):
        for policy in self:
            if policy.mode == "limit" and policy.currency_id.is_zero(policy.amount):
                raise ValidationError(
                    self.env._(
                        "A limit needs an amount. To grant nothing, choose “No credit at all”."
                    )
                )

    @api.constrains("company_id")
    def _check_company(self):
        for policy in self:
            if policy.company_id != policy.company_id.root_id:
                raise ValidationError(self.env._("Branches share the policies of their company."))

    # === CRUD METHODS === #
    def write(self, vals):
        self.env.registry.clear_cache()
        res = super().write(vals)
        if not {"name", "sequence"}.issuperset(vals):
            self._let_customers_follow()
            self.env["sale.admin.hold"].sudo()._cron_mark_due()
        return res

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # === BUSINESS METHODS === #
    @ormcache("self.id")
    def _get_rules(self):
        """Return what the policy says, kept in memory: each order is judged by it."""
        policy = self.sudo()
        return {
            "mode": policy.mode,
            "amount": policy.amount,
            "tolerance_percent": policy.tolerance_percent,
            "overdue_days": policy.overdue_days,
            "overdue_amount": policy.overdue_amount,
            "grace": policy.grace_days,
            "horizon": policy.horizon_days,
            "release_days": policy.release_days,
        }

    def _get_core_limit(self):
        """Return what core's ``credit_limit`` says of customers without an approved limit."""
        self.ensure_one()
        terms = {"mode": self.mode, "amount": self.amount}
        return self.env["res.partner"]._get_core_credit_limit(terms, self.company_id)

    def _let_customers_follow(self):
        """Let core's limits follow the policy."""
        for policy in self.sudo():
            company = policy.company_id
            partners = self.env["res.partner"].sudo().with_company(company)
            partners.search([("credit_policy_id", "=", policy.id)])._follow_credit_terms(company)
            if company.sale_admin_credit_policy_id == policy:
                company._follow_credit_policy()
