"""Where the time of sending goes, by coarse stages."""

import contextlib
import functools
import threading
import time
from unittest.mock import patch

# Stage, and the functions that are it: model or module, and name. None is called by
# another one of them.
MODELS = (
    ("claim", "marketing.dispatcher", "_claim_batch"),
    ("gate", "marketing.message", "_skip_blocked"),
    ("contexts", "marketing.composer", "_prepare_contexts"),
    ("render", "marketing.composer", "_write_emails"),
    ("keep content", "marketing.composer", "_keep"),
    ("results", "marketing.dispatcher", "_write_results"),
)
SMTP = "odoo.addons.marketing_automation.providers.smtp"
FUNCTIONS = (
    ("MIME", f"{SMTP}.compose"),
    ("MIME", f"{SMTP}.to_bytes"),
)
HAND_OVER = ("hand-over", "marketing.dispatcher", "_hand_over")


class Stages(contextlib.nullcontext):
    """Seconds by stage; a stage that runs in several threads counts in each.

    >>> stages = Stages()
    >>> with stages.measured(env):
    ...     send()
    >>> stages.print(seconds)
    """

    def __init__(self):
        super().__init__()
        self._seconds = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def measured(self, env):
        """Measure within the block what is sent in this environment."""
        with contextlib.ExitStack() as stack:
            for stage, model, name in (*MODELS, HAND_OVER):
                model_class = type(env[model])
                method = self._timed(stage, getattr(model_class, name))
                stack.enter_context(patch.object(model_class, name, method))
            for stage, path in FUNCTIONS:
                module, _dot, name = path.rpartition(".")
                function = getattr(__import__(module, fromlist=[name]), name)
                stack.enter_context(patch(path, self._timed(stage, function)))
            yield self

    def print(self, total):
        """Print a table.

        :param float total: seconds of all
        """
        rest = total - sum(
            seconds for stage, seconds in self._seconds.items() if stage != "MIME"
        )
        rows = {**self._seconds, "everything else": rest}
        for stage, seconds in rows.items():
            within = " (within hand-over)" if stage == "MIME" else ""
            print(f"  {stage:16} {seconds:7.2f} s {seconds / total:5.0%}{within}")

    def _timed(self, stage, function):
        @functools.wraps(function)
        def timed(*args, **kwargs):
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._add(stage, time.perf_counter() - start)

        return timed

    def _add(self, stage, seconds):
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0) + seconds
