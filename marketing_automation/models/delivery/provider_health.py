"""What an account does that does not work: it rests, tries itself again, tells staff,
and gives up only after hours, or when it is refused and time makes nothing better."""

import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models

from .marketing_provider import HEALTHY

_logger = logging.getLogger(__name__)

# How long an account rests, doubled with each fault in a row.
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=30)
# How long it rests when the provider says that it gets too much: no fault.
RATE_REST = timedelta(minutes=1)
# What only a person can mend.
REFUSALS = {"auth_failed", "account_refused", "no_sender"}
# Staff are told when it has failed for so long, and it is paused then. Passwords that
# are being changed are right again within minutes; outages of providers take hours.
TOLD_AFTER = timedelta(minutes=10)
PAUSED_AFTER = timedelta(hours=12)
REFUSED_TOLD_AFTER = timedelta(seconds=30)
REFUSED_PAUSED_AFTER = timedelta(hours=1)
ACTIVITY_TYPE = "mail.mail_activity_data_warning"


class MarketingProvider(models.Model):
    _inherit = "marketing.provider"

    last_error = fields.Char(
        readonly=True, copy=False, help="What went wrong when it was last used."
    )
    errors_in_a_row = fields.Integer(
        string="Faults in a Row", readonly=True, copy=False
    )
    failing_since = fields.Datetime(
        readonly=True, copy=False, help="Since when it has not taken any message."
    )
    rest_until = fields.Datetime(
        string="Resting Until",
        readonly=True,
        copy=False,
        help="The account did not work, and is tried again then.",
    )
    is_resting = fields.Boolean(
        compute="_compute_is_resting",
        search="_search_is_resting",
        help="Whether it is not used for now, because it did not work.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("state", "rest_until")
    def _compute_is_resting(self):
        for provider in self:
            provider.is_resting = provider._is_resting()

    def _search_is_resting(self, operator, value):
        if operator != "in":
            return NotImplemented
        resting = fields.Domain("state", "=", "enabled") & fields.Domain(
            "rest_until", ">", fields.Datetime.now()
        )
        return fields.Domain.OR(resting if wanted else ~resting for wanted in value)

    def _is_resting(self):
        return (
            self.state == "enabled"
            and bool(self.rest_until)
            and self.rest_until > fields.Datetime.now()
        )

    # === BUSINESS METHODS ===#

    def _note_success(self):
        """Messages were taken: whatever was wrong with the account is over."""
        if self.errors_in_a_row or self.last_error or self.rest_until:
            self.sudo().write(HEALTHY)
            self._close_activities()

    def _note_fault(self, reason, error):
        """The account itself did not work: let it rest, and try itself again.

        :param str reason: key of ``reason`` of a message
        :param str error: what is wrong, in words
        """
        self.ensure_one()
        if self._is_resting():
            return  # Another worker met the same fault.
        now = fields.Datetime.now()
        if reason == "rate_limited":
            self.sudo().write({"rest_until": now + RATE_REST})
            self.env["marketing.dispatcher"]._wake_up(self.rest_until)
            return
        doublings = min(self.errors_in_a_row, 10)
        self.sudo().write(
            {
                "last_error": error[:250],
                "errors_in_a_row": self.errors_in_a_row + 1,
                "failing_since": self.failing_since or now,
                "rest_until": now + min(FIRST_REST * 2**doublings, LONGEST_REST),
            }
        )
        self.env["marketing.dispatcher"]._wake_up(self.rest_until)
        is_refused = reason in REFUSALS
        failing_for = now - self.failing_since
        if self.state != "enabled":
            return
        if failing_for >= (REFUSED_PAUSED_AFTER if is_refused else PAUSED_AFTER):
            self.sudo()._pause()
        elif failing_for >= (REFUSED_TOLD_AFTER if is_refused else TOLD_AFTER):
            self.sudo()._tell_failing()

    def _note_missing_sender(self, error):
        """A company has no address to send from: its messages wait, and staff know.

        :param str error: what is missing, in words
        """
        self.ensure_one()
        if self.last_error != error[:250]:
            self.sudo().last_error = error[:250]
            self.sudo()._tell(
                self.env._("%s: a sender address is missing", self.name), error
            )

    def _tell_failing(self):
        self._tell(
            self.env._("%s does not work", self.name),
            self.env._(
                "The account %(account)s has taken no message since %(since)s (UTC): "
                "%(error)s. It is tried again and again. Messages wait, or leave "
                "through the next account.",
                account=self.name,
                since=fields.Datetime.to_string(self.failing_since),
                error=self.last_error or "",
            ),
        )

    def _pause(self):
        """Stop using an account that keeps failing, and tell its responsible.

        What waits for it goes to the next account at once, or waits until somebody has
        enabled it again.
        """
        self.ensure_one()
        self.state = "paused"
        self._close_activities()
        self._tell(
            self.env._("%s was paused", self.name),
            self.env._(
                "The account %(account)s has taken no message since %(since)s (UTC): "
                "%(error)s. Messages wait, or leave through the next account. Put it "
                "right, test the connection, then enable it again.",
                account=self.name,
                since=fields.Datetime.to_string(self.failing_since),
                error=self.last_error or "",
            ),
        )
        self._release_held()

    def _tell(self, summary, text):
        """Tell the responsible, once: by an activity, which needs no mail server, and
        by a notification. What goes wrong with that holds up nothing.

        :param str summary: a few words
        :param str text: what is wrong and what to do
        """
        self.ensure_one()
        responsible = self._get_responsible()
        if self.activity_ids.filtered(lambda activity: activity.summary == summary):
            return
        try:
            with self.env.cr.savepoint():
                self.with_context(mail_activity_quick_update=True).activity_schedule(
                    ACTIVITY_TYPE,
                    summary=summary,
                    note=Markup("<p>%s</p>") % text,
                    user_id=responsible.id,
                )
                self.message_notify(
                    partner_ids=responsible.partner_id.ids,
                    subject=summary,
                    body=text,
                )
        except Exception:
            self.env.invalidate_all(flush=False)
            _logger.exception("Nobody could be told about account %s", self.id)

    def _get_responsible(self):
        """Return who is told what is wrong with the account.

        :rtype: res.users
        """
        return self.user_id.filtered("active") or self.env.ref("base.user_admin")

    def _close_activities(self):
        """What staff were told is over."""
        self.sudo().activity_unlink([ACTIVITY_TYPE])

    def _release_held(self):
        """Messages that wait for these accounts need not wait any longer."""
        self.env["marketing.message"].sudo().search(
            [
                ("state", "=", "queued"),
                ("provider_id", "in", self.ids),
                ("reason", "in", list(self._get_account_reasons())),
            ]
        ).write({"scheduled_at": fields.Datetime.now()})
        self.env["marketing.dispatcher"]._wake_up(fields.Datetime.now())

    @api.model
    def _get_account_reasons(self):
        """Return the reasons that speak of the account rather than of a message."""
        return {
            "connect_failed",
            "auth_failed",
            "account_refused",
            "no_sender",
            "rate_limited",
            "provider_error",
        }
