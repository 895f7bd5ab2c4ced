from odoo import api, fields, models
from odoo.exceptions import UserError

# What may still be written on a paper that was sent: nothing of what was sent, nor where it is.
WRITABLE_WHEN_SENT = {"access_token", "description"}


class IrAttachment(models.Model):
    """A paper that was sent to a customer with a contract's message stays as it was sent."""

    _inherit = "ir.attachment"

    # === FIELDS === #
    is_sale_admin_sent = fields.Boolean(string="Sent to the Customer", readonly=True, copy=False)

    # === CRUD METHODS === #
    @api.model_create_multi
    def create(self, vals_list):
        # only sending marks a paper as sent, see `_mark_as_sale_admin_sent`
        attachments = super().create(
            [{k: v for k, v in vals.items() if k != "is_sale_admin_sent"} for vals in vals_list]
        )
        attachments._touch_milestone_evidence()
        return attachments

    def write(self, vals):
        if not vals.keys() <= WRITABLE_WHEN_SENT:
            self._check_not_sale_admin_sent()
            self._touch_milestone_evidence()
        if "is_sale_admin_sent" in vals:
            vals = {k: v for k, v in vals.items() if k != "is_sale_admin_sent"}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sale_admin_sent(self):
        self._check_not_sale_admin_sent()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_milestone_evidence(self):
        self._touch_milestone_evidence()

    # === BUSINESS METHODS === #
    def _check_not_sale_admin_sent(self):
        for attachment in self.sudo():
            if attachment.is_sale_admin_sent:
                raise UserError(
                    self.env._(
                        "%s was sent to the customer: it stays as it was sent.", attachment.name
                    )
                )

    def _mark_as_sale_admin_sent(self):
        """Freeze the papers. They are past all changes of Odoo's own, their message is posted."""
        return super().write({"is_sale_admin_sent": True})

    def _touch_milestone_evidence(self):
        """A milestone's file is an attachment too: the way round the milestone has its rules."""
        files = self.sudo().filtered(
            lambda a: a.res_model == "sale.admin.milestone" and a.res_field == "file"
        )
        if files:
            milestones = self.env["sale.admin.milestone"].browse(files.mapped("res_id")).exists()
            milestones.sudo()._touch_evidence()
