from datetime import timedelta

from odoo import fields, models

from .marketing_enrollment import RUNNING_STATES
from .marketing_sequence_step import place_of


class MarketingEnrollment(models.Model):
    """How runs wait, go on and end."""

    _inherit = "marketing.enrollment"

    def _pause(self):
        """Hold the run while the customer is in the shop."""
        self.filtered(lambda enrollment: enrollment.state == "active").state = "paused"

    def _resume(self):
        """Go on where these runs were held, counted from the new abandonment.

        Runs that ended because the cart was emptied go on as well when it was filled
        again, unless another run for the same person has begun meanwhile.
        """
        for run in self:
            step = run.next_step_id or run._get_step_after_last()
            if run.state == "active" or not step or run._has_rival():
                continue
            done = run.last_step_id.offset_seconds or 0
            run.write(
                {
                    "state": "active",
                    "stop_reason": False,
                    "ended_at": False,
                    "next_step_id": step.id,
                    "next_at": run.abandoned_cart_id.abandoned_at
                    + timedelta(seconds=max(step.offset_seconds - done, 0)),
                }
            )

    def _get_step_after_last(self):
        """Return the first step behind all that this run had a message of.

        :rtype: marketing.sequence.step
        """
        self.ensure_one()
        steps = self.sequence_id.step_ids.sorted(place_of)
        reached = max(
            (place_of(step) for step in self.message_ids.step_id & steps),
            default=None,
        )
        return steps.filtered(lambda step: reached is None or place_of(step) > reached)[
            :1
        ]

    def _has_rival(self):
        """Whether another run for the same person's carts is going on."""
        return bool(
            self.search_count(
                [
                    ("id", "!=", self.id),
                    ("state", "in", RUNNING_STATES),
                    ("abandoned_cart_id", "!=", False),
                    ("company_id", "=", self.company_id.id),
                    "|",
                    ("email_normalized", "=", self.email_normalized),
                    ("abandoned_cart_id", "=", self.abandoned_cart_id.id),
                ],
                limit=1,
            )
        )

    def _on_message_blocked(self, reason):
        """The gate held a message of these runs back: some reasons end the run.

        The others (nothing in stock just now, say) only cost this one message.

        :param str reason: what the gate said
        """
        if reason in dict(self._fields["stop_reason"].selection):
            self._stop(reason)
        if reason == "purchased":
            self.abandoned_cart_id._mark_bought_elsewhere()

    def _stop(self, reason):
        """End these runs at once and take back what waits in the outbox.

        :param str reason: key of ``stop_reason``
        """
        running = self.filtered(lambda enrollment: enrollment.state in RUNNING_STATES)
        running.write(
            {
                "state": "stopped",
                "stop_reason": reason,
                "ended_at": fields.Datetime.now(),
                "next_step_id": False,
                "next_at": False,
            }
        )
        if reason == "max_messages":
            return  # What was queued before is within the limit.
        self.message_ids.filtered(lambda message: message.state == "queued")._set_state(
            "cancelled", reason
        )
