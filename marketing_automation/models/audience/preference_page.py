"""What the preference page shows and does; its route is in the controllers."""

from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..channels import CHANNELS
from .consent_rules import CONSENT_JOINS, CONSENT_RULES, is_suppressed
from .purpose_texts import PURPOSE_TEXTS
from .purposes import PURPOSES

PAUSE_DAYS = 30
SOURCE = "preference_page"


class Choice(NamedTuple):
    """What an address gets about one purpose.

    :param str channel: key of ``channel``
    :param str purpose: key of ``purpose``
    :param bool is_on: whether it is written to about it
    :param bool is_assumed: the person never said so, the company's policy does
    :param bool is_suppressed: it is never written to about anything
    :param bool is_wished: it will be on when the hour is over, see ``_defer``
    """

    channel: str
    purpose: str
    is_on: bool
    is_assumed: bool
    is_suppressed: bool
    is_wished: bool = False

    @property
    def key(self):
        """How the form calls it."""
        return f"{self.channel}:{self.purpose}"


class Wanted(NamedTuple):
    """What somebody asked for on the page.

    :param frozenset channels: keys of the channels that were on the page
    :param frozenset keys: the choices that were ticked, see :attr:`Choice.key`
    :param str frequency: key of ``marketing.recipient.frequency``
    :param bool is_paused: whether nothing is to come for a while
    :param lang: code of a language; None when the page asked for none
    """

    channels: frozenset
    keys: frozenset
    frequency: str
    is_paused: bool
    lang: str | None


class MarketingPreferencePage(models.AbstractModel):
    """The choices of whoever holds a message's secret link, on the page and saved."""

    _name = "marketing.preference.page"
    _description = "Preference Page"

    # === WHAT IT SHOWS ===#

    @api.model
    def _prepare_values(self, message):
        """Return what the page shows. It never holds a whole address.

        :param marketing.message message: whose secret link was opened
        :rtype: dict
        """
        addresses = self._get_addresses(message)
        choices = self._get_choices(message)
        return {
            "company_name": message.company_id.name,
            "addresses": [mask_address(address) for address in addresses.values()],
            "channels": list(addresses),
            "suppressed": self._prepare_suppressed(choices),
            "purposes": self._prepare_purposes(choices),
            **self._prepare_wishes(message),
        }

    @api.model
    def _prepare_suppressed(self, choices):
        """Return the names of the channels on which nothing is sent at all."""
        names = self._get_names("marketing.preference", "channel")
        channels = {choice.channel for choice in choices if choice.is_suppressed}
        return ", ".join(names[channel] for channel in sorted(channels))

    @api.model
    def _prepare_purposes(self, choices):
        """Return one entry for each purpose, with a choice for each channel."""
        names = self._get_names("marketing.preference", "purpose")
        own = {
            purpose: [choice for choice in choices if choice.purpose == purpose]
            for purpose in names
        }
        return [
            {
                "code": purpose,
                "name": names[purpose],
                "text": self.env._(PURPOSE_TEXTS[purpose]),
                "note": self._explain(own[purpose]),
                "choices": [self._prepare_box(choice) for choice in own[purpose]],
            }
            for purpose in names
        ]

    @api.model
    def _prepare_box(self, choice):
        return {
            "key": choice.key,
            "id": f"choice_{choice.channel}_{choice.purpose}",
            "label": self._get_names("marketing.preference", "channel")[choice.channel],
            "is_on": choice.is_on or choice.is_wished,
        }

    @api.model
    def _prepare_wishes(self, message):
        recipient = self._get_recipient(message)
        until = recipient.paused_until
        is_paused = bool(until and until > fields.Datetime.now())
        frequencies = self._get_names("marketing.recipient", "frequency")
        return {
            "frequencies": list(frequencies.items()),
            "frequency": recipient.frequency or "normal",
            "is_paused": is_paused,
            "paused_until": is_paused and format_date(self.env, until.date()),
            "pause_days": PAUSE_DAYS,
            "languages": self._get_languages(message).mapped(
                lambda lang: (lang.code, lang.name)
            ),
            "lang": self._get_lang(message),
        }

    @api.model
    def _explain(self, choices):
        """Say which of the choices about a purpose are on without having been asked
        for, and why."""
        if any(choice.is_wished for choice in choices):
            return self.env._(
                "You changed this many times within an hour. What you chose last "
                "counts when the hour is over."
            )
        assumed = [choice for choice in choices if choice.is_assumed]
        if not assumed:
            return ""
        names = self._get_names("marketing.preference", "channel")
        channels = ", ".join(names[choice.channel] for choice in assumed)
        if assumed[0].purpose == "cart":
            return self.env._(
                "On because you gave us your address in our shop: %s", channels
            )
        return self.env._("On because you are our customer: %s", channels)

    @api.model
    def _get_names(self, model, field):
        return dict(self.env[model]._fields[field]._description_selection(self.env))

    # === WHO ===#

    @api.model
    def _get_addresses(self, message):
        """Return the addresses whose choices the holder of a link may see and make.

        The link proves the address it was sent to. An email's reader may also decide
        about the telephone number of the contact, as long as it is the same contact.

        :return: normalized email, and number in E.164, by channel
        :rtype: dict[str, str]
        """
        addresses = {message.channel: message._get_address()}
        partner = message.partner_id
        if (
            message.channel == "email"
            and partner.phone_sanitized
            and partner.email_normalized == message.email_normalized
        ):
            addresses["sms"] = partner.phone_sanitized
        return {channel: address for channel, address in addresses.items() if address}

    @api.model
    def _get_choices(self, message):
        """Return what the person gets now, by the rules that the gate goes by.

        :rtype: list[Choice]
        """
        addresses = self._get_addresses(message)
        self.env.flush_all()
        key = self.env["marketing.suppression"]._get_address_key()
        rows = self.env.execute_query(
            SQL(
                """SELECT m.channel, purpose.code, %(suppressed)s,
                          preference.id IS NULL, CASE %(rules)s END,
                          preference.wished_at IS NOT NULL
                     FROM (SELECT lane.channel, %(company_id)s AS company_id,
                                  %(email)s::varchar AS email_normalized,
                                  %(phone)s::varchar AS phone_sanitized,
                                  %(partner_id)s::int AS partner_id
                             FROM unnest(%(channels)s) AS lane (channel)) m
                    CROSS JOIN unnest(%(purposes)s) WITH ORDINALITY
                               AS purpose (code, place)
                     JOIN res_company company ON company.id = m.company_id
                     %(joins)s
                    ORDER BY purpose.place, m.channel""",
                suppressed=is_suppressed(key),
                rules=SQL(" ").join(
                    SQL("WHEN %s THEN %s", condition, reason)
                    for reason, condition in CONSENT_RULES
                ),
                company_id=message.company_id.id,
                email=addresses.get("email") or message.email_normalized or None,
                phone=addresses.get("sms"),
                partner_id=message.partner_id.id or None,
                channels=list(addresses),
                purposes=[purpose for purpose, _label in PURPOSES],
                joins=CONSENT_JOINS,
            )
        )
        return [
            Choice(
                channel,
                purpose,
                is_on=not (suppressed or reason),
                is_assumed=is_silent and not (suppressed or reason),
                is_suppressed=suppressed,
                is_wished=is_wished,
            )
            for channel, purpose, suppressed, is_silent, reason, is_wished in rows
        ]

    @api.model
    def _get_recipient(self, message):
        """Return the wishes of the address the link was sent to.

        :rtype: marketing.recipient
        """
        return (
            self.env["marketing.recipient"]
            .sudo()
            .search(
                [
                    ("company_id", "=", message.company_id.id),
                    ("address", "=", message._get_address()),
                ]
            )
        )

    @api.model
    def _get_languages(self, message):
        """Return the languages of the shop, for messages as for its pages.

        :rtype: res.lang
        """
        website = self.env["marketing.template.context"]._get_website(message)
        return website.language_ids

    @api.model
    def _get_lang(self, message):
        """Return the code of the language the person is written to in.

        :rtype: str
        """
        website = self.env["marketing.template.context"]._get_website(message)
        known = website.language_ids.mapped("code")
        wished = (
            self._get_recipient(message).lang,
            message.lang,
            message.partner_id.lang,
        )
        return next(
            (code for code in wished if code in known), website.default_lang_id.code
        )

    # === WHAT IT DOES ===#

    @api.model
    def _save(self, message, wanted, ip=None):
        """Do what somebody asked for. Only what is not so already is written down.

        :param marketing.message message: whose secret link was used
        :param Wanted wanted: what they asked for
        :param str ip: where it came from
        """
        addresses = self._get_addresses(message)
        choices = self._get_choices(message)
        for channel in wanted.channels & addresses.keys():
            own = [choice for choice in choices if choice.channel == channel]
            self._save_choices(message, addresses[channel], own, wanted.keys, ip)
        self._save_wishes(message, list(addresses.values()), wanted)

    @api.model
    def _save_choices(self, message, address, choices, ticked, ip):
        """Record what changes of one address."""
        for choice in choices:
            is_wanted = choice.key in ticked
            if is_wanted and not self._may_give(message, choice.channel):
                continue
            if is_wanted != (choice.is_on or choice.is_wished):
                state = "given" if is_wanted else "withdrawn"
                self._record(message, address, choice, state, ip)

    @api.model
    def _may_give(self, message, channel):
        """Whether the holder of a link may give consent on a channel.

        An email proves no telephone number. That of a contact whom a visitor of the
        website entered may be anybody's, until they have bought something: it can be
        refused for, not agreed for.

        :rtype: bool
        """
        partner = message.partner_id
        if channel == message.channel:
            return True
        visitors = self.env["website"]._get_visitor_users()
        return partner.sudo().create_uid not in visitors or bool(
            self.env["sale.order"]
            .sudo()
            .search_count(
                [("partner_id", "=", partner.id), ("state", "=", "sale")], limit=1
            )
        )

    @api.model
    def _record(self, message, address, choice, state, ip):
        preferences = self.env["marketing.preference"].sudo()
        company, text = message.company_id, self._make_text(message.company_id, choice)
        purposes = [choice.purpose]
        if state == "given":
            purposes = preferences._defer(
                company, choice.channel, purposes, address, ip, text
            )
        preferences._record(
            company,
            choice.channel,
            purposes,
            [address],
            state,
            SOURCE,
            ip=ip,
            text=text,
            lift_suppression=True,
        )

    @api.model
    def _make_text(self, company, choice):
        """Return what the person read about a choice, for the log.

        :rtype: str
        """
        return self.env._(
            "%(company)s: %(purpose)s (%(channel)s). %(text)s",
            company=company.name,
            purpose=self._get_names("marketing.preference", "purpose")[choice.purpose],
            channel=dict(CHANNELS)[choice.channel],
            text=self.env._(PURPOSE_TEXTS[choice.purpose]),
        )

    @api.model
    def _save_wishes(self, message, addresses, wanted):
        """Write down how often, from when on and in which language, if that is new."""
        now = self._prepare_wishes(message)
        vals = {}
        frequencies = dict(now["frequencies"])
        if wanted.frequency in frequencies and wanted.frequency != now["frequency"]:
            vals["frequency"] = wanted.frequency
        if wanted.is_paused != now["is_paused"]:
            pause = fields.Datetime.now() + timedelta(days=PAUSE_DAYS)
            vals["paused_until"] = pause if wanted.is_paused else False
        if wanted.lang in dict(now["languages"]) and wanted.lang != now["lang"]:
            vals["lang"] = wanted.lang
        if vals:
            recipients = self.env["marketing.recipient"].sudo()
            recipients._set_wishes(message.company_id, addresses, **vals)

    @api.model
    def _unsubscribe(self, message, user_agent=None, ip=None):
        """Never write to any of the person's addresses again, about anything.

        :param marketing.message message: whose secret link was used
        :param str user_agent: what the browser says it is
        :param str ip: where it came from
        """
        preferences = self.env["marketing.preference"].sudo()
        for channel, address in self._get_addresses(message).items():
            preferences._withdraw_all(message.company_id, channel, address, SOURCE, ip)
        self.env["marketing.engagement"]._record(
            message.sudo().token, "unsubscribe", user_agent=user_agent
        )


def mask_address(address):
    """Return an address as far as its owner needs it to recognize it.

    :param str address: email, or number in E.164
    :return: such as ``a…@example.com`` or ``+3…90``
    :rtype: str
    """
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"{address[:2]}…{address[-2:]}"
