from odoo.tools import SQL
from odoo.tools.sql import index_exists

# Indexes of columns on Odoo's tables are declared as such now (``large_index.py``), and
# have other names.
RENAMED = {
    "sale_order": ("attributed_message_id",),
    "payment_transaction": ("marketing_card_id",),
    "loyalty_card": (
        "marketing_coupon_id",
        "marketing_enrollment_id",
        "marketing_email",
        "marketing_redeemed_order_id",
        "marketing_reserved_order_id",
    ),
}


def migrate(cr, version):
    """Keep what is there: building it again would hold up the shop."""
    for table, columns in RENAMED.items():
        for column in columns:
            old = f"{table}__{column}_index"
            if index_exists(cr, old):
                rename(cr, old, f"{table}_{column.removesuffix('_id')}_idx", column)


def rename(cr, old, new, column):
    name = SQL.identifier(new)
    cr.execute(SQL("ALTER INDEX %s RENAME TO %s", SQL.identifier(old), name))
    # By its comment Odoo knows an index again.
    comment = f"INDEX ({column}) WHERE {column} IS NOT NULL"
    cr.execute(SQL("COMMENT ON INDEX %s IS %s", name, comment))
