"""The states of a message, and what may follow what."""

from odoo.tools import SQL

STATES = [
    ("queued", "Queued"),
    ("sending", "Sending"),
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("bounced", "Bounced"),
    ("failed", "Failed"),
    ("skipped", "Skipped"),
    ("cancelled", "Cancelled"),
    ("uncertain", "Uncertain"),
]
# From which states a message may get to each by our own doing. `queued` after `sending`
# is the one way back, for what the provider has certainly not taken.
ALLOWED_FROM = {
    "queued": ["sending"],
    "sending": ["queued"],
    "sent": ["sending", "uncertain"],
    "delivered": ["sending", "sent", "uncertain"],
    "bounced": ["sending", "sent", "delivered", "uncertain"],
    "failed": ["queued", "sending", "uncertain"],
    "skipped": ["queued", "sending"],
    "cancelled": ["queued"],
    "uncertain": ["sending"],
}
# States of messages that reached the person, as far as anybody knows.
REACHED_STATES = ("sent", "delivered", "bounced")
# States in which the person may have the message, or may get it any moment.
PERHAPS_REACHED_STATES = ("sending", "uncertain", *REACHED_STATES)

# What a report of the provider makes of a message: state, reason and rank. A report
# of a higher rank than what is known wins, so that any order and repetition of the
# same reports ends in the same state.
REPORTS = {
    "sent": ("sent", None, 2),
    "delivered": ("delivered", None, 3),
    "failed": ("failed", "undelivered", 4),
    "bounced_soft": ("bounced", "bounced_soft", 5),
    "bounced_hard": ("bounced", "bounced_hard", 6),
}
# The rank of what is known. Before the hand-over there is nothing to be reported; what
# a person settled by hand is a guess that a report corrects.
KNOWN_RANK = SQL(
    """CASE WHEN m.state = 'bounced' AND m.reason = 'bounced_hard' THEN 6
            WHEN m.state = 'bounced' THEN 5
            WHEN m.state = 'failed' AND m.reason = 'settled' THEN 1
            WHEN m.state = 'failed' THEN 4
            WHEN m.state = 'delivered' THEN 3
            WHEN m.state = 'sent' THEN 2
            WHEN m.state = 'uncertain' THEN 1
            ELSE 0 END"""
)
# What a report says about the person rather than about the message.
ENGAGEMENT_KINDS = {
    "open": "open",
    "click": "click",
    "complaint": "complaint",
    "unsubscribe": "unsubscribe",
    "reply": "reply",
    "bounced_soft": "bounce",
    "bounced_hard": "bounce",
}
