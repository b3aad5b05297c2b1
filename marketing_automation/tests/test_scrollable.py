"""What can be scrolled sideways can be scrolled with the keyboard (WCAG 2.1, 2.1.1)."""

import re
from pathlib import Path

from lxml import etree

from odoo.modules import get_module_path
from odoo.tests import BaseCase, HttpCase, tagged

from .browser import IS_QUIET, open_browser
from .test_accessibility import PHONE, find_axe, find_own_violations
from .test_segment_import import ImportCase

ADDON = Path(get_module_path("marketing_automation"))
# Classes of Bootstrap that let a part scroll.
SCROLLS = re.compile(r"\b(table-responsive\S*|overflow(-[xy])?-(auto|scroll))\b")
# Style sheets that let a part scroll, and how a keyboard gets there.
STYLED = {
    # Its search field moves through the list.
    ".o_marketing_insert_list": "combobox",
    # It holds buttons and lists to choose from.
    ".o_marketing_studio_beside": "controls",
}


@tagged("standard", "at_install")
class TestScrollable(BaseCase):
    def test_every_part_that_scrolls_takes_the_focus(self):
        parts = []
        for path in sorted(ADDON.rglob("*.xml")):
            for element in etree.parse(str(path)).iter(etree.Element):
                classes = " ".join(
                    element.get(name, "") for name in ("class", "t-attf-class")
                )
                if SCROLLS.search(classes) or element.tag == "pre":
                    parts.append((path.name, element))
        self.assertGreaterEqual(len(parts), 7)
        for name, element in parts:
            with self.subTest(file=name, line=element.sourceline):
                self.assertEqual(element.get("tabindex"), "0")
                self.assertEqual(element.get("role"), "region")
                self.assertTrue(element.get("aria-label"))

    def test_style_sheets_let_nothing_else_scroll(self):
        found = set()
        for path in ADDON.joinpath("static", "src").rglob("*.scss"):
            outer = []
            for line in path.read_text(encoding="utf-8").splitlines():
                line = line.split("//")[0].strip()
                if line.endswith("{"):
                    outer.append(line[:-1].strip())
                elif re.match(r"overflow(-[xy])?: *(auto|scroll)", line):
                    found.add(outer[-1])
                if line.startswith("}"):
                    outer.pop()
        self.assertEqual(found, set(STYLED))


@tagged("post_install", "-at_install")
class TestScrollableImport(ImportCase, HttpCase):
    def test_import_on_a_phone(self):
        """What a file holds, and what became of it: axe-core finds nothing wrong."""
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        long = "a-very-long-mailbox-name-without-a-break" + "x" * 20
        lines = [
            "email;first_name;last_name",
            f"{long}@example.com;Annamária;Hosszúnevű",
            f"{long}@@example;Bo;Broken",
        ]
        # Others may not see whose it is.
        self.env = self.env(user=self.env.ref("base.user_admin"))
        before = self._wizard(lines)
        after = self._import(lines)
        self.env.flush_all()
        with open_browser(self, "admin") as browser:
            browser.resize(PHONE)
            for wizard, name in ((before, "preview"), (after, "result")):
                browser.go(
                    f"/odoo/customer.segment.import/{wizard.id}",
                    f"!!document.querySelector('[name={name}] .table-responsive')",
                )
                browser.evaluate(IS_QUIET)
                within = f".o_field_widget[name={name}]"
                self.assertEqual(find_own_violations(browser, axe, within), [])
