from . import sale_admin_contract_transition
from . import sale_admin_report_print
