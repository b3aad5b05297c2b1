from odoo import models
from odoo.tools import SQL

from ..models.audience.purposes import PURPOSES


class SegmentImport(models.TransientModel):
    """The consent of the people in a file, with where the proof of it is."""

    _inherit = "customer.segment.import"

    def _get_consent_purposes(self):
        """Return the keys of the purposes that are ticked.

        :rtype: list[str]
        """
        ticked = self.consent_purposes or {}
        return [key for key, _label in PURPOSES if ticked.get(key, {}).get("checked")]

    def _record_consent(self, table):
        """Write down that everybody who was accepted agreed, with the proof.

        Whoever said no earlier, to this or to everything, is not overruled by a file.

        :param ImportTable table: with outcomes
        :return: number of people whose consent was written down
        :rtype: int
        """
        addresses = self._read_addresses(table)
        preferences = self.env["marketing.preference"].sudo()
        recorded, refused = set(), set()
        for purpose in self._get_consent_purposes():
            no = self._find_refusals(purpose, list(addresses))
            refused |= no
            yes = addresses.keys() - no
            recorded |= yes
            preferences._record(
                self.company_id,
                self.consent_channel,
                [purpose],
                yes,
                "given",
                "import",
                text=self.consent_proof.strip(),
            )
        table.remark("withdrawn", [addresses[address] for address in refused])
        table.remark("not_subscribed", table.get_not_subscribed())
        return len(recorded)

    def _record_unsubscribed(self, table):
        """Write down that people have unsubscribed, elsewhere, from this company.

        Some may be contacts already, and get emails as customers. An unsubscription
        from a list of another program is one from marketing emails altogether.

        :param ImportTable table: with outcomes
        """
        addresses = table.get_unsubscribed()
        if not addresses:
            return
        self.env["marketing.preference"].sudo()._record(
            self.company_id,
            "email",
            [key for key, _label in PURPOSES],
            addresses,
            "withdrawn",
            "import",
            text=self.env._(
                "Unsubscribed according to the imported file “%s”", self.file_name or ""
            ),
        )

    def _read_addresses(self, table):
        """Return the number of the line by address on the chosen channel.

        :rtype: dict[str, int]
        """
        people = self.env.execute_query(table.get_people())
        if self.consent_channel == "email":
            return {email: line for line, email, _phone in people}
        country = self.company_id.country_id
        addresses, without = {}, []
        for line, _email, phone in people:
            number = self.env["res.partner"]._phone_format(
                number=phone, country=country
            )
            if number:
                addresses.setdefault(number, line)
            else:
                without.append(line)
        table.remark("no_number", without)
        return addresses

    def _find_refusals(self, purpose, addresses):
        """Return those who said no to a purpose, or to everything.

        :param str purpose: key of ``PURPOSES``
        :param list addresses: on the chosen channel
        :rtype: set[str]
        """
        preferences = self.env["marketing.preference"].sudo()
        suppressed = preferences._find_suppressed(self.consent_channel, addresses)
        withdrawn = self.env.execute_query(
            SQL(
                """SELECT address FROM marketing_preference
                    WHERE company_id = %s AND channel = %s AND purpose = %s
                      AND state = 'withdrawn' AND address = ANY(%s)""",
                self.company_id.id,
                self.consent_channel,
                purpose,
                addresses,
            )
        )
        return {address for (address,) in withdrawn}.union(suppressed)
