from . import sale_admin_check_report
from . import sale_admin_contract_report
from . import sale_admin_contract_schedule
from . import sale_admin_credit_report
from . import sale_admin_report_execution
from . import sale_admin_held_order
