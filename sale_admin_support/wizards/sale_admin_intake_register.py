from odoo import api, fields, models


class SaleAdminIntakeRegister(models.TransientModel):
    """Take in an order by hand: files or a mail dropped, or a text pasted."""

    _name = "sale.admin.intake.register"
    _description = "Register an Incoming Order"

    # === FIELDS === #
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    attachment_ids = fields.Many2many("ir.attachment", string="Files")
    text = fields.Text()
    mail_count = fields.Integer(readonly=True)
    mail_subject = fields.Char(readonly=True)
    email_from = fields.Char(string="Sender", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        domain="[('company_id', 'in', (False, company_id))]",
    )
    client_order_ref = fields.Char(string="Customer Reference")
    channel_id = fields.Many2one("sale.admin.channel")
    received_at = fields.Datetime(string="Received", default=fields.Datetime.now)
    same_as_id = fields.Many2one("sale.admin.intake", string="Came in Before", readonly=True)

    # === ONCHANGE METHODS === #
    @api.onchange("attachment_ids", "text")
    def _onchange_attachment_ids(self):
        """Propose what the first mail, the file names or the text tell."""
        intakes = self.env["sale.admin.intake"]
        limit = self.env.company.sale_admin_max_file_size * 1024 * 1024  # the rest is refused later
        files = self.attachment_ids._origin.filtered(lambda a: a.file_size <= limit)
        mails = list(filter(None, map(intakes._parse_mail, files)))
        self.mail_count = len(mails)
        self.mail_subject = mails[0].get("subject") if mails else False
        if mails:
            vals = intakes._prepare_mail_vals(mails[0])
        else:
            vals = {
                "name": " ".join(self.attachment_ids.mapped("name")),
                "body": self.text,
                "content_hash": intakes._get_content_hash(
                    [(a.name, a.raw) for a in files], self.text
                ),
            }
        vals = intakes._complete_vals(vals)
        self.email_from = vals.get("email_from")
        self.same_as_id = self._find_same(vals)
        self.partner_id = self.partner_id or vals["partner_id"]
        self.client_order_ref = self.client_order_ref or vals["client_order_ref"]
        self.channel_id = self.channel_id or vals.get("channel_id")
        if mails:
            self.received_at = vals["received_at"]

    def _find_same(self, vals):
        keys = [
            (fname, "=", vals[fname])
            for fname in ("mail_message_id", "content_hash")
            if vals.get(fname)
        ]
        if not keys:
            return False
        domain = ["|"] * (len(keys) - 1) + keys + [("company_id", "=", self.env.company.id)]
        return self.env["sale.admin.intake"].search(domain, limit=1, order="id")

    # === ACTION METHODS === #
    def action_make_order(self):
        """Keep what was handed in and open the draft order made of it."""
        intakes = self._take_in()
        if len(intakes) > 1:
            return self._get_list_action(intakes)
        return intakes.action_enter()

    def action_keep(self):
        """Keep what was handed in, for somebody to enter it later."""
        intakes = self._take_in()
        return self._get_list_action(intakes)

    def _take_in(self):
        self.ensure_one()
        values = {}
        if self.mail_count <= 1:  # several mails each tell their own
            values = {
                "partner_id": self.partner_id.id,
                "client_order_ref": self.client_order_ref,
                "received_at": self.received_at,
            }
        return self.env["sale.admin.intake"]._take_in(
            self.attachment_ids, self.text, {**values, "channel_id": self.channel_id.id}
        )

    def _get_list_action(self, intakes):
        if len(intakes) == 1:
            return intakes._get_form_action()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Incoming Orders"),
            "res_model": "sale.admin.intake",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", intakes.ids)],
        }
