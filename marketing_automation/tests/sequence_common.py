from datetime import timedelta

from odoo import fields
from odoo.fields import Command

from .common import MarketingCase


class SequenceCase(MarketingCase):
    """Factories for sequences, and ways to let their time pass."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env.ref("marketing_automation.template_cart_1")
        cls.sms_template = cls.env.ref("marketing_automation.template_cart_sms")
        # Of the shipped sequences the first one is enough.
        cls.env["marketing.sequence"].search(
            [("id", "!=", cls.sequence.id)]
        ).active = False
        # Hours of the day are what a test says they are.
        cls.company.write(
            {"quiet_hours_sms": False, "email_cap_hours": 0, "sms_cap_hours": 0}
        )

    @classmethod
    def _create_sequence(cls, *steps, **vals):
        """Create a sequence that is asked before the shipped one.

        :param steps: values of its steps; their position and template are filled in
        """
        return cls.env["marketing.sequence"].create(
            {
                "name": "Tested",
                "sequence": 0,
                "max_messages": 99,
                "step_ids": [
                    Command.create(
                        {
                            "sequence": place,
                            "name": f"Step {place}",
                            "template_id": cls._template_of(step).id,
                            "delay_value": place,
                            **step,
                        }
                    )
                    for place, step in enumerate(steps, start=1)
                ],
                **vals,
            }
        )

    @classmethod
    def _template_of(cls, step):
        return cls.sms_template if step.get("channel") == "sms" else cls.template

    @classmethod
    def _condition(cls, kind, **vals):
        return Command.create({"kind": kind, **vals})

    def _run_step(self, cart):
        """Let the next step of a cart's run fall due, and work it off.

        :return: the message that came of it
        """
        run = cart.enrollment_ids.filtered("next_at")
        run.next_at = fields.Datetime.now()
        before = cart.message_ids
        # One step, also when the next one is due at once.
        self.env["marketing.enrollment"]._process_due_batch()
        return cart.message_ids - before

    def _send(self, message):
        """Let a message have arrived some time ago."""
        message._set_state(
            "sending", sending_at=fields.Datetime.now() - timedelta(minutes=5)
        )
        message._set_state("sent")

    def _decide(self, message):
        """Ask the gate, as is done just before a message leaves."""
        return self.env["marketing.gate"]._decide(message)[message.id]
