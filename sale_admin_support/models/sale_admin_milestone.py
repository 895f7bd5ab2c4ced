from odoo import fields, models

KINDS = [
    ("production", "Production"),
    ("delivery", "Delivery"),
    ("document", "Document"),
    ("invoice", "Invoice"),
    ("collection", "Collection"),
    ("acceptance", "Acceptance"),
    ("renewal", "Renewal"),
    ("other", "Other"),
]
MEASURES = [
    ("manual", "Set done by hand"),
    ("document", "Paper on file"),
    ("delivered", "Delivered"),
    ("invoiced", "Invoiced"),
    ("collected", "Collected"),
]
TARGET_TYPES = [
    ("percent", "% of Value"),
    ("amount", "Amount"),
    ("percent_quantity", "% of Quantity"),
    ("quantity", "Quantity"),
]
ANCHORS = [
    ("fixed", "Fixed date"),
    ("signature", "Signature"),
    ("confirmation", "Order confirmation"),
    ("promised", "Promised delivery"),
    ("milestone", "Another milestone"),
]


class SaleAdminMilestone(models.Model):
    """One dated obligation of a contract: something to make, deliver, hand over, invoice or collect.

    Targets are shares: milestones of the same measure follow each other by sequence, each starts
    where the one before it ends. Delivered and invoiced amounts are untaxed, collected ones include
    taxes; all are in the contract's currency. Quantities are in the product's own unit.
    """

    _name = "sale.admin.milestone"
    _description = "Contract Milestone"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "contract_id, sequence, id"
    _check_company_auto = True

    # === FIELDS === #
    contract_id = fields.Many2one(
        "sale.admin.contract", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="contract_id.currency_id", store=True)
    partner_id = fields.Many2one(related="contract_id.partner_id", store=True, index=True)
    contract_state = fields.Selection(related="contract_id.state", store=True)
    template_line_id = fields.Many2one("sale.admin.milestone.template.line", ondelete="set null")
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(KINDS, required=True, default="other", index=True)
    measure = fields.Selection(MEASURES, required=True, default="manual")
    user_id = fields.Many2one("res.users", string="Responsible", index=True)
    visible_to_customer = fields.Boolean(default=True)
    note = fields.Text(string="Internal Note")

    target_type = fields.Selection(TARGET_TYPES, required=True, default="percent")
    target = fields.Float(help="This milestone's own share, in the unit of the target type.")
    product_id = fields.Many2one(
        "product.product", check_company=True, help="Count this product only."
    )
    tolerance = fields.Float(string="Tolerance (%)")
    target_from = fields.Float(
        readonly=True, copy=False,
        help="Where the milestone begins on the cumulative scale of its measure: money or quantity.",
    )
    target_to = fields.Float(
        readonly=True, copy=False,
        help="Where the milestone is reached on the cumulative scale of its measure.",
    )
    amount_planned = fields.Monetary(
        readonly=True, copy=False,
        help="The share's value: untaxed, for collections with taxes.",
    )

    anchor = fields.Selection(ANCHORS, required=True, default="fixed")
    anchor_milestone_id = fields.Many2one("sale.admin.milestone", ondelete="restrict", index=True)
    offset_days = fields.Integer(string="Days after")
    date_planned = fields.Date(index=True, tracking=True)
    date_baseline = fields.Date(readonly=True, copy=False)
    amount_baseline = fields.Monetary(readonly=True, copy=False)
    replan_reason = fields.Char(copy=False)

    date_reached = fields.Date(readonly=True, copy=False)
    progress = fields.Float(readonly=True, copy=False, help="0 to 1.")
    status = fields.Selection(
        [
            ("planned", "Planned"),
            ("due", "Due"),
            ("late", "Late"),
            ("reached", "Reached"),
            ("reached_late", "Reached Late"),
            ("waived", "Waived"),
        ],
        compute="_compute_status",
    )

    date_done = fields.Date(readonly=True, copy=False)
    done_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    evidence = fields.Text(copy=False)
    file = fields.Binary(attachment=True, copy=False)
    file_name = fields.Char(copy=False)
    needs_verification = fields.Boolean(string="Second Person Verifies")
    verified_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    verified_at = fields.Datetime(readonly=True, copy=False)

    is_waived = fields.Boolean(readonly=True, copy=False)
    waived_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    waived_at = fields.Datetime(readonly=True, copy=False)
    waive_reason = fields.Text(readonly=True, copy=False)

    # === COMPUTE METHODS === #
    def _compute_status(self):
        self.status = "planned"

    # === BUSINESS METHODS === #
    def _filter_open(self):
        return self.filtered(lambda m: m.status not in ("reached", "reached_late", "waived"))

    def _check_schedule(self):
        return []

    def _freeze_baseline(self):
        for milestone in self:
            milestone.date_baseline = milestone.date_planned

    def _apply_amendment(self, amendment):
        pass
