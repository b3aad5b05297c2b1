"""Conditions find what their writers may see: whoever saved one last.

Before the column gets its default: that is the user who upgrades, who may see all.
"""


def migrate(cr, version):
    cr.execute(
        """ALTER TABLE customer_segment_condition
             ADD COLUMN IF NOT EXISTS writer_id integer"""
    )
    cr.execute(
        """UPDATE customer_segment_condition
              SET writer_id = COALESCE(write_uid, create_uid)
            WHERE writer_id IS NULL"""
    )
