"""Carts whose address was only typed are told apart, and have no lent name."""


def migrate(cr, version):
    cr.execute(
        """UPDATE abandoned_cart cart SET is_typed = TRUE, customer_name = NULL
             FROM sale_order so
             JOIN website w ON w.id = so.website_id
             JOIN res_users nobody ON nobody.id = w.user_id
            WHERE cart.order_id = so.id AND so.partner_id = nobody.partner_id
              AND so.typed_email_normalized = cart.email_normalized"""
    )
