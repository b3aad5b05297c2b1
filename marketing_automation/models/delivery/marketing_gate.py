import json
from datetime import datetime, timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from ..audience.consent_rules import CONSENT_JOINS, CONSENT_RULES, is_suppressed
from ..campaign.campaign_rules import CAMPAIGN_RULES
from ..cart.cart_detection import RECOVERABLE_LINE, SELLABLE_LINE
from ..cart.payments import HAS_LIVE_PAYMENT
from ..sequence.step_rules import get_step_rules
from .lateness import LATE_RULES
from .states import PERHAPS_REACHED_STATES

# Whether somebody may be messaged now: one sentence of SQL per rule over a message `m`,
# or somebody who may get one. The first that holds is the reason.

# The contact is there still, as somebody to write to. (A customer's order keeps its
# contact from being deleted.) A test goes to whoever asked for it.
CONTACT_RULES = [
    (
        "archived",
        SQL("contact.active IS FALSE AND m.opt_in_id IS NULL AND m.priority > 0"),
    ),
    (
        "contact_deleted",
        SQL(
            """m.partner_id IS NULL AND m.abandoned_cart_id IS NULL
               AND m.opt_in_id IS NULL
               AND (m.campaign_id IS NOT NULL OR m.sequence_id IS NOT NULL)"""
        ),
    ),
]
# There is an address to write to.
ADDRESS_RULES = [
    ("no_email", SQL("m.channel = 'email' AND COALESCE(m.email_normalized, '') = ''")),
    ("no_phone", SQL("m.channel = 'sms' AND COALESCE(m.phone_sanitized, '') = ''")),
]
# Caps, consent and quiet hours are for marketing: a test goes to whoever asked for it.
IS_MARKETING = SQL(
    "(COALESCE(tpl.category, 'marketing') = 'marketing' AND m.priority > 0)"
)
NOBODY = SQL("FALSE")
# Compiling the rules takes PostgreSQL ten seconds, running them one: for 40,000 people.
NO_JIT = SQL("SET LOCAL jit = off")
# Who asks for messages again gets the email to confirm it, blacklisted or not. True of
# that email alone, and as long as the request is open.
IS_ASKED_FOR = SQL(
    """EXISTS (SELECT FROM marketing_opt_in asked
                WHERE asked.id = m.opt_in_id AND asked.state = 'pending'
                  AND asked.expires_at > clock.now)"""
)
# The number was typed by a visitor of a website, as a guest or to sign up, and is not
# proven: its owner has bought nothing, and did not agree on a way that proves it.
IS_STRANGER = SQL(
    """(COALESCE(cart.is_typed, FALSE) OR contact.create_uid IN (
            SELECT user_id FROM website WHERE user_id IS NOT NULL))
       AND NOT (COALESCE(preference.state = 'given' AND preference.source
                         IN ('staff', 'import', 'api', 'reply'), FALSE)
                OR EXISTS (SELECT FROM sale_order bought
                            WHERE bought.partner_id = m.partner_id
                              AND bought.state = 'sale'))"""
)
# The person agreed to it, or the company's policy says that they need not have.
MARKETING_RULES = [
    *CONSENT_RULES,
    # The person reads who is writing, with an address, in every marketing email.
    (
        "no_identity",
        SQL(
            """m.channel = 'email' AND (
                   COALESCE(sender.street, '') = '' OR COALESCE(sender.city, '') = ''
                   OR sender.country_id IS NULL)"""
        ),
    ),
    ("paused", SQL("recipient.paused_until > clock.now")),
]
# What the message is about is worth writing about now: the cart (`cart`, with its order
# `so`), for messages that have one, or the run of a contact.
CART_RULES = [
    # They have not bought since: this cart, or anything else, anywhere.
    (
        "purchased",
        SQL(
            """cart.id IS NOT NULL AND (cart.state = 'recovered' OR EXISTS (
                   SELECT FROM sale_order bought
                    WHERE bought.partner_id IN (
                              SELECT p.id FROM res_partner p
                               WHERE p.email_normalized = m.email_normalized
                               UNION ALL SELECT m.partner_id)
                      AND bought.state = 'sale'
                      AND bought.date_order >= cart.abandoned_at))"""
        ),
    ),
    # The cart's recovery has not come to its end.
    (
        "expired",
        SQL("cart.state = 'expired' OR cart.expires_at <= clock.now"),
    ),
    # They are not paying for it at this moment.
    ("returned", SQL("so.id IS NOT NULL AND %s", HAS_LIVE_PAYMENT)),
    # There is still something in the cart, and the cart is worth it. A quotation is
    # with its customer.
    (
        "emptied",
        SQL(
            """cart.id IS NOT NULL AND (
                   cart.state = 'excluded' OR so.id IS NULL
                   OR so.state != CASE cart.kind WHEN 'quotation' THEN 'sent'
                                                 ELSE 'draft' END
                   OR NOT EXISTS (
                       SELECT FROM sale_order_line sol
                        WHERE sol.order_id = so.id AND %s))""",
            RECOVERABLE_LINE,
        ),
    ),
    # The customer is not in the shop at this moment.
    (
        "returned",
        SQL("so.cart_activity_at > cart.abandoned_at"),
    ),
    # Something of it is still sold. (Stock is checked when the message is rendered.)
    # What a sales person offers need not be in the shop.
    (
        "nothing_available",
        SQL(
            """cart.id IS NOT NULL AND cart.kind != 'quotation' AND NOT EXISTS (
                   SELECT FROM sale_order_line sol
                     JOIN website w ON w.id = so.website_id
                     JOIN product_product pp ON pp.id = sol.product_id
                     JOIN product_template pt ON pt.id = pp.product_tmpl_id
                    WHERE sol.order_id = so.id AND %s AND %s)""",
            RECOVERABLE_LINE,
            SELLABLE_LINE,
        ),
    ),
    # Nor has the contact since a sequence began that ends with an order.
    (
        "purchased",
        SQL(
            """run.contact_id IS NOT NULL AND seq.stops_on_purchase AND EXISTS (
                   SELECT FROM sale_order bought
                    WHERE bought.partner_id IN (
                              SELECT p.id FROM res_partner p
                               WHERE p.email_normalized = m.email_normalized
                               UNION ALL SELECT m.partner_id)
                      AND bought.state = 'sale'
                      AND bought.date_order >= run.started_at)"""
        ),
    ),
    # They have not had enough messages for this cart.
    (
        "max_messages",
        SQL(
            """m.enrollment_id IS NOT NULL AND (
                   SELECT count(*) FROM marketing_message other
                    WHERE other.abandoned_cart_id = m.abandoned_cart_id
                      AND other.id != m.id
                      AND other.state NOT IN ('skipped', 'cancelled', 'failed'))
               >= seq.max_messages"""
        ),
    ),
]


# What else this person gets from the company on this channel: when the last marketing
# message was, and whether one that matters more is about to go. One look at all of the
# person's messages, found by the address: the state alone finds a million others. Each
# channel has its own index, and with it a branch of its own.
OTHER_MESSAGES = SQL(
    """SELECT max(COALESCE(other.sent_at, other.sending_at)) FILTER (
                  WHERE other.state = ANY(%s) AND other.priority > 0
                    AND COALESCE(said.category, 'marketing') = 'marketing') AS last_at,
              bool_or(other.state = 'queued' AND other.priority < m.priority
                      AND other.scheduled_at <= m.now) AS is_outranked
         FROM (SELECT * FROM marketing_message
                WHERE m.channel = 'email' AND channel = 'email'
                  AND email_normalized = m.email_normalized
                UNION ALL
               SELECT * FROM marketing_message
                WHERE m.channel = 'sms' AND channel = 'sms'
                  AND phone_sanitized = m.phone_sanitized) other
         LEFT JOIN marketing_template said ON said.id = other.template_id
        WHERE other.id != m.id AND other.company_id = m.company_id""",
    list(PERHAPS_REACHED_STATES),
)
# Somebody who waits for a message that matters more is looked at again after this.
OUTRANKED_MINUTES = 10
# So is what waits until another message to the same person has left.
IN_FLIGHT_MINUTES = 1
# So is what waits for the company's address.
IDENTITY_MINUTES = 60
# What people can wish: hours between two messages, by frequency.
WISHED_HOURS = {"weekly": 7 * 24, "monthly": 30 * 24}


class Decision(NamedTuple):
    """Why a message does not go now.

    :param str reason: key of ``marketing.message.reason``
    :param until: when to ask again, naive, UTC; None when it is not to go at all
    :param bool is_asking: whether somebody has to decide on it
    """

    reason: str
    until: datetime | None = None
    is_asking: bool = False


class MarketingGate(models.AbstractModel):
    """The one place that says whether a person may be messaged now, and if not, why.

    Used when messages are queued and again just before each is handed over.
    """

    _name = "marketing.gate"
    _description = "Marketing Gate"

    @api.model
    def _decide(self, messages):
        """Check messages against every rule, in one statement.

        :param marketing.message messages: what is about to be queued or sent
        :return: why not, by message id; None for those that may go
        :rtype: dict[int, Decision | None]
        """
        if not messages:
            return {}
        self.env.flush_all()
        self.env.cr.execute(NO_JIT)
        now = fields.Datetime.now()
        decisions = dict.fromkeys(messages.ids)
        repeated, waiting = messages._follow_contacts()
        decisions.update(dict.fromkeys(repeated.ids, Decision("repeated")))
        later = now + timedelta(minutes=IN_FLIGHT_MINUTES)
        decisions.update(dict.fromkeys(waiting.ids, Decision("outranked", later)))
        strangers = set()
        for row in self._fetch_facts(messages - repeated - waiting, now):
            decisions[row["id"]] = self._judge(row, now)
            if row["is_stranger"]:
                strangers.add(row["id"])
        free = messages.filtered(lambda message: not decisions[message.id])
        decisions.update(self._refuse_numbers(free))
        strangers = free.filtered(
            lambda message: message.id in strangers and not decisions[message.id]
        )
        if strangers:
            decisions.update(self._limit_strangers(strangers, now))
        return decisions

    @api.model
    def _estimate(self, partners, company, channel, purpose):
        """Say how many people could be written to now, and why the others could not.

        :param SQL partners: a query for the ids of ``res.partner``
        :param res.company company: who would be speaking
        :param str channel: key of ``marketing.message.channel``
        :param str purpose: key of ``marketing.template.purpose``
        :return: number of people by reason (keys of ``marketing.message.reason``), None
            for those who can be reached; who has several contacts counts once
        :rtype: dict[str | None, int]
        """
        self.env.flush_all()
        self.env.cr.execute(NO_JIT)
        address = "phone_sanitized" if channel == "sms" else "email_normalized"
        candidates = SQL(
            """SELECT DISTINCT ON (COALESCE(%(address)s, p.id::varchar))
                      p.id, %(channel)s::varchar AS channel,
                      %(company_id)s AS company_id,
                      p.id AS partner_id, p.email_normalized, p.phone_sanitized,
                      1 AS priority
                 FROM res_partner p WHERE p.id IN (%(partners)s)
                ORDER BY COALESCE(%(address)s, p.id::varchar), p.id""",
            address=SQL.identifier("p", address),
            channel=channel,
            company_id=company.id,
            partners=partners,
        )
        rows = self.env.execute_query(
            SQL(
                """SELECT %(reason)s AS reason, count(*)
                     FROM (%(candidates)s) m
                    CROSS JOIN (SELECT 'marketing' AS category) tpl
                    CROSS JOIN (SELECT %(purpose)s::varchar AS code) purpose
                    %(joins)s
                    GROUP BY 1""",
                reason=self._make_reason(ADDRESS_RULES),
                candidates=candidates,
                purpose=purpose,
                joins=self._make_joins(fields.Datetime.now()),
            )
        )
        return dict(rows)

    @api.model
    def _make_reason(self, first_rules, last_rules=(), asked_for=NOBODY):
        """Return SQL for the first rule that holds, or NULL.

        :param SQL asked_for: of which ``m`` a blacklist is not heeded
        :rtype: SQL
        """
        key = self.env["marketing.suppression"]._get_address_key()
        rules = [
            *first_rules,
            ("opted_out", SQL("%s AND NOT %s", is_suppressed(key), asked_for)),
            *(
                (reason, SQL("%s AND %s", IS_MARKETING, condition))
                for reason, condition in MARKETING_RULES
            ),
            *last_rules,
        ]
        cases = SQL(" ").join(
            SQL("WHEN %s THEN %s", condition, reason) for reason, condition in rules
        )
        return SQL("CASE %s END", cases)

    @api.model
    def _make_joins(self, now):
        """Return what rules about people need, beside ``m``, ``tpl`` and ``purpose``.

        :param datetime now: naive, UTC
        :rtype: SQL
        """
        return SQL(
            """JOIN res_company company ON company.id = m.company_id
               JOIN res_partner sender ON sender.id = company.partner_id
               CROSS JOIN (SELECT %s::timestamp AS now) clock
               %s""",
            now,
            CONSENT_JOINS,
        )

    @api.model
    def _fetch_facts(self, messages, now):
        """Return a row for each message that may have to wait or not go: the rule that
        holds, and what decides when.

        :param datetime now: naive, UTC
        :rtype: list[dict]
        """
        step_rules = get_step_rules(
            self.env["marketing.suppression"]._get_address_key()
        )
        return self.env.execute_query_dict(
            SQL(
                # OFFSET 0 has PostgreSQL work out the reason once a message, and look
                # for other messages only of those that have none.
                """SELECT m.*, others.last_at, others.is_outranked,
                          person.tz, country.code AS country, state.code AS state FROM (
                   SELECT m.id, m.channel, m.company_id, m.priority,
                          m.email_normalized, m.phone_sanitized, clock.now,
                          %(reason)s AS reason, capped.hours AS cap_hours,
                          %(is_marketing)s AND CASE m.channel
                              WHEN 'sms' THEN company.quiet_hours_sms
                              ELSE company.quiet_hours_email END AS has_quiet_hours,
                          m.partner_id, recipient.frequency, recipient.paused_until,
                          step.window_from, step.window_until,
                          step.window_days = 'weekdays' AS weekdays_only,
                          COALESCE(step.window_from != step.window_until
                                   OR step.window_days = 'weekdays', FALSE)
                              AS has_window,
                          m.channel = 'sms' AND %(is_marketing)s AND %(is_stranger)s
                              AS is_stranger
                     FROM marketing_message m
                     LEFT JOIN marketing_enrollment run ON run.id = m.enrollment_id
                     LEFT JOIN marketing_sequence_step step ON step.id = m.step_id
                     LEFT JOIN marketing_sequence seq ON seq.id = m.sequence_id
                     LEFT JOIN email_campaign campaign ON campaign.id = m.campaign_id
                     LEFT JOIN abandoned_cart cart ON cart.id = m.abandoned_cart_id
                     LEFT JOIN sale_order so ON so.id = cart.order_id
                     LEFT JOIN marketing_template tpl ON tpl.id = m.template_id
                     LEFT JOIN res_partner contact ON contact.id = m.partner_id
                    CROSS JOIN LATERAL (
                          SELECT CASE WHEN tpl.id IS NOT NULL THEN tpl.purpose
                                      WHEN cart.id IS NOT NULL THEN 'cart'
                                      ELSE 'offers' END AS code) purpose
                     %(joins)s
                    CROSS JOIN LATERAL (
                          SELECT CASE WHEN NOT %(is_marketing)s THEN 0
                                      ELSE GREATEST(%(wished_hours)s,
                                          CASE m.channel
                                          WHEN 'sms' THEN company.sms_cap_hours
                                          ELSE company.email_cap_hours END)
                                 END AS hours) capped
                    WHERE m.id = ANY(%(ids)s::int[]) OFFSET 0) m
                     LEFT JOIN LATERAL (%(others)s) others
                               ON m.reason IS NULL AND m.cap_hours > 0
                     LEFT JOIN res_partner person
                               ON person.id = m.partner_id
                              AND (m.has_quiet_hours OR m.has_window)
                     LEFT JOIN res_country country ON country.id = person.country_id
                     LEFT JOIN res_country_state state ON state.id = person.state_id
                   WHERE m.reason IS NOT NULL OR others.last_at IS NOT NULL
                      OR others.is_outranked OR m.has_quiet_hours OR m.has_window
                      OR m.is_stranger""",
                reason=self._make_reason(
                    [*CAMPAIGN_RULES, *CONTACT_RULES, *ADDRESS_RULES],
                    [
                        *CART_RULES,
                        *self._get_purchase_rules(),
                        *step_rules,
                        *LATE_RULES,
                    ],
                    IS_ASKED_FOR,
                ),
                others=OTHER_MESSAGES,
                is_marketing=IS_MARKETING,
                is_stranger=IS_STRANGER,
                wished_hours=SQL(
                    "COALESCE((%s::jsonb ->> recipient.frequency)::int, 0)",
                    json.dumps(WISHED_HOURS),
                ),
                joins=self._make_joins(now),
                # As one text: of a list psycopg2 makes a term for each id, which
                # PostgreSQL takes longer to parse than to look up.
                ids="{" + ",".join(map(str, messages.ids)) + "}",
            )
        )

    @api.model
    def _judge(self, facts, now):
        """Say what the facts of one message mean.

        :param dict facts: a row of :meth:`_fetch_facts`
        :param datetime now: naive, UTC
        :rtype: Decision | None
        """
        if facts["reason"] == "campaign_paused":
            # Back into the queue, where nobody takes it until it goes on.
            return Decision("campaign_paused", now)
        if facts["reason"] == "paused":
            return Decision("paused", facts["paused_until"])
        if facts["reason"] == "no_identity":
            return Decision("no_identity", now + timedelta(minutes=IDENTITY_MINUTES))
        if facts["reason"]:
            is_asking = facts["reason"] == "too_late"
            return Decision(facts["reason"], is_asking=is_asking)
        hours = facts["cap_hours"] or 0
        if facts["last_at"] and facts["last_at"] + timedelta(hours=hours) > now:
            wished = WISHED_HOURS.get(facts["frequency"]) == hours
            return Decision(
                "less_often" if wished else "frequency_cap",
                facts["last_at"] + timedelta(hours=hours),
            )
        if facts["is_outranked"]:
            later = now + timedelta(minutes=OUTRANKED_MINUTES)
            return Decision("frequency_cap", later)
        return self._judge_hours(facts, now)
