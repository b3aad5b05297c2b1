import ast
import pathlib
from unittest import SkipTest
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from . import disposable
from .disposable import MARK, get_refusal
from .test_concurrency import TestConcurrency
from .workers import WorkersCase

# How to write to a database for good.
COMMITS = {"commit", "cursor", "db_connect"}
# With it, a cursor is one of the test's own transaction.
TEST_MODE = "enter_registry_test_mode"
# What writes nothing for good all the same.
ALLOWED = {"workers.py", "test_large_shop.py"}
HERE = pathlib.Path(__file__).parent


@tagged("post_install", "-at_install")
class TestDisposable(TransactionCase):
    """Tests that commit run on databases that were made for tests, and on no other."""

    def _comment(self, comment):
        self.env.cr.execute(
            SQL(
                "COMMENT ON DATABASE %s IS %s",
                SQL.identifier(self.env.cr.dbname),
                comment,
            )
        )

    def test_the_comment_of_the_database_decides(self):
        for comment in (None, "", "our shop", "tests", f"not {MARK[:-1]}"):
            with self.subTest(comment=comment):
                self._comment(comment)
                refusal = get_refusal(self.env.cr)
                self.assertIn(self.env.cr.dbname, refusal)
                self.assertIn("was not made for tests", refusal)
                self.assertIn("tools/odoo-db fresh", refusal)
        self._comment(f"somebody's ({MARK})")
        self.assertIsNone(get_refusal(self.env.cr))

    def test_every_case_refuses_before_it_writes(self):
        """The consent log, too, is what it was."""
        cases = WorkersCase.__subclasses__()
        self.assertIn(TestConcurrency, cases)
        self.assertGreaterEqual(len(cases), 4)
        TestConcurrency.registry = self.registry
        before = TestConcurrency._get_fingerprint()
        self.assertIn("marketing_consent_log", before)
        for case in cases:
            with (
                self.subTest(case=case.__name__),
                patch.object(disposable, "MARK", "a mark that no database has"),
                patch.object(case, "_worker") as worker,
                self.assertRaisesRegex(SkipTest, f"{case.__name__} was not run"),
            ):
                case.setUpClass()
            worker.assert_not_called()
        self.assertEqual(TestConcurrency._get_fingerprint(), before)

    def test_nothing_else_commits(self):
        """Whoever opens or commits a transaction of their own is such a case."""
        for path in sorted(HERE.glob("*.py")):
            if path.name in ALLOWED:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
            used |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
            found = used & COMMITS
            if TEST_MODE in used:
                found -= {"cursor"}
            cases = {
                base.id
                for node in ast.walk(tree)
                if isinstance(node, ast.ClassDef)
                for base in node.bases
                if isinstance(base, ast.Name)
            }
            with self.subTest(path=path.name):
                self.assertTrue(not found or "WorkersCase" in cases, found)
