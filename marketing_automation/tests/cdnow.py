"""The purchases of 23,570 people who first bought at CDNOW in 1997: real data.

From Fader and Hardie, "Forecasting Repeat Sales at CDNOW", Interfaces 31 (2001), as it
comes with the package Lifetimes on PyPI. Fetched when a test asks for it, kept in the
cache, never part of the addon.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from unittest import SkipTest

PACKAGE = "Lifetimes==0.11.3"
WHEEL = "Lifetimes-0.11.3-py3-none-any.whl"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
TIMEOUT = 90


def read_purchases():
    """Return every purchase: customer, day and amount.

    :rtype: list[tuple[str, date, Decimal]]
    :raise SkipTest: the registry cannot be reached
    """
    with zipfile.ZipFile(_fetch()) as wheel:
        lines = wheel.read(MEMBER).decode().splitlines()[1:]
    return [
        (
            customer,
            date(int(day[:4]), int(day[4:6]), int(day[6:])),
            Decimal(amount),
        )
        for customer, day, _count, amount in map(str.split, lines)
    ]


def _fetch():
    folder = _get_folder()
    path = folder / WHEEL
    if not path.exists():
        with tempfile.TemporaryDirectory() as scratch:
            _download(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{WHEEL}.{os.getpid()}"
            partial.write_bytes((Path(scratch) / WHEEL).read_bytes())
            partial.replace(path)
    return path


def _download(folder):
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    try:
        subprocess.run(
            [*command, "--only-binary", ":all:", "--dest", folder, PACKAGE],
            check=True,
            timeout=TIMEOUT,
            capture_output=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SkipTest(f"CDNOW's data ({PACKAGE}) could not be had: {error}")


def _get_folder():
    home = os.environ.get("MARKETING_AUTOMATION_HOME")
    return Path(home or Path.home() / ".cache" / "marketing-automation") / "data"
