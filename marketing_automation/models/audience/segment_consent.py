from odoo import models
from odoo.tools import SQL

from .consent_rules import CONSENT_JOINS, CONSENT_RULES, HAS_LEFT_LIST, is_suppressed
from .segment_query import joined

HAS_GIVEN = SQL("(preference.state = 'given' AND NOT %s)", HAS_LEFT_LIST)
HAS_WITHDRAWN = SQL("(preference.state = 'withdrawn' OR %s)", HAS_LEFT_LIST)
# Whoever said neither: also those who have no address to be asked at.
HAS_SAID = SQL("(preference.id IS NOT NULL OR %s)", HAS_LEFT_LIST)


class CustomerSegmentCondition(models.Model):
    """Conditions about consent: the same law that the gate asks, see
    ``consent_rules.py``."""

    _inherit = "customer.segment.condition"

    def _get_consent_domain(self, among, _reader, names):
        meant = {
            "given": HAS_GIVEN,
            "withdrawn": HAS_WITHDRAWN,
            "none": HAS_SAID,
            "allowed": self._make_allowed(),
        }[self.consent_state]
        contacts = self._select_by_consent(meant, among)
        return joined(contacts, next(names), is_in=self.consent_state != "none")

    def _make_allowed(self):
        """Return SQL for: nothing about this person forbids to write to them."""
        key = self.env["marketing.suppression"].sudo()._get_address_key()
        forbidden = [is_suppressed(key), *(rule for _reason, rule in CONSENT_RULES)]
        return SQL(
            "NOT COALESCE(%s, FALSE)",
            SQL(" OR ").join(SQL("(%s)", rule) for rule in forbidden),
        )

    def _select_by_consent(self, condition, among):
        """Return the query of the contacts with an address that said such a thing.

        :param SQL condition: over ``m``, ``preference``, ``purpose`` and ``company``
        :param SQL among: query of ids of contacts, None for all
        :rtype: SQL
        """
        column = "phone_sanitized" if self.channel == "sms" else "email_normalized"
        return SQL(
            """SELECT m.partner_id AS id
                 FROM (SELECT p.id AS partner_id, p.email_normalized,
                              p.phone_sanitized, %(channel)s::varchar AS channel,
                              %(company)s AS company_id
                         FROM res_partner p
                        WHERE p.%(column)s != '' AND %(among)s) m
                 JOIN res_company company ON company.id = m.company_id
                CROSS JOIN (SELECT %(purpose)s::varchar AS code) purpose
                %(joins)s
                WHERE %(condition)s""",
            channel=self.channel,
            column=SQL.identifier(column),
            company=self._get_company().id,
            among=SQL("p.id IN (%s)", among) if among else SQL("TRUE"),
            purpose=self.purpose,
            joins=CONSENT_JOINS,
            condition=condition,
        )
