from odoo.tests import HttpCase, new_test_user, tagged

from .sequence_common import SequenceCase
from .world import GROUP_USER


@tagged("post_install", "-at_install")
class TestToursSequence(SequenceCase, HttpCase):
    """Sequences as the shop's people make them, in a real browser."""

    def test_editor(self):
        self.start_tour(
            "/odoo/marketing-sequences",
            "marketing_automation_sequence_editor",
            login="admin",
        )
        sequence = self.env["marketing.sequence"].search(
            [("name", "=", "Tour sequence")]
        )
        steps = sequence._get_steps()
        self.assertEqual(
            steps.mapped("name"), ["Friendly reminder", "Can we help?", "Last word"]
        )
        self.assertEqual(steps.mapped("delay_value"), [1, 24, 72])
        second = steps[1]
        self.assertEqual((second.window_from, second.window_until), (9.0, 20.0))
        self.assertEqual(second.condition_ids.mapped("amount"), [50.0])
        self.assertEqual(sequence.version_ids.mapped("number"), [3, 2, 1])

    def _go_through(self):
        """Let one person buy after the first step, and another wait for the second."""
        bought = self._abandon(self._create_customer("Bo", "bought@example.com"))
        message = self._run_step(bought)
        self._send(message)
        self._click(message)
        bought.order_id.action_confirm()
        waits = self._abandon(self._create_customer("Wi", "waits@example.com"))
        self._run_step(waits)
        self.env.flush_all()

    def test_figures(self):
        self.company.write(
            {
                "street": "Example Street 1",
                "city": "Brussels",
                "country_id": self.env.ref("base.be").id,
            }
        )
        self.env["abandoned.cart"].search([]).unlink()
        self.env.cr.execute("UPDATE sale_order SET write_date = '2020-01-01'")
        self._go_through()
        self.start_tour(
            f"/odoo/marketing-sequences/{self.sequence.id}",
            "marketing_automation_sequence_figures",
            login="admin",
        )

    def test_reader(self):
        new_test_user(self.env, "reader", groups=GROUP_USER)
        self.start_tour(
            f"/odoo/marketing-sequences/{self.sequence.id}",
            "marketing_automation_sequence_reader",
            login="reader",
        )
