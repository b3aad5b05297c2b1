"""Whom a template is shown for: somebody real, or somebody made up."""

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_amount
from odoo.tools.misc import get_lang

# What the messages of each context are about, where there is something to choose from.
PREVIEW_MODELS = {"cart": "abandoned.cart", "contact": "res.partner"}
# In the links of a preview; nobody has it.
PREVIEW_TOKEN = "preview"
# So many are proposed.
MAX_RECORDS = 8


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    def _get_preview_model(self):
        """Return the model of what this template can be shown with; empty where there
        are made-up values only.

        :rtype: str
        """
        return PREVIEW_MODELS.get(self.context or "cart", "")

    def _get_preview_record(self, record_id):
        """Return what to show the template with, if whoever asks may see it.

        :raise AccessError: they may not
        """
        model = self._get_preview_model()
        if not model or not record_id:
            return None
        record = self.env[model].browse(record_id).exists()
        record.check_access("read")
        return record or None

    def _get_preview_lang(self, record, lang=None):
        """Return the code of the language to show the template in.

        :param str lang: the one that was chosen, if any
        """
        wanted = lang or (record and record.lang) or self.env.lang
        return get_lang(self.env, wanted).code

    def _get_preview_website(self):
        company = self.company_id or self.env.company
        websites = self.env["website"].sudo()
        return websites.search([("company_id", "=", company.id)], limit=1)

    def _prepare_preview_context(self, record, lang):
        """Build the values to show the template with.

        :param record: see :meth:`_get_preview_record`; without, what a test message
            would say, addressed to the person of the samples
        :param str lang: code of the language
        :rtype: dict
        """
        sample = self._get_sample_context()
        contexts = self.env["marketing.template.context"]
        build = getattr(contexts, f"_prepare_{self.context or 'cart'}_contexts", None)
        if not build:
            return sample
        message = self._make_preview_message(record, lang)
        [context] = build(message).values()
        if record:
            return self._with_sample_offers(context, sample)
        return {**context, **self._pick_sample_person(sample)}

    def _make_preview_message(self, record, lang):
        company = self.company_id or self.env.company
        is_cart = record is not None and record._name == "abandoned.cart"
        website = (is_cart and record.website_id) or self._get_preview_website()
        partner = record.partner_id if is_cart else record
        return (
            self.env["marketing.message"]
            .sudo()
            .new(
                {
                    "channel": self.channel,
                    "company_id": company.id,
                    "website_id": website.id,
                    "partner_id": partner.id if partner else False,
                    "abandoned_cart_id": record.id if is_cart else False,
                    "email": record.email if record else False,
                    "lang": lang,
                    "token": PREVIEW_TOKEN,
                }
            )
        )

    def _pick_sample_person(self, sample):
        return {key: sample[key] for key in ("customer", "email") if key in sample}

    def _with_sample_offers(self, context, sample):
        """What a step of a sequence brings along is made up: there is no step here."""
        for name in ("coupon", "offers"):
            if name in context and not context[name]:
                context = {**context, name: sample[name]}
        return context

    # === TO CHOOSE FROM ===#

    def _find_preview_records(self, search):
        """Find what the template can be shown with.

        :param str search: part of a name or an address; the latest ones if it is empty
        :return: dicts with ``id`` and ``label``
        :rtype: list[dict]
        """
        model = self._get_preview_model()
        if not model:
            return []
        find = {
            "abandoned.cart": self._find_preview_carts,
            "res.partner": self._find_preview_partners,
        }[model]
        return [{"id": record.id, "label": label} for record, label in find(search)]

    def _find_preview_carts(self, search):
        domain = Domain("order_id", "!=", False) & Domain(
            "company_id", "=", (self.company_id or self.env.company).id
        )
        if search:
            domain &= Domain("customer_name", "ilike", search) | Domain(
                "email", "ilike", search
            )
        carts = self.env["abandoned.cart"].search(
            domain, order="id desc", limit=MAX_RECORDS
        )
        for cart in carts:
            amount = format_amount(self.env, cart.amount_total, cart.currency_id)
            name = cart.customer_name or cart.email or self.env._("Somebody")
            yield cart, f"{name}, {amount}"

    def _find_preview_partners(self, search):
        address = "phone" if self.channel == "sms" else "email"
        domain = Domain(address, "!=", False)
        if search:
            domain &= Domain("complete_name", "ilike", search) | Domain(
                "email", "ilike", search
            )
        order = "complete_name" if search else "id desc"
        partners = self.env["res.partner"].search(
            domain, order=order, limit=MAX_RECORDS
        )
        for partner in partners:
            name, email = partner.display_name, partner.email
            yield partner, f"{name} <{email}>" if email else name
