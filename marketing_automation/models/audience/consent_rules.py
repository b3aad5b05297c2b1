"""The law of consent as SQL, for everybody who asks: the gate, estimates, segments.

Each fragment speaks of ``m``: anything with the columns ``channel``, ``company_id``,
``email_normalized``, ``phone_sanitized`` and ``partner_id``, such as a message or a
candidate for one, and of the joins in :data:`CONSENT_JOINS`.
"""

from odoo.tools import SQL

ADDRESS = SQL(
    "CASE m.channel WHEN 'sms' THEN m.phone_sanitized ELSE m.email_normalized END"
)

# What this address said about the purpose (``purpose.code``), and how often and until
# when it wants to hear from the company.
CONSENT_JOINS = SQL(
    """LEFT JOIN marketing_preference preference
              ON preference.company_id = m.company_id
             AND preference.channel = m.channel
             AND preference.purpose = purpose.code
             AND preference.address = %(address)s
       LEFT JOIN marketing_recipient recipient
              ON recipient.company_id = m.company_id
             AND recipient.address = %(address)s""",
    address=ADDRESS,
)


def hash_of(address, key):
    """Return SQL for the digest of an address, as ``hash_address`` makes it.

    :param SQL address: normalized email, or number in E.164
    :param str key: see ``marketing.suppression._get_address_key``
    :rtype: SQL
    """
    return SQL("encode(sha256(convert_to(%s || %s, 'UTF8')), 'hex')", key, address)


def is_suppressed(key):
    """Return SQL for: this address is never written to, about anything.

    Odoo's own blacklists count, whoever added the address; so does everybody who asked
    to be forgotten, of whom only the digest is left.

    :param str key: see ``marketing.suppression._get_address_key``
    :rtype: SQL
    """
    return SQL(
        """(CASE m.channel
            WHEN 'email' THEN EXISTS (
                 SELECT FROM mail_blacklist bl
                  WHERE bl.email = m.email_normalized AND bl.active)
            ELSE EXISTS (
                 SELECT FROM phone_blacklist bl
                  WHERE bl.number = m.phone_sanitized AND bl.active) END
            OR EXISTS (SELECT FROM marketing_suppression)
               AND EXISTS (SELECT FROM marketing_suppression forgotten
                            WHERE forgotten.address_hash = %s))""",
        hash_of(ADDRESS, key),
    )


# The last word counts, whether it was said here or on a list of Email Marketing.
HAS_LEFT_LIST = SQL(
    """(m.channel = 'email'
        AND purpose.code IN ('newsletter', 'offers', 'product_updates')
        AND EXISTS (
            SELECT FROM mailing_contact contact
              JOIN mailing_subscription subscription
                ON subscription.contact_id = contact.id
             WHERE contact.email_normalized = m.email_normalized
               AND subscription.opt_out
               AND (preference.id IS NULL OR preference.changed_at
                        < COALESCE(subscription.opt_out_datetime,
                                   subscription.write_date))))"""
)

# Directive 2002/58/EC, article 13(2): whoever gave the address when buying may be told
# of similar products until they object. The UK's PECR, regulation 22(3), says "sale or
# negotiations for the sale", which a cart with an address is: enough for its reminders.
IS_SOFT_OPT_IN = SQL(
    """(company.consent_policy = 'soft_opt_in'
        AND (purpose.code = 'cart' OR EXISTS (
            SELECT FROM sale_order bought
             WHERE bought.partner_id IN (
                       SELECT p.id FROM res_partner p
                        WHERE p.email_normalized = m.email_normalized
                        UNION ALL SELECT m.partner_id)
               AND bought.company_id = m.company_id AND bought.state = 'sale')))"""
)

# Why somebody may not be written to about a purpose: the first that holds.
CONSENT_RULES = [
    ("withdrawn", SQL("preference.state = 'withdrawn'")),
    ("left_list", HAS_LEFT_LIST),
    ("no_consent", SQL("preference.id IS NULL AND NOT %s", IS_SOFT_OPT_IN)),
]

# What somebody may be asked for in a segment: what was said, or what follows from it.
SAID = {
    "given": SQL("preference.state = 'given'"),
    "withdrawn": SQL("preference.state = 'withdrawn'"),
    "none": SQL("preference.id IS NULL"),
}
CONSENT_STATES = [
    ("allowed", "May be written to"),
    ("given", "Agreed"),
    ("withdrawn", "Refused"),
    ("none", "Said nothing"),
]


def get_people(company, channel, purpose, state):
    """Return a query for the contacts about whose consent something holds.

    :param res.company company: to whom it was said
    :param str channel: ``email`` or ``sms``
    :param str purpose: key of ``PURPOSES``
    :param str state: key of ``CONSENT_STATES``. ``allowed`` has an address, is on no
        blacklist, and said yes or need not have, by the company's policy
    :return: a query for ids of ``res.partner``
    :rtype: SQL
    """
    key = company.env["marketing.suppression"]._get_address_key()
    no = [is_suppressed(key), *(condition for _reason, condition in CONSENT_RULES)]
    allowed = SQL(
        "%s != '' AND NOT COALESCE(%s, FALSE)",
        ADDRESS,
        SQL(" OR ").join(SQL("(%s)", condition) for condition in no),
    )
    return SQL(
        """SELECT m.partner_id
             FROM (SELECT p.id AS partner_id, %(channel)s::varchar AS channel,
                          %(company_id)s AS company_id, p.email_normalized,
                          p.phone_sanitized
                     FROM res_partner p) m
             JOIN res_company company ON company.id = m.company_id
            CROSS JOIN (SELECT %(purpose)s::varchar AS code) purpose
            %(joins)s
            WHERE %(condition)s""",
        channel=channel,
        company_id=company.id,
        purpose=purpose,
        joins=CONSENT_JOINS,
        condition=allowed if state == "allowed" else SAID[state],
    )
