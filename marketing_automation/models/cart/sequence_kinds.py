"""Which carts a sequence is for, by what was left behind."""

from odoo.tools import SQL

# The sequence `seq` is for what was left behind in `cart`. A cart whose payment failed
# goes through the sequences for carts as long as no other takes it: nobody's recovery
# ends with an upgrade.
IS_FOR_KIND = SQL(
    """(seq.kind = cart.kind
        OR cart.kind = 'payment_failed' AND seq.kind = 'cart' AND NOT EXISTS (
            SELECT FROM marketing_sequence own
             WHERE own.active AND own.kind = 'payment_failed'
               AND (own.company_id IS NULL OR own.company_id = cart.company_id)
               AND (own.website_id IS NULL OR own.website_id = cart.website_id)))"""
)
