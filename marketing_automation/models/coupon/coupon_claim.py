"""Strangers with a code: a typed address proves nothing, and they try few codes."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.http import request
from odoo.tools import SQL

from ...tools.client_network import get_network
from ..mailbox import normalize_address

# Codes that nobody has, from one connection within an hour.
WRONG_CODES = 20
KEPT_DAYS = 2


class MarketingCodeAttempt(models.Model):
    """How many wrong codes came from a connection in an hour: one row for both."""

    _name = "marketing.code.attempt"
    _description = "Wrong Codes"
    _log_access = False

    client = fields.Char(
        required=True, help="A digest of the connection. Only to count by."
    )
    hour = fields.Datetime(required=True, index=True)
    count = fields.Integer(required=True)

    _client_uniq = models.Constraint(
        "UNIQUE(client, hour)", "Each connection is counted once an hour."
    )

    @api.model
    def _get_client(self):
        """Return a digest of where the request of this visitor comes from.

        :return: empty where there is no request, or nothing is known of it
        :rtype: str
        """
        network = get_network(request.httprequest.remote_addr) if request else ""
        if not network:
            return ""
        [digest] = self.env["marketing.suppression"].sudo()._hash([network])
        return digest

    @api.model
    def _is_too_many(self):
        """Whether this visitor tried so many codes that they try no more for now.

        :rtype: bool
        """
        client = self._get_client()
        return bool(client) and bool(
            self.sudo().search_count(
                [
                    ("client", "=", client),
                    ("hour", "=", self._get_hour()),
                    ("count", ">=", WRONG_CODES),
                ],
                limit=1,
            )
        )

    @api.model
    def _count_wrong(self):
        """A visitor typed a code that nobody has."""
        client = self._get_client()
        if not client:
            return
        self.env.cr.execute(
            SQL(
                """INSERT INTO marketing_code_attempt AS known (client, hour, count)
                   VALUES (%s, %s, 1)
                       ON CONFLICT (client, hour) DO UPDATE SET count = known.count + 1
                    WHERE known.count < %s""",
                client,
                self._get_hour(),
                WRONG_CODES,
            )
        )
        self.invalidate_model()

    @api.model
    def _get_hour(self):
        return fields.Datetime.now().replace(minute=0, second=0)

    @api.autovacuum
    def _gc_attempts(self):
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.env.cr.execute(
            SQL("DELETE FROM marketing_code_attempt WHERE hour < %s", limit)
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _is_unproven_claim(self, card):
        """Whether the customer of this order only says that they are the person of a
        coupon: a guest who typed the address it was sent to.

        Who has it can follow the link in the message that brought it, which fills
        their cart; or log in. A coupon of a newsletter has no such link: there the
        code itself, which went to the address alone, has to do.

        :param loyalty.card card: a coupon of ours (sudo)
        :rtype: bool
        """
        self.ensure_one()
        order, cart = self.sudo(), card.marketing_enrollment_id.abandoned_cart_id
        visitors = self.env["website"]._get_visitor_users()
        if not cart or order.partner_id.create_uid not in visitors:
            return False
        if cart in order._get_restored_carts():
            return False
        return not any(
            normalize_address(user.login) == card.marketing_email
            for user in order.partner_id.user_ids
        )
