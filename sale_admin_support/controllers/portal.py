from odoo import SUPERUSER_ID, http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager


class SaleAdminPortal(CustomerPortal):
    """The customer's view of own contracts.

    Portal users have no access right on contracts and what belongs to them: pages read with sudo
    what `_get_portal_domain` or the link's token allows, so that nothing is left to ask by RPC.
    """

    # === HOME === #
    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        Contract = request.env["sale.admin.contract"].sudo()
        domain = Contract._get_portal_domain(request.env.user)
        if "sale_contract_count" in counters:
            values["sale_contract_count"] = Contract.search_count(domain)
        if "sale_contract_to_sign_count" in counters:
            values["sale_contract_to_sign_count"] = Contract.search_count(
                domain & Domain("state", "=", "to_sign")
            )
        return values

    # === LIST === #
    @http.route(
        ["/my/contracts", "/my/contracts/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_contracts(
        self, page=1, sortby=None, filterby=None, search=None, search_in=None, **kwargs
    ):
        sortings = self._get_contract_searchbar_sortings()
        filters = self._get_contract_searchbar_filters()
        inputs = self._get_contract_searchbar_inputs()
        sortby = sortby if sortby in sortings else "date"
        filterby = filterby if filterby in filters else "all"
        search_in = search_in if search_in in inputs else "all"

        # sudo: the domain says what the user may see, there is no access right (see class)
        Contract = request.env["sale.admin.contract"].sudo()
        domain = Contract._get_portal_domain(request.env.user) & filters[filterby]["domain"]
        if search:
            domain &= Domain.OR(
                Domain(name, "ilike", search) for name in inputs[search_in]["fields"]
            )
        pager = portal_pager(
            url="/my/contracts",
            url_args={
                "sortby": sortby,
                "filterby": filterby,
                "search": search or "",
                "search_in": search_in,
            },
            total=Contract.search_count(domain),
            page=page,
            step=self._items_per_page,
        )
        contracts = Contract.search(
            domain,
            order=sortings[sortby]["order"],
            limit=self._items_per_page,
            offset=pager["offset"],
        )
        request.session["my_contracts_history"] = contracts.ids[:100]
        values = {
            **self._prepare_portal_layout_values(),
            "contracts": contracts,
            "next_milestones": contracts._get_customer_next_milestones(),
            "page_name": "sale_contract",
            "default_url": "/my/contracts",
            "pager": pager,
            "searchbar_sortings": sortings,
            "sortby": sortby,
            "searchbar_filters": filters,
            "filterby": filterby,
            "searchbar_inputs": inputs,
            "search_in": search_in,
            "search": search,
        }
        return request.render("sale_admin_support.portal_my_contracts", values)

    def _get_contract_searchbar_sortings(self):
        _ = request.env._
        return {
            "date": {"label": _("Newest"), "order": "date_start desc, id desc"},
            "end": {"label": _("End"), "order": "date_end, id desc"},
            "name": {"label": _("Number"), "order": "name, id"},
            "state": {"label": _("Status"), "order": "state, id desc"},
        }

    def _get_contract_searchbar_filters(self):
        _ = request.env._
        return {
            "all": {"label": _("All"), "domain": Domain.TRUE},
            "to_sign": {"label": _("To be signed"), "domain": Domain("state", "=", "to_sign")},
            "running": {
                "label": _("Running"),
                "domain": Domain("state", "in", ("active", "suspended")),
            },
            "ended": {
                "label": _("Ended"),
                "domain": Domain("state", "in", ("done", "terminated")),
            },
        }

    def _get_contract_searchbar_inputs(self):
        _ = request.env._
        return {
            "all": {
                "input": "all",
                "label": _("Search in All"),
                "fields": ["name", "title", "partner_ref", "order_ids.name"],
            },
            "name": {
                "input": "name",
                "label": _("Search in Number and Title"),
                "fields": ["name", "title"],
            },
            "partner_ref": {
                "input": "partner_ref",
                "label": _("Search in Your Reference"),
                "fields": ["partner_ref"],
            },
            "order": {
                "input": "order",
                "label": _("Search in Orders"),
                "fields": ["order_ids.name", "order_ids.client_order_ref"],
            },
        }

    # === ONE CONTRACT === #
    @http.route(["/my/contracts/<int:contract_id>"], type="http", auth="public", website=True)
    def portal_contract_page(
        self, contract_id, access_token=None, report_type=None, download=False, **kwargs
    ):
        try:
            contract_sudo = self._contract_check_access(contract_id, access_token)
        except (AccessError, MissingError):
            return request.redirect("/my")
        if report_type:
            return self._show_contract_report(contract_sudo, download)
        self._speak_customer_language(contract_sudo)
        contract_sudo = contract_sudo.with_context(lang=request.env.lang)
        values = self._get_page_view_values(
            contract_sudo,
            access_token,
            {
                "contract": contract_sudo,
                "page_name": "sale_contract",
                "res_company": contract_sudo.company_id,  # whose logo is shown
                "backend_url": f"/odoo/sale.admin.contract/{contract_id}",
                **contract_sudo._get_customer_status(),
            },
            "my_contracts_history",
            False,
            **kwargs,
        )
        return request.render("sale_admin_support.portal_contract_page", values)

    def _contract_check_access(self, contract_id, access_token=None):
        """Return the contract, as superuser, for one who may see it.

        Colleagues need the right to read it, in whatever state it is. Anybody else needs the
        link's token or to be of the customer, and never sees what is not for customers yet.

        :raise MissingError: no such contract
        :raise AccessError: not for this visitor
        """
        contract_sudo = (
            request.env["sale.admin.contract"].with_user(SUPERUSER_ID).browse(contract_id).exists()
        )
        if not contract_sudo:
            raise MissingError(request.env._("This contract does not exist."))
        user = request.env.user
        if user._is_internal() and contract_sudo.with_user(user).has_access("read"):
            return contract_sudo
        domain = contract_sudo._get_portal_state_domain()
        if not self._is_contract_token(contract_sudo, access_token):
            domain = contract_sudo._get_portal_domain(user)
        if not contract_sudo.filtered_domain(domain):
            raise AccessError(request.env._("You may not see this contract."))
        return contract_sudo

    def _is_contract_token(self, contract_sudo, access_token):
        token = contract_sudo.access_token
        return bool(token and access_token and consteq(token, access_token))

    def _show_contract_report(self, contract_sudo, download):
        """Answer with the customer's PDF, the only form in which the report is given out."""
        return self._show_report(
            model=contract_sudo,
            report_type="pdf",
            report_ref="sale_admin_support.action_report_contract_status",
            download=download,
        )

    def _speak_customer_language(self, contract_sudo):
        """Show the page in the customer's language to who opens the link in a mail.

        Such a visitor has not chosen a language yet: no cookie says so. Later choices, made at
        the foot of the page, are respected.
        """
        if not request.env.user._is_public() or request.cookies.get("frontend_lang"):
            return
        lang = request.env["res.lang"]._get_data(code=contract_sudo.partner_id.lang)
        if lang:
            request.lang = lang
            request.update_context(lang=lang.code)
            request.future_response.set_cookie("frontend_lang", lang.code)

    # === SIGNATURE === #
    @http.route(
        ["/my/contracts/<int:contract_id>/sign"], type="jsonrpc", auth="public", website=True
    )
    def portal_contract_sign(self, contract_id, access_token=None, name=None, signature=None):
        access_token = access_token or request.httprequest.args.get("access_token")
        try:
            contract_sudo = self._contract_check_access(contract_id, access_token)
            contract_sudo._sign_by_customer(
                name, signature, self._get_contract_signer(contract_sudo)
            )
        except MissingError:
            return {"error": request.env._("You may not see this contract.")}
        except UserError as error:  # AccessError is one
            return {"error": str(error)}
        return {
            "force_refresh": True,
            "redirect_url": contract_sudo.get_portal_url(query_string="&message=signed"),
        }

    def _get_contract_signer(self, contract_sudo):
        """Return the partner who signs: the user, or who the link was meant for."""
        if request.env.user._is_public():
            return contract_sudo.signatory_id or contract_sudo.partner_id
        return request.env.user.partner_id
