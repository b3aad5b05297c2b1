"""What the benchmarks share: a database to work in, a clock, and a memory gauge."""

import contextlib
import logging
import pathlib
import resource
import subprocess
import sys
import threading
import time

ODOO_DB = pathlib.Path(__file__).resolve().parents[1] / "tools" / "odoo-db"


@contextlib.contextmanager
def environment(database):
    """Open an Odoo environment of OdooBot on a database, without a server.

    :param str database: name of a database with the addon installed, made for tests:
        with any other the program ends here
    """
    if subprocess.run([ODOO_DB, "check", database, "--for-tests"]).returncode:
        sys.exit(1)
    import odoo.cli  # noqa: F401 - loads the addons paths
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(["-d", database, "--log-level", "error"])
    for noisy in ("odoo", "py.warnings", "mail.log"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    with Registry(database).cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})


def resident_megabytes():
    """Return the resident size of this process now, in MB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 2**20


class Measure:
    """Times a job and watches the largest resident size while it runs.

    Use as a context manager; then ``seconds`` and ``megabytes``.
    """

    def __enter__(self):
        self.megabytes = resident_megabytes()
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_exc_info):
        self.seconds = time.perf_counter() - self._start
        self._stop.set()
        self._watcher.join()

    def _watch(self):
        while not self._stop.wait(0.02):
            self.megabytes = max(self.megabytes, resident_megabytes())


def column_names(cr, table):
    """Return the names of the columns of a table."""
    cr.execute(
        """SELECT column_name FROM information_schema.columns
            WHERE table_name = %s AND table_schema = 'public'""",
        [table],
    )
    return {name for (name,) in cr.fetchall()}


def copy_rows(cr, table, where, count, values):
    """Insert ``count`` copies of a row with other values, as SQL over ``n``."""
    columns = sorted(column_names(cr, table) - {"id", "access_token"} | values.keys())
    selected = ", ".join(values.get(c, f"r.{c}") for c in columns)
    cr.execute(
        f"""INSERT INTO {table} ({", ".join(columns)})
            SELECT {selected} FROM generate_series(1, {count}) n
            CROSS JOIN {table} r WHERE r.{where}"""
    )


def make_customers(env, count):
    """Write customers by SQL: ``Customer 1`` with ``customer1@example.com`` …

    :return: the id before the first one; theirs follow one another
    :rtype: int
    """
    sample = env["res.partner"].create({"name": "Sample"})
    env.flush_all()
    env.cr.execute("SELECT setval('res_partner_id_seq', %s)", [sample.id + count])
    copy_rows(
        env.cr,
        "res_partner",
        f"id = {sample.id}",
        count,
        {
            "id": f"{sample.id} + n",
            "commercial_partner_id": f"{sample.id} + n",
            "name": "'Customer ' || n",
            "complete_name": "'Customer ' || n",
            "email": "'customer' || n || '@example.com'",
            "email_normalized": "'customer' || n || '@example.com'",
        },
    )
    give_consent(env, sample.id)
    env.cr.commit()
    env.cr.execute("ANALYZE res_partner, marketing_preference")
    env.cr.commit()
    env.invalidate_all()
    return sample.id


def give_consent(env, first):
    """Let everybody with an id above ``first`` have agreed to offers by email."""
    env.cr.execute(
        """INSERT INTO marketing_preference (
               company_id, channel, purpose, address, address_hash, state, changed_at,
               source)
           SELECT %s, 'email', 'offers', email_normalized, md5(email_normalized),
                  'given', now() AT TIME ZONE 'UTC', 'import'
             FROM res_partner WHERE id > %s AND email_normalized IS NOT NULL
               ON CONFLICT DO NOTHING""",
        [env.company.id, first],
    )


def finish(problems):
    """Say which bounds were missed, and end with the exit status for it."""
    for problem in problems:
        print(f"MISSED: {problem}")
    sys.exit(1 if problems else 0)
