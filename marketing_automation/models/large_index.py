"""Indexes of Odoo's own tables, which may be large and in use when the addon comes.

Creating an index holds up whoever writes to its table: the customers of a shop. Where
a table is large, a scheduled action has it built beside their work instead. Until then,
what needs it is slower, but right.
"""

import logging
import threading
from contextlib import closing

from odoo import api, models
from odoo.sql_db import db_connect
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# Of a table that is smaller, the index is there at once: it takes a few milliseconds.
SMALL_BYTES = 8 * 2**20
# One process builds at a time: whoever holds this lock. Any number that is ours.
BUILD_LOCK = 7_305_812_290


class LargeIndex(models.Index):
    """An index of one of Odoo's tables, declared as any other."""

    def apply_to_database(self, model):
        """Create the index if its table is small, or leave that for later."""
        ((size,),) = model.env.execute_query(
            SQL("SELECT pg_relation_size(%s::regclass)", f'"{model._table}"')
        )
        if size < SMALL_BYTES:
            return super().apply_to_database(model)
        return None


class MarketingLargeIndex(models.AbstractModel):
    """Builds those indexes of large tables that are not there yet."""

    _name = "marketing.large.index"
    _description = "Index of a Large Table"

    @api.model
    def _cron_build(self):
        """Have the indexes built that are missing, of another definition, or left
        unfinished.

        It does not happen within the scheduled action: building waits until everybody
        is done who began before, and that would be the scheduled action itself.
        """
        missing = self._get_missing()
        if missing:
            threading.Thread(
                target=_build_indexes,
                args=(self.env.cr.dbname, missing),
                name="marketing_automation: build indexes",
                daemon=True,
            ).start()

    @api.model
    def _get_missing(self):
        """Return the indexes to be built.

        :return: names of tables, names of indexes, definitions
        :rtype: list[tuple[str, str, str]]
        """
        wanted = {
            index.full_name(model): (model._table, index.get_definition(self.pool))
            for model in map(self.env.__getitem__, self.pool)
            for index in model._table_objects.values()
            if isinstance(index, LargeIndex)
        }
        known = {
            name: definition
            for name, definition, is_valid in self.env.execute_query(
                SQL(
                    """SELECT c.relname, d.description, i.indisvalid
                         FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
                         LEFT JOIN pg_description d ON d.objoid = c.oid
                        WHERE c.relname = ANY(%s)
                          AND c.relnamespace = current_schema::regnamespace""",
                    list(wanted),
                )
            )
            if is_valid
        }
        return [
            (table, name, definition)
            for name, (table, definition) in wanted.items()
            # As everywhere in Odoo: what has no comment, somebody else made on purpose.
            if known.get(name, "") not in (definition, None)
        ]


def _build_indexes(dbname, missing):
    """Build indexes while others go on reading and writing; one process at a time.

    :param str dbname: name of the database
    :param list missing: see ``_get_missing``
    """
    threading.current_thread().dbname = dbname
    with closing(db_connect(dbname).cursor()) as cr:
        # Building consists of several transactions.
        cr._cnx.autocommit = True
        cr.execute("SELECT pg_try_advisory_lock(%s)", [BUILD_LOCK])
        if not cr.fetchone()[0]:
            return
        try:
            for table, name, definition in missing:
                _build_index(cr, table, name, definition)
        finally:
            cr.execute("SELECT pg_advisory_unlock(%s)", [BUILD_LOCK])


def _build_index(cr, table, name, definition):
    index = SQL.identifier(name)
    # One that is unfinished or has another definition is of no use.
    cr.execute(SQL("DROP INDEX CONCURRENTLY IF EXISTS %s", index))
    cr.execute(
        SQL(
            "CREATE INDEX CONCURRENTLY %s ON %s %s",
            index,
            SQL.identifier(table),
            SQL(definition.removeprefix("INDEX ").replace("%", "%%")),
        )
    )
    cr.execute(SQL("COMMENT ON INDEX %s IS %s", index, definition))
    _logger.info("Index %s of table %s was built.", name, table)
