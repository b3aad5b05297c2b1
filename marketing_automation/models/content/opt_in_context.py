"""What the email says that asks for a confirmation, and the values behind it.

It greets nobody by name: whoever entered the address could have written anything there.
"""

from odoo import models
from odoo.tools import format_date
from odoo.tools.translate import LazyTranslate

from .template_context import CART_TAGS, SAMPLE_CART_CONTEXT, SAMPLE_SHOP_URL, MergeTag

_lt = LazyTranslate(__name__)

_SHARED = ("shop", "company", "labels", "language", "direction", "year")

SAMPLE_OPT_IN_CONTEXT = {
    **{name: SAMPLE_CART_CONTEXT[name] for name in _SHARED},
    "labels": {
        **SAMPLE_CART_CONTEXT["labels"],
        "reason": "You receive this email because your address was entered at "
        "Example Shop.",
    },
    "email": "anna.miller@example.com",
    "confirm_url": f"{SAMPLE_SHOP_URL}/marketing/confirm/sample",
    "purposes": ["Newsletter", "Offers"],
    "consent_text": "Email me the newsletter of Example Shop.",
    "expires_on": "July 7, 2026",
    "preferences_url": "",
    "unsubscribe_url": SAMPLE_CART_CONTEXT["unsubscribe_url"],
}

OPT_IN_TAGS = (
    MergeTag("confirm_url", _lt("Link to the page where it is confirmed")),
    MergeTag("email", _lt("Email address that was entered")),
    MergeTag("purposes", _lt("What was ticked: {{ purposes|join(', ') }}")),
    MergeTag("consent_text", _lt("What stood next to the boxes; may be empty")),
    MergeTag("expires_on", _lt("Last day the link can be used")),
    *(
        tag
        for tag in CART_TAGS
        if tag.name.partition(".")[0] in (*_SHARED, "unsubscribe_url")
    ),
)


class MarketingTemplateContext(models.AbstractModel):
    _inherit = "marketing.template.context"

    def _prepare_opt_in_contexts(self, messages):
        """Build the context of emails that ask for a confirmation.

        The shape is the one of ``SAMPLE_OPT_IN_CONTEXT``.

        :param messages: ``marketing.message`` records
        :return: one context for each message
        :rtype: dict[int, dict]
        """
        return {
            message.id: {
                **SAMPLE_OPT_IN_CONTEXT,
                **surroundings,
                **self._prepare_opt_in_values(message, surroundings),
            }
            for message, _website, surroundings in self._iter_surrounded(messages)
        }

    def _prepare_opt_in_values(self, message, surroundings):
        shop = surroundings["shop"]
        reason = message.env._(
            "You receive this email because your address was entered at %(shop)s.",
            shop=shop["name"],
        )
        values = {
            "labels": {**surroundings["labels"], "reason": reason},
            "email": message.email or "",
            "unsubscribe_url": message._get_unsubscribe_url(),
        }
        request = message.opt_in_id
        if not request:  # A test of the template.
            return values
        return {
            **values,
            "confirm_url": shop["url"] + request._get_confirm_path(),
            "purposes": request._get_purpose_names(),
            "consent_text": request.text_id.text or "",
            "expires_on": format_date(message.env, request.expires_at.date()),
        }
