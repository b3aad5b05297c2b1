import logging
import pathlib
import random
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from psycopg2 import InterfaceError, OperationalError, errors

from odoo import api, fields, models
from odoo.service.server import CommonServer
from odoo.tools import config

from ...providers.address import InvalidAddress, parse_mailbox
from ...providers.base import NOT_REACHED, SendResult
from ...tools import stopping
from ...tools.hand_over_journal import Journal

_logger = logging.getLogger(__name__)

# Messages are made ready while nothing leaves. The machine's speed decides how many at
# a time: the account's server should not wait longer than this for the next one. Each
# batch has a few dozen statements, whatever its size: five hundred share them well.
PREPARE_SECONDS = 0.4
FIRST_BATCH_SIZE, LEAST_BATCH_SIZE, BATCH_SIZE = 100, 25, 500
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
# What goes wrong with one message in preparing a batch is looked for this long; the
# rest of the batch goes back into the queue.
SEARCH_SECONDS = 30.0
# Results of messages that did not leave and may leave at once.
BACK_AT_ONCE = {NOT_REACHED}
# What is never about the message, also when the account has just taken others.
ALWAYS_OF_ACCOUNT = {"connect_failed", "auth_failed", "rate_limited"}


# A threaded server ends in the middle of what its scheduled actions do, unless it is
# asked to wait.
CommonServer.on_stop(stopping.finish)


class Adapters:
    """The adapters of a run of batches: connections are opened once. And the journal
    they write down in what they have begun.

    :param str database: name of the database
    """

    def __init__(self, database):
        self._adapters = {}
        self._seconds_each = None
        self.journal = Journal(get_journal_folder(), database)

    def get(self, provider):
        """Return the adapter of an account, as it was set up when it was first used.

        :param marketing.provider provider: the account
        :rtype: odoo.addons.marketing_automation.providers.base.Provider
        """
        if provider.id not in self._adapters:
            self._adapters[provider.id] = provider._get_adapter()
        adapter = self._adapters[provider.id]
        adapter.journal = self.journal
        return adapter

    def get_batch_size(self, provider):
        """Return how many messages to claim, so that making them ready is no pause.

        :rtype: int
        """
        if provider.kind in BATCH_SIZES:
            return BATCH_SIZES[provider.kind]
        if not self._seconds_each:
            return FIRST_BATCH_SIZE
        size = int(PREPARE_SECONDS / self._seconds_each)
        return min(max(size, LEAST_BATCH_SIZE), BATCH_SIZE)

    def note_pace(self, count, seconds):
        """Take in how long it took to make messages ready."""
        self._seconds_each = seconds / count

    def close(self):
        """Release all connections."""
        for adapter in self._adapters.values():
            adapter.close()
        self._adapters.clear()
        self.journal.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


def get_journal_folder():
    """Return where journals of batches are kept.

    :rtype: pathlib.Path
    """
    return pathlib.Path(config["data_dir"]) / "marketing_automation" / "hand_over"


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
        self._take_over_lost()
        self.env["marketing.message"]._settle_lost()
        cron._commit_progress(remaining=1)
        with Adapters(self.env.cr.dbname) as adapters:
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

        Nothing is begun any more while the server is being stopped.

        :param int limit: number of messages; empty: what suits the account
        :param Adapters adapters: connections to go on with; empty: none are kept
        :return: number of messages claimed; 0 when nothing is due that may leave now
        :rtype: int
        """
        if adapters is None:
            with Adapters(self.env.cr.dbname) as adapters:
                return self._dispatch_batch(limit, adapters)
        with stopping.unfinished():
            if stopping.is_stopping():
                return 0
            return self._claim_and_hand_over(limit, adapters)

    @api.model
    def _claim_and_hand_over(self, limit, adapters):
        """Do what :meth:`_dispatch_batch` says, without looking whether it may.

        Each step but handing over is a transaction, done again when it meets another
        one (a click, a customer who is back, a second worker).
        """
        begun_at = time.monotonic()
        claimed, provider, wait = self._in_transaction(
            self._claim_batch, limit, adapters
        )
        if not claimed:
            if wait is not None:
                # Only a rate is in the way: others use this thread until then.
                now = datetime.now(timezone.utc).replace(tzinfo=None)
                self._wake_up(now + timedelta(seconds=wait))
            return 0
        # What is about to leave is on record before it leaves.
        batch = self._prepare_claimed(claimed, provider)
        adapters.note_pace(len(claimed), time.monotonic() - begun_at)
        if batch:
            time.sleep(wait)
            results = self._hand_over(provider, batch, adapters)
            self._settle(provider, results)
        adapters.journal.settle()
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
        except Exception:
            _logger.exception("Results of a batch could not be written together")
            self._start_anew()
            for result in results:
                self._settle_alone(provider, result)

    @api.model
    def _settle_alone(self, provider, result):
        """Write one result, and where that cannot be done, no more than what it is."""
        try:
            self._in_transaction(self._write_results, provider, [result])
        except (InterfaceError, OperationalError):
            raise
        except Exception:
            _logger.exception("A result of provider %s is incomplete", provider.id)
            self._start_anew()
            self._in_transaction(self._write_bare_result, result)

    @api.model
    def _write_bare_result(self, result):
        states = {"accepted": "sent", "retry": "queued", "rejected": "failed"}
        messages = self.env["marketing.message"]
        for message in messages._find_by_keys([result.uuid]).values():
            message._set_state(states.get(result.status, "uncertain"), "provider_error")

    @api.model
    def _start_anew(self):
        """Forget what was done since the last commit."""
        self.env.cr.rollback()
        self.env.transaction.reset()

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
                self._start_anew()
                if attempt == MAX_TRIES:
                    raise
                time.sleep(random.uniform(0, min(0.02 * 2**attempt, 2)))

    @api.model
    def _claim_batch(self, limit, adapters):
        """Claim messages of one company and channel for an account that has room.

        :param int limit: number of messages; empty: what suits the account
        :param Adapters adapters: whose journal the claim is written down in

        :return: messages, their account, and the seconds to wait until its rate allows
            them; without messages the seconds until some rate allows any, None when
            no rate is in the way
        :rtype: tuple
        """
        messages = self.env["marketing.message"]
        pauses = []
        for company, channel in messages._get_due_lanes():
            accounts = self.env["marketing.provider"]._get_accounts(company, channel)
            for provider in accounts.filtered(lambda one: not one._is_resting()):
                size = limit or adapters.get_batch_size(provider)
                claimed, wait = self._claim_for(provider, company, channel, size)
                if claimed:
                    adapters.journal.claim(
                        claimed.ids, str(claimed[0].sending_at), provider.id
                    )
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
    def _prepare_claimed(self, claimed, provider, search_until=None):
        """Make claimed messages ready. What fails for one of them is looked for by
        halves: the others leave, and it waits and says why.

        :param float search_until: value of ``time.monotonic()`` after which nothing is
            looked for any more
        :return: what to hand over
        :rtype: list[OutgoingEmail | OutgoingSms]
        """
        try:
            return self._in_transaction(self._prepare, claimed, provider)
        except InterfaceError:
            raise  # There is no database to go on with; the journal has them.
        except Exception as error:
            self._start_anew()
            now = time.monotonic()
            search_until = search_until or now + SEARCH_SECONDS
            if len(claimed) == 1:
                _logger.exception("Message %s could not be prepared", claimed.id)
                self._in_transaction(self._put_back, claimed, provider, str(error))
                return []
            if now > search_until or stopping.is_stopping():
                self._in_transaction(self._put_back, claimed, provider, None)
                return []
            half = len(claimed) // 2
            return [
                item
                for part in (claimed[:half], claimed[half:])
                for item in self._prepare_claimed(part, provider, search_until)
            ]

    @api.model
    def _put_back(self, claimed, provider, error):
        """Put messages that were not handed over back into the queue.

        :param str error: what is wrong with them; None: nothing, they may leave at once
        """
        waiting = claimed.filtered(lambda message: message.state == "sending")
        if error is None:
            waiting._set_state("queued", NOT_REACHED)
        for message in waiting if error is not None else ():
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
        if messages and provider.channel == "email" and provider.kind != "sandbox":
            error = self._find_sender_error(sender, company)
            if error:
                # Other companies have other addresses: the account goes on.
                held = [(message.id, {"detail": error}) for message in messages]
                self._hold(held, "no_sender")
                provider._note_missing_sender(error)
                return []
        return self.env["marketing.composer"]._compose(messages, provider, sender)

    @api.model
    def _find_sender_error(self, sender, company):
        """Return what is wrong with the sender of a company's messages, '' if nothing.

        :rtype: str
        """
        if not sender:
            return self.env._(
                "No sender address: enter one here or on %s.", company.name
            )
        try:
            parse_mailbox(sender)
        except InvalidAddress as error:
            return self.env._(
                "The sender address %(sender)s cannot be used: %(error)s",
                sender=sender,
                error=str(error),
            )
        return ""

    @api.model
    def _hand_over(self, provider, batch, adapters):
        """Give a batch to its provider; never raises.

        :param Adapters adapters: connections to go on with
        :return: one result per message
        :rtype: list[SendResult]
        """
        try:
            adapter = adapters.get(provider)
        except Exception as error:
            _logger.exception("Provider %s cannot be used", provider.id)
            # Nothing was handed over.
            return [
                SendResult(item.uuid, "retry", "", "provider_error", str(error))
                for item in batch
            ]
        journal = adapters.journal
        if not getattr(adapter, "notes_what_it_begins", False):
            # Nobody will know how far it got: all of it counts as begun.
            journal.note_begun(*(item.uuid for item in batch))
        try:
            return adapter.send(batch, time.monotonic() + HAND_OVER_SECONDS)
        except Exception as error:
            _logger.exception("Provider %s failed", provider.id)
            doubt = SendResult("", "uncertain", "", "provider_error", str(error))
            return [
                self._get_broken_off(item.uuid, journal.begun, journal.results, doubt)
                for item in batch
            ]

    @api.model
    def _get_broken_off(self, key, begun, results, doubt):
        """Return the result of a message whose hand-over was broken off.

        Where nobody knows how far it got, it is not sent again without somebody
        looking.

        :param set begun: keys of messages that were begun
        :param dict results: SendResult by key, as far as they are known
        :param SendResult doubt: of one that was begun and has no result
        :rtype: SendResult
        """
        if key in results:
            return results[key]
        if key not in begun:
            return SendResult(key, "retry", "", NOT_REACHED)
        return replace(doubt, uuid=key)

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
        account_reasons = provider._get_account_reasons()
        if is_working:
            account_reasons &= ALWAYS_OF_ACCOUNT
        faults = [pair for pair in pairs if pair[1].reason in account_reasons]
        at_once = [pair for pair in pairs if pair[1].reason in BACK_AT_ONCE]
        for message, result in pairs:
            if result.reason not in account_reasons | BACK_AT_ONCE:
                self._try_later(message, result)
        # The account rests: they wait for it, or leave through the next one.
        self.env["marketing.message"]._change_states(
            self._explain(at_once + faults), "queued"
        )
        if faults:
            _message, result = faults[0]
            provider._note_fault(result.reason, result.detail or result.reason)
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
