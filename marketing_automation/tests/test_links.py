import timeit
from functools import partial
from html import unescape
from urllib.parse import parse_qs, urlsplit

from odoo.tests import BaseCase

from ..tools import clients, dark_mode, links
from ..tools.click_map import draw_click_map

REDIRECT = "https://shop.example.com/marketing/click/"
MARKER = "@@ma-token@@"
TOKEN = "0123456789abcdef" * 2
MARKS = {"source": "Cart emails", "medium": "Email", "campaign": "Spring & more"}
UTM = "utm_source=Cart+emails&utm_medium=Email&utm_campaign=Spring+%26+more"


def wrap(html, **kwargs):
    return links.wrap_links(html, REDIRECT + TOKEN, "secret", **kwargs)


def read(html):
    """Return the query of each wrapped link of a body."""
    urls = [unescape(part.split('"')[0]) for part in html.split('href="')[1:]]
    return [
        {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        for url in urls
        if url.startswith(REDIRECT)
    ]


def read_map(html):
    return draw_click_map(html, {1: 2})


class TestWrapping(BaseCase):
    """Links of a body on their way through the redirect."""

    def test_broken_tags_take_no_time(self):
        """Four times the length takes nowhere near sixteen times as long."""
        for name, piece in (
            ("tag", "<a "),
            ("link", "<a href='http://x' "),
            ("link that is never closed", "<a href='http://x'>x"),
            ("comment", "<!--"),
            ("picture", "<img "),
        ):
            for function in (wrap, dark_mode.find_hazards, read_map):
                with self.subTest(piece=name, function=function.__name__):
                    took = [
                        min(timeit.repeat(partial(function, piece * n), number=1))
                        for n in (1000, 4000)
                    ]
                    self.assertLess(took[1], 10 * took[0] + 0.1)

    def test_label_and_position(self):
        cases = {
            "<b>To your</b>\n  cart": "To your cart",
            "<!--[if mso]>x<![endif]-->Go": "Go",
            'Fish &amp; chips<img alt="x">': "Fish & chips",
            '<img src="a.png" alt="Blue mug &quot;1&quot;"/>': 'Blue mug "1"',
            "<img src='a.png' data-alt='x' alt='Mug'>": "Mug",
            "x" * 200: "x" * 80,
            "<img src='a.png'>": None,
            "": None,
        }
        body = "".join(
            f'<p><a class="b" href="https://a.example.com/{number}?x=1&amp;y=2">'
            f"{content}</a></p>"
            for number, content in enumerate(cases)
        )
        for number, (label, query) in enumerate(
            zip(cases.values(), read(wrap(body)), strict=True)
        ):
            self.assertEqual(query.get("l"), label)
            self.assertEqual(query["p"], str(number + 1))
            self.assertEqual(query["u"], f"https://a.example.com/{number}?x=1&y=2")
            self.assertTrue(
                links.verify_link(
                    "secret", query["u"], label or "", query["p"], query["s"]
                )
            )

    def test_what_is_no_web_link_stays(self):
        for html in (
            '<a href="mailto:a@example.com">x</a>',
            '<a href="tel:+36301234567">x</a>',
            '<a href="#top">x</a>',
            '<a data-href="https://a.example.com" href="#top">x</a>',
            '<abbr href="https://a.example.com">x</abbr>',
            '<img src="https://a.example.com/x.png">',
        ):
            self.assertEqual(wrap(html), html)

    def test_broken_markup(self):
        """The link counts, whatever is around it."""
        [query] = read(wrap('<p><A\nclass="b"\nhref="HTTPS://a.example.com">no end'))
        self.assertEqual(query["u"], "HTTPS://a.example.com")
        self.assertNotIn("l", query)
        [query] = read(wrap('<a href=" https://a.example.com/\n  x\ty ">x</a>'))
        self.assertEqual(query["u"], "https://a.example.com/  xy")

    def test_skipped_links_count_as_places(self):
        html = (
            '<a href="https://a.example.com/stop">x</a>'
            '<a href="https://a.example.com/go">x</a>'
        )
        wrapped = wrap(html, skip=["https://a.example.com/stop"])
        self.assertIn('href="https://a.example.com/stop"', wrapped)
        [query] = read(wrapped)
        self.assertEqual(query["p"], "2")

    def test_shared_bodies(self):
        """Rendered once: the bodies of two people differ in their tokens alone."""
        html = (
            '<a href="https://a.example.com/x">Go</a>'
            f'<a href="https://shop.example.com/marketing/unsubscribe/{MARKER}">x</a>'
        )
        shared = links.wrap_links(html, REDIRECT + MARKER, "secret")
        self.assertEqual(
            shared.replace(MARKER, TOKEN),
            links.wrap_links(html.replace(MARKER, TOKEN), REDIRECT + TOKEN, "secret"),
        )
        self.assertEqual(shared.count(MARKER), 2)
        self.assertEqual(len(read(shared)), 1)

    def test_signature(self):
        """No part of a link can be moved into another part."""
        signed = {
            links.sign_link(secret, url, label, position)
            for secret in ("a", "b")
            for url, label, position in (
                ("https://x", "y", 1),
                ("https://x", "y", 11),
                ("https://xy", "", 1),
                ("https://x\ny", "", 1),
                ("https://x", "", "y"),
                ('https://x", "y', "", 1),
            )
        }
        self.assertEqual(len(signed), 12)
        self.assertFalse(links.verify_link("a", "\ud800", "\ud800", "\ud800", "\ud800"))
        self.assertFalse(links.verify_message_link("a", TOKEN, "\ud800", None))

    def test_marks(self):
        html = (
            '<a href="https://shop.example.com/a?x=1#y">x</a>'
            '<a href="https://other.example.com/a">x</a>'
        )
        own, other = read(wrap(html, utm=MARKS, own_hosts={"shop.example.com"}))
        self.assertEqual(own["u"], f"https://shop.example.com/a?x=1&{UTM}#y")
        self.assertEqual(other["u"], "https://other.example.com/a")


class TestMarks(BaseCase):
    """UTM parameters on links to our own shop."""

    def _add(self, url):
        hosts = {"shop.example.com", "127.0.0.1:8069"}
        return links.add_utm(url, hosts, {**MARKS, "term": ""})

    def test_own_links(self):
        for before, after in (
            ("https://shop.example.com", "?"),
            ("http://127.0.0.1:8069/a", "?"),
            ("https://Shop.Example.com/a", "?"),
            ("https://shop.example.com/a?", ""),
            ("https://shop.example.com/a?x=%20+é&y", "&"),
            ("https://shop.example.com/a?x=1&", ""),
            ("https://shop.example.com/a%2Fb?nutm_x=1", "&"),
        ):
            self.assertEqual(self._add(before), before + after + UTM)
            self.assertEqual(self._add(f"{before}#z?q"), f"{before}{after}{UTM}#z?q")

    def test_others_stay(self):
        for url in (
            "https://other.example.com/a",
            "https://shop.example.com.evil.example.com/",
            "https://shop.example.com@evil.example.com/",
            "https://shop.example.com:8443/",
            "https://shop.example.com/a?x=1&utm_source=own",
            "https://shop.example.com/a?utm_id=1#x",
            "mailto:a@shop.example.com",
            "//shop.example.com/a",
            "/shop",
            "https://[shop.example.com/",
            "",
        ):
            self.assertEqual(self._add(url), url)
        url = "https://shop.example.com"
        self.assertEqual(links.add_utm(url, {"shop.example.com"}, {"source": ""}), url)


class TestTextLinks(BaseCase):
    """Addresses in plain text."""

    def test_find_and_replace(self):
        cases = {
            "See https://a.example.com.": "https://a.example.com",
            "(https://a.example.com/x)": "https://a.example.com/x",
            "https://a.example.com/a_(b), x": "https://a.example.com/a_(b)",
            "(see https://a.example.com/a_(b)).": "https://a.example.com/a_(b)",
            "Go:https://a.example.com/?a=1&b=2#c!": "https://a.example.com/?a=1&b=2#c",
            "“https://a.example.com/é”…": "https://a.example.com/é",
            "HTTP://A.example.com?!": "HTTP://A.example.com",
            "<https://a.example.com/t_->": "https://a.example.com/t_-",
            "[https://a.example.com/?x[]=1]": "https://a.example.com/?x[]=1",
            "https://a.example.com/x\nnext": "https://a.example.com/x",
        }
        for text, url in cases.items():
            with self.subTest(text):
                self.assertEqual(links.find_urls(text), [url])
                self.assertEqual(
                    links.replace_urls(text, {url: "https://s.example.com/m/1"}),
                    text.replace(url, "https://s.example.com/m/1"),
                )
                self.assertEqual(links.replace_urls(text, {}), text)

    def test_several(self):
        text = (
            "https://a.example.com/1 https://a.example.com/12, https://a.example.com/1."
        )
        one, two = links.find_urls(text)
        self.assertEqual(links.replace_urls(text, {one: "1", two: "2"}), "1 2, 1.")

    def test_none(self):
        for text in ("", "https://", "http://...", "www.example.com", "ftp://x"):
            self.assertEqual(links.find_urls(text), [])


class TestClients(BaseCase):
    """Agents as they are really sent."""

    def test_clients(self):
        apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
        chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"
        iphone = f"iPhone; CPU iPhone OS 17_5 like Mac OS X) {apple}"
        gecko = "X11; Linux x86_64; rv:128.0) Gecko/20100101"
        for device, client, agents in (
            (
                *("desktop", "Chrome"),
                [f"Windows NT 10.0; Win64; x64) {chrome} Safari/537.36"],
            ),
            (
                *("mobile", "Chrome"),
                [
                    f"Linux; Android 10; K) {chrome} Mobile Safari/537.36",
                    f"{iphone} CriOS/131.0 Mobile/15E148 Safari/604.1",
                ],
            ),
            ("tablet", "Chrome", [f"Linux; Android 13) {chrome} Safari/537.36"]),
            ("desktop", "Edge", [f"Windows NT 10.0) {chrome} Safari/537.36 Edg/131.0"]),
            ("desktop", "Firefox", [f"{gecko} Firefox/128.0"]),
            ("mobile", "Safari", [f"{iphone} Version/17.5 Mobile/15E Safari/604.1"]),
            ("tablet", "Safari", [f"iPad; CPU OS 17_5) {apple} Version/17.5 Safari/6"]),
            (
                *("desktop", "Apple Mail"),
                [f"Macintosh; Intel Mac OS X 10_15_7) {apple}"],
            ),
            ("mobile", "Apple Mail", [f"{iphone} Mobile/15E148"]),
            ("desktop", "Thunderbird", [f"{gecko} Thunderbird/128.4.0"]),
            (
                *("other", "Gmail"),
                [
                    "Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 "
                    "(via ggpht.com GoogleImageProxy)"
                ],
            ),
        ):
            for agent in agents:
                with self.subTest(agent):
                    self.assertEqual(
                        clients.read_client(f"Mozilla/5.0 ({agent}"), (device, client)
                    )
        for agent, expected in {
            "YahooMailProxy; https://help.yahoo.com/": ("other", "Yahoo Mail"),
            "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/8.0; "
            "Microsoft Outlook 16.0.5197; MSOffice 16)": ("desktop", "Outlook"),
            "Outlook-iOS/723.4027091.prod.iphone (4.28.0)": ("mobile", "Outlook"),
            "Mozilla/5.0": ("other", "Apple Mail"),
            "something else": ("other", ""),
            "": ("other", ""),
            None: ("other", ""),
        }.items():
            with self.subTest(agent):
                self.assertEqual(clients.read_client(agent), expected)

    def test_machines(self):
        for agent, reason in {
            "Mozilla/5.0": "prefetch",
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0": None,
            "Mozilla/5.0 (via ggpht.com GoogleImageProxy)": None,
            "Mozilla/5.0 (compatible; MicrosoftPreview/2.0)": "agent",
            "Microsoft Office Existence Discovery": "agent",
            "Go-http-client/2.0": "agent",
            "x" * 100000: None,
            "  ": "agent",
            None: "agent",
        }.items():
            with self.subTest(agent):
                self.assertEqual(clients.get_machine_agent(agent), reason)
