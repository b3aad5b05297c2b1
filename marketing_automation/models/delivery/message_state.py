"""How a message moves through its states: forward only, through one method each for
what we do ourselves and for what providers report."""

import logging

from psycopg2 import InterfaceError, OperationalError

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.storable import make_storable
from ..mailbox import normalize_address
from .states import (
    ALLOWED_FROM,
    ENGAGEMENT_KINDS,
    KNOWN_RANK,
    PERHAPS_REACHED_STATES,
    REPORTS,
)

_logger = logging.getLogger(__name__)


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    # === WHAT WE DO ===#

    def _set_state(self, state, reason=None, detail=None, **vals):
        """Move messages to ``state``; those that cannot go there stay as they are.

        :param str state: key of ``STATES``
        :param str reason: key of ``reason``
        :param str detail: what the provider or the error said
        :param vals: further values to write on the messages that moved
        :return: the messages that moved
        :rtype: marketing.message
        """
        moved = self._change_states(
            [(message_id, {}) for message_id in self.ids], state, reason, detail
        )
        if vals:
            moved.write(vals)
        return moved

    @api.model
    def _change_states(self, changes, state, reason=None, detail=None):
        """Move messages to ``state`` in one statement, each with values of its own.

        :param list changes: pairs (message id, dict); the dict may have ``reason`` and
            ``detail`` in place of the common ones, and ``scheduled_at``, ``attempts``,
            ``sent_at``, ``message_ref``, which keep their values when left out
        :param str state: key of ``STATES``
        :return: the messages that moved
        :rtype: marketing.message
        """
        if not changes:
            return self.browse()
        self.flush_model()
        now = fields.Datetime.now()
        rows = [
            (
                message_id,
                vals.get("reason", reason),
                make_storable(vals.get("detail", detail) or "")[:250] or None,
                vals.get("scheduled_at"),
                vals.get("attempts"),
                vals.get("sent_at"),
                vals.get("message_ref"),
            )
            for message_id, vals in changes
        ]
        moved = self._execute_values(
            SQL(
                """UPDATE marketing_message m
                      SET state = %(state)s, state_changed_at = %(now)s,
                          reason = v.reason, reason_detail = v.detail,
                          scheduled_at = COALESCE(v.scheduled_at, m.scheduled_at),
                          attempts = COALESCE(v.attempts, m.attempts),
                          sent_at = COALESCE(v.sent_at, m.sent_at),
                          message_ref = COALESCE(v.message_ref, m.message_ref),
                          history = COALESCE(m.history, '[]') || %(entry)s
                     FROM (VALUES %%s) AS v (id, reason, detail, scheduled_at, attempts,
                                             sent_at, message_ref)
                    WHERE m.id = v.id AND m.state = ANY(%(allowed)s)
                RETURNING m.id""",
                state=state,
                now=now,
                entry=self._get_history_entry(SQL("%s", now), SQL("%s", state)),
                allowed=ALLOWED_FROM[state],
            ),
            rows,
            "(%s, %s::varchar, %s::varchar, %s::timestamp, %s::int, %s::timestamp,"
            " %s::varchar)",
        )
        messages = self.browse(message_id for (message_id,) in moved)
        messages.invalidate_recordset()
        return messages

    @api.model
    def _get_history_entry(self, at, state):
        """Return SQL of one entry of ``history``; reason and detail are of ``v``."""
        return SQL(
            """jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
                   'at', %s::timestamp, 'state', %s::varchar, 'reason', v.reason,
                   'detail', v.detail)))""",
            at,
            state,
        )

    @api.model
    def _execute_values(self, query, rows, template):
        """Run a statement over many rows; ``query`` has its own parameters, and ``%s``
        (written ``%%s``) where the rows belong.

        :return: the returned rows
        :rtype: list[tuple]
        """
        statement = self.env.cr.mogrify(query.code, query.params).decode()
        return self.env.cr.execute_values(
            statement, rows, template=template, page_size=5000, fetch=True
        )

    # === WHAT PROVIDERS REPORT ===#

    @api.model
    def _apply_events(self, events, provider=None):
        """Take in what providers report: states, engagement, suppressions.

        Events may come late, more than once and in any order. Those about messages that
        we do not know change nothing, but for the address they want suppressed.

        :param list events: DeliveryEvent
        :param marketing.provider provider: whose reports they are
        :return: number of events whose message was found
        :rtype: int
        """
        events = list(events)
        try:
            with self.env.cr.savepoint():
                return self._apply_together(events, provider)
        except (InterfaceError, OperationalError):
            raise  # Not an event's fault: the request is done again.
        except Exception:
            self.env.invalidate_all(flush=False)
            if len(events) == 1:
                _logger.exception("An event could not be taken in")
                return 0
            half = len(events) // 2
            return sum(
                self._apply_events(part, provider)
                for part in (events[:half], events[half:])
            )

    @api.model
    def _apply_together(self, events, provider):
        """Take in events, all or none.

        :return: number of events whose message was found
        :rtype: int
        """
        found = [
            (event, message) for event, message in self._match_events(events, provider)
        ]
        known = [(event, message) for event, message in found if message]
        self._apply_reports(known)
        recorded = self._record_engagement(known, provider)
        self._suppress_reported(found)
        self._suppress_bounced(known)
        self.env["marketing.reply"].sudo()._keep(found, provider)
        recorded._on_replied()
        return len(known)

    @api.model
    def _match_events(self, events, provider):
        """Find the messages of events: by our key, the provider's, or the number.

        :return: pairs (event, message or empty)
        """
        by_key = self._find_by_keys({event.uuid for event in events if event.uuid})
        by_ref = self._find_by_refs(
            {event.ref for event in events if event.ref and event.uuid not in by_key},
            provider,
        )
        for event in events:
            message = by_key.get(event.uuid) or self._choose(
                by_ref.get(event.ref, self.browse()), event.address
            )
            if not message and not (event.uuid or event.ref) and event.address:
                message = self._find_latest_to(event.address)
            yield event, message or self.browse()

    @api.model
    def _find_by_refs(self, refs, provider):
        if not refs or not provider:
            return {}
        messages = self.search(
            [("message_ref", "in", list(refs)), ("provider_id", "=", provider.id)]
        )
        return messages.grouped("message_ref")

    @api.model
    def _choose(self, candidates, address):
        """Return the message that an event speaks of, of those with the same reference:
        a call for a thousand people has one.

        :param marketing.message candidates: messages with the reference
        :param str address: the person, where the event names one
        :return: the message; empty when it is not certain
        """
        if len(candidates) <= 1:
            return candidates
        return candidates.filtered(
            lambda message: (
                address
                and (normalize_address(address) or address)
                in (message.email_normalized, message.phone_sanitized)
            )
        )[:1]

    @api.model
    def _find_latest_to(self, address):
        """Return the last message to an address: what somebody answers to."""
        field = "email_normalized" if "@" in address else "phone_sanitized"
        return self.search(
            [(field, "=", address), ("state", "in", PERHAPS_REACHED_STATES)],
            order="sending_at desc",
            limit=1,
        )

    @api.model
    def _apply_reports(self, pairs):
        """Move messages to the furthest state that is reported of each."""
        furthest = {}
        reasons = dict(self._fields["reason"].selection)
        for event, message in pairs:
            if event.kind not in REPORTS:
                continue
            state, reason, rank = REPORTS[event.kind]
            row = (
                message.id,
                state,
                # Bounces explain themselves; of a failure the provider knows more.
                event.reason
                if state == "failed" and event.reason in reasons
                else reason,
                make_storable(event.detail or "")[:250] or None,
                rank,
                event.occurred_at,
            )
            if message.id not in furthest or furthest[message.id][4] < rank:
                furthest[message.id] = row
        if not furthest:
            return
        self.flush_model()
        self._execute_values(
            SQL(
                """UPDATE marketing_message m
                      SET state = v.state, state_changed_at = v.at, reason = v.reason,
                          reason_detail = v.detail,
                          sent_at = COALESCE(m.sent_at, v.at),
                          history = COALESCE(m.history, '[]') || %s
                     FROM (VALUES %%s) AS v (id, state, reason, detail, rank, at)
                    WHERE m.id = v.id AND m.provider_id IS NOT NULL AND %s < v.rank
                RETURNING m.id""",
                self._get_history_entry(SQL("v.at"), SQL("v.state")),
                KNOWN_RANK,
            ),
            sorted(furthest.values()),
            "(%s, %s::varchar, %s::varchar, %s::varchar, %s, %s::timestamp)",
        )
        self.browse(furthest).invalidate_recordset()

    @api.model
    def _record_engagement(self, pairs, provider):
        """Write down what people did.

        :return: messages that were answered
        :rtype: marketing.message
        """
        rows = [
            {
                "message_id": message.id,
                "kind": ENGAGEMENT_KINDS[event.kind],
                "occurred_at": event.occurred_at,
                "url": event.url,
                "user_agent": event.user_agent,
                "ip": event.ip,
                "is_machine": event.is_machine,
                "external_id": event.external_id,
                "provider_id": provider.id if provider else None,
                "detail": event.text or event.detail,
            }
            for event, message in pairs
            if event.kind in ENGAGEMENT_KINDS
        ]
        self.env["marketing.engagement"]._record_events(rows)
        return self.browse(
            {message.id for event, message in pairs if event.kind == "reply"}
        )

    def _on_replied(self):
        """Somebody answered: a person takes over, the reminders end."""
        self.enrollment_id._stop("replied")
