"""Workers side by side: real transactions, which commit."""

import threading
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import SkipTest
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tests import BaseCase
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .disposable import get_refusal

TIMEOUT = 20


class WorkersCase(BaseCase):
    """Whoever uses it takes away again what the workers wrote.

    Nothing is run, and not a row is written, on a database that was not made for tests:
    what is committed there would meet what people have put in.
    """

    @classmethod
    def setUpClass(cls):
        cls.registry = Registry(get_db_name())
        with cls.registry.cursor() as cr:
            refusal = get_refusal(cr)
        if refusal:
            raise SkipTest(f"{cls.__name__} was not run. {refusal}")
        super().setUpClass()
        for patcher in (
            # The thread that runs the tests holds this one (`preload_registries`);
            # workers need it to open an environment.
            patch.object(Registry, "_lock", threading.RLock()),
            # Failures to serialize are what this is about; tried again at once.
            patch(
                "odoo.service.model.random",
                SimpleNamespace(uniform=lambda _low, _high: 0.05),
            ),
            mute_logger("odoo.sql_db", "odoo.service.model"),
        ):
            patcher.__enter__()
            cls.addClassCleanup(patcher.__exit__, None, None, None)

    @classmethod
    @contextmanager
    def _worker(cls):
        """Open a transaction of its own, as another process would."""
        with cls.registry.cursor() as cr:
            cr.execute("SET lock_timeout = %s", [f"{TIMEOUT // 2}s"])
            # It holds when the worker begins again; no snapshot was taken for it.
            cr.commit()  # pylint: disable=invalid-commit
            yield api.Environment(cr, SUPERUSER_ID, {})
