"""Making cards: in batches, just before the messages that bring them are written."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, float_round

from ...tools.coupon_codes import make_code
from .loyalty_card import MANAGED


class MarketingCoupon(models.Model):
    _inherit = "marketing.coupon"

    @api.model
    def _issue_for(self, messages):
        """Give messages that are about to be written their coupons.

        A message that had one already (it is tried again) keeps it. Where a step speaks
        of a coupon that is used, withdrawn or was never made, the message is skipped.

        :param marketing.message messages: claimed, and let through by the gate
        :return: the messages that can be written
        :rtype: marketing.message
        """
        messages = messages.sudo()
        fresh = messages.filtered(
            lambda message: (
                message.step_id.coupon_use == "new"
                and not message.coupon_card_id
                # A gift card is not sold for less: no coupon for it is promised.
                and not message._is_about_stored_value()
            )
        )
        speaking = messages.filtered(
            lambda message: (
                message.coupon_card_id or message.step_id.coupon_use == "remind"
            )
        )
        without = speaking._attach_open_cards()
        without._skip("no_coupon")
        self._create_cards(fresh)
        return messages - without

    @api.model
    def _create_cards(self, messages):
        """Make one card for each message, all in one statement.

        :param marketing.message messages: of steps that hand out a coupon
        :rtype: loyalty.card
        """
        cards = self.env["loyalty.card"].sudo().with_context(**MANAGED)
        if not messages:
            return cards
        programs = {}
        vals_list = [self._prepare_card(message, programs) for message in messages]
        codes = self._make_codes([vals["code"] for vals in vals_list])
        for vals, code in zip(vals_list, codes, strict=True):
            vals["code"] = code
        cards = cards.create(vals_list)
        self._link_cards(messages, cards)
        return cards

    @api.model
    def _prepare_card(self, message, programs):
        """Return the values of a message's card; ``code`` is the prefix of its code.

        :param dict programs: those already looked up, by rule, company and terms
        """
        coupon = message.step_id.coupon_id
        company = message.company_id
        value, currency = message._get_coupon_basis()
        terms = coupon._get_terms(
            currency._convert(value, company.currency_id, company, fields.Date.today())
        )
        key = (coupon, company, terms)
        if key not in programs:
            programs[key] = coupon._get_program(company, terms)
        partner = message.partner_id
        return {
            "program_id": programs[key].id,
            # Of the public user's cards everybody would have one.
            "partner_id": False if partner.is_public else partner.id,
            "points": 1,
            "code": coupon.prefix or "",
            "expiration_date": coupon._get_last_day(company),
            "marketing_coupon_id": coupon.id,
            "marketing_enrollment_id": message.enrollment_id.id,
            "marketing_email": message.email_normalized,
            "marketing_currency_id": currency.id,
            "marketing_minimum_amount": coupon._get_minimum(value, currency),
            "marketing_minimum_untaxed": coupon._get_minimum(
                message.abandoned_cart_id._get_coupon_basis_untaxed()
                if message.abandoned_cart_id
                else 0.0,
                currency,
            ),
        }

    def _get_minimum(self, value, currency):
        """Return the smallest order for a coupon of this rule.

        :param float value: of the cart it is made for
        :param res.currency currency: of the value
        :rtype: float
        """
        return float_round(
            value * self.minimum_share / 100,
            precision_rounding=currency.rounding,
            rounding_method="DOWN",
        )

    def _get_last_day(self, company):
        """Return the last day of cards that are made now, where the company is.

        :rtype: date
        """
        local = self.with_context(tz=company.partner_id.tz or "UTC")
        return fields.Date.context_today(local) + timedelta(days=self.validity_days)

    @api.model
    def _make_codes(self, prefixes):
        """Return one code for each prefix that no card and no promotion has.

        :param list[str] prefixes: what the codes begin with
        :rtype: list[str]
        """
        codes = {}
        missing = list(enumerate(prefixes))
        while missing:
            drawn = {index: make_code(prefix) for index, prefix in missing}
            taken = self._find_taken(list(drawn.values())) | set(codes.values())
            for index, code in drawn.items():
                if code not in taken:
                    codes[index] = code
                    taken.add(code)
            missing = [pair for pair in missing if pair[0] not in codes]
        return [codes[index] for index in range(len(prefixes))]

    @api.model
    def _find_taken(self, codes):
        """Return which codes exist, of cards or promotions, archived ones too."""
        rows = self.env.execute_query(
            SQL(
                """SELECT code FROM loyalty_card WHERE code = ANY(%(codes)s)
                    UNION ALL
                   SELECT code FROM loyalty_rule WHERE code = ANY(%(codes)s)""",
                codes=codes,
            )
        )
        return {code for (code,) in rows}

    @api.model
    def _link_cards(self, messages, cards):
        """Write down which card a message brings, and which is its run's latest."""
        pairs = list(zip(messages.ids, cards.ids, strict=True))
        messages._set_cards(pairs)
        runs = [
            (message.enrollment_id.id, card_id)
            for message, (_message_id, card_id) in zip(messages, pairs, strict=True)
            if message.enrollment_id
        ]
        if runs:
            messages._execute_values(
                SQL(
                    """UPDATE marketing_enrollment run SET coupon_card_id = v.card_id
                         FROM (VALUES %%s) AS v (id, card_id) WHERE run.id = v.id
                    RETURNING run.id"""
                ),
                runs,
                "(%s, %s)",
            )
            messages.enrollment_id.invalidate_recordset(["coupon_card_id"])


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    def _get_coupon_basis(self):
        """Return what a coupon of this message is measured by: the cart it is about.

        Of who has none nothing is known: it is the one for the smallest carts.

        :return: value as the shop shows prices, and its currency
        :rtype: tuple[float, res.currency]
        """
        self.ensure_one()
        if self.abandoned_cart_id:
            return self.abandoned_cart_id._get_coupon_basis()
        return 0.0, self.company_id.currency_id

    def _is_about_stored_value(self):
        order = self.abandoned_cart_id.order_id
        return bool(order) and order._is_stored_value_only()

    def _attach_open_cards(self):
        """Let messages without a card of their own speak of their run's newest one.

        :return: messages that have nothing to speak of: no card, or a closed one
        :rtype: marketing.message
        """
        pairs = []
        for message in self.filtered(lambda message: not message.coupon_card_id):
            if card := message.enrollment_id._get_newest_card():
                pairs.append((message.id, card.id))
        self._set_cards(pairs)
        return self.filtered(lambda message: not message.coupon_card_id._is_open())

    def _set_cards(self, pairs):
        """Write which card messages bring.

        :param list pairs: ids of messages and cards
        """
        if not pairs:
            return
        self.flush_model()
        self._execute_values(
            SQL(
                """UPDATE marketing_message m SET coupon_card_id = v.card_id
                     FROM (VALUES %%s) AS v (id, card_id) WHERE m.id = v.id
                RETURNING m.id"""
            ),
            pairs,
            "(%s, %s)",
        )
        self.invalidate_recordset(["coupon_card_id"])


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    def _get_coupon_basis(self):
        """Return what a coupon for this cart is measured by: its products today.

        :return: value as the shop shows prices, and its currency
        :rtype: tuple[float, res.currency]
        """
        self.ensure_one()
        order = self.order_id
        value = order._get_products_value() if order else 0.0
        if value:
            return value, order.currency_id
        return self.amount_total, self.currency_id

    def _get_coupon_basis_untaxed(self):
        """Return what the products of this cart come to without tax.

        :return: in the currency of :meth:`_get_coupon_basis`; 0 when only the snapshot
            is left, which does not know
        :rtype: float
        """
        self.ensure_one()
        return self.order_id._get_products_value_untaxed() if self.order_id else 0.0
