from odoo import api, models

OPEN_COLORS = {"late": "#dc3545", "due": "#fd7e14"}
REACHED_COLORS = {"reached": "#198754", "reached_late": "#b58100", "waived": "#6c757d"}


class ReportContractSchedule(models.AbstractModel):
    """The contract execution schedule as the house reads it.

    Amounts are in the contract's currency: deliveries untaxed, invoices and collections with taxes,
    as the columns say.
    """

    _name = "report.sale_admin_support.report_contract_schedule"
    _description = "Contract Execution Schedule"

    # === BUSINESS METHODS === #
    @api.model
    def _get_report_values(self, docids, data=None):
        contracts = self.env["sale.admin.contract"].browse(docids)
        contracts.check_access("read")
        # Who may read the contract may read how it is executed: a part of it would mislead.
        return {
            "doc_ids": docids,
            "doc_model": contracts._name,
            "docs": contracts.sudo(),
            "get_values": self._get_document_values,
        }

    @api.model
    def _get_document_values(self, contract):
        """Return what the page of one contract shows."""
        return {
            **contract._get_customer_status(),
            "today": contract.company_id._sale_admin_today(),
            "milestones": contract.milestone_ids,
            "orders": contract.order_ids.sorted("date_order"),
            "amendments": contract.amendment_ids.filtered(lambda a: a.state == "approved"),
            "totals": self._prepare_totals(contract),
            "get_color": self._get_status_color,
        }

    @api.model
    def _prepare_totals(self, contract):
        """Return what was agreed, what happened, and what is open of it."""
        untaxed, total = contract.amount_untaxed, contract.amount_total
        return [
            self._prepare_total(
                self.env._("Delivered, untaxed"), untaxed, contract.amount_delivered
            ),
            self._prepare_total(self.env._("Invoiced, untaxed"), untaxed, contract.amount_invoiced),
            self._prepare_total(
                self.env._("Collected, with taxes"), total, contract.amount_collected
            ),
        ]

    @api.model
    def _prepare_total(self, label, agreed, actual):
        return {
            "label": label,
            "agreed": agreed,
            "actual": actual,
            "open": max(agreed - actual, 0.0),
            "progress": actual / agreed if agreed else 0.0,
        }

    @api.model
    def _get_status_color(self, milestone):
        return {**OPEN_COLORS, **REACHED_COLORS}.get(milestone.status, "#495057")


class ReportContractStatus(models.AbstractModel):
    """The contract's status as its customer reads it, in the customer's language.

    Only what `_get_customer_status` gives out is printed: no internal word, note or person.
    """

    _name = "report.sale_admin_support.report_contract_status"
    _inherit = "report.sale_admin_support.report_contract_schedule"
    _description = "Contract Status for the Customer"

    # === BUSINESS METHODS === #
    @api.model
    def _get_report_values(self, docids, data=None):
        values = super()._get_report_values(docids, data)
        contracts = values["docs"]
        values["docs"] = [
            contract.with_context(lang=contract.partner_id.lang or self.env.lang)
            for contract in contracts
        ]
        return values

    @api.model
    def _get_document_values(self, contract):
        return {
            **contract._get_customer_status(),
            "today": contract.company_id._sale_admin_today(),
        }
