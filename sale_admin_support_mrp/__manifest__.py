{
    "name": "Sales Administration: Kits",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "Counts delivered kits in the facts of contracts",
    "author": "Sale Admin Support contributors",
    "license": "LGPL-3",
    "depends": ["sale_admin_support", "sale_mrp"],
    "data": [
        "security/ir.model.access.csv",
        "security/sale_admin_handover_security.xml",
        "views/sale_admin_handover_menus.xml",
    ],
    "auto_install": True,
}
