from odoo import api, fields, models


class AbandonedCart(models.Model):
    """What happened to a cart and why, in words, from the facts that are stored."""

    _inherit = "abandoned.cart"

    timeline = fields.Html(compute="_compute_timeline", sanitize=False)

    # Facts of other models change it too; it is computed whenever it is looked at.
    @api.depends("state", "abandoned_at", "returned_at", "recovered_at")
    def _compute_timeline(self):
        for cart in self:
            cart.timeline = self.env["ir.qweb"]._render(
                "marketing_automation.cart_timeline",
                {"events": cart._get_timeline_events()},
            )

    def _get_timeline_events(self):
        """Return what happened, oldest first, then what comes next.

        :return: dicts ``at`` (datetime), ``icon``, ``tone`` (Bootstrap colour),
            ``title``, ``text``
        :rtype: list[dict]
        """
        self.ensure_one()
        messages, runs = self.message_ids.sorted("id"), self.enrollment_ids.sorted("id")
        # What happened within one second is told in the order of cause and effect.
        events = [
            *self._get_departure_events(),
            *(self._get_run_start(run) for run in runs),
            *(event for one in messages for event in self._get_message_events(one)),
            *self._get_outcome_events(),
            *(event for run in runs for event in self._get_run_events(run)),
        ]
        return sorted((event for event in events if event["at"]), key=_by_time)

    def _get_departure_events(self):
        labels = dict(self._fields["exclusion_reason"]._description_selection(self.env))
        is_quotation = self.kind == "quotation"
        return [
            _event(
                self.cart_created_at,
                "fa-shopping-cart",
                "info",
                self.env._("Quotation created")
                if is_quotation
                else self.env._("Cart created"),
            ),
            _event(
                self.abandoned_at,
                "fa-sign-out",
                "warning",
                self.env._("No answer since")
                if is_quotation
                else self.env._("Customer left"),
                self._get_departure_words(),
            ),
            _event(
                self.exclusion_reason and self.detected_at,
                "fa-ban",
                "secondary",
                self.env._("Excluded"),
                labels.get(self.exclusion_reason, ""),
            ),
        ]

    def _get_departure_words(self):
        return {
            "cart": self.env._("The last change to the cart."),
            "payment_failed": self.env._("The payment did not go through."),
            "quotation": self.env._("It was sent, changed, looked at or spoken of."),
        }[self.kind]

    def _get_outcome_events(self):
        # Whoever sees the cart sees the number of its order.
        order_name = self.sudo().recovered_order_id.name or ""
        return [
            _event(
                self.returned_at,
                "fa-reply",
                "success",
                self.env._("Customer came back"),
                self.env._("Through “%s”.", self.returned_message_id.subject)
                if self.returned_message_id
                else "",
            ),
            _event(
                self.recovered_at,
                "fa-check",
                "success",
                self.env._("Recovered by order %s", order_name),
                self.env._("Credited to “%s”.", self.recovered_message_id.subject)
                if self.recovered_message_id
                else self.env._("No message was clicked before: nothing is credited."),
            ),
            _event(
                self.state == "expired" and self.expires_at,
                "fa-hourglass-end",
                "secondary",
                self.env._("Expired"),
            ),
        ]

    @api.model
    def _get_run_start(self, run):
        return _event(
            run.started_at,
            "fa-play",
            "info",
            self.env._("Sequence “%s” started", run.sequence_id.name),
        )

    @api.model
    def _get_run_events(self, run):
        reasons = dict(run._fields["stop_reason"]._description_selection(self.env))
        return [
            _event(
                run.ended_at,
                "fa-stop",
                "secondary",
                self.env._("Sequence ended"),
                reasons.get(run.stop_reason) or self.env._("The last step was due."),
            ),
            _event(
                run.state == "active" and run.next_at,
                "fa-clock-o",
                "light",
                self.env._("Next: %s", run.next_step_id.name),
            ),
        ]

    @api.model
    def _get_message_events(self, message):
        states = dict(message._fields["state"]._description_selection(self.env))
        reasons = dict(message._fields["reason"]._description_selection(self.env))
        reached = message.state in ("sent", "delivered")
        title = self.env._(
            "%(state)s: %(step)s",
            step=message.step_id.name or message.subject,
            state=states[message.state],
        )
        events = [
            _event(
                message.state_changed_at,
                "fa-envelope" if reached else "fa-envelope-o",
                "primary" if reached else "secondary",
                title,
                reasons.get(message.reason) or message.subject or "",
            )
        ]
        for engagement in message.engagement_ids.filtered(
            lambda engagement: not engagement.is_machine
        ).sorted("id"):
            events.append(self._get_engagement_event(engagement))
        return events

    def _get_engagement_event(self, engagement):
        icon, tone, title = {
            "open": ("fa-envelope-open-o", "info", self.env._("Opened it")),
            "click": ("fa-mouse-pointer", "success", self.env._("Clicked a link")),
            "reply": ("fa-reply", "success", self.env._("Replied")),
            "bounce": ("fa-exclamation-triangle", "danger", self.env._("Came back")),
            "complaint": ("fa-flag", "danger", self.env._("Reported it as spam")),
            "unsubscribe": ("fa-bell-slash", "danger", self.env._("Unsubscribed")),
        }[engagement.kind]
        detail = engagement.label or engagement.detail or ""
        return _event(engagement.occurred_at, icon, tone, title, detail)


def _event(at, icon, tone, title, text=""):
    return {"at": at, "icon": icon, "tone": tone, "title": title, "text": text}


def _by_time(event):
    return event["at"]
