import threading

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import SQL

from .workers import TIMEOUT, WorkersCase

PEOPLE = 50
ADDRESS = "@segment-race.example.com"


@tagged("post_install", "-at_install")
class TestSegmentConcurrency(WorkersCase):
    """Refreshes side by side."""

    def setUp(self):
        super().setUp()
        with self._worker() as env:
            people = env["res.partner"].create(
                [{"name": f"P{n}", "email": f"p{n}{ADDRESS}"} for n in range(PEOPLE)]
            )
            segment = env["customer.segment"].create({"name": "Race"})
            segment.set_criteria(
                {
                    "conditions": [
                        {"field": "email", "operator": "like", "value": ADDRESS}
                    ]
                }
            )
            self.people_ids, self.segment_id = people.ids, segment.id
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        with self._worker() as env:
            env["customer.segment"].browse(self.segment_id).unlink()
            env["marketing.customer.change"].search(
                [("partner_id", "in", self.people_ids)]
            ).unlink()
            env["res.partner"].browse(self.people_ids).unlink()

    def _segment(self, env):
        return env["customer.segment"].browse(self.segment_id)

    def _count(self, table):
        with self._worker() as env:
            env.cr.execute(
                SQL(
                    "SELECT count(*), count(DISTINCT partner_id) FROM %s"
                    " WHERE segment_id = %s",
                    SQL.identifier(table),
                    self.segment_id,
                )
            )
            return env.cr.fetchone()

    def _side_by_side(self, *functions):
        """Call each function with an environment of its own, all at the same moment."""
        barrier, outcomes = threading.Barrier(len(functions)), []

        def run(function):
            with self._worker() as env:
                barrier.wait(TIMEOUT)
                outcomes.append(function(env))

        threads = [threading.Thread(target=run, args=(f,)) for f in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT)
            self.assertFalse(thread.is_alive(), "a worker hangs")
        self.assertEqual(len(outcomes), len(functions), "a worker failed")
        return outcomes

    def _refresh(self, env):
        return retrying(lambda: self._segment(env)._refresh(), env)

    def test_two_refreshes_at_once_record_everybody_once(self):
        outcomes = self._side_by_side(self._refresh, self._refresh, self._refresh)
        self.assertEqual(sorted(outcomes), [(0, 0), (0, 0), (PEOPLE, 0)])
        self.assertEqual(self._count("segment_membership"), (PEOPLE, PEOPLE))
        self.assertEqual(self._count("segment_membership_event"), (PEOPLE, PEOPLE))
        with self._worker() as env:
            segment = self._segment(env)
            self.assertEqual(segment.size, PEOPLE)
            self.assertEqual(segment.size_ids.mapped("size"), [PEOPLE])

    def test_exits_at_once_are_recorded_once(self):
        with self._worker() as env:
            self._refresh(env)
        with self._worker() as env:
            env["res.partner"].browse(self.people_ids[:20]).active = False
        outcomes = self._side_by_side(self._refresh, self._refresh)
        self.assertEqual(sorted(outcomes), [(0, 0), (0, 20)])
        self.assertEqual(self._count("segment_membership_event")[0], PEOPLE + 20)

    def test_contacts_added_at_once_are_added_once(self):
        with self._worker() as env:
            self._segment(env).kind = "static"

        def add(env):
            segment = self._segment(env)
            return retrying(lambda: segment.add_contacts(self.people_ids), env)

        added = [outcome["added"] for outcome in self._side_by_side(add, add)]
        self.assertEqual(sorted(added), [0, PEOPLE])
        self.assertEqual(self._count("segment_membership_event"), (PEOPLE, PEOPLE))

    def test_whoever_comes_second_is_told_or_leaves_it(self):
        with self._worker() as first:
            self._segment(first).lock_for_update(allow_referencing=True)
            with self._worker() as second:
                with self.assertRaisesRegex(UserError, "being refreshed right now"):
                    self._segment(second).action_refresh()
            with self._worker() as third:
                self._segment(third)._refresh_in_cron()
                self.assertFalse(self._segment(third).refreshed_at)

    def test_a_change_during_a_refresh_is_looked_at_again(self):
        """It is neither lost nor taken for the one that is just being looked at."""
        with self._worker() as env:
            self._refresh(env)
            self._touch(env)
        with self._worker() as env:
            company = self._segment(env).company_id
            with self._worker() as other:
                self._touch(other)
            with self.assertRaises(SerializationFailure), env.cr.savepoint():
                self._segment(env)._refresh_changed_of(company, 1)
        with self._worker() as env:
            changes = env["marketing.customer.change"]
            noted = changes.search([("partner_id", "=", self.people_ids[0])])
            self.assertTrue(noted)
            self._segment(env)._refresh_changed_of(company.with_env(env), 1)
            self.assertFalse(noted.exists())

    def test_changes_wait_while_a_segment_is_being_refreshed(self):
        with self._worker() as env:
            self._refresh(env)
            self._touch(env)
        with self._worker() as first:
            self._segment(first).lock_for_update(allow_referencing=True)
            with self._worker() as second:
                company = self._segment(second).company_id
                self._segment(second)._refresh_changed_of(company, 1)
                self.assertTrue(second["marketing.customer.change"].search([]))

    def _touch(self, env):
        env["marketing.customer.change"]._touch(
            SQL("SELECT %s", self.people_ids[0]), self._segment(env).company_id
        )
