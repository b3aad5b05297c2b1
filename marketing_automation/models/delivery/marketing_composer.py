import logging

from psycopg2 import DatabaseError, OperationalError
from psycopg2.extras import Json

from odoo import api, models
from odoo.tools import SQL

from ...providers.base import OutgoingSms
from ...tools import links, sms
from ...tools.masking import mask_tokens
from ...tools.rendering import CostlyError, RenderError
from ...tools.template_budget import limited
from .email_writer import Composed, EmailWriter

_logger = logging.getLogger(__name__)

# So many messages of a batch may take all the time that there is for one. After them a
# template has a tenth of it, which is plenty: the other messages do not wait for it.
MOST_COSTLY = 3
SMALL_SHARE = 0.1
# How much of a text message its line in a list shows.
SMS_EXCERPT = 80


class MarketingComposer(models.AbstractModel):
    """Writes messages that are about to leave: content, links, headers.

    What is the same for many people is rendered once and filled for each.
    """

    _name = "marketing.composer"
    _description = "Marketing Composer"

    @api.model
    def _compose(self, messages, provider, sender):
        """Write messages and keep what their recipients will see.

        A message that cannot be written fails alone.

        :param marketing.message messages: claimed messages the gate let through
        :param marketing.provider provider: the account they leave through
        :param str sender: From address, '' on channels without
        :return: what to hand over, in the order in which it was queued
        :rtype: list[OutgoingEmail | OutgoingSms]
        """
        composed = []
        for template, group in messages.grouped("template_id").items():
            if not template:
                group._set_state(
                    "failed", "rendering_error", self.env._("The template was deleted.")
                )
                continue
            contexts = self._prepare_contexts(template, group)
            written = group.browse(contexts)
            write = self._write_sms if template.channel == "sms" else self._write_emails
            composed += write(template, written, contexts, provider, sender)
        composed.sort(key=lambda item: item.message_id)
        self._keep(composed, provider, messages.company_id)
        return [item.outgoing for item in composed]

    # === CONTEXTS ===#

    @api.model
    def _prepare_contexts(self, template, messages):
        """Build what messages are rendered with; the others fail, each alone.

        :rtype: dict[int, dict]
        """
        contexts = self.env["marketing.template.context"]
        build = getattr(contexts, f"_prepare_{template.context or 'cart'}_contexts")
        try:
            with self.env.cr.savepoint():
                built = build(messages)
        except OperationalError:
            raise
        except Exception:
            pairs = self._for_each(messages, lambda message: build(message).items())
            built = dict(pair for items in pairs for pair in items)
        return self._skip_empty(messages, built)

    @api.model
    def _skip_empty(self, messages, contexts):
        """Leave out carts of which nothing can be delivered any more, products that
        cannot be ordered now, orders that were cancelled."""
        empty = messages.filtered(
            lambda message: message.id in contexts and _is_empty(contexts[message.id])
        )
        empty._skip("nothing_available")
        return {key: value for key, value in contexts.items() if key not in empty._ids}

    @api.model
    def _for_each(self, messages, write):
        """Call ``write`` for each message; a fault fails that message alone.

        Faults of the database end a transaction, others do not: a savepoint for each
        message, which takes as long as writing it, is set only when it is needed.

        :param marketing.message messages: the messages
        :param write: ``callable(message)``
        :return: what it returned for those that worked, in their order
        :rtype: list
        """
        try:
            with self.env.cr.savepoint():
                return self._collect(messages, write)
        except OperationalError:
            raise  # Not a message's fault: the transaction is done again.
        except DatabaseError:

            def write_alone(message):
                with self.env.cr.savepoint():
                    return write(message)

            return self._collect(messages, write_alone, DatabaseError)

    @api.model
    def _collect(self, messages, write, *faults):
        """Call ``write`` for each message, and fail those with a fault in the content.

        :param faults: further exceptions that are a message's own fault
        """
        results, costly = [], 0
        for message in messages:
            try:
                with limited(1.0 if costly < MOST_COSTLY else SMALL_SHARE):
                    results.append(write(message))
            except OperationalError:
                raise
            except RenderError as error:
                costly += isinstance(error, CostlyError)
                message._set_state("failed", "rendering_error", str(error))
            except Exception as error:
                if isinstance(error, DatabaseError) and not faults:
                    raise
                _logger.exception("Message %s could not be prepared", message.id)
                message._set_state("failed", "rendering_error", str(error))
        return results

    # === EMAIL ===#

    @api.model
    def _write_emails(self, template, messages, contexts, provider, sender):
        """Write emails of one template.

        :rtype: list[Composed]
        """
        composed = []
        for group in messages.grouped(EmailWriter.get_key).values():
            writer = EmailWriter(template, group[0], provider, sender)
            composed += self._for_each(
                group,
                lambda message, writer=writer: writer.compose(
                    message, contexts[message.id]
                ),
            )
        return composed

    # === SMS ===#

    @api.model
    def _write_sms(self, template, messages, contexts, provider, _sender):
        """Write text messages of one template.

        :rtype: list[Composed]
        """

        def render(message):
            localized = template.with_context(lang=message._get_lang_code())
            context = contexts[message.id]
            text = localized._render_sms(context)
            own = [
                *links.find_literal_urls(localized.body_sms),
                *links.find_values_urls(context),
            ]
            return message, text, links.find_own_urls(text, own)

        drafts = self._for_each(messages, render)
        codes = self._shorten(
            [(message, url) for message, _text, urls in drafts for url in urls]
        )
        composed = []
        for message, text, urls in drafts:
            base_url = message._get_base_url()
            short = {url: f"{base_url}/m/{codes[message, url]}" for url in urls}
            composed.append(
                self._write_one_sms(message, links.replace_urls(text, short), provider)
            )
        return composed

    @api.model
    def _shorten(self, wanted):
        """Return the codes of short links, with the marks of our campaigns on them.

        :param list wanted: pairs (message, address)
        :return: the code of each pair
        :rtype: dict
        """
        marked = {
            (message, url): (
                message.id,
                links.add_utm(url, *message._get_utm_parameters()),
            )
            for message, url in wanted
        }
        codes = self.env["marketing.short.link"]._shorten(list(marked.values()))
        return {pair: codes[target] for pair, target in marked.items()}

    @api.model
    def _write_one_sms(self, message, text, provider):
        key = message._get_key()
        callback = provider.sudo().webhook_url
        # Lists are for staff, who get no link of a person.
        shown = mask_tokens(text)
        excerpt = shown if len(shown) <= SMS_EXCERPT else f"{shown[:SMS_EXCERPT]}…"
        return Composed(
            message.id,
            OutgoingSms(
                uuid=key,
                phone_to=message.phone_sanitized,
                body=text,
                status_callback=f"{callback}?m={key}" if callback else "",
            ),
            {
                "subject": " ".join(excerpt.split()),
                "segment_count": sms.analyse(text).segments,
                "message_ref": None,
                "content_values": None,
            },
            (None, None, text),
        )

    # === KEEPING ===#

    @api.model
    def _keep(self, composed, provider, company):
        """Keep what the recipients will see, before it leaves.

        :param list[Composed] composed: written messages
        :param marketing.provider provider: the account they leave through
        :param res.company company: who is speaking
        """
        if not composed:
            return
        contents = self.env["marketing.content"]
        messages = self.env["marketing.message"]
        contents._replace(messages.browse(item.message_id for item in composed))
        own = [item for item in composed if not item.is_shared]
        ids = dict(
            zip(
                (item.message_id for item in own),
                contents._store([item.content for item in own], company),
                strict=True,
            )
        )
        shared = {}
        for item in composed:
            if item.is_shared:
                key = id(item.content)
                if key not in shared:
                    shared[key] = contents._store_shared(item.content, company)
                ids[item.message_id] = shared[key]
        messages._execute_values(
            SQL(
                """UPDATE marketing_message m
                      SET provider_id = %s, is_sandbox = %s, subject = v.subject,
                          message_ref = v.message_ref, content_id = v.content_id,
                          content_values = v.content_values,
                          segment_count = v.segment_count
                     FROM (VALUES %%s) AS v (id, subject, message_ref, content_id,
                                             content_values, segment_count)
                    WHERE m.id = v.id
                RETURNING m.id""",
                provider.id,
                provider.kind == "sandbox",
            ),
            [
                (
                    item.message_id,
                    item.vals["subject"],
                    item.vals["message_ref"],
                    ids[item.message_id],
                    item.vals["content_values"] and Json(item.vals["content_values"]),
                    item.vals.get("segment_count") or None,
                )
                for item in composed
            ],
            "(%s, %s::varchar, %s::varchar, %s::int, %s::jsonb, %s::int)",
        )
        messages.browse(ids).invalidate_recordset()


def _is_empty(context):
    """Whether what a message is about is not there any more."""
    if "products" in context:
        return not context["products"]
    subject = context.get("cart") or context.get("order")
    return bool(subject) and not subject["lines"]
