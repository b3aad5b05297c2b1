from odoo.fields import Command

from .common import MarketingCase


class CampaignCase(MarketingCase):
    """A company with a few customers, a segment of them, and a campaign for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = cls.env["res.partner"].create(
            [
                {
                    "name": f"Person{chr(65 + n)} Tester",
                    "email": f"person{n}@example.com",
                }
                for n in range(6)
            ]
        )
        cls._give_consent(cls.people)
        cls.segment = cls._create_segment("Customers", cls.people)
        # In the second in which a campaign begins, they would enter after it has begun.
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE segment_membership SET entered_at = entered_at - interval '1 hour' "
            "WHERE segment_id = %s",
            [cls.segment.id],
        )
        cls.env.invalidate_all()
        cls.template = cls._create_contact_template()
        cls.campaign = cls._create_campaign()

    @classmethod
    def _create_segment(cls, name, people):
        segment = cls.env["customer.segment"].create(
            {"name": name, "kind": "static", "company_id": cls.company.id}
        )
        segment.add_contacts(people.ids, "manual")
        return segment

    @classmethod
    def _create_campaign(cls, **vals):
        return cls.env["email.campaign"].create(
            {
                "name": "Spring",
                "company_id": cls.company.id,
                "segment_ids": cls.segment.ids,
                "template_id": cls.template.id,
                **vals,
            }
        )

    @classmethod
    def _create_series(cls, first, second):
        """Create a sequence of two messages: at once, and three days later."""
        return cls.env["marketing.sequence"].create(
            {
                "name": "Welcome",
                "kind": "contact",
                "step_ids": [
                    Command.create(
                        {
                            "sequence": 1,
                            "name": "Hello",
                            "delay_value": 0,
                            "template_id": first.id,
                        }
                    ),
                    Command.create(
                        {
                            "sequence": 2,
                            "name": "A hint",
                            "delay_value": 3,
                            "delay_unit": "days",
                            "template_id": second.id,
                        }
                    ),
                ],
            }
        )

    def _start(self, campaign=None):
        """Confirm a campaign, and let it begin."""
        (campaign or self.campaign).action_confirm()
        self._run_cron("ir_cron_campaigns")

    def _dispatch(self):
        """Hand over what is due, and let campaigns settle."""
        self._run_cron("ir_cron_dispatch")
        self._run_cron("ir_cron_campaigns")
        self.env.invalidate_all()

    def _get_states(self, campaign=None):
        """Return the state of each message, sorted."""
        return sorted((campaign or self.campaign).message_ids.mapped("state"))
