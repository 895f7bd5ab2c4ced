from odoo.tools import SQL

# Models whose records are the app's own, or Odoo's machinery: they go with the app.
OWN_MODELS = ("ir.", "mail.", "report.", "res.groups", "sale.admin.")


def uninstall_hook(env):
    """Leave what the app put into Odoo's registers, such as the demo company's customers.

    Orders and invoices use these records by now. Without the app's name on them they are the
    company's own, and Odoo does not try to delete them. The registers' numbers go with them.
    """
    _forget_restrictions(env)
    data = env["ir.model.data"].search([("module", "=", "sale_admin_support")])
    data.filtered(lambda record: not record.model.startswith(OWN_MODELS)).unlink()
    env["ir.sequence"].search([("code", "=like", "sale.admin.%")]).unlink()


def _forget_restrictions(env):
    """Let the registers go in any order: what they refer to is kept only as long as they are."""
    env.cr.execute(
        """SELECT conrelid::regclass::text, conname
             FROM pg_constraint
            WHERE contype = 'f' AND confdeltype IN ('a', 'r')
              AND (starts_with(conrelid::regclass::text, 'sale_admin_')
                   OR starts_with(confrelid::regclass::text, 'sale_admin_'))"""
    )
    for table, constraint in env.cr.fetchall():
        env.cr.execute(
            SQL(
                "ALTER TABLE %s DROP CONSTRAINT %s",
                SQL.identifier(table),
                SQL.identifier(constraint),
            )
        )
