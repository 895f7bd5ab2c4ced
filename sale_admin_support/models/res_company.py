from datetime import datetime

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from odoo.addons.base.models.res_partner import _tz_get

from .sale_admin_check import SETS


class ResCompany(models.Model):
    _inherit = "res.company"

    sale_admin_tz = fields.Selection(
        _tz_get,
        string="Sales Administration Time Zone",
        required=True,
        default=lambda self: self._default_sale_admin_tz(),
        help="Deliveries and orders are dated by the day in this time zone, and so is today.",
    )
    sale_admin_contract_mode = fields.Selection(
        [
            ("never", "Never"),
            ("template", "When the quotation template says so"),
            ("always", "Always"),
        ],
        string="Open a Contract for Confirmed Orders",
        required=True,
        default="template",
    )
    sale_admin_renewal_days = fields.Integer(
        string="Renewal Window (Days)",
        default=60,
        help="A contract's renewal is put before its administrator this many days before the last "
        "day to give notice, or before its end when no notice is agreed.",
    )
    sale_admin_max_file_size = fields.Integer(
        string="Largest File (MB)",
        default=25,
        help="Contract papers larger than this are refused.",
    )
    # credit
    sale_admin_credit_policy_id = fields.Many2one(
        "sale.admin.credit.policy",
        string="Credit Policy",
        ondelete="restrict",
        domain="[('company_id', '=', id)]",
        help="Rules the credit of all customers that have no policy of their own. Empty: credit "
        "is ruled only for those that have one.",
    )

    # --- intake
    sale_admin_channel_required = fields.Boolean(
        string="Ask for the Order Channel",
        help="Orders entered by hand say by which channel they came in.",
    )
    sale_admin_intake_alias_id = fields.Many2one(
        "mail.alias", string="Order Address", copy=False, ondelete="set null"
    )
    sale_admin_intake_alias_name = fields.Char(
        string="Order Address Name",
        compute="_compute_sale_admin_intake_alias_name",
        inverse="_inverse_sale_admin_intake_alias_name",
        help="Mails to this address become incoming orders.",
    )
    sale_admin_intake_alias_domain = fields.Char(related="alias_domain_id.name")
    sale_admin_duplicate_days = fields.Integer(
        string="Duplicate Window (Days)",
        default=7,
        help="Orders of a customer with the same lines and amount within so many days may be one "
        "order entered twice; 0: do not compare lines.",
    )
    sale_admin_duplicate_ref_days = fields.Integer(
        string="Duplicate Reference Window (Days)",
        default=365,
        help="Orders of a customer with the same reference within so many days may be one order "
        "entered twice; 0: do not compare references.",
    )
    sale_admin_clarification_days = fields.Integer(
        string="Time to Answer (Days)",
        default=2,
        help="When an answer to a question is due, unless it says otherwise.",
    )
    sale_admin_clarification_reminders = fields.Integer(
        string="Reminders",
        default=2,
        help="How often an answer is asked for again by itself, once a day from the due date on; "
        "then whoever asked has to call.",
    )

    # --- checks
    sale_admin_check_set = fields.Selection(
        [("none", "None"), *SETS],
        string="Ready-Made Checks",
        required=True,
        default="none",
        help="Which ready-made checks judge the company's orders. Each can be changed and switched "
        "off afterwards.",
    )

    def _default_sale_admin_tz(self):
        """At installation nobody is at work: the administrator's zone is the best guess."""
        admin = self.env.ref("base.user_admin", raise_if_not_found=False)
        return self.env.user.tz or (admin and admin.sudo().tz) or "UTC"

    # sudo: only who keeps the settings writes companies; aliases belong to the mail administrator
    @api.depends("sale_admin_intake_alias_id.alias_name")
    def _compute_sale_admin_intake_alias_name(self):
        for company in self:
            company.sale_admin_intake_alias_name = (
                company.sudo().sale_admin_intake_alias_id.alias_name
            )

    def _inverse_sale_admin_intake_alias_name(self):
        """Open, rename or close the company's mailbox for orders."""
        for company in self:
            alias = company.sudo().sale_admin_intake_alias_id
            name = (company.sale_admin_intake_alias_name or "").strip()
            if not name:
                alias.unlink()
            elif alias:
                alias.write({"alias_name": name})
            else:
                company.sale_admin_intake_alias_id = alias.create(
                    company._prepare_sale_admin_intake_alias(name)
                )

    def _prepare_sale_admin_intake_alias(self, name):
        return {
            "alias_name": name,
            "alias_domain_id": self.alias_domain_id.id,
            "alias_model_id": self.env["ir.model"]._get_id("sale.admin.intake"),
            "alias_defaults": repr({"company_id": self.id}),
            "alias_contact": "everyone",
        }

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._create_sale_admin_sequences()
        companies.filtered(lambda c: c.sale_admin_check_set != "none")._apply_sale_admin_check_set()
        return companies

    def write(self, vals):
        changed = ruled = self.browse()
        if "sale_admin_check_set" in vals:
            check_set = vals["sale_admin_check_set"]
            changed = self.filtered(lambda company: company.sale_admin_check_set != check_set)
        if "sale_admin_credit_policy_id" in vals:
            self._check_may_rule_credit()
            ruled = self.filtered("sale_admin_credit_policy_id")
        res = super().write(vals)
        changed._apply_sale_admin_check_set()
        if "sale_admin_credit_policy_id" in vals:
            self._on_credit_policy_chosen(ruled)
        return res

    def _apply_sale_admin_check_set(self):
        for company in self:
            self.env["sale.admin.check"]._apply_set(company, company.sale_admin_check_set)

    @api.model
    def _create_missing_sale_admin_sequences(self):
        """Number the registers of the companies that were there before the app."""
        self.sudo().search([])._create_sale_admin_sequences()

    def _create_sale_admin_sequences(self):
        """Give each company its own numbers, which begin anew each year."""
        sequences = self.env["ir.sequence"].sudo()
        for code, vals in self._get_sale_admin_sequences().items():
            known = sequences.search([("code", "=", code), ("company_id", "in", self.ids)])
            sequences.create(
                [
                    {"code": code, "company_id": company.id, "use_date_range": True, **vals}
                    for company in self - known.company_id
                ]
            )

    @api.model
    def _get_sale_admin_sequences(self):
        """Hook: the registers' numbers, ``{code: values of ir.sequence}``."""
        return {
            "sale.admin.contract": {
                "name": self.env._("Sales Contract"),
                "prefix": "CT/%(range_year)s/",
                "padding": 4,
            }
        }

    def _sale_admin_today(self):
        """Return today's date in the company's time zone."""
        self.ensure_one()
        return datetime.now(pytz.timezone(self.sale_admin_tz or "UTC")).date()

    def _sale_admin_date(self, moment):
        """Return the day of a UTC datetime in the company's time zone; falsy stays falsy."""
        self.ensure_one()
        if not moment:
            return moment
        zone = pytz.timezone(self.sale_admin_tz or "UTC")
        return pytz.utc.localize(moment).astimezone(zone).date()

    def _check_sale_admin_file(self, content):
        """Refuse a paper that is larger than the company allows.

        :param content: a Binary field's base64 value
        :raise ValidationError: with the size and the limit
        """
        encoded = content or b""
        self._check_sale_admin_file_size(len(encoded) * 3 // 4 - encoded.count(b"="))

    def _check_sale_admin_file_size(self, size):
        """Refuse `size` bytes when the company allows less for one file.

        :raise ValidationError: with the size and the limit
        """
        self.ensure_one()
        megabytes = size / 1024 / 1024
        if megabytes > self.sale_admin_max_file_size:
            raise ValidationError(
                self.env._(
                    "The file has %(size).1f MB, more than the %(limit)s MB allowed: send a "
                    "smaller scan, or raise the limit in the settings.",
                    size=megabytes,
                    limit=self.sale_admin_max_file_size,
                )
            )

    # === CREDIT === #
    def _on_credit_policy_chosen(self, ruled):
        """:param ruled: those of the companies that had a policy before"""
        for company in self.sudo():
            if company not in ruled:
                self.env["res.partner"]._adopt_core_limits(company)
            company._follow_credit_policy()
        self.env["sale.admin.hold"].sudo()._cron_mark_due()

    def _check_may_rule_credit(self):
        """:raise AccessError: to all but credit controllers and sales administration managers"""
        if not self.env.su and not self.env.user.has_groups(
            "sale_admin_support.group_sale_admin_credit,sale_admin_support.group_sale_admin_manager"
        ):
            raise AccessError(
                self.env._("Credit policies are chosen by credit controllers: ask one of them.")
            )

    def _follow_credit_policy(self):
        """Let core's default limit be that of the company's policy."""
        for company in self.sudo():
            if policy := company.sale_admin_credit_policy_id:
                for branch in self.sudo().search([("id", "child_of", company.id)]):
                    self.env["ir.default"].sudo().set(
                        "res.partner",
                        "credit_limit",
                        policy._get_core_limit(),
                        company_id=branch.id,
                    )
