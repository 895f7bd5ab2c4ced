import hashlib
import json

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_repr, format_datetime

CHECK_FIELDS = {"check_snapshot", "checked_at", "checked_by_id", "is_check_stale"}


class SaleOrder(models.Model):
    """Checked by a second person: who, when, what he saw, and what changed since."""

    _inherit = "sale.order"

    # === FIELDS === #
    checked_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, index="btree_not_null", ondelete="restrict"
    )
    checked_at = fields.Datetime(string="Checked On", readonly=True, copy=False)
    check_snapshot = fields.Json(
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="What the order promised when it was checked; technical.",
    )
    is_check_stale = fields.Boolean(
        string="Changed Since the Check",
        readonly=True,
        copy=False,
        help="The order no longer promises what the second person checked.",
    )
    check_change_html = fields.Html(
        string="What Changed Since the Check",
        compute="_compute_check_change_html",
        sanitize=False,
        groups="base.group_user",
    )
    is_waiting_for_check = fields.Boolean(
        string="Waiting for a Second Person",
        compute="_compute_is_waiting_for_check",
        search="_search_is_waiting_for_check",
    )
    can_mark_checked = fields.Boolean(compute="_compute_can_mark_checked")

    # === CONSTRAINTS AND INDEXES === #
    _check_stale_idx = models.Index("(id) WHERE is_check_stale IS TRUE")

    # === COMPUTE METHODS === #
    @api.depends(
        lambda self: (
            "check_snapshot",
            *self._get_checked_fields(),
            *(f"order_line.{fname}" for fname in self.order_line._get_checked_fields()),
        )
    )
    def _compute_check_change_html(self):
        for order in self:
            changes = order._get_changes_since_check()
            order.check_change_html = order._format_changes(changes) if changes else False

    def _compute_is_waiting_for_check(self):
        waiting = self.filtered_domain(self._get_waiting_domain())
        for order in self:
            order.is_waiting_for_check = order in waiting

    def _search_is_waiting_for_check(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._get_waiting_domain()

    @api.model
    def _get_waiting_domain(self):
        checks = self.env["sale.admin.check"].sudo().search([("kind", "=", "four_eyes")])
        return checks._get_waiting_domain()

    @api.depends_context("uid")
    @api.depends("state", "is_check_stale", "checked_at")
    def _compute_can_mark_checked(self):
        for order in self:
            order.can_mark_checked = not order._get_problems_to_mark_checked()

    # === CRUD METHODS === #
    def write(self, vals):
        res = super().write(vals)
        if self._get_checked_fields() & vals.keys():
            self._checked_values_changed()
        return res

    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | CHECK_FIELDS

    # === ACTION METHODS === #
    def action_mark_checked(self):
        """Note that the user at work has checked what the orders promise now.

        :raise UserError: naming the orders that he may not check, and why
        """
        self.check_access("read")
        for order in self:
            if problems := order._get_problems_to_mark_checked():
                raise UserError(
                    self.env._(
                        "%(order)s cannot be marked as checked: %(problems)s",
                        order=order.name,
                        problems=" ".join(problems),
                    )
                )
        for order in self.sudo():
            order._mark_checked(self.env.user)
        return True

    # === BUSINESS METHODS === #
    def _get_problems_to_mark_checked(self):
        """Return why the user at work cannot be the second person, in sentences."""
        self.ensure_one()
        user, order = self.env.user, self.sudo()
        problems = []
        if not user.has_group("sale_admin_support.group_sale_admin_user"):
            problems.append(self.env._("Sales administrators check orders."))
        if order.state == "cancel":
            problems.append(self.env._("It is cancelled."))
        if order.checked_at and not order._is_changed_since_check():
            problems.append(self.env._("%s has checked it already.", order.checked_by_id.name))
        if user in order._get_first_persons():
            problems.append(
                self.env._("You entered or last changed it: another person has to check it.")
            )
        return problems

    def _get_first_persons(self):
        """Hook: who entered and who last changed the order: they cannot check it."""
        return (self.entered_by_id or self.create_uid) | self.changed_by_id

    def _mark_checked(self, user):
        self.ensure_one()
        changes = self._get_changes_since_check()
        self._set(
            {
                "checked_by_id": user.id,
                "checked_at": fields.Datetime.now(),
                "check_snapshot": self._get_check_snapshot(),
                "is_check_stale": False,
            }
        )
        self._message_log(
            body=self.env._("Checked by %s.", user.name) + self._format_changes(changes),
            author_id=user.partner_id.id,
        )
        self._on_marked_checked()

    def _on_marked_checked(self):
        """Hook: what waited for the second person goes on at once."""
        judged = self.filtered(lambda order: order.hold_ids.filtered("is_current"))
        confirmed = judged.filtered(lambda order: order.state == "sale")
        confirmed._judge("recheck")
        (judged - confirmed)._judge("quotation")

    # === WHAT IS CHECKED === #
    @api.model
    def _get_checked_fields(self):
        """Hook: the fields that say what the order promises; a change makes a check stale."""
        return {
            "client_order_ref",
            "commitment_date",
            "company_id",
            "currency_id",
            "fiscal_position_id",
            "incoterm",
            "incoterm_location",
            "partner_id",
            "partner_invoice_id",
            "partner_shipping_id",
            "payment_term_id",
            "pricelist_id",
            "sale_contract_id",
        }

    def _get_checked_values(self):
        """Return what the order promises, as it can be kept and compared.

        :return: ``{"order": {field: value}, "lines": {str(id): {field: value}}}``; relations are
            ids, numbers are texts with the digits of their field
        """
        self.ensure_one()
        return {
            "order": {
                fname: self._get_checked_value(self, fname)
                for fname in sorted(self._get_checked_fields())
            },
            "lines": {
                str(line.id): {
                    fname: self._get_checked_value(line, fname)
                    for fname in sorted(line._get_checked_fields())
                }
                for line in self.order_line
                if line._is_checked()
            },
        }

    @api.model
    def _get_checked_value(self, record, fname):
        field, value = record._fields[fname], record[fname]
        if field.relational:
            return sorted(value.ids)
        if field.type == "float":
            digits = field.get_digits(self.env)
            return float_repr(value, digits[1]) if digits else repr(value)
        return fields.Datetime.to_string(value) if field.type == "datetime" else value

    def _get_fingerprint(self):
        """Return what the order promises in one short text: the same text, the same promise."""
        values = json.dumps(self._get_checked_values(), sort_keys=True)
        return hashlib.sha256(values.encode()).hexdigest()[:32]

    def _get_terms_fingerprint(self):
        """Likewise, but whatever is ordered of it: a release says itself up to which value."""
        values = self._get_checked_values()
        for line_values in values["lines"].values():
            del line_values["product_uom_qty"]
        values = json.dumps(values, sort_keys=True)
        return hashlib.sha256(values.encode()).hexdigest()[:32]

    def _is_changed_since_check(self):
        self.ensure_one()
        snapshot = self.sudo().check_snapshot
        return bool(snapshot) and snapshot["values"] != self.sudo()._get_checked_values()

    def _checked_values_changed(self):
        """What these orders promise may have changed: tell their checks and results."""
        for order in self.sudo():
            if not order.checked_at:
                continue
            is_stale = order._is_changed_since_check()
            if is_stale != order.is_check_stale:
                order._set({"is_check_stale": is_stale})
        self._mark_previewed_for_recheck()

    def _mark_previewed_for_recheck(self):
        """What was found wrong with a quotation is looked at again; orders judge themselves."""
        quotations = self.filtered(
            lambda o: (
                o.state in ("draft", "sent")
                and self.env["sale.admin.check"]._get_active(o.company_id)
            )
        )
        if not quotations:
            return
        previewed = (
            self.env["sale.admin.hold"]
            .sudo()
            ._read_group([("order_id", "in", quotations.ids), ("state", "=", "open")], ["order_id"])
        )
        if previewed:
            orders = self.browse(order.id for (order,) in previewed)
            self.env["sale.admin.hold"]._mark_recheck(orders=orders)

    # === WHAT CHANGED === #
    def _get_check_snapshot(self):
        """Return the promise together with its words, which remain when a record is gone."""
        return {
            "values": self._get_checked_values(),
            "texts": {
                "order": self._get_checked_texts(self),
                "lines": {
                    str(line.id): self._get_checked_texts(line)
                    for line in self.order_line
                    if line._is_checked()
                },
            },
        }

    @api.model
    def _get_checked_texts(self, record):
        return {
            fname: self._get_checked_text(record, fname) for fname in record._get_checked_fields()
        }

    @api.model
    def _get_checked_text(self, record, fname):
        field, value = record._fields[fname], record[fname]
        if field.relational:
            return ", ".join(value.mapped("display_name"))
        if field.type == "datetime":
            return format_datetime(self.env, value) if value else ""
        if field.type == "float":
            return f"{value:,.10g}"
        return str(value or "")

    def _get_changes_since_check(self):
        """Return what differs from what was checked last, in words.

        :return: list of tuples: line (empty: the order itself), what, before, now
        """
        self.ensure_one()
        order = self.sudo()
        if not order.check_snapshot:
            return []
        before, texts = order.check_snapshot["values"], order.check_snapshot["texts"]
        changes = [
            ("", *change)
            for change in self._compare_checked(order, before["order"], texts["order"])
        ]
        lines = {str(line.id): line for line in order.order_line if line._is_checked()}
        for line_id, line in lines.items():
            title = self._get_checked_title(self._get_checked_texts(line))
            if line_id in before["lines"]:
                changes += [
                    (title, *change)
                    for change in self._compare_checked(
                        line, before["lines"][line_id], texts["lines"][line_id]
                    )
                ]
            else:
                summary = self._summarize_checked(self._get_checked_texts(line))
                changes.append((title, self.env._("Line added"), "", summary))
        for line_id, known in texts["lines"].items():
            if line_id not in lines:
                title, summary = self._get_checked_title(known), self._summarize_checked(known)
                changes.append((title, self.env._("Line removed"), summary, ""))
        return changes

    @api.model
    def _compare_checked(self, record, values, texts):
        """Return the changed fields of an order or a line: tuples of label, before, now."""
        labels = record.fields_get(list(values), ["string"])
        return [
            (labels[fname]["string"], texts.get(fname, ""), self._get_checked_text(record, fname))
            for fname, value in values.items()
            if fname in record._fields and value != self._get_checked_value(record, fname)
        ]

    @api.model
    def _get_checked_title(self, texts):
        return texts.get("product_id") or (texts.get("name") or "").split("\n")[0]

    @api.model
    def _summarize_checked(self, texts):
        if not texts.get("product_id"):
            return ""
        return self.env._(
            "%(quantity)s %(unit)s at %(price)s less %(discount)s %%",
            quantity=texts["product_uom_qty"],
            unit=texts["product_uom_id"],
            price=texts["price_unit"],
            discount=texts["discount"],
        )

    @api.model
    def _format_changes(self, changes):
        """Return a table of the changes; every cell is escaped."""
        if not changes:
            return Markup()
        heads = ("", "", self.env._("When checked"), self.env._("Now"))
        row = Markup("<tr>%s</tr>")
        rows = [
            row % Markup().join(Markup("<td>%s</td>") % cell for cell in change)
            for change in changes
        ]
        head = row % Markup().join(Markup("<th>%s</th>") % cell for cell in heads)
        return Markup(
            '<table class="table table-sm w-auto"><thead>%s</thead><tbody>%s</tbody></table>'
        ) % (
            head,
            Markup().join(rows),
        )

    # === CUSTOMER FILE === #
    def _get_checked_customers(self):
        """Hook: the customers of whom none may be blocked: who orders, pays and receives."""
        self.ensure_one()
        contacts = self.partner_id | self.partner_invoice_id | self.partner_shipping_id
        return contacts.commercial_partner_id
