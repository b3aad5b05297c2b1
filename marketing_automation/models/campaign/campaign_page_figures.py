"""What the page of a campaign is drawn from: counted with the totals, and kept.

Over a million messages counting takes seconds, which nobody who opens the page has to
wait for.
"""

from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ..delivery.states import REACHED_STATES

# Up to this age hours are shown, then days.
HOURLY = timedelta(days=4)
# How long after its end it goes on.
SHOWN = timedelta(days=16)
DOMAINS_SHOWN = 12
# A domain that fewer messages went to may be that of one person.
DOMAIN_MINIMUM = 5
LINKS_SHOWN = 15


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    page_figures = fields.Json(
        readonly=True,
        copy=False,
        prefetch=False,
        help="What the page is drawn from, as of when it was counted.",
    )

    def _refresh_figures(self):
        """Count what the page shows, too."""
        res = super()._refresh_figures()
        for campaign in self.filtered("started_at"):
            campaign.page_figures = campaign._count_page()
        return res

    def _get_page_figures(self):
        """Return what the page is drawn from; counted now if it never was.

        :return: values of :meth:`_count_page`
        :rtype: dict
        """
        self.ensure_one()
        return self.page_figures or self._count_page()

    def _count_page(self):
        """Count what the page is drawn from.

        :return: ``curve``, ``domains``, ``links`` and ``clicks``, see the methods that
            count them; nothing but texts and numbers, and nothing about one person
        :rtype: dict
        """
        self.ensure_one()
        self.env.flush_all()
        return {
            "curve": self._count_curve(),
            "domains": self._count_domains(),
            "links": self._count_links(),
            "clicks": self._count_clicks(),
        }

    def _count_curve(self):
        """Return how many people opened and clicked for the first time, and when.
        Whoever clicks has opened, as in the totals.

        :return: ``end`` (until when) and ``rows``: kind (``open`` or ``click``), time,
            and number within the hour or day that begins then
        :rtype: dict
        """
        now = fields.Datetime.now()
        end = min(now, (self.ended_at or now) + SHOWN)
        unit = "hour" if end - self.started_at <= HOURLY else "day"
        rows = self.env.execute_query(
            SQL(
                """SELECT v.kind, date_trunc(%s, v.at), count(*)
                     FROM (%s) did
                    CROSS JOIN LATERAL (VALUES
                          ('open', did.opened_at), ('click', did.clicked_at)
                          ) v (kind, at)
                    WHERE v.at <= %s
                    GROUP BY 1, 2 ORDER BY 2""",
                unit,
                self._sql_first_reactions(),
                end,
            )
        )
        return {
            "end": fields.Datetime.to_string(end),
            "rows": [(kind, str(at), count) for kind, at, count in rows],
        }

    def _count_domains(self):
        """Return what the receiving mail domains made of it, the largest first.

        :return: ``domain`` (None: all the small ones), ``sent``, ``bounced``,
            ``opened`` and ``complained``
        :rtype: list[dict]
        """
        return self.env.execute_query_dict(
            SQL(
                """SELECT CASE WHEN one.sent >= %(minimum)s THEN one.domain END
                              AS domain,
                          sum(one.sent)::int AS sent, sum(one.bounced)::int AS bounced,
                          sum(one.opened)::int AS opened,
                          sum(one.complained)::int AS complained
                     FROM (SELECT split_part(m.email_normalized, '@', 2) AS domain,
                                  count(*) AS sent,
                                  count(*) FILTER (WHERE m.state = 'bounced')
                                      AS bounced,
                                  count(*) FILTER (WHERE did.opened) AS opened,
                                  count(*) FILTER (WHERE did.complained) AS complained
                             FROM marketing_message m
                             LEFT JOIN (%(engaged)s) did ON did.message_id = m.id
                            WHERE m.campaign_id = %(campaign)s AND m.priority > 0
                              AND m.state = ANY(%(reached)s)
                            GROUP BY 1) one
                    GROUP BY 1 ORDER BY 1 IS NULL, 2 DESC, 1 LIMIT %(limit)s""",
                minimum=DOMAIN_MINIMUM,
                engaged=self._sql_engaged(),
                campaign=self.id,
                reached=list(REACHED_STATES),
                limit=DOMAINS_SHOWN,
            )
        )

    def _count_links(self):
        """Return the links that people followed, the most frequent first.

        :return: ``url`` and ``label``, ``clicks``, ``people``, ``share`` (of all
            clicks), ``click_id`` (one of them). What one person alone followed may say
            who that is: its address is not kept here, but read from the click.
        :rtype: list[dict]
        """
        return self.env.execute_query_dict(
            SQL(
                """SELECT CASE WHEN one.people > 1 THEN one.url END AS url,
                          CASE WHEN one.people > 1 THEN one.label END AS label,
                          one.clicks, one.people, one.share, one.click_id
                     FROM (SELECT e.url, max(e.label) AS label, count(*) AS clicks,
                                  count(DISTINCT e.message_id) AS people,
                                  (count(*) / sum(count(*)) OVER ())::float AS share,
                                  max(e.id) AS click_id
                             FROM marketing_engagement e
                             JOIN marketing_message m ON m.id = e.message_id
                            WHERE m.campaign_id = %s AND m.priority > 0
                              AND e.kind = 'click' AND e.url IS NOT NULL
                              AND e.is_machine IS NOT TRUE AND %s
                            GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT %s) one""",
                self.id,
                self._sql_is_within(),
                LINKS_SHOWN,
            )
        )

    def _count_clicks(self):
        """Return what most people got, and where they clicked in it.

        :return: ``content_id``, ``message_id`` (of somebody who got it) and
            ``positions``: pairs of the link's place and the number of clicks; empty
            where there is no content
        :rtype: dict
        """
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT m.content_id, min(m.id) AS message_id
                     FROM marketing_message m
                    WHERE m.campaign_id = %s AND m.priority > 0
                      AND m.content_id IS NOT NULL
                    GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1""",
                self.id,
            )
        )
        if not rows:
            return {}
        positions = self.env.execute_query(
            SQL(
                """SELECT e.position, count(*)
                     FROM marketing_engagement e
                     JOIN marketing_message m ON m.id = e.message_id
                    WHERE m.campaign_id = %s AND m.content_id = %s
                      AND m.priority > 0 AND e.kind = 'click'
                      AND e.is_machine IS NOT TRUE AND e.position > 0 AND %s
                    GROUP BY 1""",
                self.id,
                rows[0]["content_id"],
                self._sql_is_within(),
            )
        )
        return {**rows[0], "positions": positions}
