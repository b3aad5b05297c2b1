from odoo.tools import SQL


def migrate(cr, version):
    """Give each account a webhook address of its own; a default is made once."""
    cr.execute(
        SQL(
            "ALTER TABLE marketing_provider ADD COLUMN IF NOT EXISTS webhook_token text"
        )
    )
    cr.execute(
        SQL(
            """UPDATE marketing_provider
                  SET webhook_token = encode(substr(sha256(
                          uuid_send(gen_random_uuid())
                          || uuid_send(gen_random_uuid())), 1, 16), 'hex')
                WHERE webhook_token IS NULL"""
        )
    )
