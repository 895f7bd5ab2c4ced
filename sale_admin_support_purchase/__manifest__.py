{
    "name": "Sales Administration: Purchased Services",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "Buys the services of an order when it is released",
    "author": "Sale Admin Support contributors",
    "license": "LGPL-3",
    "depends": ["sale_admin_support", "sale_purchase"],
    "data": [
        "security/ir.model.access.csv",
        "security/sale_admin_handover_security.xml",
        "views/sale_admin_handover_menus.xml",
    ],
    "auto_install": True,
}
