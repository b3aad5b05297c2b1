from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.table_statistics import note_written
from ...tools.trusted_context import say
from ..channels import CHANNELS
from ..mailbox import normalize_addresses
from .blacklists import IS_LOGGED
from .consent_rules import hash_of
from .marketing_consent_log import IP, SOURCE, SOURCES, STATES
from .purposes import PURPOSES

# An import of a million people is written in parts.
BATCH = 50_000


class MarketingPreference(models.Model):
    """What an address last said about a purpose. Who said nothing has no row: then the
    company's policy decides. How it came about is in the consent log."""

    _name = "marketing.preference"
    _description = "Consent"
    _order = "changed_at desc, id desc"
    _rec_name = "address"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    purpose = fields.Selection(PURPOSES, required=True, readonly=True)
    address = fields.Char(
        required=True,
        readonly=True,
        help="Normalized email, or telephone number in international form.",
    )
    address_hash = fields.Char(required=True, readonly=True, index=True)
    state = fields.Selection(STATES, string="Consent", required=True, readonly=True)
    changed_at = fields.Datetime(string="Since", required=True, readonly=True)
    source = fields.Selection(SOURCES, string="How", required=True, readonly=True)

    _address_unique = models.Constraint(
        "UNIQUE(company_id, channel, purpose, address)",
        "There is an entry for this address and purpose already.",
    )
    _address_idx = models.Index("(address)")

    @api.model
    def _record(
        self,
        company,
        channel,
        purposes,
        addresses,
        state,
        source,
        *,
        ip=None,
        text=None,
        lift_suppression=False,
    ):
        """Write down what addresses said about purposes, and add it to the log.

        Whoever withdraws what is withdrawn already adds nothing.

        :param res.company company: to whom it was said
        :param str channel: key of ``channel``
        :param purposes: keys of ``purpose``
        :param addresses: normalized emails, or numbers in E.164
        :param str state: ``given`` or ``withdrawn``
        :param str source: key of ``source``
        :param str ip: where it came from
        :param str text: what the person read when they said it
        :param bool lift_suppression: the person said it themselves: their address comes
            off Odoo's blacklist, with the consent to the given purposes alone
        :return: number of lines in the log
        :rtype: int
        """
        addresses = sorted(normalize_addresses(channel, addresses))
        purposes = list(purposes)
        if not addresses or not purposes:
            return 0
        if state == "given" and lift_suppression:
            self._lift_suppression(company, channel, addresses, source, ip)
        self.env.flush_all()
        text_id = self.env["marketing.consent.text"]._keep(text)
        count = 0
        for start in range(0, len(addresses), BATCH):
            self.env.cr.execute(
                self._make_statement(
                    SQL(
                        """SELECT %s::int, purpose, address FROM unnest(%s) address
                            CROSS JOIN unnest(%s) purpose""",
                        company.id,
                        addresses[start : start + BATCH],
                        purposes,
                    ),
                    channel=channel,
                    state=state,
                    source=source,
                    ip=ip,
                    text_id=text_id,
                )
            )
            count += self.env.cr.rowcount
        for table in ("marketing_preference", "marketing_consent_log"):
            note_written(self.env.cr, table, count)
        self.env.invalidate_all(flush=False)
        if state == "withdrawn":
            self._drop_wishes(channel, addresses, purposes, company)
            self._on_withdrawn(company, channel, purposes, addresses)
        return count

    @api.model
    def _withdraw_all(self, company, channel, address, source, ip=None):
        """Never write to an address again, about anything, in no company's name.

        :param res.company company: to whom it was said
        :param str channel: key of ``channel``
        :param str address: normalized email, or number in E.164
        :param str source: key of ``source``
        :param str ip: where it came from
        """
        if not self._find_suppressed(channel, [address]):
            model = "phone.blacklist" if channel == "sms" else "mail.blacklist"
            blacklist = self.env[model].sudo()
            provenance = {SOURCE: say(source), IP: say(ip or "")}
            blacklist.with_context(**provenance)._add(
                [address] if channel == "sms" else address,
                message=self.env._("Unsubscribed from marketing messages."),
            )
        purposes = [purpose for purpose, _label in PURPOSES]
        self._record(company, channel, purposes, [address], "withdrawn", source, ip=ip)

    @api.model
    def _make_statement(self, said, *, channel, state, source, ip, text_id=None):
        """Return the statement that stores what was said, and logs what is new of it.

        :param SQL said: a query for company, purpose and address
        :rtype: SQL
        """
        return SQL(
            """
            WITH said (company_id, purpose, address) AS (%(said)s),
            stored AS (
                INSERT INTO marketing_preference AS known (
                    create_date, write_date, company_id, channel, purpose, address,
                    address_hash, state, changed_at, source)
                SELECT %(now)s, %(now)s, company_id, %(channel)s, purpose, address,
                       %(hash)s, %(state)s, %(now)s, %(source)s
                  FROM said
                    ON CONFLICT (company_id, channel, purpose, address) DO UPDATE
                   SET state = EXCLUDED.state, changed_at = EXCLUDED.changed_at,
                       source = EXCLUDED.source, write_date = EXCLUDED.write_date
                 WHERE known.state != EXCLUDED.state OR EXCLUDED.state = 'given'
                RETURNING company_id, purpose, address_hash)
            INSERT INTO marketing_consent_log (
                at, company_id, channel, purpose, address_hash, state, source, ip,
                text_id)
            SELECT %(now)s, company_id, %(channel)s, purpose, address_hash, %(state)s,
                   %(source)s, %(ip)s, %(text_id)s
              FROM stored
            """,
            said=said,
            now=fields.Datetime.now(),
            channel=channel,
            hash=hash_of(
                SQL("address"), self.env["marketing.suppression"]._get_address_key()
            ),
            state=state,
            source=source,
            ip=ip or None,
            text_id=text_id,
        )

    def _get_log(self):
        """Return how it came to these, the latest first.

        :rtype: marketing.consent.log
        """
        return self.env["marketing.consent.log"].search(
            [
                ("address_hash", "in", self.mapped("address_hash")),
                ("company_id", "in", [False, *self.company_id.ids]),
                ("channel", "in", self.mapped("channel")),
                ("purpose", "in", [*self.mapped("purpose"), "all"]),
            ]
        )

    def action_view_log(self):
        """Show how this came about: when, where, and to which text.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_consent_log"
        )
        return {**action, "domain": [("id", "in", self._get_log().ids)], "context": {}}

    # === WHAT FOLLOWS ===#

    @api.model
    def _on_withdrawn(self, company, channel, purposes, addresses):
        """Take back what is on its way, and tell Odoo's mailing lists."""
        field = "phone_sanitized" if channel == "sms" else "email_normalized"
        self.env["marketing.message"].sudo().search(
            [
                ("company_id", "=", company.id),
                ("channel", "=", channel),
                (field, "in", addresses),
                ("state", "=", "queued"),
                ("template_id.category", "=", "marketing"),
                ("template_id.purpose", "in", purposes),
            ]
        )._set_state("cancelled", "withdrawn")
        if channel == "email" and "newsletter" in purposes:
            subscriptions = self.env["mailing.subscription"].sudo()
            subscriptions.with_context(**{IS_LOGGED: say()}).search(
                [
                    ("contact_id.email_normalized", "in", addresses),
                    ("opt_out", "=", False),
                ]
            ).opt_out = True

    @api.model
    def _lift_suppression(self, company, channel, addresses, source, ip):
        """Take addresses off the blacklists. What they had agreed to before is over; no
        policy adds anything to what they agree to now."""
        suppressed = self._find_suppressed(channel, addresses)
        if not suppressed:
            return
        self.env.flush_all()
        self.env.cr.execute(
            self._make_statement(
                SQL(
                    """SELECT company_id, purpose, address FROM marketing_preference
                        WHERE channel = %(channel)s AND state = 'given'
                          AND address = ANY(%(addresses)s)
                        UNION
                       SELECT company.id, purpose, address FROM res_company company
                        CROSS JOIN unnest(%(purposes)s) purpose
                        CROSS JOIN unnest(%(addresses)s) address
                        WHERE company.id = %(company_id)s
                           OR company.consent_policy = 'soft_opt_in'""",
                    channel=channel,
                    addresses=suppressed,
                    purposes=[purpose for purpose, _label in PURPOSES],
                    company_id=company.id,
                ),
                channel=channel,
                state="withdrawn",
                source=source,
                ip=ip,
            )
        )
        self.env.invalidate_all(flush=False)
        self.env["marketing.suppression"]._remove(suppressed)
        blacklist = "phone.blacklist" if channel == "sms" else "mail.blacklist"
        reason = self.env._("Agreed to messages again.")
        for address in suppressed:
            person = [address] if channel == "sms" else address
            self.env[blacklist].sudo()._remove(person, message=reason)

    @api.model
    def _find_suppressed(self, channel, addresses):
        """Return which addresses are never written to: blacklisted or forgotten.

        :param str channel: key of ``channel``
        :param list addresses: emails, or numbers in E.164
        :return: those of them, emails in their one spelling
        :rtype: list[str]
        """
        addresses = sorted(normalize_addresses(channel, addresses))
        self.env.flush_all()
        suppression = self.env["marketing.suppression"]
        rows = self.env.execute_query(
            SQL(
                """SELECT address FROM unnest(%(addresses)s) address
                    WHERE EXISTS (SELECT FROM %(blacklist)s bl
                                   WHERE bl.%(column)s = address AND bl.active)
                       OR EXISTS (SELECT FROM marketing_suppression forgotten
                                   WHERE forgotten.address_hash = %(hash)s)""",
                addresses=addresses,
                blacklist=SQL.identifier(
                    "phone_blacklist" if channel == "sms" else "mail_blacklist"
                ),
                column=SQL.identifier("number" if channel == "sms" else "email"),
                hash=hash_of(SQL("address"), suppression._get_address_key()),
            )
        )
        return [address for (address,) in rows]
