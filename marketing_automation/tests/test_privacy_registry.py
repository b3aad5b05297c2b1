import re

from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from odoo.addons.marketing_automation.models.audience.privacy.periods import PERIODS
from odoo.addons.marketing_automation.models.audience.privacy.registry import (
    ANONYMIZE,
    DELETE,
    LINKS,
    NOT_PERSONAL,
    STORED,
)

ADDON = "marketing_automation"
# Names of columns that look like something about a person.
PERSONAL = re.compile(
    r"e?mail|phone|mobile|number$|address|(^|_)ip($|_)|user_agent|visitor|partner|token"
)
# Whoever links to these links to a person.
PERSONS = {
    *("res.partner", "res.users", "sale.order", "website.visitor", "mailing.contact"),
    *("mailing.trace", "mail.message", "loyalty.card", "account.move"),
}
AUTHORS = {"create_uid", "write_uid"}
FREE_TYPES = ("char", "text", "html", "json", "properties", "binary")


@tagged("post_install", "-at_install")
class TestPrivacyRegistry(TransactionCase):
    """Nobody stores something about a person without deciding what becomes of it."""

    def setUp(self):
        super().setUp()
        self.lines = {stored.model: stored for stored in STORED}
        self.persons = PERSONS | {
            name for name, line in self.lines.items() if line.at_forget == ANONYMIZE
        }

    def _get_models(self):
        return {
            name: self.env[name]
            for name, model in self.registry.items()
            if model._original_module == ADDON and not model._abstract and model._auto
        }

    def _get_columns(self, model):
        return {
            name: field
            for name, field in model._fields.items()
            if field.column_type and field.store and name not in AUTHORS
        }

    def _is_personal(self, name, field):
        return field.comodel_name in self.persons or PERSONAL.search(name)

    def test_every_line_is_a_table(self):
        self.assertEqual(set(self.lines) - set(self.env.registry), set())

    def test_every_table_about_persons_has_a_line(self):
        for name, model in self._get_models().items():
            if name in self.lines:
                continue
            suspicious = {
                column
                for column, field in self._get_columns(model).items()
                if self._is_personal(column, field)
            }
            with self.subTest(model=name):
                self.assertEqual(suspicious, set(NOT_PERSONAL.get(name, ())))

    def test_every_column_of_what_stays_was_thought_of(self):
        """A text or a link of an anonymized row is emptied, or declared harmless."""
        for name, line in self.lines.items():
            if line.at_forget != ANONYMIZE:
                continue
            undecided = {
                column
                for column, field in self._get_columns(self.env[name]).items()
                if self._is_personal(column, field) or field.type in FREE_TYPES
            }
            with self.subTest(model=name):
                decided = {*line.cleared, *line.harmless}
                self.assertEqual(undecided - decided, set())
                self.assertLessEqual(decided, set(self._get_columns(self.env[name])))

    def test_every_link_was_thought_of(self):
        """Foreign keys to what is anonymized, of whatever table."""
        tables = {self.env[name]._table: name for name in self.persons}
        ours = {model._table for model in self._get_models().values()}
        rows = self.env.execute_query(
            SQL(
                """SELECT source.relname, attribute.attname, target.relname
                     FROM pg_constraint link
                     JOIN pg_class source ON source.oid = link.conrelid
                     JOIN pg_class target ON target.oid = link.confrelid
                     JOIN pg_attribute attribute
                       ON attribute.attrelid = link.conrelid
                      AND attribute.attnum = link.conkey[1]
                    WHERE link.contype = 'f' AND target.relname = ANY(%s)""",
                list(tables),
            )
        )
        anonymized = {
            self.env[name]._table
            for name, line in self.lines.items()
            if line.at_forget == ANONYMIZE
        }
        relations = self._get_relations()
        unknown = {
            (source, column)
            for source, column, target in rows
            if source not in ours
            and (target in anonymized or source in relations)
            and (source, column) not in LINKS
        }
        self.assertEqual(unknown, set())

    def _get_relations(self):
        """Return the tables of our many-to-many fields, on whatever model."""
        return {
            field.relation
            for model in self.registry.values()
            for field in model._fields.values()
            if field.type == "many2many" and field.store and ADDON in field._modules
        }

    def test_every_period_is_one_of_the_settings(self):
        settings = {line.period.setting for line in STORED if line.period}
        self.assertLessEqual(settings, set(PERIODS))
        for name in PERIODS:
            self.assertTrue(self.env["res.config.settings"]._fields[name].related)

    def test_statements_work(self):
        """Each condition, company and period is SQL that the database understands."""
        privacy = self.env["marketing.privacy"]
        person = privacy._find_by_address("nobody@example.com")
        self.assertEqual(privacy._count_stored(person), {})
        self.assertFalse(privacy._find_companies(person))
        self.assertTrue(
            all(line.at_forget in (DELETE, ANONYMIZE) for line in STORED if line.period)
        )
        for batch in privacy._get_batches():
            batch()
