"""Searching everything that is stored for traces of a person."""

from odoo.tools import SQL

# Columns of these types can hold an address; numbers and times cannot.
TEXT_TYPES = ("text", "character varying", "json", "jsonb", "character", "ARRAY")


def find_traces(env, *words):
    """Search every table of the database, and all files, for words, in any case.

    :param words: an address, a number, a name
    :return: where a word was found: ``table.column``, or ``filestore``
    :rtype: set[str]
    """
    env.flush_all()
    columns = env.execute_query(
        SQL(
            """SELECT c.table_name, c.column_name, c.data_type
                 FROM information_schema.columns c
                 JOIN information_schema.tables t USING (table_schema, table_name)
                WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
                  AND c.data_type = ANY(%s)""",
            [*TEXT_TYPES, "bytea"],
        )
    )
    by_table = {}
    for table, column, kind in columns:
        by_table.setdefault(table, []).append((column, kind))
    found = set()
    for table, its_columns in sorted(by_table.items()):
        found |= {f"{table}.{name}" for name in _search(env, table, its_columns, words)}
    return found | _search_files(env, words)


def _search(env, table, columns, words):
    queries = []
    for column, kind in columns:
        name = SQL.identifier(column)
        text = SQL("encode(%s, 'escape')", name) if kind == "bytea" else name
        queries.append(
            SQL("bool_or(%s::text ILIKE ANY(%s))", text, [f"%{w}%" for w in words])
        )
    query = SQL("SELECT %s FROM %s", SQL(", ").join(queries), SQL.identifier(table))
    [row] = env.execute_query(query)
    return [name for (name, _kind), hit in zip(columns, row, strict=True) if hit]


def _search_files(env, words):
    attachments = env["ir.attachment"].sudo()
    names = env.execute_query(
        SQL("SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname != ''")
    )
    for (name,) in names:
        content = attachments._file_read(name).lower()
        if any(word.lower().encode() in content for word in words):
            return {"filestore"}
    return set()
