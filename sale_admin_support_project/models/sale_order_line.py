from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === CRUD METHODS === #
    def write(self, vals):
        result = super().write(vals)
        if vals.get("product_uom_qty"):
            # Odoo gave the task the hours of all that is ordered.
            self.filtered("qty_withheld")._allocate_released_hours()
        return result

    # === BUSINESS METHODS === #
    def _timesheet_service_generation(self):
        # Projects come before anything else: nobody has judged yet what they are for.
        self.order_id._judge_if_confirming()
        self._judge_due()
        lines = self.filtered(lambda line: line._may_start() and not line._waits_for_its_order())
        return super(SaleOrderLine, lines)._timesheet_service_generation()

    def _timesheet_create_task_prepare_values(self, project):
        values = super()._timesheet_create_task_prepare_values(project)
        if values.get("allocated_hours"):
            values["allocated_hours"] -= self._get_withheld_hours(self.company_id)
        return values

    def _prepare_task_template_vals(self, template, project):
        values = super()._prepare_task_template_vals(template, project)
        if not template.allocated_hours:
            policies = self._get_product_service_policy()
            values["allocated_hours"] -= sum(
                line._get_withheld_hours(self.company_id)
                for line in self.order_id.order_line
                if line.product_id.task_template_id == template
                and line.product_id.service_policy in policies
            )
        return values

    def _start_released(self, released):
        """Make what the lines' first release makes; add the hours of a later one."""
        result = super()._start_released(released)
        services = self.sudo().filtered(lambda line: line.is_service and not line.is_expense)
        services._allocate_released_hours()
        new = services.filtered(
            lambda line: (
                line.product_uom_id.compare(
                    released[line] + line.qty_withheld, line.product_uom_qty
                )
                >= 0
            )
        )
        # Lines without a quantity make projects as well, and wait for the order.
        new |= self.sudo().order_id.order_line.filtered(
            lambda line: (
                line.is_service and not (line.product_uom_qty or line.task_id or line.project_id)
            )
        )
        for company, lines in new.grouped("company_id").items():
            lines.with_company(company)._timesheet_service_generation()
        return result

    def _waits_for_its_order(self):
        """Of a line without a quantity nothing can be withheld; it goes with the order."""
        self.ensure_one()
        return not self.product_uom_qty and "handover" in self.order_id._get_held_stages()

    def _allocate_released_hours(self):
        """Give the tasks the hours of what is released."""
        for line in self.filtered(lambda line: line.task_id and line.product_id.type == "service"):
            company = line.task_id.company_id or self.env.user.company_id
            hours = line._convert_qty_company_hours(company) - line._get_withheld_hours(company)
            line.task_id.allocated_hours = hours

    def _get_withheld_hours(self, company):
        """Return the hours of what is not released, in the company's unit of working time."""
        self.ensure_one()
        if not self.product_uom_qty:
            return 0.0
        hours = self._convert_qty_company_hours(company)
        return hours * self.qty_withheld / self.product_uom_qty
