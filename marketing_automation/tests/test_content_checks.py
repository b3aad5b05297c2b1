from odoo.tests import BaseCase, tagged

from ..tools import content_checks as checks
from ..tools.content_checks import Content, Finding
from ..tools.dark_mode import Hazard, contrast, find_hazards
from ..tools.markup import find_elements
from ..tools.spam_words import SPAM, find_spam
from .moments import assert_grows_in_step

SHOP = "https://shop.example.com"
WORDS = "Twenty words or more say enough of what there is in here, " * 3


@tagged("post_install", "-at_install")
class TestContentChecks(BaseCase):
    """What is to be said of a message: one test for each check."""

    def _levels(self, findings):
        return {finding.key: finding.level for finding in findings}

    # === THE LAW ===#

    def test_unsubscribe(self):
        content = Content(html=f'<a href="{SHOP}/u/1">Stop</a>', unsubscribe_url="")
        self.assertEqual(
            checks.check_unsubscribe(content), [Finding("unsubscribe", "must")]
        )
        content = Content(html=content.html, unsubscribe_url=f"{SHOP}/u/1")
        self.assertEqual(
            checks.check_unsubscribe(content), [Finding("unsubscribe", "ok")]
        )
        # What is no advertising need not be stopped.
        content = Content(html="", is_marketing=False)
        self.assertEqual(checks.check_unsubscribe(content), [])
        self.assertEqual(checks.check_address(content), [])

    def test_address(self):
        identities = (("A & B", "Main St. 1", "Graz"), ("C", "D", "E"))
        html = "<p>A &amp; B, Main St. 1, 8010 Graz</p>"
        for source, level in ((html, "ok"), ("<p>A &amp; B</p>", "must")):
            content = Content(html=source, identities=identities)
            self.assertEqual(checks.check_address(content), [Finding("address", level)])

    def test_stop(self):
        for text, level in (
            ("Shop: 10% off. Reply STOP to end", "ok"),
            ("Bolt: 10% kedvezmény. Leiratkozás: m.example.com/x", "ok"),
            ("Stopwatches are 10% off", "advice"),
        ):
            with self.subTest(text):
                findings = checks.check_stop(
                    Content(text=text, unsubscribe_url="https://none.example")
                )
                self.assertEqual(findings, [Finding("stop", level)])

    # === SIZE ===#

    def test_size(self):
        def level(size):
            [finding] = checks.check_size(Content(html="x" * size))
            return finding.level

        self.assertEqual(level(80 * 1024), "ok")
        self.assertEqual(level(80 * 1024 + 1), "advice")
        self.assertEqual(level(100 * 1024), "advice")
        self.assertEqual(level(100 * 1024 + 1), "must")
        # Bytes are what counts, not characters.
        [finding] = checks.check_size(Content(html="ő" * 60 * 1024))
        self.assertEqual((finding.level, finding.values["kilobytes"]), ("must", 120))

    def test_segments(self):
        self.assertEqual(checks.check_segments(3)[0].level, "ok")
        self.assertEqual(checks.check_segments(4)[0].level, "advice")

    # === LINKS AND PICTURES ===#

    def test_links(self):
        fine = f'<a href="{SHOP}/shop">Shop</a>'
        self.assertEqual(
            checks.check_links(Content(html=fine)),
            [Finding("links", "ok", {"count": 1})],
        )
        self.assertEqual(checks.check_links(Content(html="<p>No link</p>")), [])
        html = f'{fine}<a href="/contact">a</a><a href="#">b</a><a href="">c</a>'
        findings = checks.check_links(Content(html=html), [f"{SHOP}/gone"])
        self.assertEqual(
            findings,
            [
                Finding("dead_link", "must", {"link": f"{SHOP}/gone"}),
                Finding("relative_link", "must", {"link": "/contact"}),
                Finding("empty_link", "advice", {"count": 2}),
            ],
        )

    def test_links_to_other_things_than_pages(self):
        html = (
            '<a href="mailto:a@example.com">m</a> <a href="tel:+361">t</a>'
            '<a href="http://[">broken</a>'
        )
        [finding] = checks.check_links(Content(html=html))
        self.assertEqual(finding.level, "ok")

    def test_own_paths(self):
        html = (
            f'<a href="{SHOP}/shop/lamp-1?a=1#x">l</a><a href="{SHOP}">h</a>'
            f'<a href="{SHOP}/made-up">s</a>'
            '<a href="https://elsewhere.example.com/x">e</a><a href="/relative">r</a>'
            '<a href="https://SHOP.example.com/Upper">u</a>'
        )
        content = Content(html=html, samples=frozenset({f"{SHOP}/made-up"}))
        self.assertEqual(
            checks.find_own_paths(content, [SHOP, ""]),
            {
                f"{SHOP}/shop/lamp-1?a=1#x": "/shop/lamp-1",
                SHOP: "/",
                "https://SHOP.example.com/Upper": "/Upper",
            },
        )
        self.assertEqual(checks.find_own_paths(content, []), {})

    def test_own_paths_of_text_messages(self):
        content = Content(text=f"See {SHOP}/shop. Or ({SHOP}/contactus)!")
        self.assertEqual(
            set(checks.find_own_paths(content, [SHOP]).values()),
            {"/shop", "/contactus"},
        )

    def test_images(self):
        picture = f'<img src="{SHOP}/a.png"'
        for html, found in (
            ("<p>None</p>", {}),
            (f'{picture} alt="A lamp">', {"images": "ok"}),
            # Decoration says so by an empty text.
            (f'{picture} alt="">', {"images": "ok"}),
            (f"{picture}>", {"alt": "advice"}),
            ('<img src="/web/image/1" alt="">', {"relative_image": "must"}),
        ):
            with self.subTest(html):
                findings = checks.check_images(Content(html=html, text=WORDS))
                self.assertEqual(self._levels(findings), found)

    def test_pictures_of_samples_are_none_of_ours(self):
        html = '<img src="/sample/mug.svg" alt="">'
        content = Content(html=html, text=WORDS, samples=frozenset({"/sample/mug.svg"}))
        self.assertEqual(self._levels(checks.check_images(content)), {"images": "ok"})

    def test_posters(self):
        content = Content(html=f'<img src="{SHOP}/a.png" alt="">', text="Sale")
        self.assertEqual(
            self._levels(checks.check_images(content)), {"only_images": "advice"}
        )

    # === WHAT IT SAYS ===#

    def test_subject(self):
        for subject, found in (
            ("Your cart is still here", {"subject": "ok"}),
            ("x" * 60, {"subject": "ok"}),
            ("x" * 61, {"long_subject": "advice"}),
            ("Re: our call", {"fake_reply": "advice"}),
            ("RE:our call", {"fake_reply": "advice"}),
            ("Reading lamps", {"subject": "ok"}),
            ("BUY IT TODAY", {"shouting": "advice"}),
            ("VIP: now", {"subject": "ok"}),
            ("IPHONE 17", {"subject": "ok"}),
            ("", {}),
        ):
            with self.subTest(subject):
                findings = checks.check_subject(Content(subject=subject))
                self.assertEqual(self._levels(findings), found)

    def test_preheader(self):
        for preheader, found in (
            ("Three lamps wait for you", {"preheader": "ok"}),
            ("", {"no_preheader": "advice"}),
            ("HELLO", {"same_preheader": "advice"}),
            ("x" * 111, {"long_preheader": "advice"}),
        ):
            with self.subTest(preheader):
                content = Content(subject="Hello", preheader=preheader)
                self.assertEqual(self._levels(checks.check_preheader(content)), found)

    def test_spam(self):
        # One phrase in the text is nothing, in the subject it is.
        self.assertEqual(
            self._levels(checks.check_spam(Content(text="Click here, please"))),
            {"wording": "ok"},
        )
        findings = checks.check_spam(Content(subject="Click here"))
        self.assertEqual(
            findings,
            [Finding("spam", "advice", {"phrase": "click here", "reason": "click"})],
        )
        findings = checks.check_spam(Content(text="Act now. You have won!!"))
        self.assertEqual([f.key for f in findings], ["exclamation", "spam", "spam"])

    def test_exclamation_marks(self):
        for subject, count in (("One! Two!", 1), ("One!", 0), ("Wow! !", 1)):
            findings = checks.check_spam(Content(subject=subject))
            found = [f.key for f in findings if f.key == "exclamation"]
            self.assertEqual(len(found), count, subject)

    def test_order_and_levels(self):
        content = Content(subject="Hello", html="<p>x</p>", unsubscribe_url=SHOP)
        findings = checks.check_email(content, hazards=[Hazard("text", "#000")])
        levels = [checks.LEVELS.index(finding.level) for finding in findings]
        self.assertEqual(levels, sorted(levels, reverse=True))
        self.assertEqual(self._levels(findings)["dark_text"], "advice")
        self.assertLessEqual({f.level for f in findings}, set(checks.LEVELS))

    def test_text_message(self):
        content = Content(text=f"Sale: {SHOP}/gone. Reply STOP to end")
        findings = checks.check_sms(content, 1, [f"{SHOP}/gone"])
        self.assertEqual(
            [(f.key, f.level) for f in findings],
            [
                ("dead_link", "must"),
                ("stop", "ok"),
                ("segments", "ok"),
                ("wording", "ok"),
            ],
        )


@tagged("post_install", "-at_install")
class TestSpamWords(BaseCase):
    def test_every_phrase_is_found(self):
        for reason, phrases in SPAM.items():
            for phrase in phrases:
                text = f"Well, {phrase.replace('*', 'x')}."
                with self.subTest(phrase):
                    self.assertIn(reason, find_spam(text).values())
                    self.assertIn(reason, find_spam(text.upper()).values())

    def test_whole_words(self):
        for text in (
            "We are urgently needed",  # not "urgent"
            "Nonspam and notspam",
            "The acilla is a plant",
            "Fizetési kötelezettség",
        ):
            self.assertEqual(find_spam(text), {}, text)

    def test_how_it_is_written_does_not_matter(self):
        self.assertEqual(find_spam("CLICK\n  HERE"), {"click\n  here": "click"})
        self.assertEqual(find_spam("Don’t delete"), {"don’t delete": "pressure"})
        self.assertIn("miracle", find_spam("FOGYJON könnyen").values())
        self.assertIn("prize", find_spam("KAZANDINIZ").values())

    def test_ordinary_shops_are_left_alone(self):
        for text in (
            "Free delivery on orders over $ 50, until Sunday",
            "Our summer sale: 20 % off all lamps",
            "Ingyenes szállítás 10 000 Ft felett",
            "Ücretsiz kargo, yaz indirimi",
        ):
            self.assertEqual(find_spam(text), {}, text)


@tagged("post_install", "-at_install")
class TestDarkMode(BaseCase):
    def test_contrast(self):
        self.assertEqual(round(contrast((0, 0, 0), (255, 255, 255)), 1), 21)
        self.assertEqual(contrast((9, 9, 9), (9, 9, 9)), 1)

    def test_colours_without_their_other_half(self):
        for html, kind in (
            ('<p style="color: #000">x</p>', "text"),
            ('<p style="color:white">x</p>', "text"),
            ('<p style="color: rgb(17, 24, 39)">x</p>', "text"),
            ('<font color="black">x</font>', "text"),
            ('<div style="color:#111"><b>x</b></div>', "text"),
            ('<td style="background: #fff">x</td>', "ground"),
            ('<table><tr><td bgcolor="#FFFFE0"><p>x</p></td></tr></table>', "ground"),
        ):
            with self.subTest(html):
                [hazard] = find_hazards(html)
                self.assertEqual(hazard.kind, kind)

    def test_what_can_be_read_anywhere(self):
        for html in (
            "<p>x</p>",
            '<p style="color:#000;background-color:#fff">x</p>',
            '<td bgcolor="#ffffff"><p style="color:#000">x</p></td>',
            '<p style="color: #6b7280">x</p>',  # grey: readable on both
            '<p style="background: #111827">x</p>',  # stays dark, text light
            '<td bgcolor="#fff"><a href="#">x</a></td>',
            '<p style="color: inherit">x</p>',
            '<p style="color: var(--x)">x</p>',
            '<div style="color:#000"></div>',  # says nothing
            "<style>p { color: #000 }</style><p>x</p>",
        ):
            with self.subTest(html):
                self.assertEqual(find_hazards(html), [])

    def test_a_ground_that_is_none(self):
        [hazard] = find_hazards('<p style="color:#000;background:transparent">x</p>')
        self.assertEqual(hazard, Hazard("text", "#000"))

    def test_each_once(self):
        html = '<p style="color:#000">x</p>' * 3
        self.assertEqual(len(find_hazards(html)), 1)


@tagged("post_install", "-at_install")
class TestMarkup(BaseCase):
    def test_elements(self):
        [div, image, bold] = find_elements(
            '<DIV Class="a">x<img SRC="p" alt><b>y</b></DIV>'
        )
        self.assertEqual((div.name, div.attributes), ("div", {"class": "a"}))
        self.assertEqual(image.attributes, {"src": "p", "alt": ""})
        self.assertEqual(bold.parent, div)
        self.assertTrue(div.has_text and bold.has_text)
        self.assertFalse(image.has_text)

    def test_broken_markup(self):
        elements = find_elements("<p>a<b>c</p>d</x><i")
        self.assertEqual([e.name for e in elements], ["p", "b"])
        self.assertEqual(find_elements(""), [])

    def test_deeply_nested(self):
        """A hundred kilobytes of what is never closed, or was never opened."""
        assert_grows_in_step(
            self,
            lambda count: find_elements("<b>" * count + "x" + "</i>" * count),
            7_500,
        )
        assert_grows_in_step(
            self,
            lambda count: find_hazards('<b style="color:#000">' * count + "x"),
            1_250,
        )
        elements = find_elements("<b>" * 30_000 + "x" + "</i>" * 30_000)
        self.assertEqual(len(elements), 30_000)
        self.assertTrue(elements[-1].has_text)
        html = '<b style="color:#000">' * 5_000 + "x"
        self.assertEqual(find_hazards(html), [Hazard("text", "#000")])

    def test_first_of_two_attributes_counts(self):
        [element] = find_elements('<a href="1" href="2">')
        self.assertEqual(element.attributes, {"href": "1"})
