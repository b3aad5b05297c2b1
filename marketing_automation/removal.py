"""Takes the addon's rows away before Odoo removes its models one by one.

Odoo deletes each record that the addon came with, and the database then looks for what
refers to it: in a shop of years, a million messages for each template. What refers to
nothing and is referred to by nobody is gone at once.
"""

from odoo.tools import SQL

MODULE = "marketing_automation"
# What the links of messages are marked with, see ``_get_utm_parameters``.
MARKS = SQL(
    """SELECT words.value FROM marketing_sequence_step step,
              jsonb_each_text(step.name) words
        UNION SELECT words.value FROM marketing_sequence sequence,
              jsonb_each_text(sequence.name) words
        UNION SELECT name FROM marketing_template
        UNION SELECT name FROM email_campaign"""
)


def empty_tables(env):
    """Empty the tables that hold what happened, and let nothing refer to the others.

    :param odoo.api.Environment env: of the superuser
    """
    env.flush_all()
    tables = _find_tables(env)
    for table, constraint in _find_references(env, tables):
        env.cr.execute(
            SQL(
                "ALTER TABLE %s DROP CONSTRAINT %s",
                SQL.identifier(table),
                SQL.identifier(constraint),
            )
        )
    env.cr.execute(
        SQL(
            "TRUNCATE %s",
            SQL(", ").join(map(SQL.identifier, sorted(tables - _find_shipped(env)))),
        )
    )
    env.invalidate_all(flush=False)


def delete_external_ids(env):
    """Delete the names that Odoo's modules gave to what they add to models of ours, as
    to all that have a chatter: Odoo takes away what they name, not the names.

    :param odoo.api.Environment env: of the superuser
    """
    for model in _find_models(env):
        name = model.replace(".", "_").replace("_", r"\_")
        env.cr.execute(
            SQL(
                """DELETE FROM ir_model_data WHERE module != %s
                      AND (name LIKE %s OR name LIKE %s)""",
                MODULE,
                rf"model\_inherit\_\_{name}\_\_%",
                rf"selection\_\_{name}\_\_%",
            )
        )


def delete_marks(env):
    """Delete the sources and campaigns (UTM) that Odoo made of the marks in our links,
    as far as nothing refers to them: orders keep those that they came with.

    :param odoo.api.Environment env: of the superuser
    """
    env.flush_all()
    for table, condition in (
        ("utm_source", SQL("mark.name IN (%s)", MARKS)),
        (
            "utm_campaign",
            SQL("mark.is_auto_campaign AND mark.title->>'en_US' IN (%s)", MARKS),
        ),
    ):
        env.cr.execute(
            SQL(
                """DELETE FROM %s mark WHERE %s
                      AND NOT EXISTS (SELECT FROM ir_model_data data
                                       WHERE data.model = %s AND data.res_id = mark.id)
                      AND %s""",
                SQL.identifier(table),
                condition,
                table.replace("_", "."),
                SQL(" AND ").join(
                    SQL(
                        "NOT EXISTS (SELECT FROM %s other WHERE other.%s = mark.id)",
                        SQL.identifier(other),
                        SQL.identifier(column),
                    )
                    for other, column in _find_references_by_column(env, table)
                ),
            )
        )
    env.invalidate_all(flush=False)


def _find_tables(env):
    """Return the names of the tables of our own models and of their relations.

    :rtype: set[str]
    """
    models = _find_models(env)
    wanted = {
        *(env[model]._table for model in models if model in env),
        *(
            name
            for (name,) in env.execute_query(
                SQL(
                    """SELECT relation.name FROM ir_model_relation relation
                         JOIN ir_module_module module ON module.id = relation.module
                        GROUP BY relation.name
                       HAVING array_agg(module.name::text) = ARRAY[%s]""",
                    MODULE,
                )
            )
        ),
    }
    return {
        table
        for (table,) in env.execute_query(
            SQL(
                """SELECT relname FROM pg_class
                    WHERE relname = ANY(%s) AND relkind = 'r'
                      AND relnamespace = current_schema::regnamespace""",
                list(wanted),
            )
        )
    }


def _find_models(env):
    """Return the names of our own models.

    :rtype: set[str]
    """
    return {
        model
        for (model,) in env.execute_query(
            SQL(
                """SELECT m.model FROM ir_model m
                     JOIN ir_model_data data
                       ON data.model = 'ir.model' AND data.res_id = m.id
                    GROUP BY m.model HAVING array_agg(data.module::text) = ARRAY[%s]""",
                MODULE,
            )
        )
    }


def _find_references(env, tables):
    """Return the foreign keys to tables, those of Odoo's tables first: a shop that goes
    on working locks them in this order, too.

    :param set[str] tables: names
    :return: names of tables and of constraints
    :rtype: list[tuple[str, str]]
    """
    return env.execute_query(
        SQL(
            """SELECT source.relname, con.conname FROM pg_constraint con
                 JOIN pg_class source ON source.oid = con.conrelid
                 JOIN pg_class target ON target.oid = con.confrelid
                WHERE con.contype = 'f' AND target.relname = ANY(%(tables)s)
                  AND con.connamespace = current_schema::regnamespace
                ORDER BY source.relname = ANY(%(tables)s), source.relname""",
            tables=list(tables),
        )
    )


def _find_references_by_column(env, table):
    """Return the columns that refer to a table.

    :param str table: its name
    :return: names of tables and of columns
    :rtype: list[tuple[str, str]]
    """
    return env.execute_query(
        SQL(
            """SELECT source.relname, a.attname FROM pg_constraint con
                 JOIN pg_class source ON source.oid = con.conrelid
                 JOIN pg_attribute a ON a.attrelid = con.conrelid
                  AND a.attnum = con.conkey[1]
                WHERE con.contype = 'f' AND con.confrelid = %s::regclass""",
            table,
        )
    )


def _find_shipped(env):
    """Return the tables with records of the modules that are being removed: Odoo looks
    for these and deletes them itself.

    :rtype: set[str]
    """
    return {
        env[model]._table
        for (model,) in env.execute_query(
            SQL(
                """SELECT DISTINCT data.model FROM ir_model_data data
                     JOIN ir_module_module module ON module.name = data.module
                    WHERE module.state = 'to remove' OR module.name = %s""",
                MODULE,
            )
        )
        if model in env
    }
