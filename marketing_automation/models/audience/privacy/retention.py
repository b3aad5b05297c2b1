"""Nothing is kept for longer than the company wants: a scheduled action, once a day."""

import logging
from datetime import timedelta
from functools import partial

from psycopg2 import InterfaceError

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from .registry import Person

_logger = logging.getLogger(__name__)

BATCH_SIZE = 5000


class MarketingPrivacy(models.AbstractModel):
    _inherit = "marketing.privacy"

    @api.model
    def _cron_enforce_periods(self):
        """Erase what was kept long enough, in batches that are committed one by one.

        Several workers may do so at once: rows that another one holds are left to it.
        """
        cron = self.env["ir.cron"]
        # How much there is would cost as much to count as to do.
        cron._commit_progress(remaining=1)
        for batch in self._get_batches():
            while count := self._try_batch(batch):
                if not cron._commit_progress(count, remaining=1):
                    return self.env["marketing.dispatcher"]._run_again(
                        "marketing_automation.ir_cron_enforce_periods"
                    )
        cron._commit_progress(remaining=0)

    @api.model
    def _try_batch(self, batch):
        """Do a batch; where it fails, the other tables do not wait for it.

        :return: what it returned, 0 when it failed
        :rtype: int
        """
        try:
            return retrying(batch, self.env)
        except InterfaceError:
            raise  # There is no database to go on with.
        except Exception:
            self.env.cr.rollback()
            self.env.transaction.reset()
            _logger.exception("What was kept long enough could not be erased")
            return 0

    @api.model
    def _get_batches(self):
        """Return what is to be done, each as a function of a batch that says how many
        rows it was about.

        :rtype: list
        """
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        return [
            *(
                partial(self._enforce_period, stored, company)
                for stored in self._get_stored()
                if stored.period
                for company in companies.search([(stored.period.setting, ">", 0)])
            ),
            *(
                partial(self._delete_visits, company)
                for company in companies.search([("visit_kept_days", ">", 0)])
            ),
            self.env["marketing.content"]._delete_old,
        ]

    @api.model
    def _enforce_period(self, stored, company, limit=BATCH_SIZE):
        """Erase rows of one table that a company has kept long enough.

        :param Stored stored: line of the registry, with a period
        :param res.company company: whose rows
        :param int limit: number of rows
        :return: how many there were; 0 when nothing is left
        :rtype: int
        """
        self.env.flush_all()
        period = stored.period
        table = SQL.identifier(self.env[stored.model]._table)
        ids = self._fetch_column(
            SQL(
                """SELECT t.id FROM %(table)s t
                    WHERE %(company)s = %(company_id)s AND %(since)s < %(before)s
                      AND %(done)s
                    -- In the order of the index: otherwise the whole table is read.
                    ORDER BY %(since)s
                    LIMIT %(limit)s FOR NO KEY UPDATE OF t SKIP LOCKED""",
                table=table,
                company=stored.company,
                company_id=company.id,
                since=period.since,
                before=_days_ago(company[period.setting]),
                done=period.done,
                limit=limit,
            )
        )
        if ids:
            self._erase_old(stored, ids)
            self.env.invalidate_all(flush=False)
        return len(ids)

    @api.model
    def _erase_old(self, stored, ids):
        """Do with rows what their period says, and with what hangs on them."""
        period, which = stored.period, SQL("t.id = ANY(%s)", ids)
        table = SQL.identifier(self.env[stored.model]._table)
        if period.cleared:
            self._clear(table, period.cleared, which)
        elif stored.model == "marketing.message":
            self._erase_rows(Person(message_ids=tuple(ids)))
        elif stored.model == "abandoned.cart":
            self._erase_rows(Person(cart_ids=tuple(ids)))
        else:
            self._erase_stored(stored, which)

    @api.model
    def _delete_visits(self, company, limit=BATCH_SIZE):
        """Delete what customers with an account looked at long ago. Odoo deletes the
        visits of strangers itself, 60 days after the last one.

        :param res.company company: of whose website
        :param int limit: number of pages
        :return: how many there were; 0 when nothing is left
        :rtype: int
        """
        rows = self.env.execute_query(
            SQL(
                """DELETE FROM website_track
                    WHERE id IN (
                          SELECT t.id
                            FROM website_track t
                            JOIN website_visitor v ON v.id = t.visitor_id
                            JOIN website w ON w.id = v.website_id
                           WHERE w.company_id = %s AND t.visit_datetime < %s
                             AND v.partner_id IS NOT NULL
                           LIMIT %s FOR UPDATE OF t SKIP LOCKED)
                RETURNING id""",
                company.id,
                _days_ago(company.visit_kept_days),
                limit,
            )
        )
        self.env["website.track"].invalidate_model(flush=False)
        return len(rows)


def _days_ago(days):
    return fields.Datetime.now() - timedelta(days=days)
