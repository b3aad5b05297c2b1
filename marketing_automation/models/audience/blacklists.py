"""What Odoo itself knows of who wants no messages: its blacklists and mailing lists.
The gate reads them as they are; what happens to them is in our log, too."""

from odoo import api, models

from ...tools.trusted_context import heard

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
        self.env["marketing.message"]._cancel_to(self._blacklist_channel, addresses)


class MailBlacklist(models.Model):
    _name = "mail.blacklist"
    _inherit = ["mail.blacklist", "marketing.blacklist"]

    _blacklist_channel = "email"
    _blacklist_address = "email"


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
    _marketing_email_idx = models.Index("(email_normalized)")
