{
    "name": "Sales Administration: Carriers",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "Follows shipments by the carrier's own tracking reference",
    "author": "Sale Admin Support contributors",
    "license": "LGPL-3",
    "depends": ["sale_admin_support", "stock_delivery"],
    "data": ["views/stock_picking_views.xml"],
    "auto_install": True,
}
