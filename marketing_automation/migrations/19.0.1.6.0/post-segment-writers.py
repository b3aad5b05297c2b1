"""Conditions find what their writers may see: whoever saved one last."""


def migrate(cr, version):
    cr.execute(
        """UPDATE customer_segment_condition
              SET writer_id = COALESCE(write_uid, create_uid)
            WHERE writer_id IS NULL"""
    )
