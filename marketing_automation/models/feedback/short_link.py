import re
import secrets
import string
from collections import Counter

from odoo import api, fields, models
from odoo.tools import SQL

# 12 of 62 characters are 71 bits. Every character of a text message is paid for, and
# that is enough: with a billion links in use and a thousand guesses a second, the first
# hit is due after some hundred years.
ALPHABET = string.ascii_letters + string.digits
CODE_LENGTH = 12
_CODE = re.compile(f"[0-9A-Za-z]{{{CODE_LENGTH}}}")


class MarketingShortLink(models.Model):
    """A link of one text message, short enough to be sent."""

    _name = "marketing.short.link"
    _description = "Short Link"
    _rec_name = "message_id"
    _log_access = False

    message_id = fields.Many2one(
        "marketing.message",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="message_id.company_id")
    # Whoever knows the code gets to the target, which may open a person's cart.
    code = fields.Char(required=True, readonly=True, groups="base.group_system")
    url = fields.Char(
        string="Target", required=True, readonly=True, groups="base.group_system"
    )
    position = fields.Integer(
        readonly=True, aggregator=None, help="Place of the link in the text, from 1."
    )

    _code_uniq = models.UniqueIndex("(code)", "A short link has a code of its own.")
    # md5: an address may be longer than what an index takes.
    _message_url_uniq = models.UniqueIndex(
        "(message_id, md5(url))", "A message has one short link for an address."
    )

    @api.model
    def _shorten(self, message_urls):
        """Give addresses in messages their short form, in a few statements for all.

        Rendering a message again gives the same codes again.

        :param message_urls: pairs of message id and address, those of one message in
            the order of its text
        :type message_urls: list[tuple[int, str]]
        :return: pair -> code; the link is ``/m/<code>`` on the shop's address
        :rtype: dict[tuple[int, str], str]
        """
        pairs = list(dict.fromkeys(message_urls))
        if not pairs:
            return {}
        self.env["marketing.message"].flush_model(["token"])
        seen, rows = Counter(), []
        for message_id, url in pairs:
            seen[message_id] += 1
            rows.append((_make_code(), message_id, url, seen[message_id]))
        self.env.cr.execute_values(
            """INSERT INTO marketing_short_link (code, message_id, url, position)
               VALUES %s ON CONFLICT DO NOTHING""",
            rows,
            page_size=1000,
        )
        codes = self._read_codes(pairs)
        # A code that was taken already, if that ever happens: another draw.
        missing = [pair for pair in pairs if pair not in codes]
        return {**codes, **self._shorten(missing)}

    @api.model
    def _read_codes(self, pairs):
        wanted = set(pairs)
        rows = self.env.execute_query(
            SQL(
                """SELECT message_id, url, code FROM marketing_short_link
                    WHERE message_id = ANY(%s)""",
                list({message_id for message_id, _url in pairs}),
            )
        )
        return {
            (message_id, url): code
            for message_id, url, code in rows
            if (message_id, url) in wanted
        }

    @api.model
    def _find_target(self, code):
        """Return what stands behind a short link.

        :param str code: what the address says, may be anything
        :return: the message's token, the target, the link's place in the text; None if
            there is no such link
        :rtype: tuple[str, str, int] | None
        """
        if not _CODE.fullmatch(code):
            return None
        rows = self.env.execute_query(
            SQL(
                """SELECT m.token, l.url, l.position
                     FROM marketing_short_link l
                     JOIN marketing_message m ON m.id = l.message_id
                    WHERE l.code = %s""",
                code,
            )
        )
        return rows[0] if rows else None


def _make_code():
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
