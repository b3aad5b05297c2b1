from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .sale_order import SKIP_ACTIVITY

UNTOUCHED_COPY_DAYS = 7


class AbandonedCart(models.Model):
    """The recovery link: whose cart it is, whether it still works, and the refill."""

    _inherit = "abandoned.cart"

    # === LINK ===#

    @api.model
    def _find_by_token(self, token):
        """Return the abandonment a recovery link speaks of.

        :param str token: what stands in the address, anything at all
        :rtype: abandoned.cart
        """
        if not token or len(token) != 32 or not token.isalnum():
            return self.browse()
        return self.sudo().search([("token", "=", token)])

    def _get_recovery_path(self):
        """Return the path of the recovery link on the cart's website.

        :rtype: str
        """
        self.ensure_one()
        return f"/shop/cart/recover/{self.sudo().token}"

    def _get_link_status(self):
        """Say what following the recovery link would do now.

        :return: ``ordered``, ``expired``, ``unknown`` (never recoverable) or ``open``
        :rtype: str
        """
        self.ensure_one()
        if self.state == "recovered" or self.order_id.state == "sale":
            return "ordered"
        if self.state == "expired" or self.expires_at <= fields.Datetime.now():
            return "expired"
        if self.state == "excluded":
            return "unknown"
        return "open"

    def _belongs_to(self, user):
        """Whether a logged-in user is the person who left this cart.

        :param res.users user: who follows the link
        :rtype: bool
        """
        self.ensure_one()
        partner = user.partner_id
        return partner == self.partner_id or bool(
            self.email_normalized and partner.email_normalized == self.email_normalized
        )

    # === RESTORE ===#

    def _restore_into(self, order):
        """Put what was left behind into a cart, at today's prices.

        A product that is in the cart already is raised to the quantity left behind,
        never added on top: following the link twice changes nothing. What cannot be
        sold any more stays out. No name or address goes with it.

        :param sale.order order: the visitor's own cart (sudo)
        :return: ``dropped``: names of products that stay out; ``reduced``: tuples
            (name, quantity left behind, quantity available)
        :rtype: dict
        """
        self.ensure_one()
        order = order.with_context(**{SKIP_ACTIVITY: True, "skip_cart_verification": 1})
        outcome = {"dropped": [], "reduced": []}
        for wanted in self._get_lines_to_restore():
            got = self._restore_line(order, wanted)
            if got <= 0:
                outcome["dropped"].append(wanted["name"])
            elif got < wanted["quantity"]:
                outcome["reduced"].append((wanted["name"], wanted["quantity"], got))
        if not order.abandoned_cart_id:
            order.abandoned_cart_id = self
        order._recompute_prices()
        order._verify_cart_after_update()
        return outcome

    def _get_lines_to_restore(self):
        """Return what to put back: the cart as it is now, else the snapshot.

        :return: dicts ``name``, ``product``, ``quantity``, ``line`` (the original order
            line with its options, empty when only the snapshot is left)
        :rtype: list[dict]
        """
        self.ensure_one()
        if self.order_id.state == "draft":
            return [
                {
                    "name": line._get_line_header(),
                    "product": line.product_id,
                    "quantity": line.product_uom_qty,
                    "line": line,
                }
                for line in self.order_id.order_line
                if line._is_recoverable_line()
            ]
        return [
            {
                "name": line.name,
                "product": line.product_id,
                "quantity": line.quantity,
                "line": self.env["sale.order.line"],
            }
            for line in self.line_ids
        ]

    @api.model
    def _restore_line(self, order, wanted):
        """Put one product back.

        :param sale.order order: the visitor's cart
        :param dict wanted: see ``_get_lines_to_restore``
        :return: the quantity the cart holds of it now
        :rtype: float
        """
        product, source = wanted["product"], wanted["line"]
        if not self._is_on_sale(product, order.website_id):
            return 0.0
        if source.linked_line_ids.filtered("combo_item_id"):
            return self._restore_combo(order, source)
        options = self._get_line_options(source)
        uom = source.product_uom_id or product.uom_id
        present = order._cart_find_product_line(product.id, uom_id=uom.id, **options)
        held = sum(present[:1].mapped("product_uom_qty"))
        missing = wanted["quantity"] - held
        if missing <= 0:
            return wanted["quantity"]
        try:
            with self.env.cr.savepoint():
                added = order._cart_add(product.id, missing, uom_id=uom.id, **options)
        except UserError:
            # Odoo refuses the combination today; it is reported as dropped.
            return held
        return max(added.get("quantity", 0.0), held)

    @api.model
    def _restore_combo(self, order, source):
        """Put a combo back with its parts; one that is there already stays single."""
        parts = source.linked_line_ids.filtered("combo_item_id")
        for line in order.order_line:
            if (
                line.product_id == source.product_id
                and line.linked_line_ids.combo_item_id == parts.combo_item_id
            ):
                return source.product_uom_qty
        if not all(self._is_on_sale(part.product_id, None) for part in parts):
            return 0.0
        try:
            with self.env.cr.savepoint():
                return self._add_combo(order, source, parts)
        except UserError:
            return 0.0

    @api.model
    def _add_combo(self, order, source, parts):
        quantity = source.product_uom_qty
        main = order._cart_add(
            source.product_id.id, quantity, **self._get_line_options(source)
        )
        for part in parts:
            added = order._cart_add(
                part.product_id.id,
                quantity,
                linked_line_id=main["line_id"],
                combo_item_id=part.combo_item_id.id,
                **self._get_line_options(part),
            )
            if not added.get("quantity"):
                order.order_line.browse(main["line_id"]).unlink()
                return 0.0
        line = order.order_line.browse(main["line_id"])
        order._check_combo_quantities(line)
        return line.product_uom_qty

    @api.model
    def _is_on_sale(self, product, website):
        """Whether a product may be put into a website's cart today.

        :param website website: the cart's website; None for the parts of a combo,
            which need not be published by themselves
        :rtype: bool
        """
        if not (product.exists() and product.active):
            return False
        return website is None or (
            product.sale_ok
            and product.is_published
            and (not product.website_id or product.website_id == website)
            and not (
                website.prevent_zero_price_sale
                and product.type != "combo"
                and not product._get_contextual_price()
            )
        )

    @api.model
    def _get_line_options(self, source):
        """Return the options a customer chose, as ``_cart_add`` takes them."""
        return {
            "no_variant_attribute_value_ids": (
                source.product_no_variant_attribute_value_ids.ids
            ),
            "product_custom_attribute_values": [
                {
                    "custom_product_template_attribute_value_id": (
                        value.custom_product_template_attribute_value_id.id
                    ),
                    "custom_value": value.custom_value,
                }
                for value in source.product_custom_attribute_value_ids
            ],
        }

    # === CLEAN-UP ===#

    @api.autovacuum
    def _gc_untouched_copies(self):
        """Delete carts that a recovery link filled and nobody ever touched.

        Link scanners and previews leave them behind; they belong to nobody.
        """
        limit = fields.Datetime.now() - timedelta(days=UNTOUCHED_COPY_DAYS)
        copies = self.env["sale.order"].search(
            [
                ("abandoned_cart_id", "!=", False),
                ("website_id", "!=", False),
                ("cart_activity_at", "=", False),
                ("state", "in", ("draft", "cancel")),
                ("create_date", "<", limit),
            ],
            limit=1000,
        )
        # Odoo only deletes cancelled orders and drafts.
        copies.unlink()
