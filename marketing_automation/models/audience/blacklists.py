"""What Odoo itself knows of who wants no messages: its blacklists and mailing lists.
The gate reads them as they are; what happens to them is in our log, too."""

from odoo import api, models


def _log(records, channel, field):
    """Add to the log what became of these addresses; coming off a blacklist gives no
    consent.

    :param records: ``mail.blacklist`` or ``phone.blacklist``
    :param str channel: key of ``channel``
    :param str field: which field of it holds the address
    """
    records.env["marketing.consent.log"]._append(
        channel, records.filtered("active").mapped(field), "all", "blacklist"
    )


class MailBlacklist(models.Model):
    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        everybody = self.with_context(active_test=False)
        last_id = everybody.search([], order="id desc", limit=1).id or 0
        records = super().create(vals_list)
        # Odoo returns those that were there before, too.
        _log(records.filtered(lambda record: record.id > last_id), "email", "email")
        return records

    def write(self, vals):
        res = super().write(vals)
        if "active" in vals:
            _log(self, "email", "email")
        return res


class PhoneBlacklist(models.Model):
    _inherit = "phone.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        everybody = self.with_context(active_test=False)
        last_id = everybody.search([], order="id desc", limit=1).id or 0
        records = super().create(vals_list)
        _log(records.filtered(lambda record: record.id > last_id), "sms", "number")
        return records

    def write(self, vals):
        res = super().write(vals)
        if "active" in vals:
            _log(self, "sms", "number")
        return res


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
        if left and not self.env.context.get("consent_is_logged"):
            self.env["marketing.consent.log"]._append(
                "email", left.mapped("email_normalized"), "newsletter", "mailing_list"
            )


class MailingContact(models.Model):
    _inherit = "mailing.contact"

    # The gate looks for who left a list, for each message.
    _marketing_email_idx = models.Index("(email_normalized)")
