import binascii
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

STATUS_REPORT = "sale_admin_support.action_report_contract_status"
# States in which a contract is shown to its customer.
PORTAL_STATES = ("to_sign", "active", "suspended", "done", "terminated")
SIGNATURE_FIELDS = {"signature", "signed_by", "signed_on", "signed_amount_total"}


class SaleAdminContract(models.Model):
    """What the customer sees of a contract, is sent of it, and does to sign it."""

    _inherit = "sale.admin.contract"

    # === FIELDS === #
    signature = fields.Image(
        string="Customer's Signature", max_width=1024, max_height=1024, readonly=True, copy=False
    )
    signed_by = fields.Char(string="Signed Online by", readonly=True, copy=False)
    signed_on = fields.Datetime(string="Signed Online on", readonly=True, copy=False)
    signed_amount_total = fields.Monetary(
        string="Value Signed Online", readonly=True, copy=False, help="With taxes."
    )

    # === CRUD METHODS === #
    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | SIGNATURE_FIELDS

    def _check_locked_fields(self, vals):
        super()._check_locked_fields(vals)
        if not self._get_locked_fields().intersection(vals):
            return
        for contract in self:
            if contract.signature and contract.state == "to_sign":
                raise UserError(
                    self.env._(
                        "%s is signed by the customer: set it back to draft to change it, and let "
                        "it be signed again.",
                        contract.name,
                    )
                )

    # === ACTION METHODS === #
    def action_send_status(self):
        """Open the mail to the customer with the status as it is now, as a PDF."""
        return self._get_customer_mail_action("sale_admin_support.mail_template_contract_status")

    def action_ask_signature(self):
        """Open the mail that asks the customer to sign online."""
        self.ensure_one()
        if self.state != "to_sign":
            raise UserError(self.env._("%s is not waiting for a signature.", self.name))
        return self._get_customer_mail_action("sale_admin_support.mail_template_contract_to_sign")

    def action_preview(self):
        """Open the page as the customer sees it."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "target": "self", "url": self.get_portal_url()}

    # === BUSINESS METHODS: WHO SEES WHAT === #
    @api.model
    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        # The chatter is the desk's: a customer's link opens the page, not the talk behind it.
        return super()._get_thread_with_access(thread_id, **kwargs)

    @api.model
    def _get_portal_state_domain(self):
        return Domain("state", "in", PORTAL_STATES)

    @api.model
    def _get_portal_domain(self, user):
        """Return the domain of the contracts that a customer's user may see.

        These are the contracts of the user's whole company, whoever follows them.
        """
        customer = user.partner_id.commercial_partner_id
        return (
            self._get_portal_state_domain()
            & Domain("partner_id.commercial_partner_id", "=", customer.id)
            & Domain("company_id", "in", user._get_company_ids())
        )

    def _get_report_base_filename(self):
        self.ensure_one()
        return self.env._("Contract %s", self.name)

    def _get_customer_contact(self):
        """Return the one colleague whose name the customer is told."""
        self.ensure_one()
        return self.user_id or self.admin_id

    def _get_customer_milestones(self):
        """Return the milestones that customers see, by planned date; those without one last."""
        return self.milestone_ids.filtered("visible_to_customer").sorted(
            lambda m: (m.date_planned or fields.Date.to_date("9999-12-31"), m.sequence, m.id)
        )

    def _get_customer_next_milestones(self):
        """Return ``{contract_id: milestone}``: what comes next, of what customers see."""
        milestones = self.env["sale.admin.milestone"].search(
            [
                ("contract_id", "in", self.ids),
                ("visible_to_customer", "=", True),
                ("date_planned", "!=", False),
                ("date_reached", "=", False),
                ("is_waived", "=", False),
            ],
            order="date_planned desc, id desc",
        )
        return {milestone.contract_id.id: milestone for milestone in milestones}

    def _get_customer_status(self):
        """Return what the customer is shown of the contract: page and document read the same.

        Amounts include taxes and are in the contract's currency, quantities are in the product's
        own unit. Only what is named here leaves the house.

        :return: ``{"contact", "milestones", "products", "deliveries", "invoices", "payments",
            "amount_invoiced", "amount_paid", "amount_open"}``
        """
        self.ensure_one()
        invoices = self._get_customer_invoices()
        payments = self._get_customer_payments()
        return {
            "contact": self._get_customer_contact(),
            "milestones": self._get_customer_milestones(),
            "products": self._get_customer_products(),
            "deliveries": self._get_customer_deliveries(),
            "invoices": invoices,
            "payments": payments,
            "amount_invoiced": sum(invoice["amount"] for invoice in invoices),
            "amount_paid": sum(payment["amount"] for payment in payments),
            "amount_open": sum(invoice["amount_open"] for invoice in invoices),
        }

    def _get_customer_products(self):
        """Return the goods: ``[{"product", "ordered", "delivered", "open"}]``, as ordered."""
        quantities = {}
        for product, kind, quantity in self.env["sale.admin.fact"]._read_group(
            [
                ("contract_id", "=", self.id),
                ("kind", "in", ("ordered", "delivered", "returned")),
                ("product_id", "!=", False),
            ],
            ["product_id", "kind"],
            ["quantity:sum"],
        ):
            quantities.setdefault(product, {})[kind] = quantity
        products = []
        for product, quantity in quantities.items():
            ordered = quantity.get("ordered", 0.0)
            delivered = quantity.get("delivered", 0.0) + quantity.get("returned", 0.0)
            products.append(
                {
                    "product": product,
                    "ordered": ordered,
                    "delivered": delivered,
                    "open": max(ordered - delivered, 0.0),
                }
            )
        return products

    def _get_customer_deliveries(self):
        """Return what was moved, the latest first.

        :return: ``[{"date", "kind", "picking", "lines": [{"product", "quantity"}]}]``
        """
        deliveries = {}
        for date, kind, picking, product, quantity in self.env["sale.admin.fact"]._read_group(
            [("contract_id", "=", self.id), ("kind", "in", ("delivered", "returned"))],
            ["date:day", "kind", "stock_move_id.picking_id", "product_id"],
            ["quantity:sum"],
            order="date:day desc",
        ):
            delivery = deliveries.setdefault(
                (date, kind, picking), {"date": date, "kind": kind, "picking": picking, "lines": []}
            )
            delivery["lines"].append({"product": product, "quantity": abs(quantity)})
        return list(deliveries.values())

    def _get_customer_invoices(self):
        """Return the invoices and credit notes with this contract's share of them.

        What an invoice leaves open is shared out as its total is.

        :return: ``[{"move", "amount", "amount_open", "is_own"}]``, the latest first; credit
            notes are negative, and `is_own` tells whether the paper is addressed to the customer
        """
        facts = self.env["sale.admin.fact"]._read_group(
            [("contract_id", "=", self.id), ("kind", "in", ("invoiced", "credited"))],
            ["move_id"],
            ["amount_total:sum"],
        )
        invoices = []
        for move, amount in facts:
            if not move:
                continue
            open_share = move.amount_residual / move.amount_total if move.amount_total else 0.0
            invoices.append(
                {
                    "move": move,
                    "amount": amount,
                    "amount_open": self.currency_id.round(amount * open_share),
                    "is_own": move.commercial_partner_id == self.partner_id.commercial_partner_id,
                }
            )
        return sorted(invoices, key=lambda i: (i["move"].invoice_date, i["move"].id), reverse=True)

    def _get_customer_payments(self):
        """Return what was paid: ``[{"date", "amount", "move"}]``, the latest first."""
        facts = self.env["sale.admin.fact"].search(
            [("contract_id", "=", self.id), ("kind", "in", ("collected", "advance"))]
        )
        return [
            {"date": fact.date, "amount": fact.amount_total, "move": fact.move_id} for fact in facts
        ]

    # === BUSINESS METHODS: MAILS === #
    def _get_customer_mail_action(self, template_xmlid):
        """Return the action that opens a mail to the customer, made from the template."""
        self.ensure_one()
        if not self.filtered_domain(self._get_portal_state_domain()):
            raise UserError(
                self.env._("%s is not shown to the customer in its present state.", self.name)
            )
        action = self._get_mail_action(template_xmlid)
        return {**action, "name": self.env._("Send to the Customer")}

    def _message_post_after_hook(self, message, msg_values):
        res = super()._message_post_after_hook(message, msg_values)
        if self._is_sent_to_customer(message):
            message.attachment_ids.sudo()._mark_as_sale_admin_sent()
        return res

    def _is_sent_to_customer(self, message):
        if message.is_internal or message.subtype_id.internal:
            return False
        recipients = message.partner_ids | self.message_partner_ids
        return self.partner_id.commercial_partner_id in recipients.commercial_partner_id

    # === BUSINESS METHODS: SIGNATURE === #
    def _sign_by_customer(self, name, signature, partner):
        """Keep the customer's signature given online, and tell the administrator.

        The contract is not activated by it. A second signature is refused.

        :param str name: as typed by who signs
        :param str signature: the drawing, an image in base64
        :param partner: the contact who signs, named in the chatter
        """
        self.ensure_one()
        if self.state != "to_sign":
            raise UserError(self.env._("This contract is not waiting for a signature."))
        if self.signature:
            raise UserError(self.env._("This contract is signed already."))
        if not self._is_text(name) or not self._is_text(signature):
            raise UserError(self.env._("Please give your name and your signature."))
        try:
            self._set(
                {
                    "signature": signature,
                    "signed_by": name.strip(),
                    "signed_on": fields.Datetime.now(),
                    "signed_amount_total": self.amount_total,
                    "date_signed": self.company_id._sale_admin_today(),
                }
            )
        except (TypeError, binascii.Error) as error:
            raise UserError(self.env._("This signature is not an image.")) from error
        self._post_customer_signature(partner)

    @api.model
    def _is_text(self, value):
        return isinstance(value, str) and bool(value.strip())

    def _post_customer_signature(self, partner):
        """Keep the signed document in the chatter and put the contract before its administrator."""
        responsible = self.admin_id or self.user_id
        desk = self.with_context(lang=responsible.lang or self.company_id.partner_id.lang)
        desk.message_post(
            body=desk.env._("Signed online by %s.", self.signed_by),
            author_id=partner.id,
            attachments=self._print_signed_document(),
            subtype_xmlid="mail.mt_note",
        )
        desk.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=desk.env._("Signed by the customer: check and activate"),
            user_id=responsible.id or self.env.uid,
        )

    def _print_signed_document(self):
        """Return the document as an attachment to post.

        A signature is not lost because the server cannot print: then there is no attachment.
        """
        self.env.flush_all()  # the printer may ask for pictures by another request
        report = self.env["ir.actions.report"].sudo()
        try:
            pdf = report._render_qweb_pdf(STATUS_REPORT, self.ids)[0]
        except UserError:
            _logger.warning("The signed contract %s could not be printed", self.id, exc_info=True)
            return []
        return [(f"{self._get_report_base_filename()}.pdf", pdf)]

    def _prepare_draft(self):
        """What is changed now was not signed; the paper that was stays in the chatter."""
        self._set(dict.fromkeys(SIGNATURE_FIELDS, False))

    def _get_problems_active(self):
        problems = super()._get_problems_active()
        if self.signature and self.currency_id.compare_amounts(
            self.amount_total, self.signed_amount_total
        ):
            problems.append(
                self.env._(
                    "Its value changed after the customer signed online: set it back to draft and "
                    "let it be signed again."
                )
            )
        return problems
