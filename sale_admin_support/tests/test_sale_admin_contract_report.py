from datetime import date

from odoo.tests import freeze_time, tagged

from .common import SaleAdminSupportCommon

TODAY = "2026-03-20"


class ContractReportCommon(SaleAdminSupportCommon):
    """Contracts whose plan is written down as columns, so that figures can be counted by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = cls.env["sale.admin.contract.report"]
        cls.director = cls._create_user(
            "sales_director", "sale_admin_support.group_sale_admin_report"
        )
        cls.country = cls.env.ref("base.vn")
        cls.region_a, cls.region_b = cls.env["res.country.state"].create(
            [
                {"name": f"Region {code}", "code": f"SAS{code}", "country_id": cls.country.id}
                for code in "AB"
            ]
        )
        cls.customer_b = cls.env["res.partner"].create(
            {"name": "Nhà máy Đường Sài Gòn 上海", "is_company": True}
        )
        cls.customer.write({"country_id": cls.country.id, "state_id": cls.region_a.id})
        cls.customer_b.write({"country_id": cls.country.id, "state_id": cls.region_b.id})

    @classmethod
    def _set_columns(cls, record, **values):
        """Write what the app derives by itself elsewhere: here it is given."""
        cls.env.flush_all()
        assignments = ", ".join(f"{name} = %s" for name in values)
        cls.env.cr.execute(
            f"UPDATE {record._table} SET {assignments} WHERE id IN %s",
            [*values.values(), tuple(record.ids)],
        )
        cls.env.invalidate_all()

    @classmethod
    def _create_active_contract(cls, partner=None, signed="2026-03-01", value=1000.0, **values):
        contract = cls._create_contract(partner_id=(partner or cls.customer).id, **values)
        cls._set_columns(
            contract, state="active", date_signed=signed, amount_untaxed_baseline=value
        )
        return contract

    @classmethod
    def _plan(cls, contract, day, amount=0.0, measure="manual", reached=None, waived=False):
        milestone = cls.env["sale.admin.milestone"].create(
            {"contract_id": contract.id, "name": f"{measure} {day}", "date_planned": day}
        )
        columns = {
            "measure": measure,
            "date_planned": day,
            "date_baseline": day,
            "amount_planned": amount,
            "amount_baseline": amount,
            "date_reached": reached,
            "is_reached": bool(reached),
            "is_reached_late": bool(reached) and reached > day,
            "is_open": not reached and not waived,
            "is_waived": waived,
        }
        # Given once more for the others: a milestone added lets the schedule be judged anew.
        cls.given = {**getattr(cls, "given", {}), milestone: columns}
        for each, values in cls.given.items():
            if each.exists():
                cls._set_columns(each, **values)
        return milestone

    def _read(self, groupby=(), domain=(), measures=(), user=None):
        rows = self.report.with_user(user or self.director)._read_group(
            [("company_id", "=", self.company.id), *domain], groupby, measures
        )
        return rows


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestContractReport(ContractReportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Region A delivers 400 of 400 planned, region B 100 of 600: 500 of 1000 in all, which is
        # 50 %; the average of the two rates would be 58 %.
        cls.contract_a = cls._create_active_contract(user_id=cls.salesman.id, value=400.0)
        cls.contract_b = cls._create_active_contract(
            partner=cls.customer_b, user_id=cls.clerk.id, value=600.0
        )
        cls.order_a = cls._create_order(4.0, date="2026-03-02")
        cls.order_b = cls._create_order(6.0, date="2026-03-02", partner_id=cls.customer_b.id)
        cls._set_columns(cls.order_a, sale_contract_id=cls.contract_a.id)
        cls._set_columns(cls.order_b, sale_contract_id=cls.contract_b.id)
        cls._deliver(cls.order_a, date="2026-03-10")
        cls._deliver(cls.order_b, 1.0, date="2026-03-12")
        cls._plan(cls.contract_a, "2026-03-10", 400.0, "delivered", reached="2026-03-10")
        cls._plan(cls.contract_b, "2026-03-10", 600.0, "delivered")

    def _get_rates(self, groupby, domain=()):
        return {
            row[0] if groupby else None: tuple(
                round(value, 4) if value is not False else None for value in row[len(groupby) :]
            )
            for row in self._read(
                groupby,
                [("kind", "=", "delivered"), *domain],
                ["amount_planned:sum", "amount_actual:sum", "execution_rate:avg"],
            )
        }

    def test_execution_rate_of_groups_and_total(self):
        self.assertEqual(
            self._get_rates(["country_state_id"]),
            {self.region_a: (400.0, 400.0, 1.0), self.region_b: (600.0, 100.0, 0.1667)},
        )
        self.assertEqual(self._get_rates(["country_id"]), {self.country: (1000.0, 500.0, 0.5)})
        self.assertEqual(self._get_rates([]), {None: (1000.0, 500.0, 0.5)})

    def test_execution_rate_is_right_in_every_set_of_a_pivot(self):
        total, by_region = self.report._read_grouping_sets(
            [("company_id", "=", self.company.id), ("kind", "=", "delivered")],
            [[], ["country_state_id"]],
            ["execution_rate:avg"],
        )
        self.assertAlmostEqual(total[0][0], 0.5)
        self.assertEqual([round(rate, 4) for _region, rate in by_region], [1.0, 0.1667])

    def test_signed_value_is_no_execution(self):
        [(actual, rate)] = self._read(measures=["amount_actual:sum", "execution_rate:avg"])
        self.assertEqual((actual, rate), (1500.0, 0.5))
        [(signed, rate)] = self._read(
            domain=[("kind", "=", "signed")], measures=["amount_actual:sum", "execution_rate:avg"]
        )
        self.assertEqual((signed, rate), (1000.0, False))

    def test_a_return_lowers_the_actual_amount_of_its_own_month(self):
        self._return(self.order_a.picking_ids, 1.0, date="2026-04-02")
        months = self._read(
            ["date:month"],
            [("kind", "=", "delivered"), ("contract_id", "=", self.contract_a.id)],
            ["amount_actual:sum"],
        )
        self.assertEqual(months, [(date(2026, 3, 1), 400.0), (date(2026, 4, 1), -100.0)])

    def test_invoiced_is_untaxed_and_collected_with_taxes(self):
        invoice = self._invoice(self.order_a, date="2026-03-11")
        self._pay(invoice, amount=115.0, date="2026-03-15")
        kinds = dict(
            self._read(["kind"], [("contract_id", "=", self.contract_a.id)], ["amount_actual:sum"])
        )
        self.assertEqual(
            kinds, {"signed": 400.0, "delivered": 400.0, "invoiced": 400.0, "collected": 115.0}
        )

    def test_an_advance_is_collected(self):
        payment = self._prepay(50.0, date="2026-03-05")
        payment.move_id.sale_contract_id = self.contract_a
        kinds = dict(
            self._read(["kind"], [("contract_id", "=", self.contract_a.id)], ["amount_actual:sum"])
        )
        self.assertEqual(kinds["collected"], 50.0)

    # === MILESTONES === #
    def _get_punctuality(self, domain=()):
        [row] = self._read(
            domain=domain,
            measures=[
                "due_count:sum",
                "on_time_count:sum",
                "late_count:sum",
                "days_late:sum",
                "on_time_rate:avg",
                "average_days_late:avg",
            ],
        )
        return row

    def test_milestone_reached_on_its_day_is_on_time_and_the_day_after_late(self):
        on_time = self._plan(self.contract_a, "2026-02-10", reached="2026-02-10")
        late = self._plan(self.contract_a, "2026-02-10", reached="2026-02-11")
        self.assertEqual(
            self._get_punctuality([("milestone_id", "=", on_time.id)]), (1, 1, 0, 0, 1.0, False)
        )
        self.assertEqual(
            self._get_punctuality([("milestone_id", "=", late.id)]), (1, 0, 1, 1, 0.0, 1.0)
        )

    def test_milestone_is_not_due_today_and_late_tomorrow(self):
        milestone = self._plan(self.contract_a, TODAY)
        domain = [("milestone_id", "=", milestone.id)]
        self.assertEqual(self._get_punctuality(domain), (0, 0, 0, 0, False, False))
        with freeze_time("2026-03-21"):
            self.assertEqual(self._get_punctuality(domain), (1, 0, 1, 1, 0.0, 1.0))

    def test_today_is_the_company_s(self):
        milestone = self._plan(self.contract_a, TODAY)
        domain = [("milestone_id", "=", milestone.id)]
        self.company.sale_admin_tz = "Asia/Ho_Chi_Minh"
        with freeze_time("2026-03-20 16:59:00"):
            self.assertEqual(self._get_punctuality(domain)[0], 0)
        with freeze_time("2026-03-20 17:00:00"):
            self.assertEqual(self._get_punctuality(domain)[0], 1)

    def test_average_days_late_is_over_late_milestones_only(self):
        self._plan(self.contract_a, "2026-02-01", reached="2026-02-01")
        self._plan(self.contract_a, "2026-02-01", reached="2026-02-04")
        self._plan(self.contract_b, "2026-02-01", reached="2026-02-10")
        self.assertEqual(
            self._get_punctuality([("date", "<", "2026-03-01")]), (3, 1, 2, 12, 1 / 3, 6.0)
        )

    def test_waived_milestone_is_neither_planned_nor_due(self):
        milestone = self._plan(self.contract_a, "2026-02-01", 50.0, "delivered", waived=True)
        events = self._read(["event"], [("milestone_id", "=", milestone.id)])
        self.assertEqual(events, [("baseline",)])

    def test_a_draft_contract_has_no_plan_but_its_facts_count(self):
        self._set_columns(self.contract_a, state="draft")
        domain = [("contract_id", "=", self.contract_a.id)]
        self.assertEqual(self._read(["event"], domain), [("actual",)])
        self.assertEqual(self._read(["kind"], domain), [("delivered",)])

    # === DIMENSIONS === #
    def test_moving_the_customer_does_not_change_last_month(self):
        before = self._read(["country_state_id", "user_id"], [], ["amount_actual:sum"])
        self.customer.write({"state_id": self.region_b.id, "user_id": self.clerk.id})
        after = self._read(["country_state_id", "user_id"], [], ["amount_actual:sum"])
        self.assertEqual(before, after)
        self.assertEqual(len(after), 2)

    def test_sum_over_regions_is_the_sum_of_facts(self):
        self._set_columns(self.contract_b, country_state_id=None)
        self._return(self.order_a.picking_ids, 1.0, date="2026-03-15")
        regions = self._read(
            ["country_state_id"], [("kind", "=", "delivered")], ["amount_actual:sum"]
        )
        facts = self._get_fact_sums(
            [("contract_id", "in", (self.contract_a | self.contract_b).ids)]
        )
        self.assertEqual(
            sum(amount for _region, amount in regions),
            facts["delivered"][1] + facts["returned"][1],
        )
        self.assertEqual(dict(regions)[self.env["res.country.state"]], 100.0)

    # === AMENDMENTS AND CURRENCY === #
    def test_an_approved_amendment_adds_on_its_own_day(self):
        amendment = self.env["sale.admin.contract.amendment"].create(
            {"contract_id": self.contract_a.id, "reason": "More pumps"}
        )
        self._set_columns(amendment, state="draft", amount_untaxed_delta=70.0)
        domain = [("contract_id", "=", self.contract_a.id), ("kind", "=", "signed")]
        self.assertEqual(self._read([], domain, ["amount_actual:sum"]), [(400.0,)])
        self.company.sale_admin_tz = "Asia/Ho_Chi_Minh"
        self._set_columns(amendment, state="approved", decided_at="2026-04-30 17:30:00")
        self.assertEqual(
            self._read(["date:day"], domain, ["amount_actual:sum"]),
            [(date(2026, 3, 1), 400.0), (date(2026, 5, 1), 70.0)],
        )

    def test_plan_in_another_currency_is_converted_at_the_signature(self):
        currency = self.setup_other_currency(
            "EUR", rates=[("2026-01-01", 2.0), ("2026-02-15", 4.0), ("2026-03-15", 8.0)]
        )
        contract = self._create_active_contract(
            currency_id=currency.id, signed="2026-03-01", value=100.0
        )
        self._plan(contract, "2026-03-18", 40.0, "invoiced")
        [row] = self._read(
            [],
            [("contract_id", "=", contract.id)],
            ["amount_actual:sum", "amount_planned:sum", "amount_planned_currency:sum"],
        )
        self.assertEqual(row, (25.0, 10.0, 40.0))

    def test_signed_before_the_first_known_rate_takes_the_first(self):
        currency = self.setup_other_currency("EUR", rates=[("2026-01-01", 2.0)])
        contract = self._create_active_contract(
            currency_id=currency.id, signed="2025-12-31", value=100.0
        )
        [(amount,)] = self._read([], [("contract_id", "=", contract.id)], ["amount_actual:sum"])
        self.assertEqual(amount, 50.0)
        expected = currency._convert(100.0, self.company.currency_id, self.company, "2025-12-31")
        self.assertEqual(amount, expected)

    # === RIGHTS === #
    def test_salesperson_sees_own_contracts_only(self):
        own = self._read(["contract_id"], user=self.salesman)
        self.assertEqual(own, [(self.contract_a,)])

    def test_salesperson_of_the_customer_sees_its_contracts(self):
        self.customer_b.user_id = self.salesman
        contracts = self._read(["contract_id"], user=self.salesman)
        self.assertEqual(len(contracts), 2)

    def test_other_company_sees_nothing(self):
        company = self.env["res.company"].create({"name": "Other"})
        stranger = self._create_user(
            "stranger", "sale_admin_support.group_sale_admin_manager", company
        )
        self.assertFalse(self.report.with_user(stranger).search([]))
        self.assertTrue(self.report.with_user(self.director).search([]))

    def test_rows_are_found_by_their_ids(self):
        rows = self.report.search([("contract_id", "=", self.contract_a.id)])
        self.assertEqual(len(set(rows.ids)), 4)
        self.assertEqual(set(rows.mapped("kind")), {"signed", "delivered"})
        self.assertEqual(len(set(self.report.search([]).ids)), len(self.report.search([])))
        self.env.invalidate_all()
        self.assertEqual(self.report.browse(rows.ids).contract_id, self.contract_a)
        self.assertEqual(rows[0].action_open_contract()["res_id"], self.contract_a.id)
