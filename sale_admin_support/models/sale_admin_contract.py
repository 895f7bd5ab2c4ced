from odoo import api, fields, models


class SaleAdminContract(models.Model):
    """The signed agreement with a customer, the orders under it and its execution schedule.

    Amounts are in the contract's currency.
    """

    _name = "sale.admin.contract"
    _description = "Sales Contract"
    _inherit = ["portal.mixin", "mail.thread.main.attachment", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True
    _rec_names_search = ["name", "title", "partner_ref", "partner_id.name"]

    # === FIELDS === #
    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default="/", index="trigram"
    )
    title = fields.Char(tracking=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_sign", "To Sign"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("done", "Done"),
            ("terminated", "Terminated"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        copy=False,
        index=True,
        tracking=True,
    )
    kind = fields.Selection(
        [
            ("single", "Single Order"),
            ("framework", "Framework"),
            ("distribution", "Distribution"),
        ],
        default="single",
        required=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        tracking=True,
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, tracking=True,
        check_company=True, ondelete="restrict",
        help="The company that signs; a contact of it can be named as signatory.",
    )
    signatory_id = fields.Many2one("res.partner", check_company=True, ondelete="restrict")
    partner_ref = fields.Char(string="Customer's Reference", copy=False, index="btree_not_null")
    payment_term_id = fields.Many2one("account.payment.term", check_company=True)
    user_id = fields.Many2one("res.users", string="Salesperson", index=True, tracking=True)
    admin_id = fields.Many2one(
        "res.users", string="Administrator", index=True, tracking=True,
        default=lambda self: self.env.user,
    )
    team_id = fields.Many2one("crm.team", string="Sales Team", check_company=True)
    country_id = fields.Many2one(
        "res.country", readonly=True, help="The customer's at the time the contract was opened."
    )
    country_state_id = fields.Many2one(
        "res.country.state", string="Region", readonly=True,
        help="The customer's at the time the contract was opened.",
    )

    date_signed = fields.Date(copy=False, tracking=True)
    date_start = fields.Date(copy=False, tracking=True)
    date_end = fields.Date(copy=False, tracking=True)
    renewal = fields.Selection(
        [
            ("none", "None"),
            ("negotiation", "By Negotiation"),
            ("tacit", "Tacit"),
        ],
        default="none",
        required=True,
        tracking=True,
    )
    notice_days = fields.Integer(string="Notice Period (Days)", tracking=True)
    date_notice = fields.Date(
        string="Last Day for Notice", compute="_compute_date_notice", store=True, index=True
    )
    predecessor_id = fields.Many2one(
        "sale.admin.contract", check_company=True, copy=False, readonly=True
    )
    successor_ids = fields.One2many("sale.admin.contract", "predecessor_id")

    amount_untaxed = fields.Monetary(string="Value Untaxed", tracking=True)
    amount_total = fields.Monetary(string="Value with Taxes")
    amount_untaxed_baseline = fields.Monetary(
        string="Baseline Untaxed", readonly=True, copy=False
    )
    amount_total_baseline = fields.Monetary(
        string="Baseline with Taxes", readonly=True, copy=False
    )
    date_start_baseline = fields.Date(readonly=True, copy=False)
    date_end_baseline = fields.Date(readonly=True, copy=False)

    signed_file = fields.Binary(attachment=True, copy=False)
    signed_file_name = fields.Char(copy=False)
    note = fields.Html(string="Internal Note")
    end_reason = fields.Text(string="Reason of the End", readonly=True, copy=False)

    order_ids = fields.One2many("sale.order", "sale_contract_id", string="Orders")
    line_ids = fields.One2many("sale.admin.contract.line", "contract_id", string="Agreed Lines")
    amendment_ids = fields.One2many("sale.admin.contract.amendment", "contract_id")
    milestone_template_id = fields.Many2one(
        "sale.admin.milestone.template", string="Schedule Template", check_company=True
    )
    milestone_ids = fields.One2many("sale.admin.milestone", "contract_id", string="Schedule")

    # === COMPUTE METHODS === #
    @api.depends("date_end", "notice_days")
    def _compute_date_notice(self):
        for contract in self:
            contract.date_notice = contract.date_end and fields.Date.subtract(
                contract.date_end, days=contract.notice_days
            )
