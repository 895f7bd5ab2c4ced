import { Component, onMounted, onWillStart, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const TYPING_PAUSE = 200;

/** The phone rings: type who it is, and read on. Arrow keys choose, Enter and Escape do the rest. */
export class SaleAdminCustomerCard extends Component {
    static template = "sale_admin_support.CustomerCard";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.keepLast = new KeepLast();
        this.input = useRef("query");
        this.note = useRef("note");
        // The browser's way back, from a document to the card, finds what was typed.
        const kept = this.props.state || {};
        this.state = useState({
            query: kept.query || "",
            partnerId: kept.partnerId || false,
            customers: [],
            card: false,
            isLoading: false,
            hasAnswer: false,
            note: "",
            noteOrderId: false,
        });
        this.searchSoon = useDebounced(() => this.search(), TYPING_PAUSE);
        onWillStart(() => {
            if (this.state.query) {
                this.load();
            }
        });
        onMounted(() => this.input.el.focus());
    }

    get columns() {
        const { card } = this.state;
        return [
            { id: "holds", title: _t("What holds it up"), items: card.holds, icon: "fa-hand-paper-o" },
            { id: "clarifications", title: _t("Open questions"), items: card.clarifications, icon: "fa-question-circle-o" },
            { id: "problems", title: _t("Open problems"), items: card.problems, icon: "fa-exclamation-triangle" },
            { id: "deliveries", title: _t("Last deliveries"), items: card.deliveries, icon: "fa-truck" },
        ];
    }

    getLocalState() {
        return { query: this.state.query, partnerId: this.state.partnerId };
    }

    onInput() {
        this.state.partnerId = false;
        this.searchSoon();
    }

    onKeydown(ev) {
        const { customers, card } = this.state;
        if (ev.key === "Escape") {
            this.clear();
        } else if (["ArrowDown", "ArrowUp"].includes(ev.key) && customers.length) {
            const index = customers.findIndex((customer) => customer.id === card.id);
            const step = ev.key === "ArrowDown" ? 1 : -1;
            this.choose(customers[(index + step + customers.length) % customers.length].id);
        } else if (ev.key === "Enter" && card) {
            this.openCustomer();
        } else {
            return;
        }
        ev.preventDefault();
    }

    clear() {
        Object.assign(this.state, { query: "", partnerId: false, customers: [], card: false, hasAnswer: false });
        this.input.el.focus();
    }

    search() {
        if (this.state.query.trim().length < 2) {
            Object.assign(this.state, { customers: [], card: false, hasAnswer: false });
            return;
        }
        return this.load();
    }

    choose(partnerId) {
        this.state.partnerId = partnerId;
        return this.load();
    }

    async load() {
        this.state.isLoading = true;
        try {
            const answer = await this.keepLast.add(
                this.orm.call("sale.admin.customer.card", "get_card", [
                    this.state.query,
                    this.state.partnerId,
                ])
            );
            if (answer.card.id !== this.state.card.id) {
                Object.assign(this.state, { note: "", noteOrderId: false });
            }
            Object.assign(this.state, answer, { hasAnswer: true });
        } finally {
            this.state.isLoading = false;
        }
    }

    open(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    openCustomer() {
        return this.open("res.partner", this.state.card.id);
    }

    openOrders() {
        return this.action.doAction("sale_admin_support.sale_order_action_progress", {
            additionalContext: { search_default_partner_id: this.state.card.id },
        });
    }

    newOrder() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "sale.order",
            views: [[false, "form"]],
            context: { default_partner_id: this.state.card.id },
        });
    }

    async tell(order, method) {
        const result = await this.orm.call("sale.order", method, [[order.id]]);
        const message = result.params ? result.params.message : _t("Noted: told by phone");
        this.notification.add(message, { type: "success" });
        await this.load();
    }

    noteFor(order) {
        this.state.noteOrderId = order.id;
        this.note.el.focus();
    }

    async logCall() {
        await this.orm.call("sale.admin.customer.card", "log_call", [
            this.state.card.id,
            this.state.note,
            this.state.noteOrderId ? Number(this.state.noteOrderId) : false,
        ]);
        this.notification.add(_t("The call is noted"), { type: "success" });
        Object.assign(this.state, { note: "", noteOrderId: false });
        this.input.el.focus();
    }
}

registry.category("actions").add("sale_admin_support.customer_card", SaleAdminCustomerCard);
