"""What is keyed by an email address gets the one spelling, as contacts have it."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

from odoo.addons.marketing_automation.models.mailbox import normalize_address
from odoo.addons.marketing_automation.tools.mailbox import PLAIN_SQL

# Where nothing hinders two rows from having the same address.
COLUMNS = [
    ("marketing_message", "email_normalized"),
    ("abandoned_cart", "email_normalized"),
    ("sale_order", "typed_email_normalized"),
    ("loyalty_card", "marketing_email"),
    ("marketing_opt_in", "address"),
]


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for table, column in COLUMNS:
        respell(cr, table, column)
    respell_runs(cr)
    respell_wishes(cr)
    respell_consent(env)
    env.invalidate_all()


def find_pairs(cr, table, column, condition=None):
    """Return former spelling and today's of the addresses that have another one."""
    cr.execute(
        SQL(
            "SELECT DISTINCT %(column)s FROM %(table)s"
            " WHERE %(column)s LIKE '%%@%%' AND %(column)s !~ %(plain)s"
            " AND %(condition)s",
            column=SQL.identifier(column),
            table=SQL.identifier(table),
            plain=PLAIN_SQL,
            condition=condition or SQL("TRUE"),
        )
    )
    return [
        (text, address)
        for (text,) in cr.fetchall()
        if (address := normalize_address(text, strict=False)) and address != text
    ]


def respell(cr, table, column):
    for former, address in find_pairs(cr, table, column):
        cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE %s = %s",
                SQL.identifier(table),
                SQL.identifier(column),
                address,
                SQL.identifier(column),
                former,
            )
        )


def respell_runs(cr):
    """Who goes through a sequence twice under two spellings goes on once."""
    for former, address in find_pairs(cr, "marketing_enrollment", "email_normalized"):
        cr.execute(
            """UPDATE marketing_enrollment run
                  SET state = 'stopped', stop_reason = 'cancelled', next_step_id = NULL,
                      next_at = NULL, ended_at = now() AT TIME ZONE 'UTC'
                WHERE run.email_normalized = %(former)s
                  AND run.state IN ('active', 'paused')
                  AND EXISTS (
                      SELECT FROM marketing_enrollment other
                       WHERE other.email_normalized = %(address)s
                         AND other.company_id = run.company_id
                         AND other.state IN ('active', 'paused')
                         AND (other.sequence_id = run.sequence_id
                              OR other.abandoned_cart_id IS NOT NULL
                                 AND run.abandoned_cart_id IS NOT NULL));
               UPDATE marketing_enrollment SET email_normalized = %(address)s
                WHERE email_normalized = %(former)s""",
            {"former": former, "address": address},
        )


def respell_wishes(cr):
    """Of two entries of a mailbox the later one says what it wishes."""
    for former, address in find_pairs(cr, "marketing_recipient", "address"):
        cr.execute(
            """DELETE FROM marketing_recipient one USING marketing_recipient other
                WHERE one.address IN %(both)s AND other.address IN %(both)s
                  AND one.company_id = other.company_id
                  AND (one.write_date, one.id) < (other.write_date, other.id);
               UPDATE marketing_recipient SET address = %(address)s
                WHERE address = %(former)s""",
            {"former": former, "address": address, "both": (former, address)},
        )


def respell_consent(env):
    """Of two entries of a mailbox a refusal counts. The log keeps its lines, and has
    them under the digest of today, too: the proof is found by the address."""
    suppressions = env["marketing.suppression"]
    condition = SQL("channel = 'email'")
    for former, address in find_pairs(
        env.cr, "marketing_preference", "address", condition
    ):
        [digest] = suppressions._hash([address])
        env.cr.execute(
            """INSERT INTO marketing_consent_log (
                      at, company_id, channel, purpose, address_hash, state, source, ip,
                      text_id)
               SELECT log.at, log.company_id, log.channel, log.purpose, %(digest)s,
                      log.state, log.source, log.ip, log.text_id
                 FROM marketing_consent_log log
                WHERE log.address_hash IN (
                      SELECT address_hash FROM marketing_preference
                       WHERE address = %(former)s AND channel = 'email')
                ORDER BY log.id;
               DELETE FROM marketing_preference one USING marketing_preference other
                WHERE one.address IN %(both)s AND other.address IN %(both)s
                  AND one.id != other.id AND one.channel = 'email'
                  AND other.channel = 'email' AND one.company_id = other.company_id
                  AND one.purpose = other.purpose
                  AND (one.state = 'withdrawn', one.changed_at, one.id)
                      < (other.state = 'withdrawn', other.changed_at, other.id);
               UPDATE marketing_preference
                  SET address = %(address)s, address_hash = %(digest)s
                WHERE address = %(former)s AND channel = 'email'""",
            {
                "former": former,
                "address": address,
                "both": (former, address),
                "digest": digest,
            },
        )
