"""Phrases that spam lives on, with the reason in one word.

Short on purpose: what ordinary shops say as well ("free delivery", "sale") is not
here. Filters weigh such phrases against the sender's reputation; what they make of a
single one nobody can tell, which is why a message is never refused for them.
"""

import functools
import re

# reason -> phrases; a * stands for any ending.
SPAM = {
    # Money for nothing.
    "money": (
        *("earn money", "extra income", "make money", "double your", "cash bonus"),
        *("risk free", "risk-free", "100% free", "free money", "easy money"),
        *("keress pénzt", "extra jövedelem", "100% ingyen*", "kockázatmentes*"),
        *("ingyen pénz", "azonnali készpénz", "duplázd meg"),
        *("para kazan*", "ek gelir", "%100 ücretsiz", "risksiz", "bedava para"),
        *("kolay para", "hemen nakit"),
    ),
    # Pressing for a decision.
    "pressure": (
        *("act now", "act immediately", "urgent", "last chance ever"),
        *(
            "don't delete",
            "do not delete",
            "once in a lifetime",
            "what are you waiting",
        ),
        *("cselekedj most", "sürgős", "azonnal cselekedj*", "ne töröld"),
        *("soha vissza nem térő", "mire vársz"),
        *("hemen harekete geç*", "acil", "son şansınız", "silmeyin"),
        *("hayatınızın fırsatı", "ne bekliyorsun*"),
    ),
    # Having won something without taking part.
    "prize": (
        *("you have won", "you won", "you're a winner", "you are a winner"),
        *("congratulations, you", "claim your prize", "lottery"),
        *("ön nyert", "nyertél", "gratulálunk, ön", "nyeremény átvétel*", "lottó*"),
        *("kazandınız", "tebrikler, siz", "ödülünüzü alın", "piyango"),
    ),
    # Saying that it is none.
    "denial": (
        *("this is not spam", "not spam", "no catch", "no obligation", "no strings"),
        *("ez nem spam", "nem spam", "nincs benne csapda", "kötelezettség nélkül"),
        *("bu spam değil*", "spam değil*", "yükümlülük yok"),
    ),
    # Promises about the body.
    "miracle": (
        *("miracle", "lose weight", "weight loss", "anti-aging", "guaranteed results"),
        *("csodaszer", "fogyj*", "fogyás garant*", "garantált eredmény"),
        *("mucize*", "kilo ver*", "garantili sonuç*", "zayıfla*"),
    ),
    # Asking to click for its own sake.
    "click": (
        *("click here", "click below", "click this link"),
        *("kattints ide", "kattintson ide", "ide kattint*"),
        *("buraya tıkla*", "şimdi tıkla*"),
    ),
}


def find_spam(text: str) -> dict[str, str]:
    """The suspect phrases of a text.

    :return: phrase as it is written in the text -> reason, a key of SPAM
    """
    folded, found = _fold(text), {}
    for reason, expression in _expressions():
        for match in expression.finditer(folded):
            found.setdefault(text[match.start() : match.end()].lower(), reason)
    return found


def _fold(text):
    # Turkish has four of them; here they are all the same. One sign stays one sign.
    text = text.replace("İ", "i").replace("I", "i").replace("ı", "i")
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


@functools.cache
def _expressions():
    return [
        (reason, re.compile(f"(?<!\\w)(?:{'|'.join(map(_pattern, phrases))})(?!\\w)"))
        for reason, phrases in SPAM.items()
    ]


def _pattern(phrase):
    return (
        re.escape(_fold(phrase)).replace(r"\*", r"\w*").replace(r"\ ", r"\s+")
    ).replace("'", "['’]")
