"""The one spelling of an email address, for everything that is keyed by it.

Odoo's ``email_normalized`` is what we compare, and what its blacklist and mailing lists
compare: so it is this column, for all models that have it, that gets the spelling of
the wire. ADR 0038.
"""

from collections.abc import Set

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, email_split

from ..tools.mailbox import PLAIN_SQL, clean_typed, is_plain, to_wire

PAGE = 5_000


def normalize_address(text, strict=True):
    """Return an email address in its one spelling: the one that goes on the wire.

    :param str text: as somebody typed it or a file has it, also
        ``Anna Smith <anna@example.com>``; may be empty
    :param bool strict: of several addresses none is meant; else the first is
    :return: such as ``anna@xn--kse-laden-v2a.example``; False if it is no address that
        mail can be sent to
    :rtype: str | bool
    """
    text = (text or "").strip()
    if text.isascii() and is_plain(text.lower()):
        return text.lower()
    text = clean_typed(text)
    found = email_split(text) if "@" in text else []
    if not found or (strict and len(found) != 1):
        return False
    return to_wire(found[0]) or False


def normalize_addresses(channel, addresses):
    """Return addresses of a channel in their one spelling; numbers stay as they are.

    :param str channel: key of ``CHANNELS``
    :param addresses: emails, or numbers in E.164; empty ones are left out
    :rtype: set[str]
    """
    if channel == "sms":
        return set(filter(None, addresses))
    return {address for text in addresses if (address := normalize_address(text))}


def normalize_condition(condition):
    """Return a condition on addresses with the values as they are kept.

    :param Domain condition: a field, an operator, and an address or several
    :rtype: Domain
    """
    value = condition.value
    if isinstance(value, str):
        value = normalize_address(value) or value
    elif isinstance(value, list | tuple | Set):
        value = [
            normalize_address(item) or item if isinstance(item, str) else item
            for item in value
        ]
    else:
        return condition
    return Domain(condition.field_expr, condition.operator, value)


class MailThreadBlacklist(models.AbstractModel):
    _inherit = "mail.thread.blacklist"

    @api.private
    def init(self):
        """Give the addresses that were there before their one spelling.

        Nearly all have it: the database finds the others in one pass.
        """
        res = super().init()
        if not self._abstract:
            self._respell_addresses(self._primary_email, "email_normalized")
        return res

    @api.depends(lambda self: [self._primary_email])
    def _compute_email_normalized(self):
        self._assert_primary_email()
        for record in self:
            record.email_normalized = normalize_address(
                record[self._primary_email], strict=False
            )

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Find people by any spelling of their address, as Odoo does when it asks
        whether there is a contact."""
        domain = Domain(domain).map_conditions(
            lambda condition: (
                normalize_condition(condition)
                if condition.field_expr == "email_normalized"
                else condition
            )
        )
        return super()._search(domain, *args, **kwargs)

    @api.model
    def _respell_addresses(self, typed, kept):
        """Write down again what is not kept as :func:`normalize_address` has it.

        :param str typed: column with the address as it was entered
        :param str kept: column with the one spelling
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT id, %(typed)s, %(kept)s FROM %(table)s
                    WHERE %(typed)s != '' AND (%(kept)s IS NULL OR %(kept)s !~ %(plain)s
                          OR %(typed)s ~ '[[:cntrl:]]')""",
                table=SQL.identifier(self._table),
                typed=SQL.identifier(typed),
                kept=SQL.identifier(kept),
                plain=PLAIN_SQL,
            )
        )
        changed = [
            (record_id, address)
            for record_id, text, known in rows
            if (address := normalize_address(text, strict=False) or None) != known
        ]
        if changed:
            self.env.cr.execute_values(
                f"""UPDATE "{self._table}" t SET "{kept}" = v.address
                      FROM (VALUES %s) AS v (id, address) WHERE t.id = v.id""",
                changed,
                template="(%s, %s::varchar)",
                page_size=PAGE,
            )
            self.invalidate_model([kept])
