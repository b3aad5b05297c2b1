"""What Odoo itself knows of who wants no messages: its blacklists and mailing lists.
The gate reads them as they are; what happens to them is in our log, too."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.mailbox import PLAIN_SQL
from ...tools.trusted_context import heard
from ..large_index import LargeIndex
from ..mailbox import normalize_address, normalize_condition

# In the context, from our own code alone: that somebody left a list is logged already.
IS_LOGGED = "marketing_consent_is_logged"


class MarketingBlacklist(models.AbstractModel):
    """What both blacklists of Odoo have in common: whoever comes onto one, by whatever
    way, stops hearing from us, and the log says so. Coming off gives no consent."""

    _name = "marketing.blacklist"
    _description = "Marketing Blacklist"

    _blacklist_channel = None
    _blacklist_address = None

    @api.model_create_multi
    def create(self, vals_list):
        """Odoo hands down those alone that are new."""
        records = super().create(vals_list)
        records._keep_silent()
        return records

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() & {"active", self._blacklist_address}:
            self._keep_silent()
        return res

    def _keep_silent(self):
        addresses = self.filtered("active").mapped(self._blacklist_address)
        if not addresses:
            return
        self.env["marketing.consent.log"]._append(
            self._blacklist_channel, addresses, "all", "blacklist"
        )
        self.env["marketing.preference"]._drop_wishes(
            self._blacklist_channel, addresses
        )
        self.env["marketing.message"]._cancel_to(self._blacklist_channel, addresses)


class MailBlacklist(models.Model):
    _name = "mail.blacklist"
    _inherit = ["mail.blacklist", "marketing.blacklist"]

    _blacklist_channel = "email"
    _blacklist_address = "email"

    @api.private
    def init(self):
        """Entries that were there before get the one spelling, as contacts do.

        Of two spellings of a mailbox one entry is left, active if one of them was.
        """
        res = super().init()
        self._respell_entries()
        return res

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._respell(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._respell(vals))

    @api.model
    def _search(self, domain, *args, **kwargs):
        domain = Domain(domain).map_conditions(
            lambda condition: (
                normalize_condition(condition)
                if condition.field_expr == "email"
                else condition
            )
        )
        return super()._search(domain, *args, **kwargs)

    @api.model
    def _respell(self, vals):
        # What is no address is left to Odoo, which says so.
        address = normalize_address(vals.get("email") or "")
        return {**vals, "email": address} if address else vals

    @api.model
    def _respell_entries(self):
        """Write down entries again that are not kept in the one spelling."""
        rows = self.env.execute_query(
            SQL(
                """SELECT id, email, active FROM mail_blacklist
                    WHERE email !~ %s ORDER BY id""",
                PLAIN_SQL,
            )
        )
        for entry_id, text, active in rows:
            address = normalize_address(text, strict=False)
            if not address or address == text:
                continue
            self.env.cr.execute(
                SQL(
                    """WITH kept AS (
                           UPDATE mail_blacklist SET active = active OR %(active)s
                            WHERE email = %(address)s RETURNING id)
                       UPDATE mail_blacklist SET email = %(address)s
                        WHERE id = %(id)s AND NOT EXISTS (SELECT FROM kept)
                    RETURNING id""",
                    active=active,
                    address=address,
                    id=entry_id,
                )
            )
            if not self.env.cr.rowcount:
                # The other one says it now.
                self.env.cr.execute(
                    SQL(
                        "UPDATE mail_blacklist SET active = FALSE WHERE id = %s",
                        entry_id,
                    )
                )


class PhoneBlacklist(models.Model):
    _name = "phone.blacklist"
    _inherit = ["phone.blacklist", "marketing.blacklist"]

    _blacklist_channel = "sms"
    _blacklist_address = "number"


class MailingSubscription(models.Model):
    _inherit = "mailing.subscription"

    @api.model_create_multi
    def create(self, vals_list):
        subscriptions = super().create(vals_list)
        subscriptions._log_opt_out()
        return subscriptions

    def write(self, vals):
        subscribed = self.filtered(lambda subscription: not subscription.opt_out)
        res = super().write(vals)
        subscribed._log_opt_out()
        return res

    def _log_opt_out(self):
        """Add to the log who left a mailing list; coming back proves nothing."""
        left = self.filtered("opt_out").contact_id.filtered("email_normalized")
        if left and not heard(self.env, IS_LOGGED):
            self.env["marketing.consent.log"]._append(
                "email", left.mapped("email_normalized"), "newsletter", "mailing_list"
            )


class MailingContact(models.Model):
    _inherit = "mailing.contact"

    # The gate looks for who left a list, for each message.
    _marketing_email_idx = LargeIndex("(email_normalized)")
