"""The values behind the merge tags.

A context holds plain values only (text, numbers, lists and dicts of them), so that a
template can show what is written here and reach nothing else.
"""

import base64

from odoo import fields, models
from odoo.tools.mimetypes import guess_mimetype
from odoo.tools.misc import get_lang

from ...tools.samples import get_samples
from ...tools.shop_url import get_shop_url
from ...tools.shopper_text import clean_address, clean_name

# Languages that write the family name first ("Kovács Anna").
FAMILY_NAME_FIRST = {"hu"}


class MarketingTemplateContext(models.AbstractModel):
    """Builds the values a message is rendered with."""

    _name = "marketing.template.context"
    _description = "Values for Marketing Templates"

    def _prepare_cart_contexts(self, messages):
        """Build the context of messages about abandoned carts.

        Lines and prices are the ones of the cart at this moment, not of the snapshot.
        Money is formatted for the recipient's language. The shape is the one of
        ``SAMPLE_CART_CONTEXT``.

        :param messages: ``marketing.message`` records with an abandoned cart
        :return: one context for each message
        :rtype: dict[int, dict]
        """
        return {
            message.id: (
                self._prepare_cart_context(message, website, surroundings)
                if message.abandoned_cart_id
                else self._prepare_sample_context(message, website, surroundings)
            )
            for message, website, surroundings in self._iter_surrounded(messages)
        }

    def _prepare_contact_contexts(self, messages):
        """Build the context of messages to people about nothing in particular.

        The shape is the one of ``SAMPLE_CONTACT_CONTEXT``.

        :param messages: ``marketing.message`` records
        :return: one context for each message
        :rtype: dict[int, dict]
        """
        # Thousands of people have all but their name in common.
        common, contexts = {}, {}
        for message in messages.sudo():
            key = (
                message.website_id,
                message.company_id,
                message.lang or message.partner_id.lang,
            )
            if key not in common:
                common[key] = self._prepare_contact_surroundings(message)
            surroundings, lang_code = common[key]
            base_url = surroundings["shop"]["url"]
            contexts[message.id] = {
                **surroundings,
                "customer": self._prepare_customer_values(
                    message.with_context(lang=lang_code)
                ),
                "preferences_url": f"{base_url}/marketing/preferences/{message.token}",
                "unsubscribe_url": f"{base_url}/marketing/unsubscribe/{message.token}",
            }
        return contexts

    def _prepare_contact_surroundings(self, message):
        """Build what a message has in common with all of its shop and language.

        :return: values, and the code of the language
        :rtype: tuple[dict, str]
        """
        [(localized, _website, surroundings)] = self._iter_surrounded(message)
        reason = localized.env._(
            "You receive this email because you are in contact with %(shop)s.",
            shop=surroundings["shop"]["name"],
        )
        labels = {**surroundings["labels"], "reason": reason}
        return {**surroundings, "labels": labels}, localized.env.lang

    def _iter_surrounded(self, messages):
        """Yield messages in the recipient's language, with website and surroundings."""
        surroundings = {}
        for message in messages.sudo():
            website = self._get_website(message)
            lang = self._get_message_lang(message, website)
            key = (website.id, message.company_id.id, lang.code)
            if key not in surroundings:
                surroundings[key] = self._prepare_surroundings(
                    website, message.company_id, lang
                )
            yield message.with_context(lang=lang.code), website, surroundings[key]

    def _prepare_sample_context(self, message, website, surroundings):
        """A cart that is nobody's, for a test of the message."""
        return {
            **self._get_samples(message)["cart"],
            **surroundings,
            "labels": {**surroundings["labels"], "more": ""},
            "customer": self._prepare_customer_values(message),
            "preferences_url": message._get_preferences_url(),
            "unsubscribe_url": message._get_unsubscribe_url(),
        }

    def _get_samples(self, message):
        """Return made-up values in the recipient's language: see ``get_samples``."""
        return get_samples(message.env.lang)

    def _prepare_person_values(self, message, surroundings):
        """Build what a message to somebody says, whatever it is about."""
        reason = message.env._(
            "You receive this email because you are in contact with %(shop)s.",
            shop=surroundings["shop"]["name"],
        )
        return {
            **surroundings,
            "labels": {**surroundings["labels"], "reason": reason},
            "customer": self._prepare_customer_values(message),
            "preferences_url": message._get_preferences_url(),
            "unsubscribe_url": message._get_unsubscribe_url(),
        }

    def _prepare_cart_context(self, message, website, surroundings):
        cart = message.abandoned_cart_id
        values = self._prepare_cart_values(cart, website)
        labels = {
            **surroundings["labels"],
            "more": message.env._("and %(count)s more", count=values["more_count"]),
        }
        if values["total_note"]:
            labels["total"] = message.env._("Subtotal")
        if cart.kind == "quotation":
            labels["reason"] = message.env._(
                "You receive this email because %(shop)s sent you a quotation.",
                shop=surroundings["shop"]["name"],
            )
        return {
            **surroundings,
            "labels": labels,
            "customer": self._prepare_customer_values(message),
            "cart": values,
            "offers": self._prepare_offers(message, website),
            "preferences_url": message._get_preferences_url(),
            "unsubscribe_url": message._get_unsubscribe_url(),
        }

    # === WHO ===#

    def _get_website(self, message):
        """Return the website that speaks; none where a company without one follows up
        on its quotation."""
        websites = self.env["website"].sudo()
        cart = message.abandoned_cart_id
        return (
            message.website_id
            or cart.website_id
            or message.company_id.website_id
            or (
                websites if cart.kind == "quotation" else websites.get_current_website()
            )
        )

    def _get_message_lang(self, message, website):
        """Return the language a message is written in: the first of its recipient's
        and the shop's that is switched on. A stored one may not be any longer."""
        known = {code for code, _name in self.env["res.lang"].get_installed()}
        wished = (
            message.lang,
            message.abandoned_cart_id.lang,
            message.partner_id.lang,
            website.default_lang_id.code,
        )
        return get_lang(self.env, next(filter(known.__contains__, wished), None))

    def _prepare_customer_values(self, message):
        cart = message.abandoned_cart_id
        # Who has an address that was only typed is not asked for a name.
        person = message.partner_id.browse() if cart.is_typed else message.partner_id
        # Guests without a name are called by their address, which is none either.
        name = clean_name(cart.customer_name or person.name)
        address = (
            message.email_normalized or cart.email_normalized or person.email_normalized
        )
        return {
            "name": name,
            "first_name": self._get_first_name(name, message),
            "email": clean_address(address),
        }

    def _get_first_name(self, name, message):
        """Return the name to greet with, empty for companies."""
        if not name or message.partner_id.is_company:
            return ""
        if "," in name:  # "Miller, Anna"
            return name.split(",", 1)[1].strip() or name
        words = name.split()
        language = (message.env.lang or "").split("_")[0]
        return words[-1 if language in FAMILY_NAME_FIRST else 0]

    # === AROUND IT ===#

    def _prepare_surroundings(self, website, company, lang):
        """Build what is the same for all recipients of a shop and a language."""
        return {
            "shop": {
                "name": website.name or company.name,
                "url": get_shop_url(website),
                "logo_url": self._get_logo_url(website, company),
            },
            "company": self._prepare_company_values(company, lang),
            "labels": self._prepare_labels(website.name or company.name, lang),
            "language": lang.code.split("_")[0],
            "direction": lang.direction,
            "year": fields.Date.context_today(self).year,
        }

    def _prepare_company_values(self, company, lang):
        company = company.with_context(lang=lang.code)
        address = company.partner_id._display_address(without_company=True)
        return {
            "name": company.name or "",
            "street": ", ".join(filter(None, (company.street, company.street2))),
            "zip": company.zip or "",
            "city": company.city or "",
            "country": company.country_id.name or "",
            "phone": company.phone or "",
            "email": company.email or "",
            "address": ", ".join(
                part for line in address.splitlines() if (part := line.strip())
            ),
        }

    def _prepare_labels(self, shop_name, lang):
        """Return the words of the built-in blocks, translated with the addon."""
        env = self.with_context(lang=lang.code).env
        return {
            "total": env._("Total"),
            "more": "",
            "replacements": env._("In place of what is no longer available"),
            "offers": env._("You might also like"),
            "recommended": env._("Popular in our shop"),
            "view": env._("View product"),
            "before": env._("Before"),
            "code": env._("Your code"),
            "valid_until": env._("Valid until"),
            "minimum": env._("Smallest order"),
            "order": env._("Order"),
            "review": env._("Write a review"),
            "reason": env._(
                "You receive this email because you left items in your cart at"
                " %(shop)s.",
                shop=shop_name,
            ),
            "preferences": env._("Preferences"),
            "unsubscribe": env._("Unsubscribe"),
        }

    def _get_logo_url(self, website, company):
        """Return a public address of the shop's own logo, or an empty text.

        Mail programs do not show SVG pictures, and Odoo's default logo is one.
        """
        website = website.with_context(bin_size=False)
        base_url = get_shop_url(website)
        if website.logo:
            mimetype = guess_mimetype(base64.b64decode(website.logo), default="")
            if mimetype.startswith("image/") and "svg" not in mimetype:
                return base_url + website.image_url(website, "logo")
        if not company.uses_default_logo:
            return f"{base_url}/logo.png?company={company.id}"
        return ""
