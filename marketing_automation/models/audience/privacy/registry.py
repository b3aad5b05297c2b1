"""What the addon stores about a person: one line for each table.

Whoever adds a table that says something about a person adds a line here. Forgetting,
the export, the privacy look-up and the retention periods all read this; a test fails
for a table, or a column of one, that nobody decided on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from odoo.tools import SQL, LazyTranslate

_lt = LazyTranslate(__name__)

# What is done when somebody is forgotten.
DELETE = "delete"
# The row stays for the figures, without anything that says whose it was.
ANONYMIZE = "anonymize"
# It holds a digest of the address, or is gone within minutes anyway.
KEEP = "keep"

NOTHING = SQL("NULL")


class Person(NamedTuple):
    """Somebody, by everything we know them by.

    :param emails: normalized addresses, also former ones
    :param numbers: in E.164
    :param partner_ids: all their contacts
    :param digests: of the addresses and numbers, see ``marketing.suppression``
    :param message_ids: their messages
    :param cart_ids: their abandoned carts
    """

    emails: tuple = ()
    numbers: tuple = ()
    partner_ids: tuple = ()
    digests: tuple = ()
    message_ids: tuple = ()
    cart_ids: tuple = ()

    @property
    def addresses(self):
        """All addresses and numbers."""
        return (*self.emails, *self.numbers)


class Period(NamedTuple):
    """How long rows are kept.

    :param setting: field of ``res.company``, in days; 0 keeps them for good
    :param since: SQL of the time from which it counts, of the row ``t``
    :param done: SQL of the rows that nobody needs any more and that are not done yet
    :param cleared: columns that are emptied then; None: as if the person was forgotten
    """

    setting: str
    since: SQL
    done: SQL = SQL("TRUE")
    cleared: dict | None = None


@dataclass(frozen=True)
class Stored:
    """One table with something about persons.

    :param model: its name; may be of a module that is not installed
    :param label: what it is, in the words of the export; None for what is gone within
        minutes or a day anyway: it is not worth a word
    :param find: returns the condition for a person's rows ``t``
    :param at_forget: ``DELETE``, ``ANONYMIZE`` or ``KEEP``
    :param cleared: columns that become something else when the row is anonymized;
        ``forgotten_at``, where there is one, becomes the time
    :param harmless: further texts and links of an anonymized row: they say nothing
        about whose it was
    :param hidden: columns that are not exported: they open doors or are our own
    :param company: SQL of the row's company
    :param period: how long its rows are kept, see :class:`Period`
    """

    model: str
    label: object
    find: Callable[[Person], SQL]
    at_forget: str
    cleared: dict = field(default_factory=dict)
    harmless: tuple = ()
    hidden: tuple = ()
    company: SQL | None = SQL("t.company_id")
    period: Period | None = None


def _by_message(person):
    return SQL("t.message_id = ANY(%s)", list(person.message_ids))


def _by_contact(person):
    return SQL("t.partner_id = ANY(%s)", list(person.partner_ids))


def _by_address(person):
    return SQL("t.address = ANY(%s)", list(person.addresses))


def _by_digest(person):
    return SQL("t.address_hash = ANY(%s)", list(person.digests))


OF_MESSAGE = SQL(
    "(SELECT m.company_id FROM marketing_message m WHERE m.id = t.message_id)"
)
OF_SEGMENT = SQL(
    "(SELECT s.company_id FROM customer_segment s WHERE s.id = t.segment_id)"
)
# The states remain, with their times; what servers said of an address goes.
HISTORY_WITHOUT_DETAILS = SQL(
    """(SELECT jsonb_agg(entry.value - 'detail' ORDER BY entry.ordinality)
          FROM jsonb_array_elements(CASE jsonb_typeof(t.history)
                                    WHEN 'array' THEN t.history END)
               WITH ORDINALITY AS entry)"""
)

# Not used yet: it cannot be, once nobody knows whose it was.
WITHDRAWN = SQL(
    """CASE WHEN t.marketing_redeemed_at IS NULL
            THEN COALESCE(t.marketing_revoked_at, now() AT TIME ZONE 'UTC')
            ELSE t.marketing_revoked_at END"""
)

# In this order: what hangs on a message or a cart comes before it.
STORED = [
    Stored(
        # Odoo's own table: of its cards, those that our rules made.
        "loyalty.card",
        _lt("Coupons"),
        lambda person: SQL(
            """t.marketing_coupon_id IS NOT NULL
               AND (t.marketing_email = ANY(%s) OR t.partner_id = ANY(%s))""",
            list(person.emails),
            list(person.partner_ids),
        ),
        ANONYMIZE,
        cleared={
            **{
                name: NOTHING
                for name in (
                    *("partner_id", "marketing_email", "marketing_enrollment_id"),
                    # A confirmed order says whose it is.
                    *("marketing_redeemed_order_id", "marketing_reserved_order_id"),
                    "order_id",
                )
            },
            "points": SQL("0"),
            "marketing_revoked_at": WITHDRAWN,
        },
        # Nobody can use the code any more.
        harmless=("code", "marketing_revoke_reason"),
        hidden=("code",),
    ),
    Stored(
        "marketing.short.link",
        _lt("Short links of text messages"),
        _by_message,
        DELETE,
        hidden=("code", "url"),
        company=OF_MESSAGE,
    ),
    Stored(
        "marketing.engagement",
        _lt("Openings, clicks and answers"),
        _by_message,
        ANONYMIZE,
        cleared={
            name: NOTHING
            for name in (
                *("url", "label", "detail", "user_agent", "country_id"),
                "external_id",
            )
        },
        # The message has been anonymized, too. "iPhone" and "Firefox" are nobody.
        harmless=("message_id", "client"),
        hidden=("external_id",),
        # What providers report comes without the column of the company.
        company=OF_MESSAGE,
        period=Period(
            "engagement_kept_days",
            SQL("t.occurred_at"),
            SQL("(t.user_agent IS NOT NULL OR t.detail IS NOT NULL)"),
            {"user_agent": NOTHING, "detail": NOTHING, "country_id": NOTHING},
        ),
    ),
    Stored(
        "marketing.reply",
        _lt("Replies"),
        lambda person: SQL(
            """(t.address = ANY(%s) OR t.partner_id = ANY(%s)
                OR t.message_id = ANY(%s))""",
            list(person.addresses),
            list(person.partner_ids),
            list(person.message_ids),
        ),
        DELETE,
        hidden=("external_id",),
        period=Period("engagement_kept_days", SQL("t.received_at")),
    ),
    Stored(
        "marketing.content",
        _lt("Contents of messages"),
        # What many received says nothing about one of them.
        lambda person: SQL(
            """t.checksum IS NULL AND t.id IN (
                   SELECT m.content_id FROM marketing_message m
                    WHERE m.id = ANY(%s))""",
            list(person.message_ids),
        ),
        DELETE,
        hidden=("checksum",),
    ),
    Stored(
        "marketing.message",
        _lt("Messages"),
        lambda person: SQL("t.id = ANY(%s)", list(person.message_ids)),
        ANONYMIZE,
        cleared={
            **{
                name: NOTHING
                for name in (
                    *("partner_id", "email", "email_normalized", "phone_sanitized"),
                    *("token", "message_ref", "subject", "content_id"),
                    *("content_values", "reason_detail", "opt_in_id"),
                    # The coupon is in the order it was used for.
                    "coupon_card_id",
                    "about",
                )
            },
            "history": HISTORY_WITHOUT_DETAILS,
            # Some are made of the address.
            "dedupe_key": SQL("'forgotten:' || t.id"),
        },
        harmless=("lang", "enrollment_id", "abandoned_cart_id"),
        hidden=("token", "dedupe_key", "message_ref", "content_values", "history"),
        period=Period(
            "message_kept_days",
            SQL("COALESCE(t.sending_at, t.create_date)"),
            SQL(
                """t.forgotten_at IS NULL AND t.state NOT IN ('queued', 'sending')
                   AND NOT EXISTS (
                       SELECT FROM marketing_enrollment run
                        WHERE run.id = t.enrollment_id
                          AND run.state IN ('active', 'paused'))"""
            ),
        ),
    ),
    Stored(
        "marketing.enrollment",
        _lt("Sequences"),
        lambda person: SQL(
            "(t.email_normalized = ANY(%s) OR t.abandoned_cart_id = ANY(%s)"
            " OR t.contact_id = ANY(%s))"
            " AND (t.email_normalized IS NOT NULL OR t.contact_id IS NOT NULL)",
            list(person.emails),
            list(person.cart_ids),
            list(person.partner_ids),
        ),
        ANONYMIZE,
        cleared={
            "email_normalized": NOTHING,
            "contact_id": NOTHING,
            "coupon_card_id": NOTHING,
        },
        harmless=("abandoned_cart_id",),
    ),
    Stored(
        "abandoned.cart",
        _lt("Abandoned carts"),
        lambda person: SQL("t.id = ANY(%s)", list(person.cart_ids)),
        ANONYMIZE,
        cleared={
            **{
                name: NOTHING
                for name in (
                    *("partner_id", "customer_name", "email", "email_normalized"),
                    *("phone", "phone_sanitized", "lines", "content", "token"),
                    # A confirmed order says whose it is.
                    *("order_id", "recovered_order_id"),
                )
            },
            "name": SQL("'–'"),
            "state": SQL(
                """CASE WHEN t.state IN ('abandoned', 'recovery_started')
                        THEN 'expired' ELSE t.state END"""
            ),
        },
        harmless=(
            *("returned_message_id", "recovered_message_id", "lang"),
            "robot_signals",
        ),
        hidden=("token",),
        period=Period(
            "cart_kept_days",
            SQL("t.expires_at"),
            # Until then, detection looks whether it knows the cart.
            SQL(
                """t.forgotten_at IS NULL
                   AND t.state IN ('recovered', 'expired', 'excluded')"""
            ),
        ),
    ),
    Stored(
        "marketing.preference",
        _lt("Consent"),
        _by_address,
        DELETE,
        hidden=("address_hash",),
    ),
    Stored(
        "marketing.recipient",
        _lt("Wishes about frequency and language"),
        _by_address,
        DELETE,
    ),
    Stored(
        "marketing.consent.log",
        _lt("Proof of consent"),
        _by_digest,
        KEEP,
        hidden=("address_hash",),
    ),
    Stored(
        "marketing.suppression",
        _lt("Addresses that are never written to"),
        _by_digest,
        KEEP,
        company=None,
    ),
    Stored(
        "marketing.opt.in",
        _lt("Requests for consent"),
        _by_address,
        DELETE,
        hidden=("token",),
        period=Period(
            "opt_in_kept_days", SQL("t.expires_at"), SQL("t.state = 'pending'")
        ),
    ),
    Stored("marketing.customer.metrics", _lt("Customer figures"), _by_contact, DELETE),
    Stored("marketing.customer.change", None, _by_contact, DELETE),
    Stored(
        "marketing.metrics.task",
        None,
        # The intervals of the nightly pass are about nobody.
        lambda person: SQL(
            """t.first_partner_id = t.last_partner_id
               AND t.first_partner_id = ANY(%s)""",
            list(person.partner_ids),
        ),
        DELETE,
    ),
    Stored(
        "segment.membership",
        _lt("Segments"),
        _by_contact,
        DELETE,
        company=OF_SEGMENT,
    ),
    Stored(
        "segment.membership.event",
        _lt("Entries into segments and exits"),
        _by_contact,
        DELETE,
        company=OF_SEGMENT,
        period=Period("membership_kept_days", SQL("t.at")),
    ),
    Stored(
        "customer.segment.import",
        None,
        # Nobody can tell who is in a file; the dialog is gone in an hour anyway.
        lambda person: SQL("%s", bool(person.addresses)),
        DELETE,
        company=None,
    ),
    Stored(
        "marketing.sequence.replay.line",
        None,
        lambda person: SQL(
            "t.email_normalized = ANY(%s) OR t.partner_id = ANY(%s)",
            list(person.emails),
            list(person.partner_ids),
        ),
        DELETE,
    ),
    Stored(
        "marketing.privacy.wizard",
        None,
        lambda person: SQL(
            "t.address = ANY(%s) OR t.partner_id = ANY(%s)",
            list(person.addresses),
            list(person.partner_ids),
        ),
        DELETE,
        company=None,
    ),
]
# Links that others' tables have to ours, and what becomes of them.
LINKS = {
    ("sale_order", "attributed_message_id"): "becomes a sum on the message",
    (
        "sale_order_restored_cart_rel",
        "sale_order_id",
    ): "deleted with the person's carts",
    ("sale_order_restored_cart_rel", "abandoned_cart_id"): "the same",
    # What Odoo keeps of a coupon that was used is the order's, as a discount is.
    ("sale_order_line", "coupon_id"): "stays, as the order does",
    ("sale_order_coupon_points", "coupon_id"): "the same",
    ("loyalty_history", "card_id"): "the same",
    ("loyalty_card_sale_order_rel", "sale_order_id"): "carts: taken off when looked at",
    ("loyalty_card_sale_order_rel", "loyalty_card_id"): "the same",
    ("loyalty_card_update_balance", "card_id"): "a dialog",
    ("coupon_share", "coupon_id"): "a dialog",
    ("payment_transaction", "marketing_card_id"): "the same",
    ("loyalty_card", "marketing_enrollment_id"): "emptied with the rest of the card",
    ("customer_segment_add_res_partner_rel", "res_partner_id"): "a dialog",
    ("email_campaign_test_res_partner_rel", "res_partner_id"): "a dialog",
    ("marketing_record_consent_res_partner_rel", "res_partner_id"): "a dialog",
    (
        "marketing_message_marketing_message_send_again_rel",
        "marketing_message_id",
    ): "a dialog",
}
# Models with columns that look personal and are not.
NOT_PERSONAL = {
    # How many messages, by day and campaign or mail domain; a domain with a few is not
    # named. Nothing in them is about a person, so that they stay for good.
    "campaign.daily.stats": (),
    "email.deliverability.stats": (),
    # How many can be reached, and why the others cannot.
    "customer.segment": ("reach_email",),
    # Who of the shop wrote it: it has their rights.
    "customer.segment.condition": ("writer_id",),
    # The how many-th of a series a campaign is.
    "email.campaign": ("repeat_number",),
    # Who of the shop changed a sequence; the number of the version.
    "marketing.sequence.version": ("number", "user_id"),
    # The shop's own account, and who looks after it.
    "marketing.provider": (
        *("from_email", "mail_server_id", "twilio_auth_token", "webhook_token"),
        "user_id",
    ),
}
