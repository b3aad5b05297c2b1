"""What became of the messages of a batch, on disk: it outlives a killed process.

A line is written before a message is begun and another one when its fate is known. The
system has both from then on, also when the process is killed in the very next moment.
Nothing is forced to the disk: when the machine itself goes down, the journal counts
for nothing, which shows in the boot it names.
"""

import contextlib
import json
import logging
import os
import pathlib
import time
import uuid as uuids

try:
    import fcntl
except ImportError:  # Windows: without journals
    fcntl = None

_logger = logging.getLogger(__name__)

SUFFIX = ".journal"
# Of a SendResult, in the order in which it takes them.
RESULT_FIELDS = ("uuid", "status", "ref", "reason", "detail")
# Journals of another boot or machine are of no use to anybody after this.
OUTDATED_SECONDS = 24 * 3600


class Journal:
    """The journal of one process that hands over batches, one after the other.

    Writing never raises. A journal that cannot be written is removed: then whatever was
    claimed counts as begun, as it does without a journal.

    :param pathlib.Path folder: where journals are kept, on this machine
    :param str database: name of the database
    """

    def __init__(self, folder, database):
        self.begun = set()
        self.results = {}
        self._path = self._file = None
        self._head = {"database": database, "boot": get_boot()}
        self._is_claimed = False
        if fcntl and self._head["boot"]:
            self._open(pathlib.Path(folder))

    def _open(self, folder):
        path = folder / f"{uuids.uuid4().hex}{SUFFIX}"
        hidden = path.with_suffix(".new")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(hidden, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            # Held until the process ends, however it does: that is how others know.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(hidden, path)
            self._path = path
        except OSError:
            _logger.warning("No journal can be kept in %s", folder, exc_info=True)
            self._path = hidden
            self._drop()

    # === WRITING ===#

    def claim(self, message_ids, claimed_at, provider_id):
        """Begin a batch. To be called before others can see that it is claimed.

        :param list[int] message_ids: all messages of the batch
        :param str claimed_at: what tells this claim of a message from others
        :param int provider_id: the account
        """
        self.begun.clear()
        self.results.clear()
        self._is_claimed = True
        self._truncate()
        self._write(
            {
                **self._head,
                "messages": message_ids,
                "claimed_at": claimed_at,
                "provider": provider_id,
            }
        )

    def note_begun(self, *keys):
        """Write down which messages are begun now: before the first byte leaves."""
        self.begun.update(keys)
        self._write({"begun": keys})

    def note_result(self, result):
        """Write down what became of a message.

        :param SendResult result: its fields are plain values
        """
        self.results[result.uuid] = result
        self._write({"result": [getattr(result, name) for name in RESULT_FIELDS]})

    def settle(self):
        """All results of the batch are in the database."""
        self._is_claimed = False
        self._truncate()

    def close(self):
        """Remove the journal, or leave it to others where a batch was not settled."""
        if self._file is not None and self._is_claimed:
            os.close(self._file)
            self._file = None
        else:
            self._drop()

    def _truncate(self):
        if self._file is not None:
            try:
                os.ftruncate(self._file, 0)
            except OSError:
                self._drop()

    def _write(self, entry):
        if self._file is None:
            return
        line = json.dumps(entry).encode() + b"\n"
        try:
            if os.write(self._file, line) == len(line):
                return
        except OSError:
            _logger.warning("The journal cannot be written", exc_info=True)
        self._drop()

    def _drop(self):
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._path = None
        if self._file is not None:
            os.close(self._file)
            self._file = None


class LostBatch:
    """What the journal of a process says that has ended in the middle of a batch.

    :ivar list[int] message_ids: all messages of the batch
    :ivar str claimed_at: see :meth:`Journal.claim`
    :ivar int provider_id: the account
    :ivar set[str] begun: keys of messages that were begun
    :ivar dict[str, list] results: what became of them, by key, as far as is known: the
        values of ``RESULT_FIELDS``
    """

    def __init__(self, head, *entries):
        self.message_ids = head["messages"]
        self.claimed_at = head["claimed_at"]
        self.provider_id = head["provider"]
        self.begun = set()
        self.results = {}
        for entry in entries:
            self.begun.update(entry.get("begun", ()))
            if "result" in entry:
                self.results[entry["result"][0]] = entry["result"]


def take_over(folder, database, settle):
    """Settle what processes of this machine left behind that have ended.

    :param pathlib.Path folder: where journals are kept
    :param str database: name of the database
    :param settle: called with each :class:`LostBatch`, returns whether it is settled
        for good; otherwise, and with what it raises, the journal stays
    """
    boot = get_boot()
    if not fcntl or not boot:
        return
    for path in sorted(pathlib.Path(folder).glob(f"*{SUFFIX}")):
        try:
            file = os.open(path, os.O_RDWR)
        except OSError:
            continue  # another one was faster, or it is somebody else's
        with os.fdopen(file, "r+", encoding="utf-8") as lines:
            batch = _take(path, lines, database, boot)
            if batch is None or (batch and settle(batch)):
                path.unlink(missing_ok=True)


def _take(path, file, database, boot):
    """Read the journal of a process that has ended.

    :return: the batch; None for a journal of no use any more, False for one that is to
        be left alone
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lines = [line for line in file if line.endswith("\n")]
        entries = [json.loads(line) for line in lines]
        if not entries:
            return None
        if entries[0]["database"] != database:
            return False
        if entries[0]["boot"] != boot:
            return None if _is_outdated(path) else False
        return LostBatch(*entries)
    except BlockingIOError:
        return False  # its process lives
    except (OSError, ValueError, KeyError, TypeError):
        _logger.warning("The journal %s cannot be read", path, exc_info=True)
        return None if _is_outdated(path) else False


def _is_outdated(path):
    return time.time() - path.stat().st_mtime > OUTDATED_SECONDS


def get_boot():
    """Return what this run of the machine is known by, '' where that cannot be told.

    :rtype: str
    """
    try:
        return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
