"""The test classes of the addon, read from their source.

    classes.py plain              tags of those that need no database
    classes.py shards COUNT       a line of tags for each of so many shards
    classes.py all-plain TAG…     exit status 0 if all of these need no database
    classes.py seconds LOG…       what each class took in these runs, as JSON

A class is plain if it comes from BaseCase and from nothing that opens a database.
Shards are cut by the seconds of `seconds.json`; a class that is not in it counts as
much as its tests do on average, more with a browser.
"""

import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ADDON = "marketing_automation"
TESTS = ROOT / ADDON / "tests"
SECONDS = Path(__file__).with_name("seconds.json")
PLAIN_BASES = {"BaseCase", "TestCase", "object"}
# Odoo's and ours that open one; what else is unknown is taken for such a class, too.
WORKERS = "WorkersCase"
# Seconds of a test of a class that was never measured.
A_TEST, A_BROWSER = 0.7, 6.0
BROWSER = re.compile(r"start_tour|open_browser|browser_js")


class TestClass:
    """A class with tests of its own.

    :param ast.ClassDef node: its source
    :param str text: of its file
    """

    def __init__(self, node, text):
        self.name = node.name
        self.tests = sum(
            isinstance(item, ast.FunctionDef) and item.name.startswith("test")
            for item in node.body
        )
        self.uses_browser = bool(BROWSER.search(ast.get_source_segment(text, node)))

    def estimate(self, seconds):
        """Return how long it takes, of what was measured or by its size."""
        each = A_BROWSER if self.uses_browser else A_TEST
        return seconds.get(self.name, 1 + each * self.tests)


def read():
    """Return the classes that have tests, and the bases of every class.

    :return: list of TestClass; names of bases by name of class
    :rtype: tuple[list, dict]
    """
    classes, bases = [], {}
    imported = (TESTS / "__init__.py").read_text(encoding="utf-8")
    for path in sorted(TESTS.glob("*.py")):
        if path.name.startswith("test_"):
            if f"import {path.stem}\n" not in imported:
                sys.exit(f"{path.name} is not imported in tests/__init__.py")
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if not isinstance(node, ast.ClassDef):
                continue
            bases[node.name] = [ast.unparse(base).split(".")[-1] for base in node.bases]
            found = TestClass(node, text)
            if found.tests and path.name.startswith("test_"):
                classes.append(found)
    return classes, bases


def is_plain(name, bases):
    """Return whether a class needs no database."""
    if name == WORKERS:
        return False
    if name not in bases:
        return name in PLAIN_BASES
    return all(is_plain(base, bases) for base in bases[name])


def split(classes, count, seconds):
    """Return the tags of each shard, of about the same length each.

    :param list classes: of TestClass
    :param int count: of shards
    :param dict seconds: measured, by name of class
    """
    shards = [[0.0, []] for _n in range(count)]
    for one in sorted(classes, key=lambda c: (-c.estimate(seconds), c.name)):
        shard = min(shards, key=lambda s: s[0])
        shard[0] += one.estimate(seconds)
        shard[1].append(one.name)
    return [tags for _seconds, tags in shards]


def write_tags(names):
    """Return names of classes as Odoo wants them."""
    return ",".join(f"/{ADDON}:{name}" for name in names)


def measure(logs):
    """Return the seconds of each class, from the reports at the end of Odoo's logs."""
    line = re.compile(rf"\t{ADDON}\.test_\w+\.(\w+): ([\d.]+)s ")
    found = {}
    for log in logs:
        for name, taken in line.findall(Path(log).read_text(errors="replace")):
            found[name] = round(found.get(name, 0) + float(taken), 1)
    return found


def main(command, *arguments):
    """Do what the description of this file says."""
    classes, bases = read()
    plain = [c.name for c in classes if is_plain(c.name, bases)]
    if command == "plain":
        print(write_tags(plain))
    elif command == "shards":
        seconds = json.loads(SECONDS.read_text())
        others = [c for c in classes if c.name not in plain]
        for names in split(others, int(arguments[0]), seconds):
            print(write_tags(names))
    elif command == "all-plain":
        tag = re.compile(rf"/{ADDON}:(\w+)(?:\.\w+)?")
        named = [tag.fullmatch(t) for each in arguments for t in each.split(",")]
        return int(not all(match and match[1] in plain for match in named))
    elif command == "seconds":
        names = {c.name for c in classes}
        found = {n: s for n, s in measure(arguments).items() if n in names}
        print(json.dumps(found, indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
