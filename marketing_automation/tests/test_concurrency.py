import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from unittest import SkipTest
from unittest.mock import patch

from psycopg2 import InterfaceError, OperationalError
from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.delivery import lost_batches
from ..providers.base import SendResult
from .workers import TIMEOUT, WorkersCase

LOST = lost_batches.__name__


class Killed(BaseException):
    """The process of a worker ends here: nothing catches it, nothing is written."""


class Inbox:
    """A provider that remembers what it was handed, and may do something meanwhile."""

    def __init__(self, meanwhile=None):
        self.received = []
        self.meanwhile = meanwhile

    def send(self, batch, deadline=None):
        for email in batch:
            self.received.append(email.uuid)
        if self.meanwhile:
            self.meanwhile()
        return [SendResult(email.uuid, "accepted") for email in batch]

    def close(self):
        pass


@tagged("post_install", "-at_install")
class TestConcurrency(WorkersCase):
    """What workers do to carts and messages at once.

    Everything they write is taken away again, and the whole database is compared with
    what it was. Where one of the tables that are emptied holds something, nothing is
    done.
    """

    # What tests leave in them goes all at once, in this order.
    EMPTIED = (
        "abandoned_cart",
        "marketing_message",
        "marketing_content",
        "marketing_provider_usage",
        "marketing_preference",
        "marketing_consent_log",
        # Notes of days whose figures changed: nothing is left of those days.
        "marketing_daily_change",
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls._worker() as env:
            for table in cls.EMPTIED:
                env.cr.execute(f"SELECT 1 FROM {table} LIMIT 1")
                if env.cr.fetchone():
                    raise SkipTest(f"{table} would be emptied, and holds something")
        cls.addClassCleanup(cls._assert_no_residue, cls._get_fingerprint())
        cls._set_policy("soft_opt_in")
        cls.addClassCleanup(cls._set_policy, "opt_in")

    @classmethod
    def _set_policy(cls, policy):
        with cls._worker() as env:
            env.cr.execute("UPDATE res_company SET consent_policy = %s", [policy])

    @classmethod
    def _get_fingerprint(cls):
        """Return number of rows and checksum of every table."""
        with cls._worker() as env:
            env.cr.execute(
                """SELECT c.relname FROM pg_class c
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.relkind = 'r' AND n.nspname = current_schema
                    ORDER BY c.relname"""
            )
            rows = {}
            for (table,) in env.cr.fetchall():
                env.cr.execute(
                    SQL(
                        """SELECT count(*), sum(hashtextextended(t::text, 0))
                             FROM %s t""",
                        SQL.identifier(table),
                    )
                )
                rows[table] = env.cr.fetchone()
            return rows

    @classmethod
    def _assert_no_residue(cls, before):
        after = cls._get_fingerprint()
        changed = {
            table: (before.get(table), after.get(table))
            for table in before.keys() | after.keys()
            if before.get(table) != after.get(table)
            # Caches are told of changes; providers keep when they were last written.
            and not table.startswith("orm_signaling")
            and table != "marketing_provider"
        }
        if changed:
            raise AssertionError(f"left in the database: {changed}")

    def setUp(self):
        super().setUp()
        self.inbox = Inbox()
        with self._worker() as env:
            self.website_id = env["website"].search([], limit=1).id
            env.cr.execute("SELECT id FROM ir_cron_trigger")
            triggers = [trigger_id for (trigger_id,) in env.cr.fetchall()]
            self.marks = self._get_high_marks(env)
            env.cr.execute("SELECT id FROM mail_blacklist")
            blacklist = [entry_id for (entry_id,) in env.cr.fetchall()]
            # Carts of demo data wait until this is over.
            env.cr.execute(
                """SELECT id, cart_activity_at FROM sale_order
                    WHERE cart_activity_at IS NOT NULL"""
            )
            active = env.cr.fetchall()
            env.cr.execute("UPDATE sale_order SET cart_activity_at = NULL")
            env.cr.execute(
                "SELECT cart_recovery_enabled, cart_idle_minutes FROM website "
                "WHERE id = %s",
                [self.website_id],
            )
            settings = env.cr.fetchone()
            env.cr.execute(
                "UPDATE website SET cart_recovery_enabled = TRUE, "
                "cart_idle_minutes = 30 WHERE id = %s",
                [self.website_id],
            )
        self.created = {}
        self.addCleanup(self._clean_up, active, triggers, blacklist, settings)
        with self._worker() as env:
            product = env["product.product"].create(
                {
                    "name": "Mug",
                    "list_price": 20.0,
                    "sale_ok": True,
                    "is_published": True,
                    "taxes_id": False,
                }
            )
            env.cr.commit()
            self.created["product.template"] = product.product_tmpl_id.ids
            self.product_id = product.id

    def _clean_up(self, active, triggers, blacklist, settings):
        with self._worker() as env:
            # Only who owns the table can do this, and nobody in Odoo does.
            log = "ALTER TABLE marketing_consent_log %s TRIGGER keep_rows"
            env.cr.execute(log % "DISABLE")
            for table in self.EMPTIED:
                env.cr.execute(f"DELETE FROM {table}")
            env.cr.execute(log % "ENABLE")
            env.invalidate_all()
            env["mail.blacklist"].search([("id", "not in", blacklist)]).unlink()
            for model in ("sale.order", "res.partner", "product.template"):
                env[model].browse(self.created.get(model, [])).unlink()
            env.flush_all()
            # What Odoo notes on the side: messages about new records, their values.
            for table, last_id in self.marks.items():
                env.cr.execute(f"DELETE FROM {table} WHERE id > %s", [last_id])
            env.cr.execute(
                "DELETE FROM ir_cron_trigger WHERE id != ALL(%s)", [triggers]
            )
            for order_id, at in active:
                env.cr.execute(
                    "UPDATE sale_order SET cart_activity_at = %s WHERE id = %s",
                    [at, order_id],
                )
            env.cr.execute(
                "UPDATE website SET cart_recovery_enabled = %s, "
                "cart_idle_minutes = %s WHERE id = %s",
                [*settings, self.website_id],
            )
            env.cr.execute(
                "UPDATE marketing_provider SET last_error = NULL, errors_in_a_row = 0, "
                "failing_since = NULL, rest_until = NULL "
                "WHERE last_error = 'both at once'"
            )

    def _get_high_marks(self, env):
        marks = {}
        for table in ("mail_message", "product_value", "marketing_metrics_task"):
            env.cr.execute("SELECT to_regclass(%s)", [table])
            if env.cr.fetchone()[0]:
                env.cr.execute(f"SELECT COALESCE(max(id), 0) FROM {table}")
                marks[table] = env.cr.fetchone()[0]
        return marks

    # === FACTORIES ===#

    def _create_carts(self, count, persons=None):
        """Create and commit carts that were left two hours ago.

        :param int count: number of carts
        :param int persons: number of people, each with ``count / persons`` carts
        """
        with self._worker() as env:
            partners = env["res.partner"].create(
                [
                    {"name": f"P{n}", "email": f"p{n}@concurrency.example.com"}
                    for n in range(persons or count)
                ]
            )
            orders = env["sale.order"].create(
                [
                    {
                        "partner_id": partners[n % len(partners)].id,
                        "website_id": self.website_id,
                        "company_id": env["website"]
                        .browse(self.website_id)
                        .company_id.id,
                        "order_line": [(0, 0, {"product_id": self.product_id})],
                        "cart_activity_at": fields.Datetime.now() - timedelta(hours=2),
                    }
                    for n in range(count)
                ]
            )
            env.cr.commit()
            self.created["sale.order"] = orders.ids
            self.created["res.partner"] = partners.ids
        return orders.ids

    def _enroll(self, count):
        """Create carts whose first message is due."""
        self._create_carts(count)
        with self._worker() as env:
            env["abandoned.cart"]._detect_all()

    def _queue(self, count):
        """Create carts whose first message waits in the outbox."""
        self._enroll(count)
        with self._worker() as env:
            env["marketing.enrollment"]._process_due_batch()
        self.assertEqual(self._count("marketing_message", "state = 'queued'"), count)

    # === HELPERS ===#

    def _count(self, table, condition="TRUE"):
        with self._worker() as env:
            env.cr.execute(f"SELECT count(*) FROM {table} WHERE {condition}")
            return env.cr.fetchone()[0]

    def _column(self, query):
        with self._worker() as env:
            env.cr.execute(query)
            return [value for (value,) in env.cr.fetchall()]

    def _start(self, function):
        """Call ``function(env)`` in a transaction and thread of its own.

        :return: a function that waits for the end; it returns or raises the outcome
        """
        outcome = {}

        def run():
            try:
                with self._worker() as env:
                    outcome["result"] = function(env)
            except BaseException as error:  # noqa: BLE001 - raised by `wait`
                outcome["error"] = error

        thread = threading.Thread(target=run)
        thread.start()

        def wait():
            thread.join(TIMEOUT)
            self.assertFalse(thread.is_alive(), "a worker hangs")
            if "error" in outcome:
                raise outcome["error"]
            return outcome["result"]

        return wait

    def _side_by_side(self, function, workers=3):
        """Let several workers do the same at the same moment.

        :return: what each returned; raises if one of them failed
        :rtype: list
        """
        barrier = threading.Barrier(workers)

        def run(env):
            barrier.wait(TIMEOUT)
            return function(env)

        waits = [self._start(run) for _n in range(workers)]
        return [wait() for wait in waits]

    def _meanwhile(self, function):
        """Let another worker do something, and commit it, before going on."""
        return self._start(function)()

    @contextmanager
    def _delivering(self, inbox=None):
        """Deliver into ``inbox`` instead of a real provider."""
        inbox = inbox or self.inbox
        with patch.object(
            self.registry["marketing.provider"], "_get_adapter", lambda _self: inbox
        ):
            yield inbox

    def _dispatch(self):
        with self._worker() as env:
            env["marketing.dispatcher"]._cron_dispatch()

    # === DETECTION ===#

    def test_detection_skips_what_another_worker_holds(self):
        orders = self._create_carts(6)
        with self._worker() as first, self._worker() as second:
            self.assertEqual(first["abandoned.cart"]._detect_batch(4), 4)
            self.assertEqual(second["abandoned.cart"]._detect_batch(10), 2)
            first.cr.commit()
            second.cr.commit()
            self.assertEqual(second["abandoned.cart"]._detect_batch(10), 0)
        self.assertCountEqual(
            self._column("SELECT order_id FROM abandoned_cart"), orders
        )

    def test_detection_side_by_side(self):
        """Three workers, forty carts of ten people: nothing twice, nobody twice."""
        orders = self._create_carts(40, persons=10)
        self._side_by_side(lambda env: env["abandoned.cart"]._cron_detect())
        self.assertCountEqual(
            self._column("SELECT order_id FROM abandoned_cart"), orders
        )
        self.assertEqual(
            self._count("abandoned_cart", "jsonb_array_length(lines) = 1"), 40
        )
        self.assertEqual(self._count("marketing_enrollment"), 10)

    def test_detection_by_a_scheduled_action_and_a_button(self):
        """A customer moves at that moment: the cart is left alone, nothing fails."""
        orders = self._create_carts(3)
        with self._worker() as env:
            lock = type(env["abandoned.cart"])._lock_idle_orders

            def lock_late(records, limit, since):
                env.cr.execute("SELECT 1 FROM sale_order LIMIT 1")  # takes the snapshot
                if not hasattr(self, "moved"):
                    self.moved = True
                    self._meanwhile(
                        lambda other: (
                            other["sale.order"].browse(orders[0])._stamp_cart_activity()
                        )
                    )
                return lock(records, limit, since)

            with patch.object(
                type(env["abandoned.cart"]), "_lock_idle_orders", lock_late
            ):
                env["abandoned.cart"]._cron_detect()
        self.assertCountEqual(
            self._column("SELECT order_id FROM abandoned_cart"), orders[1:]
        )

    def test_unique_index_holds_when_both_insert(self):
        """Should the locks ever fail, the index does not."""
        [order_id] = self._create_carts(1)

        def insert(env):
            carts = env["abandoned.cart"]
            return env.execute_query(carts._sql_recorded(carts._sql_facts([order_id])))

        with self._worker() as first, self._worker() as second:
            second.cr.execute("SELECT count(*) FROM abandoned_cart")
            self.assertEqual(len(insert(first)), 1)
            first.cr.commit()
            with self.assertRaises(SerializationFailure):
                insert(second)
            second.cr.rollback()
            self.assertEqual(insert(second), [])
        # And while the first one is still at it.
        with self._worker() as first:
            first.cr.execute("DELETE FROM abandoned_cart")
            first.cr.commit()
            self.assertEqual(len(insert(first)), 1)
            wait = self._start(lambda env: retrying(lambda: insert(env), env))
            first.cr.commit()
            self.assertEqual(wait(), [])
        self.assertEqual(self._count("abandoned_cart"), 1)

    # === ENROLMENT ===#

    def test_one_running_enrollment_per_person(self):
        """Two carts of one person, found by two workers at the same time."""
        self._create_carts(2, persons=1)
        with self._worker() as env:
            env["abandoned.cart"]._detect_batch()
        with self._worker() as first:
            self.assertEqual(first["marketing.enrollment"]._enroll_abandoned(), 1)
            wait = self._start(
                lambda env: retrying(env["marketing.enrollment"]._enroll_abandoned, env)
            )
            first.cr.commit()
            self.assertEqual(wait(), 0)
        self.assertEqual(self._count("marketing_enrollment"), 1)

    def test_enrolment_of_many_side_by_side(self):
        self._create_carts(30, persons=15)
        with self._worker() as env:
            env["abandoned.cart"]._detect_batch()
        started = self._side_by_side(
            lambda env: retrying(env["marketing.enrollment"]._enroll_abandoned, env)
        )
        self.assertEqual(sum(started), 15)
        self.assertEqual(self._count("marketing_enrollment"), 15)

    # === STEPS ===#

    def test_steps_skip_what_another_worker_holds(self):
        self._enroll(3)
        with self._worker() as first, self._worker() as second:
            self.assertEqual(first["marketing.enrollment"]._process_due_batch(2), 2)
            self.assertEqual(second["marketing.enrollment"]._process_due_batch(10), 1)
        self.assertEqual(self._count("marketing_message"), 3)

    def test_steps_side_by_side(self):
        self._enroll(20)
        self._side_by_side(lambda env: env["marketing.enrollment"]._cron_process_due())
        self.assertEqual(self._count("marketing_message"), 20)
        self.assertEqual(
            len(set(self._column("SELECT enrollment_id FROM marketing_message"))), 20
        )

    def test_step_of_a_customer_who_comes_back_at_that_moment(self):
        self._enroll(2)
        [cart_id, _other_id] = self._column("SELECT id FROM abandoned_cart ORDER BY id")
        with self._worker() as env:
            runs = type(env["marketing.enrollment"])
            lock = runs._lock_due
            calls = []

            def back_and_lock(records, limit):
                calls.append(limit)
                if len(calls) == 1:
                    env.cr.execute("SELECT 1 FROM marketing_enrollment")
                    self._meanwhile(
                        lambda other: (
                            other["abandoned.cart"]
                            .browse(cart_id)
                            ._on_customer_activity()
                        )
                    )
                return lock(records, limit)

            with patch.object(runs, "_lock_due", back_and_lock):
                env["marketing.enrollment"]._cron_process_due()
        self.assertEqual(
            self._count("marketing_message", f"abandoned_cart_id = {cart_id}"), 0
        )
        self.assertEqual(self._count("marketing_message", "state = 'queued'"), 1)
        self.assertEqual(self._count("marketing_enrollment", "state = 'paused'"), 1)

    # === THE DISPATCHER ===#

    def test_no_message_is_claimed_twice(self):
        self._queue(6)
        with self._worker() as first, self._worker() as second:
            mine = self._claim(first, 4)
            theirs = self._claim(second, 10)
            self.assertEqual((len(mine), len(theirs)), (4, 2))
            self.assertFalse(set(mine.ids) & set(theirs.ids))

    def test_a_late_worker_claims_nothing_of_what_it_still_sees(self):
        """Its snapshot says queued; the truth is that somebody is sending it."""
        self._queue(2)
        with self._worker() as late:
            self.assertEqual(
                late["marketing.message"].search_count([("state", "=", "queued")]), 2
            )
            self._meanwhile(lambda env: len(self._claim(env, 10)))
            with self.assertRaises(SerializationFailure):
                self._claim(late, 10)
            late.cr.rollback()
            self.assertFalse(self._claim(late, 10))

    def _claim(self, env, limit):
        return env["marketing.message"]._claim(limit, env.company, "email")

    def test_dispatchers_side_by_side(self):
        self._queue(30)
        with (
            self._delivering() as inbox,
            patch(
                "odoo.addons.marketing_automation.models.delivery"
                ".marketing_dispatcher.BATCH_SIZE",
                4,
            ),
        ):
            self._side_by_side(lambda env: self._dispatch_all(env, 4))
        self.assertEqual(len(inbox.received), 30)
        self.assertEqual(len(set(inbox.received)), 30)
        self.assertEqual(self._count("marketing_message", "state = 'sent'"), 30)

    def _dispatch_all(self, env, limit):
        while env["marketing.dispatcher"]._dispatch_batch(limit):
            pass

    def test_worker_dies_while_handing_over(self):
        def die():
            raise Killed

        self._assert_never_sent_again(lambda: self._delivering(Inbox(meanwhile=die)))

    def test_worker_dies_before_handing_over(self):
        """Nothing of it was begun: others send it, once."""

        def die(*_args):
            raise Killed

        self._queue(2)
        with (
            self._delivering(),
            patch.object(self.registry["marketing.dispatcher"], "_prepare", die),
            suppress(Killed),
        ):
            self._dispatch()
        self.assertEqual(self._count("marketing_message", "state = 'sending'"), 2)
        with self._delivering(Inbox()) as later, mute_logger(LOST):
            self._dispatch()
            self._dispatch()
        self.assertEqual(len(later.received), 2)
        self.assertEqual(self._count("marketing_message", "state = 'sent'"), 2)

    def test_worker_dies_before_writing_the_results(self):
        def die(*_args):
            raise Killed

        self._assert_never_sent_again(
            lambda: patch.object(
                self.registry["marketing.dispatcher"], "_write_results", die
            )
        )

    def _assert_never_sent_again(self, death):
        self._queue(2)
        with self._delivering(), death(), suppress(Killed):
            self._dispatch()
        self.assertEqual(self._count("marketing_message", "state = 'sending'"), 2)
        with self._delivering(Inbox()) as later, mute_logger(LOST):
            self._dispatch()
            self.assertEqual(
                self._count(
                    "marketing_message",
                    "state = 'uncertain' AND reason = 'worker_lost'",
                ),
                2,
            )
            self._dispatch()
        self.assertEqual(later.received, [])

    def test_the_recipient_reacts_before_the_result_is_written(self):
        """A click, the way back into the shop and an unsubscription, all at once."""
        self._queue(2)
        [message_id, _other] = self._column(
            "SELECT id FROM marketing_message ORDER BY id"
        )

        def react(env):
            message = env["marketing.message"].browse(message_id)
            env["marketing.engagement"]._record(message.token, "click")
            message.abandoned_cart_id.order_id._stamp_cart_activity()
            message._unsubscribe("test")

        inbox = Inbox(meanwhile=lambda: self._meanwhile(react))
        with self._delivering(inbox):
            self._dispatch()
        self.assertEqual(len(inbox.received), 2)
        self.assertEqual(self._count("marketing_message", "state = 'sent'"), 2)
        self.assertEqual(self._count("marketing_engagement"), 2)
        self.assertEqual(
            self._count("marketing_enrollment", "stop_reason = 'opted_out'"), 1
        )

    def test_results_are_written_although_somebody_writes_the_same_rows(self):
        """What was sent must never be forgotten: the write is tried again."""
        self._queue(2)

        def disturb(env):
            env.cr.execute(
                "UPDATE marketing_message SET write_date = now() AT TIME ZONE 'UTC'"
            )

        with (
            self._delivering(),
            self._disturbed("marketing.dispatcher", "_write_results", disturb) as calls,
        ):
            self._dispatch()
        self.assertEqual(len(calls), 2, "the first try has met the other one")
        self.assertEqual(len(self.inbox.received), 2)
        self.assertEqual(self._count("marketing_message", "state = 'sent'"), 2)

    def test_results_are_kept_when_the_connection_to_the_database_is_lost(self):
        """The provider has said what became of each; it says so only once."""
        self._queue(2)
        with suppress(InterfaceError, OperationalError), self._worker() as env:
            env.cr.execute("SELECT pg_backend_pid()")
            [backend] = env.cr.fetchone()
            env.cr.commit()

            def cut(other):
                other.cr.execute("SELECT pg_terminate_backend(%s)", [backend])

            inbox = Inbox(meanwhile=lambda: self._meanwhile(cut))
            with self._delivering(inbox):
                env["marketing.dispatcher"]._cron_dispatch()
        self.assertEqual(len(inbox.received), 2)
        self.assertEqual(self._count("marketing_message", "state = 'sent'"), 2)

    def test_account_error_that_two_workers_notice(self):
        self._queue(2)

        def notice(env):
            env["marketing.provider"].search([]).last_error = "both at once"

        class Offline(Inbox):
            def send(self, batch, deadline=None):
                return [
                    SendResult(
                        email.uuid, "retry", "", "connect_failed", "both at once"
                    )
                    for email in batch
                ]

        with (
            self._delivering(Offline()),
            self._disturbed("marketing.dispatcher", "_write_results", notice),
        ):
            self._dispatch()
        self.assertEqual(
            self._count(
                "marketing_message", "state = 'queued' AND reason = 'connect_failed'"
            ),
            2,
        )

    def test_customer_comes_back_while_messages_are_prepared(self):
        """Nothing has left yet: nothing may get stuck, and nobody in the shop now
        is written to."""
        self._queue(2)
        [cart_id, _other_id] = self._column("SELECT id FROM abandoned_cart ORDER BY id")

        def come_back(env):
            cart = env["abandoned.cart"].browse(cart_id)
            cart.order_id.order_line.unlink()
            cart._on_customer_activity()

        with (
            self._delivering(),
            self._disturbed("marketing.dispatcher", "_prepare", come_back),
        ):
            self._dispatch()
        self.assertEqual(self._count("marketing_message", "state = 'sending'"), 0)
        self.assertEqual(
            self._count(
                "marketing_message",
                f"state = 'sent' AND abandoned_cart_id != {cart_id}",
            ),
            1,
        )

    @contextmanager
    def _disturbed(self, model, method, disturb):
        """Another transaction commits between a method's snapshot and its writes.

        :return: the calls of the method so far
        """
        cls = self.registry[model]
        original = getattr(cls, method)
        calls = []

        def disturbed(records, *args):
            calls.append(args)
            records.env.cr.execute("SELECT count(*) FROM marketing_message")
            if len(calls) == 1:
                self._meanwhile(disturb)
            return original(records, *args)

        with patch.object(cls, method, disturbed):
            yield calls
