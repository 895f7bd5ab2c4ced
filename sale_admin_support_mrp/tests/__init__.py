from . import test_kit_gate
from . import test_sale_admin_fact
