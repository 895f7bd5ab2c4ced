"""What the credit controllers of the demo company grant: asked for by one, approved by another."""

from .office import Office

# customer, kind, amount, head, first day, last day, reason, state
LIMITS = [
    ("saomai", "limit", 60000, None, -300, 65, "Annual accounts, insured up to 60,000", "approved"),
    ("lachong", "limit", 30000, None, -120, 20, "References of two suppliers", "approved"),
    ("kujawska", "limit", 80000, None, -200, None, "Bank guarantee", "approved"),
    ("warta", "no_limit", 0, None, -250, None, "Pays in advance by standing order", "approved"),
    ("riaalta", "shared", 0, "levante", -90, None, "Belongs to Levante since spring", "approved"),
    ("levante", "limit", 40000, None, -90, None, "One limit for the group", "approved"),
    ("klos", "limit", 45000, None, 0, 180, "Season: doubles its orders until spring", "requested"),
    ("saomai", "limit", 75000, None, 0, None, "Insurer raised the cover", "requested"),
]


class CreditOffice(Office):
    def grant(self):
        limits = self.env["sale.admin.credit.limit"]
        for name, mode, amount, head, start, end, reason, state in LIMITS:
            limit = limits.with_user(self.user("huy")).create(
                {
                    "partner_id": self.ref(f"customer_{name}").id,
                    "company_id": self.company.id,
                    "mode": mode,
                    "amount": amount,
                    "head_id": head and self.ref(f"customer_{head}").id,
                    "date_start": self.day(start),
                    "date_end": end is not None and self.day(end),
                    "reason": reason,
                }
            )
            limit.action_request()
            if state == "approved":
                limit.with_user(self.user("minh")).action_approve()
