"""Hard or soft: whether a server says that an address does not exist.

A hard bounce takes an address out of use for good, so it is never a guess: the code has
to be one of the few that mean it, or the words have to say so where the code is vague;
and nothing in the words may speak of anything else (``docs/adr/0016``). Codes are those
of RFC 3463 and of IANA's registry of enhanced status codes, the words those of the mail
servers in use.
"""

import re

from .folding import fold, words
from .mailbox_words import ADDRESS

SOFT = "bounced_soft"
HARD = "bounced_hard"

# What is looked at of a server's words.
MAX_WORDS = 1500

# The second number of a code is 0 to 7: others are versions of programs.
STATUS = re.compile(r"(?<![\w.])([245])\.([0-7])\.(\d{1,3})(?!\d|\.\d)")
REPLY_CODE = re.compile(r"(?<![\w.])([45])\d\d(?=[ \-:;,)]|$)", re.MULTILINE)

# These say by themselves that there is no such address.
_HARD = re.compile(
    r"5\.1\.(?:"
    r"1|"  # no such mailbox
    r"3|"  # no valid address
    r"6|"  # the mailbox has moved, nobody knows where to
    r"10"  # no such recipient (Exchange); the domain takes no email (RFC 7505)
    r")"
)
# These leave it open: the words have to say so.
_VAGUE = re.compile(r"5\.(?:[0-5]\.0|0\.\d{1,3}|1\.2|2\.1|4\.[14]|4\.310|5\.1)")
# Of these, the domain is what does not exist.
_OF_DOMAINS = re.compile(r"5\.(?:1\.2|4\.4|4\.310)")

_USER = (
    "(?:users?|recipients?|mail ?box(?:es)?|mail(?:box)? name|accounts?|alias(?:es)?|"
    "e-?mail|(?:mail ?)?address(?:es|ee)?|local[ -]part|customer|person|directory|"
    "inbox|user ?name|member|subscriber)"
)
_GONE = (
    "(?:disabled|deactivated|de-activated|discontinued|inactive|terminated|closed|"
    "deleted|removed|cancell?ed|expired|decommissioned|not active|"
    "no longer (?:active|valid|in use|used|available|with|works?|exists?|here|"
    "on (?:this )?server|in service|monitored))"
)
_NO_DOMAIN = words(
    r"nxdomain|nonexistentdomain|domainnonexistent",
    r"(?:host|domain)(?: or domain)?(?: name)? (?:was |could )?not (?:be )?found",
    r"(?:unknown|no such|non-?existent|invalid) (?:mail )?(?:host|domain)",
    r"\b(?:host|domain)(?: name)? (?:is )?(?:unknown|invalid)",
    r"domain\b.{0,80}\b(?:does not|doesn't|doesn’t|not) exist",
    r"find the recipient['’]?s? domain|find any host (?:named|by that name)",
    r"find a mail exchanger",
    r"\bnull ?mx",
    r"domain existiert nicht|nem létező tartomány|domaine? .{0,30}n['’]existe pas",
    r"dominio (?:inexistente|no existe|.{0,30}non esiste)|域名不存在",
)
_NO_USER = words(
    # English
    rf"\b(?:unknown|no such|no valid|non-?existent|inexistent|invalid|bad|illegal|"
    rf"disabled|inactive|deactivated|undeliverable) (?:or \w+ )?(?:local |mail |"
    rf"e-?mail |destination |recipient )?{_USER}",
    rf"\b{_USER}\W{{1,3}}(?:name |is |are |was |status: |"
    rf"has been )?(?:an? )?(?:unknown|"
    rf"invalid|not (?:valid|known|listed|found|recogni[sz]ed)|undeliverable|"
    rf"non-?existent|unavailable|not available)",
    # "Recipient address rejected:" goes on with why.
    rf"\b{_USER}(?: address)? rejected(?!\s*[:;,(]|\s+(?:due|for|by|because|as)\b)",
    r"\b(?:does not|doesn't|doesn’t|do not|don't|not|no longer|never) exist",
    rf"\b{_USER}\b[^.;!]{{0,80}}(?:\bnot|n['’]t) (?:be )?(?:found|exist|known|listed)",
    rf"\b{_USER}\b[^.;!]{{0,60}}\b{_GONE}",
    rf"\b{_GONE} (?:mail ?box|account|user|recipient|address)",
    r"recip(?:ient)?notfound|nosuchuser|unroute?able address",
    r"\bno (?:such )?mail ?box (?:here|by|with|for|found)|\bno mailbox$",
    r"\bno (?:such )?(?:user|one|body|person|account|mailbox|alias)s? "
    r"(?:here|by|with|at|for|on|named|found|known)",
    r"\bnobody (?:here|by|with) ",
    r"\bthere is no (?:such )?(?:one|user|account|mailbox|recipient|address)",
    r"(?:\bnot|n['’]t) have an? (?:\S{1,80} )?(?:account|mail ?box)",
    r"\bhas no (?:such )?(?:account|mail ?box)",
    r"(?:\bnot|n['’]t) (?:a|an|our) (?:valid |known |existing |active |local |"
    r"current )?"
    r"(?:user|recipient|mail ?box|account|customer|e-?mail address|address)",
    rf"\bnot a valid {_USER}",
    r"\bnot (?:known|a known user) (?:here|at this)",
    r"\bhas left the (?:company|organi[sz]ation|firm)",
    # Hungarian
    r"nem létez(?:ik|ő)|nincs ilyen (?:felhasználó|címzett|cím|postafiók|e-?mail)",
    r"ismeretlen (?:felhasználó|címzett|e-?mail|cím)|megszűnt (?:postafiók|cím|fiók)",
    r"(?:címzett|felhasználó|postafiók|cím|fiók)\b.{0,50}"
    r"(?:nem található|ismeretlen|érvénytelen|megszűnt|megszüntet|letiltva)",
    r"érvénytelen (?:címzett|e-?mail|cím)",
    # Turkish
    r"(?:kullanıcı|alıcı|hesa[pb]|adres|posta kutusu)\w*\b.{0,50}"
    r"(?:bulunamadı|bulunamıyor|mevcut değil|bilinmiyor|geçersiz|kapatıl|kapalı|"
    r"\byok\b)",
    r"(?:geçersiz|bilinmeyen) (?:alıcı|adres|e-?posta|kullanıcı|hesap)",
    r"böyle bir (?:kullanıcı|adres|hesap|alıcı|e-?posta)",
    # German
    r"existiert nicht|nicht existent|existieren nicht|nicht \(mehr\) existent",
    r"unbekannte[rns]? (?:benutzer|nutzer|empfänger|adress|mail|teilnehmer)",
    r"(?:benutzer|nutzer|empfänger|adresse|postfach|mailbox|konto|account)\w*\b.{0,60}"
    r"(?:unbekannt|nicht (?:gefunden|vorhanden|bekannt|mehr gültig|gültig)|ungültig|"
    r"deaktiviert|gelöscht|stillgelegt)",
    r"ungültige[rns]? (?:adress|empfänger|e-?mail|mail)",
    r"kein(?:en)? (?:benutzer|postfach|empfänger|konto)|gibt es nicht",
    # French
    r"n['’ ]existe (?:pas|plus)|(?:utilisateur|destinataire|adresse|compte|boîte)\b"
    r".{0,60}(?:inconnu|introuvable|inexistant|invalide|désactivé|supprimé|non trouvé)",
    # Spanish, Portuguese, Italian
    r"\bn(?:o|ão) exist[ei]|\bnon esiste",
    r"(?:usuario|utilizador|usuário|utente|destinat[aá]rio|buz[oó]n|casella|conta|"
    r"cuenta|"
    r"caixa|direcci[oó]n|endere[cç]o|indirizzo)\b.{0,60}(?:desco(?:n|nh)ecid|"
    r"sconosciut|"
    r"inexistente|inesistente|no encontrad|n[aã]o encontrad|non trovat|inv[aá]lid|"
    r"no v[aá]lid|non valid|d[ei]sativad|disattivat|desactivad|deshabilitad)",
    # Dutch
    r"bestaat niet|onbekende (?:gebruiker|ontvanger|geadresseerde)",
    r"(?:gebruiker|ontvanger|geadresseerde|adres|postvak|mailbox)\b.{0,50}"
    r"(?:onbekend|niet gevonden|ongeldig|niet bekend)",
    # Polish, Czech
    r"nie istniej|nieznany (?:użytkownik|adresat|odbiorca|adres)|nie ma takiego",
    r"(?:użytkownik|adresat|odbiorc|adres|skrzynk|kont)\w*\b.{0,50}"
    r"(?:nie znaleziono|nie został znalezion|nieznan|nieprawidłow)",
    r"neexist(?:uje|ující)|neznámý (?:uživatel|příjemce|adresát)",
    r"(?:uživatel|příjemce|adresát|adresa|schránka)\b.{0,50}(?:nenalezen|neznám|"
    r"neplatn)",
    # Swedish, Danish, Norwegian
    r"(?:finns|existerar) inte|findes ikke|eksisterer ikke|finnes ikke",
    r"okänd (?:användare|mottagare|adress)|ukendt (?:bruger|modtager|adresse)",
    # Russian
    r"не существует|несуществующ|нет такого|нет такой",
    r"(?:пользовател|получател|адрес|ящик|учетн)\w*\b.{0,50}"
    r"(?:не найден|неизвест|недействител|удален|заблокирован навсегда)",
    r"неизвестн\w{1,4} (?:пользовател|получател|адрес)",
    # Chinese, Japanese, Korean
    r"不存在|未找到|找不到|查无此|無此|无此|没有此|没有这个|已注销|已註銷|已停用",
    r"(?:无效|無效)的?(?:收件|地址|用户|用戶|邮箱|郵箱)",
    r"(?:用户|收件人|邮箱|地址)(?:名)?(?:无效|未知|错误)",
    r"存在しません|存在しない|見つかりません|見つかりませんでした|宛先不明",
    r"(?:不明|無効)な(?:ユーザ|アドレス|宛先|メールアドレス|受信者)",
    r"(?:ユーザ|アドレス|宛先|受信者)ー?[がはの].{0,12}(?:不明|無効|ありません|いません)",
    r"존재하지 않|찾을 수 없|알 수 없는 사용자",
)
# Lists of senders, whose names stand in what they are looked up by.
_LISTS = re.compile(
    r"spamhaus|spamcop|sorbs|barracudacentral|abuseat|senderscore|uceprotect|"
    r"invaluement|mailspike|sender-?base|spamrats|\brbl\b|dns-?[bw]l|backscatterer|"
    r"hostkarma|openspf|dmarc"
)
_NOT_THE_ADDRESS = words(
    # What the email looks like
    r"\bspam|junk|unsolicited|bulk (?:e-?)?mail|phish|virus|malware|\bcontents?\b",
    r"too (?:large|big|long|many|much|fast|quick|frequent)|\bsize\b|maximum message",
    # What is thought of the sender
    r"\bblock(?:ed|ing|list)?\b|(?:black|deny|grey|gray) ?-?list|"
    r"(?<!not )\blisted (?:in|"
    r"at|on|by|with)\b(?! directory)|reputation|complain|abus(?:e|ive)\b",
    r"\bsenders?\b|senderdenied|\bmail from\b|\bfrom address|return[ -]path|"
    r"envelope from|\bhelo\b|\behlo\b|\bptr\b|reverse dns|client host|originat",
    r"\bsending (?:domain|host|server|ip)\b|your (?:ip\b|ips\b|mail ?server|server|"
    r"host|network|domain|country|isp\b)",
    r"accept(?:s|ing)? (?:any )?(?:e-?mail|mail|messages)s? from",
    # What it may do
    r"polic(?:y|ies)|not (?:permitted|allowed|authori[sz]ed)|unauthori[sz]ed|"
    r"authenticat|permission|privilege|prohibit|restrict|moderat|not a member|"
    r"access denied|relay(?!ed|[\w ]{0,20}recipient)|"
    r"\bspf\b|\bdkim\b|\bdmarc\b|\btls\b|starttls|certificate|encrypt",
    # How much there is of it
    r"over ?-?quota|quota|\bfull\b|exceed|\blimits?\b|limit(?:ed|ing)|storage|"
    r"out of (?:space|memory)|insufficient|\bdisk\b|at a rate|\brate\b|throttl|"
    r"frequen|(?:reached|hit) (?:your|its|the|a)\b|no space|not enough",
    # For now
    r"tempor|\btry (?:again|later|it later)|again later|\blater\b|timed? ?-?out|"
    r"expired "
    r"in|time expired|defer|retr(?:y|ies)|for too long|at this time|"
    r"connection (?:refused|reset|lost|closed|timed)|lost connection|no answer|"
    r"unreachable|cannot connect|could not connect|network|in progress|"
    r"(?:mail|service) (?:service )?(?:is )?(?:not available|unavailable)",
    # The systems between
    r"\bloop|hop count|too many hops|servfail|dns(?!.{0,120}nxdomain).{0,30}(?:fail|"
    r"error|quer|timeout)|"
    r"misconfigur|configuration|(?:internal|local|server|system|unknown|database|ldap) "
    r"(?:error|problem|failure)|maintenance|overload|\bbusy\b|resources|unverified",
    # Hungarian
    r"megtelt|betelt|kvóta|korlát|túl (?:nagy|sok)|levélszemét|feladó|letiltott|"
    r"tiltólist|"
    r"ideiglenes|átmeneti|később|próbálja újra|házirend|szabályzat",
    # Turkish
    r"\bdolu\b|kota|sınır|çok büyük|istenmeyen|gönder(?:en|ici)|engellen|kara liste|"
    r"geçici|daha sonra|tekrar deneyin|politika",
    # German
    r"überfüllt|\bvoll\b|speicherplatz|kontingent|überschr|zu (?:groß|viele)|absender|"
    r"gesperrt|blockiert|sperrliste|richtlinie|später|erneut versuchen|vorübergehend|"
    r"überlast|nicht berechtigt",
    # French
    r"\bpleine?\b|saturé|dépass|trop (?:grand|volumineu|de)|expéditeur|bloqué|"
    r"indésirable|liste noire|politique|plus tard|réessayer|provisoire",
    # Spanish, Portuguese, Italian
    r"\b(?:llen|chei|pien)[oa]\b|cuota|\bcota\b|superad|supera|excedid|esaurit|"
    r"remit?tente|"
    r"mittente|bloquead|bloccat|lista ne[gr]|no deseado|política|politica|más tarde|"
    r"mais tarde|più tardi|riprova|reint[eé]nt|indesiderat",
    # Dutch
    r"\bvol\b|quotum|te groot|te veel|afzender|geblokkeerd|zwarte lijst|beleid|"
    r"tijdelijk|"
    r"probeer het later",
    # Polish, Czech
    r"przepełni|\bpełn[ae]\b|przekrocz|zbyt (?:duż|wiele)|nadawc|zablokowan|tymczasow|"
    r"później|spróbuj|przeplnen|přeplněn|\bpln[áý]\b|překroč|příliš|odesílatel|blokov|"
    r"dočasn|později",
    # Swedish, Danish, Norwegian
    r"överskrid|för (?:stor|många)|avsändar|blockera|spärr|tillfällig|senare|"
    r"afsender|avsender|midlertidig|senere|\bfuld\b",
    # Russian
    r"переполнен|квот|превыш|лимит|слишком|отправител|заблокирован|спам|черн\w{2} спис|"
    r"временн|позже|политик",
    # Chinese, Japanese, Korean
    r"已满|已滿|满了|空间不足|容量|超出|超过|超過|过大|垃圾|发件|發件|寄件者|黑名单|"
    r"黑名單|拦截|拒绝访问|频率|頻率|限制|策略|暂时|臨時|临时|稍后|稍後|重试",
    r"満杯|いっぱい|迷惑|送信者|差出人|ブロック|ブラックリスト|ポリシー|一時的|"
    r"しばらく|大きすぎ|スパム|용량|초과|스팸|차단|일시",
)
# How Exchange says that it has no such recipient; denied access is another matter.
_EDGE = re.compile(
    r"recipient address(?:es)? rejected ?: ?access denied", re.IGNORECASE
)
_URL = re.compile(r"\bhttps?:/{1,2}[^\s<>]{1,500}")
# Names of machines: two labels at least, of letters, digits and hyphens.
_HOST = re.compile(r"\b(?:[a-z0-9_-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,62}\b")


def classify(status, detail=""):
    """Tell a hard bounce from a soft one.

    :param str status: RFC 3463, such as ``5.1.1``; may be empty
    :param str detail: what the server said, in any language
    :return: ``bounced_hard`` only where the address itself is the reason
    :rtype: str
    """
    said = _shorten(detail)
    codes = {match[0] for match in STATUS.finditer(f"{status} {said}")}
    codes = {code for code in codes if not code.startswith("2")}
    code = REPLY_CODE.search(said)
    if not codes and code:
        codes = {f"{code[1]}.0.0"}
    if not codes or (code and code[1] == "4"):
        return SOFT
    # What is clear goes before what is vague; two clear ones contradict each other.
    clear = {code for code in codes if not _VAGUE.fullmatch(code)}
    if any(not _HARD.fullmatch(code) for code in clear):
        return SOFT
    if speaks_of_something_else(detail):
        return SOFT
    return HARD if clear or says_no_such_address(detail, codes) else SOFT


def says_no_such_address(detail, codes=()):
    """Whether the words say that an address, or its domain, does not exist.

    :param str detail: what the server said
    :param codes: RFC 3463; those that are about the domain want it to be the domain
    :rtype: bool
    """
    text = fold(_shorten(detail))
    if _NO_DOMAIN.search(text):
        return True
    of_domain = bool(codes) and all(_OF_DOMAINS.fullmatch(code) for code in codes)
    return not of_domain and bool(_NO_USER.search(text))


def speaks_of_something_else(detail):
    """Whether the words give a reason other than the address.

    What stands in addresses and names of machines is no reason: somebody may be called
    ``full@spam.example``. Only the lists of senders go by such names.

    :param str detail: what the server said
    :rtype: bool
    """
    if _LISTS.search(fold(ADDRESS.sub(" ", detail[:MAX_WORDS]))):
        return True
    return bool(_NOT_THE_ADDRESS.search(_HOST.sub(" ", fold(_shorten(detail)))))


def _shorten(detail):
    """The words alone, without addresses of people and pages."""
    said = ADDRESS.sub(" ", _URL.sub(" ", detail[:MAX_WORDS]))
    return _EDGE.sub("recipient unknown", " ".join(said.split()))
