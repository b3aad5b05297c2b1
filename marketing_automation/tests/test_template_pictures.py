"""The shipped templates look as they looked when somebody last looked at them."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from odoo.modules import get_module_path
from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

TOOL = Path(get_module_path("marketing_automation")).parent.joinpath(
    "tools", "template-pictures.d", "main.py"
)
PROGRAMS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
# Seconds for ninety pictures on a busy machine; usually it takes twenty.
TIMEOUT = 600


@tagged("standard", "at_install")
class TestTemplatePictures(BaseCase):
    def test_pictures(self):
        browser = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if not browser:
            self.skipTest("no chromium on this machine: see tools/setup")
        if not TOOL.exists():
            self.skipTest(f"the repository's tools are not here: {TOOL}")
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                [
                    sys.executable,
                    str(TOOL),
                    *("--browser", browser, "--out", folder),
                    *("--fonts", file_path("web/static/fonts/google/Roboto")),
                ],
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )
        self.assertEqual(
            run.returncode,
            0,
            "A template looks different: run tools/template-pictures, look at its page,"
            f" and store the pictures if they are right.\n{run.stdout}{run.stderr}",
        )
