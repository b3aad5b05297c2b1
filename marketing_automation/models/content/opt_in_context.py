"""The values of the email that asks for a confirmation.

It greets nobody by name: whoever entered the address could have written anything there.
"""

from odoo import models
from odoo.tools import format_date


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
                **self._get_samples(message)["opt_in"],
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
