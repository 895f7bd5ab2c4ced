from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, float_compare

from .sale_admin_milestone import DERIVED_MEASURES, PERCENT_TARGETS, PLANNING_STATES


class SaleAdminMilestoneTemplate(models.Model):
    """A schedule to copy into contracts of the kinds, customers and products it is meant for."""

    _name = "sale.admin.milestone.template"
    _description = "Schedule Template"
    _order = "sequence, id"
    _check_company_auto = True

    # === FIELDS === #
    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True)
    kind = fields.Selection(
        selection=lambda self: self.env["sale.admin.contract"]._fields["kind"].selection,
        string="Contract Kind",
        help="Empty: any.",
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Customers", check_company=True, help="Empty: any."
    )
    categ_ids = fields.Many2many(
        "product.category", string="Product Categories", help="Empty: any."
    )
    note = fields.Text(string="When to Use", translate=True)
    line_ids = fields.One2many(
        "sale.admin.milestone.template.line", "template_id", copy=True, string="Milestones"
    )
    line_count = fields.Integer(string="Number of Milestones", compute="_compute_line_count")

    # === COMPUTE METHODS === #
    @api.depends("line_ids")
    def _compute_line_count(self):
        for template in self:
            template.line_count = len(template.line_ids)

    # === CONSTRAINT METHODS === #
    @api.constrains("line_ids")
    def _check_percentages(self):
        """Shares of a measure add up to all of it, unless amounts stand beside them."""
        for template in self:
            lines = template.line_ids.filtered(lambda line: line.measure in DERIVED_MEASURES)
            for (measure, target_type), shares in lines.grouped(
                lambda line: (line.measure, line.target_type)
            ).items():
                has_amounts = len(lines.filtered(lambda line, m=measure: line.measure == m)) > len(
                    shares
                )
                if target_type not in PERCENT_TARGETS or has_amounts:
                    continue
                total = sum(shares.mapped("target"))
                if float_compare(total, 100.0, precision_digits=2):
                    labels = dict(shares._fields["measure"]._description_selection(self.env))
                    raise ValidationError(
                        self.env._(
                            "Template “%(template)s”: the shares of measure “%(measure)s” add up "
                            "to %(total)s %%, not to 100 %%.",
                            template=template.name,
                            measure=labels[measure],
                            total=f"{total:g}",
                        )
                    )

    # === CRUD METHODS === #
    def copy_data(self, default=None):
        return [
            {**vals, "name": self.env._("%s (copy)", template.name)}
            for template, vals in zip(self, super().copy_data(default=default), strict=True)
        ]

    def copy(self, default=None):
        copies = super().copy(default)
        for template, new in zip(self, copies, strict=True):
            # The copy's milestones are counted from its own, not from those of the original.
            new_lines = dict(zip(template.line_ids, new.line_ids, strict=True))
            for line, new_line in new_lines.items():
                if line.anchor == "milestone":
                    new_line.write(
                        {"anchor": "milestone", "anchor_line_id": new_lines[line.anchor_line_id].id}
                    )
        return copies

    # === BUSINESS METHODS === #
    @api.model
    def _propose(self, contract):
        """Return the template that fits a contract best, empty if none fits.

        What is made for the customer goes before what is made for its products, that before what
        is made for the kind of contract, and own templates of the company before shared ones.
        """
        candidates = self.search(
            Domain("company_id", "in", [False, contract.company_id.id])
            & Domain("kind", "in", [False, contract.kind])
            & Domain("line_ids", "!=", False)
        )
        fitting = [template for template in candidates if template._is_fitting(contract)]
        return max(fitting, key=lambda template: template._get_fit(), default=self.browse())

    def _is_fitting(self, contract):
        """Hook: whether the template is meant for the customer and the products of a contract."""
        self.ensure_one()
        partner = contract.partner_id
        customers = partner | partner.parent_id | partner.commercial_partner_id
        if self.partner_ids and not self.partner_ids & customers:
            return False
        products = contract.line_ids.product_id | contract.order_ids.order_line.product_id
        paths = [categ.parent_path or "" for categ in products.categ_id]
        return not self.categ_ids or any(
            path.startswith(categ.parent_path) for categ in self.categ_ids for path in paths
        )

    def _get_fit(self):
        """Return how specially the template is made; the greatest wins, then the first in order."""
        self.ensure_one()
        depth = max((categ.parent_path.count("/") for categ in self.categ_ids), default=0)
        return (
            bool(self.partner_ids),
            depth,
            bool(self.kind),
            bool(self.company_id),
            -self.sequence,
            -self.id,
        )

    def _make_schedule(self, contract):
        """Make the milestones of a contract that has none from this template.

        :return: the milestones
        :raises UserError: when the contract has a schedule or has started
        """
        self.ensure_one()
        if contract.state not in PLANNING_STATES:
            raise UserError(
                self.env._(
                    "Contract %(contract)s has started: its schedule is agreed.",
                    contract=contract.display_name,
                )
            )
        if contract.milestone_ids:
            raise UserError(
                self.env._(
                    "Contract %(contract)s has a schedule: delete its milestones first.",
                    contract=contract.display_name,
                )
            )
        lines = self.line_ids
        milestones = (
            self.env["sale.admin.milestone"]
            .with_context(mail_create_nolog=True, tracking_disable=True)
            .create([line._prepare_milestone_vals(contract) for line in lines])
        )
        by_line = dict(zip(lines, milestones, strict=True))
        for line, milestone in by_line.items():
            if line.anchor == "milestone":
                milestone.write(
                    {
                        "anchor": "milestone",
                        "anchor_milestone_id": by_line[line.anchor_line_id].id,
                        "offset_days": line.offset_days,
                    }
                )
        milestones = milestones.with_env(self.env)
        self._copy_names(milestones)
        return milestones

    def _copy_names(self, milestones):
        """Give the milestones their names in every language, for customers read their own."""
        self.line_ids.flush_recordset(["name"])
        milestones.flush_recordset(["name", "template_line_id"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE sale_admin_milestone AS milestone
                   SET name = line.name
                  FROM sale_admin_milestone_template_line AS line
                 WHERE line.id = milestone.template_line_id
                   AND milestone.id IN %s
                """,
                tuple(milestones.ids),
            )
        )
        milestones.invalidate_recordset(["name"])
