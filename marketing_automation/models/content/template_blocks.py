"""The blocks of the template screen: what there is, in words, and what they become."""

from odoo import api, models
from odoo.exceptions import UserError

from ...tools import blocks

# So many names are proposed; others can be typed.
MAX_SEGMENTS = 200


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    @api.model
    def build_block(self, key, options):
        """Write the source of a block.

        :param str key: one of ``tools.blocks.BLOCKS``
        :param dict options: what was chosen, see ``tools.blocks.build_block``
        :return: source to put into a template
        :rtype: str
        :raise UserError: something is missing or makes no sense
        """
        self.check_access("read")
        if key not in blocks.BLOCKS:
            raise UserError(self.env._("There is no such block."))
        try:
            return blocks.build_block(key, options)
        except blocks.BlockError as error:
            raise UserError(self._describe_block_error(error)) from error

    def _list_blocks(self):
        """Return the blocks for templates of this kind.

        :return: dicts with ``key``, ``label``, ``meaning``, ``options`` (names) and
            ``is_inline``: whether it fits into a subject
        :rtype: list[dict]
        """
        words = self._get_block_words()
        names = [tag.name for tag in self._get_merge_tags()]
        return [
            {
                "key": key,
                "label": words[key][0],
                "meaning": words[key][1],
                "options": blocks.BLOCKS[key].options,
                "is_inline": blocks.BLOCKS[key].is_inline,
            }
            for key in blocks.list_blocks(names, self.channel)
        ]

    def _list_conditions(self):
        """Return what a text can depend on: pairs of key and label."""
        words = self._get_condition_words()
        names = [tag.name for tag in self._get_merge_tags()]
        return [(key, words[key]) for key in blocks.list_conditions(names)]

    def _list_segments(self):
        """Return names of segments that a text can depend on: in English, by which
        messages know them."""
        company = self.company_id or self.env.company
        segments = self.env["customer.segment"].search(
            [("company_id", "in", (company.id, False))], limit=MAX_SEGMENTS
        )
        return segments.with_context(lang="en_US").mapped("name")

    def _list_targets(self):
        """Return where a button can lead: pairs of merge tag and meaning."""
        return [
            (tag.name, self.env._(tag.meaning))
            for tag in self._get_merge_tags()
            if tag.name.endswith("url") and "logo" not in tag.name
        ]

    def _get_block_words(self):
        env = self.env
        return {
            "button": (
                env._("Button"),
                env._("A button that leads somewhere; in plain text, label and link"),
            ),
            "cart_items": (
                env._("Cart"),
                env._("The products in the cart, with pictures and the total"),
            ),
            "order_summary": (
                env._("Order"),
                env._("The products of the order, each with a link to write a review"),
            ),
            "product_card": (
                env._("Product"),
                env._("The products with picture, price and a button each"),
            ),
            "recommended": (
                env._("Recommended products"),
                env._("Best sellers of the shop, as many as you say at most"),
            ),
            "offers": (
                env._("Recommended products"),
                env._("Products that go with the cart, as many as you say at most"),
            ),
            "coupon": (
                env._("Coupon"),
                env._("The coupon in a box; nothing for whoever has none"),
            ),
            "condition": (
                env._("Text for some recipients only"),
                env._("By language, by the value of the cart, with a first name …"),
            ),
            "footer": (
                env._("Footer"),
                env._(
                    "Reason, postal address, links to the preferences and to "
                    "unsubscribe; the frame brings it along"
                ),
            ),
            "frame": (
                env._("Frame"),
                env._("To begin with: styles, header, room for your text, footer"),
            ),
        }

    def _get_condition_words(self):
        env = self.env
        return {
            "first_name": env._("The first name is known"),
            "language": env._("The customer's language is"),
            "segment": env._("The customer is in the segment"),
            "value": env._("The cart is worth at least"),
            "coupon": env._("The customer has a coupon"),
            "price_drop": env._("The price has dropped"),
        }

    def _describe_block_error(self, error):
        env = self.env
        names = {
            "label": env._("Label"),
            "target": env._("Leads to"),
            "count": env._("Number of products"),
            "condition": env._("For whom"),
            "language": env._("Language"),
            "segment": env._("Segment"),
            "value": env._("Value"),
            "then": env._("Text"),
        }
        name = names.get(error.option, error.option)
        return {
            "missing": env._("%s is missing.", name),
            "number": env._(
                "%(name)s must be a number; products: 1 to %(most)s.",
                name=name,
                most=blocks.MAX_PRODUCTS,
            ),
            "address": env._(
                "%s must be an address: https://…, or /shop for a page of your shop.",
                name,
            ),
        }[error.fault]
