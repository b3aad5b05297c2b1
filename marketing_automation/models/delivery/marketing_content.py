import hashlib
import re

from odoo import api, fields, models
from odoo.tools import SQL


class MarketingContent(models.Model):
    """What was sent, word for word: one row for all who received the same.

    What differs from person to person stands in it as a marker; the messages hold what
    belongs there.
    """

    _name = "marketing.content"
    _description = "Message Content"
    _log_access = False
    _rec_name = "subject"

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    created_at = fields.Datetime(required=True, readonly=True)
    subject = fields.Char(readonly=True)
    # The links in it are their recipients' own.
    html = fields.Text(readonly=True, groups="base.group_system")
    text = fields.Text(readonly=True, groups="base.group_system")
    checksum = fields.Char(
        readonly=True, help="Of content that several messages share; empty otherwise."
    )

    _checksum_uniq = models.UniqueIndex(
        "(checksum, company_id) WHERE checksum IS NOT NULL",
        "This content is kept already.",
    )
    _created_idx = models.Index("(created_at)")

    @api.model
    def _delete_old(self, limit=10000):
        """Forget what the company has kept long enough, with what was this person's own
        in it, and contents that no message has any more: they are most of the volume of
        an outbox. What became of the messages is kept.

        :param int limit: number of contents
        :return: how many were forgotten
        :rtype: int
        """
        now = fields.Datetime.now()
        self.flush_model()
        self.env["marketing.message"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT content.id
                     FROM marketing_content content
                     JOIN res_company company ON company.id = content.company_id
                    WHERE content.created_at < %(yesterday)s
                      AND NOT EXISTS (
                          SELECT FROM marketing_message m
                           WHERE m.content_id = content.id
                             AND (company.content_kept_days = 0
                                  OR COALESCE(m.sending_at, %(now)s) >= %(now)s
                                     - company.content_kept_days * interval '1 day'))
                    ORDER BY content.id LIMIT %(limit)s""",
                now=now,
                yesterday=fields.Datetime.subtract(now, days=1),
                limit=limit,
            )
        )
        old = self.browse(content_id for (content_id,) in rows)
        self._forget_values(old)
        old.unlink()
        return len(old)

    @api.model
    def _forget_values(self, contents):
        """Take what was a person's own out of the messages: names, and the beginning of
        a text message."""
        self.env["marketing.message"].flush_model()
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_message
                      SET content_values = NULL,
                          subject = CASE WHEN channel = 'sms' THEN NULL
                                         ELSE subject END
                    WHERE content_id = ANY(%s)""",
                contents.ids,
            )
        )
        self.env["marketing.message"].invalidate_model(["content_values", "subject"])

    @api.model
    def _replace(self, messages):
        """Forget what was written for an attempt that did not leave.

        :param marketing.message messages: about to be written anew
        """
        messages.content_id.filtered(lambda content: not content.checksum).unlink()

    @api.model
    def _store(self, contents, company):
        """Keep contents of single messages.

        :param list contents: tuples (subject, html, text)
        :param res.company company: who is speaking
        :return: their ids, in this order
        :rtype: list[int]
        """
        if not contents:
            return []
        now = fields.Datetime.now()
        rows = self.env.cr.execute_values(
            """INSERT INTO marketing_content (company_id, created_at, subject, html,
                                              text)
               VALUES %s RETURNING id""",
            [(company.id, now, *content) for content in contents],
            page_size=len(contents),
            fetch=True,
        )
        return [content_id for (content_id,) in rows]

    @api.model
    def _store_shared(self, content, company):
        """Keep a content that many messages share, once.

        :param tuple content: subject, html and text
        :param res.company company: who is speaking
        :return: its id
        :rtype: int
        """
        checksum = hashlib.sha256(
            "\0".join(content).encode("utf-8", "surrogatepass")
        ).hexdigest()
        known = self.search(
            [("checksum", "=", checksum), ("company_id", "=", company.id)], limit=1
        )
        if known:
            return known.id
        [(content_id,)] = self.env.execute_query(
            SQL(
                """INSERT INTO marketing_content (company_id, created_at, subject, html,
                                                  text, checksum)
                   VALUES (%s, %s, %s, %s, %s, %s) RETURNING id""",
                company.id,
                fields.Datetime.now(),
                *content,
                checksum,
            )
        )
        return content_id

    def _fill(self, values):
        """Return the content as one person got it.

        :param dict values: marker -> text, of the message; may be empty
        :return: ``subject``, ``html`` and ``text``; empty for a content that is gone
        :rtype: dict
        """
        if not self:
            return {}
        content = {name: self[name] or "" for name in ("subject", "html", "text")}
        if not values:
            return content
        markers = re.compile("|".join(map(re.escape, values)))
        return {
            name: markers.sub(lambda match: values[match[0]], part)
            for name, part in content.items()
        }
