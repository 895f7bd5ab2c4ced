{
    "name": "Sales Administration: Kits",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "Counts delivered kits in the facts of contracts",
    "author": "Sale Admin Support contributors",
    "license": "LGPL-3",
    "depends": ["sale_admin_support", "sale_mrp"],
    "auto_install": True,
}
