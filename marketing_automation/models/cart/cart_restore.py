from datetime import timedelta

from odoo import api, fields, models

from ...tools.links import is_token
from ...tools.trusted_context import say
from .sale_order import SKIP_ACTIVITY

UNTOUCHED_COPY_DAYS = 7
# Of one link there are so many filled carts that nobody touched, at most.
UNTOUCHED_COPIES = 3


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
        if not is_token(token):
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

        :return: ``ordered``, ``expired``, ``unknown`` (never recoverable), ``changing``
            (a quotation that is being revised, or was withdrawn) or ``open``
        :rtype: str
        """
        self.ensure_one()
        if self.state == "recovered" or self.order_id._is_bought():
            return "ordered"
        if self.state == "expired" or self.expires_at <= fields.Datetime.now():
            return "expired"
        if self.state == "excluded":
            return "unknown"
        if self.kind == "quotation" and not self.order_id._is_open_quotation():
            return "changing"
        return "open"

    def _belongs_to(self, user):
        """Whether a logged-in user is the person who left this cart.

        :param res.users user: who follows the link
        :rtype: bool
        """
        self.ensure_one()
        partner = user.partner_id
        if self.kind == "quotation":
            # Colleagues decide together; Odoo shows it to all of them.
            partner, owner = partner.commercial_partner_id, self.partner_id
            if partner == owner.commercial_partner_id:
                return True
        return user.partner_id == self.partner_id or bool(
            self.email_normalized
            and user.partner_id.email_normalized == self.email_normalized
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
        quietly = {SKIP_ACTIVITY: say(), "skip_cart_verification": 1}
        order = order.with_context(**quietly)
        warned = order.order_line.filtered("shop_warning")
        outcome = {"dropped": [], "reduced": []}
        for product, name, quantity, source in self._get_lines_to_restore():
            got = order._restore_line(product, quantity, source)
            if got <= 0:
                outcome["dropped"].append(name)
            elif got < quantity:
                outcome["reduced"].append((name, quantity, got))
        # The greeting says it already, for all products in one place.
        (order.order_line - warned).shop_warning = False
        order.shop_warning = False
        order._remember_restored(self)
        order._recompute_prices()
        order._verify_cart_after_update()
        return outcome

    def _get_lines_to_restore(self):
        """Return what to put back: the cart as it is now, else the snapshot.

        :return: tuples (product, name, quantity, line); the original order line knows
            the options that were chosen, it is empty when only the snapshot is left
        :rtype: list[tuple]
        """
        self.ensure_one()
        no_line = self.env["sale.order.line"]
        kept = [
            (
                self.env["product.product"].browse(line["product_id"]).exists(),
                line["name"],
                line["quantity"],
                no_line,
            )
            for line in self.lines or []
        ]
        if self.order_id.state != "draft":
            return kept
        lines = self.order_id.order_line.filtered(
            lambda line: line._is_recoverable_line()
        )
        return [
            (line.product_id, line._get_line_header(), line.product_uom_qty, line)
            for line in lines
        ] + [
            # Odoo takes archived products out of carts; their customers did not.
            line
            for line in kept
            if not line[0].active and line[0] not in lines.product_id
        ]

    def _is_as_left(self, order):
        """Whether a cart holds what was left behind, no more and no less, at the same
        prices.

        :param sale.order order: the visitor's cart, after the refill
        :rtype: bool
        """
        self.ensure_one()
        self.env.flush_all()
        [snapshot] = self.env.execute_query_dict(self._sql_snapshots(order.ids)) or [
            {"lines": []}
        ]
        digits = order.currency_id.decimal_places
        return order.currency_id == self.currency_id and _list_goods(
            snapshot["lines"], digits
        ) == _list_goods(self.lines or [], digits)

    # === CLEAN-UP ===#

    def _make_room_for_copy(self):
        """Delete the oldest carts that this link filled and nobody touched, so that
        opening it a thousand times leaves a few. Whoever touches theirs keeps it."""
        self.ensure_one()
        copies = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("restored_cart_ids", "in", self.ids),
                    ("website_id", "=", self.website_id.id),
                    ("partner_id", "=", self.website_id.user_id.sudo().partner_id.id),
                    ("cart_activity_at", "=", False),
                    ("typed_email", "=", False),
                    ("typed_phone", "=", False),
                    ("transaction_ids", "=", False),
                    ("state", "=", "draft"),
                ],
                order="id desc",
                offset=UNTOUCHED_COPIES - 1,
            )
        )
        copies.try_lock_for_update().unlink()

    @api.autovacuum
    def _gc_untouched_copies(self):
        """Delete carts that a recovery link filled and nobody ever touched.

        Link scanners and previews leave them behind; they belong to nobody.
        """
        limit = fields.Datetime.now() - timedelta(days=UNTOUCHED_COPY_DAYS)
        copies = self.env["sale.order"].search(
            [
                ("restored_cart_ids", "!=", False),
                ("website_id", "!=", False),
                ("cart_activity_at", "=", False),
                ("state", "in", ("draft", "cancel")),
                ("create_date", "<", limit),
            ],
            limit=1000,
        )
        # Odoo only deletes cancelled orders and drafts.
        copies.unlink()


def _list_goods(lines, digits):
    """Return the lines of a snapshot in a form that can be compared."""
    return sorted(
        (line["product_id"], line["quantity"], round(line["price_subtotal"], digits))
        for line in lines
    )
