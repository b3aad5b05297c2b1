"""What is to be said of a message before many people get it.

Each check looks at one finished message and returns what it found: that all is well
(``ok``), what would make it better (``advice``), what must not be sent (``must``). The
words are written elsewhere, by the keys and values given here.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .dark_mode import Hazard
from .html_text import find_links, names_all
from .markup import find_elements
from .spam_words import find_spam

OK, ADVICE, MUST = LEVELS = ("ok", "advice", "must")

# Gmail shows 102 KB and cuts off the rest, with the link to unsubscribe. Links that
# are counted are longer than those that are written: that is what is left for them.
MAX_HTML = 100 * 1024
LARGE_HTML = 80 * 1024
# Telephones show about 40 signs of a subject, mail programs on a desk 60 to 70.
LONG_SUBJECT = 60
LONG_PREHEADER = 110
# A text this short beside pictures is a poster, not an email.
FEW_WORDS = 20
SHOUTED_SHARE, SHOUTED_LETTERS = 0.6, 8
MANY_SEGMENTS = 3
_REPLY = re.compile(r"^\s*(re|fwd?|aw|wg|vá|ynt|ilt)\s*:", re.IGNORECASE)
_EXCLAMATIONS = re.compile(r"[!¡]\s*[!¡]")
_STOP = re.compile(r"\b(stop|leiratkoz\w*|iptal|unsubscribe)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """One finished message.

    :ivar html: as it is sent; empty for a text message
    :ivar text: the plain text, or the text message
    :ivar is_marketing: whether the law of advertising holds
    :ivar unsubscribe_url: how this recipient would unsubscribe
    :ivar identities: who may be named as the sender, one of them is enough: texts that
        have to be there together (name and parts of the postal address)
    :ivar samples: values that were made up: addresses among them lead nowhere
    """

    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    is_marketing: bool = True
    unsubscribe_url: str = ""
    identities: tuple[tuple[str, ...], ...] = ()
    samples: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """What a check has to say.

    :ivar key: what it is about; with ``level`` it decides about the words
    :ivar level: one of LEVELS
    :ivar values: what the words need
    """

    key: str
    level: str
    values: dict = field(default_factory=dict)


def check_email(
    content: Content, dead: Collection[str] = (), hazards: Iterable[Hazard] = ()
) -> list[Finding]:
    """All checks of an email.

    :param dead: links of it that lead nowhere, see :func:`find_own_paths`
    :param hazards: colours that come alone, see :func:`.dark_mode.find_hazards`
    :return: in the order of their weight
    """
    findings = [
        *check_unsubscribe(content),
        *check_address(content),
        *check_size(content),
        *check_links(content, dead),
        *check_images(content),
        *check_dark_mode(hazards),
        *check_subject(content),
        *check_preheader(content),
        *check_spam(content),
    ]
    return sort_findings(findings)


def check_sms(content: Content, segments: int, dead: Collection[str] = ()):
    """All checks of a text message.

    :param segments: how many it is billed as
    :param dead: as for :func:`check_email`
    :rtype: list[Finding]
    """
    findings = [
        *check_stop(content),
        *check_segments(segments),
        *check_dead(dead),
        *check_spam(content),
    ]
    return sort_findings(findings)


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """What must be done first, what is well last."""
    return sorted(findings, key=lambda finding: -LEVELS.index(finding.level))


# === THE LAW ===#


def check_unsubscribe(content: Content) -> list[Finding]:
    """Advertising can be stopped (CAN-SPAM Act, 15 U.S.C. 7704(a)(3))."""
    if not content.is_marketing:
        return []
    found = content.unsubscribe_url and content.unsubscribe_url in content.html
    return [Finding("unsubscribe", OK if found else MUST)]


def check_address(content: Content) -> list[Finding]:
    """Advertising says who is writing, with a postal address (15 U.S.C.
    7704(a)(5); Directive 2002/58/EC, article 13(4))."""
    if not content.is_marketing:
        return []
    found = any(names_all(content.html, identity) for identity in content.identities)
    return [Finding("address", OK if found else MUST)]


def check_stop(content: Content) -> list[Finding]:
    """Who gets advertising as a text message reads how to end it."""
    if not content.is_marketing:
        return []
    found = _STOP.search(content.text) or content.unsubscribe_url in content.text
    return [Finding("stop", OK if found else ADVICE)]


# === SIZE ===#


def get_size(html: str) -> int:
    """Size of an email's HTML in bytes."""
    return len(html.encode("utf-8", "replace"))


def check_size(content: Content) -> list[Finding]:
    """Mail programs cut large emails off."""
    size = get_size(content.html)
    level = MUST if size > MAX_HTML else ADVICE if size > LARGE_HTML else OK
    values = {"kilobytes": max(1, round(size / 1024)), "most": MAX_HTML // 1024}
    return [Finding("size", level, values)]


def check_segments(segments: int) -> list[Finding]:
    """A long text message is billed several times."""
    level = ADVICE if segments > MANY_SEGMENTS else OK
    return [Finding("segments", level, {"count": segments})]


# === LINKS AND PICTURES ===#


def find_own_paths(content: Content, bases: Iterable[str]) -> dict[str, str]:
    """Links to pages of our own shop.

    :param bases: addresses of the shop: ``https://shop.example.com``
    :return: link -> path. Links that were made up as samples are left out.
    """
    hosts = {urlsplit(base).netloc.lower() for base in bases} - {""}
    paths = {}
    for link in _get_links(content):
        parts = _split(link)
        if link not in content.samples and parts and parts.netloc.lower() in hosts:
            paths[link] = parts.path or "/"
    return paths


def check_links(content: Content, dead: Collection[str] = ()) -> list[Finding]:
    """Links lead somewhere, from wherever the email is read."""
    links = _get_links(content)
    relative = sorted({link for link in links if _is_relative(link)})
    empty = [link for link in links if link in ("", "#")]
    findings = check_dead(dead)
    if relative:
        findings.append(Finding("relative_link", MUST, {"link": relative[0]}))
    if empty:
        findings.append(Finding("empty_link", ADVICE, {"count": len(empty)}))
    if findings:
        return findings
    return [Finding("links", OK, {"count": len(links)})] if links else []


def check_dead(dead: Collection[str]) -> list[Finding]:
    """Pages of our own that are not there (any more)."""
    return [Finding("dead_link", MUST, {"link": link}) for link in sorted(dead)]


def check_images(content: Content) -> list[Finding]:
    """Pictures are not shown to everybody, and not seen by everybody."""
    images = [e for e in find_elements(content.html) if e.name == "img"]
    silent = [image for image in images if "alt" not in image.attributes]
    local = {
        source
        for image in images
        if (source := image.attributes.get("src", "")) not in content.samples
        and _is_relative(source)
    }
    findings = []
    if local:
        findings.append(Finding("relative_image", MUST, {"link": min(local)}))
    if silent:
        values = {"count": len(silent), "link": silent[0].attributes.get("src", "")}
        findings.append(Finding("alt", ADVICE, values))
    if images and len(content.text.split()) < FEW_WORDS:
        findings.append(Finding("only_images", ADVICE))
    if images and not findings:
        findings.append(Finding("images", OK, {"count": len(images)}))
    return findings


def check_dark_mode(hazards: Iterable[Hazard]) -> list[Finding]:
    """Colours can be read by day and at night."""
    return [
        Finding(f"dark_{hazard.kind}", ADVICE, {"color": hazard.color})
        for hazard in hazards
    ] or [Finding("dark", OK)]


def _get_links(content):
    if not content.html:
        return re.findall(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]", content.text)
    return [href.strip() for _label, href in find_links(content.html)]


def _is_relative(link):
    parts = _split(link)
    return bool(parts and parts.path and not parts.scheme and not parts.netloc)


def _split(link):
    try:
        return urlsplit(link)
    except ValueError:  # "http://[": not an address at all.
        return None


# === WHAT IT SAYS ===#


def check_subject(content: Content) -> list[Finding]:
    """The subject is read whole, and is honest."""
    subject, findings = content.subject, []
    if len(subject) > LONG_SUBJECT:
        values = {"count": len(subject), "most": LONG_SUBJECT}
        findings.append(Finding("long_subject", ADVICE, values))
    if _REPLY.match(subject):
        # A misleading heading: 15 U.S.C. 7704(a)(2).
        findings.append(Finding("fake_reply", ADVICE))
    if _is_shouted(subject):
        findings.append(Finding("shouting", ADVICE))
    if findings or not subject:
        return findings
    return [Finding("subject", OK, {"count": len(subject)})]


def check_preheader(content: Content) -> list[Finding]:
    """Inboxes show a line after the subject."""
    preheader = content.preheader
    if not preheader:
        return [Finding("no_preheader", ADVICE)]
    if preheader.casefold() == content.subject.casefold():
        return [Finding("same_preheader", ADVICE)]
    if len(preheader) > LONG_PREHEADER:
        values = {"count": len(preheader), "most": LONG_PREHEADER}
        return [Finding("long_preheader", ADVICE, values)]
    return [Finding("preheader", OK)]


def check_spam(content: Content) -> list[Finding]:
    """What spam filters, and people, take for spam.

    One suspect phrase in the text says nothing; in the subject it does.
    """
    findings, text = [], f"{content.subject}\n{content.preheader}\n{content.text}"
    if _EXCLAMATIONS.search(text) or content.subject.count("!") > 1:
        findings.append(Finding("exclamation", ADVICE))
    found = find_spam(text)
    if len(found) > 1 or find_spam(content.subject):
        findings += [
            Finding("spam", ADVICE, {"phrase": phrase, "reason": reason})
            for phrase, reason in found.items()
        ]
    return findings or [Finding("wording", OK)]


def _is_shouted(text):
    letters = [sign for sign in text if sign.isalpha()]
    shouted = sum(sign.isupper() for sign in letters)
    return len(letters) >= SHOUTED_LETTERS and shouted > len(letters) * SHOUTED_SHARE
