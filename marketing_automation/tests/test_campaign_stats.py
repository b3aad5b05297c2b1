from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from ..models.campaign.campaign_day_count import COUNTS
from .campaign_common import CampaignCase
from .world import GROUP_MANAGER, GROUP_USER, create_other_shop

SENT = datetime(2026, 3, 1, 22, 30)
TOKYO, NEW_YORK = "Asia/Tokyo", "America/New_York"


class StatsCase(CampaignCase):
    """A campaign that has been sent; its recipients can do things at any time."""

    def setUp(self):
        super().setUp()
        self._start()
        self._dispatch()
        self.messages = self.campaign.message_ids.sorted("id")
        self.messages.write({"sent_at": SENT, "is_sandbox": False})
        self.env.flush_all()

    def _did(self, message, kind, *moments, **vals):
        """Record what somebody did with a message, and when."""
        self.env["marketing.engagement"]._record_events(
            [
                {"message_id": message.id, "kind": kind, "occurred_at": at, **vals}
                for at in moments
            ]
        )

    def _becomes(self, message, state, at):
        message._set_state(state)
        message.state_changed_at = at

    def _order(self, message, at, quantity=1):
        """Confirm an order that a message is credited with."""
        order = self._create_cart(
            partner=message.partner_id, products=[(self.product, quantity)]
        )
        order.action_confirm()
        order.write({"date_order": at, "attributed_message_id": message.id})
        self.env.flush_all()
        return order

    def _refund(self, order, quantity):
        """Take some of the goods of an order back."""
        invoice = order._create_invoices(final=True)
        invoice.action_post()
        refund = invoice._reverse_moves()
        refund.invoice_line_ids.filtered("product_id").quantity = quantity
        refund.action_post()
        self.env.flush_all()


@tagged("post_install", "-at_install")
class TestCampaignDays(StatsCase):
    """What became of a campaign, day by day: the days add up to the totals."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.invoice_policy = "order"

    def _get_days(self, *names):
        """Return figures by day, those that are not 0."""
        self.env.invalidate_all()
        rows = self.env["campaign.daily.stats"].search(
            [("campaign_id", "=", self.campaign.id)]
        )
        return {
            row.day: tuple(row[name] for name in names)
            for row in rows
            if any(row[name] for name in names)
        }

    def _assert_adds_up(self):
        """The sums over all days are the totals, and these are what they were."""
        self.env.invalidate_all()
        rows = self.env["campaign.daily.stats"].search(
            [("campaign_id", "=", self.campaign.id)]
        )
        for name in COUNTS:
            with self.subTest(figure=name):
                self.assertTrue(self.campaign[name], "the world has some of each")
                self.assertAlmostEqual(
                    sum(rows.mapped(name)), self.campaign[name], places=6
                )

    def _make_world(self):
        """Let something of everything happen, over days of both time zones."""
        people = self.messages
        wizard = self.env["email.campaign.test"].create(
            {"campaign_id": self.campaign.id, "partner_ids": [(6, 0, self.people.ids)]}
        )
        wizard.action_send()
        self._run_cron("ir_cron_dispatch")
        test = self.campaign.message_ids.filtered(lambda m: not m.priority)[0]
        self._did(test, "click", datetime(2026, 3, 2, 8))
        self._did(people[0], "open", datetime(2026, 3, 1, 22, 31), is_machine=True)
        self._did(people[0], "open", datetime(2026, 3, 4, 10), datetime(2026, 3, 5, 10))
        # In Tokyo midnight is between the two, in New York it is not.
        self._did(
            people[1],
            "click",
            datetime(2026, 3, 2, 14, 59),
            datetime(2026, 3, 2, 15, 1),
        )
        self._did(people[2], "bounce", datetime(2026, 3, 2, 1))
        self._becomes(people[2], "bounced", datetime(2026, 3, 3, 20))
        self._becomes(people[3], "delivered", datetime(2026, 3, 1, 23))
        self._did(people[3], "complaint", datetime(2026, 3, 6, 12))
        self._did(people[4], "unsubscribe", datetime(2026, 3, 2, 3))
        self._did(people[5], "open", datetime(2026, 3, 2, 4))
        self._did(people[5], "click", datetime(2026, 3, 3, 4))
        self._order(people[1], datetime(2026, 3, 3, 16), quantity=2)
        later = self._order(people[1], datetime(2026, 3, 8, 9), quantity=4)
        self._refund(later, 1)
        self._order(people[5], datetime(2026, 3, 3, 9))
        self._order(people[5], datetime(2026, 3, 4, 9))._action_cancel()
        self.env.flush_all()

    def test_what_others_did_is_not_read(self):
        """Figures are counted between the first and the last message of the campaign,
        however much has happened in the shop."""
        messages = self.campaign.message_ids
        within = f"((message_id >= {min(messages.ids)}) AND "
        for query in (
            self.campaign._sql_engaged(),
            self.campaign._sql_first_reactions(),
        ):
            self.env.cr.execute("SET LOCAL enable_seqscan = off")
            plan = self.env.execute_query(SQL("EXPLAIN %s", query))
            self.assertIn(within, "\n".join(line for (line,) in plan))

    def test_days_add_up_in_two_time_zones(self):
        self._make_world()
        self.company.figures_timezone = TOKYO
        self.campaign.action_refresh_figures()
        self._assert_adds_up()
        names = ("sent_count", "delivered_count", "bounced_count")
        self.assertEqual(self._get_days(*names), {date(2026, 3, 2): (6, 1, 1)})
        self.assertEqual(
            self._get_days("opened_count", "clicked_count"),
            {
                # Whoever clicks has opened.
                date(2026, 3, 2): (2, 1),
                date(2026, 3, 3): (0, 1),
                date(2026, 3, 4): (1, 0),
            },
        )
        self.assertEqual(
            self._get_days("order_count", "revenue"),
            {
                date(2026, 3, 4): (1, 2 * self.price),
                date(2026, 3, 8): (1, 3 * self.price),
                date(2026, 3, 3): (1, self.price),
            },
        )
        self.company.figures_timezone = NEW_YORK
        self.env["marketing.daily.figure"]._count_anew(self.company)
        self._run_cron("ir_cron_campaigns")
        self._assert_adds_up()
        self.assertEqual(
            self._get_days(*names),
            {date(2026, 3, 1): (6, 1, 1)},
            "what is no day any more is gone",
        )
        self.assertEqual(
            self._get_days("opened_count", "clicked_count"),
            {
                date(2026, 3, 1): (1, 0),
                date(2026, 3, 2): (1, 2),
                date(2026, 3, 4): (1, 0),
            },
        )

    @property
    def price(self):
        """What one piece brings in."""
        cart = self._create_cart(products=[(self.product, 1)])
        return cart.amount_total

    def test_counted_twice_is_the_same(self):
        self._make_world()
        self.campaign.action_refresh_figures()
        days = self._get_days(*COUNTS)
        ids = self.env["campaign.daily.stats"].search([]).ids
        self.campaign.action_refresh_figures()
        self.assertEqual(self._get_days(*COUNTS), days)
        self.assertEqual(self.env["campaign.daily.stats"].search([]).ids, ids)

    def test_what_comes_late_is_on_its_day(self):
        first, second = self.messages[:2]
        order = self._order(first, datetime(2026, 3, 2, 9), quantity=3)
        self.campaign.action_refresh_figures()
        sent = date(2026, 3, 1)
        self.assertEqual(set(self._get_days(*COUNTS)), {sent, date(2026, 3, 2)})
        self._did(second, "open", SENT + timedelta(days=3))
        self._refund(order, 3)
        self.campaign.action_refresh_figures()
        self.assertEqual(self._get_days("opened_count"), {date(2026, 3, 4): (1,)})
        self.assertEqual(
            self._get_days("order_count", "revenue"), {date(2026, 3, 2): (1, 0.0)}
        )
        order._action_cancel()
        self.env.flush_all()
        self.campaign.action_refresh_figures()
        self.assertEqual(
            set(self._get_days("sent_count", "order_count", "opened_count")),
            {sent, date(2026, 3, 4)},
        )

    def test_machines_found_out_later(self):
        self._did(self.messages[0], "click", datetime(2026, 3, 2, 9))
        self.campaign.action_refresh_figures()
        self.assertEqual(self._get_days("clicked_count"), {date(2026, 3, 2): (1,)})
        self.env.cr.execute("UPDATE marketing_engagement SET is_machine = TRUE")
        self.campaign.action_refresh_figures()
        self.assertFalse(self._get_days("clicked_count", "opened_count"))

    def test_forgotten_customers_leave_their_figures(self):
        message = self.messages[0]
        self._did(message, "click", datetime(2026, 3, 2, 9))
        self._order(message, datetime(2026, 3, 5, 9))
        self.campaign.action_refresh_figures()
        revenue = self.campaign.revenue
        self.assertEqual(self._get_days("revenue"), {date(2026, 3, 5): (revenue,)})
        privacy = self.env["marketing.privacy"]
        privacy._forget(privacy._find_by_address(message.email_normalized))
        self.campaign.action_refresh_figures()
        self.assertEqual(self.campaign.revenue, revenue)
        # Nothing leads to the order any more; when they clicked is known.
        self.assertEqual(self._get_days("revenue"), {date(2026, 3, 2): (revenue,)})
        self.assertEqual(self._get_days("clicked_count"), {date(2026, 3, 2): (1,)})

    def test_large_ones_are_counted_less_often_while_they_are_sent(self):
        now = fields.Datetime.now()
        self.campaign.write({"state": "running", "ended_at": False, "figures_at": now})
        self.assertTrue(self.campaign._has_old_figures(now))
        self.campaign.message_count = 1_000_000
        self.assertFalse(self.campaign._has_old_figures(now + timedelta(minutes=9)))
        self.assertTrue(self.campaign._has_old_figures(now + timedelta(minutes=10)))
        # When it has ended, at once.
        self.campaign.write({"state": "completed", "ended_at": now})
        self.assertTrue(self.campaign._has_old_figures(now + timedelta(minutes=1)))

    def test_from_the_page_to_its_days_and_back(self):
        self.campaign.action_refresh_figures()
        user = new_test_user(self.env, "ma_days", groups=GROUP_USER)
        action = self.campaign.with_user(user).action_view_days()
        campaign_id = action["context"]["search_default_campaign_id"]
        days = self.env["campaign.daily.stats"].with_user(user)
        found = days.search([("campaign_id", "=", campaign_id)])
        self.assertEqual(found.campaign_id, self.campaign)
        self.assertEqual(found[0].action_open_campaign()["res_id"], self.campaign.id)
        with self.assertRaises(AccessError):
            found[0].write({"sent_count": 7})


@tagged("post_install", "-at_install")
class TestCampaignPageFigures(StatsCase):
    """The page is drawn from what was counted; opening it counts nothing."""

    def test_nothing_is_counted_to_open_it(self):
        self._did(self.messages[0], "click", SENT, url="https://shop.example.com/new")
        self.campaign.action_refresh_figures()
        self._did(self.messages[1], "open", SENT)
        self.env.invalidate_all()
        with patch.object(
            self.env.registry["email.campaign"], "_count_page", side_effect=ValueError
        ):
            [opened, clicked] = self.campaign._get_curve()
            self.assertIn("shop.example.com/new", self.campaign.links_html)
            self.assertIn("example.com", self.campaign.domains_html)
        self.assertEqual((opened["total"], clicked["total"]), (1, 1))
        self.campaign.action_refresh_figures()
        [opened, _clicked] = self.campaign._get_curve()
        self.assertEqual(opened["total"], 2)

    def test_never_counted(self):
        self.campaign.page_figures = False
        [domain] = self.campaign._get_domains()
        self.assertEqual((domain["domain"], domain["sent"]), ("example.com", 6))

    def test_not_started(self):
        draft = self._create_campaign()
        draft.action_refresh_figures()
        self.assertFalse(draft.page_figures)
        self.assertFalse(draft.curve_html)

    def test_small_domains_are_not_named(self):
        self.messages[0].email_normalized = "zoe@zoe-family.example.org"
        self.campaign.action_refresh_figures()
        self.assertEqual(
            [(one["domain"], one["sent"]) for one in self.campaign._get_domains()],
            [("example.com", 5), ("others", 1)],
        )

    def test_what_one_person_followed_is_forgotten_with_them(self):
        own, common = "https://shop.example.com/my/1", "https://shop.example.com/new"
        self._did(self.messages[0], "click", SENT, url=own)
        for message in self.messages[:2]:
            self._did(message, "click", SENT, url=common)
        self.campaign.action_refresh_figures()
        self.assertNotIn(own, str(self.campaign.page_figures))
        links = {link["url"]: link["people"] for link in self.campaign._get_links()}
        self.assertEqual(links, {own: 1, common: 2})
        privacy = self.env["marketing.privacy"]
        privacy._forget(privacy._find_by_address(self.messages[0].email_normalized))
        self.env.invalidate_all()
        links = {link["url"]: link["people"] for link in self.campaign._get_links()}
        self.assertEqual(links, {common: 2})

    def test_click_map_without_whom_it_was_taken_from(self):
        self._did(self.messages[0], "click", SENT, url="https://shop.example.com/new")
        self.env.cr.execute("UPDATE marketing_engagement SET position = 1")
        self.campaign.action_refresh_figures()
        sample = self.campaign.page_figures["clicks"]["message_id"]
        privacy = self.env["marketing.privacy"]
        privacy._forget(
            privacy._find_by_address(
                self.env["marketing.message"].browse(sample).email_normalized
            )
        )
        self.env.invalidate_all()
        self.assertIn("100% · 1", self.campaign.click_map_html)


@tagged("post_install", "-at_install")
class TestDeliverability(StatsCase):
    """How mail domains take what is sent, by the day on which it was."""

    def setUp(self):
        super().setUp()
        self.stats = self.env["email.deliverability.stats"]
        self.now = fields.Datetime.now().replace(hour=12, minute=0, second=0)
        self.messages.sent_at = self.now - timedelta(days=1)
        self.day = self.messages[0].sent_at.date()
        self.env.flush_all()

    def _count(self, at=None):
        with self._at(at or self.now):
            self._run_cron("ir_cron_refresh_figures")
        self.env.invalidate_all()

    def _get_rows(self, *names):
        rows = self.stats.search([("company_id", "=", self.company.id)])
        return {
            (row.day, row.domain): tuple(row[name] for name in names) for row in rows
        }

    def test_everything_that_was_sent(self):
        """Campaigns and sequences; no tests, no sandbox, no text messages."""
        first, second, third, fourth, fifth = self.messages[:5]
        self._becomes(first, "bounced", self.now)
        self._becomes(second, "delivered", self.now)
        self._did(second, "open", self.now, self.now)
        self._did(third, "open", self.now, is_machine=True)
        self._did(third, "complaint", self.now)
        self._did(fourth, "click", self.now)
        fifth.write(
            {
                "attempts": 2,
                "history": [{"state": "queued", "reason": "temporary_failure"}],
            }
        )
        reminder = self._abandon(self._create_customer("Bo", "bo@example.com"))
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        reminder.message_ids.write(
            {"sent_at": self.messages[0].sent_at, "is_sandbox": False}
        )
        others = self._queue_to(self.people[:3], self.template)
        self._run_cron("ir_cron_dispatch")
        others.sent_at = self.messages[0].sent_at
        others[0].write({"priority": 0, "is_sandbox": False})
        others[1].write({"channel": "sms", "is_sandbox": False})
        others[2].is_sandbox = True
        self.env.flush_all()
        self._count()
        self.assertEqual(
            self._get_rows("sent_count", "delivered_count", "deferred_count"),
            {(self.day, "example.com"): (7, 1, 1)},
        )
        self.assertEqual(
            self._get_rows(
                "bounced_count", "complained_count", "opened_count", "clicked_count"
            ),
            {(self.day, "example.com"): (1, 1, 2, 1)},
        )

    def test_small_domains_are_added_up(self):
        self.messages[0].email_normalized = "zoe@zoe-family.example.org"
        self._count()
        self.assertEqual(
            self._get_rows("sent_count"),
            {(self.day, "example.com"): (5,), (self.day, "other"): (1,)},
        )
        self.messages[1].email_normalized = "max@example.org"
        self._count(self.now + timedelta(hours=7))
        self.assertEqual(self._get_rows("sent_count"), {(self.day, "other"): (6,)})

    def test_rate_of_many_is_that_of_their_sums(self):
        self._becomes(self.messages[0], "bounced", self.now)
        self._count()
        [row] = self.stats.search([])
        self.assertAlmostEqual(row.bounce_rate, 100 / 6, places=2)
        self.stats.create(
            {
                "company_id": self.company.id,
                "day": self.day,
                "domain": "large.example.com",
                "sent_count": 994,
                "bounced_count": 9,
                "bounce_rate": 0.9,
            }
        )
        [(rate, opened)] = self.stats._read_group(
            [], aggregates=["bounce_rate:avg", "open_rate:avg"]
        )
        self.assertAlmostEqual(rate, 1.0)
        self.assertEqual(opened, 0)
        [group] = self.stats.formatted_read_group(
            [("day", "=", self.day)], ["day:day"], ["bounce_rate:avg"]
        )
        self.assertAlmostEqual(group["bounce_rate:avg"], 1.0)

    def test_counted_while_it_changes(self):
        """The latest days often, the others now and then, and after a month no more."""
        self._count()
        steps = (
            (timedelta(minutes=5), 0),
            (timedelta(minutes=11), 1),
            (timedelta(days=5, hours=1), 2),
            (timedelta(days=5, hours=2), 2),
            (timedelta(days=5, hours=8), 3),
            (timedelta(days=40), 3),
        )
        for number, (later, seen) in enumerate(steps):
            message = self.messages[number]
            self._did(message, "open", self.now + later - timedelta(seconds=1))
            # Only what was counted shows the openings until then.
            seen_until_then = {0: 0, 1: 2, 2: 3, 3: 5}[seen]
            self._count(self.now + later)
            with self.subTest(later=later):
                self.assertEqual(
                    self._get_rows("opened_count"),
                    {(self.day, "example.com"): (seen_until_then,)},
                )

    def test_after_a_month_it_stays(self):
        """Addresses are erased some day: nothing is counted from them then."""
        self._count()
        self.messages.write({"email_normalized": False, "email": False})
        self._count(self.now + timedelta(days=40))
        self.assertEqual(
            self._get_rows("sent_count"), {(self.day, "example.com"): (6,)}
        )

    def test_forgotten_meanwhile(self):
        self._count()
        self.messages[0].email_normalized = False
        self._count(self.now + timedelta(hours=7))
        self.assertEqual(
            self._get_rows("sent_count"),
            {(self.day, "example.com"): (5,), (self.day, "other"): (1,)},
        )

    def test_days_of_the_company(self):
        self.messages.sent_at = self.now.replace(hour=20) - timedelta(days=1)
        self.env.flush_all()
        self._count()
        self.assertEqual({day for day, _domain in self._get_rows()}, {self.day})
        self.company.partner_id.tz = TOKYO
        self.env.flush_all()
        self._count()
        self.assertEqual(
            self._get_rows("sent_count"),
            {(self.day + timedelta(days=1), "example.com"): (6,)},
        )

    def test_each_company_alone(self):
        company_b, _website = create_other_shop(self)
        self._count()
        manager = new_test_user(
            self.env,
            "ma_b",
            groups=GROUP_MANAGER,
            company_id=company_b.id,
            company_ids=[(6, 0, company_b.ids)],
        )
        self.assertFalse(self.stats.with_user(manager).search([]))
        days = self.env["campaign.daily.stats"].with_user(manager)
        self.assertFalse(days.search([]))

    def test_not_enough_time_for_all(self):
        """What is left is counted the next time, the latest days first."""
        self.messages[:1].sent_at -= timedelta(days=1)
        self.env.flush_all()
        self._count()
        later = self.now + timedelta(hours=7)
        with (
            self._at(later),
            patch.object(
                self.env.registry["ir.cron"], "_commit_progress", return_value=0
            ),
            patch.object(
                self.env.registry["marketing.dispatcher"], "_run_again"
            ) as run_again,
        ):
            self.assertEqual(len(self.stats._find_due()), 2)
            self._run_cron("ir_cron_refresh_figures")
            self.assertEqual(
                self.stats._find_due(),
                [(self.company.id, self.day - timedelta(days=1))],
            )
        run_again.assert_called_with("marketing_automation.ir_cron_refresh_figures")
