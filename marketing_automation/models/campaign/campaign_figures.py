"""What became of the messages of a campaign, and what they brought in.

Counted from the messages and what people did with them, machines left out. Lists and
cards show what is kept; it is counted again while something can still happen.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..delivery.states import REACHED_STATES

# How long opens, clicks and orders go on to come in after a campaign has ended, and how
# often they are counted then.
COUNTED_DAYS = 30
RECENT = timedelta(days=3)
RECENT_PAUSE = timedelta(minutes=10)
LATER_PAUSE = timedelta(hours=6)
# While it is being sent, it is counted again after a minute for each of these: counting
# a million messages takes seconds.
COUNTED_A_MINUTE = 100_000


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    message_count = fields.Integer(string="Recipients", readonly=True, copy=False)
    waiting_count = fields.Integer(string="Waiting", readonly=True, copy=False)
    sent_count = fields.Integer(string="Sent", readonly=True, copy=False)
    delivered_count = fields.Integer(string="Delivered", readonly=True, copy=False)
    bounced_count = fields.Integer(string="Bounced", readonly=True, copy=False)
    skipped_count = fields.Integer(
        string="Not Written To",
        readonly=True,
        copy=False,
        help="The list of recipients says why, of each.",
    )
    failed_count = fields.Integer(string="Failed", readonly=True, copy=False)
    cancelled_count = fields.Integer(string="Taken Back", readonly=True, copy=False)
    opened_count = fields.Integer(
        string="Opened",
        readonly=True,
        copy=False,
        help="Messages opened or clicked by a person, as far as that can be told.",
    )
    clicked_count = fields.Integer(
        string="Clicked", readonly=True, copy=False, help="Messages with a click."
    )
    unsubscribed_count = fields.Integer(
        string="Unsubscribed", readonly=True, copy=False
    )
    complained_count = fields.Integer(string="Complained", readonly=True, copy=False)
    order_count = fields.Integer(string="Orders", readonly=True, copy=False)
    revenue = fields.Monetary(
        string="Credited Revenue",
        readonly=True,
        copy=False,
        help="Orders credited to its messages, without refunds and cancelled orders.",
    )
    figures_at = fields.Datetime(string="Counted", readonly=True, copy=False)
    progress = fields.Integer(
        compute="_compute_rates", help="Messages that are decided on, percent."
    )
    open_rate = fields.Float(compute="_compute_rates", help="Of those sent; 0 to 1.")
    click_rate = fields.Float(compute="_compute_rates", help="Of those sent; 0 to 1.")

    @api.depends("message_count", "waiting_count", "sent_count", "opened_count")
    def _compute_rates(self):
        for campaign in self:
            count, sent = campaign.message_count, campaign.sent_count
            done = count - campaign.waiting_count
            campaign.progress = count and 100 * done // count
            campaign.open_rate = sent and campaign.opened_count / sent
            campaign.click_rate = sent and campaign.clicked_count / sent

    def action_refresh_figures(self):
        """Count again now."""
        self.check_access("read")
        self.sudo()._refresh_figures()

    @api.model
    def _find_unsettled_figures(self):
        """Return the campaigns whose figures may have changed since they were counted.

        :rtype: email.campaign
        """
        now = fields.Datetime.now()
        counted = self.with_context(active_test=False).search(
            [
                ("started_at", "!=", False),
                "|",
                "|",
                ("ended_at", "=", False),
                ("ended_at", ">", now - timedelta(days=COUNTED_DAYS)),
                # Something made them wrong.
                ("figures_at", "=", False),
            ]
        )
        return counted.filtered(lambda campaign: campaign._has_old_figures(now))

    def _has_old_figures(self, now):
        counted, ended = self.figures_at, self.ended_at
        if not counted or (ended and counted <= ended):
            return True
        if self.state == "running":
            pause = timedelta(minutes=self.message_count // COUNTED_A_MINUTE)
            return counted <= now - pause
        is_recent = not ended or ended > now - RECENT
        return counted < now - (RECENT_PAUSE if is_recent else LATER_PAUSE)

    def _refresh_figures(self):
        """Count what became of the messages."""
        self.env.flush_all()
        for campaign in self:
            [figures] = self.env.execute_query_dict(campaign._sql_figures())
            campaign.write({**figures, "figures_at": fields.Datetime.now()})

    def _sql_figures(self):
        """Return a query of the figures, by the names of their fields. Each message
        counts once, whatever happened to it how many times.

        :rtype: SQL
        """
        self.ensure_one()
        return SQL(
            """SELECT count(*) AS message_count,
                      count(*) FILTER (WHERE m.state IN ('queued', 'sending'))
                          AS waiting_count,
                      count(*) FILTER (WHERE m.state = ANY(%(reached)s)) AS sent_count,
                      count(*) FILTER (WHERE m.state = 'delivered') AS delivered_count,
                      count(*) FILTER (WHERE m.state = 'bounced') AS bounced_count,
                      count(*) FILTER (WHERE m.state = 'skipped') AS skipped_count,
                      count(*) FILTER (WHERE m.state IN ('failed', 'uncertain'))
                          AS failed_count,
                      count(*) FILTER (WHERE m.state = 'cancelled') AS cancelled_count,
                      count(*) FILTER (WHERE did.opened) AS opened_count,
                      count(*) FILTER (WHERE did.clicked) AS clicked_count,
                      count(*) FILTER (WHERE did.unsubscribed) AS unsubscribed_count,
                      count(*) FILTER (WHERE did.complained) AS complained_count,
                      COALESCE(sum(m.attributed_order_count), 0) AS order_count,
                      COALESCE(sum(m.attributed_revenue), 0) AS revenue
                 FROM marketing_message m
                 LEFT JOIN (%(engaged)s) did ON did.message_id = m.id
                WHERE m.campaign_id = %(campaign)s AND m.priority > 0""",
            reached=list(REACHED_STATES),
            engaged=self._sql_engaged(),
            campaign=self.id,
        )

    def _sql_engaged(self):
        """Return what people did with each message: not what machines did.

        :return: a query of ``message_id``, ``opened``, ``clicked``, ``unsubscribed``
            and ``complained``; whoever clicks has opened
        :rtype: SQL
        """
        return SQL(
            """SELECT e.message_id,
                      bool_or(e.kind IN ('open', 'click')) AS opened,
                      bool_or(e.kind = 'click') AS clicked,
                      bool_or(e.kind = 'unsubscribe') AS unsubscribed,
                      bool_or(e.kind = 'complaint') AS complained
                 FROM marketing_engagement e
                WHERE e.is_machine IS NOT TRUE AND %s AND e.message_id IN (
                      SELECT id FROM marketing_message WHERE campaign_id = %s)
                GROUP BY 1""",
            self._sql_is_within(),
            self.id,
        )

    def _sql_is_within(self):
        """Return the condition that an engagement ``e`` is with a message between the
        first and the last one of this campaign.

        They were queued together. Without it, the database would rather read whatever
        anybody ever did than look up what was done with each message.

        :rtype: SQL
        """
        self.ensure_one()
        ((first, last),) = self.env.execute_query(
            SQL(
                """SELECT min(m.id), max(m.id) FROM (
                       SELECT id FROM marketing_message
                        WHERE campaign_id = %s OFFSET 0) m""",
                self.id,
            )
        )
        return SQL("e.message_id BETWEEN %s AND %s", first or 0, last or 0)
