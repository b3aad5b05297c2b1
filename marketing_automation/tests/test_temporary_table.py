from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from ..models.audience.metrics_sql import FACTS_TABLE, ORDERS_TABLE, PERSONS_TABLE
from ..models.audience.segment_incremental import AMONG
from ..tools.temporary_table import TemporaryTable
from ..wizards.import_table import TABLE, ImportTable


@tagged("post_install", "-at_install")
class TestTemporaryTable(TransactionCase):
    """Tables of other modules have nothing to fear from ours."""

    def _create_foreign(self, table):
        """Create a table as another module may have it, of the same name, with a row.

        :param SQL table: its name
        """
        self.env.cr.execute(SQL("CREATE TABLE public.%s (what text)", table))
        self.env.cr.execute(SQL("INSERT INTO public.%s VALUES ('theirs')", table))
        self.foreign = table

    def _assert_untouched(self):
        rows = self.env.execute_query(SQL("SELECT what FROM public.%s", self.foreign))
        self.assertEqual(rows, [("theirs",)])

    def _rows(self, table):
        return self.env.execute_query(SQL("SELECT * FROM %s", table.sql))

    def test_a_table_of_the_same_name(self):
        table = TemporaryTable("marketing_test")
        self._create_foreign(table.name)
        table.drop(self.env.cr)
        self._assert_untouched()
        for number in (1, 2):
            written = table.fill(self.env.cr, SQL("SELECT %s AS id", number))
            self.assertEqual(written, table.sql)
            self.assertEqual(self._rows(table), [(number,)])
        table.make(self.env.cr, SQL("id int, name text"))
        self.assertEqual(self._rows(table), [])
        for _twice in range(2):
            table.drop(self.env.cr)
            self._assert_untouched()

    def test_every_table_of_ours(self):
        """Passes over figures, segments and campaigns, and imports."""
        company = self.env.company
        campaign = self.env["email.campaign"]
        query = SQL("SELECT 1 AS id")
        metrics = self.env["marketing.customer.metrics"]

        def refresh():
            self.env["marketing.metrics.task"]._add_all()
            metrics._refresh_changed()

        for name, run in (
            (PERSONS_TABLE.name, refresh),
            (ORDERS_TABLE.name, refresh),
            (FACTS_TABLE.name, refresh),
            (
                AMONG.name,
                lambda: self.env["customer.segment"]._fill_among(company),
            ),
            (TABLE.name, lambda: ImportTable(self.env, company).drop()),
            (
                SQL.identifier("campaign_recipients"),
                lambda: campaign._fix("campaign_recipients", query),
            ),
        ):
            with self.subTest(table=name.code):
                self._create_foreign(name)
                for _twice in range(2):
                    run()
                    self._assert_untouched()
