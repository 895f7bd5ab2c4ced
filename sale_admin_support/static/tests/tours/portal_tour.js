import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("sale_admin_portal", {
    steps: () => [
        {
            content: "Open the contracts from the home page",
            trigger: ".o_portal_docs a[href='/my/contracts']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Open the contract from the list",
            trigger: ".o_portal_my_doc_table tbody a[href*='/my/contracts/']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The schedule is drawn",
            trigger: ".o_sale_admin_timeline li:contains('Shipping')",
        },
        {
            content: "What was delivered is listed",
            trigger: "#sale_admin_deliveries td:contains('Goods')",
        },
        {
            content: "The document can be downloaded",
            trigger: ".o_sale_admin_contract_pdf",
        },
        {
            content: "Back to the list",
            trigger: ".o_portal_submenu a[href='/my/contracts']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".o_portal_my_doc_table",
        },
    ],
});

registry.category("web_tour.tours").add("sale_admin_portal_sign", {
    steps: () => [
        {
            content: "Open the signature dialog",
            trigger: "a[data-bs-target='#sale_admin_contract_sign']",
            run: "click",
        },
        {
            content: "The signatory's name is proposed",
            trigger:
                "#sale_admin_contract_sign.show .o_web_sign_name_and_signature input:value(Ann of Acme)",
        },
        {
            content: "The name is drawn as signature",
            trigger: "#sale_admin_contract_sign canvas.o_web_sign_signature",
            run: "canvasNotEmpty",
        },
        {
            content: "Sign",
            trigger: "#sale_admin_contract_sign .o_portal_sign_submit:enabled",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The page thanks",
            trigger: ".alert-success:contains('Signed by Ann of Acme')",
        },
    ],
});
