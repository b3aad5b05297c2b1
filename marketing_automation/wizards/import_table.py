"""The lines of an imported file, each with what becomes of it, in a temporary table.

A hundred thousand lines are a few statements: only contacts that do not exist yet are
created through the ORM, in batches.
"""

import re

from odoo.tools import SQL

from ..models import mailbox
from ..tools.temporary_table import TemporaryTable

_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
TABLE = TemporaryTable("marketing_import")
_BATCH = 1000
_PAGE = 5000

# New contacts of one run: each takes Odoo milliseconds, and a request has an end.
MAX_CREATED = 10_000

# Outcomes for which a line is left out; the others are "added" and "member".
SKIPPED = (
    "no_address",
    "not_an_address",
    "unsubscribed",
    "cleaned",
    "repeated",
    "unknown",
    "later",
)


def normalize_address(text):
    """Return an address in its one spelling, as contacts have it.

    :param str text: what stands in the file, also ``Anna Smith <anna@example.com>``
    :return: None if it is no single address that mail can be sent to
    :rtype: str | None
    """
    address = mailbox.normalize_address(text)
    return address if address and _ADDRESS.fullmatch(address) else None


class ImportTable:
    """A temporary table with one row for each line of a file.

    :param env: of the user who imports
    :param company: whose contacts are looked at, next to those of all companies
    """

    def __init__(self, env, company):
        self.env = env
        self.company = company
        self.name = TABLE.sql
        TABLE.make(
            env.cr,
            SQL(
                """line int, value text, email text, name text, phone text,
                   status text, partner_id int, outcome text, first_line int,
                   remark text"""
            ),
        )

    def drop(self):
        """Drop the table before the transaction ends."""
        TABLE.drop(self.env.cr)

    # === WHAT THE FILE SAYS ===#

    def load(self, contacts):
        """Put the lines in, and say which of them cannot be used.

        Who has unsubscribed in one line of the file is not added by another.

        :param contacts: people as they are written, see ``contact_columns.Contact``
        """
        self.env.cr.execute_values(
            """INSERT INTO pg_temp.marketing_import
                      (line, value, email, name, phone, status, remark) VALUES %s""",
            (
                (
                    contact.line,
                    contact.address,
                    normalize_address(contact.address),
                    contact.name,
                    contact.phone,
                    contact.status,
                    "rounded_number" if contact.is_rounded else None,
                )
                for contact in contacts
            ),
            page_size=_PAGE,
        )
        self.env.cr.execute(SQL("ANALYZE %s", self.name))
        self.env.cr.execute(
            SQL(
                """UPDATE %(table)s
                      SET outcome = CASE WHEN value = '' THEN 'no_address'
                                         ELSE 'not_an_address' END
                    WHERE email IS NULL;
                   UPDATE %(table)s lines SET outcome = worst.status
                     FROM (SELECT email, max(status) AS status FROM %(table)s
                            WHERE status IN ('unsubscribed', 'cleaned')
                         GROUP BY email) worst
                    WHERE worst.email = lines.email;
                   UPDATE %(table)s lines
                      SET outcome = 'repeated', first_line = ranked.first_line
                     FROM (SELECT line, min(line) OVER (PARTITION BY email)
                                      AS first_line
                             FROM %(table)s
                            WHERE email IS NOT NULL AND outcome IS NULL) ranked
                    WHERE ranked.line = lines.line
                      AND ranked.first_line < lines.line""",
                table=self.name,
            )
        )

    # === CONTACTS ===#

    def find_contacts(self):
        """Give each line without a contact the one that has its address.

        Of several, a person of their own comes before one of a company, and the oldest
        before later ones, such as those of guests at the checkout.
        """
        self.env["res.partner"].flush_model(
            ["email_normalized", "company_id", "active", "parent_id"]
        )
        self.env.cr.execute(
            SQL(
                """UPDATE %(table)s lines SET partner_id = found.id
                     FROM (SELECT DISTINCT ON (p.email_normalized)
                                  p.id, p.email_normalized
                             FROM res_partner p
                            WHERE p.active
                              AND p.email_normalized IN (
                                  SELECT email FROM %(table)s WHERE outcome IS NULL)
                              AND (p.company_id IS NULL OR p.company_id = %(company)s)
                         ORDER BY p.email_normalized, p.parent_id NULLS FIRST, p.id
                          ) found
                    WHERE found.email_normalized = lines.email
                      AND lines.outcome IS NULL AND lines.partner_id IS NULL""",
                table=self.name,
                company=self.company.id,
            )
        )

    def create_contacts(self):
        """Create a contact for each address that nobody has yet, up to a limit.

        :return: how many were created
        :rtype: int
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT email, name, phone FROM %s
                    WHERE outcome IS NULL AND partner_id IS NULL
                 ORDER BY line LIMIT %s""",
                self.name,
                MAX_CREATED,
            )
        )
        partners = self.env["res.partner"].with_context(
            tracking_disable=True, mail_create_nosubscribe=True
        )
        for start in range(0, len(rows), _BATCH):
            partners.create(
                [
                    {"name": name or email, "email": email, "phone": phone or False}
                    for email, name, phone in rows[start : start + _BATCH]
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
        self.find_contacts()
        self.env.cr.execute(
            SQL(
                """UPDATE %s SET outcome = 'later'
                    WHERE outcome IS NULL AND partner_id IS NULL""",
                self.name,
            )
        )
        return len(rows)

    # === WHAT COMES OF IT ===#

    def settle(self, segment):
        """Say of the remaining lines whether their people are added.

        Who is in the segment already under another contact is not added again.

        :param customer.segment segment: static
        """
        segment.env["segment.membership"].flush_model()
        self.env.cr.execute(
            SQL(
                """UPDATE %(table)s lines
                      SET outcome = CASE
                          WHEN partner_id IS NULL THEN 'unknown'
                          WHEN email IN (
                              SELECT p.email_normalized
                                FROM segment_membership member
                                JOIN res_partner p ON p.id = member.partner_id
                               WHERE member.segment_id = %(segment)s
                                 AND p.email_normalized IS NOT NULL) THEN 'member'
                          ELSE 'added' END
                    WHERE outcome IS NULL""",
                table=self.name,
                segment=segment.id,
            )
        )

    def get_added(self):
        """Return the query of the ids of the contacts that are added.

        :rtype: SQL
        """
        return SQL("SELECT partner_id FROM %s WHERE outcome = 'added'", self.name)

    def get_people(self):
        """Return the query of line, address and number of everybody who was accepted,
        and of whom the file does not say that they have not agreed.

        :rtype: SQL
        """
        return SQL(
            """SELECT line, email, phone FROM %s
                WHERE outcome IN ('added', 'member') AND status != 'not_subscribed'""",
            self.name,
        )

    def get_not_subscribed(self):
        """Return the lines of accepted people who have not agreed, says the file.

        :rtype: list[int]
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT line FROM %s
                    WHERE outcome IN ('added', 'member') AND status = 'not_subscribed'
                """,
                self.name,
            )
        )
        return [line for (line,) in rows]

    def get_unsubscribed(self):
        """Return the addresses that have unsubscribed, says the file.

        :rtype: list[str]
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT email FROM %s WHERE outcome = 'unsubscribed'",
                self.name,
            )
        )
        return [email for (email,) in rows]

    def remark(self, remark, lines):
        """Note something about lines that are imported all the same.

        :param str remark: what it is
        :param list lines: their numbers
        """
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET remark = %s WHERE line = ANY(%s)",
                self.name,
                remark,
                list(lines),
            )
        )

    def count(self):
        """Return how many lines came to what.

        :return: by outcome
        :rtype: dict[str, int]
        """
        return dict(
            self.env.execute_query(
                SQL("SELECT outcome, count(*) FROM %s GROUP BY outcome", self.name)
            )
        )

    def get_report(self, limit=None):
        """Return what there is to say about lines.

        :return: line, what stands there for the address, outcome, first line with the
            same address, remark; in the order of the file
        :rtype: list[tuple]
        """
        return self.env.execute_query(
            SQL(
                """SELECT line, value, outcome, first_line, remark FROM %s
                    WHERE outcome = ANY(%s) OR remark IS NOT NULL
                 ORDER BY line LIMIT %s""",
                self.name,
                list(SKIPPED),
                limit,
            )
        )
