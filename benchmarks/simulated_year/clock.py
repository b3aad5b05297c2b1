"""Moved time: Odoo, its database cursors and its scheduled work at a chosen moment."""

import contextlib
from datetime import datetime, timezone
from unittest.mock import patch

from freezegun import freeze_time

from odoo.sql_db import Cursor


class Clock:
    """The simulated time, naive and in UTC as everywhere in Odoo.

    Use as a context manager; :meth:`go_to` moves it on.
    """

    def __init__(self, start):
        self.now = start

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self._frozen = self._stack.enter_context(freeze_time(self.now))
        self._stack.enter_context(patch.object(Cursor, "now", lambda _cr: self.now))
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def go_to(self, moment):
        """Let it be later.

        :param datetime moment: naive, UTC; never before :attr:`now`
        """
        if moment > self.now:
            self.now = moment
            self._frozen.move_to(moment.replace(tzinfo=timezone.utc))


def start_of_day(day):
    """Return midnight (UTC) of a date."""
    return datetime(day.year, day.month, day.day)
