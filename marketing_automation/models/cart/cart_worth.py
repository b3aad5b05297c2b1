"""What a cart is worth: what its customer wants to have, and would pay for it."""

from odoo.tools import SQL

# The worth of the order `so`, in its currency with tax: its products less discounts.
# What it costs to send them is not wanted, nor the part of a quotation that was paid
# before; gift cards and wallets say how it is paid.
CART_WORTH = SQL(
    """(SELECT COALESCE(sum(sol.price_total), 0)
          FROM sale_order_line sol
          LEFT JOIN loyalty_reward reward ON reward.id = sol.reward_id
          LEFT JOIN loyalty_program program ON program.id = reward.program_id
         WHERE sol.order_id = so.id AND sol.display_type IS NULL
           AND sol.is_delivery IS NOT TRUE AND sol.is_downpayment IS NOT TRUE
           AND reward.reward_type IS DISTINCT FROM 'shipping'
           AND COALESCE(program.program_type, '') NOT IN ('gift_card', 'ewallet'))"""
)
# The same in the currency of the company.
CART_WORTH_COMPANY = SQL("%s / COALESCE(NULLIF(so.currency_rate, 0), 1)", CART_WORTH)
# What was kept of the cart `cart`; carts of earlier versions have their total alone.
KEPT_WORTH = SQL("COALESCE(cart.worth_company, cart.amount_company)")
