"""What somebody should know before the button is pressed: who gets it, who does not and
why, what it costs, and what is wrong with it."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, formatLang

from ...tools import sms
from ...tools.rendering import RenderError

# How many reasons for leaving people out are listed.
REASONS_SHOWN = 8
# What findings about a content are for a campaign.
LEVELS = {"must": "error", "advice": "advice"}


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    review_html = fields.Html(
        compute="_compute_review_html", compute_sudo=True, sanitize=False
    )

    @api.depends(
        *("builder_step", "state", "segment_ids", "excluded_segment_ids", "channel"),
        *("template_id", "subject", "preheader", "website_id", "is_at_once"),
        *("scheduled_at", "is_local_time", "spread_hours", "kind"),
        *("sends", "sequence_id"),
    )
    def _compute_review_html(self):
        """Counting takes a moment: it is done for the last screen of the builder."""
        for campaign in self:
            campaign.review_html = (
                self.env["ir.qweb"]._render(
                    "marketing_automation.campaign_review", campaign._get_review()
                )
                if campaign.state == "draft" and campaign.builder_step == "review"
                else False
            )

    # === WHAT IS SHOWN ===#

    def _get_review(self):
        """Return what the review shows.

        :return: ``problems``, ``warnings`` and ``advice`` (texts), ``total`` and
            ``reachable`` (numbers of people), ``reasons`` (pairs of text and number,
            the most frequent first), ``cost`` (text, empty for email) and ``schedule``
            (text)
        :rtype: dict
        """
        self.ensure_one()
        counts = self._estimate_reach()
        reachable = counts.pop(None, 0)
        labels = dict(
            self.env["marketing.message"]
            ._fields["reason"]
            ._description_selection(self.env)
        )
        reasons = sorted(counts.items(), key=lambda pair: -pair[1])
        problems, advice = self._get_problems(), []
        for check in self._get_content_checks():
            (problems if check["level"] == "error" else advice).append(check["message"])
        return {
            "campaign": self,
            "problems": problems,
            "warnings": self._get_operation_warnings(),
            "advice": advice,
            "total": reachable + sum(counts.values()),
            "reachable": reachable,
            "reasons": [
                (labels.get(reason, reason), count)
                for reason, count in reasons[:REASONS_SHOWN]
            ],
            "cost": self._describe_cost(reachable),
            "schedule": self._describe_schedule(),
        }

    def _estimate_reach(self):
        """Ask the gate who of the audience could be written to now.

        :return: number of people by reason, None for those who can be reached
        :rtype: dict[str | None, int]
        """
        self.ensure_one()
        [(_name, first)] = self._get_contents()[:1] or [("", self.template_id)]
        return self.env["marketing.gate"]._estimate(
            SQL("SELECT r.partner_id FROM (%s) r", self._sql_recipients()),
            self.company_id,
            first.channel or self.channel,
            first.purpose or "offers",
        )

    def _describe_cost(self, reachable):
        """Say what text messages will cost about, by what the account charges.

        :param int reachable: number of people
        :return: '' where there are none
        :rtype: str
        """
        segments = self._count_segments()
        if not segments:
            return ""
        account = self.env["marketing.provider"]._select(self.company_id, "sms")
        if not account.segment_price:
            return self.env._(
                "%(count)s people, about %(segments)s parts of text messages each. "
                "Enter the price of a part at the account to see what that costs.",
                count=reachable,
                segments=segments,
            )
        return self.env._(
            "about %(amount)s: %(count)s people, %(segments)s parts of text messages "
            "each",
            amount=formatLang(
                self.env,
                reachable * segments * account.segment_price,
                currency_obj=account.currency_id,
            ),
            count=reachable,
            segments=segments,
        )

    def _count_segments(self):
        """Return of how many parts the text messages are that somebody gets."""
        count = 0
        for _name, template in self._get_contents():
            if template.channel == "sms":
                try:
                    text = template._render_sms(template._get_sample_context())
                except RenderError:
                    continue  # The checks say so.
                count += sms.analyse(text).segments
        return count

    def _describe_schedule(self):
        """Say when it leaves."""
        if self.kind == "on_entry":
            return self.env._("Whenever somebody enters, from now on.")
        if self.is_at_once:
            when = self.env._("As soon as you confirm.")
        elif not self.scheduled_at:
            return ""
        else:
            zone = self.company_id.sudo().figures_timezone or "UTC"
            at = fields.Datetime.context_timestamp(
                self.with_context(tz=zone), self.scheduled_at
            ).strftime("%Y-%m-%d %H:%M")
            when = (
                self.env._("%s where each of them lives.", at)
                if self.is_local_time
                else self.env._("%(at)s (%(zone)s).", at=at, zone=zone)
            )
        if not self.spread_hours:
            return when
        return self.env._(
            "%(when)s Spread over %(hours)s hours.", when=when, hours=self.spread_hours
        )

    # === WHAT IS WRONG ===#

    def _check_ready(self):
        """Refuse to send what cannot be sent.

        :raise UserError: what is missing, all of it
        """
        self.ensure_one()
        problems = self._get_problems() + [
            check["message"]
            for check in self._get_content_checks()
            if check["level"] == "error"
        ]
        if problems:
            raise UserError("\n".join(problems))

    def _get_problems(self):
        """Return what keeps the campaign from being sent.

        :return: sentences that say what to do
        :rtype: list[str]
        """
        self.ensure_one()
        return [
            problem
            for problem in (
                self._find_audience_problem(),
                self._find_content_problem(),
                self._find_sender_problem(),
                self._find_schedule_problem(),
            )
            if problem
        ]

    def _find_audience_problem(self):
        if not self.segment_ids:
            return self.env._("Choose at least one segment: who is it for?")
        if self.kind != "on_entry" and not self._has_members():
            return self.env._("Nobody is in its segments. Choose others.")
        return ""

    def _find_content_problem(self):
        if not self.template_id:
            return self.env._("Choose a template: what does it say?")
        if not self.template_id.active:
            return self.env._(
                "The template “%s” is archived. Choose another.", self.template_id.name
            )
        return ""

    def _find_sender_problem(self):
        partner = self.company_id.partner_id
        channels = {template.channel for _name, template in self._get_contents()}
        if "email" in (channels or {self.channel}) and not (
            partner.street and partner.city and partner.country_id
        ):
            return self.env._(
                "Marketing emails say who is writing, with a postal address. Enter "
                "street, city and country of “%s”.",
                self.company_id.name,
            )
        return ""

    def _find_schedule_problem(self):
        if not self.is_at_once and not self.scheduled_at:
            return self.env._("Say when it is to leave, or that it leaves at once.")
        return ""

    def _get_content_checks(self):
        """Return what is wrong with the content, or could be better.

        :return: dicts with ``level`` (``error``, ``advice``) and ``message``
        :rtype: list[dict]
        """
        self.ensure_one()
        checks = [
            {
                "level": LEVELS[check["level"]],
                "message": f"{name}: {check['message']}" if name else check["message"],
            }
            for name, template in self._get_contents()
            for check in template._get_checks(overrides=self._get_sources())
            if check["level"] in LEVELS
        ]
        more = (self._check_late_local_time(), self._check_coupon())
        return checks + [check for check in more if check]

    def _check_coupon(self):
        """Coupons are made by the steps of sequences: others have none to speak of."""
        if self.sends != "message" or not any(
            "coupon" in (source or "")
            for _name, template in self._get_contents()
            for sources in template._get_sources_by_lang().values()
            for source in sources.values()
        ):
            return None
        return {
            "level": "advice",
            "message": self.env._(
                "It speaks of a coupon, and nobody gets one: only the steps of "
                "sequences hand them out. Let the campaign send several messages."
            ),
        }

    def _check_late_local_time(self):
        """Where it is late already, local time cannot be kept."""
        if self.is_at_once or not self.is_local_time or not self.scheduled_at:
            return None
        if self.scheduled_at > fields.Datetime.now() + timedelta(days=1):
            return None
        return {
            "level": "advice",
            "message": self.env._(
                "It is less than a day ahead: where that time is over already, people "
                "get it at once."
            ),
        }
