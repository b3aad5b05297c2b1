import logging
import secrets
from datetime import timedelta

from odoo import api, fields, models

from ..mailbox import normalize_address
from .marketing_consent_log import SOURCES
from .purposes import PURPOSES

_logger = logging.getLogger(__name__)

# How long a confirmation link can be used.
EXPIRY_DAYS = 7


class MarketingOptIn(models.Model):
    """Double opt-in: somebody entered an address and ticked something; only who can
    read that mailbox can agree to it, see ADR 0020."""

    _name = "marketing.opt.in"
    _description = "Request for Consent"
    _order = "id desc"
    _rec_name = "address"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    website_id = fields.Many2one("website", readonly=True, ondelete="set null")
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    address = fields.Char(string="Email", required=True, readonly=True, index=True)
    lang = fields.Char(string="Language", readonly=True)
    purposes = fields.Json(readonly=True, help="Keys of the purposes that were ticked.")
    purpose_names = fields.Char(string="Asked For", compute="_compute_purpose_names")
    text_id = fields.Many2one(
        "marketing.consent.text",
        string="Text Shown",
        readonly=True,
        ondelete="restrict",
    )
    source = fields.Selection(SOURCES, string="How", required=True, readonly=True)
    ip = fields.Char(string="IP Address", readonly=True)
    token = fields.Char(
        required=True, readonly=True, copy=False, groups="base.group_system"
    )
    state = fields.Selection(
        [("pending", "Not confirmed"), ("confirmed", "Confirmed")],
        required=True,
        readonly=True,
        default="pending",
    )
    create_date = fields.Datetime(string="Asked On", readonly=True)
    expires_at = fields.Datetime(required=True, readonly=True)
    confirmed_at = fields.Datetime(readonly=True)
    message_ids = fields.One2many("marketing.message", "opt_in_id", string="Emails")

    _token_uniq = models.UniqueIndex("(token)", "A confirmation token is used once.")

    # === COMPUTE METHODS ===#

    @api.depends("purposes")
    @api.depends_context("lang")
    def _compute_purpose_names(self):
        for request in self:
            request.purpose_names = ", ".join(request._get_purpose_names())

    # === ASKING ===#

    @api.model
    def _request(
        self,
        company,
        address,
        purposes,
        source,
        *,
        website=None,
        partner=None,
        lang=None,
        ip=None,
        text=None,
    ):
        """Ask the owner of an email address whether they agree to what was ticked.

        Whoever ticked it learns nothing from this: not whether the address is known,
        is suppressed, or had too many of these emails today.

        :param res.company company: who wants to write
        :param str address: as it was entered
        :param purposes: keys of ``purpose``
        :param str source: key of ``source``: where it was ticked
        :param website website: whose links and name are used; empty: the company's
        :param res.partner partner: the contact it was entered for, if there is one
        :param str lang: code of the language to write in
        :param str ip: where the request came from
        :param str text: what was shown next to the boxes
        """
        address = normalize_address(address or "")
        known = [purpose for purpose, _label in PURPOSES if purpose in purposes]
        if not address or not known:
            return
        vals = {
            "company_id": company.id,
            "website_id": website.id if website else False,
            "partner_id": partner.id if partner else False,
            "address": address,
            "lang": lang,
            "purposes": known,
            "text_id": self.env["marketing.consent.text"]._keep(text) or False,
            "source": source,
            "ip": ip,
            **self._prepare_count_vals(address, ip),
        }
        if self._is_too_many(vals):
            _logger.info("Too many confirmations were asked for within an hour")
            return
        request = self._find_open(vals) or self._create_pending(vals)
        self.env["marketing.message"]._queue_opt_in(request)

    @api.model
    def _find_open(self, vals):
        """Return the request that asks for the same and can still be confirmed."""
        same = ("company_id", "website_id", "address", "text_id")
        return self.search(
            [
                *((name, "=", vals[name]) for name in same),
                ("state", "=", "pending"),
                ("expires_at", ">", fields.Datetime.now()),
            ]
        ).filtered(lambda request: request.purposes == vals["purposes"])[:1]

    @api.model
    def _create_pending(self, vals):
        expiry = fields.Datetime.now() + timedelta(days=EXPIRY_DAYS)
        return self.create(
            {**vals, "token": secrets.token_hex(16), "expires_at": expiry}
        )

    # === CONFIRMING ===#

    def _get_status(self):
        """Return what can be done with the link of this request.

        :return: ``open``, ``confirmed`` or ``expired``
        :rtype: str
        """
        self.ensure_one()
        if self.state == "confirmed":
            return "confirmed"
        return "open" if self.expires_at > fields.Datetime.now() else "expired"

    def _confirm(self, ip=None):
        """Record the consent: the owner of the mailbox pressed the button. Once.

        :param str ip: where they did
        """
        self.ensure_one()
        if self._get_status() != "open":
            return
        self.write({"state": "confirmed", "confirmed_at": fields.Datetime.now()})
        self.env["marketing.preference"]._record(
            self.company_id,
            "email",
            self.purposes,
            [self.address],
            "given",
            "double_opt_in",
            ip=ip,
            text=self.text_id.text,
            lift_suppression=True,
        )

    def _request_again(self, ip=None):
        """Ask once more, with a link of its own: this one has expired.

        :param str ip: where that was asked for
        """
        self.ensure_one()
        if self._get_status() != "expired":
            return
        self._request(
            self.company_id,
            self.address,
            self.purposes,
            self.source,
            website=self.website_id,
            partner=self.partner_id,
            lang=self.lang,
            ip=ip,
            text=self.text_id.text,
        )

    # === HELPERS ===#

    def _get_purpose_names(self):
        """Return what is asked for, in the language of the environment.

        :rtype: list[str]
        """
        field = self.env["marketing.preference"]._fields["purpose"]
        names = dict(field._description_selection(self.env))
        return [names[purpose] for purpose in self.purposes or []]

    def _get_confirm_path(self):
        """Return the path of the page where it is agreed to.

        :rtype: str
        """
        self.ensure_one()
        return f"/marketing/confirm/{self.sudo().token}"
