"""Text messages to numbers that a visitor typed and nobody has proven.

Each message costs money, and somebody earns it: strangers type numbers of premium rate
and of far countries by the dozen, and leave a cart behind ("SMS pumping"). So strangers
get text messages in the shop's own countries alone, and few of them.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.phone_kinds import get_country
from .marketing_gate import Decision
from .message_contact import as_array


class ResCompany(models.Model):
    _inherit = "res.company"

    sms_country_ids = fields.Many2many(
        "res.country",
        "marketing_sms_country_rel",
        string="SMS to Strangers in",
        help="Countries whose numbers get text messages before their owners have "
        "bought anything or agreed. None chosen: the country of the company alone.",
    )
    sms_strangers_per_hour = fields.Integer(
        string="SMS to Strangers an Hour",
        default=30,
        help="So many text messages an hour at most go to numbers of visitors who have "
        "bought nothing yet and did not agree.",
    )
    sms_strangers_per_visitor = fields.Integer(
        string="Of Them From One Connection",
        default=3,
        help="So many of them at most go to numbers that were typed from the same "
        "connection to the internet.",
    )

    _sms_strangers_positive = models.Constraint(
        "CHECK(sms_strangers_per_hour > 0 AND sms_strangers_per_visitor > 0)",
        "At least one text message to strangers is needed. Sequences without a step "
        "by SMS send none.",
    )

    def _get_sms_countries(self):
        """Return the codes of the countries whose strangers get text messages.

        :return: two letters each; empty: not known, all countries
        :rtype: set[str]
        """
        self.ensure_one()
        return set((self.sms_country_ids or self.country_id).mapped("code"))


class SaleOrder(models.Model):
    _inherit = "sale.order"

    contact_client = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="A digest of the connection that this cart's address was entered from. "
        "Only to count by.",
    )

    def _note_contact_client(self, network):
        """Remember from which connection an address was entered.

        :param str network: see :func:`~...tools.client_network.get_network`
        """
        self.ensure_one()
        digest = False
        if network:
            [digest] = self.env["marketing.suppression"]._hash([network])
        order = self.sudo()
        if order.contact_client != digest:
            order.contact_client = digest


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    is_to_stranger = fields.Boolean(
        readonly=True,
        help="A text message that may go although its number is not proven.",
    )

    _stranger_idx = models.Index(
        "(company_id, COALESCE(sending_at, create_date)) WHERE is_to_stranger"
    )


class MarketingGate(models.AbstractModel):
    _inherit = "marketing.gate"

    @api.model
    def _refuse_numbers(self, messages):
        """Say which text messages go to numbers that no message goes to.

        :param marketing.message messages: what may go otherwise
        :rtype: dict[int, Decision]
        """
        # Two columns: of emails nothing is read here.
        rows = self.env.execute_query(
            SQL(
                """SELECT id, phone_sanitized FROM marketing_message
                    WHERE id = ANY(%s::int[]) AND channel = 'sms'""",
                as_array(messages.ids),
            )
        )
        return {
            message_id: Decision("number_kind")
            for message_id, number in rows
            if get_country(number) == ""
        }

    @api.model
    def _limit_strangers(self, messages, now):
        """Say which text messages to strangers do not go, and count the others.

        :param marketing.message messages: to strangers, what may go otherwise
        :param datetime now: naive, UTC
        :rtype: dict[int, Decision]
        """
        decisions, passed = {}, messages.browse()
        for company, group in messages.grouped("company_id").items():
            countries = company._get_sms_countries()
            counts = self._count_strangers(group, company, now)
            clients = self._get_clients(group)
            for message in group.sorted("id"):
                client = clients.get(message.id)
                country = get_country(message.phone_sanitized)
                if countries and country and country not in countries:
                    decisions[message.id] = Decision("number_country")
                elif counts.get(None, 0) >= company.sms_strangers_per_hour or (
                    client
                    and counts.get(client, 0) >= company.sms_strangers_per_visitor
                ):
                    decisions[message.id] = Decision("too_many_strangers")
                else:
                    passed += message
                    for key in {None, client}:
                        counts[key] = counts.get(key, 0) + 1
        passed.filtered(
            lambda message: not message.is_to_stranger
        ).is_to_stranger = True
        passed.flush_recordset(["is_to_stranger"])
        return decisions

    @api.model
    def _count_strangers(self, messages, company, now):
        """Count the text messages to strangers of the last hour, but for these.

        Others wait meanwhile: two workers do not both send the last one.

        :return: number by connection; None for all
        :rtype: dict[str | None, int]
        """
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtext('marketing_sms_strangers'), %s)",
                company.id,
            )
        )
        rows = self.env.execute_query(
            SQL(
                """SELECT so.contact_client, count(*)
                     FROM marketing_message m
                     LEFT JOIN abandoned_cart cart ON cart.id = m.abandoned_cart_id
                     LEFT JOIN sale_order so ON so.id = cart.order_id
                    WHERE m.is_to_stranger AND m.company_id = %s
                      AND COALESCE(m.sending_at, m.create_date) > %s
                      AND m.state NOT IN ('skipped', 'cancelled', 'failed')
                      AND m.id != ALL(%s)
                    GROUP BY 1""",
                company.id,
                now - timedelta(hours=1),
                messages.ids,
            )
        )
        counts = {client: count for client, count in rows if client}
        counts[None] = sum(count for _client, count in rows)
        return counts

    @api.model
    def _get_clients(self, messages):
        """Return the connection that the number of each message was entered from.

        :rtype: dict[int, str]
        """
        return dict(
            self.env.execute_query(
                SQL(
                    """SELECT m.id, so.contact_client
                         FROM marketing_message m
                         JOIN abandoned_cart cart ON cart.id = m.abandoned_cart_id
                         JOIN sale_order so ON so.id = cart.order_id
                        WHERE m.id = ANY(%s)""",
                    messages.ids,
                )
            )
        )
