from . import sale_admin_contract_transition
