from odoo import api, models
from odoo.tools import SQL

from .cart_detection import RECOVERABLE_LINE, SELLABLE_LINE
from .cart_worth import CART_WORTH_COMPANY
from .payments import last_payments


class AbandonedCart(models.Model):
    """What detection writes down about a cart: read in one statement for many."""

    _inherit = "abandoned.cart"

    @api.model
    def _sql_facts(self, order_ids):
        """Return a query with one row of facts per cart in ``order_ids``.

        ``known_id`` is the abandonment this cart goes on with, if any: an open or
        excluded one of the same order, or of the order it was restored from unless
        somebody else has given their own address meanwhile. ``reason`` says why a
        cart is not worked (C2), NULL if it is.

        Whose it is: the customer's own address, else the one typed at checkout, else
        what was known of the same cart before.
        """
        return SQL(
            """
            SELECT f.*,
                   CASE WHEN f.is_robot THEN 'robot'
                        WHEN NOT f.is_sellable THEN 'no_sellable_lines'
                        WHEN f.worth_company < f.minimum_amount THEN 'below_minimum'
                        WHEN f.email_normalized IS NULL THEN 'no_contact'
                   END AS reason
              FROM (
                   SELECT so.id AS order_id, so.name, so.website_id, so.company_id,
                          CASE WHEN so.website_id IS NULL THEN 'quotation'
                               WHEN payment.state IN ('error', 'cancel')
                               THEN 'payment_failed' ELSE 'cart' END AS kind,
                          LEAST(so.create_date, so.cart_activity_at)
                              AS cart_created_at,
                          so.cart_activity_at AS abandoned_at,
                          LEAST(so.cart_activity_at
                                + c.cart_expiry_days * interval '1 day',
                                -- The last day of a quotation counts.
                                CASE WHEN so.website_id IS NULL
                                     THEN so.validity_date + interval '1 day' END)
                              AS expires_at,
                          so.currency_id, so.amount_total,
                          so.amount_total / COALESCE(NULLIF(so.currency_rate, 0), 1)
                              AS amount_company,
                          %(worth)s AS worth_company,
                          COALESCE(c.cart_minimum_amount, 0) AS minimum_amount,
                          snapshot.lines, snapshot.content,
                          COALESCE(snapshot.item_count, 0) AS item_count,
                          COALESCE(snapshot.is_sellable, FALSE) AS is_sellable,
                          so.visitor_signals IS NOT NULL
                              AND so.human_signal IS NULL AS is_robot,
                          so.visitor_signals || CASE WHEN so.human_signal IS NULL
                              THEN '["no_human"]'::jsonb ELSE '[]'::jsonb END
                              AS robot_signals,
                          known.id AS known_id,
                          COALESCE(p.id, former.partner_id) AS partner_id,
                          CASE WHEN p.id IS NULL THEN COALESCE(former.is_guest, TRUE)
                               ELSE so.website_id IS NOT NULL
                                    AND NOT EXISTS (SELECT FROM res_users u
                                                WHERE u.partner_id = p.id AND u.active)
                          END AS is_guest,
                          p.id IS NULL AND COALESCE(former.is_typed, TRUE) AS is_typed,
                          COALESCE(p.name, former.customer_name) AS customer_name,
                          COALESCE(contact.email, former.email) AS email,
                          COALESCE(contact.email_normalized, former.email_normalized)
                              AS email_normalized,
                          COALESCE(p.phone, so.typed_phone, former.phone) AS phone,
                          COALESCE(so.typed_phone, former.phone_sanitized)
                              AS phone_sanitized,
                          COALESCE(p.lang, former.lang, l.code) AS lang
                     FROM sale_order so
                     LEFT JOIN website w ON w.id = so.website_id
                     JOIN res_company c ON c.id = so.company_id
                     LEFT JOIN res_users wu ON wu.id = w.user_id
                     LEFT JOIN res_lang l ON l.id = w.default_lang_id
                     LEFT JOIN res_partner p
                            ON p.id = so.partner_id
                           AND p.id != COALESCE(wu.partner_id, 0)
                    CROSS JOIN LATERAL (
                          -- Odoo normalizes an address with a line break to a part
                          -- of it, which may be somebody else's.
                          SELECT CASE WHEN p.email !~ '[[:cntrl:]]'
                                      THEN NULLIF(p.email_normalized, '') END AS email
                          ) own_address
                    CROSS JOIN LATERAL (
                          SELECT COALESCE(own_address.email, so.typed_email_normalized)
                                     AS email_normalized,
                                 CASE WHEN own_address.email IS NULL
                                      THEN COALESCE(so.typed_email, p.email)
                                      ELSE p.email END AS email) contact
                     LEFT JOIN abandoned_cart own
                            ON own.order_id = so.id
                           AND own.state NOT IN ('recovered', 'expired')
                           AND COALESCE(own.exclusion_reason, '')
                               NOT IN ('order_cancelled', 'bought_elsewhere')
                     LEFT JOIN (
                          SELECT rel.sale_order_id, max(cart.id) AS id
                            FROM sale_order_restored_cart_rel rel
                            JOIN abandoned_cart cart ON cart.id = rel.abandoned_cart_id
                           WHERE rel.sale_order_id = ANY(%(order_ids)s)
                             AND cart.state NOT IN ('recovered', 'expired')
                             AND COALESCE(cart.exclusion_reason, '')
                                 NOT IN ('order_cancelled', 'bought_elsewhere')
                           GROUP BY rel.sale_order_id
                          ) lent ON lent.sale_order_id = so.id
                     LEFT JOIN abandoned_cart known
                            ON known.id = COALESCE(own.id, lent.id)
                           AND (own.id IS NOT NULL
                                OR contact.email_normalized = known.email_normalized
                                OR p.id IS NULL AND contact.email_normalized IS NULL)
                     LEFT JOIN LATERAL (
                          -- Not of whoever typed another address before.
                          SELECT known.*
                           WHERE p.id IS NOT NULL OR contact.email_normalized IS NULL
                              OR contact.email_normalized = known.email_normalized
                          ) former ON TRUE
                     LEFT JOIN (%(payments)s) payment ON payment.order_id = so.id
                     LEFT JOIN (%(snapshots)s) snapshot ON snapshot.order_id = so.id
                    WHERE so.id = ANY(%(order_ids)s)) f
            """,
            snapshots=self._sql_snapshots(order_ids),
            worth=CART_WORTH_COMPANY,
            payments=last_payments(order_ids),
            order_ids=order_ids,
        )

    @api.model
    def _sql_snapshots(self, order_ids):
        """Return a query with what is in the carts, at the prices their customers saw.

        One row per cart that holds anything: ``lines`` (JSON), ``content`` (names),
        ``item_count``, ``is_sellable`` (whether any of it can be bought; what a sales
        person offers, can).
        """
        return SQL(
            """
            SELECT so.id AS order_id, sum(sol.product_uom_qty) AS item_count,
                   bool_or(CASE WHEN so.website_id IS NULL
                                THEN sol.product_uom_qty > 0
                                ELSE %(sellable)s END) AS is_sellable,
                   string_agg(shown.name, ', ' ORDER BY sol.sequence, sol.id)
                       AS content,
                   jsonb_agg(jsonb_build_object(
                       'product_id', sol.product_id,
                       'name', shown.name,
                       'quantity', sol.product_uom_qty,
                       'price_unit', shown.amount / NULLIF(sol.product_uom_qty, 0),
                       'price_subtotal', shown.amount,
                       'image_url', '/web/image/product.product/' || sol.product_id
                                    || '/image_256')
                       ORDER BY sol.sequence, sol.id) AS lines
              FROM sale_order so
              LEFT JOIN website w ON w.id = so.website_id
              JOIN sale_order_line sol ON sol.order_id = so.id
              JOIN product_product pp ON pp.id = sol.product_id
              JOIN product_template pt ON pt.id = pp.product_tmpl_id
              LEFT JOIN (
                   -- A combo is priced through its parts.
                   SELECT part.linked_line_id, sum(part.price_subtotal) AS subtotal,
                          sum(part.price_total) AS total
                     FROM sale_order_line part
                    WHERE part.order_id = ANY(%(order_ids)s)
                      AND part.combo_item_id IS NOT NULL
                    GROUP BY part.linked_line_id) parts ON parts.linked_line_id = sol.id
             CROSS JOIN LATERAL (
                   -- The product as shown in the cart: without internal code.
                   SELECT regexp_replace(split_part(sol.name, E'\\n', 1),
                                         '^\\[[^]]*\\] ', '') AS name,
                          CASE w.show_line_subtotals_tax_selection
                          WHEN 'tax_excluded'
                          THEN sol.price_subtotal + COALESCE(parts.subtotal, 0)
                          ELSE sol.price_total + COALESCE(parts.total, 0)
                          END AS amount) shown
             WHERE so.id = ANY(%(order_ids)s) AND %(recoverable)s
             GROUP BY so.id
            """,
            sellable=SELLABLE_LINE,
            recoverable=RECOVERABLE_LINE,
            order_ids=order_ids,
        )
