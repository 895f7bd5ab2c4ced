from . import test_sale_admin_contract
from . import test_sale_admin_contract_amendment
from . import test_sale_admin_contract_orders
from . import test_sale_admin_fact
from . import test_sale_admin_queue
from . import test_portal
from . import test_sale_admin_contract_report
