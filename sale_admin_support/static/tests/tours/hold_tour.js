import { registry } from "@web/core/registry";

const ROW = ".o_data_row:contains('Wind park')";

registry.category("web_tour.tours").add("sale_admin_hold_release", {
    steps: () => [
        { content: "the list says why it waits", trigger: `${ROW} td[name=reasons]:contains('credit limit')` },
        { content: "what would release it", trigger: `${ROW} td[name=release_hint_amount]:contains('8 ×')` },
        { content: "open the ways out", trigger: `${ROW} button[name=action_view_release_options]`, run: "click" },
        { content: "the largest part is proposed", trigger: ".modal td[name=quantity]:contains('8')" },
        { trigger: ".modal .o_field_widget[name=amount_payment]:contains('150.00')" },
        { content: "close it", trigger: ".modal footer button:contains('Close')", run: "click" },
        { content: "open the order", trigger: `body:not(:has(.modal)) ${ROW} td[name=partner_id]`, run: "click" },
        { content: "one line says what holds it", trigger: "[name=sale_admin_banner]:contains('Held (hand-over)')" },
        { content: "and who can act", trigger: "[name=sale_admin_banner]:contains('credit_controller')" },
        { content: "release it", trigger: ".o_statusbar_buttons button[name=action_open_release], .o-dropdown--menu button[name=action_open_release]", run: "click" },
        { content: "say why", trigger: ".modal .o_field_widget[name=note] input", run: "edit The bank confirmed the transfer" },
        { trigger: ".modal footer button:contains('Release')", run: "click" },
        { content: "nothing holds it any more", trigger: "body:not(:has(.modal)) .o_form_view:not(:has([name=sale_admin_banner]))" },
        { content: "the decision stands on its page", trigger: ".o_notebook a[name=sale_admin_checks]", run: "click" },
        { trigger: "[name=hold_ids] .o_data_row td[name=note]:contains('The bank confirmed')" },
    ],
});
