"""What people want who answer a message: no more of them, or else.

People stop messages in whatever words they like, and any reasonable way counts. What is
certain ends the messages at once; what may be an objection is for a person to read.
"""

import re

from .folding import fold, words
from .sms import HELP, START, STOP, read_keyword

# How much of an answer is looked at: a request stands at its beginning.
MAX_TEXT = 1600
MAX_SENTENCES = 6

_SENTENCE_END = re.compile(r"[.!?;\n\r。！？；…]+")
# By text message, the first word is enough, whatever follows; not "stop by".
_FIRST_WORD = words(
    r"^\W*(?:stop|stopp|stopall|unsubscribe|optout|opt-out|leiratkozás|leiratkozom|"
    r"leiratkozok|állj|durdur|abmelden|arrêt|baja|退订|стоп)\b(?! (?:by|in at|over)\b)"
)
# What people say before they say what they want.
_POLITE = (
    r"^\W*(?:(?:please|pls|plz|kindly|hi|hello|hey|just|no|ok|okay|sorry|again|now|sir|"
    r"madam|thanks?|thank you|can you|could you|will you|would you|can u|(?:i|we) "
    r"(?:want|wish|would like|['’]?d like|need|ask)(?: you)?(?: to)?|you (?:must|"
    r"need to|"
    r"have to|should)|let me|dear \w{1,30}(?: \w{1,30})?|bitte|lieber?|kérem|lütfen|"
    r"merci de|veuillez|por favor|per favore|graag|proszę|prosím)\b[\s,:–-]*){0,5}"
)
_MESSAGES = (
    r"(?:texts?|texting|messag\w*|sms\w*|e-?mails?|e-?mailing|mails?|mailing|sending|"
    r"contact\w*|calling|calls?|spam\w*|writing|bothering|harass\w*|newsletters?|"
    r"advert\w*|ads|marketing|communicat\w*|notif\w*|promotions?)"
)
_CLEAR = words(
    rf"{_POLITE}(?:stop|quit|cease)(?: (?:it|this|that|these|all|them|please|already|"
    rf"everything|now)\b|\W*$| (?:all |any |the |your |these |those |with )?(?:further "
    rf"|more |marketing |promotional |future )?{_MESSAGES}\b)",
    rf"{_POLITE}(?:take|remove|delete|drop) (?:me|us|my (?:name|number|e-?mail|address|"
    r"phone|data|details|contact))\b",
    rf"{_POLITE}(?:unsubscribe|be (?:removed|unsubscribed|taken off)|opt(?:ing)?[- ]?"
    r"(?:me )?out|cancel (?:my |this |the )?(?:subscription|newsletter|messages|"
    r"texts))\b",
    rf"{_POLITE}(?:do not|don['’]?t|never) (?:ever )?(?:(?:text|message|sms|e-?mail|"
    r"mail|write|contact|call|bother|spam)(?: to)?(?: (?:me|us|this|my|again|any\w*)\b|"
    r"\W*$)|send (?:me|us|any\w*|more|further|these|this|your|messages|e-?mails)\b)",
    rf"{_POLITE}no (?:more|further) {_MESSAGES}\b",
    rf"{_POLITE}leave (?:me|us) alone",
    r"\bi (?:do not|don['’]?t|no longer) (?:want|wish)(?: to (?:receive|get|hear|be "
    rf"contacted)| (?:any |more |your |these |any more |to have )*{_MESSAGES}\b)",
    r"\bi (?:hereby )?(?:withdraw|revoke) (?:my )?consent|\bi (?:hereby )?object to\b",
    # German
    r"\b(?:abmelden|abbestellen|austragen)\b|\bmeld\w* (?:sie |uns )?(?:mich |uns )"
    r".{0,40}\bab\b|\btragen sie (?:mich|uns)\b.{0,40}\baus\b",
    r"\bkeine?n? (?:weiteren? |mehr )(?:e-?mails?|mails?|nachrichten?|sms|werb\w*|"
    r"newsletter)\b|\bkeine?n? (?:e-?mails?|mails?|nachrichten?|sms|werb\w*|"
    r"newsletter)\b"
    r".{0,20}\bmehr\b|^\W*(?:bitte )?keine (?:werbung|newsletter|sms)\W*(?:bitte)?\W*$",
    r"\b(?:aus|von) (?:dem|der|ihrem|ihrer|eurem|eurer) (?:e-?mail-?)?(?:verteiler|"
    r"liste|"
    r"newsletter)|\b(?:mich|uns|mir|bitte) (?:bitte )?nicht (?:mehr|länger|weiter) "
    r".{0,20}(?:anschreib|schreib|kontaktier|belästig|anruf|zusend|zuschick)",
    r"\b(?:möchte|will|wünsche) .{0,25}\bnicht (?:mehr|länger)\b.{0,30}(?:kontaktiert|"
    r"angeschrieben|belästigt)|\bich (?:widerspreche|widerrufe)\b|"
    r"\bhören sie (?:bitte |"
    r"endlich )?auf\b|\bhör (?:bitte |endlich )?auf\b|lass\w* (?:sie )?mich in ruhe",
    # Hungarian
    r"\bleirat?koz\w*|\biratkozt\w* le|\bhagyj\w* (?:engem )?béké|\btiltakozom",
    r"\bne (?:zaklass|hívj|keress|zavarj)\w*|\bne (?:küldj|írj)\w* (?:több|nekem|ilyen|"
    r"már|semmi|e-?mail|sms|üzenet|level|hírlevel|reklám)|\bne (?:küldj|írj)\w*\W*$|"
    r"\b(?:több|e-?mail|sms|üzenet|level|hírlevel|reklám)\w*\b.{0,20}\bne (?:küldj|"
    r"írj)",
    r"\b(?:nem kérek|nem kérem|nem szeretné[km]|nem akarok|nem óhajtok)\b.{0,50}(?:"
    r"level|üzenet|hírlevel|reklám|sms|e-?mail|értesítés|mail)",
    r"\b(?:törölj|vegye)\w* (?:le |ki )?.{0,30}(?:címem|számom|list|hírlevel|adatbázis|"
    r"nevem|engem|adataim)|\bvegye\w* le\b|\btöröljenek\b|(?:list|adatbázis|hírlevel)"
    r"\w* .{0,30}(?:törölj|levenni|leven)",
    # Turkish
    r"\b(?:beni|numaram|adresim|mailim|e-?postam)\w*\b.{0,40}\b(?:çıkar|sil)(?:ın|in|"
    r"ınız|"
    r"iniz|tın|ir misiniz)?\b",
    r"\b(?:mesaj|sms|e-?posta|mail|e-?mail|reklam|bildirim|bülten)\w*\b.{0,40}\b(?:"
    r"(?:gönderme|atma|yollama|yazma)(?:yin|yın|yiniz|yınız)?\b|istemiyor\w*|gelmesin|"
    r"kes(?:in)?\b|durdur(?:un)?\b)",
    r"\baboneli[kğ]\w* .{0,30}(?:iptal|çık|son)|almak istemiyor|(?:çıkmak|ayrılmak) "
    r"istiyor|rahatsız etme|\babonelikten\b",
    # French
    r"\bdésabonn|\bdésinscri|\bne plus (?:m['’]|me |nous )?(?:recevoir|envoy|contact|"
    r"écri)|"
    r"\b(?:ne (?:veux|souhaite|désire) plus|plus envie)\b.{0,30}(?:recevoir|message|"
    r"mail|"
    r"sms|contact)|\bne (?:m['’]|me |nous )(?:envoy|contact|écri)\w* plus",
    r"\barrêt\w* (?:de |d['’])?(?:m['’]|me |vos |les |ces |tout)|\b(?:retir|enlev|"
    r"supprim)"
    r"\w*[- ]moi|^\W*plus de (?:mails?|messages?|sms|pub)",
    # Spanish, Portuguese
    r"\b(?:dé|den|dar\w*|denme|deme|dame)\b (?:\w{1,8} )?de baja\b|\b(?:quiero|"
    r"solicito|"
    r"pido|causar) (?:la )?baja\b|"
    r"^\W*baja\W*$|\bdesuscri|\bno (?:me |nos )?(?:enví?e[ns]?|mande[ns]?|escriban?|"
    r"contacten?|molesten?)\b|\bno (?:quiero|deseo) (?:recibir|más (?:mensajes|correos|"
    r"sms|e-?mails))",
    r"\bdeje\w* de (?:enviar|mandar|escribir|molestar)|\b(?:bórr|borr|elimín|"
    r"elimin)\w*me",
    r"\bdescadastr|\bcancelar (?:a )?(?:inscrição|assinatura|suscripción|subscrição)|"
    r"\bnão (?:quero|desejo) (?:mais )?receber|\bnão (?:me )?envi(?:e|em|es|ar)\b|"
    r"\bremov\w*[- ]me\b|\bparem? de",
    # Italian
    r"\bdisiscri|\bcancella(?:te)?mi\b|\brimuove(?:te)?mi|\btoglie(?:te)?mi|\bnon (?:"
    r"voglio|desidero) (?:più )?(?:ricevere|messaggi|mail|sms|essere)|\bnon (?:mandate|"
    r"inviate|scrive|mandar|inviar)(?:mi|te|temi|ci)?\b|\bsmett\w* di",
    # Dutch
    r"\b(?:afmelden|uitschrijven)\b|\bmeld (?:mij|me) .{0,20}af\b|\bschrijf (?:mij|me) "
    r".{0,20}uit\b|\bgeen (?:e-?mails?|mails?|berichten|sms\w*|reclame|nieuwsbrie\w*) "
    r"meer|\bverwijder (?:mij|me)\b",
    # Polish, Czech
    r"\bwypis(?:z|ać|anie|uję|ze)\w*|\bnie (?:wysyłaj|przysyłaj)\w*|\brezygnuję|"
    r"\busuń\w* "
    r"mnie|\busunięcie (?:mnie|mojego)|\bodhlás\w*|\bodhlaš|\bneposíle?j\w*|\bnechci "
    r"(?:dostávat|zprávy|e-?maily|maily)",
    # Swedish, Danish, Norwegian
    r"\bavregistrera|\bavsluta prenumeration|\bsluta (?:skicka|smsa|mejla|maila)|"
    r"\bing[ae]n? (?:fler|flere) (?:sms|mejl|mail|meddelanden|beskeder|meldinger)|"
    r"\bta bort mig|\bafmeld|\bstopp? med",
    # Russian
    r"\bотпи[сш]\w*|\bне (?:присылайте|пишите|беспокойте|звоните)|\bне (?:отправляйте|"
    r"шлите) (?:мне|больше)|\bпрекратите|\bудалите (?:меня|мой)|\bбольше не (?:хочу|"
    r"надо|"
    r"присылайте|пишите|отправляйте)",
    # Chinese, Japanese
    r"退订|退訂|取消订阅|取消訂閱|(?:不要|别|別|请勿|請勿)(?:再|给我|給我)+(?:发|發|寄|联系|"
    r"聯絡)|(?:不要|别|別|请勿|請勿)(?:联系|聯絡|打扰|打擾)|停止(?:发送|發送|寄送)|不想再收",
    r"配信(?:を)?停止|購読(?:を)?(?:解除|停止)|登録(?:を)?解除|送らないで|送信しないで|"
    r"停止してください|退会",
)
# What somebody misses they do not object to.
_MISSED = words(
    r"\bich (?:bekomme|bekam|erhalte|erhielt|habe|kriege)\b|\bik (?:krijg|ontvang|"
    r"heb)\b|"
    r"\bje (?:ne |n['’])?(?:reçois|ai)\b|\bnem (?:kapok|kaptam|érkezett|jött)\b|"
    r"\bnon (?:"
    r"ricevo|ho ricevuto)|\bno (?:recibo|recibí|he recibido)|\bnão (?:recebo|recebi)|"
    r"\bnie "
    r"(?:dostaj|dostał)|\b(?:gelmiyor|gelmedi|almadım)\b|\bi (?:did not|didn['’]?t|"
    r"have "
    r"not|haven['’]?t|do not|don['’]?t) (?:get|got|receive|received)\b"
)
# Nobody is asked to stop messages with these: questions, and orders.
_QUESTION = words(
    r"^\W*(?:how|where|why|what|when|who|is it|are you|did|do you|wie|wo|warum|wann|"
    r"hogyan|hol|miért|mikor|nasıl|nerede|neden|comment|où|pourquoi|cómo|dónde|come|"
    r"dove|hoe|waar|jak|gdzie|kde|hur|как|где|почему|怎么|如何|どう)\b"
)
_ORDER = words(
    r"\b(?:orders?|parcel|package|deliver(?:y|ies)|shipment|shipping|refund|invoice|"
    r"payment|bestellung|paket|lieferung|rechnung|rendelés\w*|csomag\w*|szállítás\w*|"
    r"számlá\w*|sipariş\w*|kargo\w*|teslimat\w*|fatura\w*|commande|colis|livraison|"
    r"pedido|paquete|entrega|ordine|pacco|consegna|bestelling|pakket|zamówieni\w*|"
    r"paczk\w*|objednávk\w*|zásilk\w*|beställning|заказ\w*|посылк\w*)\b|订单|包裹|注文|荷物"
)
# What may be an objection, or the beginning of trouble: somebody has to read it.
_MAYBE = words(
    r"\bstop|unsubscri|\bopt(?:ed|ing)?[- ]?(?:out|in)|\bremov|\bdelet|\bspam|consent|"
    r"gdpr|dsgvo|rgpd|\bkvkk|\bccpa|\btcpa|privacy|complain|lawyer|solicitor|attorney|"
    r"\bsue\b|illegal|report (?:you|this)|harass|annoy|leave me|how did you get|"
    r"who (?:is|"
    r"are) (?:this|you)|wrong (?:number|person|address)|not interested|no longer|"
    r"no more|"
    r"\bnever (?:signed|agreed|asked|subscribed)|did ?n['o]t (?:sign|ask|agree|"
    r"subscribe)|"
    r"do(?: not|n['’]?t) (?:text|message|contact|e-?mail|send|write|want|know)|"
    r"\bquit\b|"
    r"\bcease\b|fuck|idiot|too many|enough",
    r"abmeld|abbestell|austrag|werbung|datenschutz|widerspr|widerruf|kein interesse|"
    r"belästig|anwalt|abmahn|nie (?:angemeldet|zugestimmt)|löschen|falsche nummer|"
    r"genug",
    r"leirat|iratkoz|töröl|zaklat|adatvéd|nem érdekel|honnan|tiltakoz|elég|ne küld|"
    r"reklám|"
    r"ügyvéd|téves szám|sosem|soha nem",
    r"\biptal|aboneli[kğ]|rahatsız|istemiyor|kişisel veri|şikayet|yeter|yanlış numara|"
    r"avukat|"
    r"\bsil(?:in|me)|reklam|nereden",
    r"désabonn|désinscri|arrêt|publicité|intéressé|données personnelles|mauvais numéro|"
    r"\bbaja\b|publicidad|no quiero|protección de datos|interesad|equivocad|cancell|"
    r"disiscri|pubblicità|non voglio|interessat|sbagliat|descadastr|não quero|afmeld|"
    r"uitschrij|reclame|geen interesse|wypis|rezygn|reklam|odhlás|nechci|avregist|"
    r"sluta|"
    r"отпис|спам|жалоб|реклам|не интерес|удалите|прекрат",
    r"退订|退訂|取消订阅|骚扰|騷擾|投诉|投訴|垃圾|不需要|别再|不要再|停止|解除|迷惑|不要です|やめて|"
    r"苦情",
)


def read_request(text, is_sms=False):
    """Tell what an answer asks for.

    :param str text: what the person wrote, without what they quote
    :param bool is_sms: by text message, where the first word decides
    :return: ``stop``, ``start``, ``help``, or an empty string for any other answer
    :rtype: str
    """
    text = (text or "")[:MAX_TEXT].strip()
    if keyword := read_keyword(text):
        return keyword
    first_line = text.partition("\n")[0]
    if read_keyword(first_line) == STOP:
        return STOP
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
    sentences = sentences[:MAX_SENTENCES]
    if sentences and read_keyword(sentences[0]) == STOP:
        return STOP
    if is_sms and _FIRST_WORD.search(fold(first_line)):
        return STOP
    return STOP if any(map(_is_clear, sentences)) else ""


def may_be_objection(text):
    """Whether an answer may be an objection, in whatever words.

    :param str text: what the person wrote
    :rtype: bool
    """
    return bool(_MAYBE.search(fold((text or "")[:MAX_TEXT])))


def _is_clear(sentence):
    folded = fold(sentence[:300]).strip()
    return bool(
        _CLEAR.search(folded)
        # A link of our own email, which they quote.
        and "http" not in folded
        and not _QUESTION.search(folded)
        and not _MISSED.search(folded)
        and not _ORDER.search(folded)
    )


__all__ = ["HELP", "START", "STOP", "may_be_objection", "read_request"]
