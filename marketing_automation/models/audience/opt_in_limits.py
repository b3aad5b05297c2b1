"""How many emails strangers can have us send to strangers, to ask for a confirmation.

Anybody can enter anybody's address. So the emails are few: for each mailbox (see
``opt_in_queue.py``), visitor, order, and website.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.client_network import get_network
from ...tools.mailbox import fold_mailbox

# In an hour: behind one connection there may be a family, or an office.
A_VISITOR = 5
AN_ORDER = 5


class Website(models.Model):
    _inherit = "website"

    opt_in_hourly_limit = fields.Integer(
        string="Confirmation Emails an Hour",
        default=300,
        help="Anybody can enter any address at checkout and at sign-up. When so many "
        "confirmation emails were asked for within an hour, the website sends no more "
        "of them until the hour is over.",
    )

    _opt_in_hourly_limit_positive = models.Constraint(
        "CHECK(opt_in_hourly_limit > 0)",
        "At least one confirmation email an hour is needed.",
    )


class MarketingOptIn(models.Model):
    _inherit = "marketing.opt.in"

    folded_address = fields.Char(
        readonly=True,
        help="What addresses of one mailbox have in common: without dots and what "
        "stands behind a +. Only to count by.",
    )
    client = fields.Char(
        string="Visitor",
        readonly=True,
        help="Their IPv4 address, or the network of their IPv6 address.",
    )

    _folded_idx = models.Index("(folded_address, create_date)")
    _client_idx = models.Index("(client, create_date) WHERE client IS NOT NULL")
    _created_idx = models.Index("(website_id, create_date)")

    @api.model
    def _prepare_count_vals(self, address, ip):
        """Return what a request is counted by.

        :param str address: in its one spelling
        :param str ip: where it came from; may be empty
        :rtype: dict
        """
        return {
            "folded_address": fold_mailbox(address),
            "client": get_network(ip) or False,
        }

    @api.model
    def _is_too_many(self, vals):
        """Whether so many confirmations were asked for within the hour that this one
        is not sent.

        :param dict vals: of the request
        :rtype: bool
        """
        website = self.env["website"].browse(vals["website_id"] or [])
        limits = [
            ("client", vals["client"], A_VISITOR),
            ("partner_id", vals["partner_id"], AN_ORDER),
            ("website_id", website.id, website.opt_in_hourly_limit),
        ]
        return any(
            value and self._count_asked(column, value, limit) >= limit
            for column, value, limit in limits
        )

    @api.model
    def _count_asked(self, column, value, limit):
        """Count the requests of the last hour, and the emails they led to.

        :param int limit: how many are counted at most
        :rtype: int
        """
        self.env.flush_all()
        hour = fields.Datetime.now() - timedelta(hours=1)
        [(count,)] = self.env.execute_query(
            SQL(
                """SELECT count(*)
                     FROM (SELECT FROM marketing_opt_in asked
                             LEFT JOIN marketing_message m ON m.opt_in_id = asked.id
                            WHERE asked.%(column)s = %(value)s
                              AND asked.create_date > %(day)s
                              AND COALESCE(m.create_date, asked.create_date) > %(hour)s
                            LIMIT %(limit)s) found""",
                column=SQL.identifier(column),
                value=value,
                # Nothing older than its link leads to an email.
                day=hour - timedelta(days=7),
                hour=hour,
                limit=limit,
            )
        )
        return count
