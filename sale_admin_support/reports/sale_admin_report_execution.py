from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

PLANNED_KINDS = ("delivered", "invoiced", "collected")
TOP_CUSTOMERS = 20


class SaleAdminReportExecution(models.AbstractModel):
    """Planned against actual in a period, by region, salesperson, team and customer.

    Company currency; amounts and rates are those of `sale.admin.contract.report`.
    """

    _name = "sale.admin.report.execution"
    _inherit = "sale.admin.report"
    _description = "Execution Statistics"

    # === BUSINESS METHODS === #
    @api.model
    def _get_report_name(self):
        return self.env._("Execution Statistics")

    @api.model
    def _get_sections(self, period, options):
        figures = self._read_figures(period, self._get_groupings())
        totals = figures[()]
        return [
            self._prepare_overview(totals),
            self._prepare_milestones(totals),
            *(
                self._prepare_dimension(*dimension, figures, totals)
                for dimension in self._get_dimensions()
            ),
            self._prepare_customers(period, totals),
        ]

    @api.model
    def _get_dimensions(self):
        """Hook: what totals are given by.

        :return: tuples (name, title, heading of the rows, one grouping for each level of rows)
        """
        return [
            (
                "region",
                self.env._("By Region"),
                self.env._("Country and Region"),
                [["country_id"], ["country_id", "country_state_id"]],
            ),
            (
                "salesperson",
                self.env._("By Salesperson"),
                self.env._("Salesperson"),
                [["user_id"]],
            ),
            ("team", self.env._("By Sales Team"), self.env._("Sales Team"), [["team_id"]]),
        ]

    @api.model
    def _get_groupings(self):
        return [[]] + [
            grouping for dimension in self._get_dimensions() for grouping in dimension[-1]
        ]

    @api.model
    def _read_figures(self, period, groupings, domain=Domain.TRUE):
        """Read the report's figures of the period and of the one before it.

        :return: `{grouping: {key: {(is_previous, kind): {measure: value}}}}`; grouping is a tuple
            of fields, key a tuple of records, and kind None stands for all kinds together
        """
        figures = {tuple(grouping): defaultdict(dict) for grouping in groupings}
        # Both periods at once: the facts are read one time for all of them.
        day = f"date:{period.level}"
        sets = [[day, *grouping, *kind] for grouping in figures for kind in ((), ("kind",))]
        measures = self._get_measures()
        results = self.env["sale.admin.contract.report"]._read_grouping_sets(
            domain & self._get_domain(period.get_previous().date_from, period.date_to),
            sets,
            measures,
        )
        for specs, rows in zip(sets, results, strict=True):
            grouping = tuple(spec for spec in specs if spec not in (day, "kind"))
            for row in rows:
                key = row[1 : len(grouping) + 1]
                kind = row[len(specs) - 1] if "kind" in specs else None
                values = dict(zip(measures, row[len(specs) :], strict=True))
                figures[grouping][key][row[0] < period.date_from, kind] = values
        return figures

    @api.model
    def _get_domain(self, date_from, date_to):
        return Domain(
            [
                ("company_id", "=", self.env.company.id),
                ("date", ">=", date_from),
                ("date", "<=", date_to),
            ]
        )

    @api.model
    def _get_measures(self):
        return [
            "amount_planned:sum",
            "amount_actual:sum",
            "execution_rate:avg",
            "due_count:sum",
            "on_time_count:sum",
            "late_count:sum",
            "on_time_rate:avg",
            "average_days_late:avg",
        ]

    # === SECTIONS === #
    @api.model
    def _prepare_overview(self, totals):
        kinds = self._get_kind_labels()
        rows = []
        for kind in ("signed", *PLANNED_KINDS):
            current, previous = self._get_pair(totals[()], kind)
            rows.append(
                self._prepare_row(
                    {
                        "kind": kinds[kind],
                        "planned": current.get("amount_planned:sum") if kind != "signed" else None,
                        "actual": current.get("amount_actual:sum") or 0.0,
                        "rate": self._get_rate(current, "execution_rate:avg", "amount_planned:sum"),
                        "previous": previous.get("amount_actual:sum") or 0.0,
                        "previous_rate": self._get_rate(
                            previous, "execution_rate:avg", "amount_planned:sum"
                        ),
                        "change": self._get_change(current, previous),
                    }
                )
            )
        column = self._prepare_column
        this, before = self.env._("This Period"), self.env._("Previous Period")
        return self._prepare_section(
            "overview",
            self.env._("Overview"),
            [
                column("kind", self.env._("Amounts")),
                column("planned", self.env._("Planned"), "amount", this),
                column("actual", self.env._("Actual"), "amount", this),
                column("rate", self.env._("Execution Rate"), "percent", this),
                column("previous", self.env._("Actual"), "amount", before),
                column("previous_rate", self.env._("Execution Rate"), "percent", before),
                column("change", self.env._("Change of Actual"), "percent"),
            ],
            rows,
            notes=[
                self.env._(
                    "Signed value, deliveries (less returns) and invoices (less credit notes) are "
                    "untaxed; collections are with taxes and include advances."
                ),
                self.env._(
                    "Plans and signed values in another currency are converted at the rate of the "
                    "day of signature, what happened at the rate of its own document."
                ),
            ],
        )

    @api.model
    def _prepare_milestones(self, totals):
        kinds = self._get_kind_labels()
        rows = [
            self._prepare_milestone_row(kinds[kind], *self._get_pair(totals[()], kind))
            for kind in (*PLANNED_KINDS, "other")
        ]
        rows.append(
            self._prepare_milestone_row(
                self.env._("Total"), *self._get_pair(totals[()], None), is_total=True
            )
        )
        column = self._prepare_column
        this, before = self.env._("This Period"), self.env._("Previous Period")
        return self._prepare_section(
            "milestones",
            self.env._("Milestones"),
            [
                column("kind", self.env._("Obligations")),
                column("due", self.env._("Due"), "integer", this),
                column("on_time", self.env._("On Time"), "integer", this),
                column("late", self.env._("Late"), "integer", this),
                column("on_time_rate", self.env._("On-Time Rate"), "percent", this),
                column("days_late", self.env._("Average Days Late"), "float", this),
                column("previous_on_time_rate", self.env._("On-Time Rate"), "percent", before),
                column("previous_days_late", self.env._("Average Days Late"), "float", before),
            ],
            rows,
            notes=[
                self.env._(
                    "Due: planned for the period, and reached or past its day. The average is over "
                    "the milestones that are late."
                )
            ],
        )

    @api.model
    def _prepare_milestone_row(self, label, current, previous, is_total=False):
        return self._prepare_row(
            {
                "kind": label,
                "due": current.get("due_count:sum") or 0,
                "on_time": current.get("on_time_count:sum") or 0,
                "late": current.get("late_count:sum") or 0,
                "on_time_rate": self._get_rate(current, "on_time_rate:avg", "due_count:sum"),
                "days_late": self._get_rate(current, "average_days_late:avg", "late_count:sum"),
                "previous_on_time_rate": self._get_rate(
                    previous, "on_time_rate:avg", "due_count:sum"
                ),
                "previous_days_late": self._get_rate(
                    previous, "average_days_late:avg", "late_count:sum"
                ),
            },
            is_total=is_total,
        )

    @api.model
    def _prepare_dimension(self, name, title, heading, groupings, figures, totals):
        rows = [
            self._prepare_figures_row(labels[-1], figures[grouping][key], level)
            for labels, level, grouping, key in self._sort_keys(groupings, figures)
        ]
        rows.append(self._prepare_figures_row(self.env._("Total"), totals[()], is_total=True))
        return self._prepare_section(name, title, self._get_figures_columns(heading), rows)

    @api.model
    def _sort_keys(self, groupings, figures):
        """Return the rows' (labels, level, grouping, key), each one below the one it belongs to."""
        keys = [
            (self._get_labels(key), level, tuple(grouping), key)
            for level, grouping in enumerate(groupings)
            for key in figures[tuple(grouping)]
        ]
        return sorted(
            keys,
            key=lambda row: [
                (not record, label.casefold(), record.id)
                for record, label in zip(row[3], row[0], strict=True)
            ],
        )

    @api.model
    def _get_labels(self, key):
        # The names of what the reader may read figures about, whatever else of it he may read.
        return [record.sudo().display_name or self.env._("Not specified") for record in key]

    @api.model
    def _prepare_customers(self, period, totals):
        partners = self._get_largest_customers(period)
        contracts = self.env["sale.admin.contract"].search([("partner_id", "in", partners.ids)])
        figures = self._read_figures(
            period, [["partner_id"]], Domain("contract_id", "in", contracts.ids)
        )["partner_id",]
        rows = [
            self._prepare_figures_row(self._get_labels([partner])[0], figures[partner,])
            for partner in partners
        ]
        rows.append(
            self._prepare_figures_row(self.env._("All Customers"), totals[()], is_total=True)
        )
        return self._prepare_section(
            "customer",
            self.env._("Largest Customers"),
            self._get_figures_columns(self.env._("Customer")),
            rows,
            subtitle=self.env._("The %s with the largest invoiced amount", TOP_CUSTOMERS),
        )

    @api.model
    def _get_largest_customers(self, period):
        domain = self._get_domain(period.date_from, period.date_to) & Domain(
            "kind", "=", "invoiced"
        )
        top = self.env["sale.admin.contract.report"]._read_group(
            domain,
            ["partner_id"],
            ["amount_actual:sum"],
            having=[("amount_actual:sum", ">", 0)],
            order="amount_actual:sum DESC, partner_id",
            limit=TOP_CUSTOMERS,
        )
        return self.env["res.partner"].union(*(partner for partner, _amount in top))

    @api.model
    def _get_figures_columns(self, label):
        kinds = self._get_kind_labels()
        column = self._prepare_column
        change = self.env._("Change")
        columns = [
            column("name", label),
            column("signed_actual", self.env._("Value"), "amount", kinds["signed"]),
            column("signed_change", change, "percent", kinds["signed"]),
        ]
        for kind in PLANNED_KINDS:
            columns += [
                column(f"{kind}_planned", self.env._("Planned"), "amount", kinds[kind]),
                column(f"{kind}_actual", self.env._("Actual"), "amount", kinds[kind]),
                column(f"{kind}_rate", self.env._("Rate"), "percent", kinds[kind]),
                column(f"{kind}_change", change, "percent", kinds[kind]),
            ]
        milestones = self.env._("Milestones")
        return columns + [
            column("due", self.env._("Due"), "integer", milestones),
            column("on_time_rate", self.env._("On Time"), "percent", milestones),
            column("days_late", self.env._("Days Late"), "float", milestones),
        ]

    @api.model
    def _prepare_figures_row(self, label, figures, level=0, is_total=False):
        values = {"name": label}
        for kind in ("signed", *PLANNED_KINDS):
            current, previous = self._get_pair(figures, kind)
            values[f"{kind}_planned"] = current.get("amount_planned:sum") or 0.0
            values[f"{kind}_actual"] = current.get("amount_actual:sum") or 0.0
            values[f"{kind}_rate"] = self._get_rate(
                current, "execution_rate:avg", "amount_planned:sum"
            )
            values[f"{kind}_change"] = self._get_change(current, previous)
        current, _previous = self._get_pair(figures, None)
        values["due"] = current.get("due_count:sum") or 0
        values["on_time_rate"] = self._get_rate(current, "on_time_rate:avg", "due_count:sum")
        values["days_late"] = self._get_rate(current, "average_days_late:avg", "late_count:sum")
        return self._prepare_row(values, level, is_total)

    # === PIECES === #
    @api.model
    def _get_kind_labels(self):
        field = self.env["sale.admin.contract.report"]._fields["kind"]
        return dict(field._description_selection(self.env))

    @api.model
    def _get_pair(self, figures, kind):
        """Return the values of the period and of the previous one."""
        return figures.get((False, kind), {}), figures.get((True, kind), {})

    @api.model
    def _get_rate(self, values, rate, base):
        """Return the rate, or None where there is nothing to measure by."""
        return (values.get(rate) or 0.0) if values.get(base) else None

    @api.model
    def _get_change(self, current, previous):
        """Return the actual amount's growth over the previous period; None without one."""
        before = previous.get("amount_actual:sum") or 0.0
        if not before:
            return None
        return ((current.get("amount_actual:sum") or 0.0) - before) / abs(before)
