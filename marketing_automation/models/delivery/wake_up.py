"""Waking the dispatcher when something is due, instead of up to a minute later.

Odoo runs a scheduled action at once when it is triggered for now, but looks only once
a minute for triggers whose time has come. So a timer in the process that learns of the
due time calls out then. It holds no connection while it waits, and if its process ends
first, the message leaves with the next minute.
"""

import logging
import threading
import time
from datetime import timedelta

from odoo import api, fields, models, sql_db
from odoo.tools import SQL

from odoo.addons.base.models.ir_cron import ODOO_NOTIFY_FUNCTION

from .marketing_message import SOURCE

_logger = logging.getLogger(__name__)

# How far ahead a timer is set: what is due later is met by the run of that minute.
SECONDS_AHEAD = 75
# When free workers are called once more for an action that is to go on.
AGAIN_SECONDS = 0.1
_timers = {}
_timers_lock = threading.Lock()


class MarketingDispatcher(models.AbstractModel):
    _inherit = "marketing.dispatcher"

    @api.model
    def _wake_up(self, at):
        """Have what is due at a time handed over then.

        :param datetime at: naive, UTC
        """
        self._trigger_at("marketing_automation.ir_cron_dispatch", at)

    @api.model
    def _wake_up_next(self):
        """Wake up for the next message that becomes due within a minute."""
        horizon = fields.Datetime.now() + timedelta(seconds=SECONDS_AHEAD)
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT min(lane.next_at)
                     FROM (%s) s
                    CROSS JOIN LATERAL (
                          SELECT scheduled_at AS next_at FROM marketing_message
                           WHERE state = 'queued' AND company_id = s.company_id
                             AND channel = s.channel AND %s = s.source
                             AND scheduled_at > %s AND scheduled_at <= %s
                           ORDER BY scheduled_at LIMIT 1) lane""",
                self.env["marketing.message"]._sql_sources(),
                SQL(SOURCE),
                fields.Datetime.now(),
                horizon,
            )
        )
        if rows[0][0]:
            self._wake_up(rows[0][0])

    @api.model
    def _run_again(self, xml_id):
        """Have a scheduled action go on at once: its turn is over, its work is not.

        To be called last. Odoo would take an action that says that something remains
        for another nine turns, beyond all limits of time, and then put it off until
        the next minute, as it does with one that says that it is done.

        :param str xml_id: the ``ir.cron``, which is running
        """
        self._trigger_at(xml_id, fields.Datetime.now())
        database = self.env.cr.dbname
        # Whoever is called by the commit finds the action still taken by this run, and
        # goes to sleep: one more call when it is over.
        self.env.cr.postcommit.add(
            lambda: _set_timer(database, f"{xml_id} again", AGAIN_SECONDS)
        )
        self.env["ir.cron"]._commit_progress(remaining=0)

    @api.model
    def _trigger_at(self, xml_id, at):
        """Run a scheduled action at a time that may lie some seconds ahead.

        :param str xml_id: the ``ir.cron``
        :param datetime at: naive, UTC; when it is further than a minute ahead, nothing
            is done: the run of that minute meets it
        """
        if at.microsecond:  # Odoo counts whole seconds.
            at = at.replace(microsecond=0) + timedelta(seconds=1)
        cron = self.env.ref(xml_id, raise_if_not_found=False)
        seconds = (at - fields.Datetime.now()).total_seconds()
        if not cron or seconds > SECONDS_AHEAD:
            return
        cron.sudo()._trigger(at=at if seconds > 0 else None)
        if seconds > 0:
            database = self.env.cr.dbname
            self.env.cr.postcommit.add(lambda: _set_timer(database, xml_id, seconds))


def _set_timer(database, key, seconds):
    """Call the scheduler of a database after some seconds; the soonest call stays."""
    with _timers_lock:
        waiting = _timers.get((database, key))
        due = time.monotonic() + seconds
        # One that calls just now is too late for what was planned since.
        if waiting and time.monotonic() < waiting.due <= due:
            return
        if waiting:
            waiting.cancel()
        timer = threading.Timer(seconds + 0.05, _call_scheduler, [database])
        timer.due = due
        timer.daemon = True
        timer.name = f"marketing_automation wake-up {key}"
        _timers[database, key] = timer
        timer.start()


def _call_scheduler(database):
    """Do what ``ir.cron._trigger`` does after a commit: call all cron workers."""
    try:
        with sql_db.db_connect("postgres").cursor() as cr:
            function = SQL.identifier(ODOO_NOTIFY_FUNCTION)
            cr.execute(SQL("SELECT %s('cron_trigger', %s)", function, database))
    except Exception:  # noqa: BLE001 - the run of the next minute meets it
        _logger.info("The scheduler could not be called", exc_info=True)
