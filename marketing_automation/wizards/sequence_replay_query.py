"""What a sequence would have done with the carts of the past, as SQL."""

from datetime import datetime
from typing import NamedTuple

from odoo.tools import SQL

from ..models.cart.cart_detection import RECOVERABLE_LINE
from ..models.cart.cart_worth import CART_WORTH_COMPANY, KEPT_WORTH
from ..models.sequence.enrollment_entry import (
    FITS,
    HAS_NO_EXCLUDED_TAG,
    IS_IN_SEGMENT,
)
from ..models.sequence.step_rules import IS_IN_SEGMENT as MEETS_SEGMENT
from ..models.sequence.step_rules import may_be_texted


class Period(NamedTuple):
    """Which carts are looked at.

    :param since: left from then on; naive, UTC
    :param now: naive, UTC
    :param company_ids: in these companies
    """

    since: datetime
    now: datetime
    company_ids: list


# The first order of the person after they left.
FIRST_ORDER = SQL(
    """SELECT bought.id, bought.date_order
         FROM sale_order bought
        WHERE bought.partner_id IN (
                  SELECT p.id FROM res_partner p
                   WHERE p.email_normalized = cart.email_normalized
                   UNION ALL SELECT cart.partner_id)
          AND bought.state = 'sale' AND bought.date_order >= cart.abandoned_at
        ORDER BY bought.date_order, bought.id LIMIT 1"""
)
# Of a condition of a step (`condition`) and a message that would have been (`m`).
IS_UNKNOWN = SQL("condition.kind IN ('clicked', 'returned')")


def recorded_carts(period):
    """Return a query for carts that were found. What was not worth recovering then
    stays out here, too.

    :param Period period: which ones
    :rtype: SQL
    """
    return SQL(
        """SELECT cart.id AS cart_id, cart.order_id, cart.partner_id,
                  cart.email_normalized, cart.company_id, cart.website_id, cart.kind,
                  cart.amount_company, cart.abandoned_at, cart.expires_at,
                  cart.phone_sanitized AS typed_phone, %s AS worth_company
             FROM abandoned_cart cart
            WHERE cart.abandoned_at >= %s AND cart.company_id = ANY(%s)
              AND (cart.state != 'excluded'
                   OR cart.exclusion_reason IN ('order_cancelled',
                                                'bought_elsewhere'))""",
        KEPT_WORTH,
        period.since,
        period.company_ids,
    )


def other_carts(period):
    """Return a query for orders of the shop that nobody looked at, because recovery was
    off or is new: left and never bought, or bought long after the last product went in.

    :param Period period: which ones
    :return: a query with the columns of :func:`recorded_carts`
    :rtype: SQL
    """
    return SQL(
        """SELECT NULL::int, so.id, so.partner_id, person.email_normalized,
                  so.company_id, so.website_id, 'cart', worth.amount, seen.left_at,
                  seen.left_at + company.cart_expiry_days * interval '1 day',
                  NULL, worth.of_products
             FROM sale_order so
             JOIN website w ON w.id = so.website_id
             JOIN res_users nobody ON nobody.id = w.user_id
             JOIN res_company company ON company.id = so.company_id
             JOIN res_partner person ON person.id = so.partner_id
                                    AND person.id != nobody.partner_id
            CROSS JOIN LATERAL (
                  SELECT so.amount_total / COALESCE(NULLIF(so.currency_rate, 0), 1)
                             AS amount, %(worth)s AS of_products) worth
            CROSS JOIN LATERAL (
                  SELECT CASE WHEN so.state = 'draft'
                              THEN COALESCE(so.cart_activity_at, max(sol.write_date))
                              ELSE max(sol.create_date) END AS left_at
                    FROM sale_order_line sol
                   WHERE sol.order_id = so.id AND %(recoverable)s
                  HAVING count(*) > 0) seen
            WHERE so.state IN ('draft', 'sale')
              AND so.company_id = ANY(%(company_ids)s)
              AND so.write_date >= %(since)s AND seen.left_at >= %(since)s
              AND CASE WHEN so.state = 'draft' THEN %(now)s ELSE so.date_order END
                  >= seen.left_at + w.cart_idle_minutes * interval '1 minute'
              AND worth.of_products >= COALESCE(company.cart_minimum_amount, 0)
              AND so.id NOT IN (SELECT order_id FROM abandoned_cart
                                 WHERE order_id IS NOT NULL)
              AND so.id NOT IN (SELECT sale_order_id
                                  FROM sale_order_restored_cart_rel)""",
        recoverable=RECOVERABLE_LINE,
        worth=CART_WORTH_COMPANY,
        company_ids=period.company_ids,
        since=period.since,
        now=period.now,
    )


def replayed_carts(sequence, period):
    """Return a query for the carts that would have gone through a sequence.

    :param marketing.sequence sequence: the sequence
    :param Period period: which carts are looked at
    :return: a query; ``is_free`` says whether the person was not in the middle of a
        run for another cart, ``bought_order_id`` and ``bought_at`` what they bought
    :rtype: SQL
    """
    length = max(sequence._get_steps().mapped("offset_seconds"), default=0)
    return SQL(
        """SELECT cart.*,
                  COALESCE(lag(cart.abandoned_at) OVER (
                               PARTITION BY cart.company_id, cart.email_normalized
                               ORDER BY cart.abandoned_at, cart.amount_company DESC)
                           + %(length)s * interval '1 second' < cart.abandoned_at,
                           TRUE) AS is_free,
                  bought.id AS bought_order_id, bought.date_order AS bought_at
             FROM (%(recorded)s UNION ALL %(other)s) cart
             JOIN (SELECT seq.*, segment.company_id AS segment_company_id
                     FROM marketing_sequence seq
                     LEFT JOIN customer_segment segment ON segment.id = seq.segment_id
                    WHERE seq.id = %(sequence_id)s) seq ON TRUE
             LEFT JOIN LATERAL (%(first_order)s) bought ON TRUE
            WHERE COALESCE(cart.email_normalized, '') != ''
              AND %(fits)s AND %(is_in_segment)s AND %(has_no_tag)s""",
        length=length,
        recorded=recorded_carts(period),
        other=other_carts(period),
        sequence_id=sequence.id,
        first_order=FIRST_ORDER,
        fits=FITS,
        is_in_segment=IS_IN_SEGMENT,
        has_no_tag=HAS_NO_EXCLUDED_TAG,
    )


def get_replay_rules(key, is_holdout):
    """Return why a step would have sent nothing, in the form of the gate's rules, over
    ``m``: a cart and a step.

    :param str key: see ``marketing.suppression._get_address_key``
    :param SQL is_holdout: whether the person is in the control group
    :return: pairs (reason, SQL)
    :rtype: list
    """
    holds = SQL(
        """CASE condition.kind
               WHEN 'value_above' THEN m.worth_company >= condition.amount
               WHEN 'value_below' THEN m.worth_company < condition.amount
               WHEN 'in_segment' THEN %(in_segment)s
               WHEN 'not_in_segment' THEN NOT %(in_segment)s
               WHEN 'phone_consent' THEN %(texted)s
               WHEN 'no_phone_consent' THEN NOT %(texted)s
               ELSE TRUE END""",
        in_segment=MEETS_SEGMENT,
        texted=may_be_texted(key),
    )
    return [
        ("pending", SQL("m.due_at > clock.now")),
        ("purchased", SQL("m.bought_at <= m.due_at")),
        ("expired", SQL("m.due_at > m.expires_at")),
        ("condition", _has_condition(SQL("NOT COALESCE(%s, FALSE)", holds))),
        ("unknown", _has_condition(IS_UNKNOWN)),
        ("holdout", is_holdout),
    ]


def _has_condition(which):
    return SQL(
        """EXISTS (SELECT FROM marketing_sequence_condition condition
                    WHERE condition.step_id = m.step_id AND %s)""",
        which,
    )
