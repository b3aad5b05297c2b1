import json

from psycopg2.errors import InsufficientPrivilege

from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.insight.daily_watch import WATCHED
from .common import MarketingCase

ROWS = 2_000
# What changes a figure of each table.
CHANGES = {
    "abandoned_cart": "state = 'expired'",
    "marketing_message": "state = 'failed'",
    "marketing_engagement": "is_machine = TRUE",
}


@tagged("post_install", "-at_install")
class TestDailyWatch(MarketingCase):
    """How much the database reads to note which days changed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for statement in (
            """INSERT INTO abandoned_cart (
                   company_id, website_id, kind, state, abandoned_at, token, is_guest)
               SELECT %(company)s, %(website)s, 'cart', 'abandoned',
                      '2026-01-01'::timestamp + n * interval '1 minute',
                      'watch-' || n, FALSE
                 FROM generate_series(1, %(rows)s) n""",
            """INSERT INTO marketing_message (
                   company_id, website_id, abandoned_cart_id, state, channel, priority,
                   dedupe_key, sent_at, state_changed_at)
               SELECT company_id, website_id, id, 'sent', 'email', 20, token,
                      abandoned_at, abandoned_at
                 FROM abandoned_cart WHERE token LIKE 'watch-%%'""",
            """INSERT INTO marketing_engagement (
                   company_id, message_id, kind, occurred_at)
               SELECT company_id, id, 'open', sent_at
                 FROM marketing_message WHERE dedupe_key LIKE 'watch-%%'""",
        ):
            cls.env.cr.execute(
                statement,
                {"company": cls.company.id, "website": cls.website.id, "rows": ROWS},
            )
        cls.env.cr.execute("ANALYZE " + ", ".join(WATCHED))
        cls.env.cr.execute(
            """SELECT array_agg(cart.id ORDER BY cart.id),
                      array_agg(m.id ORDER BY m.id), array_agg(e.id ORDER BY e.id)
                 FROM abandoned_cart cart
                 JOIN marketing_message m ON m.abandoned_cart_id = cart.id
                 JOIN marketing_engagement e ON e.message_id = m.id
                WHERE cart.token LIKE 'watch-%'"""
        )
        cls.ids = dict(zip(WATCHED, cls.env.cr.fetchone(), strict=True))

    def setUp(self):
        super().setUp()
        self.env.cr.execute("DISCARD PLANS")
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.env.cr.execute("LOAD 'auto_explain'")
        except InsufficientPrivilege:
            self.skipTest("only a superuser of the database sees what a trigger does")

    def _count_work(self, table, statement, ids):
        """Return how many rows the statements within a statement handed on."""
        self.env.cr.execute(
            """SET LOCAL auto_explain.log_min_duration = 0;
               SET LOCAL auto_explain.log_analyze = on;
               SET LOCAL auto_explain.log_timing = off;
               SET LOCAL auto_explain.log_nested_statements = on;
               SET LOCAL auto_explain.log_format = json;
               SET LOCAL auto_explain.log_level = notice;
               SET LOCAL client_min_messages = notice"""
        )
        notices = self.env.cr._cnx.notices
        del notices[:]
        self.env.cr.execute(SQL(statement, table=SQL.identifier(table), ids=ids))
        work = [
            _count_rows(json.loads(notice[notice.index("{") :])["Plan"])
            for notice in notices
            if "marketing_daily_change" in notice and "{" in notice
        ]
        self.env.cr.execute("SET LOCAL auto_explain.log_min_duration = -1")
        self.assertTrue(work, f"what was noted for {table} is not seen")
        return sum(work)

    def _update(self, table, ids):
        statement = f"UPDATE %(table)s SET {CHANGES[table]} WHERE id = ANY(%(ids)s)"
        return self._count_work(table, statement, ids)

    def test_many_rows_after_one_in_the_same_session(self):
        for table, ids in self.ids.items():
            with self.subTest(table=table):
                self._update(table, ids[:1])
                work = self._update(table, ids[1:])
                # Each row, old and new, through a dozen stages of a plan.
                self.assertLess(work, 100 * ROWS)

    def test_one_row_after_many_in_the_same_session(self):
        for table, ids in self.ids.items():
            with self.subTest(table=table):
                self._update(table, ids[1:])
                self.assertLess(self._update(table, ids[:1]), 100)

    def test_many_are_deleted_after_one_in_the_same_session(self):
        delete = "DELETE FROM %(table)s WHERE id = ANY(%(ids)s)"
        for table, ids in reversed(self.ids.items()):
            with self.subTest(table=table):
                self.assertLess(self._count_work(table, delete, ids[:1]), 100)
                self.assertLess(self._count_work(table, delete, ids[1:]), 100 * ROWS)


def _count_rows(plan):
    """Return how many rows the nodes of a plan handed on or looked at, in all."""
    loops = plan["Actual Loops"]
    seen = plan["Actual Rows"] + sum(
        value for key, value in plan.items() if key.startswith("Rows Removed")
    )
    return loops * seen + sum(_count_rows(child) for child in plan.get("Plans", ()))
