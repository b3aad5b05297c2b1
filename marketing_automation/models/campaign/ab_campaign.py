"""How a campaign goes through its A/B test: some get a variant, the rest waits."""

import uuid
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...tools import rendering
from ..delivery.marketing_message import PRIORITIES


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    # There is one at most, see ab.test.
    ab_test_ids = fields.One2many("ab.test", "campaign_id", copy=True)
    ab_state = fields.Selection(
        related="ab_test_ids.state", string="A/B Test", readonly=True
    )

    # === ACTION METHODS ===#

    def action_ab_test(self):
        """Open the A/B test, or begin one.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("A/B Test"),
            "res_model": "ab.test",
            "view_mode": "form",
            "res_id": self.ab_test_ids.id,
            "context": {"default_campaign_id": self.id},
        }

    def action_resume(self):
        """The time of its A/B test goes on, too."""
        result = super().action_resume()
        self.ab_test_ids._extend()
        return result

    def action_cancel(self):
        """Its A/B test ends, undecided."""
        result = super().action_cancel()
        self.ab_test_ids._cancel()
        return result

    # === BEFORE IT STARTS ===#

    def _get_problems(self):
        return super()._get_problems() + [
            problem for test in self.ab_test_ids for problem in test._get_problems()
        ]

    def _get_content_checks(self):
        checks = super()._get_content_checks()
        if not self.template_id or not self.ab_test_ids:
            return checks
        checks += [
            check
            for check in map(self._check_variant, self.ab_test_ids.variant_ids)
            if check
        ]
        advice = self.ab_test_ids._get_size_advice()
        if advice:
            checks.append({"level": "advice", "message": advice})
        return checks

    def _check_variant(self, variant):
        template = variant._get_template()
        context = template._get_sample_context()
        try:
            if self.channel == "sms":
                template._render_sms(context)
            else:
                sources = self._get_sources() | variant._get_overrides()
                rendering.render(template._get_templates(sources), context)
        except rendering.RenderError as error:
            message = self.env._(
                "Variant %(variant)s of the A/B test: %(error)s",
                variant=variant.name,
                error=template._format_source_error(error),
            )
            return {"level": "error", "message": message}
        return None

    def _queue_test(self, partners):
        """Whoever looks at the campaign before it is sent looks at all variants."""
        if not self.ab_test_ids:
            return super()._queue_test(partners)
        for variant in self.ab_test_ids.variant_ids:
            slots = SQL(
                """SELECT p.id AS partner_id, %s::timestamp AS scheduled_at,
                          %s AS variant_id, %s AS template_id
                     FROM res_partner p WHERE p.id = ANY(%s)""",
                fields.Datetime.now(),
                variant.id,
                variant._get_template().id,
                partners.ids,
            )
            messages = self.env["marketing.message"].sudo()
            messages._queue_slots(
                self.channel,
                slots,
                self.company_id,
                f"{messages._get_test_source()}{uuid.uuid4().hex}",
                website=self.website_id,
                campaign=self,
                priority=PRIORITIES["test"],
            )
        return None

    # === WHO GETS WHAT ===#

    def _queue(self):
        count = super()._queue()
        for test in self.ab_test_ids:
            test._start()
        return count

    def _sql_queue(self, recipients):
        test = self.ab_test_ids
        if not test:
            return super()._sql_queue(recipients)
        return SQL(
            """SELECT slot.partner_id, assigned.variant_id,
                      slot.scheduled_at + variant.delay * interval '1 hour'
                          AS scheduled_at,
                      COALESCE(variant.template_id, %(template)s) AS template_id
                 FROM (%(slots)s) slot
                 JOIN (%(assigned)s) assigned ON assigned.partner_id = slot.partner_id
                 LEFT JOIN (VALUES %(variants)s)
                           AS variant (id, template_id, delay)
                        ON variant.id = assigned.variant_id""",
            template=self.template_id.id,
            slots=self._sql_slots(recipients),
            assigned=test._sql_assign(recipients),
            variants=test._sql_variants(),
        )

    def _reschedule_waiting(self):
        super()._reschedule_waiting()
        test = self.ab_test_ids
        if test.state != "running":
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_message m
                      SET scheduled_at = m.scheduled_at
                          + variant.delay * interval '1 hour'
                     FROM (VALUES %s) AS variant (id, template_id, delay)
                    WHERE m.variant_id = variant.id AND m.state = 'queued'
                      AND m.priority > 0 AND variant.delay > 0""",
                test._sql_variants(),
            )
        )
        self.env.invalidate_all(flush=False)
        test._extend()

    # === THE REST ===#

    def _release_rest(self, variant):
        """Send a variant to all who waited for the test, in one statement.

        Where the time of the day matters (a test of it, or each recipient's local
        time), they get it at that time on the next day that has it for all of them.

        :param ab.test.variant variant: what they get
        :return: number of messages
        :rtype: int
        """
        self.ensure_one()
        waiting = self._fix_waiting(SQL("m.scheduled_at IS NULL"))
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_message m
                      SET variant_id = %(variant)s, template_id = %(template)s,
                          scheduled_at = COALESCE(slot.scheduled_at, %(now)s)
                     FROM (%(waiting)s) waiting
                     LEFT JOIN (%(slots)s) slot
                            ON slot.partner_id = waiting.partner_id
                    WHERE m.id = waiting.id""",
                variant=variant.id,
                template=variant._get_template().id,
                now=now,
                waiting=waiting,
                slots=self._plan_rest(variant)._sql_slots(waiting),
            )
        )
        count = self.env.cr.rowcount
        self.env.invalidate_all(flush=False)
        self.env["marketing.dispatcher"]._wake_up(now)
        return count

    def _plan_rest(self, variant):
        """Return this campaign as it is planned for those who waited.

        :return: a record that is not stored
        :rtype: email.campaign
        """
        now = fields.Datetime.now()
        at = self.scheduled_at or now
        plan = self.new({"scheduled_at": at}, origin=self)
        if not self.is_local_time and variant.subject_of_test != "send_time":
            plan.scheduled_at = now
            return plan
        plan.scheduled_at += timedelta(hours=variant._get_delay())
        while plan.starts_at < now:
            plan.scheduled_at += timedelta(days=1)
        return plan
