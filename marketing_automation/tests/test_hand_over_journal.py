import os
import pathlib
import tempfile
import time
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tests.common import BaseCase
from odoo.tools import mute_logger

from ..models.delivery import lost_batches, marketing_dispatcher
from ..providers.base import SendResult
from ..tools import hand_over_journal
from ..tools.hand_over_journal import Journal, take_over
from .common import MarketingCase


class JournalCase(BaseCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def _die(self, journal):
        """Let a process end in the middle of a batch: its locks are gone, what it wrote
        is not."""
        os.close(journal._file)
        journal._file = None

    def _take_over(self, database="db", is_settled=True):
        found = []
        take_over(
            self.folder,
            database,
            lambda batch: not found.append(batch) and is_settled,
        )
        return found


@tagged("post_install", "-at_install")
class TestHandOverJournal(JournalCase):
    """What a killed process had begun."""

    def _begin(self):
        journal = Journal(self.folder / "deep", "db")
        self.folder = self.folder / "deep"
        journal.claim([1, 2, 3], "2026-01-01 10:00:00.000001", 7)
        return journal

    def test_says_what_was_begun_and_what_became_of_it(self):
        journal = self._begin()
        journal.note_begun("a")
        journal.note_result(SendResult("a", "accepted", "ref-a"))
        journal.note_begun("b", "c")
        self._die(journal)
        [batch] = self._take_over()
        self.assertEqual(batch.message_ids, [1, 2, 3])
        self.assertEqual(batch.claimed_at, "2026-01-01 10:00:00.000001")
        self.assertEqual(batch.provider_id, 7)
        self.assertEqual(batch.begun, {"a", "b", "c"})
        self.assertEqual(batch.results, {"a": ["a", "accepted", "ref-a", "", ""]})
        self.assertEqual(self._take_over(), [], "settled once")
        self.assertEqual(os.listdir(self.folder), [])

    def test_living_processes_are_left_alone(self):
        journal = self._begin()
        journal.note_begun("a")
        self.assertEqual(self._take_over(), [])
        journal.settle()
        journal.close()
        self.assertEqual(os.listdir(self.folder), [])

    def test_line_that_was_not_finished_counts_for_nothing(self):
        journal = self._begin()
        journal.note_begun("a")
        os.write(journal._file, b'{"begun": ["b"]')
        self._die(journal)
        [batch] = self._take_over()
        self.assertEqual(batch.begun, {"a"})

    def test_claim_that_was_not_written_has_no_batch(self):
        journal = Journal(self.folder, "db")
        self._die(journal)
        self.assertEqual(self._take_over(), [])
        self.assertEqual(os.listdir(self.folder), [])

    def test_other_databases_are_none_of_ours(self):
        self._die(self._begin())
        self.assertEqual(self._take_over("other"), [])
        self.assertEqual(len(self._take_over("db")), 1)

    def test_after_the_machine_went_down_nothing_is_believed(self):
        self._die(self._begin())
        with patch.object(hand_over_journal, "get_boot", lambda: "another"):
            self.assertEqual(self._take_over(), [])
            self.assertEqual(len(os.listdir(self.folder)), 1)
            [path] = self.folder.iterdir()
            long_ago = time.time() - hand_over_journal.OUTDATED_SECONDS - 1
            os.utime(path, (long_ago, long_ago))
            self.assertEqual(self._take_over(), [])
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_could_not_be_settled_is_kept(self):
        self._die(self._begin())
        self.assertEqual(len(self._take_over(is_settled=False)), 1)
        self.assertEqual(len(self._take_over()), 1)

    def test_batch_that_was_not_settled_is_left_when_closed(self):
        journal = self._begin()
        journal.note_begun("a")
        journal.close()
        [batch] = self._take_over()
        self.assertEqual(batch.begun, {"a"})

    def test_journal_that_cannot_be_written_is_no_evidence(self):
        journal = self._begin()
        with (
            patch.object(os, "write", side_effect=OSError("disk full")),
            mute_logger(hand_over_journal.__name__),
        ):
            journal.note_begun("a")
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(journal.begun, {"a"}, "this process knows it all the same")
        journal.note_result(SendResult("a", "accepted"))
        journal.close()

    def test_half_a_line_is_no_evidence(self):
        journal = self._begin()
        with patch.object(os, "write", return_value=3):
            journal.note_begun("a")
        self.assertEqual(os.listdir(self.folder), [])

    def test_folder_that_cannot_be_written(self):
        file = self.folder / "file"
        file.touch()
        with mute_logger(hand_over_journal.__name__):
            journal = Journal(file, "db")
        journal.claim([1], "now", 1)
        journal.note_begun("a")
        journal.settle()
        journal.close()

    def test_broken_journal_holds_up_no_other(self):
        journal = self._begin()
        journal.note_begun("a")
        self._die(journal)
        (self.folder / "0.journal").write_text('{"database": "db"}\nno json\n')
        with mute_logger(hand_over_journal.__name__):
            self.assertEqual(len(self._take_over()), 1)


@tagged("post_install", "-at_install")
class TestLostBatch(MarketingCase, JournalCase):
    """Messages of a process that was killed."""

    def setUp(self):
        super().setUp()
        people = self.env["res.partner"].create(
            [{"name": "Anna", "email": f"lost{n}@example.com"} for n in range(4)]
        )
        self.smtp.action_enable()
        self.messages = self._queue_to(people, self._create_contact_template())
        for module in (marketing_dispatcher, lost_batches):
            self.startPatcher(
                patch.object(module, "get_journal_folder", lambda: self.folder)
            )

    def _claim(self):
        """Claim all of them, as a process does that is killed afterwards."""
        adapters = marketing_dispatcher.Adapters(self.env.cr.dbname)
        self.env["marketing.dispatcher"]._claim_batch(None, adapters)
        self.assertEqual(self.messages.mapped("state"), ["sending"] * 4)
        return adapters.journal

    def _recover(self):
        with (
            self.enter_registry_test_mode(),
            mute_logger(lost_batches.__name__),
            self.env.registry.cursor() as cr,
        ):
            self.env["marketing.dispatcher"].with_env(self.env(cr=cr))._take_over_lost()
        self.env.invalidate_all()

    def test_only_what_was_begun_is_uncertain(self):
        journal = self._claim()
        done, refused, begun, _left = (m._get_key() for m in self.messages)
        journal.note_begun(done)
        journal.note_result(SendResult(done, "accepted", "ref"))
        journal.note_begun(refused)
        journal.note_result(
            SendResult(refused, "rejected", "", "recipient_refused", "550")
        )
        journal.note_begun(begun)
        self._die(journal)
        self._recover()
        self.assertEqual(
            self.messages.mapped("state"), ["sent", "failed", "uncertain", "queued"]
        )
        self.assertEqual(self.messages[2].reason, "worker_lost")
        self.assertEqual(self.messages[0].message_ref, "ref")
        self.assertEqual(self.messages[3].attempts, 0)
        self.assertEqual(self.smtp.today_count, 3)

    def test_killed_before_anything_was_begun(self):
        self._die(self._claim())
        self._recover()
        self.assertEqual(self.messages.mapped("state"), ["queued"] * 4)
        self.assertEqual(self.smtp.today_count, 0)

    def test_what_was_decided_since_stays(self):
        journal = self._claim()
        settled, again, *_rest = self.messages
        settled._set_state("uncertain", "worker_lost")
        # Claimed once more by another process, which is sending it now.
        again._set_state("queued")
        self.env["marketing.message"]._claim(1, self.company, "email")
        self.assertEqual(again.state, "sending")
        self._die(journal)
        self._recover()
        self.assertEqual(
            self.messages.mapped("state"), ["uncertain", "sending", "queued", "queued"]
        )

    def test_without_a_journal_all_of_it_is_uncertain_after_a_while(self):
        journal = self._claim()
        journal.settle()
        journal.close()
        self._recover()
        self.assertEqual(self.messages.mapped("state"), ["sending"] * 4)
        self.env["marketing.message"]._settle_lost(-1)
        self.assertEqual(self.messages.mapped("state"), ["uncertain"] * 4)
        self.assertEqual(set(self.messages.mapped("reason")), {"worker_lost"})
