"""The shipped templates look as they looked when somebody last looked at them."""

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from PIL import Image

from odoo.modules import get_module_path
from odoo.tests import BaseCase, tagged

ADDON = Path(get_module_path("marketing_automation"))
TOOL = ADDON.parent.joinpath("tools", "template-pictures.d")
STORED = ADDON / "tests" / "template_pictures"
PROGRAMS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
# Seconds for ninety pictures on a busy machine; usually it takes five.
TIMEOUT = 600
MAIL = "cart_1-en"
# Changes of its style that somebody could make without looking; all but the last two
# are small.
CHANGES = {
    "a heading in another size": "h1 { font-size: 22px !important; }",
    "a button in another blue": ".button a { background: #2563eb !important; }",
    "a button that is lower": ".button a { padding: 11px 32px !important; }",
    "paragraphs closer together": ".content p { margin-bottom: 8px !important; }",
    "text further left": ".content { padding-left: 12px !important; }",
    "paler small print": ".footer { color: #9ca3af !important; }",
    "no pictures of products": ".content img { visibility: hidden; }",
    "a font with other letters": "* { font-family: monospace !important; }",
}


def _load(name):
    """Import a file of the tool, which is in no package."""
    spec = importlib.util.spec_from_file_location(
        f"template_pictures_{name}", TOOL / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@tagged("standard", "at_install")
class TestTemplatePictures(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        # With the environment's own fonts, which are those of the stored pictures.
        cls.modules = os.environ.get("MARKETING_AUTOMATION_NODE_MODULES")
        if not cls.program or not cls.modules or not TOOL.exists():
            raise unittest.SkipTest("needs the environment of the repository's tools")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.run_of_tool = subprocess.run(
            [
                sys.executable,
                str(TOOL / "main.py"),
                "--check",
                *("--browser", cls.program, "--out", str(cls.folder)),
                *("--modules", cls.modules),
            ],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def test_pictures(self):
        run = self.run_of_tool
        self.assertEqual(
            run.returncode,
            0,
            "A template looks different: run tools/template-pictures, look at its page,"
            f" and store the pictures if they are right.\n{run.stdout}{run.stderr}",
        )
        self.assertIn(f"{len(list(STORED.glob('*.png')))} pictures, 0 ", run.stdout)

    def test_a_change_is_seen(self):
        """What the comparison tolerates is less than what anybody would notice."""
        compare = _load("compare")
        html = self.folder.joinpath(f"{MAIL}.html").read_text(encoding="utf-8")
        pages = [self.folder / "unchanged.html"]
        pages[0].write_text(html, encoding="utf-8")
        for number, style in enumerate(CHANGES.values()):
            pages.append(self.folder / f"change-{number}.html")
            changed = html.replace("</head>", f"<style>{style}</style></head>", 1)
            pages[-1].write_text(changed, encoding="utf-8")
        with _load("browser").Browser(self.program) as browser:
            for width in (360, 1200):
                png, boxes = browser.shoot(pages, width, columns=4)
                stored = Image.open(STORED / f"{MAIL}-{width}.png")
                sheet = Image.open(io.BytesIO(png)).convert("RGB")
                same, *different = (
                    compare.describe_difference(stored, compare.shrink(sheet.crop(box)))
                    for box in boxes
                )
                self.assertEqual(same, "")
                for name, difference in zip(CHANGES, different, strict=True):
                    self.assertTrue(difference, f"not seen at {width} px: {name}")

    def test_the_machines_fonts_are_out_of_sight(self):
        """Whatever a page asks for, it is drawn with what the set-up brought."""
        names = ["sans-serif", "serif", "monospace", "Arial", "Georgia", "Noto Sans"]
        page = self.folder / "fonts.html"
        page.write_text(
            "<!DOCTYPE html><meta charset='utf-8'>"
            + "".join(
                f"<p style='font-family: \"{name}\"'>Őrült ığüş 漢字 😀</p>"
                f"<p style='font-family: {name}'>Őrült ığüş 漢字 😀</p>"
                for name in names
            ),
            encoding="utf-8",
        )
        with _load("browser").Browser(self.program) as browser:
            fonts = browser.get_fonts(page)
        self.assertEqual({name.split()[0] for name in fonts}, {"DejaVu"})
