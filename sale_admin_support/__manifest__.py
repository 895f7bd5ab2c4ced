{
    "name": "Sales Administration",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "Contracts, execution schedules and the sales back office's work list",
    "author": "Sale Admin Support contributors",
    "license": "LGPL-3",
    "application": True,
    "depends": ["sale_management", "sale_stock"],
    "data": [
        "security/sale_admin_support_groups.xml",
        "security/ir.model.access.csv",
        "security/sale_admin_support_rules.xml",
        "security/sale_admin_contract_report_security.xml",
        "security/sale_admin_queue_security.xml",
        "data/ir_sequence_data.xml",
        "views/res_config_settings_views.xml",
        "views/sale_admin_queue_views.xml",
        "views/sale_admin_support_menus.xml",
        "reports/sale_admin_contract_report_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "sale_admin_support/static/src/workbench/*",
        ],
        "web.assets_tests": [
            "sale_admin_support/static/tests/tours/*",
        ],
    },
}
