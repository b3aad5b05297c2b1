"""What mail servers, autoresponders and people write: each as the ones in use do."""

# Status (RFC 3463, may be empty) and words.
HARD = [
    (
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. "
        "Please try 550-5.1.1 double-checking the recipient's email address "
        "for typos or 550-5.1.1 unnecessary spaces. For more information, go "
        "to 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser "
        "a1-20020a05600c - gsmtp",
    ),
    (
        "5.2.1",
        "550-5.2.1 The email account that you tried to reach is disabled. For "
        "more information, go to 550 5.2.1  "
        "https://support.google.com/mail/?p=DisabledUser",
    ),
    ("5.2.1", "550-5.2.1 The email account that you tried to reach is inactive."),
    (
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient anna@example.com "
        "not found by SMTP address lookup",
    ),
    (
        "5.4.1",
        "550 5.4.1 Recipient address rejected: Access denied. "
        "[DM6NAM10FT012.eop-nam10.prod.protection.outlook.com "
        "2024-01-01T00:00:00.000Z 08DC]",
    ),
    (
        "5.4.1",
        "550 5.4.1 [anna@example.com]: Recipient address rejected: Access "
        "denied [XX.prod.protection.outlook.com]",
    ),
    (
        "5.5.0",
        "550 5.5.0 Requested action not taken: mailbox unavailable "
        "(S2017062302). [BN8.outlook.com]",
    ),
    (
        "",
        "554 delivery error: dd This user doesn't have a yahoo.com account "
        "(anna@yahoo.com) [0] - mta1.mail.bf1.yahoo.com",
    ),
    (
        "5.0.0",
        "554 delivery error: dd Sorry, your message to anna@yahoo.com cannot "
        "be delivered. This mailbox is disabled (554.30). - mta4.mail",
    ),
    (
        "",
        "554 30 Sorry, your message to anna@yahoo.com cannot be delivered. "
        "This account has been disabled or discontinued [#102].",
    ),
    ("", "554 delivery error: dd Requested mail action aborted, mailbox not found"),
    ("", "550 Inactive MailBox"),
    ("", "550 mailbox discontinued"),
    (
        "5.0.0",
        "550 5.1.1 <anna@example.com>: Recipient address rejected: User "
        "unknown in relay recipient table",
    ),
    (
        "5.1.1",
        "550 5.1.1 <anna@example.com>: Recipient address rejected: User "
        "unknown in virtual mailbox table",
    ),
    ("5.0.0", "550 Unrouteable address"),
    ("", "550 No Such User Here"),
    ("", "550 No such person at this address."),
    ("5.1.0", "550 #5.1.0 Address rejected."),
    (
        "5.0.0",
        "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550",
    ),
    (
        "5.1.1",
        "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid "
        "recipient. OFR204_416 [416]",
    ),
    (
        "",
        "550 Message was not accepted -- invalid mailbox. Local mailbox "
        "anna@mail.ru is unavailable: user not found",
    ),
    ("", "550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1"),
    ("", "550 User not found: anna@163.com"),
    ("", "550 Unknown user anna@docomo.ne.jp"),
    ("", "550 Invalid recipient: <anna@softbank.ne.jp>"),
    ("", "550 <anna@ezweb.ne.jp>: User unknown"),
    ("", "550 Requested action not taken: mailbox unavailable"),
    (
        "5.0.0",
        "550-Requested action not taken: mailbox unavailable 550 For "
        "explanation visit "
        "http://postmaster.gmx.com/en/error-messages?ip=1.2.3.4&c=rcpt",
    ),
    (
        "5.4.4",
        "Host or domain name not found. Name service error for "
        "name=example.invalid type=A: Host not found",
    ),
    (
        "5.1.2",
        "550 5.1.2 Bad destination host 'DNS Hard Error looking up "
        "example.invalid (MX):  NXDomain'",
    ),
    (
        "5.1.2",
        "550 5.1.2 We weren't able to find the recipient domain. Please check "
        "for any spelling errors",
    ),
    (
        "5.4.310",
        "550 5.4.310 DNS domain example.invalid does not exist "
        "[Message=InfoDomainNonexistent]",
    ),
    ("5.1.10", "556 5.1.10 Domain example.com does not accept mail (nullMX)"),
    ("", "Sorry, no mailbox here by that name. (#5.1.1)"),
    ("", "Sorry, I couldn't find any host named example.invalid. (#5.1.2)"),
    ("", "Mailaddress is administratively disabled. (#5.2.1)"),
    ("5.0.0", "User anna (anna@example.com) not listed in Domino Directory"),
    ("5.1.1", "550 5.1.1 <spam@full-block.example>: User unknown"),
    ("", "550 A felhasználó nem található"),
    ("", "550 Nincs ilyen felhasználó"),
    ("", "550 Kullanıcı bulunamadı"),
    ("", "550 Böyle bir kullanıcı yok"),
    ("", "550 Empfänger unbekannt"),
    ("", "550 Benutzer existiert nicht"),
    ("", "550 Diese Adresse existiert nicht"),
    ("", "550 Utilisateur inconnu"),
    ("", "550 Adresse inconnue"),
    ("", "550 L'adresse n'existe pas"),
    ("", "550 收件人不存在"),
    ("", "550 无此用户"),
    ("", "550 用户不存在"),
    ("", "550 宛先のユーザーは存在しません"),
    ("", "550 ユーザーが見つかりません"),
    ("", "550 El usuario no existe"),
    ("", "550 Utente sconosciuto"),
    ("", "550 Gebruiker onbekend"),
    ("", "550 Użytkownik nie istnieje"),
    ("", "550 Uživatel neexistuje"),
    ("", "550 Пользователь не найден"),
    ("5.1.1", ""),
    ("5.1.3", ""),
    ("5.1.6", ""),
    ("5.1.10", ""),
    ("5.3.0", "550 5.1.1 user unknown"),
    ("5.2.1", "mailbox disabled"),
    ("5.4.4", "host not found"),
    ("5.0.0", "550 5.1.1 unknown"),
    ("5.0.0", "550 5.0.0 Mailbox does not exist"),
    ("5.0.0", "550 No such domain at this location"),
    ("5.3.0", "550 5.3.0 Address unknown"),
    ("5.5.1", "550 5.5.1 Recipient rejected"),
    ("5.1.1", "550 5.1.1 This email address is no longer in use"),
    ("5.0.0", "550 This email address is no longer in use"),
]
SOFT = [
    (
        "5.2.1",
        "550-5.2.1 The user you are trying to contact is receiving mail at a "
        "rate that prevents additional messages from being delivered",
    ),
    (
        "5.1.90",
        "550 5.1.90 Your message can't be sent because you've reached your "
        "daily limit for message recipients",
    ),
    (
        "5.2.122",
        "550 5.2.122 The recipient has exceeded their limit for the number of messages",
    ),
    ("5.4.14", "554 5.4.14 Hop count exceeded - possible mail loop"),
    ("5.4.312", "550 5.4.312 Message expired, DNS query failed"),
    ("5.1.1", "552 5.1.1 mailbox is full, over quota"),
    ("5.1.0", "550 5.1.0 sender rejected: your IP 192.0.2.1 is on a blacklist"),
    ("5.1.0", "550 5.1.0 rejected because of poor reputation"),
    (
        "5.1.1",
        "554 5.1.1 Service unavailable; Client host [192.0.2.1] blocked using "
        "zen.spamhaus.org",
    ),
    ("5.1.2", "550 5.1.2 DNS temporarily unavailable"),
    ("5.4.1", "554 5.4.1 <a@b.example>: Relay access denied"),
    ("5.4.4", "550 5.4.4 DNS failure"),
    ("5.4.11", ""),
    ("5.4.12", ""),
    ("5.1.20", ""),
    ("5.2.4", ""),
    (
        "5.2.2",
        "552-5.2.2 The email account that you tried to reach is over quota and "
        "inactive.",
    ),
    (
        "",
        "550-Verification failed for <shop@example.com> 550-No Such User Here "
        "550 Sender verify failed",
    ),
    (
        "5.1.1",
        "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]",
    ),
    ("5.5.0", "550 5.5.0 Mail rejete. Mail rejected. ofr_506 [506]"),
    ("", "550 The recipient's mailbox space is not enough"),
    ("", "550 Connection frequency limited"),
    ("", "554-No SMTP service, Bad DNS PTR resource record."),
    ("", "550-Reject due to policy restrictions."),
    (
        "4.4.3",
        "Host or domain name not found. Name service error for "
        "name=example.invalid type=MX: Host not found, try again",
    ),
    (
        "5.1.2",
        "550 5.1.2 Bad destination host 'DNS Soft Error looking up "
        "example.invalid (MX)'",
    ),
    (
        "",
        "I'm not going to try again; this message has been in the queue too "
        "long. (#4.4.1)",
    ),
    ("5.0.0", "550 unknown error"),
    ("5.0.0", "550 Unknown reason"),
    ("5.0.0", "550 Recipient address rejected: Greylisted"),
    ("5.0.0", "550 Recipient address rejected: too many recipients"),
    ("", "550 A postafiók megtelt"),
    ("5.1.1", "550 Posta kutusu dolu"),
    ("5.1.1", "550 5.1.1 KULLANICI KOTASI DOLU"),
    ("5.1.1", "550 Postfach ist voll"),
    ("", "550 Boîte aux lettres pleine"),
    ("5.1.1", "550 收件人邮箱已满"),
    ("5.1.1", "550 メールボックスが満杯です"),
    ("", "550 Buzón lleno"),
    ("", "550 casilla llena"),
    ("", "550 casella piena"),
    ("5.1.1", "550 Почтовый ящик переполнен"),
    ("5.0.0", "550 Mailbox unavailable or access denied"),
    ("5.1.1", "550 5.1.1 user unknown; rejected for policy reasons"),
    ("5.2.1", ""),
    ("5.1.2", ""),
    ("5.1.0", ""),
    ("5.1.4", ""),
    ("5.1.1", "550 5.7.1 blocked"),
    ("5.7.1", "550 5.7.1 No such user!"),
    ("", "550 Account anna has been suspended"),
    ("5.1.1", "450 4.1.1 user unknown"),
    ("5.2.0", "550 5.2.0 STOREDRV.Deliver.Exception:QuotaExceededException"),
    ("5.1.8", ""),
    ("5.1.7", ""),
]

MACHINE_HEADERS = [
    "X-Autoresponder: yes",
    "X-Autogenerated: Reply",
    "X-Auto-Response-Suppress: All",
    "Precedence: bulk",
    "Precedence: list",
    "List-Id: <news.example.org>",
    "Feedback-ID: 1:2:3:x",
    "X-POST-MessageClass: 9; Autoresponder",
    "Return-Path: <>",
    "Content-Type: multipart/report; report-type=disposition-notification",
    "X-FC-MachineGenerated: true",
    "Auto-Submitted: auto-notified",
]
# Outlook, Exchange and gateways put these into what people write.
HUMAN_HEADERS = [
    "X-Auto-Response-Suppress: DR, RN, NRN, OOF",
    "X-Auto-Response-Suppress: OOF, AutoReply",
    "X-Auto-Response-Suppress: None",
    "X-MS-Has-Attach: yes\nThread-Index: AdX",
    "X-MS-Exchange-Organization-AuthAs: Internal",
    "Auto-Submitted: no",
    "Precedence: first-class",
    "Importance: high",
    "Return-Path: <anna@example.com>",
]

MACHINE_SUBJECTS = [
    "Automatische Antwort: x",
    "自动回复: x",
    "Automatic reply: x",
    "Automatikus válasz: x",
    "Otomatik yanıt: x",
    "Réponse automatique : x",
    "Respuesta automática: x",
    "Risposta automatica: R: x",
    "Automatisch antwoord: x",
    "Odpowiedź automatyczna: x",
    "Automatická odpověď: x",
    "Resposta automática: x",
    "Autosvar: x",
    "Automatiskt svar: x",
    "自動応答: x",
    "【自動返信】x",
    "Автоматический ответ: x",
    "Автоответ: x",
    "Abwesenheitsnotiz: Re: x",
    "Házon kívül: x",
    "Out of Office Re: x",
    "[Auto-Reply] x",
    "Read: x",
    "Holiday",
    "Absence",
    "Urlaub",
    "Ofis dışındayım",
    "İş Yeri Dışında Yanıtı: x",
    "Szabadságon vagyok",
    "不在通知: x",
    "Fuori sede Re: x",
    "Nieobecność: x",
    "Frånvaromeddelande",
    "I am out of the country, do you ship?",
    "OOO: x",
    "Leave",
]
HUMAN_SUBJECTS = [
    "Re: Out of office? 20% off",
    "AW: Hallo",
    "Vacation plans for summer",
    "Question about your office chairs",
    "Out of stock?",
    "Semester course books",
    "Urlaubsfrage zum Produkt",
    "Reading lamp",
    "回复: x",
    "Leave it at the door",
    "Auto parts question",
]
