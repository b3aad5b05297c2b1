"""What a guest types at checkout is enough to write to them (C6)."""

import re

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.mailbox import clean_typed
from ..large_index import LargeIndex
from ..mailbox import normalize_address

MAX_TYPED = 254  # Longest address that mail servers take (RFC 5321, section 4.5.3.1).
# A host outside the own network has a dot: who is still typing is not kept.
_COMPLETE = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$")
_E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")


class Website(models.Model):
    _inherit = "website"

    capture_typed_contact = fields.Boolean(
        string="Remember What Guests Type",
        help="The email address and phone number that somebody types at checkout are "
        "kept with their cart before the form is sent, and a notice at the field says "
        "so. Under a policy that asks for consent first, they are written to only if "
        "they agreed before.",
    )
    typed_contact_notice = fields.Text(string="Notice at Checkout", translate=True)

    def _get_typed_contact_notice(self):
        """Return what stands at the field, in the language of the environment: the
        website's own words, or ours.

        :rtype: str
        """
        self.ensure_one()
        return self.typed_contact_notice or self.env._(
            "We keep your cart together with what you type here. If you leave before "
            "you order, we may remind you of it, in one short series of messages. "
            "Empty the field and we forget it; each message has a link to stop."
        )

    @api.model
    def _get_visitor_users(self):
        """Return the users whom Odoo takes visitors for who are not logged in. What
        they entered, anybody may have entered.

        :rtype: res.users
        """
        return self.sudo().search([("user_id", "!=", False)]).user_id

    def _get_privacy_page_url(self):
        """Return the path of this website's page about privacy, where Odoo puts it.

        :return: the path; '' if there is no such page, or it is not published
        :rtype: str
        """
        self.ensure_one()
        pages = self.env["website.page"].sudo()
        domain = [("url", "=", "/privacy"), ("website_published", "=", True)]
        return pages.search([*domain, *self.website_domain()], limit=1).url or ""


class SaleOrder(models.Model):
    """The address in a cart whose owner has not sent the form yet."""

    _inherit = "sale.order"

    typed_email = fields.Char(
        string="Email Typed at Checkout",
        readonly=True,
        copy=False,
        help="Kept before the form was sent, where the website says so at the field.",
    )
    typed_email_normalized = fields.Char(readonly=True, copy=False)
    typed_phone = fields.Char(
        string="Phone Typed at Checkout",
        readonly=True,
        copy=False,
        help="In international form.",
    )

    _typed_email_idx = LargeIndex(
        "(typed_email_normalized) WHERE typed_email_normalized IS NOT NULL"
    )

    def _capture_typed_contact(self, email=None, phone=None, country=None, network=""):
        """Keep what the visitor of this cart typed; an emptied field is forgotten.

        What is no address or number changes nothing: people are not done typing. A cart
        with a customer is left alone.

        :param str email: what stands in the field; None: it was not sent
        :param str phone: the same
        :param res.country country: where a number without a country code is from
        :param str network: where it came from, see ``_note_contact_client``
        """
        self.ensure_one()
        if not self._is_nobodys():
            return
        vals = {
            **self._read_typed_email(email),
            **self._read_typed_phone(phone, country),
        }
        vals = {name: value for name, value in vals.items() if self[name] != value}
        if not vals:
            return
        former = self.typed_email_normalized
        self.write(vals)
        self._note_contact_client(network)
        self._stamp_cart_activity()
        if former and not self.typed_email_normalized:
            self.abandonment_ids._forget_typed_contact(former)

    def _is_nobodys(self):
        """Whether no customer is known for this cart yet."""
        self.ensure_one()
        return self.partner_id == self.website_id.user_id.sudo().partner_id

    @api.model
    def _read_typed_email(self, text):
        text = text.strip() if isinstance(text, str) else None
        if text == "":
            return {"typed_email": False, "typed_email_normalized": False}
        if text is None or len(text) > MAX_TYPED:
            return {}
        address = normalize_address(text) or ""
        if not _COMPLETE.match(address):
            return {}
        shown = " ".join(clean_typed(text).split())
        return {"typed_email": shown, "typed_email_normalized": address}

    def _read_typed_phone(self, text, country):
        text = text.strip() if isinstance(text, str) else None
        if text == "":
            return {"typed_phone": False}
        if text is None or len(text) > MAX_TYPED:
            return {}
        country = country or self.website_id.company_id.sudo().country_id
        number = self._phone_format(number=text, country=country) or ""
        return {"typed_phone": number} if _E164.match(number) else {}

    def _forget_typed_contact(self):
        """Drop what was typed: the cart has a customer now, or is nobody's business."""
        names = ("typed_email", "typed_email_normalized", "typed_phone")
        typed = self.filtered(lambda order: any(order[name] for name in names))
        if typed:
            typed.write(dict.fromkeys(names, False))

    # === CLEAN-UP ===#

    @api.autovacuum
    def _gc_typed_contacts(self):
        """Forget what was typed into carts that nobody is reminded of any more."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """UPDATE sale_order so
                      SET typed_email = NULL, typed_email_normalized = NULL,
                          typed_phone = NULL, contact_client = NULL
                     FROM res_company c
                    WHERE c.id = so.company_id
                      AND (so.typed_email IS NOT NULL OR so.typed_phone IS NOT NULL
                           OR so.contact_client IS NOT NULL)
                      AND (so.state != 'draft' OR so.cart_activity_at IS NULL
                           OR so.cart_activity_at < %s::timestamp
                              - c.cart_expiry_days * interval '1 day')""",
                fields.Datetime.now(),
            )
        )
        self.invalidate_model()


class AbandonedCart(models.Model):
    """Whose address it is that a guest typed.

    An address is a claim: nothing proves it but what is sent to it. So of a cart with a
    typed address only what was typed in this same cart is used, whoever has it.
    """

    _inherit = "abandoned.cart"

    is_typed = fields.Boolean(
        string="Address Typed Only",
        readonly=True,
        help="The address was typed at checkout and the cart has no customer: it goes "
        "to this address, without the name and the telephone number of the contact who "
        "has it.",
    )

    phone_sanitized = fields.Char(
        string="Typed Phone",
        readonly=True,
        help="The number typed at checkout, in international form. A customer's own is "
        "on the contact.",
    )

    # Those who have no contact yet: few, and looked at every quarter of an hour.
    _stranger_idx = models.Index(
        "(email_normalized) WHERE partner_id IS NULL "
        "AND state IN ('abandoned', 'recovery_started')"
    )

    @api.model
    def _find_strangers(self):
        """Note at open carts of a typed address the customer who has it, for staff.

        Each checkout of a guest creates a contact, so does a sign-up: a cart filled on
        another device may be theirs. Accounts come first, then the oldest contact.
        Messages about the cart know nothing of it: anybody may have typed the address
        here, and anybody may have given it there, with another name and number.
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """UPDATE abandoned_cart cart
                      SET partner_id = known.id, is_guest = known.is_guest
                     FROM (SELECT DISTINCT ON (stranger.id) stranger.id AS cart_id,
                                  p.id, account.id IS NULL AS is_guest
                             FROM abandoned_cart stranger
                             JOIN res_partner p
                               ON p.email_normalized = stranger.email_normalized
                             LEFT JOIN res_users account
                                    ON account.partner_id = p.id AND account.active
                            WHERE stranger.partner_id IS NULL
                              AND stranger.state IN ('abandoned', 'recovery_started')
                              AND p.active
                              AND (p.company_id IS NULL
                                   OR p.company_id = stranger.company_id)
                              AND p.id NOT IN (
                                  SELECT nobody.partner_id FROM website w
                                    JOIN res_users nobody ON nobody.id = w.user_id)
                            ORDER BY stranger.id, account.id IS NULL, p.id) known
                    WHERE cart.id = known.cart_id
                RETURNING cart.id"""
            )
        )
        self.browse(cart_id for (cart_id,) in rows).invalidate_recordset()

    def _forget_typed_contact(self, email):
        """End the recovery of carts whose owner took back the address they typed.

        :param str email: the address, normalized
        """
        mine = self.filtered(
            lambda cart: cart._is_open() and cart.email_normalized == email
        )
        mine.enrollment_ids._stop("opted_out")
        mine.write(
            {
                "state": "excluded",
                "exclusion_reason": "no_contact",
                "partner_id": False,
                "customer_name": False,
                **dict.fromkeys(
                    ("email", "email_normalized", "phone", "phone_sanitized"), False
                ),
            }
        )
