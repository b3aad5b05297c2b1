"""Pictures of the shipped templates: see tools/template-pictures."""

import argparse
import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor
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
# Every machine has other fonts, and lines break where they want. The templates ask for
# this one, after those of Apple and Microsoft; npm brings the same one everywhere.
FONT = "@fontsource/roboto"
WEIGHTS = (400, 600, 700)


@dataclass
class Shot:
    """One template in one language and width; of a text message, the text."""

    key: str
    language: str
    width: int
    subject: str = ""
    text: str = ""
    picture: Image.Image = None
    small: Image.Image = None
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
    with Browser(options.browser) as browser, ThreadPoolExecutor(1) as looking:
        sheets = []
        for language in library.get_languages():
            mails = [item for item in shipped if item.channel != "sms"]
            subjects = [_write(item, language, options) for item in mails]
            paths = [options.out / f"{item.key}-{language}.html" for item in mails]
            for width in WIDTHS:
                own = [
                    Shot(item.key, language, width, subject)
                    for item, subject in zip(mails, subjects, strict=True)
                ]
                sheet = browser.shoot(paths, width, is_dark=options.dark)
                # While the browser draws the next sheet.
                sheets.append(looking.submit(_look, own, *sheet, options))
                shots += own
            shots += [
                _make_text(item, language) for item in shipped if item.channel == "sms"
            ]
        for sheet in sheets:
            sheet.result()
    if options.store:
        _store(shots)
    if not options.check:
        write_page(options.out / "index.html", shipped, shots)
    return _report(shots, options)


def _parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/template-pictures")
    parser.add_argument("--browser", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--modules", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", required=True, type=Path, help=argparse.SUPPRESS)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dark", action="store_true", help="as in dark mode, to look at")
    mode.add_argument("--store", action="store_true", help="keep what is rendered now")
    mode.add_argument("--check", action="store_true", help="compare, write no page")
    return parser.parse_args()


def _write(item, language, options):
    """Write a template in a language as a page of its own.

    :return: its subject
    """
    sources = item.translate(language)
    rendered = rendering.render(
        rendering.Templates(
            sources["subject"],
            sources["body_html"],
            sources.get("body_text", ""),
            sources["preheader"],
        ),
        samples.get_samples(language)[item.head["context"]],
    )
    path = options.out / f"{item.key}-{language}.html"
    path.write_text(_make_local(rendered.html, options.modules), encoding="utf-8")
    return rendered.subject


def _make_text(item, language):
    context = samples.get_samples(language)[item.head["context"]]
    source = item.translate(language)["body_sms"]
    text = rendering.tidy_text(rendering.render_text(source, context))
    return Shot(item.key, language, 0, text=text)


def _make_local(html, modules):
    """Let a mail find its pictures and its font on the disk."""
    html = re.sub(r'src="/marketing_automation/', f'src="{ADDON.as_uri()}/', html)
    font = modules.resolve().joinpath(FONT).as_uri()
    links = "".join(
        f'<link rel="stylesheet" href="{font}/{weight}.css">' for weight in WEIGHTS
    )
    return html.replace("</head>", f"{links}</head>", 1)


def _look(shots, png, boxes, options):
    """Cut a sheet into its pictures and compare them with the stored ones."""
    sheet = Image.open(io.BytesIO(png)).convert("RGB")
    for shot, box in zip(shots, boxes, strict=True):
        shot.picture = sheet.crop(box)
        shot.small = shrink(shot.picture)
        if not (options.dark or options.store):
            shot.difference = _compare(shot)
        if not options.check or shot.difference:
            shot.picture.save(options.out / f"{shot.name}.png", compress_level=1)
        if options.check:
            shot.picture = None


def _store(shots):
    for folder in (STORED, THUMBNAILS):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.png"):
            old.unlink()
    for shot in filter(lambda shot: shot.small, shots):
        shot.small.save(STORED / f"{shot.name}.png", optimize=True)
        if shot.width == WIDTHS[-1]:
            name = f"{shot.key}-{shot.language}.png"
            make_thumbnail(shot.picture).save(THUMBNAILS / name, optimize=True)


def _compare(shot):
    path = STORED / f"{shot.name}.png"
    if not path.exists():
        return "no picture is stored"
    return describe_difference(Image.open(path), shot.small)


def _report(shots, options):
    """Say what differs.

    :return: exit status
    """
    pictures = [shot for shot in shots if shot.small]
    different = [shot for shot in pictures if shot.difference]
    for shot in different:
        print(f"{shot.name}: {shot.difference}")
    where = options.out if options.check else options.out / "index.html"
    print(f"{len(pictures)} pictures, {len(different)} different: {where}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
