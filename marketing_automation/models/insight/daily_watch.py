"""Which days have to be counted anew: the database itself takes notice.

Carts, messages and what people do with them are written in many places, most of them in
bulk by SQL. Only the database sees all of it: a trigger on each of the three tables
notes the days that a statement concerned, and of which source (``daily_sql.py``).
"""

from typing import NamedTuple

from odoo.tools import SQL

from .daily_sql import REACHED_STATES, UNSENT_STATES

# The columns that figures are made of; changes of others are of no interest.
CART_COLUMNS = (
    *("company_id", "website_id", "kind", "state", "exclusion_reason"),
    *("amount_company", "abandoned_at", "returned_at", "recovered_at"),
    *("recovered_message_id", "recovered_amount_company"),
)
MESSAGE_COLUMNS = (
    *("company_id", "website_id", "abandoned_cart_id", "sequence_id", "step_id"),
    *("channel", "provider_id", "state", "reason", "sent_at", "state_changed_at"),
    *("is_sandbox", "segment_count", "attributed_order_count", "attributed_revenue"),
    "attributed_margin",
)
ENGAGEMENT_COLUMNS = ("message_id", "kind", "is_machine")

# What is noted for rows ``t``, whose company is ``c``.
OF_CARTS = """
    SELECT t.company_id, v.source, v.at FROM changed t
     CROSS JOIN LATERAL (VALUES
           ('carts', t.abandoned_at), ('funnel', t.abandoned_at),
           ('returns', t.returned_at),
           ('recoveries', CASE WHEN t.state = 'recovered' THEN t.recovered_at END)
           ) v (source, at)
     UNION ALL
    -- Messages are of the kind of their cart.
    SELECT m.company_id, v.source, v.at FROM changed t
      JOIN marketing_message m ON m.abandoned_cart_id = t.id
     CROSS JOIN LATERAL (VALUES
           ('messages', m.sent_at), ('unsent', m.state_changed_at)) v (source, at)
     WHERE t.is_other_kind"""
OF_MESSAGES = """
    SELECT t.company_id, v.source, v.at FROM changed t
      LEFT JOIN abandoned_cart cart ON cart.id = t.abandoned_cart_id
     CROSS JOIN LATERAL (VALUES
           ('messages', CASE WHEN t.state IN {reached} THEN t.sent_at END),
           ('funnel', CASE WHEN t.state IN {reached} THEN cart.abandoned_at END),
           ('unsent', CASE WHEN t.state IN {unsent} THEN t.state_changed_at END)
           ) v (source, at)
     WHERE t.abandoned_cart_id IS NOT NULL"""
OF_ENGAGEMENTS = """
    SELECT m.company_id, v.source, v.at FROM changed t
      JOIN marketing_message m ON m.id = t.message_id
      JOIN abandoned_cart cart ON cart.id = m.abandoned_cart_id
     CROSS JOIN LATERAL (VALUES
           ('messages', m.sent_at),
           ('funnel', CASE WHEN t.kind = 'click' THEN cart.abandoned_at END)
           ) v (source, at)
     WHERE t.kind IN ('open', 'click') AND t.is_machine IS NOT TRUE"""
# What a statement wrote is looked at by a text that is planned each time (EXECUTE). The
# plan of a static one would be kept for as long as the connection lives: made for one
# row, it compares every old row of a thousand with every new one.
FUNCTION = """
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
           -- Compiling takes longer than looking at what one statement wrote.
           SET jit = off
           -- Carts and messages are looked up one by one, by their index: a database
           -- that has not counted them yet takes the tables for empty, and reads all
           -- of them for each row.
           SET enable_seqscan = off AS $$
    BEGIN
        IF TG_LEVEL = 'ROW' THEN
            WITH changed AS (
                SELECT n.id, {new}, FALSE AS is_other_kind FROM (SELECT NEW.*) n)
            {note};
        ELSIF TG_OP = 'INSERT' THEN
            EXECUTE $note$
            WITH changed AS (SELECT n.id, {new}, FALSE AS is_other_kind FROM new_rows n)
            {note} $note$;
        ELSIF TG_OP = 'DELETE' THEN
            EXECUTE $note$
            WITH changed AS (SELECT o.id, {old}, FALSE AS is_other_kind FROM old_rows o)
            {note} $note$;
        ELSE
            EXECUTE $note$
            WITH changed AS (
                SELECT o.id, {old}, {other_kind} AS is_other_kind
                  FROM old_rows o JOIN new_rows n ON n.id = o.id
                 WHERE ({old}) IS DISTINCT FROM ({new})
                 UNION ALL
                SELECT n.id, {new}, {other_kind}
                  FROM old_rows o JOIN new_rows n ON n.id = o.id
                 WHERE ({old}) IS DISTINCT FROM ({new}))
            {note} $note$;
        END IF;
        RETURN NULL;
    END $$;"""
NOTE = """
            INSERT INTO marketing_daily_change (company_id, source, day)
            SELECT DISTINCT seen.company_id, seen.source,
                   (seen.at AT TIME ZONE 'UTC' AT TIME ZONE c.figures_timezone)::date
              FROM ({days}) seen (company_id, source, at)
              JOIN res_company c ON c.id = seen.company_id
             WHERE seen.at IS NOT NULL"""
# How rows that are new are looked at: all of a statement together, or those alone that
# are of interest. A million messages are queued at once, and none of them counts yet.
TOGETHER = "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT"
NOT_QUEUED = """FOR EACH ROW
           WHEN (NEW.state != 'queued' AND NEW.abandoned_cart_id IS NOT NULL)"""
TRIGGERS = """
    DROP TRIGGER IF EXISTS {name}_insert ON {table};
    CREATE TRIGGER {name}_insert AFTER INSERT ON {table}
           {new_rows} EXECUTE FUNCTION {name}();
    DROP TRIGGER IF EXISTS {name}_delete ON {table};
    CREATE TRIGGER {name}_delete AFTER DELETE ON {table}
           REFERENCING OLD TABLE AS old_rows
           FOR EACH STATEMENT EXECUTE FUNCTION {name}();
    DROP TRIGGER IF EXISTS {name}_update ON {table};
    CREATE TRIGGER {name}_update AFTER UPDATE ON {table}
           REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
           FOR EACH STATEMENT EXECUTE FUNCTION {name}();"""


class Watch(NamedTuple):
    """How one table is watched."""

    function: str
    columns: tuple[str, ...]
    days: str
    new_rows: str = TOGETHER
    # What says that a cart is of another kind now, so that its messages are too.
    other_kind: str = "FALSE"


WATCHED = {
    "abandoned_cart": Watch(
        function="marketing_watch_carts",
        columns=CART_COLUMNS,
        days=OF_CARTS,
        other_kind="(o.kind IS DISTINCT FROM n.kind)",
    ),
    "marketing_message": Watch(
        function="marketing_watch_messages",
        columns=MESSAGE_COLUMNS,
        days=OF_MESSAGES,
        new_rows=NOT_QUEUED,
    ),
    "marketing_engagement": Watch(
        function="marketing_watch_engagements",
        columns=ENGAGEMENT_COLUMNS,
        days=OF_ENGAGEMENTS,
    ),
}


def watch(cr):
    """Let the database note what changes, from now on."""
    for table, watched in WATCHED.items():
        function = FUNCTION.format(
            name=watched.function,
            note=NOTE.format(days=watched.days.format(**_get_states())),
            old=", ".join(f"o.{column}" for column in watched.columns),
            new=", ".join(f"n.{column}" for column in watched.columns),
            other_kind=watched.other_kind,
        )
        triggers = TRIGGERS.format(
            name=watched.function, table=table, new_rows=watched.new_rows
        )
        cr.execute(SQL(function + triggers))


def unwatch(cr):
    """Take away what ``watch`` made: Odoo does not know of it."""
    for watched in WATCHED.values():
        name = SQL.identifier(watched.function)
        cr.execute(SQL("DROP FUNCTION IF EXISTS %s() CASCADE", name))


def _get_states():
    """Return lists of states for the text of a function, which has no parameters."""
    lists = {"reached": REACHED_STATES, "unsent": UNSENT_STATES}
    return {
        name: "({})".format(", ".join(f"'{state}'" for state in states))
        for name, states in lists.items()
    }
