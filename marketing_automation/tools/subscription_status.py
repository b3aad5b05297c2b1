"""What another program says of the people in its list: subscribed, or not any more.

Exports of Mailchimp, Klaviyo, Brevo, Shopify and others hold those who unsubscribed,
too, told apart by a column alone.
"""

import unicodedata

# What the columns are called, reduced by :func:`reduce_word`.
HEADERS = {
    # The cell says it in a word.
    "status": """status memberstatus subscriberstatus subscriptionstatus emailstatus
        emailmarketingstatus emailmarketingconsent contactstatus subscription
        abonnementstatus anmeldestatus statut estado stato statusz allapot durum
        abonelikdurumu""",
    # Yes, or a time: they want it.
    "subscribed": """subscribed issubscribed optin isoptin optedin hasoptedin
        marketingoptin emailoptin newsletteroptin acceptsmarketing
        acceptsemailmarketing newsletter consent emailconsent marketingconsent
        marketingpermission permission abonniert
        newsletterabonniert angemeldet abonne inscrit suscrito iscritto aangemeld
        feliratkozott hirlevel abone bultenaboneligi""",
    # Yes, or a time: they do not want it any more.
    "unsubscribed": """unsubscribed isunsubscribed unsubtime unsubscribetime
        unsubscribedat unsubscribedate unsubdate unsubscribedon optout isoptout optedout
        hasoptedout
        optouttime optoutdate emailoptout donotemail donotcontact blacklisted
        isblacklisted blacklist emailblacklisted suppressed issuppressed abgemeldet
        abgemeldetam desabonne desinscrit baja disiscritto uitgeschreven leiratkozott
        leiratkozasideje leiratkozasdatuma abonelikteniciktarihi""",
    # Yes, or a time: nobody reads that mailbox.
    "cleaned": "cleaned cleantime cleaneddate bounced hardbounced hardbounce isbounced",
}
KINDS = {word: kind for kind, words in HEADERS.items() for word in words.split()}

_NO = frozenset(
    ["no", "n", "false", "f", "off", "nem", "hamis", "hayir", "nein", "falsch", "non"]
    + ["faux", "nee", "falso"]
)
_NOTHING = frozenset(("", "null", "none", "na", "nan", "undefined"))
# Beginnings and parts of what stands in a cell of ``status``, the first that fits.
_WORDS = (
    (
        "not_subscribed",
        """nonsubscribed notsubscribed neversubscribed notoptedin nooptin unconfirmed
        notconfirmed pending transactional invited awaiting ausstehend unbestatigt
        nichtangemeldet nichtbestatigt enattente nonconfirme pendiente inattesa
        fuggoben megnemerositett nemerositettmeg onaybekliyor beklemede""",
    ),
    (
        "cleaned",
        """cleaned bounce invalid undeliverable nonexist hardfail unzustellbar
        kezbesithetetlen ervenytelen gecersiz""",
    ),
    (
        "unsubscribed",
        """unsub optout optedout complain spam abuse suppress block blacklist donot
        removed revoked withdrawn denied declined refused cancel abgemeldet abbestellt
        widerrufen gesperrt desabonn desinscri baja cancelad disiscritt cancellat
        uitgeschreven leiratkoz lemondta tiltott visszavont ayrildi cikti iptal
        engellendi reddetti""",
    ),
)
_STATUSES = [(status, word) for status, words in _WORDS for word in words.split()]

# The status that counts when columns disagree comes first.
RANKED = ("unsubscribed", "cleaned", "not_subscribed", "")


def reduce_word(text: str) -> str:
    """Return the letters of a header or a cell without accents: "Opted-Out" is
    "optedout"."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return "".join(character for character in plain if character.isalpha())


def read_status(kind: str, cell: str) -> str:
    """Say what a cell tells of a person.

    :param kind: of the column, a key of ``HEADERS``
    :param cell: what stands there
    :return: one of ``RANKED``: ``unsubscribed``; ``cleaned`` (the mailbox is dead);
        ``not_subscribed`` (never agreed, or has not confirmed); empty: nothing against
        them
    """
    word = reduce_word(cell)
    if kind == "status":
        return next((status for status, part in _STATUSES if part in word), "")
    digits = cell.strip()
    is_no = word in _NO or digits in ("0", "0.0")
    if kind == "subscribed":
        return "not_subscribed" if is_no else read_status("status", cell)
    is_nothing = word in _NOTHING and not any(map(str.isdigit, digits))
    return "" if is_no or is_nothing else kind


def find_worst(statuses) -> str:
    """Return the status that counts for a person of whom several columns speak.

    :param statuses: of ``RANKED``, any number
    """
    return min(statuses, key=RANKED.index, default="")
