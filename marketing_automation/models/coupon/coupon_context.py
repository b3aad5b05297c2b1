"""What messages say of a coupon."""

from odoo import models
from odoo.tools import format_amount, format_date

from ...tools import rendering


class MarketingTemplateContext(models.AbstractModel):
    _inherit = "marketing.template.context"

    def _prepare_cart_context(self, message, website, surroundings):
        context = super()._prepare_cart_context(message, website, surroundings)
        return {**context, "coupon": self._prepare_coupon_values(message)}

    def _prepare_contact_contexts(self, messages):
        contexts = super()._prepare_contact_contexts(messages)
        for message in messages:
            if not message.coupon_card_id:
                contexts[message.id]["coupon"] = None
                continue
            localized = message.with_context(lang=message._get_lang_code())
            contexts[message.id]["coupon"] = self._prepare_coupon_values(localized)
        return contexts

    def _prepare_coupon_values(self, message):
        """Return the coupon a message brings, formatted for its recipient.

        The shape is the one of ``coupon`` in ``SAMPLE_CART_CONTEXT``.

        :return: None when it brings none that can be used
        :rtype: dict | None
        """
        card = message.coupon_card_id
        if not card._is_open():
            return None
        env, minimum = message.env, card.marketing_minimum_amount
        return {
            "code": card.code,
            "discount": card.with_env(env)._format_discount(),
            "limited": card.marketing_has_floor,
            "expires": format_date(env, card.expiration_date),
            "minimum": format_amount(env, minimum, card.marketing_currency_id, env.lang)
            if minimum
            else "",
        }


class LoyaltyCard(models.Model):
    _inherit = "loyalty.card"

    def _format_discount(self):
        """Return what this card takes off, in the language of the environment.

        :return: such as ``10%`` or ``$ 10.00``
        :rtype: str
        """
        terms = self.program_id._get_marketing_terms()
        if terms.mode == "percent":
            number = f"{terms.discount:g}"
            # Turkish has the sign in front.
            return f"%{number}" if self.env.lang == "tr_TR" else f"{number}%"
        return format_amount(self.env, terms.discount, self.program_id.currency_id)


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    def _check_renders(self, sources):
        """Templates that speak of a coupon work for whoever has none, too: a rule can
        be taken out of a step, a message written again after the coupon was used."""
        rendered = super()._check_renders(sources)
        if self.context not in ("cart", "contact") or not any(
            "coupon" in (source or "") for source in sources.values()
        ):
            return rendered
        context = {**self._get_sample_context(), "coupon": None}
        try:
            if self.channel == "sms":
                self._render_sms_source(sources["body_sms"], context)
            else:
                rendering.render(self._make_templates(sources), context)
        except rendering.RenderError as error:
            error.part = "sms" if self.channel == "sms" else error.part
            error.message = self.env._(
                "it cannot be written for somebody without a coupon. Put what it says "
                "of the coupon between %(begin)s and %(end)s (%(error)s).",
                begin="{% if coupon %}",
                end="{% endif %}",
                error=error.message,
            )
            raise
        return rendered
