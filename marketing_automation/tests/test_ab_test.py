from collections import Counter
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError
from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.campaign import ab_decision, ab_plan
from ..tools.statistics import needed_control
from .ab_common import AbCase


@tagged("post_install", "-at_install")
class TestAbAssignment(AbCase):
    """Who gets which variant."""

    def _assign(self, test=None, count=1000, begin=0):
        """Assign made-up people; return the variant of each, by number."""
        recipients = SQL(
            """SELECT n AS partner_id, 'p' || n || '@example.com' AS address
                 FROM generate_series(%s, %s) n""",
            begin + 1,
            begin + count,
        )
        return {
            partner_id: variant_id
            for partner_id, _address, variant_id in self.env.execute_query(
                (test or self.test)._sql_assign(recipients)
            )
        }

    def test_balanced(self):
        for share, count in ((20, 1000), (20, 1003), (33, 999), (100, 7), (1, 50)):
            with self.subTest(share=share, count=count):
                self.test.test_share = share
                found = Counter(self._assign(count=count).values())
                sizes = [found[variant.id] for variant in self.test.variant_ids]
                self.assertLessEqual(max(sizes) - min(sizes), 1)
                self.assertEqual(sum(sizes), (count * share + 50) // 100)
                self.assertEqual(sum(found.values()), count)

    def test_weights(self):
        self.test.variant_ids = [
            Command.update(self.other.id, {"weight": 3}),
            Command.create({"name": "C", "subject": "Or this", "weight": 2}),
        ]
        self.test.test_share = 60
        found = Counter(self._assign().values())
        self.assertEqual(
            [found[variant.id] for variant in self.test.variant_ids], [100, 300, 200]
        )

    def test_the_same_again(self):
        """Who has which variant is known from the address and the secret alone."""
        self.assertEqual(self._assign(), self._assign())

    def test_another_test_another_order(self):
        other = self._create_test(self._create_campaign(), test_share=80)
        places = dict(
            zip(other.variant_ids.ids, self.test.variant_ids.ids, strict=True)
        )
        mine, theirs = self._assign(), self._assign(other)
        same = sum(mine[n] == places.get(theirs[n]) for n in mine)
        # By chance: 0.4² twice, and 0.2².
        self.assertGreater(same, 280)
        self.assertLess(same, 440)

    def test_place_says_nothing(self):
        """Those who were customers first are in all variants alike."""
        self.test.test_share = 100
        found = self._assign()
        early = Counter(found[n] for n in range(1, 501))
        # 250 expected, with a standard deviation of 8.
        self.assertLess(abs(early[self.control.id] - 250), 40)

    def test_without_address(self):
        recipients = SQL(
            "SELECT n AS partner_id, NULL::varchar AS address "
            "FROM generate_series(1, 10) n"
        )
        rows = self.env.execute_query(self.test._sql_assign(recipients))
        self.assertEqual(len(rows), 10)
        self.assertEqual(sum(variant is not None for *_who, variant in rows), 8)


@tagged("post_install", "-at_install")
class TestAbTest(AbCase):
    """From the variants to the rest."""

    def test_variants_first(self):
        self._send_test()
        self.assertEqual(self.test.state, "running")
        self.assertEqual(self.campaign.state, "running")
        mine, others = (
            self._get_messages(variant) for variant in (self.control, self.other)
        )
        self.assertEqual((len(mine), len(others)), (40, 40))
        self.assertEqual(set((mine | others).mapped("state")), {"sent"})
        self.assertEqual(set(others.mapped("subject")), {"Look at this"})
        self.assertIn("News for", mine[0].subject)
        rest = self._get_messages()
        self.assertEqual(len(rest), 20)
        self.assertEqual(set(rest.mapped("state")), {"queued"})
        self.assertFalse(any(rest.mapped("scheduled_at")))

    def test_winner_goes_to_the_rest(self):
        self._send_test()
        self._react(self.control, 4)
        self._react(self.other, 20)
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.state, "decided")
        self.assertEqual(self.test.winner_id, self.other)
        self.assertEqual(self.test.decision["reason"], "significant")
        self.assertEqual(self.test.decision["rest"], 20)
        self.assertIn("B is better than A", self.test.outcome)
        self.assertIn("20 who waited", self.test.outcome)
        self._dispatch()
        self.assertFalse(self._get_messages())
        self.assertEqual(
            Counter(self.campaign.message_ids.mapped("subject"))["Look at this"], 60
        )
        self.assertEqual(self.campaign.state, "completed")

    def test_chance_wins_nothing(self):
        self._send_test()
        self._react(self.control, 8)
        self._react(self.other, 10)
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.winner_id, self.control)
        self.assertEqual(self.test.decision["reason"], "unclear")
        self.assertIn("may be chance", self.test.outcome)
        self.assertIn("As you chose for this case, A", self.test.outcome)
        self._dispatch()
        self.assertEqual(
            Counter(self.campaign.message_ids.mapped("subject"))["Look at this"], 40
        )

    def test_best_so_far(self):
        self.test.fallback = "best"
        self._send_test()
        self._react(self.control, 8)
        self._react(self.other, 10)
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.winner_id, self.other)
        self.assertIn(
            "As you chose for this case, B, which did best", self.test.outcome
        )

    def test_ask(self):
        self.test.fallback = "ask"
        self._send_test()
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.state, "undecided")
        self.assertFalse(self.test.winner_id)
        self._dispatch()
        self.assertEqual(len(self._get_messages()), 20)
        self.assertEqual(self.campaign.state, "running")
        self.other.action_send_to_rest()
        self.assertEqual(self.test.state, "decided")
        self.assertIn("sent B to the 20 who waited", self.test.outcome)
        with self.assertRaises(UserError):
            self.control.action_send_to_rest()
        self._dispatch()
        self.assertEqual(self.campaign.state, "completed")

    def test_too_few(self):
        self.test.minimum_sample = 1000
        self._send_test()
        self._react(self.other, 40)
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.decision["reason"], "too_few")
        self.assertEqual(self.test.winner_id, self.control)
        self.assertIn("reached 80 people, fewer than the 1,000", self.test.outcome)

    def test_lost_unevenly(self):
        """Variants that could not be sent to many are not compared."""
        self._send_test()
        self._react(self.control, 30)
        lost = self._get_messages(self.other)[:25]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_message SET state = 'failed', sent_at = NULL
                    WHERE id IN %s""",
                tuple(lost.ids),
            )
        )
        self.env.invalidate_all()
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.decision["reason"], "uneven")
        self.assertIn("can't be compared", self.test.outcome)

    def test_everybody_in_the_test(self):
        """The campaign ends before the test is decided."""
        self.test.test_share = 100
        self._send_test()
        self.assertEqual(self.campaign.state, "completed")
        self._react(self.other, 20)
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.state, "decided")
        self.assertIn("nobody waits", self.test.outcome)


@tagged("post_install", "-at_install")
class TestAbTime(AbCase):
    """The decision is taken once, when its time has come."""

    def test_not_before_its_time(self):
        self._send_test()
        self._react(self.other, 40)
        self._pass_time(hours=3)
        self._decide()
        self.assertEqual(self.test.state, "running")
        self.assertFalse(self.test.decision)
        self._pass_time(hours=1)
        self._decide()
        self.assertEqual(self.test.state, "decided")

    def test_no_peeking(self):
        """Before the decision there are counts alone."""
        self._send_test()
        self._react(self.control, 10)
        self._react(self.other, 40)
        self.env.invalidate_all()
        self.assertIn("25.00", self.test.result)
        self.assertIn("100.00", self.test.result)
        self.assertNotIn("p-value", self.test.result)
        self.assertNotIn("interval", self.test.result)
        self.assertIn("once and not before", self.test.outcome)
        self._pass_time()
        self._decide()
        for text in ("p-value", "95 %", "Sent to the rest", "Chi-square test"):
            self.assertIn(text, self.test.result.replace("\n", " "))

    def test_what_comes_later_does_not_count(self):
        self._send_test()
        late = self._get_messages(self.other)
        self._react(self.other, 40, occurred_at=late[0].sent_at + timedelta(hours=4.1))
        self._react(self.control, 5)
        self._pass_time()
        figures = self.test._count()
        self.assertEqual(figures[self.other.id]["done"], 0)
        self.assertEqual(figures[self.control.id]["done"], 5)

    def test_waits_for_who_waits(self):
        """Quiet hours hold some back: until the planned time they are waited for."""
        self._send_test()
        held = self._get_messages(self.other)[:3]
        held.write({"state": "queued", "sent_at": False})
        self._pass_time(hours=1)
        self.assertIsNone(self.test._get_due_at())
        self.test.counted_until = fields.Datetime.now() - timedelta(minutes=1)
        due_at = self.test._get_due_at()
        self.assertEqual(
            due_at,
            max(self._get_messages(self.control).mapped("sent_at"))
            + timedelta(hours=4),
        )
        # Who gets it after that does not count.
        held.write({"state": "sent", "sent_at": fields.Datetime.now()})
        self.assertEqual(self.test._count()[self.other.id]["sent"], 37)

    def test_pause(self):
        self._start()
        self.campaign.action_pause()
        self._pass_time(hours=9)
        self._decide()
        self.assertEqual(self.test.state, "running")
        self.test.counted_until = fields.Datetime.now() - timedelta(hours=1)
        self.campaign.action_resume()
        self.assertGreater(self.test.counted_until, fields.Datetime.now())
        self._dispatch()
        self.assertEqual(self.test._count()[self.other.id]["sent"], 40)

    def test_cancel(self):
        self._send_test()
        self.campaign.action_cancel()
        self.assertEqual(self.test.state, "cancelled")
        self._pass_time()
        self._decide()
        self._dispatch()
        self.assertEqual(set(self._get_messages().mapped("state")), {"cancelled"})

    def test_settled_when_started(self):
        self._send_test()
        for vals in ({"confidence": 80}, {"metric": "open"}, {"minimum_sample": 0}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                self.test.write(vals)
        with self.assertRaises(UserError):
            self.other.subject = "Something else"
        with self.assertRaises(UserError):
            self.other.unlink()
        with self.assertRaises(UserError):
            self.other.copy({"name": "C"})

    def test_one_that_fails_holds_up_no_other(self):
        self._send_test()
        self._pass_time()
        broken = self._create_test(self._create_campaign(name="Broken"))
        broken.campaign_id.state = "running"
        broken.write(
            {"state": "running", "started_at": self.test.started_at}
        )  # without a time until which it counts
        with mute_logger(ab_decision.__name__, "odoo.sql_db"):
            self._decide()
        self.assertEqual(self.test.state, "decided")

    def test_worker_in_the_way(self):
        """A conflict in the database is no error: it is decided at once, again."""
        self._send_test()
        self._pass_time()
        cron = self.env.ref("marketing_automation.ir_cron_ab_decide")
        triggers = self.env["ir.cron.trigger"]
        triggers.search([("cron_id", "=", cron.id)]).unlink()
        with (
            patch.object(
                type(self.test), "_decide_if_due", side_effect=SerializationFailure
            ),
            self.assertNoLogs(ab_decision.__name__),
        ):
            self._decide()
        self.assertEqual(self.test.state, "running")
        self.assertTrue(triggers.search([("cron_id", "=", cron.id)]))
        self._decide()
        self.assertEqual(self.test.state, "decided")


@tagged("post_install", "-at_install")
class TestAbMetrics(AbCase):
    """What counts."""

    def _count_done(self):
        figures = self.test._count()
        return [figures[variant.id]["done"] for variant in self.test.variant_ids]

    def test_machines_do_not_count(self):
        self.test.metric = "open"
        self._send_test()
        self._react(self.control, 12, "open")
        self._react(self.other, 40, "open", is_machine=True)
        self.assertEqual(self._count_done(), [12, 0])

    def test_who_clicks_has_opened(self):
        self.test.metric = "open"
        self._send_test()
        self._react(self.control, 5, "open")
        self._react(self.control, 7, "click")
        self.assertEqual(self._count_done(), [7, 0])

    def test_each_person_counts_once(self):
        self._send_test()
        for n in range(3):
            self._react(
                self.other, 2, external_id=f"again-{n}", url=f"https://x.io/{n}"
            )
        self._react(self.other, 2)
        self.assertEqual(self._count_done(), [0, 2])

    def _order(self, message, amount, state="sale"):
        product = self._create_product("Lamp", amount)
        order = self._create_cart(message.partner_id, [(product, 1)])
        order.write(
            {
                "attributed_message_id": message.id,
                "state": state,
                "date_order": fields.Datetime.now(),
            }
        )
        return order

    def test_orders(self):
        self.test.metric = "conversion"
        self._send_test()
        first, second, third = self._get_messages(self.other)[:3]
        self._order(first, 50)
        self._order(first, 20)
        self._order(second, 30, "cancel")
        self._order(third, 40).date_order += timedelta(hours=5)
        self.assertEqual(self._count_done(), [0, 1])

    def test_revenue_of_everybody(self):
        """Those who bought nothing count with nothing."""
        self.test.metric = "revenue"
        self._send_test()
        for message in self._get_messages(self.other)[:10]:
            self._order(message, 80)
        found = self.test._count()[self.other.id]
        self.assertEqual((found["sent"], found["done"]), (40, 10))
        self.assertAlmostEqual(found["mean"], 20.0)
        # 10 times 60² and 30 times 20², by 39.
        self.assertAlmostEqual(found["variance"], 48000 / 39)
        self._pass_time()
        self._decide()
        self.assertEqual(self.test.decision["reason"], "too_few_done")
        self.assertIn("Too few people ordered", self.test.outcome)

    def test_revenue_decides(self):
        self.test.metric = "revenue"
        self._send_test()
        for message in self._get_messages(self.control)[:6]:
            self._order(message, 10)
        for message in self._get_messages(self.other)[:25]:
            self._order(message, 80)
        self._pass_time(hours=4)
        self._decide()
        self.assertEqual(self.test.winner_id, self.other)
        self.assertIn("Welch", self.test.result)
        self.assertIn("50.00", self.test.result)


@tagged("post_install", "-at_install")
class TestAbKinds(AbCase):
    """What variants can differ in."""

    def _test(self, subject, values):
        """Compare something else."""
        self.test.write(
            {
                "subject_of_test": subject,
                "variant_ids": [Command.update(self.other.id, values)],
            }
        )

    def test_content(self):
        other = self._create_contact_template(
            name="Other", subject="Other for {{ customer.first_name }}"
        )
        self._test("content", {"template_id": other.id})
        self._send_test()
        self.assertEqual(self._get_messages(self.other).template_id, other)
        self.assertEqual(self._get_messages(self.control).template_id, self.template)
        self.assertIn("Other for", self._get_messages(self.other)[0].subject)
        self._react(self.other, 30)
        self._pass_time()
        self._decide()
        self._dispatch()
        self.assertEqual(len(self._get_messages(self.other)), 60)
        self.assertEqual(self._get_messages(self.other).template_id, other)

    def test_look_at_all_variants_before(self):
        """They belong to nobody's figures."""
        self.campaign._queue_test(self.people[:2])
        self._dispatch()
        messages = self.campaign.message_ids
        self.assertEqual(len(messages), 4)
        subjects = Counter(messages.mapped("subject"))
        self.assertEqual(subjects["Look at this"], 2)
        self._send_test()
        self.assertEqual(self.test._count()[self.other.id]["assigned"], 40)

    def test_what_is_not_compared_is_not_said(self):
        """A subject typed before the test was made one of the sender's name."""
        self._test("from_name", {"from_name": "Anna of Lamps"})
        self._start()
        message = self._get_messages(self.other)[0]
        overrides = message._get_overrides()
        self.assertEqual(overrides["from_name"], "Anna of Lamps")
        self.assertFalse(overrides["subject"])
        control = self._get_messages(self.control)[0]._get_overrides()
        self.assertFalse(control["from_name"])

    def test_preview_line(self):
        self._test("preheader", {"preheader": "Only today"})
        self._start()
        overrides = self._get_messages(self.other)[0]._get_overrides()
        self.assertEqual(overrides["preheader"], "Only today")

    def test_send_time(self):
        self._test("send_time", {"send_offset": 6.0})
        self._start()
        times = [
            set(self._get_messages(variant).mapped("scheduled_at"))
            for variant in (self.control, self.other)
        ]
        [[now], [later]] = times
        self.assertEqual(later - now, timedelta(hours=6))
        self.assertEqual(self.test.counted_until - later, timedelta(hours=4))

    def test_send_time_of_the_rest(self):
        """The better hour is an hour of the day: the rest gets it at the next one."""
        self._test("send_time", {"send_offset": 6.0})
        self._start()
        # The test left at once, a second after it was asked for.
        at = self.campaign.scheduled_at
        tested = self._get_messages(self.other)[0].scheduled_at
        moment = at + timedelta(hours=10)
        with self._at(moment):
            self.campaign._release_rest(self.other)
            self.env.invalidate_all()
        times = set(self._get_messages(self.other).mapped("scheduled_at"))
        self.assertEqual(times, {tested, at + timedelta(hours=30)})

    def test_another_schedule(self):
        """Who waits gets the variant's hour of the new time."""
        self._test("send_time", {"send_offset": 6.0})
        self._start()
        at = fields.Datetime.now().replace(microsecond=0) + timedelta(days=2)
        self.campaign.write({"scheduled_at": at})
        self._run_cron("ir_cron_campaigns")
        self.env.invalidate_all()
        self.assertEqual(
            set(self._get_messages(self.other).mapped("scheduled_at")),
            {at + timedelta(hours=6)},
        )
        self.assertFalse(any(self._get_messages().mapped("scheduled_at")))
        self.assertGreaterEqual(
            self.test.counted_until, at + timedelta(hours=10) - timedelta(seconds=2)
        )


@tagged("post_install", "-at_install")
class TestAbChecks(AbCase):
    """What is refused, and said before."""

    def test_nothing_to_compare(self):
        self.other.subject = False
        problems = self.campaign._get_problems()
        self.assertIn("the Subject of A and B is the same", "\n".join(problems))
        with self.assertRaises(UserError):
            self.campaign.action_confirm()
        self.assertEqual(self.campaign.state, "draft")

    def test_whoever_enters_a_segment(self):
        """They come one by one: nobody could wait."""
        self.campaign.kind = "on_entry"
        self.assertIn("nobody who could wait", "".join(self.campaign._get_problems()))

    def test_again_and_again(self):
        """Each time is a campaign with a test of its own."""
        self.campaign.kind = "recurring"
        self._start()
        following = self.env["email.campaign"].search(
            [("previous_id", "=", self.campaign.id)]
        )
        self.assertEqual(following.ab_test_ids.state, "draft")
        self.assertEqual(self.test.state, "running")

    def test_number_of_variants(self):
        with self.assertRaises(ValidationError):
            self.test.variant_ids = [Command.delete(self.other.id)]
        with self.assertRaises(ValidationError):
            self.test.variant_ids = [
                Command.create({"name": name, "subject": name}) for name in "CDEF"
            ]

    def test_one_control(self):
        for values in ((True, True), (False, False)):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.test.variant_ids = [
                    Command.update(variant.id, {"is_control": value})
                    for variant, value in zip(
                        self.test.variant_ids, values, strict=True
                    )
                ]

    def test_revenue_with_unequal_weights(self):
        self.test.variant_ids = [Command.update(self.other.id, {"weight": 2})]
        with self.assertRaises(ValidationError):
            self.test.metric = "revenue"

    def test_broken_text(self):
        with self.assertRaises(ValidationError):
            self.other.subject = "Hello {{ customer.first_name"

    def test_variant_that_cannot_be_rendered(self):
        self.other.subject = "{{ 1 / 0 }}"
        checks = self.campaign._get_content_checks()
        errors = [check["message"] for check in checks if check["level"] == "error"]
        self.assertIn("Variant B", errors[0])

    def test_too_small_a_list(self):
        self.test.minimum_sample = 1000
        checks = self.campaign._get_content_checks()
        self.assertIn("takes about 80 people", checks[-1]["message"])
        self.assertEqual(checks[-1]["level"], "advice")

    def test_limits(self):
        for vals in (
            {"test_share": 0},
            {"confidence": 100},
            {"duration_hours": 0},
            {"minimum_sample": -1},
        ):
            with self.subTest(vals=vals), mute_logger("odoo.sql_db"):
                with self.assertRaises(IntegrityError), self.env.cr.savepoint():
                    self.test.write(vals)

    def test_text_messages(self):
        template = self._create_contact_template(
            channel="sms", body_sms="News: {{ unsubscribe_url }}"
        )
        campaign = self._create_campaign(channel="sms", template_id=template.id)
        with self.assertRaises(ValidationError):
            self._create_test(campaign, subject_of_test="subject")
        with self.assertRaises(ValidationError):
            self._create_test(campaign, subject_of_test="content", metric="open")
        self.assertTrue(self._create_test(campaign, subject_of_test="content"))

    def test_copy(self):
        self._send_test()
        copy = self.campaign.copy().ab_test_ids
        self.assertEqual(copy.state, "draft")
        self.assertEqual(copy.variant_ids.mapped("subject"), [False, "Look at this"])
        self.assertNotEqual(copy.secret, self.test.secret)


@tagged("post_install", "-at_install")
class TestAbPlan(AbCase):
    """What the calculator says."""

    def test_what_a_list_shows(self):
        self.test.write(
            {"audience_count": 50_000, "expected_share": 20.0, "test_share": 20}
        )
        row = next(row for row in self.test._get_plan_rows() if row["is_chosen"])
        self.assertEqual((row["people"], row["each"]), (10_000, 5000))
        self.assertEqual(row["usual"], "20.00 %")
        self.assertEqual(row["seen"], "22.29 %")
        self.assertIn("22.29", self.test.plan)
        # So many are needed for that, as Fleiss, Levin and Paik have it.
        self.assertAlmostEqual(needed_control(0.2229, 0.2, 1), 5000, delta=30)

    def test_larger_lists_show_less(self):
        self.test.write({"audience_count": 20_000, "expected_share": 3.0})
        seen = [row["seen"] for row in self.test._get_plan_rows()]
        values = [float(text.split()[0]) for text in seen]
        self.assertEqual(values, sorted(values, reverse=True))
        self.assertEqual(len(values), 6)

    def test_a_handful_shows_nothing(self):
        self.test.write({"audience_count": 10, "expected_share": 30.0})
        self.assertEqual(self.test._get_plan_rows()[0]["seen"], "")
        self.assertIn("too few people", self.test.plan)

    def test_more_variants_see_less(self):
        self.test.write({"audience_count": 50_000, "expected_share": 20.0})
        before = self.test._get_visible(5000, 0.0)[1]
        self.test.variant_ids = [Command.create({"name": "C", "subject": "Third"})]
        self.assertGreater(self.test._get_visible(5000, 0.0)[1], before)

    def test_revenue(self):
        self.test.write(
            {
                "metric": "revenue",
                "audience_count": 100_000,
                "expected_share": 2.0,
                "expected_amount": 50.0,
            }
        )
        usual, rise = self.test._get_visible(10_000, 1.0)
        self.assertAlmostEqual(usual, 1.0)
        # Variance 0.02 · 50² · 2 - 1; times (1.96 + 0.84) · √(2 / 10,000).
        self.assertAlmostEqual(rise, 2.80159 * (99 * 2 / 10_000) ** 0.5, 4)

    def test_audience(self):
        self.assertEqual(self.test.audience_count, 100)
        self.assertEqual(self.test.expected_share, 2.0)
        self.test.metric = "open"
        self.assertEqual(self.test.expected_share, 20.0)

    def test_what_is_usual(self):
        """Of a company's own messages, once there are enough of them."""
        self._send_test()
        self._react(self.other, 10)
        self.assertEqual(self.test._get_usual_share(), 2.0)
        with patch.object(ab_plan, "FEWEST_SENT", 50):
            self.assertEqual(self.test._get_usual_share(), 12.5)
