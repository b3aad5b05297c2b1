"""Text messages: their length as in the editor, plain characters, words in replies."""

import json
import re

from odoo.tests import BaseCase, HttpCase, tagged
from odoo.tools import file_open

from ..tools import sms


def shared_cases(name):
    """Read one of the tables that the JavaScript tests use, too."""
    with file_open("marketing_automation/static/tests/sms_length_cases.js") as file:
        source = file.read()
    table = re.search(rf"const {name} = /\* JSON \*/ (\[.*?\n\]);", source, re.DOTALL)
    return json.loads(re.sub(r",\s*\]$", "]", table[1]))


@tagged("-at_install", "post_install")
class TestSms(BaseCase):
    def test_alphabet(self):
        basic, extension = shared_cases("ALPHABET")
        self.assertEqual((len(basic), len(extension)), (127, 10))
        for code in range(0xD800):
            character = chr(code)
            length = sms.analyse(character)
            known = character in basic or character in extension
            self.assertEqual(length.encoding, "GSM-7" if known else "UCS-2", code)
            self.assertEqual(length.units, 1 + (character in extension), code)

    def test_length(self):
        cases = shared_cases("LENGTHS")
        self.assertGreater(len(cases), 20)
        for pieces, encoding, units, segments, remaining, characters in cases:
            with self.subTest(pieces=pieces):
                text = "".join(piece * times for piece, times in pieces)
                self.assertEqual(
                    sms.analyse(text),
                    sms.SmsLength(
                        encoding, units, segments, remaining, tuple(characters)
                    ),
                )

    def test_pairs_stay_together(self):
        """However two-unit characters fall, no segment is overfull or too empty."""
        for pair, single, room in (("€", "a", 153), ("😀", "ő", 67)):
            for lead in range(room + 1):
                text = single * lead + pair * room
                length = sms.analyse(text)
                lost = length.segments * room - length.units - length.remaining
                self.assertLess(lost, length.segments)
                self.assertGreaterEqual(lost, 0)

    def test_estimate(self):
        for source, units, accuracy in shared_cases("ESTIMATES"):
            with self.subTest(source=source):
                length, found = sms.estimate(source)
                self.assertEqual((length.units, found), (units, accuracy))

    def test_plain(self):
        for text, plain in shared_cases("PLAIN"):
            self.assertEqual(sms.to_plain(text), plain)
        self.assertEqual(
            sms.plain_replacements("“ő…”"), {"“": '"', "…": "...", "”": '"'}
        )
        self.assertEqual(sms.plain_replacements("plain"), {})
        for plain in sms._PLAIN.values():
            self.assertEqual(sms.analyse(plain).encoding, "GSM-7")

    def test_keywords(self):
        words = {
            "stop": ["STOP", " Stop! ", "stop all", "Opt-out", "UNSUBSCRIBE", "quit"],
            "start": ["START", "unstop", "Yes.", "BAŞLA", "feliratkozom"],
            "help": ["HELP", "info?", "Segítség", "YARDIM", "bilgi", "BİLGİ"],
            "": ["", None, "please stop it", "stop please", "nonstop", "Igen", "👍"],
        }
        words["stop"] += ["Leiratkozás", "LEIRATKOZOM", "állj", "İPTAL", "iptal"]
        words["stop"] += ["ıptal", "ÇIK", "çık", "Dur", "RET"]
        for keyword, texts in words.items():
            for text in texts:
                with self.subTest(text=text):
                    self.assertEqual(sms.read_keyword(text), keyword)


@tagged("-at_install", "post_install")
class TestSmsEditor(HttpCase):
    def test_unit_tests(self):
        """The JavaScript side: calculation and widget, in a browser."""
        suite = _suite_id("@marketing_automation/fields")
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}",
            "",
            "",
            login="admin",
            timeout=120,
            success_signal="[HOOT] Test suite succeeded",
        )


def _suite_id(name):
    """The id that Odoo's test runner gives to a suite of this name."""
    number = 0
    for character in name:
        number = ((number << 5) - number + ord(character)) & 0xFFFFFFFF
    return f"{number:08x}"
