"""What steps of sequences add to the rules of the gate, as SQL over a message ``m``
with its cart (``cart``), its run (``run``) and the joins of the gate."""

from odoo.tools import SQL

from ..audience.consent_rules import CONSENT_JOINS, CONSENT_RULES, is_suppressed
from ..cart.cart_worth import KEPT_WORTH

# What people did with the messages of this run; machines do not count.
DID = """EXISTS (
    SELECT FROM marketing_message own
      JOIN marketing_engagement done ON done.message_id = own.id
     WHERE own.enrollment_id = m.enrollment_id AND done.kind = %s
       AND done.is_machine IS NOT TRUE)"""
HAS_CLICKED = SQL(DID, "click")
HAS_OPENED = SQL(DID, "open")
# They came back to the cart since the run began.
HAS_RETURNED = SQL("COALESCE(cart.returned_at >= run.started_at, FALSE)")
IS_IN_SEGMENT = SQL(
    """EXISTS (
    SELECT FROM segment_membership member
      JOIN customer_segment segment ON segment.id = member.segment_id
     WHERE member.segment_id = condition.segment_id
       AND segment.company_id = m.company_id
       AND member.partner_id IN (
           SELECT p.id FROM res_partner p
            WHERE p.email_normalized = m.email_normalized
            UNION ALL SELECT m.partner_id))"""
)


def may_be_texted(key):
    """Return SQL for: a text message about this could be sent to the person of ``m``.

    The same law of consent as for text messages themselves, whatever the channel of
    the message that asks.

    :param str key: see ``marketing.suppression._get_address_key``
    :rtype: SQL
    """
    refused = [
        is_suppressed(key),
        *(condition for _reason, condition in CONSENT_RULES),
    ]
    return SQL(
        """EXISTS (
    SELECT FROM (SELECT 'sms'::varchar AS channel, m.company_id, m.email_normalized,
                        COALESCE((SELECT person.phone_sanitized
                                    FROM res_partner person
                                   WHERE person.id = m.partner_id),
                                 cart.phone_sanitized) AS phone_sanitized,
                        m.partner_id) m
      %s
     WHERE m.phone_sanitized != '' AND NOT COALESCE(%s, FALSE))""",
        CONSENT_JOINS,
        SQL(" OR ").join(SQL("(%s)", rule) for rule in refused),
    )


def get_step_rules(key):
    """Return why a step is left out for a person, in the form of the gate's rules.

    :param str key: see ``marketing.suppression._get_address_key``
    :return: pairs (reason, SQL)
    :rtype: list
    """
    holds = SQL(
        """CASE condition.kind
               WHEN 'clicked' THEN %(clicked)s
               WHEN 'not_clicked' THEN NOT %(clicked)s
               WHEN 'returned' THEN %(returned)s
               WHEN 'not_returned' THEN NOT %(returned)s
               WHEN 'not_opened' THEN NOT %(opened)s
               WHEN 'value_above' THEN %(worth)s >= condition.amount
               WHEN 'value_below' THEN %(worth)s < condition.amount
               WHEN 'in_segment' THEN %(in_segment)s
               WHEN 'not_in_segment' THEN NOT %(in_segment)s
               WHEN 'phone_consent' THEN %(texted)s
               WHEN 'no_phone_consent' THEN NOT %(texted)s END""",
        worth=KEPT_WORTH,
        clicked=HAS_CLICKED,
        returned=HAS_RETURNED,
        opened=HAS_OPENED,
        in_segment=IS_IN_SEGMENT,
        texted=may_be_texted(key),
    )
    return [
        # Most messages have no conditions: that is found out once for all of them.
        (
            "condition",
            SQL(
                """m.step_id IN (SELECT step_id FROM marketing_sequence_condition)
                   AND EXISTS (
                       SELECT FROM marketing_sequence_condition condition
                        WHERE condition.step_id = m.step_id
                          AND NOT COALESCE(%s, FALSE))""",
                holds,
            ),
        ),
        # The last rule: in the control group are those who would have been written to.
        ("holdout", SQL("run.is_holdout")),
    ]
