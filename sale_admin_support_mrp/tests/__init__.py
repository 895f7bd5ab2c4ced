from . import test_sale_admin_fact
