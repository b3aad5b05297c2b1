from odoo.tests import tagged
from odoo.tools import SQL

from ..tools import table_statistics
from ..tools.table_statistics import note_written
from .common import MarketingCase
from .workers import WorkersCase


@tagged("post_install", "-at_install")
class TestTableStatistics(MarketingCase):
    """What the gate looks at is known to the database as soon as it is written."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.classPatch(table_statistics, "MANY", 50)
        cls.people = cls.env["res.partner"].create(
            [{"name": f"P{n}", "email": f"p{n}@example.com"} for n in range(60)]
        )

    def _forget(self, table):
        """Let the database take a table for empty."""
        self.env.cr.execute(f"ANALYZE {table}")
        self.env.cr.execute(f"SELECT count(*) FROM {table}")
        (count,) = self.env.cr.fetchone()
        return count

    def _assert_known(self, table, count):
        """The database takes a table to have so many rows more."""
        self.env.cr.execute(
            SQL("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", table)
        )
        self.assertEqual(self.env.cr.fetchone()[0], count)

    def test_consents(self):
        tables = ("marketing_preference", "marketing_consent_log")
        before = {table: self._forget(table) for table in tables}
        self._give_consent(self.people)
        for table in tables:
            self._assert_known(table, before[table] + 60)

    def test_queue(self):
        before = self._forget("marketing_message")
        self._queue_to(self.people, self._create_contact_template())
        self._assert_known("marketing_message", before + 60)

    def test_segment(self):
        before = self._forget("segment_membership")
        segment = self.env["customer.segment"].create(
            {"name": "All of them", "kind": "static", "company_id": self.company.id}
        )
        segment.add_contacts(self.people.ids, "manual")
        self._assert_known("segment_membership", before + 60)

    def test_few_rows_change_nothing(self):
        before = self._forget("marketing_preference")
        self._give_consent(self.people[:10])
        self._assert_known("marketing_preference", before)


@tagged("post_install", "-at_install")
class TestTableStatisticsInUse(WorkersCase):
    def test_nobody_waits_for_another_one(self):
        with self._worker() as first, self._worker() as second:
            for env in (first, second):
                note_written(env.cr, "marketing_recipient", 10**9)
            # The second one goes on in its transaction.
            second.cr.execute("SELECT 1")
            self.assertEqual(second.cr.fetchone(), (1,))
