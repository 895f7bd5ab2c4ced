import { registry } from "@web/core/registry";

const TILE = ".o_sale_admin_tile:contains('To prepare')";

registry.category("web_tour.tours").add("sale_admin_workbench", {
    steps: () => [
        { content: "the tile counts", trigger: `${TILE} .o_sale_admin_tile_count:contains(1)` },
        { content: "names the oldest", trigger: `${TILE} .o_sale_admin_oldest:contains('Wind park')` },
        { content: "and the worst", trigger: `${TILE} dd:contains('1,234.00')` },
        { content: "open the list", trigger: `${TILE} .o_sale_admin_tile_open`, run: "click" },
        { trigger: ".o_breadcrumb .active:contains('To prepare')" },
        { content: "which shows what was counted", trigger: ".o_list_view .o_data_row:only-child:contains('Wind park')" },
        { content: "go back", trigger: ".o_breadcrumb .o_back_button a, .o_breadcrumb .breadcrumb-item a:contains('Workbench')", run: "click" },
        { content: "open the oldest", trigger: `${TILE} .o_sale_admin_oldest`, run: "click" },
        { trigger: ".o_form_view:contains('Wind park')" },
        { content: "go back", trigger: ".o_breadcrumb .o_back_button a, .o_breadcrumb .breadcrumb-item a:contains('Workbench')", run: "click" },
        { content: "open the worst", trigger: `${TILE} .o_sale_admin_worst`, run: "click" },
        { trigger: ".o_form_view:contains('Wind park')" },
        { content: "go back", trigger: ".o_breadcrumb .o_back_button a, .o_breadcrumb .breadcrumb-item a:contains('Workbench')", run: "click" },
        { content: "queues without work stand aside", trigger: ".o_sale_admin_quiet button:contains('To sign')" },
        { content: "a broken one says so", trigger: ".o_sale_admin_tile:contains('Broken'):contains('cannot be counted')" },
        { content: "fetch the figures again", trigger: ".o_sale_admin_refresh:enabled", run: "click" },
        { trigger: ".o_sale_admin_refresh:enabled" },
        { trigger: `${TILE} .o_sale_admin_tile_count:contains(1)` },
    ],
});

registry.category("web_tour.tours").add("sale_admin_workbench_done", {
    steps: () => [
        { content: "nothing waits", trigger: ".o_sale_admin_done:contains('All done')" },
        { trigger: ".o_sale_admin_quiet button:contains('To prepare')" },
    ],
});

registry.category("web_tour.tours").add("sale_admin_workbench_empty", {
    steps: () => [{ trigger: ".o_sale_admin_empty:contains('No queue')" }],
});
