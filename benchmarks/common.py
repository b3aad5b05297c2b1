"""What the benchmarks share: a database to work in, a clock, and a memory gauge."""

import contextlib
import logging
import resource
import threading
import time


@contextlib.contextmanager
def environment(database):
    """Open an Odoo environment of OdooBot on a database, without a server.

    :param str database: name of a database with the addon installed
    """
    import odoo.cli  # noqa: F401 - loads the addons paths
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(["-d", database, "--log-level", "error"])
    logging.getLogger("odoo").setLevel(logging.ERROR)
    with Registry(database).cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})


def resident_megabytes():
    """Return the resident size of this process now, in MB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 2**20


class Measure:
    """Times a job and watches the largest resident size while it runs.

    Use as a context manager; then ``seconds`` and ``megabytes``.
    """

    def __enter__(self):
        self.megabytes = resident_megabytes()
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_exc_info):
        self.seconds = time.perf_counter() - self._start
        self._stop.set()
        self._watcher.join()

    def _watch(self):
        while not self._stop.wait(0.02):
            self.megabytes = max(self.megabytes, resident_megabytes())
