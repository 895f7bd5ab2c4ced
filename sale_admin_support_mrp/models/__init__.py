from . import sale_admin_fact
