"""Times are UTC, wherever the database server believes it stands."""

import re
from pathlib import Path

from odoo.modules import get_module_path
from odoo.tests import BaseCase, tagged

ADDON = Path(get_module_path("marketing_automation"))
# What SQL says of now; `datetime.now()` and the like are Python's.
NOW = re.compile(
    r"(?<![\w.])(now|clock_timestamp|statement_timestamp|transaction_timestamp)\(\)"
    r"(?!\s+AT TIME ZONE 'UTC')"
    r"|\b(CURRENT_DATE|CURRENT_TIME(STAMP)?|LOCALTIME(STAMP)?)\b"
)


@tagged("standard", "at_install")
class TestTimeZone(BaseCase):
    def test_sql_says_which_now(self):
        """A server with a time zone of its own takes a bare now() for local time."""
        found = [
            f"{path.relative_to(ADDON)}:{number}: {line.strip()}"
            for path in sorted([*ADDON.rglob("*.py"), *ADDON.rglob("*.sql")])
            if path.name != "test_time_zone.py"
            for number, line in enumerate(
                path.read_text(encoding="utf-8").splitlines(), 1
            )
            if NOW.search(line)
        ]
        self.assertEqual(found, [])
