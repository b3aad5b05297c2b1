"""Whom a template is shown for: somebody real, or somebody made up."""

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_amount
from odoo.tools.misc import get_lang

from ...tools.masking import PREVIEW_TOKEN, mask_values

# What the messages of each context are about, where there is something to choose from.
PREVIEW_MODELS = {
    "cart": "abandoned.cart",
    "contact": "res.partner",
    "order": "sale.order",
    "product": "product.product",
}
# So many are proposed.
MAX_RECORDS = 8


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    def _get_preview_model(self):
        """Return the model of what this template can be shown with; empty where there
        are made-up values only, or where whoever asks may see nothing else.

        :rtype: str
        """
        model = PREVIEW_MODELS.get(self.context or "cart", "")
        return model if model and self.env[model].has_access("read") else ""

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
        person = record
        if record is not None and "lang" not in record._fields:
            person = self._get_preview_partner(record)
        wanted = lang or (person and person.lang) or self.env.lang
        return get_lang(self.env, wanted).code

    def _get_preview_partner(self, record):
        """Return who is written to; nobody for a product, and without a record."""
        if record is None or record._name == "product.product":
            return self.env["res.partner"]
        return record if record._name == "res.partner" else record.partner_id

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
        if not self._get_preview_partner(record) and not message.abandoned_cart_id:
            context |= self._pick_sample_person(sample, context)
        elif "segments" in context:
            context["segments"] = self._find_segments_of(
                message.partner_id, message.company_id
            )
        # What a step of a sequence brings along is made up: there is no step here.
        for name in {"coupon", "offers"} & set(context):
            context[name] = context[name] or sample[name]
        # Whoever has a person's link acts as that person.
        return mask_values(context)

    def _make_preview_message(self, record, lang):
        company = self.company_id or self.env.company
        cart = self.env["abandoned.cart"]
        if record is not None and record._name == cart._name:
            cart = record
        partner = self._get_preview_partner(record)
        return (
            self.env["marketing.message"]
            .sudo()
            .new(
                {
                    "channel": self.channel,
                    "company_id": company.id,
                    "website_id": (cart.website_id or self._get_preview_website()).id,
                    "partner_id": partner.id,
                    "abandoned_cart_id": cart.id,
                    "email": cart.email or partner.email,
                    "about": self._get_preview_subject(record),
                    "lang": lang,
                    "token": PREVIEW_TOKEN,
                }
            )
        )

    def _get_preview_subject(self, record):
        """Return what a message about an order or a product is about."""
        if record is None:
            return False
        return {
            "sale.order": {"order_id": record.id},
            "product.product": {"products": [{"id": record.id}]},
        }.get(record._name, False)

    def _pick_sample_person(self, sample, context):
        names = ("customer", "email", "segments")
        picked = {name: sample[name] for name in names if name in sample}
        if not context.get("recommended", True):
            # A shop that has sold nothing yet.
            picked["recommended"] = sample["recommended"]
        return picked

    def _find_segments_of(self, partner, company):
        """Return in which of a company's segments somebody is, as far as whoever asks
        may see them.

        :rtype: list[str]
        """
        found = (
            self.env["segment.membership"]
            .search(
                [
                    ("partner_id", "=", partner.id),
                    ("segment_id.company_id", "=", company.id),
                    ("segment_id.active", "=", True),
                ]
            )
            .segment_id
        )
        return found.with_context(lang="en_US").mapped("name")

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
            "sale.order": self._find_preview_orders,
            "product.product": self._find_preview_products,
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

    def _find_preview_orders(self, search):
        company = self.company_id or self.env.company
        domain = Domain("state", "=", "sale") & Domain("company_id", "=", company.id)
        if search:
            domain &= Domain("name", "ilike", search) | Domain(
                "partner_id", "ilike", search
            )
        for order in self.env["sale.order"].search(
            domain, order="id desc", limit=MAX_RECORDS
        ):
            yield order, f"{order.name}, {order.partner_id.display_name}"

    def _find_preview_products(self, search):
        domain = Domain("is_published", "=", True) & Domain("sale_ok", "=", True)
        if search:
            domain &= Domain("display_name", "ilike", search)
        order = "name" if search else "id desc"
        for product in self.env["product.product"].search(
            domain, order=order, limit=MAX_RECORDS
        ):
            yield product, product.display_name
