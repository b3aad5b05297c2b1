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
