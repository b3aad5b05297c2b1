"""What staff can read holds no links of recipients any more: addresses that were
clicked, answers that quote them, the beginnings of text messages."""

from odoo.tools import SQL

TOKEN = (
    "(/(?:marketing/(?:open|click|unsubscribe|preferences|confirm)|shop/cart/recover)/)"
    "[0-9a-fA-F]{8,32}"
)
SHORT = "(/m/)[0-9A-Za-z]{12}(?![0-9A-Za-z/_-])"
# A line of a list may end within the code.
CUT_SHORT = "(/m/)[0-9A-Za-z]{1,12}(?![0-9A-Za-z/_-])"


def migrate(cr, version):
    mask(cr, "marketing_engagement", "url", SHORT)
    mask(cr, "marketing_engagement", "label", SHORT)
    mask(cr, "marketing_engagement", "detail", SHORT)
    mask(cr, "marketing_message", "subject", CUT_SHORT)


def mask(cr, table, column, short):
    cr.execute(
        SQL(
            r"""UPDATE %(table)s
                   SET %(column)s = regexp_replace(
                           regexp_replace(%(column)s, %(token)s, '\1preview', 'g'),
                           %(short)s, '\1preview', 'g')
                 WHERE %(column)s ~ %(token)s OR %(column)s ~ %(short)s""",
            table=SQL.identifier(table),
            column=SQL.identifier(column),
            token=TOKEN,
            short=short,
        )
    )
