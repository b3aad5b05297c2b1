"""Writing emails: content, counted links, headers. Not a model: made for each batch."""

from dataclasses import dataclass

from ...providers.address import parse_mailbox, rename_sender
from ...providers.base import OutgoingEmail, OutgoingSms
from ...tools import links
from ...tools.html_text import names_all
from ...tools.markers import make_marker
from ...tools.masking import mask_tokens
from ...tools.rendering import RenderError
from ...tools.shared_rendering import SharedRenderer
from ..content.merge_tags import PERSONAL_TAGS

# Links that never depend on a redirect, and that nobody but the recipient sees.
PERSONAL_LINKS = ("confirm_url", "preferences_url", "unsubscribe_url")
# What stands for each message's own token and key in content that many receive.
TOKEN_MARKER = make_marker("message.token", "t")
KEY_MARKER = make_marker("message.key", "t")


@dataclass(slots=True)
class Composed:
    """One message, written: what leaves, and what is kept of it.

    :param message_id: database id
    :param outgoing: what is handed over
    :param vals: columns of the message
    :param content: subject, html and text as they are kept
    :param is_shared: whether other messages have the same object as ``content``
    """

    message_id: int
    outgoing: OutgoingEmail | OutgoingSms
    vals: dict
    content: tuple
    is_shared: bool = False


class EmailWriter:
    """Writes the emails of one template, language, shop and source.

    :param template: ``marketing.template``
    :param sample: one of the messages; the others have the same :meth:`get_key`
    :param provider: ``marketing.provider`` they leave through
    :param str sender: From address, '' in the sandbox
    """

    def __init__(self, template, sample, provider, sender):
        self.template = template.with_context(lang=sample._get_lang_code())
        self.overrides = sample._get_overrides()
        self.sender = rename_sender(sender, self.overrides.get("from_name"))
        self.reply_to = self.overrides.get("reply_to") or provider.reply_to or ""
        self.base_url = sample._get_base_url()
        self.secret = sample.env["marketing.engagement"]._get_link_secret()
        self.own_hosts, self.utm = sample._get_utm_parameters()
        self.categories = sample._get_categories()
        self.domain = parse_mailbox(sender).domain if sender else "sandbox.invalid"
        self.bounce_address = ""
        if provider.kind == "smtp":
            self.bounce_address = sample._get_bounce_address(KEY_MARKER)
        self.renderer = None
        # A cart is one person's: there is nothing to share.
        if template.context == "contact":
            renderer = SharedRenderer(
                self.template._get_templates(self.overrides),
                PERSONAL_TAGS,
                lambda html, context: self._track(html, TOKEN_MARKER, context),
            )
            self.renderer = renderer if renderer.is_shareable else None
        self.variants = {}
        # Read out before: who is writing, with an address, must be in the email.
        self.identity = ()
        if template.category == "marketing":
            company = sample.company_id
            self.identity = (company.name, company.street, company.city)
            self.missing_identity = sample.env._(
                "The email does not say who is writing, with a postal address. Put "
                '{% include "footer" %} at its end.'
            )

    @staticmethod
    def get_key(message):
        """Return what emails have to have in common to be written together."""
        return (
            message._get_lang_code(),
            message.company_id,
            message.website_id,
            message.sequence_id,
            message.step_id,
            message.campaign_id,
            message.variant_id,
        )

    def compose(self, message, context):
        """Write one email.

        :param message: ``marketing.message``
        :param dict context: what it is rendered with
        :rtype: Composed
        :raise RenderError: the template does not work with these values
        """
        key = message._get_key()
        own = {TOKEN_MARKER: message.sudo().token, KEY_MARKER: key}
        # Nor is there of what brings a coupon: each has a code of its own.
        if self.renderer and not context.get("coupon"):
            content, values = self._fill_shared(context, own)
        else:
            content, values = self._render(context, own), {}
        outgoing = OutgoingEmail(
            uuid=key,
            email_from=self.sender,
            email_to=message.email_normalized,
            reply_to=self.reply_to,
            subject=content[0],
            html=content[1],
            text=content[2],
            message_id=f"<{key}@{self.domain}>",
            headers=self._get_headers({} if values else own),
            categories=self.categories,
            substitutions=values,
        )
        vals = {
            "subject": mask_tokens(_replace(content[0], values), [own[TOKEN_MARKER]]),
            "message_ref": outgoing.message_id,
            "content_values": values or None,
        }
        return Composed(message.id, outgoing, vals, content, is_shared=bool(values))

    def _render(self, context, own):
        rendered = self.template._render(context, self.overrides)
        html = self._track(rendered.html, own[TOKEN_MARKER], context)
        self._check_identity(html)
        return rendered.subject, html, rendered.text

    def _fill_shared(self, context, own):
        """Return a content that others receive as well, and what is this person's;
        without values where it had to be rendered for this person alone."""
        shared = self.renderer.render(context)
        content = (shared.subject, shared.html, shared.text)
        if shared.variant is None:
            return tuple(_replace(part, own) for part in content), {}
        if shared.variant not in self.variants:
            self._check_identity(shared.html)
        content = self.variants.setdefault(shared.variant, content)
        return content, {**shared.substitutions, **own}

    def _check_identity(self, html):
        """Refuse a marketing email without the sender's name and postal address."""
        if not names_all(html, self.identity):
            raise RenderError(self.missing_identity, part="html")

    def _track(self, html, token, context):
        """Count clicks and openings of a rendered body."""
        if self.overrides.get("track_clicks", True):
            html = links.wrap_links(
                html,
                f"{self.base_url}/marketing/click/{token}",
                self.secret,
                skip=[context[name] for name in PERSONAL_LINKS if name in context],
                utm=self.utm,
                own_hosts=self.own_hosts,
            )
        if not self.overrides.get("track_opens", True):
            return html
        return links.add_pixel(html, f"{self.base_url}/marketing/open/{token}.gif")

    def _get_headers(self, own):
        """Return the further headers, with markers where ``own`` has no values."""
        token = own.get(TOKEN_MARKER, TOKEN_MARKER)
        headers = {
            # RFC 8058: one HTTPS address, and a POST to it ends the mails.
            "List-Unsubscribe": f"<{self.base_url}/marketing/unsubscribe/{token}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        if self.bounce_address:
            # Bounces come back to an address that names the message (VERP).
            headers["Return-Path"] = _replace(self.bounce_address, own)
        return headers


def _replace(text, values):
    for marker, value in values.items():
        text = text.replace(marker, value)
    return text
