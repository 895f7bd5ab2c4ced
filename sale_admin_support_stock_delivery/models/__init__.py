from . import sale_admin_shipment
from . import stock_picking
