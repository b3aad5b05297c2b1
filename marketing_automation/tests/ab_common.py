from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from .campaign_common import CampaignCase


class AbCase(CampaignCase):
    """A campaign for a hundred people, with an A/B test of its subject."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.crowd = cls.env["res.partner"].create(
            [
                {"name": f"Reader{n} Tester", "email": f"reader{n}@example.com"}
                for n in range(94)
            ]
        )
        cls._give_consent(cls.crowd)
        cls.segment.add_contacts(cls.crowd.ids, "manual")
        cls.test = cls._create_test(cls.campaign)
        cls.control, cls.other = cls.test.variant_ids

    @classmethod
    def _create_test(cls, campaign, **vals):
        return cls.env["ab.test"].create(
            {
                "campaign_id": campaign.id,
                "test_share": 80,
                "minimum_sample": 20,
                "duration_hours": 4,
                "variant_ids": [
                    fields.Command.create({"name": "A", "is_control": True}),
                    fields.Command.create({"name": "B", "subject": "Look at this"}),
                ],
                **vals,
            }
        )

    def _get_messages(self, variant=None, campaign=None):
        """Return the messages of a variant; without one, those that wait."""
        return self.env["marketing.message"].search(
            [
                ("campaign_id", "=", (campaign or self.campaign).id),
                ("variant_id", "=", variant.id if variant else False),
            ],
            order="id",
        )

    def _send_test(self):
        """Send the variants, and nothing to the rest."""
        self._start()
        self._dispatch()

    def _react(self, variant, count, kind="click", **vals):
        """Let the first ones who got a variant do something."""
        self.env["marketing.engagement"]._record_events(
            [
                {
                    "message_id": message.id,
                    "kind": kind,
                    "occurred_at": message.sent_at,
                    "external_id": f"{kind}-{message.id}",
                    **vals,
                }
                for message in self._get_messages(variant)[:count]
            ]
        )

    def _pass_time(self, hours=5):
        """Let all that happened have happened earlier."""
        self.env.flush_all()
        for statement in (
            "UPDATE marketing_message SET sent_at = sent_at - %s",
            "UPDATE marketing_engagement SET occurred_at = occurred_at - %s",
            "UPDATE ab_test SET started_at = started_at - %s",
            "UPDATE sale_order SET date_order = date_order - %s",
        ):
            self.env.cr.execute(SQL(statement, timedelta(hours=hours)))
        self.env.invalidate_all()

    def _decide(self):
        self._run_cron("ir_cron_ab_decide")
        self.env.invalidate_all()
