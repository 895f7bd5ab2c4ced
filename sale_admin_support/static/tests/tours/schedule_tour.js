import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("sale_admin_schedule", {
    steps: () => [
        {
            content: "The drawing stands below the schedule and says its figures",
            trigger: ".o_sale_admin_schedule_chart canvas[aria-label*='Invoiced']",
        },
        {
            content: "A late row has the button that helps",
            trigger: ".o_data_row.text-danger:contains('Goods made') button[name=action_set_done]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=evidence] textarea",
            run: "edit Report 4711",
        },
        { trigger: ".modal button[name=action_set_done]", run: "click" },
        {
            content: "Done after its day",
            trigger: "body:not(:has(.modal)) .o_data_row:contains('Goods made') .badge:contains('Reached Late')",
        },
        {
            content: "Another one is planned anew",
            trigger: ".o_data_row:contains('Invoice') button[name=action_replan]",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=days] input", run: "edit 400" },
        { trigger: ".modal .o_field_widget[name=reason] input", run: "edit Site not ready" },
        { trigger: ".modal button[name=action_replan]", run: "click" },
        {
            trigger: "body:not(:has(.modal)) .o_data_row:contains('Invoice') .badge:contains('Planned')",
        },
        {
            content: "A running contract takes another manual milestone, with its date",
            trigger: ".o_field_widget[name=milestone_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".o_selected_row .o_field_widget[name=name] input",
            run: "edit Training",
        },
        {
            trigger: ".o_selected_row .o_field_widget[name=date_planned] input",
            run: "edit 12/31/2050",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved .o_data_row:contains('Training') .badge:contains('Planned')" },
        {
            content: "The chatter keeps the reason",
            trigger: ".o-mail-Message:contains('Site not ready')",
        },
    ],
});
