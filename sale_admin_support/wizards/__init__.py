from . import sale_admin_contract_sign
from . import sale_admin_contract_transition
from . import sale_admin_report_print
from . import sale_admin_milestone_decide
from . import sale_admin_milestone_done
from . import sale_admin_milestone_replan
from . import sale_admin_intake_register
from . import sale_admin_intake_close
