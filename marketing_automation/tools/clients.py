"""What a user agent tells: the device, the program, and whether a machine asks.

Agents are claims, and mail programs hide behind proxies: good for figures and for
leaving out those who say what they are, never for deciding who somebody is.
"""

import re
from functools import lru_cache

# Longer ones are cut: nobody's browser needs more.
MAX_AGENT = 500

# First match wins. Proxies and programs come before the browsers they pretend to be.
_CLIENTS = [
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        # Proxies that fetch the pictures of mails when they are opened
        (r"GoogleImageProxy", "Gmail"),
        (r"YahooMailProxy", "Yahoo Mail"),
        # Apple Mail's privacy protection fetches all pictures under this bare name.
        (r"^Mozilla/5\.0$", "Apple Mail"),
        # Mail programs
        (
            r"MSOffice|Microsoft Office|Microsoft Outlook|Outlook-(?:iOS|Android)",
            "Outlook",
        ),
        (r"Thunderbird/", "Thunderbird"),
        # Browsers
        (r"Edg(?:e|A|iOS)?/", "Edge"),
        (r"OPR/|Opera", "Opera"),
        (r"SamsungBrowser/", "Samsung Internet"),
        (r"Firefox/|FxiOS/", "Firefox"),
        (r"Chrome/|CriOS/|Chromium/", "Chrome"),
        (r"MSIE |Trident/", "Internet Explorer"),
        (r"Version/[\d.]+ .*Safari/", "Safari"),
        # WebKit of Apple without a browser's name: the view inside a mail program
        (r"(?:Macintosh|iPhone|iPad).*AppleWebKit/(?!.*Safari/)", "Apple Mail"),
    )
]
# These hide the device of the person they ask for.
_PROXY = re.compile(r"ImageProxy|MailProxy", re.IGNORECASE)
_DEVICES = [
    (re.compile(pattern, re.IGNORECASE), device)
    for pattern, device in (
        (r"iPad|Tablet|Kindle|Silk/|Android(?!.*Mobile)", "tablet"),
        (r"iPhone|iPod|Mobile|Android|Windows Phone|Outlook-iOS", "mobile"),
        (r"Windows|Macintosh|Mac OS X|Linux|X11|CrOS", "desktop"),
    )
]
# Who opens the links and pictures of other people's mails, in lower case. Many scanners
# are a browser that a program drives: the time after delivery and bursts tell those.
_SCANNERS = (
    # Mail security services by their own name
    *("barracuda", "mimecast", "proofpoint", "messagelabs", "ironport", "cloudmark"),
    *("fireeye", "forcepoint", "trendmicro", "trend micro", "sophos", "zscaler"),
    # Microsoft: link previews (aka.ms/MicrosoftPreview), Office asking whether a link
    # that somebody points at is there
    *("microsoftpreview", "bingpreview", "skypeuripreview", "safelinks"),
    *("existence discovery", "protocol discovery"),
    # Programs and libraries
    *("python-requests", "python-urllib", "aiohttp", "python-httpx", "scrapy"),
    *("go-http-client", "java/", "apache-httpclient", "libwww-perl", "guzzlehttp"),
    *("node-fetch", "axios/", "phantomjs"),
)


@lru_cache(maxsize=1024)
def read_client(user_agent):
    """Return the kind of device and the program behind a user agent.

    :param str user_agent: the header, may be empty
    :return: ``desktop``, ``mobile``, ``tablet`` or ``other``, and a name for people
        such as ``Gmail`` or ``Chrome``, empty if it is none of the well-known ones
    :rtype: tuple[str, str]
    """
    agent = (user_agent or "")[:MAX_AGENT]
    device = "other" if _PROXY.search(agent) else _find(_DEVICES, agent) or "other"
    return device, _find(_CLIENTS, agent) or ""


@lru_cache(maxsize=1024)
def get_machine_agent(user_agent):
    """Return why a user agent is a machine's.

    :param str user_agent: the header, may be empty
    :return: ``prefetch``: Apple Mail's privacy protection, which fetches the pictures
        of mails whether or not anybody opens them;
        ``agent``: a known scanner, or nobody who gives a name; None if it looks like a
        person's program
    :rtype: str | None
    """
    agent = (user_agent or "")[:MAX_AGENT].strip().lower()
    if agent == "mozilla/5.0":
        return "prefetch"
    if not agent or any(scanner in agent for scanner in _SCANNERS):
        return "agent"
    return None


def _find(rules, agent):
    return next((name for pattern, name in rules if pattern.search(agent)), None)
