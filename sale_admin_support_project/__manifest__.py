{
    "name": "Sales Administration: Projects",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "Starts the projects and tasks of an order when it is released",
    "author": "Sale Admin Support contributors",
    "license": "LGPL-3",
    "depends": ["sale_admin_support", "sale_project"],
    "auto_install": True,
}
