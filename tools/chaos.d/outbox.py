"""The database of the crash test: what is sent, by what accounts, and what became of
it. No connection stays open in the process that forks the workers."""

import contextlib
import logging
import pathlib
import random
import subprocess
import sys
import time
from collections import namedtuple
from functools import partial

import psycopg2
from api_server import API_KEY
from psycopg2.errors import DeadlockDetected, SerializationFailure

import odoo.cli  # noqa: F401 - loads the addons paths
from odoo import SUPERUSER_ID, api, fields, sql_db
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import SQL, config

ODOO_DB = pathlib.Path(__file__).resolve().parents[1] / "odoo-db"
DOMAIN = "chaos.example.com"
# Of so many people one is refused by the servers, has no proper address, or breaks the
# template: each of them alone.
REFUSED_EVERY, BROKEN_EVERY, POISON_EVERY = 50, 97, 41
# So many people, one after the other, share a text; the next get one each of their own.
SHARED, PERSONAL = 40, 10
# What a worker ends with when its connection to PostgreSQL was cut.
CONNECTION_CUT = 3

Row = namedtuple("Row", "address state reason attempts kind")


def load(database, log):
    """Load Odoo's registry: the workers that are forked from here have it at once, as
    those of Odoo's own server do.

    :param str database: name of a database with the addon installed, made for tests:
        with any other the program ends here
    :param log: file for what Odoo says
    """
    if subprocess.run([ODOO_DB, "check", database, "--for-tests"]).returncode:
        sys.exit(1)
    config.parse_config(["-d", database, "--log-level", "error", "--logfile", str(log)])
    logging.getLogger("odoo.sql_db").setLevel(logging.CRITICAL)
    Registry(database)
    sql_db.close_all()


@contextlib.contextmanager
def environment(database):
    """Open an environment of OdooBot, and no connection stays behind."""
    try:
        with Registry(database).cursor() as cr:
            cr.execute("SET lock_timeout = '10s'")
            cr.commit()
            yield api.Environment(cr, SUPERUSER_ID, {})
    finally:
        sql_db.close_all()


def patiently(database, function, *args):
    """Call ``function(env, …)``, again when a worker was in the way."""
    while True:
        try:
            with environment(database) as env:
                return function(env, *args)
        except (SerializationFailure, DeadlockDetected):
            time.sleep(random.uniform(0, 0.1))


# === Before ===#


def prepare(env, smtp_port, api_url, api_rate):
    """Set up two accounts: SendGrid first, SMTP for what is above its rate and while it
    is paused.

    :param api_rate: messages a second
    """
    env.company.write(
        {
            "email": f"shop@{DOMAIN}",
            "street": "Example Street 1",
            "city": "Brussels",
            "country_id": env.ref("base.be").id,
        }
    )
    env["ir.mail_server"].search([]).active = False
    smtp = env.ref("marketing_automation.provider_smtp")
    smtp.write({"mail_server_id": create_mail_server(env, smtp_port).id, "sequence": 2})
    sendgrid = env["marketing.provider"].create(
        {
            "name": "SendGrid",
            "kind": "sendgrid",
            "sendgrid_api_key": API_KEY,
            "base_url": api_url,
            "per_second": api_rate,
            "sequence": 1,
        }
    )
    (smtp + sendgrid).action_enable()


def create_mail_server(env, port):
    return env["ir.mail_server"].create(
        {"name": f"127.0.0.1:{port}", "smtp_host": "127.0.0.1", "smtp_port": port}
    )


def limit(env, smtp_port, per_second, daily_limit):
    """Leave one account, new today, with limits."""
    env["marketing.provider"].search([("kind", "!=", "sandbox")]).action_disable()
    env["marketing.provider"].create(
        {
            "name": "Limited",
            "kind": "smtp",
            "mail_server_id": create_mail_server(env, smtp_port).id,
            "per_second": per_second,
            "daily_limit": daily_limit,
        }
    ).action_enable()


def queue(env, prefix, count, odd=True):
    """Put messages to people into the outbox.

    :param str prefix: what their addresses begin with
    :param bool odd: whether some of them cannot be reached
    :return: number of messages
    """
    people = create_people(env, prefix, count, odd)
    body = (
        "<p>Hello {{ customer.first_name }}, %s</p>"
        '<p><a href="https://shop.example.com/new">New</a></p>'
        '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>{%% include "footer" %%}'
    )
    fragile = "{% if customer.first_name == 'Poison' %}{{ 1 // 0 }}{% endif %}"
    shared, personal = env["marketing.template"].create(
        [
            {"name": "Chaos", "context": "contact", "subject": "News"}
            | {"body_html": body % text}
            for text in ("good news!", fragile)
        ]
    )
    groups = {shared: [], personal: []}
    for number, person in enumerate(people):
        own = number % (SHARED + PERSONAL) >= SHARED
        groups[personal if own else shared].append(person.id)
    return sum(
        env["marketing.message"]._queue_partners(
            template, SQL("SELECT unnest(%s)", ids), env.company, f"chaos:{prefix}"
        )
        for template, ids in groups.items()
    )


def create_people(env, prefix, count, odd=True):
    """Create people who want to hear from us.

    :param str prefix: what their addresses begin with
    :param bool odd: whether some of them cannot be reached
    :rtype: res.partner
    """
    people = env["res.partner"].create(
        [_person(prefix, number, odd) for number in range(1, count + 1)]
    )
    env["marketing.preference"]._record(
        env.company,
        "email",
        ["offers"],
        people.mapped("email_normalized"),
        "given",
        "import",
    )
    return people


def _person(prefix, number, odd):
    name, address = "Anna", f"{prefix}-{number:05}@{DOMAIN}"
    if not odd:
        return {"name": name, "email": address}
    if number % BROKEN_EVERY == 0:
        address = f"{prefix}-{number:05}"
    elif number % REFUSED_EVERY == 0:
        address = f"refused-{address}"
    if number % POISON_EVERY == 0:
        name = "Poison"
    return {"name": f"{name} {number:05}", "email": address}


# === Meanwhile ===#


def now():
    return fields.Datetime.now()


def work(database, batch_size, number):
    """Be a worker: do what the scheduled actions do, again and again.

    :param int batch_size: how many messages at a time; None: as many as are shipped
    """
    random.seed()  # or all of them would wait for the same random time
    cr = None
    try:
        while True:
            with Registry(database).cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                runs = env["marketing.enrollment"]
                size = {"limit": batch_size} if batch_size else {}
                retrying(partial(runs._process_due_batch, **size), env)
                env["marketing.dispatcher"]._take_over_lost()
                while env["marketing.dispatcher"]._dispatch_batch(**size):
                    pass
            time.sleep(0.1)
    except Exception as error:
        if isinstance(error, psycopg2.Error) and cr and cr._cnx.closed:
            raise SystemExit(CONNECTION_CUT)
        logging.getLogger("chaos").exception("Worker %s", number)
        raise


def let_time_pass(env):
    """Make due what waits for another attempt, and let accounts have rested: all that
    waiting would do.

    :return: number of accounts that rested
    """
    env.cr.execute(
        """UPDATE marketing_provider SET rest_until = now() AT TIME ZONE 'UTC'
            WHERE id IN (SELECT id FROM marketing_provider
                          WHERE rest_until > now() AT TIME ZONE 'UTC'
                            FOR UPDATE SKIP LOCKED)"""
    )
    rested = env.cr.rowcount
    env.cr.execute(
        """UPDATE marketing_message SET scheduled_at = now() AT TIME ZONE 'UTC'
            WHERE id IN (SELECT id FROM marketing_message
                          WHERE state = 'queued'
                            AND scheduled_at > now() AT TIME ZONE 'UTC'
                            FOR UPDATE SKIP LOCKED)"""
    )
    env.cr.commit()
    return rested


def count_open(env):
    """Return how many messages are queued, and how many in flight."""
    env.cr.execute(
        """SELECT count(*) FILTER (WHERE state = 'queued'),
                  count(*) FILTER (WHERE state = 'sending') FROM marketing_message"""
    )
    return env.cr.fetchone()


def cut_connection(env):
    """End the PostgreSQL session of some worker.

    :return: number of sessions
    """
    env.cr.execute(
        """SELECT pg_terminate_backend(pid)
             FROM (SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND pid != pg_backend_pid()
                      AND backend_type = 'client backend'
                    ORDER BY random() LIMIT 1) victim"""
    )
    return env.cr.rowcount


# === Afterwards ===#


def wait_for_sessions(database, seconds=10):
    """Wait until PostgreSQL has noticed that the workers are dead.

    :return: what is left of them: sessions, open transactions, locks
    :rtype: list[str]
    """
    deadline = time.monotonic() + seconds
    while True:
        with environment(database) as env:
            env.cr.execute(
                """SELECT concat_ws(' ', a.application_name, a.state, l.mode,
                                    l.relation::regclass)
                     FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid
                    WHERE a.datname = current_database() AND a.pid != pg_backend_pid()
                      AND a.backend_type = 'client backend'
                    UNION ALL
                   SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts
                    WHERE database = current_database()"""
            )
            left = [text for (text,) in env.cr.fetchall()]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.2)


def find_locked_rows(env):
    """Return the tables of which somebody has a row locked.

    :rtype: list[str]
    """
    tables = ("marketing_message", "marketing_provider", "marketing_provider_usage")
    locked = []
    for table in tables:
        try:
            with env.cr.savepoint():
                env.cr.execute(
                    SQL("SELECT id FROM %s FOR UPDATE NOWAIT", SQL.identifier(table))
                )
        except psycopg2.errors.LockNotAvailable:
            locked.append(table)
    return locked


def settle_lost(env):
    """Settle what was in flight when workers died, by what they wrote down.

    :return: how many messages nothing was written down of
    :rtype: int
    """
    env["marketing.dispatcher"]._take_over_lost()
    env.cr.execute("SELECT count(*) FROM marketing_message WHERE state = 'sending'")
    [count] = env.cr.fetchone()
    time.sleep(1.1)  # times are kept in whole seconds
    env["marketing.message"]._settle_lost(0)
    return count


def read_messages(env, prefix):
    """Return what became of the messages to people.

    :param str prefix: see :func:`queue`
    :rtype: list[Row]
    """
    env.cr.execute(
        """SELECT p.email, m.state, m.reason, m.attempts, account.kind
             FROM marketing_message m JOIN res_partner p ON p.id = m.partner_id
             LEFT JOIN marketing_provider account ON account.id = m.provider_id
            WHERE p.email LIKE %s OR p.email LIKE %s ORDER BY m.id""",
        [f"{prefix}-%", f"refused-{prefix}-%"],
    )
    return [Row(*row) for row in env.cr.fetchall()]


def count_retries(env):
    """Return how often messages were put back into the queue, by reason."""
    env.cr.execute(
        """SELECT entry->>'reason', count(*)
             FROM marketing_message, jsonb_array_elements(history) entry
            WHERE entry->>'state' = 'queued' AND entry->>'reason' IS NOT NULL
            GROUP BY 1 ORDER BY 2 DESC"""
    )
    return dict(env.cr.fetchall())
