"""Pictures of the shipped templates: see tools/template-pictures."""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from browser import Browser
from compare import describe_difference, make_thumbnail, shrink
from page import write_page
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
ADDON = ROOT / "marketing_automation"
# The addon's helpers need no Odoo.
sys.path.insert(0, str(ADDON))

from tools import library, rendering, samples  # noqa: E402

WIDTHS = (360, 1200)
STORED = ADDON / "tests" / "template_pictures"
THUMBNAILS = ADDON / "static" / "img" / "templates"
# Every machine has other fonts, and lines break where they want. These come with Odoo.
FONTS = """<style>
@font-face {{ font-family: "Segoe UI"; font-weight: 400;
              src: url("{0}/Roboto-Regular.ttf"); }}
@font-face {{ font-family: "Segoe UI"; font-weight: 600 700;
              src: url("{0}/Roboto-Bold.ttf"); }}
</style></head>"""


@dataclass
class Shot:
    """One template in one language and width; of a text message, the text."""

    key: str
    language: str
    width: int
    subject: str = ""
    text: str = ""
    png: bytes = b""
    difference: str = ""

    @property
    def name(self):
        return f"{self.key}-{self.language}-{self.width}"


def main():
    options = _parse_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    shipped = sorted(
        library.load_library().values(), key=lambda item: item.head["name"]
    )
    shots = []
    with Browser(options.browser) as browser:
        for item in shipped:
            for language in library.get_languages():
                shots += _shoot(browser, item, language, options)
    if options.store:
        _store(shots)
    for shot in filter(lambda shot: shot.png, shots):
        shot.difference = "" if options.dark else _compare(shot)
        (options.out / f"{shot.name}.png").write_bytes(shot.png)
    write_page(options.out / "index.html", shipped, shots)
    return _report(shots, options.out)


def _parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/template-pictures")
    parser.add_argument("--browser", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--fonts", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument(
        "--dark", action="store_true", help="as in dark mode, to look at"
    )
    parser.add_argument(
        "--store", action="store_true", help="keep what is rendered now"
    )
    options = parser.parse_args()
    if options.dark and options.store:
        parser.error("what is stored is the light one")
    return options


def _shoot(browser, item, language, options):
    """Take the pictures of a template in a language."""
    sources = item.translate(language)
    context = samples.get_samples(language)[item.head["context"]]
    if item.channel == "sms":
        text = rendering.tidy_text(rendering.render_text(sources["body_sms"], context))
        return [Shot(item.key, language, 0, text=text)]
    rendered = rendering.render(
        rendering.Templates(
            sources["subject"],
            sources["body_html"],
            sources.get("body_text", ""),
            sources["preheader"],
        ),
        context,
    )
    path = options.out / f"{item.key}-{language}.html"
    path.write_text(_make_local(rendered.html, options.fonts), encoding="utf-8")
    return [
        Shot(
            item.key,
            language,
            width,
            subject=rendered.subject,
            png=browser.shoot(path, width, options.dark),
        )
        for width in WIDTHS
    ]


def _make_local(html, fonts):
    """Let a mail find its pictures and fonts on the disk."""
    html = re.sub(r'src="/marketing_automation/', f'src="{ADDON.as_uri()}/', html)
    return html.replace("</head>", FONTS.format(fonts.resolve().as_uri()), 1)


def _store(shots):
    for folder in (STORED, THUMBNAILS):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.png"):
            old.unlink()
    for shot in filter(lambda shot: shot.png, shots):
        shrink(shot.png).save(STORED / f"{shot.name}.png", optimize=True)
        if shot.width == WIDTHS[-1]:
            name = f"{shot.key}-{shot.language}.png"
            make_thumbnail(shot.png).save(THUMBNAILS / name, optimize=True)


def _compare(shot):
    path = STORED / f"{shot.name}.png"
    if not path.exists():
        return "no picture is stored"
    return describe_difference(Image.open(path), shrink(shot.png))


def _report(shots, out):
    """Say what differs.

    :return: exit status
    """
    pictures = [shot for shot in shots if shot.png]
    different = [shot for shot in pictures if shot.difference]
    for shot in different:
        print(f"{shot.name}: {shot.difference}")
    print(f"{len(pictures)} pictures, {len(different)} different: {out / 'index.html'}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
