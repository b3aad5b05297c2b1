"""Members of segments are written without a check of each: see ``LooseMany2one``."""


def migrate(cr, version):
    for table in ("segment_membership", "segment_membership_event"):
        cr.execute(
            f"""ALTER TABLE IF EXISTS {table}
                DROP CONSTRAINT IF EXISTS {table}_partner_id_fkey"""
        )
