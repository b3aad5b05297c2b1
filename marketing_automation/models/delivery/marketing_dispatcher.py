import logging
import random
import time
from datetime import datetime, timedelta, timezone

from psycopg2 import InterfaceError, OperationalError, errors

from odoo import api, fields, models

from ...providers.base import NOT_REACHED, SendResult

_logger = logging.getLogger(__name__)

BATCH_SIZE = 250
# SendGrid takes a thousand people in one call where they receive the same.
BATCH_SIZES = {"sendgrid": 1000}
# A batch begins no other message after this: a run stays well below the limits of
# scheduled actions (limit-time-real-cron, 120 seconds), whatever the provider does.
HAND_OVER_SECONDS = 40.0
MAX_ATTEMPTS = 10
FIRST_PAUSE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 4 * 3600
# What fails because of the account waits this long for another try.
HELD_SECONDS = 5 * 60
# Another worker had the same rows at the same moment: try again, soon.
MAX_TRIES = 12
CONFLICTS = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.UniqueViolation,
)
# While a rate holds messages back, other work is looked for this often.
LOOK_AGAIN_SECONDS = 1.0
# Results of messages that did not leave and may leave at once.
BACK_AT_ONCE = {NOT_REACHED}


class Adapters:
    """The adapters of a run of batches: connections are opened once."""

    def __init__(self):
        self._adapters = {}

    def get(self, provider):
        """Return the adapter of an account, as it was set up when it was first used.

        :param marketing.provider provider: the account
        :rtype: odoo.addons.marketing_automation.providers.base.Provider
        """
        if provider.id not in self._adapters:
            self._adapters[provider.id] = provider._get_adapter()
        return self._adapters[provider.id]

    def close(self):
        """Release all connections."""
        for adapter in self._adapters.values():
            adapter.close()
        self._adapters.clear()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


class MarketingDispatcher(models.AbstractModel):
    """The only one that talks to providers.

    For each batch: claim within the limits of the account and commit; ask the gate;
    write the messages; commit; hand over; write the results; commit. Whatever crashes
    in between, a message is handed over at most once: claimed messages are never
    claimed again.
    """

    _name = "marketing.dispatcher"
    _description = "Marketing Dispatcher"

    # === CRON METHODS ===#

    @api.model
    def _cron_dispatch(self):
        """Hand over what is due, batch by batch, until time or work runs out."""
        cron = self.env["ir.cron"]
        messages = self.env["marketing.message"]
        messages._settle_lost()
        cron._commit_progress(remaining=1)
        with Adapters() as adapters:
            while count := self._dispatch_batch(adapters=adapters):
                if not cron._commit_progress(count, remaining=1):
                    return self._run_again("marketing_automation.ir_cron_dispatch")
        # What is still due waits for its account, not for us.
        cron._commit_progress(remaining=0)
        self._wake_up_next()

    # === BUSINESS METHODS ===#

    @api.model
    def _dispatch_batch(self, limit=None, adapters=None):
        """Claim and hand over up to ``limit`` messages. Commits in between.

        :param int limit: number of messages; empty: what suits the account
        :param Adapters adapters: connections to go on with; empty: none are kept
        :return: number of messages claimed; 0 when nothing is due that may leave now
        :rtype: int
        """
        # Each of these is a transaction, done again when it meets another one (a click,
        # a customer who is back, a second worker). Handing over is never done again.
        claimed, provider, wait = self._claim_in_time(limit)
        if not claimed:
            return 0
        # What is about to leave is on record before it leaves.
        batch = self._prepare_claimed(claimed, provider)
        if batch:
            time.sleep(min(wait, HAND_OVER_SECONDS))
            results = self._hand_over(provider, batch, adapters)
            self._settle(provider, results)
        return len(claimed)

    @api.model
    def _settle(self, provider, results):
        """Write the results of a hand-over, also when the connection to the database
        was lost meanwhile: what is known now, nobody can find out later."""
        try:
            self._in_transaction(self._write_results, provider, results)
        except (InterfaceError, OperationalError) as error:
            if isinstance(error, CONFLICTS) or not self.env.cr.closed:
                raise
            with self.env.registry.cursor() as cr:
                anew = self.with_env(self.env(cr=cr))
                anew._write_results(provider.with_env(anew.env), results)
            raise

    @api.model
    def _claim_in_time(self, limit):
        """Claim messages; where only the rate of an account is in the way, wait for it.

        :return: as of :meth:`_claim_batch`
        """
        give_up_at = time.monotonic() + HAND_OVER_SECONDS
        while True:
            claimed, provider, wait = self._in_transaction(self._claim_batch, limit)
            if claimed or wait is None or time.monotonic() + wait > give_up_at:
                return claimed, provider, wait
            # With jitter: others wait for the same moment. And other accounts or
            # channels may have something to do earlier.
            time.sleep(min(wait, LOOK_AGAIN_SECONDS) + random.uniform(0.01, 0.05))

    @api.model
    def _in_transaction(self, method, *args):
        """Call ``method`` and commit; try again when another worker was in the way.

        :return: what ``method`` returned
        """
        cron = self.env["ir.cron"]
        for attempt in range(1, MAX_TRIES + 1):
            # A new transaction sees what happened meanwhile.
            cron._commit_progress()
            try:
                result = method(*args)
                self.env.flush_all()
                cron._commit_progress()
                return result
            except CONFLICTS:
                self.env.cr.rollback()
                self.env.transaction.reset()
                if attempt == MAX_TRIES:
                    raise
                time.sleep(random.uniform(0, min(0.02 * 2**attempt, 2)))

    @api.model
    def _claim_batch(self, limit):
        """Claim messages of one company and channel for an account that has room.

        :return: messages, their account, and the seconds to wait until its rate allows
            them; without messages the seconds until some rate allows any, None when
            no rate is in the way
        :rtype: tuple
        """
        messages = self.env["marketing.message"]
        pauses = []
        for company, channel in messages._get_due_lanes():
            accounts = self.env["marketing.provider"]._get_accounts(company, channel)
            for provider in accounts:
                claimed, wait = self._claim_for(provider, company, channel, limit)
                if claimed:
                    return claimed, provider, wait
                if wait is not None:
                    pauses.append(wait)
        return messages, None, min(pauses, default=None)

    @api.model
    def _claim_for(self, provider, company, channel, limit):
        """Claim messages for an account, within its limits.

        :return: messages, and the seconds to wait until its rate allows them; None when
            there are none to be had and its rate is not the reason
        :rtype: tuple
        """
        usage = self.env["marketing.provider.usage"]
        limit = limit or BATCH_SIZES.get(provider.kind, BATCH_SIZE)
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        counters = usage._lock(provider)
        room, throttle = usage._get_room(provider, counters, now)
        limit = limit if room is None else min(limit, room)
        messages = self.env["marketing.message"]
        if limit <= 0:
            return messages, usage._get_rate_pause(provider, counters, now)
        messages._postpone_throttled(
            company,
            {
                rule.domain: rule.per_minute
                for rule in provider.sudo().throttle_ids
                if not throttle[rule.domain]
            },
            now,
        )
        claimed = messages._claim(limit, company, channel, throttle)
        if not claimed:
            return claimed, None
        return claimed, usage._take(provider, counters, claimed, now)

    @api.model
    def _prepare_claimed(self, claimed, provider):
        """Make claimed messages ready; what goes wrong before the hand-over is known
        not to have left, and is tried again later.

        :return: what to hand over
        :rtype: list[OutgoingEmail | OutgoingSms]
        """
        try:
            return self._in_transaction(self._prepare, claimed, provider)
        except Exception as error:
            _logger.exception("A batch could not be prepared")
            self.env.cr.rollback()
            self.env.transaction.reset()
            self._in_transaction(self._put_back, claimed, provider, str(error))
            return []

    @api.model
    def _put_back(self, claimed, provider, error):
        for message in claimed.filtered(lambda message: message.state == "sending"):
            self._try_later(message, SendResult("", "retry", "", "not_prepared", error))
        self.env["marketing.provider.usage"]._give_back(provider, len(claimed))

    @api.model
    def _prepare(self, claimed, provider):
        """Ask the gate about claimed messages and write those that may go.

        :return: what to hand over
        :rtype: list[OutgoingEmail | OutgoingSms]
        """
        passed = self.env["marketing.coupon"]._issue_for(claimed._skip_blocked())
        batch = self._compose_passed(passed, provider)
        self.env["marketing.provider.usage"]._give_back(
            provider, len(claimed) - len(batch)
        )
        return batch

    @api.model
    def _compose_passed(self, messages, provider):
        company = messages.company_id
        sender = provider._get_sender(company) if company else ""
        if (
            messages
            and not sender
            and provider.channel == "email"
            and provider.kind != "sandbox"
        ):
            error = self.env._(
                "No sender address: enter one here or on %s.", company.name
            )
            self._hold([(message.id, {}) for message in messages], "no_sender")
            provider._note_error(error)
            return []
        return self.env["marketing.composer"]._compose(messages, provider, sender)

    @api.model
    def _hand_over(self, provider, batch, adapters=None):
        """Give a batch to its provider; never raises.

        :param Adapters adapters: connections to go on with

        :return: one result per message
        :rtype: list[SendResult]
        """
        kept = adapters if adapters is not None else Adapters()
        try:
            adapter = kept.get(provider)
        except Exception as error:
            _logger.exception("Provider %s cannot be used", provider.id)
            # Nothing was handed over.
            return [
                SendResult(item.uuid, "retry", "", "provider_error", str(error))
                for item in batch
            ]
        try:
            return adapter.send(batch, time.monotonic() + HAND_OVER_SECONDS)
        except Exception as error:
            # Nobody knows how far it got: not sent again without somebody looking.
            _logger.exception("Provider %s failed", provider.id)
            return [
                SendResult(item.uuid, "uncertain", "", "provider_error", str(error))
                for item in batch
            ]
        finally:
            if adapters is None:
                kept.close()

    # === RESULTS ===#

    @api.model
    def _write_results(self, provider, results):
        """Settle messages by what their provider said of each.

        :param marketing.provider provider: who was handed the messages
        :param list results: SendResult, one per message
        """
        messages = self.env["marketing.message"]
        found = messages._find_by_keys([result.uuid for result in results])
        outcomes = {"accepted": [], "retry": [], "rejected": [], "uncertain": []}
        for result in results:
            if result.uuid in found:  # Otherwise deleted meanwhile, with its cart.
                outcomes[result.status].append((found[result.uuid], result))
        is_working = bool(outcomes["accepted"])
        self._write_accepted(provider, outcomes["accepted"])
        messages._change_states(self._explain(outcomes["rejected"]), "failed")
        messages._change_states(self._explain(outcomes["uncertain"]), "uncertain")
        self._retry(provider, outcomes["retry"], is_working)
        self._suppress_refused(outcomes["rejected"])

    @api.model
    def _explain(self, pairs):
        return [
            (
                message.id,
                {
                    "reason": result.reason or None,
                    "detail": result.detail,
                    "message_ref": result.ref or None,
                },
            )
            for message, result in pairs
        ]

    @api.model
    def _write_accepted(self, provider, pairs):
        if not pairs:
            return
        now = fields.Datetime.now()
        self.env["marketing.message"]._change_states(
            [
                (message.id, {"sent_at": now, "message_ref": result.ref or None})
                for message, result in pairs
            ],
            "sent",
        )
        provider._note_success()

    @api.model
    def _retry(self, provider, pairs, is_working):
        """Put messages back into the queue: at once, for later, or for good.

        :param list pairs: messages with their results
        :param bool is_working: whether the account took other messages of the batch:
            what it says of itself is then about this message (a country that it may
            not write to), which is given up some time
        """
        account_reasons = set() if is_working else provider._get_account_reasons()
        held = [pair for pair in pairs if pair[1].reason in account_reasons]
        at_once = [pair for pair in pairs if pair[1].reason in BACK_AT_ONCE]
        for message, result in pairs:
            if result.reason not in account_reasons | BACK_AT_ONCE:
                self._try_later(message, result)
        self.env["marketing.message"]._change_states(self._explain(at_once), "queued")
        self._hold(self._explain(held))
        if held:
            _message, result = held[0]
            provider._note_error(result.detail or result.reason)
        self.env["marketing.provider.usage"]._give_back(provider, len(pairs))

    @api.model
    def _try_later(self, message, result):
        """Put one message back for another attempt, or give up on it.

        Pauses double from a minute up to four hours, with jitter so that messages that
        failed together do not come back together.
        """
        attempts = message.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            message._set_state(
                "failed", "too_many_attempts", result.detail, attempts=attempts
            )
            return
        pause = min(FIRST_PAUSE_SECONDS * 2**attempts, LONGEST_PAUSE_SECONDS)
        message._set_state(
            "queued",
            result.reason,
            result.detail,
            attempts=attempts,
            scheduled_at=self._later(pause),
        )

    @api.model
    def _hold(self, changes, reason=None):
        """Let messages wait until the account works again; not counted as attempts."""
        self.env["marketing.message"]._change_states(
            [
                (message_id, {**vals, "scheduled_at": self._later(HELD_SECONDS)})
                for message_id, vals in changes
            ],
            "queued",
            reason,
        )

    @api.model
    def _suppress_refused(self, pairs):
        """Respect an opt-out that only the provider knew of."""
        opted_out = {
            message.phone_sanitized
            for message, result in pairs
            if result.reason == "opted_out" and message.phone_sanitized
        }
        self.env["marketing.message"]._suppress("phone.blacklist", "number", opted_out)

    @api.model
    def _later(self, seconds):
        jittered = seconds * random.uniform(0.75, 1.25)
        return fields.Datetime.now() + timedelta(seconds=jittered)
