import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.trusted_context import heard, without_defaults
from ..channels import CHANNELS
from .purposes import PURPOSES

SOURCES = [
    ("checkout", "Checkout"),
    ("sign_up", "Sign-up"),
    ("double_opt_in", "Confirmed by email"),
    ("preference_page", "Preference page"),
    ("unsubscribe_link", "Unsubscribe link"),
    ("reply", "Answer to a message"),
    ("complaint", "Complaint"),
    ("bounce", "Address does not work"),
    ("blacklist", "Blacklist of Odoo"),
    ("mailing_list", "Mailing list"),
    ("import", "Import"),
    ("staff", "Entered by staff"),
    ("api", "Another program"),
    ("forget", "Asked to be forgotten"),
]
# In the context, from our own code alone: how it is known, and from where it came.
SOURCE = "marketing_consent_source"
IP = "marketing_consent_ip"
STATES = [("given", "Given"), ("withdrawn", "Withdrawn")]


class MarketingConsentLog(models.Model):
    """What was said about consent, when, how, and to which text: the proof (GDPR,
    article 7(1)). Lines are added and never changed or deleted, by nobody: the database
    refuses it. Of the address it holds a digest, so that a person can be forgotten and
    what was proven stays proven."""

    _name = "marketing.consent.log"
    _description = "Consent Log"
    _order = "id desc"
    _log_access = False
    _rec_name = "address_hash"

    at = fields.Datetime(string="When", required=True, readonly=True)
    # Not the person: contacts are merged and deleted, the proof is not.
    address_hash = fields.Char(
        string="Digest of the Address", required=True, readonly=True, index=True
    )
    address = fields.Char(
        compute="_compute_address",
        help="Empty when nothing is kept of this person any more.",
    )
    company_id = fields.Many2one(
        "res.company",
        readonly=True,
        ondelete="restrict",
        help="Empty: for all companies.",
    )
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    purpose = fields.Selection(
        [*PURPOSES, ("all", "Everything")], required=True, readonly=True
    )
    state = fields.Selection(STATES, string="Said", required=True, readonly=True)
    source = fields.Selection(SOURCES, string="How", required=True, readonly=True)
    ip = fields.Char(string="IP Address", readonly=True)
    text_id = fields.Many2one(
        "marketing.consent.text",
        string="Text Shown",
        readonly=True,
        ondelete="restrict",
    )

    def init(self):
        """Let the database itself refuse to change what was written."""
        res = super().init()
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION marketing_consent_log_keep()
                RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'The consent log is never changed: add a line.'
                          USING ERRCODE = 'restrict_violation';
                END $$;
                DROP TRIGGER IF EXISTS keep_rows ON marketing_consent_log;
                CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE
                    ON marketing_consent_log
                   FOR EACH ROW EXECUTE FUNCTION marketing_consent_log_keep();
                DROP TRIGGER IF EXISTS keep_table ON marketing_consent_log;
                CREATE TRIGGER keep_table BEFORE TRUNCATE ON marketing_consent_log
                   FOR EACH STATEMENT EXECUTE FUNCTION marketing_consent_log_keep();
                """
            )
        )
        return res

    def _compute_address(self):
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (address_hash) address_hash, address
                     FROM marketing_preference WHERE address_hash = ANY(%s)""",
                self.mapped("address_hash"),
            )
        )
        addresses = dict(rows)
        for line in self:
            line.address = addresses.get(line.address_hash)

    @api.model
    def _append(self, channel, addresses, purpose, source):
        """Add that addresses want no more of this, from anybody.

        :param str channel: key of ``channel``
        :param addresses: normalized emails, or numbers in E.164
        :param str purpose: key of ``purpose``
        :param str source: how it is known, unless our own code that called methods of
            Odoo's knows better (:data:`SOURCE` and :data:`IP`)
        """
        digests = self.env["marketing.suppression"]._hash(addresses)
        without_defaults(self.sudo()).create(
            [
                {
                    "at": fields.Datetime.now(),
                    "address_hash": digest,
                    "channel": channel,
                    "purpose": purpose,
                    "state": "withdrawn",
                    "source": heard(self.env, SOURCE) or source,
                    "ip": heard(self.env, IP) or None,
                }
                for digest in digests
            ]
        )

    # === CRUD METHODS ===#

    def write(self, vals):
        if not self:
            return super().write(vals)
        self.check_access("write")
        raise UserError(
            self.env._("The consent log cannot be changed. Record what is so now.")
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("The consent log cannot be deleted: it is the proof of consent.")
        )


class MarketingConsentText(models.Model):
    """A text people agreed to. Each wording is kept once, for good."""

    _name = "marketing.consent.text"
    _description = "Consent Text"
    _order = "id desc"
    _rec_name = "text"

    text = fields.Text(required=True, readonly=True)
    digest = fields.Char(required=True, readonly=True)
    create_date = fields.Datetime(string="First Shown", readonly=True)

    _digest_unique = models.Constraint(
        "UNIQUE(digest)", "This text is kept already: use that one."
    )

    @api.model
    def _keep(self, text):
        """Return the id of a text, which is kept if it is new.

        :param str text: as it was shown; may be empty
        :rtype: int | None
        """
        text = (text or "").strip()
        if not text:
            return None
        digest = hashlib.sha256(text.encode()).hexdigest()
        kept = self.sudo().search([("digest", "=", digest)], limit=1)
        texts = without_defaults(self.sudo())
        return (kept or texts.create({"text": text, "digest": digest})).id

    def write(self, vals):
        if not self:
            return super().write(vals)
        self.check_access("write")
        raise UserError(self.env._("A text that people agreed to cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A text that people agreed to cannot be deleted."))
