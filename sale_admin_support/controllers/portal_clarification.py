from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class ClarificationPortal(CustomerPortal):
    """The customer answers our questions on the page of his order.

    Who may see the order may answer; there is no access right on the questions themselves.
    """

    @http.route(
        ["/my/orders/<int:order_id>/questions/<int:clarification_id>"],
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_order_answer(
        self, order_id, clarification_id, access_token=None, answer=None, **kwargs
    ):
        try:
            order_sudo = self._document_check_access(
                "sale.order", order_id, access_token=access_token
            )
        except (AccessError, MissingError):
            return request.redirect("/my")
        clarification_sudo = order_sudo._get_portal_clarifications().filtered(
            lambda c: c.id == clarification_id and c.state in ("asked", "replied")
        )
        answer = (answer or "").strip()
        if clarification_sudo and answer:
            clarification_sudo._reply_by_portal(answer, self._get_answering_partner(order_sudo))
        return request.redirect(
            order_sudo.get_portal_url(query_string="&message=answered", anchor="questions")
        )

    def _get_answering_partner(self, order_sudo):
        """Return who answers: the user, or whom the link was meant for."""
        if request.env.user._is_public():
            return order_sudo.partner_id
        return request.env.user.partner_id
