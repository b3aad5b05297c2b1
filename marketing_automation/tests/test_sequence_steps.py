from odoo import fields
from odoo.tests import tagged

from .sequence_common import SequenceCase
from .workers import WorkersCase

PEOPLE = 40


@tagged("post_install", "-at_install")
class TestSequenceSteps(SequenceCase):
    """Many steps that are due at once."""

    def _abandon_many(self, count):
        for number in range(count):
            self._create_cart(
                self._create_customer("Many", f"many{number}@example.com")
            )
        self._detect()
        runs = self.env["marketing.enrollment"].search([("state", "=", "active")])
        self.assertEqual(len(runs), count)
        return runs

    def test_batches(self):
        sequence = self._create_sequence({}, {"channel": "sms"})
        runs = self._abandon_many(25)
        for step in sequence.step_ids:
            runs.next_at = fields.Datetime.now()
            sizes = []
            while size := self.env["marketing.enrollment"]._process_due_batch(10):
                sizes.append(size)
            self.assertEqual(sizes, [10, 10, 5])
            self.assertEqual(
                len(runs.message_ids.filtered("step_id")),
                25 * (sequence.step_ids.ids.index(step.id) + 1),
            )
        self.assertEqual(set(runs.mapped("state")), {"completed"})
        self.assertEqual(runs.last_step_id, sequence.step_ids[1])
        texts = runs.message_ids.filtered(lambda m: m.channel == "sms")
        self.assertEqual(set(texts.mapped("reason")), {"no_phone"})

    def test_number_of_statements_does_not_grow_with_the_batch(self):
        self._create_sequence({}, {})
        process = self.env["marketing.enrollment"]._process_due_batch
        counts = []
        for size in (2, 30):
            runs = self._abandon_many(size)
            runs.next_at = fields.Datetime.now()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(process(), size)
            counts.append(self.env.cr.sql_log_count - before)
            runs._stop("cancelled")
        self.assertLessEqual(counts[1], counts[0] + 2)

    def test_run_whose_step_is_gone_goes_on(self):
        self._create_sequence({}, {})
        cart = self._abandon()
        run = cart.enrollment_ids
        self._run_step(cart)
        run.next_step_id = False
        self.assertFalse(self._run_step(cart))
        self.assertEqual(run.next_step_id.name, "Step 2")

    def test_end_of_the_run(self):
        self._create_sequence({})
        cart = self._abandon()
        message = self._run_step(cart)
        run = cart.enrollment_ids
        self.assertEqual((run.state, run.next_at), ("completed", False))
        self.assertEqual(run.last_step_id, message.step_id)


@tagged("post_install", "-at_install")
class TestSequenceWorkers(WorkersCase):
    """Two workers at once take different runs, and wait for nobody."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._clean_up)
        with self._worker() as env:
            sequence = env.ref("marketing_automation.sequence_cart_emails")
            env.cr.execute(
                """INSERT INTO marketing_enrollment (
                          sequence_id, company_id, state, next_step_id, next_at)
                   SELECT %s, %s, 'active', %s,
                          now() AT TIME ZONE 'UTC' - interval '1 hour'
                     FROM generate_series(1, %s)
                RETURNING id""",
                [sequence.id, env.company.id, sequence.step_ids[0].id, PEOPLE],
            )
            self.run_ids = {run_id for (run_id,) in env.cr.fetchall()}
            env.cr.commit()

    def _clean_up(self):
        with self._worker() as env:
            env.cr.execute(
                "DELETE FROM marketing_enrollment WHERE id = ANY(%s)",
                [list(self.run_ids)],
            )

    def test_side_by_side(self):
        with self._worker() as one, self._worker() as other:
            first = one["marketing.enrollment"]._lock_due(PEOPLE // 2)
            second = other["marketing.enrollment"]._lock_due(PEOPLE)
            self.assertEqual(len(first), PEOPLE // 2)
            self.assertFalse(set(first.ids) & set(second.ids))
            self.assertLessEqual(self.run_ids - set(first.ids), set(second.ids))
