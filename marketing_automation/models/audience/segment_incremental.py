import logging

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.temporary_table import TemporaryTable
from .segment_refresh import CONFLICTS

_logger = logging.getLogger(__name__)

# More changed customers than this, and everybody is looked at in one go instead.
MANY_CHANGES = 20_000
AMONG = TemporaryTable("marketing_segment_among")


class CustomerSegment(models.Model):
    """Between refreshes: only those whose facts changed are looked at.

    Who that is stands in ``marketing.customer.change``.
    """

    _inherit = "customer.segment"

    @api.model
    def _refresh_changed(self):
        """Look at the customers whose facts changed, for all segments.

        A transaction for each company; what fails is tried again the next time.
        """
        cron = self.env["ir.cron"]
        changes = self.env["marketing.customer.change"]
        for company, count in changes._read_group([], ["company_id"], ["__count"]):
            try:
                with self.env.cr.savepoint():
                    self._refresh_changed_of(company, count)
            except CONFLICTS:
                _logger.info("Customers of %s changed meanwhile.", company.id)
                self.env.invalidate_all()
            except Exception:
                _logger.exception("Customers of %s could not be looked at.", company.id)
                self.env.invalidate_all(flush=False)
            if not cron._commit_progress():
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_refresh_segments"
                )

    @api.model
    def _refresh_changed_of(self, company, count):
        """Look at the changed customers of one company.

        Nothing is done while one of its segments is being refreshed: that may have
        begun before the change.

        :param res.company company: whose segments, and whose customers
        :param int count: how many customers changed
        """
        segments = self._get_followers(company)
        if segments.try_lock_for_update(allow_referencing=True) != segments:
            return
        if count > MANY_CHANGES:
            segments._request_refresh()
            self.env.cr.execute(_take(company))
            return
        self._fill_among(company)
        for segment in segments._sort_by_reference():
            segment._refresh_among(SQL("SELECT id FROM %s", AMONG.sql))

    @api.model
    def _get_followers(self, company=None):
        """Return the segments that follow their customers, of one company or all.

        :rtype: customer.segment
        """
        return self.search(
            [
                *([("company_id", "=", company.id)] if company else []),
                ("kind", "=", "dynamic"),
                ("refresh_interval", "!=", "manual"),
                # Until then there is nothing to be kept in line.
                ("refreshed_at", "!=", False),
            ]
        )

    @api.model
    def _fill_among(self, company):
        """Take the changed customers off the list, into a table of this transaction:
        with all contacts of each person."""
        self.env.flush_all()
        AMONG.make(self.env.cr, SQL("id int"))
        self.env.cr.execute(
            SQL(
                """WITH changed AS (%s)
                   INSERT INTO %s
                   SELECT partner_id FROM changed
                    UNION
                   SELECT twin.id FROM changed
                     JOIN res_partner p ON p.id = changed.partner_id
                     JOIN res_partner twin ON twin.email_normalized = p.email_normalized
                    WHERE p.email_normalized != ''""",
                _take(company),
                AMONG.sql,
            )
        )
        self.env.cr.execute(SQL("ANALYZE %s", AMONG.sql))
        self.env["marketing.customer.change"].invalidate_model(flush=False)

    def _refresh_among(self, among):
        """Bring the membership of some contacts in line.

        :param SQL among: query of ids of contacts, with all contacts of each person
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                entered, left = self._replace_members(
                    self._get_partner_query(among), among
                )
        except CONFLICTS:
            raise
        except Exception as error:
            if not isinstance(error, UserError):
                _logger.exception("Segment %s could not be brought in line.", self.id)
            self.env.invalidate_all(flush=False)
            # The next refresh of all says what is wrong with it, where it is seen.
            if not self.last_error:
                self._request_refresh()
            return
        if entered or left:
            self._settle_size(False)


def _take(company):
    """Return the statement that takes the changed customers off the list."""
    return SQL(
        """DELETE FROM marketing_customer_change WHERE company_id = %s
           RETURNING partner_id""",
        company.id,
    )
