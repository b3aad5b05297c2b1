"""How people are looked for in long lists: contacts by name or address, and whoever is
no contact by the beginning of the address or number.

Looking for letters in the middle of a million addresses takes a second; contacts are
far fewer than what was sent to them.
"""

import re

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools.sql import escape_psql

# More contacts than these are looked for by the database, in the same query.
MANY_CONTACTS = 5_000
NUMBER = re.compile(r"\+?[0-9 ()/.-]{3,}")


class MarketingPersonSearch(models.AbstractModel):
    """A list of what concerns people, with ``partner_id`` and ``email_normalized``."""

    _name = "marketing.person.search"
    _description = "Search for a Person"

    # Where numbers are, in international form.
    _number_field = None

    person = fields.Char(
        string="Name or Address",
        compute="_compute_person",
        search="_search_person",
        help="Searched by the name or address of a contact, or by how an address or "
        "number begins.",
    )

    def _compute_person(self):
        for record in self:
            record.person = record.partner_id.display_name or record.email_normalized

    def _search_person(self, operator, value):
        if operator not in ("ilike", "like", "=ilike", "=like") or not value:
            return NotImplemented
        text = value.strip()
        contacts = self.env["res.partner"].with_context(active_test=False)
        named = Domain("complete_name", "ilike", text) | Domain("email", "ilike", text)
        found = contacts.search(named, limit=MANY_CONTACTS + 1, order="id").ids
        if len(found) > MANY_CONTACTS:
            found = contacts._search(named)
        domain = Domain("partner_id", "in", found) | Domain(
            "email_normalized", "=like", escape_psql(text.lower()) + "%"
        )
        if self._number_field and NUMBER.fullmatch(text):
            digits = re.sub("[^0-9]", "", text).lstrip("0")
            domain |= Domain(self._number_field, "=like", f"+{digits}%")
        return domain
