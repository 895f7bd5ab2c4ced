import { Component, onWillStart, useExternalListener, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { formatInteger } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const { DateTime } = luxon;

/** The app's home: what waits, by queue, from one call. */
export class SaleAdminWorkbench extends Component {
    static template = "sale_admin_support.Workbench";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.state = useState({ counters: null, isLoading: false, hasFailed: false, time: "" });
        useExternalListener(document, "visibilitychange", () => {
            if (document.visibilityState === "visible") {
                this.refresh();
            }
        });
        // Not awaited: the page stands at once, the figures follow.
        onWillStart(async () => {
            this.refresh();
            this.canRegister = await user.checkAccessRight("sale.admin.intake", "create");
        });
    }

    get groups() {
        const groups = new Map();
        for (const counter of this.state.counters) {
            const { id, name } = counter.group;
            if (!groups.has(id)) {
                groups.set(id, { id, name, waiting: [], quiet: [] });
            }
            const isQuiet = !counter.count && !counter.error;
            groups.get(id)[isQuiet ? "quiet" : "waiting"].push(counter);
        }
        return [...groups.values()];
    }

    get isAllDone() {
        return this.groups.every((group) => !group.waiting.length);
    }

    async refresh() {
        this.state.isLoading = true;
        try {
            this.state.counters = await this.keepLast.add(
                this.orm.call("sale.admin.queue", "get_counters", [])
            );
            this.state.time = DateTime.now().toLocaleString(DateTime.TIME_SIMPLE);
            this.state.hasFailed = false;
        } catch {
            // The figures of the last call stay, marked as old; the button tries again.
            this.state.hasFailed = true;
        }
        this.state.isLoading = false;
    }

    async openQueue(counter) {
        this.action.doAction(
            await this.orm.call("sale.admin.queue", "action_open", [counter.id])
        );
    }

    registerOrder() {
        this.action.doAction("sale_admin_support.sale_admin_intake_register_action", {
            onClose: () => this.refresh(),
        });
    }

    openItem(counter, item) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: counter.res_model,
            res_id: item.id,
            views: [[false, "form"]],
        });
    }

    formatCount(count) {
        return formatInteger(count);
    }

    formatAge(days) {
        if (days === 0) {
            return _t("today");
        }
        if (Math.abs(days) === 1) {
            return days > 0 ? _t("1 day") : _t("tomorrow");
        }
        return days > 0
            ? _t("%s days", formatInteger(days))
            : _t("in %s days", formatInteger(-days));
    }
}

registry.category("actions").add("sale_admin_support.workbench", SaleAdminWorkbench);
