"""Tests of templates and campaigns: they need no consent, so they go to those who work
here alone, and not to many."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_domain_extract

from ..mailbox import normalize_address
from .marketing_message import PRIORITIES

# Messages that one user may send as tests within an hour.
MAX_TESTS_AN_HOUR = 40
# At these anybody has an address.
PUBLIC_DOMAINS = {
    *("aol.com", "freemail.hu", "citromail.hu", "gmail.com", "gmx.com", "gmx.de"),
    *("gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "mail.com"),
    *("mail.ru", "me.com", "msn.com", "outlook.com", "proton.me", "protonmail.com"),
    *("qq.com", "t-online.de", "web.de", "yahoo.com", "yandex.com", "yandex.ru"),
    *("ymail.com", "zoho.com"),
}


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    _recent_tests_idx = models.Index(
        f"(create_date) WHERE priority = {PRIORITIES['test']}"
    )

    @api.model
    def _check_test(self, channel, partners):
        """Refuse tests to strangers, and more than anybody looks at.

        :param str channel: key of ``CHANNELS``
        :param res.partner partners: who is to get one
        :raises AccessError: the user writes no templates
        :raises UserError: it says to whom tests go, or how many
        """
        if self.env.su:
            return
        self.env["marketing.template"].check_access("write")
        strangers = partners.filtered(
            lambda partner: not self._may_get_tests(channel, partner)
        )
        if strangers:
            raise UserError(
                self.env._(
                    "Tests go to people who work here: to the address that a user logs "
                    "in with, or an address of your company's own domain. This one is "
                    "neither: %s",
                    strangers[0].name or strangers[0].email or "–",
                )
            )
        if self._count_recent_tests() + len(partners) > MAX_TESTS_AN_HOUR:
            raise UserError(
                self.env._(
                    "You have sent %s tests within an hour. Wait a little, or look at "
                    "the preview.",
                    MAX_TESTS_AN_HOUR,
                )
            )

    @api.model
    def _may_get_tests(self, channel, partner):
        """Whether a contact is one of those who work here, at an address of theirs.

        Everybody may change the address of their own contact, to whatever they like.

        :rtype: bool
        """
        users = partner.sudo().user_ids.filtered(lambda user: user._is_internal())
        if channel != "email":
            return bool(users)
        address = partner.email_normalized
        logins = {normalize_address(user.login) for user in users}
        return bool(
            address
            and (
                address in logins
                or (users and self.env.user._is_system())
                or email_domain_extract(address) in self._get_own_domains()
            )
        )

    @api.model
    def _get_own_domains(self):
        """Return the mail domains of the companies that the user works in.

        :rtype: set[str]
        """
        companies = self.env.companies.sudo()
        accounts = self.env["marketing.provider"].sudo()
        accounts = accounts.search(
            [
                ("state", "=", "enabled"),
                ("channel", "=", "email"),
                ("company_id", "in", [False, *companies.ids]),
            ]
        )
        addresses = [*companies.mapped("email"), *accounts.mapped("from_email")]
        domains = {email_domain_extract(address or "") for address in addresses}
        return {domain for domain in domains if domain} - PUBLIC_DOMAINS

    @api.model
    def _count_recent_tests(self):
        """Return how many tests the user has sent within an hour."""
        self.env["marketing.message"].flush_model()
        [(count,)] = self.env.execute_query(
            SQL(
                """SELECT count(*) FROM marketing_message
                    WHERE priority = %s AND create_date > %s
                      AND dedupe_key LIKE %s""",
                SQL(str(PRIORITIES["test"])),
                fields.Datetime.now() - timedelta(hours=1),
                f"{self._get_test_source()}%",
            )
        )
        return count

    @api.model
    def _get_test_source(self):
        """Return what the keys of the user's tests begin with.

        :rtype: str
        """
        return f"test:{self.env.uid}:"
