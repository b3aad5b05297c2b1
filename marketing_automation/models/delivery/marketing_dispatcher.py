import logging
import random
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.service.model import retrying

from ...providers.address import parse_mailbox
from ...providers.base import OutgoingEmail, SendResult
from ...tools.rendering import RenderError

_logger = logging.getLogger(__name__)

BATCH_SIZE = 50
MAX_ATTEMPTS = 10
FIRST_PAUSE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 4 * 3600
# Faults of our side or of the account: the message itself is fine and waits.
ACCOUNT_REASONS = {"connect_failed", "auth_failed", "no_sender", "provider_error"}


class MarketingDispatcher(models.AbstractModel):
    """The only one that talks to providers.

    For each batch: claim and commit; ask the gate; render; commit; hand over; write
    the results; commit. Whatever crashes in between, a message is handed over at most
    once: claimed messages are never claimed again.
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
        cron._commit_progress(
            remaining=messages.search_count(
                [
                    ("state", "=", "queued"),
                    ("scheduled_at", "<=", fields.Datetime.now()),
                ]
            )
        )
        while count := self._dispatch_batch():
            if not cron._commit_progress(count):
                return

    # === BUSINESS METHODS ===#

    @api.model
    def _dispatch_batch(self, limit=BATCH_SIZE):
        """Claim and hand over up to ``limit`` messages. Commits in between.

        :param int limit: number of messages
        :return: number of messages claimed; 0 when nothing is due
        :rtype: int
        """
        # Each of these is a transaction, done again when it meets another one (a click,
        # a customer who is back, a second worker). Handing over is never done again.
        claimed = self._in_transaction(self.env["marketing.message"]._claim, limit)
        if not claimed:
            return 0
        # What is about to leave is on record before it leaves.
        batches = self._in_transaction(self._prepare_claimed, claimed)
        for provider, emails in batches:
            results = self._hand_over(provider, emails)
            self._in_transaction(self._write_results, provider, results)
        return len(claimed)

    @api.model
    def _in_transaction(self, method, *args):
        """Call ``method`` and commit; try again on a serialization failure."""
        # A new transaction sees what happened meanwhile.
        self.env["ir.cron"]._commit_progress()
        return retrying(partial(method, *args), self.env)

    @api.model
    def _prepare_claimed(self, claimed):
        """Ask the gate about claimed messages and render those that may go.

        :return: pairs (provider, list of OutgoingEmail)
        :rtype: list
        """
        return self._prepare_batches(claimed._skip_blocked())

    @api.model
    def _prepare_batches(self, messages):
        """Render messages and sort them by provider.

        A message that cannot be rendered fails alone.

        :param marketing.message messages: claimed messages the gate let through
        :return: pairs (provider, list of OutgoingEmail)
        :rtype: list
        """
        contexts = self._prepare_contexts(messages)
        messages = messages.filtered(lambda message: message.id in contexts)
        batches = {}
        for (company, channel), group in messages.grouped(
            lambda message: (message.company_id, message.channel)
        ).items():
            provider = self.env["marketing.provider"]._select(company, channel)
            sender = provider._get_sender(company)
            if not sender and provider.kind != "sandbox":
                self._hold(group, "no_sender")
                provider.sudo().last_error = self.env._(
                    "No sender address: enter one here or on %s.", company.name
                )
                continue
            emails = batches.setdefault(provider, [])
            for message in group:
                with self._isolated(message):
                    email = self._prepare_email(
                        provider, sender, message, contexts[message.id]
                    )
                    if email:
                        emails.append(email)
        return [(provider, emails) for provider, emails in batches.items() if emails]

    @api.model
    def _prepare_contexts(self, messages):
        """Build what messages are rendered with; the others fail, each alone.

        :rtype: dict[int, dict]
        """
        build = self.env["marketing.template.context"]._prepare_cart_contexts
        try:
            with self.env.cr.savepoint():
                return build(messages)
        except OperationalError:
            raise
        except Exception:
            contexts = {}
            for message in messages:
                with self._isolated(message):
                    contexts |= build(message)
            return contexts

    @contextmanager
    def _isolated(self, message):
        """A fault within fails this message alone; those before and behind it leave.

        Otherwise all claimed messages of the batch would stay in flight for ever.
        """
        try:
            with self.env.cr.savepoint():
                yield
        except OperationalError:
            raise  # Not the message's fault: the transaction is done again.
        except Exception as error:
            _logger.exception("Message %s could not be prepared", message.id)
            message._set_state("failed", "rendering_error", str(error)[:250])

    @api.model
    def _prepare_email(self, provider, sender, message, context):
        """Render one message and keep what the recipient will see.

        :return: an OutgoingEmail, or None when the message was settled here
        """
        if not context["cart"]["lines"]:
            message._skip("nothing_available")
            return None
        template = message.template_id.with_context(lang=message.lang or None)
        try:
            rendered = template._render(context)
            html = message._wrap_links(rendered.html)
        except RenderError as error:
            message._set_state("failed", "rendering_error", str(error)[:250])
            return None
        domain = parse_mailbox(sender).domain if sender else "sandbox.invalid"
        token = message.sudo().token
        message.write(
            {
                "provider_id": provider.id,
                "is_sandbox": provider.kind == "sandbox",
                "subject": rendered.subject,
                "body_html": html,
                "body_text": rendered.text,
                "message_ref": f"<{token}@{domain}>",
            }
        )
        return OutgoingEmail(
            uuid=token,
            email_from=sender,
            email_to=message.email_normalized,
            reply_to=provider.reply_to or "",
            subject=rendered.subject,
            html=html,
            text=rendered.text,
            message_id=message.message_ref,
            headers={
                # RFC 8058: one HTTPS address, and a POST to it ends the mails.
                "List-Unsubscribe": f"<{message._get_unsubscribe_url()}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )

    @api.model
    def _hand_over(self, provider, emails):
        """Give a batch to its provider; never raises.

        :return: one result per message
        :rtype: list[SendResult]
        """
        try:
            adapter = provider._get_adapter()
        except Exception as error:
            _logger.exception("Provider %s cannot be used", provider.id)
            # Nothing was handed over.
            return [
                SendResult(email.uuid, "retry", "", "provider_error", str(error))
                for email in emails
            ]
        try:
            return adapter.send(emails)
        except Exception as error:
            # Nobody knows how far it got: not sent again without somebody looking.
            _logger.exception("Provider %s failed", provider.id)
            return [
                SendResult(email.uuid, "uncertain", "", "provider_error", str(error))
                for email in emails
            ]
        finally:
            adapter.close()

    @api.model
    def _write_results(self, provider, results):
        """Settle messages by what their provider said of each.

        :param marketing.provider provider: who was handed the messages
        :param list results: SendResult, one per message
        """
        by_token = {
            message.token: message
            for message in self.env["marketing.message"]
            .sudo()
            .search([("token", "in", [result.uuid for result in results])])
        }
        account_error = False
        for result in results:
            message = by_token.get(result.uuid)
            if message is None:
                continue  # Deleted meanwhile, with its cart.
            detail = (result.detail or "")[:250]
            if result.status == "accepted":
                message._set_state("sent", sent_at=fields.Datetime.now())
            elif result.status == "retry":
                self._retry(message, result.reason, detail)
                if result.reason in ACCOUNT_REASONS:
                    account_error = detail or result.reason
            elif result.status == "rejected":
                message._set_state("failed", result.reason, detail)
            else:
                message._set_state("uncertain", result.reason, detail)
        if provider.exists() and provider.last_error != account_error:
            provider.sudo().last_error = account_error

    @api.model
    def _retry(self, message, reason, detail):
        """Put a message back into the queue for later, or give up on it.

        Pauses double from a minute up to four hours, with jitter so that messages that
        failed together do not come back together.
        """
        if reason in ACCOUNT_REASONS:
            self._hold(message, reason, detail)
            return
        attempts = message.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            message._set_state("failed", "too_many_attempts", detail, attempts=attempts)
            return
        pause = min(FIRST_PAUSE_SECONDS * 2**attempts, LONGEST_PAUSE_SECONDS)
        message._set_state(
            "queued",
            reason,
            detail,
            attempts=attempts,
            scheduled_at=self._later(pause),
        )

    @api.model
    def _hold(self, messages, reason, detail=None):
        """Let messages wait until the account works again; not counted as attempts."""
        for message in messages:
            message._set_state(
                "queued", reason, detail, scheduled_at=self._later(5 * 60)
            )

    @api.model
    def _later(self, seconds):
        jittered = seconds * random.uniform(0.75, 1.25)
        return fields.Datetime.now() + timedelta(seconds=jittered)
