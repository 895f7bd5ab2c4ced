import email
import email.policy
import hashlib
import re

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, email_split, html2plaintext, plaintext2html
from odoo.tools.mail import is_html_empty

# Addresses there say nothing about the company that somebody works for.
PUBLIC_MAIL_DOMAINS = {
    "163.com", "126.com", "aol.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com",
    "hotmail.com", "icloud.com", "interia.pl", "live.com", "mail.com", "mail.ru", "me.com",
    "msn.com", "o2.pl", "onet.pl", "outlook.com", "proton.me", "protonmail.com", "qq.com",
    "web.de", "wp.pl", "yahoo.com", "yahoo.co.id", "yahoo.com.vn", "yahoo.es", "yandex.ru",
    "ymail.com",
}  # fmt: skip
# What customers write before the number of their order, in the languages of the app and a few more.
LABELS = r"""(?:
    purchase[ ]order | \bP\.?O\.?\b | bestell(?:ung|nummer)\b | auftrag | zam[oó]wieni[ea]
    | đơn[ ](?:đặt[ ])?hàng | pedido | orden[ ]de[ ]compra | \bO\.?C\.?\b | pesanan | commande
    | 订单 | 採購單 | 采购订单 )"""
MARKS = r"""(?: no\.? | nr\.? | number | nummer | số | n\.?[º°] | n\. | nomor
    | 号 | 編號 | 编号 | [:#№] )"""
REFERENCE = r"(?P<reference>[A-Z0-9][A-Z0-9./_\-]*)"
UNITS = r"(?: pcs | pieces | units? | unidades | szt | st(?:k|ück)\b | kg | cái | 個 | 个 | 件 )"
REFERENCE_PATTERNS = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        r"(?<![\w-])(?P<reference>(?:PO|OC|BC|ZAM)[-/_]?\d[A-Z0-9./_\-]*)",  # it names itself
        rf"(?: {LABELS} | \border ) \s* {MARKS} [\s:#№.\-]* {REFERENCE}",
        rf"{LABELS} [\s.\-]* (?P<reference>[A-Z0-9./_\-]{{4,}}) (?! \s* {UNITS} )",
    )
]
REFERENCE_SEARCH_LENGTH = 5000
STATES = [("new", "Not Entered"), ("entered", "Entered"), ("discarded", "No Order")]


class SaleAdminIntake(models.Model):
    """What came in as an order, by mail or as a file, kept until it is entered.

    Nothing is lost and nothing is guessed into the books: an unknown sender's mail waits here for
    somebody who says which customer it is.
    """

    _name = "sale.admin.intake"
    _inherit = ["sale.admin.guarded", "mail.thread.main.attachment", "mail.activity.mixin"]
    _description = "Incoming Order"
    _order = "received_at desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"

    # === FIELDS === #
    name = fields.Char(string="Subject", required=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    state = fields.Selection(
        STATES, required=True, readonly=True, default="new", index=True, tracking=True
    )
    channel_id = fields.Many2one(
        "sale.admin.channel",
        default=lambda self: self.env["sale.admin.channel"]._get_by_code("email"),
        ondelete="restrict",
    )
    received_at = fields.Datetime(
        string="Received", required=True, default=fields.Datetime.now, index=True
    )
    email_from = fields.Char(string="Sender")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        check_company=True,
        index="btree_not_null",
        tracking=True,
        ondelete="restrict",
    )
    partner_origin = fields.Selection(
        [
            ("address", "recognised by the sender's address"),
            ("domain", "recognised by the domain of the sender's address"),
            ("text", "recognised by an address in the text"),
        ],
        compute="_compute_partner_origin",
        store=True,
        readonly=True,
    )
    client_order_ref = fields.Char(string="Customer Reference")
    user_id = fields.Many2one(
        "res.users",
        string="Taken By",
        index="btree_not_null",
        tracking=True,
        help="Who takes care of it, so that nobody else enters it too.",
    )
    body = fields.Html(string="Message", sanitize_attributes=True, sanitize_form=True)
    mail_message_id = fields.Char(
        string="Message-Id", readonly=True, copy=False, index="btree_not_null"
    )
    content_hash = fields.Char(readonly=True, copy=False, index="btree_not_null")
    same_as_id = fields.Many2one(
        "sale.admin.intake",
        string="Came in Before",
        compute="_compute_same_as_id",
        help="An earlier one with the same files, or the same text where there is no file.",
    )
    order_ids = fields.One2many("sale.order", "intake_id", string="Orders", readonly=True)
    order_count = fields.Integer(compute="_compute_order_count")
    closed_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    closed_at = fields.Datetime(readonly=True, copy=False)
    close_note = fields.Char(string="Why No Order", readonly=True, copy=False)

    # === CONSTRAINTS AND INDEXES === #
    _message_uniq = models.UniqueIndex(
        "(company_id, mail_message_id) WHERE mail_message_id IS NOT NULL",
        "This mail came in already.",
    )

    # === COMPUTE METHODS === #
    @api.depends("partner_id")
    def _compute_partner_origin(self):
        """Who chooses another customer by hand has not recognised him by the mail."""
        for intake in self:
            guess, origin = self._guess_customer(
                intake.email_from, intake.body, intake.company_id or self.env.company
            )
            intake.partner_origin = intake.partner_id and intake.partner_id == guess and origin

    def _compute_same_as_id(self):
        earlier = self.sudo()._read_group(
            [
                ("content_hash", "in", [h for h in self.mapped("content_hash") if h]),
                ("company_id", "in", self.company_id.ids),
            ],
            ["company_id", "content_hash"],
            ["id:array_agg"],
        )
        ids = {(company, content): sorted(found) for company, content, found in earlier}
        for intake in self:
            same = ids.get((intake.company_id, intake.content_hash), ())
            intake.same_as_id = next((i for i in same if i < (intake._origin.id or 0)), False)

    @api.depends("order_ids")
    def _compute_order_count(self):
        for intake in self:
            intake.order_count = len(intake.order_ids)

    # === CRUD METHODS === #
    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {
            "close_note",
            "closed_at",
            "closed_by_id",
            "content_hash",
            "mail_message_id",
            "order_ids",
            "partner_origin",
            "state",
        }

    @api.model_create_multi
    def create(self, vals_list):
        fnames = self._get_server_fields()
        if not self.env.su:
            for vals in vals_list:
                self._check_server_fields({k: v for k, v in vals.items() if v})
        clean = {f"default_{fname}": False for fname in fnames if fname != "state"}
        intakes = super(SaleAdminIntake, self.with_context(default_state="new", **clean))
        return intakes.create(vals_list).with_env(self.env)

    def write(self, vals):
        if not self.env.su:
            self._check_server_fields(vals)
            if "company_id" in vals and any(i.state != "new" for i in self):
                raise UserError(self.env._("What is entered stays in its company."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_discarded(self):
        for intake in self:
            if intake.state != "discarded":
                raise UserError(
                    self.env._(
                        "“%s” came in as an order: close it with a reason before it is deleted.",
                        intake.name,
                    )
                )

    # === GATEWAY === #
    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Keep a mail to the company's order address."""
        values = {**self._prepare_mail_vals(msg_dict), **(custom_values or {})}
        company = self.env["res.company"].browse(values.get("company_id")) or self.env.company
        intake = self.with_company(company).sudo()
        values["company_id"] = company.id
        return intake.create(intake._complete_vals(values)).with_env(self.env)

    def message_update(self, msg_dict, update_vals=None):
        """A later mail of the customer: who entered the order has to see it."""
        for intake in self.filtered("order_ids"):
            for order in intake.order_ids:
                order._message_log(
                    body=self.env._(
                        "The customer wrote again to %s: see there.", intake._get_html_link()
                    )
                )
                order.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("The customer wrote again about this order"),
                    user_id=(order.entered_by_id or order.user_id).id or self.env.uid,
                )
        return super().message_update(msg_dict, update_vals)

    @api.model
    def _prepare_mail_vals(self, msg_dict):
        """Return the values of an intake for a parsed mail."""
        return {
            "name": self._clean_title(msg_dict.get("subject")) or self.env._("(no subject)"),
            "email_from": self._clean_title(msg_dict.get("email_from")),
            "received_at": min(
                fields.Datetime.to_datetime(msg_dict.get("date")) or fields.Datetime.now(),
                fields.Datetime.now(),  # a sender's clock may be wrong
            ),
            "body": (msg_dict.get("body") or "").replace("\0", "") or False,
            "mail_message_id": msg_dict.get("message_id"),
            "content_hash": self._get_content_hash(
                [
                    (attachment[0], attachment[1])
                    for attachment in msg_dict.get("attachments") or ()
                ],
                msg_dict.get("body"),
            ),
            "channel_id": self.env["sale.admin.channel"]._get_by_code("email").id,
        }

    def _complete_vals(self, vals):
        """Guess what the values do not say: customer and reference."""
        vals = dict(vals)
        if not vals.get("partner_id"):
            customer, _origin = self._guess_customer(
                vals.get("email_from"), vals.get("body"), self.env.company
            )
            vals["partner_id"] = customer.id
        if not vals.get("client_order_ref"):
            vals["client_order_ref"] = self._guess_reference(vals.get("name"), vals.get("body"))
        return vals

    # === GUESSING === #
    @api.model
    def _guess_customer(self, sender, body, company):
        """Recognise a customer; nobody where two customers are possible.

        :return: ``(partner, origin)``, origin as in the field `partner_origin`, or False
        """
        partners = self.env["res.partner"]
        address = email_normalize(sender or "")
        if address and not self._is_our_address(address, company):
            if found := self._find_customer([address], company):
                return found, "address"
            if found := self._find_customer_by_domain(address, company):
                return found, "domain"
            return partners, False
        # One of us forwarded it, or it is only a text: the customer's address may be in it.
        addresses = {
            email_normalize(found)
            for found in email_split(html2plaintext(body or "")[:REFERENCE_SEARCH_LENGTH])
        }
        addresses = [a for a in addresses if a and not self._is_our_address(a, company)]
        found = self._find_customer(addresses, company)
        return (found, "text") if found else (partners, False)

    def _get_customer_domain(self, company):
        return Domain("company_id", "in", (False, company.id)) & Domain("partner_share", "=", True)

    def _find_customer(self, addresses, company):
        """Return a contact with one of the addresses, when all who have one are one customer."""
        partners = self.env["res.partner"].sudo()
        if not addresses:
            return partners
        found = partners.search(
            self._get_customer_domain(company) & Domain("email_normalized", "in", addresses),
            limit=50,
        )
        if len(found.commercial_partner_id) != 1:
            return self.env["res.partner"]
        people = found.filtered(lambda p: not p.is_company and p.type == "contact")
        return (people or found)[:1].sudo(False)

    def _find_customer_by_domain(self, address, company):
        """Return the one customer whose addresses end like this one."""
        partners = self.env["res.partner"].sudo()
        domain_name = address.rpartition("@")[2]
        if "_" in domain_name or domain_name in PUBLIC_MAIL_DOMAINS:
            return partners
        found = partners.search(
            self._get_customer_domain(company)
            & Domain("email_normalized", "=like", f"%@{domain_name}"),
            limit=200,
        )
        customer = found.commercial_partner_id
        return customer.sudo(False) if len(customer) == 1 else self.env["res.partner"]

    def _is_our_address(self, address, company):
        """Whether the address is one of our people, one of our companies or an alias."""
        users = self.env["res.users"].sudo()
        return bool(
            address in self.env["mail.alias.domain"].sudo()._find_aliases([address])
            or users.search_count(
                [("partner_id.email_normalized", "=", address), ("share", "=", False)], limit=1
            )
            or address
            in self.env["res.company"].sudo().search([]).partner_id.mapped("email_normalized")
        )

    @api.model
    def _guess_reference(self, *texts):
        """Return the customer's number when subject or text names exactly one; False otherwise."""
        for text in texts:
            plain = html2plaintext(text or "")[:REFERENCE_SEARCH_LENGTH]
            for pattern in REFERENCE_PATTERNS:
                found = {match["reference"].rstrip("./-_") for match in pattern.finditer(plain)}
                found = {reference for reference in found if any(c.isdigit() for c in reference)}
                if found:
                    return found.pop() if len(found) == 1 else False
        return False

    @api.model
    def _clean_title(self, text):
        """Return one short line without control characters."""
        text = "".join(c if c.isprintable() else " " for c in text or "")
        return " ".join(text.split())[:200]

    @api.model
    def _get_content_hash(self, files, body):
        """Return what two copies of the same order have in common; False when there is nothing.

        The documents tell; pictures are often a signature's. Without documents the text tells.

        :param files: pairs of a name and the content, bytes or text
        """
        digests = sorted(
            hashlib.sha1(content.encode() if isinstance(content, str) else content).hexdigest()
            for name, content in files
            if content and not (name or "").lower().endswith((".png", ".gif", ".jpg", ".jpeg"))
        )
        if not digests:
            words = html2plaintext(body or "").lower().split()
            pictures = [c.encode() if isinstance(c, str) else c for _name, c in files if c]
            digests = words + sorted(hashlib.sha1(c).hexdigest() for c in pictures)
        if not digests:
            return False
        return hashlib.sha1(" ".join(digests).encode()).hexdigest()

    # === REGISTERING BY HAND === #
    @api.model
    def _take_in(self, attachments, text=None, values=None):
        """Keep files, mails and text that somebody hands in; each mail is an order of its own.

        :param attachments: ``ir.attachment`` of the caller, taken over
        :param values: what the caller knows better than any guess, for all of them
        :return: the intakes, those that came in before included
        :raise UserError: with what to do, when there is nothing, or a file is too large
        """
        self.check_access("create")
        attachments.check_access("read")
        values = {key: value for key, value in (values or {}).items() if value}
        company = self.env.company
        for attachment in attachments:
            company._check_sale_admin_file_size(attachment.file_size)
        mails = {}
        for attachment in attachments:
            if parsed := self._parse_mail(attachment):
                mails[attachment] = parsed
        files = attachments - self.env["ir.attachment"].union(*mails)
        intakes = self.browse()
        for attachment, msg_dict in mails.items():
            intakes |= self._register_mail(attachment, msg_dict, values)
        text = (text or "").replace("\0", "").strip()
        if empty := files.filtered(lambda a: not a.file_size):
            raise UserError(
                self.env._("The file “%s” is empty: choose another one.", empty[0].name)
            )
        if files or text:
            intakes |= self._register_files(files, text, values)
        if not intakes:
            raise UserError(
                self.env._("There is nothing to register: drop a file or a mail, or paste a text.")
            )
        return intakes

    @api.model
    def _parse_mail(self, attachment):
        """Return the parsed mail of an attached .eml file; None when it is not a mail."""
        name = (attachment.name or "").lower()
        if not (name.endswith(".eml") or attachment.mimetype == "message/rfc822"):
            return None
        raw = attachment.raw or b""
        mail = email.message_from_bytes(raw, policy=email.policy.SMTP)
        if not (mail.get("From") or mail.get("Subject")):
            return None  # kept as the file that it is
        try:
            msg_dict = self.env["mail.thread"].message_parse(mail)
        except Exception:  # whatever a broken mail makes the parser raise: kept as a file
            return None
        if not mail.get("Message-Id"):
            msg_dict["message_id"] = f"<{hashlib.sha256(raw).hexdigest()}@file.invalid>"
        return msg_dict

    @api.model
    def _register_mail(self, attachment, msg_dict, values):
        company = self.env.company
        known = self.sudo().search(
            [
                ("mail_message_id", "=", msg_dict["message_id"]),
                ("company_id", "=", company.id),
            ],
            limit=1,
        )
        if known:
            return known.with_env(self.env)
        vals = {**self._prepare_mail_vals(msg_dict), **values, "company_id": company.id}
        intake = self.sudo().create(self._complete_vals(vals))
        intake.with_context(mail_post_autofollow_author_skip=True).message_post(
            body=Markup(msg_dict.get("body") or ""),
            subject=msg_dict.get("subject"),
            email_from=msg_dict.get("email_from"),
            author_id=self._find_customer(
                [email_normalize(msg_dict.get("email_from") or "")], company
            ).id,
            message_type="email",
            message_id=msg_dict["message_id"],
            date=vals["received_at"],
            attachments=msg_dict.get("attachments") or [],
            subtype_xmlid="mail.mt_note",
        )
        intake._take_over(attachment)  # the mail as it was, beside its parts
        return intake.with_env(self.env)

    @api.model
    def _register_files(self, files, text, values):
        company = self.env.company
        title = files[:1].name or text.split("\n", 1)[0]
        vals = {
            "name": self._clean_title(title) or self.env._("(no subject)"),
            "body": plaintext2html(text) if text else False,
            "content_hash": self._get_content_hash([(f.name, f.raw) for f in files], text),
            **values,
            "company_id": company.id,
        }
        intake = self.sudo().create(self._complete_vals(vals))
        if files:
            files = intake._take_over(files)
            intake.message_post(attachment_ids=files.ids, subtype_xmlid="mail.mt_note")
        return intake.with_env(self.env)

    def _take_over(self, attachments):
        """Attach what was uploaded for this; a file that belongs elsewhere is copied.

        :return: the attachments of the intake
        """
        uploaded = attachments.filtered(lambda a: a.create_uid.id == self.env.uid and not a.res_id)
        target = {"res_model": self._name, "res_id": self.id}
        # sudo: the caller may read them all, see `_take_in`; nobody else's are touched
        uploaded.sudo().write(target)
        return uploaded | (attachments - uploaded).sudo().copy(target).sudo(False)

    # === ACTION METHODS === #
    def action_take(self):
        """Say that one is at it."""
        self.check_access("write")
        self._check_is_new()
        for intake in self:
            if intake.user_id and intake.user_id != self.env.user:
                raise UserError(
                    self.env._(
                        "%(user)s is at “%(name)s” already.",
                        user=intake.user_id.name,
                        name=intake.name,
                    )
                )
        self.user_id = self.env.user
        return True

    def action_enter(self):
        """Make a draft order of it and open the order with the papers beside it."""
        self.ensure_one()
        self.check_access("write")
        if self.state == "entered" and self.order_ids:
            return self._get_order_action()
        self._check_is_new()
        if not self.partner_id and not self.env.context.get("sale_admin_intake_form"):
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "warning",
                    "message": self._get_no_customer_text(),
                    "next": self._get_form_action(),
                },
            }
        self._enter()
        return self._get_order_action()

    def action_enter_another(self):
        """A mail may order twice: make one more order of it."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "entered":
            raise UserError(self.env._("Enter its first order first."))
        order = self._enter()
        return self._get_order_action(order)

    def action_reopen(self):
        """What was closed without an order is one after all."""
        self.check_access("write")
        for intake in self:
            if intake.state != "discarded":
                raise UserError(self.env._("Only what was closed without an order is reopened."))
        self._set({"state": "new", "close_note": False, "closed_by_id": False, "closed_at": False})
        return True

    def action_view_orders(self):
        self.ensure_one()
        return self._get_order_action()

    def action_view_same(self):
        self.ensure_one()
        return self.same_as_id._get_form_action()

    # === BUSINESS METHODS === #
    def _check_is_new(self):
        for intake in self:
            if intake.state == "entered":
                raise UserError(
                    self.env._(
                        "“%(name)s” was entered already, as %(orders)s.",
                        name=intake.name,
                        orders=", ".join(intake.order_ids.mapped("name")),
                    )
                )
            if intake.state == "discarded":
                raise UserError(
                    self.env._("“%s” was closed without an order: reopen it first.", intake.name)
                )

    def _get_no_customer_text(self):
        if self.email_from:
            return self.env._(
                "Say whose order it is: nobody is known by the address %s.", self.email_from
            )
        return self.env._("Say whose order it is: choose the customer.")

    def _enter(self):
        """Make a draft order with all papers, by the rights of the user.

        :return: the order
        """
        self.ensure_one()
        if not self.partner_id:
            raise UserError(self._get_no_customer_text())
        order = (
            self.env["sale.order"].with_company(self.company_id).create(self._prepare_order_vals())
        )
        self._hand_papers_to(order)
        self._close({"state": "entered", "user_id": self.env.uid})
        return order

    def _prepare_order_vals(self):
        """Hook: the values of the draft order."""
        return {
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "client_order_ref": self.client_order_ref,
            "channel_id": self.channel_id.id,
            "received_at": self.received_at,
            "intake_id": self.id,
        }

    def _hand_papers_to(self, order):
        """Copy message and files to the order, where whoever may see the order may see them."""
        # sudo: the files are read by the right to the intake, checked before
        files = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("res_field", "=", False),
                ]
            )
        )
        copies = files.copy({"res_model": order._name, "res_id": order.id})
        body = self.body if not is_html_empty(self.body) else ""
        title = self.env._(
            "Came in as %(intake)s from %(sender)s:",
            intake=self._get_html_link(),
            sender=self.email_from or self.partner_id.name,
        )
        order.sudo().message_post(
            author_id=self.env.user.partner_id.id,
            body=Markup("<p>%s</p>%s") % (title, body),
            attachment_ids=copies.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )

    def _close(self, vals):
        self._set(
            {
                "closed_by_id": self.env.uid,
                "closed_at": fields.Datetime.now(),
                **vals,
            }
        )

    def _discard(self, note, order=None):
        """Close it without a new order.

        :param order: the order that it belongs to, if any, which gets the papers
        :raise UserError: entered or closed already, or no reason is given
        """
        note = (note or "").strip()
        if not note:
            raise UserError(self.env._("Say why no order is made of it."))
        self._check_is_new()
        for intake in self:
            if order:
                if order.company_id != intake.company_id:
                    raise UserError(
                        self.env._("%s belongs to another company.", order.display_name)
                    )
                order.check_access("write")
                intake._hand_papers_to(order)
            intake._close({"state": "discarded", "close_note": note})
            intake._message_log(body=self.env._("No new order: %s", note))

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Incoming Order"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def _get_order_action(self, orders=None):
        """Open the orders; one alone in the form that shows the papers beside it."""
        orders = orders or self.order_ids
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Orders"),
            "res_model": "sale.order",
        }
        if len(orders) == 1:
            view = self.env.ref("sale_admin_support.sale_order_view_form_intake")
            return {**action, "res_id": orders.id, "views": [(view.id, "form")]}
        return {
            **action,
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", orders.ids)],
        }

    @api.model
    def _load_demo(self):
        """Have orders come in at the demo company; called by the demo data alone."""
        from ..demo.intake import Intake

        Intake(self.env).live()
