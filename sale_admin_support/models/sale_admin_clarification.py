import logging

from lxml import html

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import html2plaintext

from .sale_admin_check import STAGES
from .sale_admin_queue import RETRIED

_logger = logging.getLogger(__name__)

OPEN_STATES = ("new", "asked", "replied")
ADMIN_GROUP = "sale_admin_support.group_sale_admin_user"
# What the question is and what waits for it: the business of who keeps it.
KEPT_BY_OWNER = {
    "answer",
    "asks",
    "date_due",
    "name",
    "order_id",
    "partner_id",
    "question",
    "salesperson_id",
    "stage",
    "user_id",
}
# These say to whom what was asked; they stay once it was.
FIXED_WHEN_ASKED = {"asks", "name", "order_id", "question"}
REPLY_LENGTH = 10000


class SaleAdminClarification(models.Model):
    """A question about an order, to its customer or its salesperson, with owner and due date.

    A reply, by mail, on the portal or in the chatter, is only taken note of: the owner reads it and
    says that it answers the question. Until then the chosen stage of the order waits.
    """

    _name = "sale.admin.clarification"
    _inherit = ["sale.admin.guarded", "mail.thread", "mail.activity.mixin"]
    _description = "Clarification"
    _order = "date_due, id"
    _check_company_auto = True

    # === FIELDS === #
    name = fields.Char(string="Subject", required=True)
    question = fields.Text(required=True)
    order_id = fields.Many2one(
        "sale.order", required=True, index=True, check_company=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    customer_id = fields.Many2one(
        related="order_id.partner_id", string="Customer", store=True, index=True, tracking=False
    )
    asks = fields.Selection(
        [("customer", "The customer"), ("salesperson", "The salesperson")],
        string="Asked Is",
        required=True,
        default="customer",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Who of the customer is asked.",
    )
    salesperson_id = fields.Many2one(
        "res.users",
        compute="_compute_salesperson_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        required=True,
        index=True,
        default=lambda self: self.env.user,
        tracking=True,
        help="Who sees that it is answered.",
    )
    date_due = fields.Date(
        string="Answer Due",
        required=True,
        index=True,
        tracking=True,
        default=lambda self: self._default_date_due(),
    )
    stage = fields.Selection(
        STAGES,
        string="What Waits for It",
        tracking=True,
        help="What of the order is withheld until the question is answered.",
    )
    is_stage_off = fields.Boolean(compute="_compute_is_stage_off")
    state = fields.Selection(
        [
            ("new", "To Ask"),
            ("asked", "Waiting"),
            ("replied", "Reply to Read"),
            ("answered", "Answered"),
            ("cancelled", "Withdrawn"),
        ],
        required=True,
        readonly=True,
        default="new",
        index=True,
        tracking=True,
    )
    asked_at = fields.Datetime(readonly=True, copy=False)
    asked_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    reminder_count = fields.Integer(string="Reminders", readonly=True, copy=False)
    reminded_on = fields.Date(readonly=True, copy=False)
    reply = fields.Text(readonly=True, copy=False)
    replied_at = fields.Datetime(readonly=True, copy=False)
    replied_by_id = fields.Many2one(
        "res.partner", string="Reply From", readonly=True, copy=False, ondelete="restrict"
    )
    answer = fields.Text(copy=False, help="What was found out, as it counts for the order.")
    closed_at = fields.Datetime(readonly=True, copy=False)
    closed_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    parent_id = fields.Many2one(
        "sale.admin.clarification",
        string="Follows",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    can_manage = fields.Boolean(compute="_compute_can_manage")

    # === CONSTRAINTS AND INDEXES === #
    _open_idx = models.Index("(order_id, stage) WHERE state IN ('new', 'asked', 'replied')")

    # === DEFAULTS === #
    def _default_date_due(self):
        company = self.env.company
        return fields.Date.add(
            company._sale_admin_today(), days=max(company.sale_admin_clarification_days, 0)
        )

    # === COMPUTE METHODS === #
    @api.depends("name", "order_id")
    def _compute_display_name(self):
        for clarification in self:
            words = filter(None, [clarification.order_id.sudo().name, clarification.name])
            clarification.display_name = " · ".join(words)

    @api.depends("order_id", "asks")
    def _compute_partner_id(self):
        for clarification in self:
            if clarification.asks == "customer":
                clarification.partner_id = clarification.partner_id or (
                    clarification.order_id.partner_id
                )
            else:
                clarification.partner_id = False

    @api.depends("order_id", "asks")
    def _compute_salesperson_id(self):
        for clarification in self:
            if clarification.asks == "salesperson":
                clarification.salesperson_id = clarification.salesperson_id or (
                    clarification.order_id.user_id
                )
            else:
                clarification.salesperson_id = False

    @api.depends("stage", "company_id")
    def _compute_is_stage_off(self):
        """Whether the stage is chosen in vain: no check looks at open questions there."""
        for clarification in self:
            checks = self.env["sale.admin.check"]._get_active(
                clarification.company_id or self.env.company
            )
            clarification.is_stage_off = clarification.stage and not any(
                check.kind == "clarification" and check.stage == clarification.stage
                for check in checks
            )

    @api.depends_context("uid")
    @api.depends("user_id")
    def _compute_can_manage(self):
        for clarification in self:
            clarification.can_manage = clarification._may_manage()

    # === CRUD METHODS === #
    @api.model
    def _get_server_fields(self):
        return super()._get_server_fields() | {
            "asked_at",
            "asked_by_id",
            "closed_at",
            "closed_by_id",
            "parent_id",
            "reminded_on",
            "reminder_count",
            "replied_at",
            "replied_by_id",
            "reply",
            "state",
        }

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not self.env.su:
                self._check_server_fields({k: v for k, v in vals.items() if v and v != "new"})
        clean = {f"default_{fname}": False for fname in self._get_server_fields()}
        clarifications = super(
            SaleAdminClarification, self.with_context(**{**clean, "default_state": "new"})
        ).create(vals_list)
        clarifications = clarifications.with_env(self.env)
        clarifications.filtered("stage")._stage_changed()
        return clarifications

    def write(self, vals):
        if not self.env.su:
            self._check_server_fields(vals)
            if KEPT_BY_OWNER & vals.keys():
                self._check_may_manage()
        if FIXED_WHEN_ASKED & vals.keys():
            self._check_not_asked(vals)
        stages = {clarification: clarification.stage for clarification in self}
        res = super().write(vals)
        if "stage" in vals:
            self.filtered(lambda c: c.stage != stages[c])._stage_changed()
        return res

    def unlink(self):
        orders = self.filtered("stage").sudo().order_id
        res = super().unlink()
        self._refresh_orders(orders)
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_new(self):
        for clarification in self:
            if clarification.state != "new":
                raise UserError(
                    self.env._(
                        "“%s” was asked already: withdraw it instead.", clarification.display_name
                    )
                )
            if not self.env.su:
                clarification._check_may_manage()

    def _check_not_asked(self, vals):
        for clarification in self:
            if clarification.state == "new":
                continue
            for fname in FIXED_WHEN_ASKED & vals.keys():
                field = self._fields[fname]
                if field.convert_to_write(clarification[fname], clarification) != vals[fname]:
                    raise UserError(
                        self.env._(
                            "“%s” was asked already: ask further instead of changing it.",
                            clarification.display_name,
                        )
                    )

    # === WHO MAY === #
    def _may_manage(self):
        """Who keeps a question: its owner, who wrote it, and sales administrators."""
        self.ensure_one()
        user = self.env.user
        return (
            self.env.su
            or not self.id
            or user in (self.user_id, self.create_uid)
            or user.has_group(ADMIN_GROUP)
        )

    def _check_may_manage(self):
        for clarification in self:
            if not clarification._may_manage():
                raise AccessError(
                    self.env._(
                        "“%(name)s” is kept by %(owner)s: reply to it, or ask %(owner)s.",
                        name=clarification.display_name,
                        owner=clarification.user_id.name,
                    )
                )

    # === ACTION METHODS === #
    def action_ask(self):
        """Open the mail to the customer; a salesperson is asked at once."""
        self.check_access("write")
        self._check_can_be_asked()
        if len(self) == 1 and self.asks == "customer":
            return self._get_composer_action()
        self._ask()
        return True

    def action_record(self):
        """Ask for the answer, or for the reply of who is asked."""
        self.ensure_one()
        self._check_is_open()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Answer") if self._may_manage() else self.env._("Reply"),
            "res_model": "sale.admin.clarification.answer",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_clarification_id": self.id},
        }

    def action_accept(self):
        """Let the replies count as the answers."""
        for clarification in self:
            if clarification.state != "replied":
                raise UserError(
                    self.env._("Nobody replied to “%s” yet.", clarification.display_name)
                )
            clarification._answer(clarification.reply)
        return True

    def action_withdraw(self):
        self.check_access("write")
        self._check_may_manage()
        self._check_is_open()
        self._close("cancelled")
        return True

    def action_follow_up(self):
        """Open a further question after this one."""
        self.ensure_one()
        self._check_may_manage()
        further = self.copy(
            {"date_due": self._default_date_due(), "name": self.name, "question": self.question}
        )
        further._set({"parent_id": self.id})
        return further._get_form_action()

    def action_view_order(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Clarification"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def _get_composer_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ask the Customer"),
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": self._get_template("ask").id,
                "default_composition_mode": "comment",
                "default_email_layout_xmlid": "mail.mail_notification_light",
                "force_email": True,
            },
        }

    # === BUSINESS METHODS: ASKING === #
    def _get_template(self, step):
        """Hook: the mail to the customer at the step `ask` or `remind`."""
        return self.env.ref(f"sale_admin_support.mail_template_clarification_{step}")

    def _check_is_open(self):
        for clarification in self:
            if clarification.state not in OPEN_STATES:
                raise UserError(
                    self.env._("“%s” is closed: ask further.", clarification.display_name)
                )

    def _check_can_be_asked(self):
        self._check_may_manage()
        self._check_is_open()
        for clarification in self:
            if clarification.asks == "salesperson" and not clarification.salesperson_id:
                raise UserError(
                    self.env._(
                        "%s has no salesperson: choose whom to ask.", clarification.order_id.name
                    )
                )
            if clarification.asks == "customer" and not clarification.partner_id.email:
                raise UserError(
                    self.env._(
                        "%s has no mail address: choose another contact, or call and record the "
                        "answer.",
                        clarification.partner_id.display_name or clarification.display_name,
                    )
                )

    def _ask(self):
        """Send the questions as they are, the customers' in their language."""
        for clarification in self:
            clarification._send("ask")

    def _send(self, step):
        """Send the question or a reminder to who is asked, in the owner's name."""
        self.ensure_one()
        if self.asks == "salesperson":
            self.message_post(
                body=self.question,
                subject=self.display_name,
                author_id=self.user_id.partner_id.id,
                partner_ids=self.salesperson_id.partner_id.ids,
                message_type="comment",
                subtype_xmlid="mail.mt_note",
            )
            self._activate_once(
                self.salesperson_id, self.env._("Answer: %s", self.name), self.date_due
            )
            self._note_asked()
        else:
            self.message_post_with_source(
                self._get_template(step),
                message_type="comment",
                author_id=self.user_id.partner_id.id,
                email_layout_xmlid="mail.mail_notification_light",
                subtype_xmlid="mail.mt_comment",
            )

    def _activate_once(self, user, summary, date=None):
        """Give `user` an activity for it, unless one is open; for today when no date is given."""
        if user and user not in self.sudo().activity_ids.user_id:
            self.activity_schedule(
                "sale_admin_support.mail_activity_type_clarification",
                date_deadline=date or self.company_id._sale_admin_today(),
                summary=summary,
                user_id=user.id,
            )

    def _note_asked(self):
        for clarification in self:
            if clarification.state == "asked":
                continue
            clarification._set(
                {
                    "state": "asked",
                    "asked_at": fields.Datetime.now(),
                    "asked_by_id": self.env.uid,
                    "reminder_count": 0,
                    "reminded_on": False,
                }
            )
            # sudo: who may ask may have it noted on the order
            clarification.order_id.sudo()._message_log(
                author_id=self.env.user.partner_id.id,
                body=self.env._(
                    "Asked: %s", clarification._get_html_link(title=clarification.name)
                ),
            )

    # === BUSINESS METHODS: ANSWERING === #
    def _message_post_after_hook(self, message, msg_values):
        """What is written to who is asked is the question; what he writes is the reply."""
        res = super()._message_post_after_hook(message, msg_values)
        if message.message_type not in ("comment", "email") or not self:
            return res
        asked = self.sudo()._get_asked_partner()
        if self._is_from_asked(message):
            self.sudo()._note_reply(message.body, message.author_id)
        elif asked in message.partner_ids and self.state in ("new", "replied"):
            self.sudo()._note_asked()
        return res

    def _get_asked_partner(self):
        self.ensure_one()
        return self.partner_id if self.asks == "customer" else self.salesperson_id.partner_id

    def _is_from_asked(self, message):
        """Whether a message comes from who is asked; a mail by anybody outside does as well: it
        came to the address that only who was asked knows."""
        self.ensure_one()
        author = message.author_id
        if self.asks == "salesperson":
            return bool(author) and author == self.salesperson_id.partner_id != (
                self.user_id.partner_id
            )
        if author and not author.partner_share:
            return False
        customer = self.customer_id.sudo().commercial_partner_id
        return message.message_type == "email" or author.sudo().commercial_partner_id == customer

    def _note_reply(self, body, author):
        """Take note of what was replied, for the owner to read; closed questions stay closed."""
        text = self._get_reply_text(body)
        for clarification in self.filtered(lambda c: c.state in OPEN_STATES):
            earlier = clarification.reply if clarification.state == "replied" else ""
            clarification._set(
                {
                    "state": "replied",
                    "reply": f"{earlier}\n\n{text}".strip(),
                    "replied_at": fields.Datetime.now(),
                    "replied_by_id": author.id,
                }
            )
            clarification.activity_unlink(["sale_admin_support.mail_activity_type_clarification"])
            clarification._activate_once(
                clarification.user_id, self.env._("Read the reply: %s", clarification.name)
            )

    @api.model
    def _get_reply_text(self, body):
        """Return what is new in a message: a mail program quotes the question beneath."""
        if not body:
            return ""
        tree = html.fromstring(f"<div>{body}</div>")
        for quote in tree.xpath("//*[@data-o-mail-quote]"):
            quote.drop_tree()
        new = html2plaintext(html.tostring(tree, encoding="unicode")).strip()
        return (new or html2plaintext(body).strip())[:REPLY_LENGTH]

    def _record(self, text):
        """Note what somebody was told: the answer when he keeps the question, else a reply."""
        self.ensure_one()
        text = (text or "").strip()
        if not text:
            raise UserError(self.env._("Write down what was answered."))
        self.check_access("read")
        self._check_is_open()
        if self._may_manage():
            self._answer(text)
        else:
            self.sudo().message_post(
                body=text,
                author_id=self.env.user.partner_id.id,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )
            if self.state != "replied":  # a colleague of who is asked
                self.sudo()._note_reply(text, self.env.user.partner_id)

    def _reply_by_portal(self, text, author):
        """Take in what the customer wrote on the page of his order."""
        self.message_post(
            body=text[:REPLY_LENGTH],
            author_id=author.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )

    def _answer(self, text):
        """Close the question with its answer and let go what waited for it.

        :raise UserError: closed already, or no answer
        :raise AccessError: kept by somebody else
        """
        self.check_access("write")
        self._check_may_manage()
        self._check_is_open()
        if not (text or "").strip():
            raise UserError(self.env._("Write down what was answered."))
        self._close("answered", answer=text.strip())
        for clarification in self:
            clarification._message_log(body=self.env._("Answer: %s", clarification.answer))

    def _close(self, state, **vals):
        self._set(
            {
                "state": state,
                "closed_at": fields.Datetime.now(),
                "closed_by_id": self.env.uid,
                **vals,
            }
        )
        self.sudo().activity_unlink(["sale_admin_support.mail_activity_type_clarification"])
        self.filtered("stage")._stage_changed()

    def _stage_changed(self):
        self._refresh_orders(self.sudo().order_id)

    @api.model
    def _refresh_orders(self, orders):
        """Have the orders judged anew: something new waits, or waits no longer."""
        waiting = self.sudo().search(
            [
                ("order_id", "in", orders.ids),
                ("state", "in", OPEN_STATES),
                ("stage", "!=", False),
            ]
        )
        for order in orders:
            if order.has_open_question != (order in waiting.order_id):
                order._set({"has_open_question": not order.has_open_question})
        orders = orders.filtered(lambda o: o.state == "sale")
        if orders and self.env["sale.admin.check"]._is_any_active():
            orders._judge("recheck")

    # === REMINDERS === #
    @api.model
    def _cron_remind(self):
        """Ask again for the answers that are due; what fails today is tried tomorrow."""
        due = self.browse()
        for company in self.env["res.company"].search([]):
            due |= self.search(self._get_remind_domain(company))
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(due))
        for clarification in due:
            try:
                with self.env.cr.savepoint():
                    clarification._remind()
            except RETRIED:
                self.env.cr.rollback()
                _logger.info("Clarification %s is being changed: later", clarification.id)
            except Exception:
                _logger.warning(
                    "Clarification %s cannot be reminded of", clarification.id, exc_info=True
                )
            if not cron._commit_progress(1):
                break

    @api.model
    def _get_remind_domain(self, company):
        today = company._sale_admin_today()
        return [
            ("company_id", "=", company.id),
            ("state", "in", ("new", "asked")),
            ("date_due", "<=", today),
            "|",
            ("reminded_on", "=", False),
            ("reminded_on", "<", today),
        ]

    def _remind(self):
        """Ask again, once a day; after the company's number of times the owner has to call."""
        self.ensure_one()
        # The truth now: it may have been answered since the job has begun.
        if not self.try_lock_for_update() or not self.filtered_domain(
            self._get_remind_domain(self.company_id)
        ):
            return
        company = self.company_id
        again = self.state == "asked" and (
            self.reminder_count < company.sale_admin_clarification_reminders
        )
        if again:
            self._send("remind")
        self._activate_once(
            self.user_id,
            self.env._("No answer yet: %s", self.name)
            if self.state == "asked"
            else self.env._("To be asked: %s", self.name),
        )
        self._set(
            {
                "reminded_on": company._sale_admin_today(),
                "reminder_count": self.reminder_count + again,
            }
        )
