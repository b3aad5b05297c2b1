"""Columns that are filled here, and not by Odoo for each of a million rows."""


def migrate(cr, version):
    add_columns_of_credit(cr)


def add_columns_of_credit(cr):
    """Messages keep what they are credited with: see ``add_credit`` afterwards."""
    cr.execute(
        """ALTER TABLE marketing_message
             ADD COLUMN IF NOT EXISTS attributed_order_count integer,
             ADD COLUMN IF NOT EXISTS attributed_revenue numeric,
             ADD COLUMN IF NOT EXISTS attributed_margin numeric"""
    )
