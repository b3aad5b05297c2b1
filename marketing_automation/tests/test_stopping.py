import signal
import threading
from unittest.mock import patch

from odoo.service.server import CommonServer
from odoo.tests import tagged
from odoo.tests.common import BaseCase

from ..providers import sendgrid, smtp, twilio
from ..providers.base import NOT_REACHED, OutgoingEmail, OutgoingSms
from ..tools import stopping
from .common import MarketingCase


class Worker:
    """As Odoo's worker processes: a signal says that this is the last round."""

    alive = True

    def handle(self, _signal, _frame):
        self.alive = False


@tagged("post_install", "-at_install")
class TestStopping(BaseCase):
    """The end of a server in the middle of a batch."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(stopping, "_stop", threading.Event()))

    def test_server_asks_before_it_ends(self):
        self.assertIn(stopping.finish, CommonServer._on_stop_funcs)

    def test_a_server_that_ends_begins_nothing(self):
        self.assertFalse(stopping.is_stopping())
        self.assertTrue(stopping.finish())
        self.assertTrue(stopping.is_stopping())

    def test_a_worker_that_was_told_to_end_begins_nothing(self):
        worker = Worker()
        with patch.object(signal, "getsignal", lambda _number: worker.handle):
            self.assertFalse(stopping.is_stopping())
            worker.handle(signal.SIGINT, None)
            self.assertTrue(stopping.is_stopping())

    def test_what_was_begun_is_waited_for(self):
        begun, ended = threading.Event(), threading.Event()

        def work():
            with stopping.unfinished():
                begun.set()
                ended.wait(30)

        thread = threading.Thread(target=work)
        thread.start()
        begun.wait(30)
        self.assertFalse(stopping.finish(seconds=0))
        ended.set()
        self.assertTrue(stopping.finish(seconds=30))
        thread.join()

    def test_no_provider_begins_another_message(self):
        stopping.finish()
        email = OutgoingEmail("1", "a@example.com", "b@example.com", "", "s", "h", "t")
        text = OutgoingSms("1", "+36301234567", "text")
        adapters = (
            (smtp.SmtpProvider(self.fail, self.fail), email),
            (sendgrid.SendGridProvider("SG.a.b"), email),
            (twilio.TwilioProvider("AC1", "token", sender="+36301234567"), text),
        )
        for adapter, message in adapters:
            with self.subTest(type(adapter).__name__):
                [result] = adapter.send([message])
                self.assertEqual((result.status, result.reason), ("retry", NOT_REACHED))


@tagged("post_install", "-at_install")
class TestStoppingDispatcher(MarketingCase):
    def test_nothing_is_claimed(self):
        self.startPatcher(patch.object(stopping, "_stop", threading.Event()))
        self.smtp.action_enable()
        message = self._queue_to(self.customer, self._create_contact_template())
        stopping.finish()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(message.state, "queued")
        self.assertFalse(message.sending_at)
