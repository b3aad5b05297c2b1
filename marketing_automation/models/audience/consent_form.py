"""The boxes where people enter their address, and what follows from ticking them."""

from odoo import api, models

from ..mailbox import normalize_address
from .purposes import PURPOSES

# What is asked for there; the rest is for the preference page.
ASKED = ("newsletter", "offers", "cart")
REFUSE = "consent_refuse"


class MarketingConsentForm(models.AbstractModel):
    """Asks for consent at checkout and at sign-up, and records it."""

    _name = "marketing.consent.form"
    _description = "Consent at Checkout and Sign-up"

    # === WHAT IT SHOWS ===#

    @api.model
    def _prepare(self, website, place, partner=None, form=None):
        """Return the boxes to show, unticked.

        :param website website: where
        :param str place: ``checkout`` or ``sign_up``
        :param res.partner partner: who is logged in; of anybody else, what they agreed
            to is not told
        :param dict form: what was sent already, to show it again after an error
        :return: ``boxes`` (name, text, is_ticked), ``note`` and whether it comes first
            (``is_notice``); nothing to ask: empty
        :rtype: dict
        """
        if not website[f"consent_at_{place}"]:
            return {}
        company = website.company_id.sudo()
        is_notice = company.consent_policy == "soft_opt_in"
        if is_notice:
            box, note = self._get_refusal(company)
            names = {REFUSE: box} if self._is_undecided(company, partner) else {}
        else:
            names = self._get_boxes(website)
            note = self._get_note()
            for purpose in self._get_agreed(company, partner):
                names.pop(f"consent_{purpose}", None)
        if not names:
            return {}
        ticked = form or {}
        return {
            "note": note,
            # It says what the box is about.
            "is_notice": is_notice,
            "boxes": [
                {"name": name, "text": text, "is_ticked": name in ticked}
                for name, text in names.items()
            ],
        }

    @api.model
    def _get_boxes(self, website):
        """Return the text of each box by its name, in the language of the environment:
        the website's own, or ours.

        :rtype: dict[str, str]
        """
        shop = website.name
        texts = {
            "newsletter": self.env._("Email me the newsletter of %(shop)s.", shop=shop),
            "offers": self.env._("Email me offers of %(shop)s.", shop=shop),
            "cart": self.env._("Remind me by email of a cart that I leave behind."),
        }
        return {
            f"consent_{purpose}": website[f"consent_text_{purpose}"] or texts[purpose]
            for purpose in ASKED
        }

    @api.model
    def _get_note(self):
        return self.env._(
            "You can change your mind at any time, with one click in every email."
        )

    @api.model
    def _get_refusal(self, company):
        """Return the box and the notice of a company that writes to its customers
        unasked: they can object when they give their address, and in each message
        (Directive 2002/58/EC, article 13(2)).

        :return: text of the box; the notice
        :rtype: tuple[str, str]
        """
        note = self.env._(
            "%(company)s may email you about similar products, and remind you of a "
            "cart that you leave behind. You can object at any time, free of charge: "
            "here, or with one click in every email.",
            company=company.name,
        )
        return self.env._("Please do not email me about this."), note

    # === WHAT IT DOES ===#

    @api.model
    def _accept(self, website, place, partner, form, ip=None):
        """Do what the ticked boxes of a form say. Whoever sent it learns nothing.

        What comes with an order is recorded at once (see ADR 0020); everything else
        waits for a confirmation by email. So does what the owner of the address took
        back, or asked not to get: nobody else can undo that.

        :param website website: where
        :param str place: ``checkout`` or ``sign_up``
        :param res.partner partner: whose address was entered
        :param dict form: what was sent
        :param str ip: where it came from
        """
        address = normalize_address(partner.email or "")
        if not address or not website[f"consent_at_{place}"]:
            return
        company = website.company_id.sudo()
        if company.consent_policy == "soft_opt_in":
            if REFUSE in form:
                self._refuse(company, place, address, ip)
            return
        ticked = [purpose for purpose in ASKED if f"consent_{purpose}" in form]
        if not ticked:
            return  # Most people: nothing is to be looked up.
        agreed = self._get_agreed(company, partner)
        wanted = [purpose for purpose in ticked if purpose not in agreed]
        to_confirm = self._get_unproven(company, place, address, wanted)
        at_once = [purpose for purpose in wanted if purpose not in to_confirm]
        self.env["marketing.preference"].sudo()._record(
            company,
            "email",
            at_once,
            [address],
            "given",
            place,
            ip=ip,
            text=self._make_text(website, at_once),
        )
        self.env["marketing.opt.in"].sudo()._request(
            company,
            address,
            to_confirm,
            place,
            website=website,
            partner=partner,
            lang=self.env.lang,
            ip=ip,
            text=self._make_text(website, to_confirm),
        )

    @api.model
    def _refuse(self, company, place, address, ip):
        box, note = self._get_refusal(company)
        self.env["marketing.preference"].sudo()._record(
            company,
            "email",
            [purpose for purpose, _label in PURPOSES],
            [address],
            "withdrawn",
            place,
            ip=ip,
            text=f"{note}\n{box}",
        )

    @api.model
    def _make_text(self, website, purposes):
        """Return what was shown next to the ticked boxes, for the log."""
        boxes = self._get_boxes(website)
        texts = [boxes[f"consent_{purpose}"] for purpose in purposes]
        return "\n".join([*texts, self._get_note()])

    # === WHAT IS KNOWN ===#

    @api.model
    def _get_unproven(self, company, place, address, purposes):
        """Return what the owner of the address has to confirm.

        :rtype: list[str]
        """
        preferences = self.env["marketing.preference"].sudo()
        if preferences._find_suppressed("email", [address]):
            return purposes
        withdrawn = self._get_said(company, address, "withdrawn")
        with_order = ("cart",) if place == "checkout" else ()
        return [
            purpose
            for purpose in purposes
            if purpose in withdrawn
            or (company.double_opt_in and purpose not in with_order)
        ]

    @api.model
    def _get_agreed(self, company, partner):
        """Return what somebody agreed to and still gets.

        :rtype: set[str]
        """
        address = normalize_address(partner.email or "") if partner else ""
        preferences = self.env["marketing.preference"].sudo()
        if not address or preferences._find_suppressed("email", [address]):
            return set()
        return self._get_said(company, address, "given")

    @api.model
    def _get_said(self, company, address, state):
        preferences = self.env["marketing.preference"].sudo()
        return set(
            preferences.search(
                [
                    ("company_id", "=", company.id),
                    ("channel", "=", "email"),
                    ("address", "=", address),
                    ("state", "=", state),
                ]
            ).mapped("purpose")
        )

    @api.model
    def _is_undecided(self, company, partner):
        """Whether somebody hears of something that they said nothing about. Of people
        who are not logged in this is not told.

        :rtype: bool
        """
        if not partner:
            return True
        address = normalize_address(partner.email or "")
        preferences = self.env["marketing.preference"].sudo()
        if not address or preferences._find_suppressed("email", [address]):
            return False
        said = self._get_said(company, address, "given")
        said |= self._get_said(company, address, "withdrawn")
        return len(said) < len(PURPOSES)
