"""Tables of one transaction.

They are named with PostgreSQL's ``pg_temp`` wherever they are used: without it, a name
that is not there at the moment is looked for among everybody's tables.
"""

from odoo.tools import SQL


class TemporaryTable:
    """A table that is gone when its transaction ends.

    :param str name: begins with ``marketing_``: while it is there, it hides a table of
        that name from whoever does not say where it is
    """

    def __init__(self, name):
        self.name = SQL.identifier(name)
        #: How it is written in a statement.
        self.sql = SQL.identifier("pg_temp", name)

    def make(self, cr, columns):
        """Make it anew, empty.

        :param cr: cursor
        :param SQL columns: names and types
        """
        self.drop(cr)
        cr.execute(
            SQL("CREATE TEMPORARY TABLE %s (%s) ON COMMIT DROP", self.sql, columns)
        )

    def fill(self, cr, query):
        """Keep what a query finds until the end of the transaction.

        PostgreSQL is told how much it is: of a new table it knows nothing, and plans
        badly.

        :param cr: cursor
        :param SQL query: names the columns
        :return: how the table is written in a statement
        :rtype: SQL
        """
        self.drop(cr)
        cr.execute(
            SQL("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s", self.sql, query)
        )
        cr.execute(SQL("ANALYZE %s", self.sql))
        return self.sql

    def drop(self, cr):
        """Drop it, if it is there; never another one of that name.

        :param cr: cursor
        """
        cr.execute(SQL("DROP TABLE IF EXISTS pg_temp.%s", self.name))
