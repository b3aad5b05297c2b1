"""One page on which a person can look at all templates."""

from html import escape

STYLE = """
body { margin: 24px; font: 15px/1.5 system-ui, sans-serif; color: #1f2937; }
nav a { margin-right: 12px; }
section { margin-top: 40px; border-top: 1px solid #d1d5db; }
.row { display: flex; gap: 24px; align-items: flex-start; overflow-x: auto; }
figure { margin: 0 0 24px; }
figcaption { margin-bottom: 4px; }
img { border: 1px solid #d1d5db; }
img.wide { width: 600px; }
.different { color: #b91c1c; font-weight: bold; }
pre { max-width: 600px; white-space: pre-wrap; background: #f3f4f6; padding: 12px; }
"""


def write_page(path, shipped, shots):
    """Write the page.

    :param Path path: of the HTML file
    :param shipped: ``tools.library.Shipped`` of all templates
    :param shots: all pictures, see ``main.Shot``
    """
    by_key = {}
    for shot in shots:
        by_key.setdefault(shot.key, []).append(shot)
    sections = [_format_section(item, by_key.get(item.key, [])) for item in shipped]
    links = "".join(
        f'<a href="#{item.key}">{escape(item.head["name"])}</a>' for item in shipped
    )
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Templates</title>'
        f"<style>{STYLE}</style><h1>Shipped templates</h1><nav>{links}</nav>"
        f"{''.join(sections)}</html>",
        encoding="utf-8",
    )


def _format_section(item, shots):
    by_language = {}
    for shot in shots:
        by_language.setdefault(shot.language, []).append(shot)
    rows = "".join(
        f'<h3>{language}: {escape(own[0].subject)}</h3><div class="row">'
        f"{''.join(map(_format_shot, own))}</div>"
        for language, own in by_language.items()
    )
    return (
        f'<section id="{item.key}"><h2>{escape(item.head["name"])}</h2>{rows}</section>'
    )


def _format_shot(shot):
    if not shot.small:
        return f"<pre>{escape(shot.text)}</pre>"
    difference = ""
    if shot.difference:
        difference = f' <span class="different">{escape(shot.difference)}</span>'
    kind = "wide" if shot.width > 600 else "narrow"
    return (
        f"<figure><figcaption>{shot.width} px{difference}</figcaption>"
        f'<img class="{kind}" src="{shot.name}.png" alt=""></figure>'
    )
