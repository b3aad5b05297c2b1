"""Fresh statistics of tables that were just filled.

PostgreSQL looks at a table again within a minute or so after many rows of it changed.
Until then it takes it for as small as it was, and whoever asks the next question waits.
"""

from psycopg2.errors import LockNotAvailable

from odoo.tools import SQL

# Of fewer rows, or of a smaller part of the table, it makes no difference.
MANY = 5_000
PART = 0.1


def note_written(cr, table, count):
    """Let the database look at a table again if so many rows of it were just written.

    It happens within the transaction, which sees its own rows. Where somebody else is
    looking at the same table, nothing is done.

    :param odoo.sql_db.Cursor cr: of the transaction
    :param str table: name of the table
    :param int count: number of rows that were written
    """
    if count < MANY:
        return
    cr.execute(SQL("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", table))
    if count < PART * cr.fetchone()[0]:
        return
    name = SQL.identifier(table)
    try:
        with cr.savepoint(flush=False):
            cr.execute(
                SQL("LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE NOWAIT", name),
                log_exceptions=False,
            )
            cr.execute(SQL("ANALYZE %s", name))
    except LockNotAvailable:
        return
