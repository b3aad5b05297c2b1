from odoo import api, fields, models
from odoo.tools import SQL

from ..cart.cart_detection import RECOVERABLE_LINE, SELLABLE_LINE

# Whether a person may be messaged now: one sentence of SQL per rule over a message `m`
# and its cart, if it has one (`cart`, with its order `so`), at `clock.now`. The first
# that holds is the reason. Rules about carts are false for messages without a cart.
RULES = [
    # There is an address to write to.
    ("no_email", SQL("COALESCE(m.email_normalized, '') = ''")),
    # The person has not said no: Odoo's own blacklist counts, whoever added them.
    (
        "opted_out",
        SQL(
            """EXISTS (SELECT FROM mail_blacklist bl
                        WHERE bl.email = m.email_normalized AND bl.active)"""
        ),
    ),
    # They have not bought since: this cart, or anything else, anywhere.
    (
        "purchased",
        SQL(
            """cart.state = 'recovered' OR EXISTS (
                   SELECT FROM sale_order bought
                    WHERE bought.partner_id IN (
                              SELECT p.id FROM res_partner p
                               WHERE p.email_normalized = m.email_normalized
                               UNION ALL SELECT m.partner_id)
                      AND bought.state = 'sale'
                      AND bought.date_order >= cart.abandoned_at)"""
        ),
    ),
    # The cart's recovery has not come to its end.
    (
        "expired",
        SQL("cart.state = 'expired' OR cart.expires_at <= clock.now"),
    ),
    # There is still something in the cart, and the cart is worth it.
    (
        "emptied",
        SQL(
            """cart.id IS NOT NULL AND (
                   cart.state = 'excluded' OR so.id IS NULL OR so.state != 'draft'
                   OR NOT EXISTS (
                       SELECT FROM sale_order_line sol
                        WHERE sol.order_id = so.id AND %s))""",
            RECOVERABLE_LINE,
        ),
    ),
    # The customer is not in the shop at this moment.
    (
        "returned",
        SQL("so.cart_activity_at > cart.abandoned_at"),
    ),
    # Something of it is still sold. (Stock is checked when the message is rendered.)
    (
        "nothing_available",
        SQL(
            """cart.id IS NOT NULL AND NOT EXISTS (
                   SELECT FROM sale_order_line sol
                     JOIN website w ON w.id = so.website_id
                     JOIN product_product pp ON pp.id = sol.product_id
                     JOIN product_template pt ON pt.id = pp.product_tmpl_id
                    WHERE sol.order_id = so.id AND %s AND %s)""",
            RECOVERABLE_LINE,
            SELLABLE_LINE,
        ),
    ),
    # They have not had enough messages for this cart.
    (
        "max_messages",
        SQL(
            """m.enrollment_id IS NOT NULL AND (
                   SELECT count(*) FROM marketing_message other
                    WHERE other.abandoned_cart_id = m.abandoned_cart_id
                      AND other.id != m.id
                      AND other.state NOT IN ('skipped', 'cancelled', 'failed'))
               >= seq.max_messages"""
        ),
    ),
]


class MarketingGate(models.AbstractModel):
    """The one place that says whether a person may be messaged now, and if not, why.

    Used when messages are queued and again just before each is handed over.
    """

    _name = "marketing.gate"
    _description = "Marketing Gate"

    @api.model
    def _check(self, messages):
        """Check messages against every rule, in one statement.

        :param marketing.message messages: what is about to be queued or sent
        :return: the reason why not by message id, False for those that may go
        :rtype: dict[int, str | bool]
        """
        if not messages:
            return {}
        self.env.flush_all()
        cases = SQL(" ").join(
            SQL("WHEN %s THEN %s", condition, reason) for reason, condition in RULES
        )
        rows = self.env.execute_query(
            SQL(
                """SELECT m.id, CASE %s END
                     FROM marketing_message m
                     LEFT JOIN marketing_sequence seq ON seq.id = m.sequence_id
                     LEFT JOIN abandoned_cart cart ON cart.id = m.abandoned_cart_id
                     LEFT JOIN sale_order so ON so.id = cart.order_id
                    CROSS JOIN (SELECT %s::timestamp AS now) clock
                    WHERE m.id = ANY(%s)""",
                cases,
                fields.Datetime.now(),
                messages.ids,
            )
        )
        return {message_id: reason or False for message_id, reason in rows}
