"""The page of a campaign that has been sent: how people reacted over time, where it
arrived, and which links they followed."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, formatLang

from ...tools.click_map import draw_click_map
from ..delivery.states import REACHED_STATES

# The size of the picture, in its own units.
WIDTH, HEIGHT = 600, 160
# Up to this age hours are shown, then days.
HOURLY = timedelta(days=4)
# How long after its end it goes on.
SHOWN = timedelta(days=16)
# The figures on the page, and of what each is a share.
TILES = {
    "sent_count": "message_count",
    "delivered_count": "sent_count",
    "opened_count": "sent_count",
    "clicked_count": "sent_count",
    "unsubscribed_count": "sent_count",
    "complained_count": "sent_count",
    "bounced_count": "sent_count",
    "skipped_count": "message_count",
    "failed_count": "message_count",
    "waiting_count": "message_count",
    "cancelled_count": "message_count",
    "order_count": "sent_count",
    "revenue": None,
}
# Not every account reports deliveries; the others are for special occasions.
SHOWN_IF_ANY = {"delivered_count", "failed_count", "waiting_count", "cancelled_count"}
DOMAINS_SHOWN = 12
LINKS_SHOWN = 15


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    figures_html = fields.Html(
        string="Figures", compute="_compute_page", compute_sudo=True, sanitize=False
    )
    curve_html = fields.Html(
        string="Over Time", compute="_compute_page", compute_sudo=True, sanitize=False
    )
    domains_html = fields.Html(
        string="By Receiving Domain",
        compute="_compute_page",
        compute_sudo=True,
        sanitize=False,
    )
    links_html = fields.Html(
        string="Links", compute="_compute_page", compute_sudo=True, sanitize=False
    )
    click_map_html = fields.Text(
        string="Click Map", compute="_compute_page", compute_sudo=True
    )

    @api.depends("figures_at", "state")
    def _compute_page(self):
        render = self.env["ir.qweb"]._render
        for campaign in self:
            if not campaign.started_at:
                campaign.figures_html = False
                campaign.curve_html = campaign.domains_html = False
                campaign.links_html = campaign.click_map_html = False
                continue
            campaign.figures_html = render(
                "marketing_automation.campaign_figures",
                {"tiles": campaign._get_tiles()},
            )
            campaign.curve_html = render(
                "marketing_automation.campaign_curve",
                {"series": campaign._get_curve(), "width": WIDTH, "height": HEIGHT},
            )
            campaign.domains_html = campaign.channel == "email" and render(
                "marketing_automation.campaign_domains",
                {"domains": campaign._get_domains()},
            )
            campaign.links_html = render(
                "marketing_automation.campaign_links",
                {"links": campaign._get_links()},
            )
            campaign.click_map_html = campaign._get_click_map()

    # === FIGURES ===#

    def _get_tiles(self):
        """Return the figures with their rates.

        :return: ``label``, ``value``, ``rate`` and ``help``, all text
        :rtype: list[dict]
        """
        self.ensure_one()
        tiles = []
        for name, whole in TILES.items():
            if name in SHOWN_IF_ANY and not self[name]:
                continue
            field = self._fields[name]
            unit = {"digits": 0}
            if name == "revenue":
                unit = {"currency_obj": self.currency_id}
            has_rate = whole and self[whole]
            tiles.append(
                {
                    "label": field._description_string(self.env),
                    "help": field._description_help(self.env) or "",
                    "value": formatLang(self.env, self[name], **unit),
                    "rate": f"{self[name] / self[whole]:.1%}" if has_rate else "",
                }
            )
        return tiles

    # === OVER TIME ===#

    def _get_curve(self):
        """Return how many people had opened and clicked by when.

        :return: for each of both ``label``, ``total``, ``points`` (of an SVG polyline),
            and ``rows`` (pairs of time and number until then) for those who do not see
            pictures
        :rtype: list[dict]
        """
        self.ensure_one()
        now = fields.Datetime.now()
        end = min(now, (self.ended_at or now) + SHOWN)
        unit = "hour" if end - self.started_at <= HOURLY else "day"
        rows = self.env.execute_query(
            SQL(
                """SELECT f.kind, date_trunc(%(unit)s, f.first_at), count(*)
                     FROM (SELECT e.message_id, e.kind, min(e.occurred_at) AS first_at
                             FROM marketing_engagement e
                             JOIN marketing_message m ON m.id = e.message_id
                            WHERE m.campaign_id = %(campaign)s AND m.priority > 0
                              AND e.kind IN ('open', 'click')
                              AND e.is_machine IS NOT TRUE
                              AND e.occurred_at <= %(end)s
                            GROUP BY 1, 2) f
                    GROUP BY 1, 2 ORDER BY 2""",
                unit=unit,
                campaign=self.id,
                end=end,
            )
        )
        labels = {"open": self.env._("Opened"), "click": self.env._("Clicked")}
        curves = {
            kind: _add_up([(at, count) for own, at, count in rows if own == kind])
            for kind in labels
        }
        highest = max([curve[-1][1] for curve in curves.values() if curve], default=0)
        return [
            {
                "kind": kind,
                "label": label,
                "total": curves[kind][-1][1] if curves[kind] else 0,
                "rows": curves[kind],
                "points": self._draw(curves[kind], highest, end),
            }
            for kind, label in labels.items()
        ]

    def _draw(self, curve, highest, end):
        """Return the points of a curve, from the start to now.

        :param list curve: pairs of time and number
        :param int highest: the number that is at the top
        :param datetime end: the time that is at the right
        :rtype: str
        """
        if not curve:
            return ""
        span = max((end - self.started_at).total_seconds(), 1)
        points, before = [(0.0, HEIGHT)], 0
        for at, count in curve:
            x = WIDTH * max((at - self.started_at).total_seconds(), 0) / span
            points += [(x, _get_y(before, highest)), (x, _get_y(count, highest))]
            before = count
        points.append((WIDTH, _get_y(before, highest)))
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

    # === WHERE IT ARRIVED ===#

    def _get_domains(self):
        """Return what the receiving mail domains made of it, the largest first.

        :rtype: list[dict]
        """
        self.ensure_one()
        return self.env.execute_query_dict(
            SQL(
                """SELECT split_part(m.email_normalized, '@', 2) AS domain,
                          count(*) AS sent,
                          count(*) FILTER (WHERE m.state = 'bounced') AS bounced,
                          count(*) FILTER (WHERE did.opened) AS opened,
                          count(*) FILTER (WHERE did.complained) AS complained
                     FROM marketing_message m
                     LEFT JOIN (%(engaged)s) did ON did.message_id = m.id
                    WHERE m.campaign_id = %(campaign)s AND m.priority > 0
                      AND m.state = ANY(%(reached)s)
                    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(limit)s""",
                engaged=self._sql_engaged(),
                campaign=self.id,
                reached=list(REACHED_STATES),
                limit=DOMAINS_SHOWN,
            )
        )

    # === WHICH LINKS THEY FOLLOWED ===#

    def _get_links(self):
        """Return the links that people followed, the most frequent first.

        :return: ``label``, ``url``, ``clicks``, ``people``, ``share`` (of all clicks)
        :rtype: list[dict]
        """
        self.ensure_one()
        links = self.env.execute_query_dict(
            SQL(
                """SELECT e.url, max(e.label) AS label, count(*) AS clicks,
                          count(DISTINCT e.message_id) AS people,
                          count(*) / sum(count(*)) OVER () AS share
                     FROM marketing_engagement e
                     JOIN marketing_message m ON m.id = e.message_id
                    WHERE m.campaign_id = %s AND m.priority > 0 AND e.kind = 'click'
                      AND e.is_machine IS NOT TRUE
                    GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT %s""",
                self.id,
                LINKS_SHOWN,
            )
        )
        return [{**link, "share": float(link["share"])} for link in links]

    def _get_click_map(self):
        """Return the email most people got, with the share of clicks at each link.

        :return: HTML; False where there is none
        :rtype: str | bool
        """
        self.ensure_one()
        if self.channel != "email":
            return False
        rows = self.env.execute_query(
            SQL(
                """SELECT m.content_id, min(m.id)
                     FROM marketing_message m
                    WHERE m.campaign_id = %s AND m.priority > 0
                      AND m.content_id IS NOT NULL
                    GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1""",
                self.id,
            )
        )
        if not rows:
            return False
        [(content_id, sample_id)] = rows
        sample = self.env["marketing.message"].browse(sample_id)
        clicks = self.env.execute_query(
            SQL(
                """SELECT e.position, count(*)
                     FROM marketing_engagement e
                     JOIN marketing_message m ON m.id = e.message_id
                    WHERE m.campaign_id = %s AND m.content_id = %s
                      AND m.priority > 0 AND e.kind = 'click'
                      AND e.is_machine IS NOT TRUE AND e.position > 0
                    GROUP BY 1""",
                self.id,
                content_id,
            )
        )
        return draw_click_map(sample.body_html or "", dict(clicks))


def _add_up(pairs):
    """Return how many there were until each time."""
    total, curve = 0, []
    for at, count in pairs:
        total += count
        curve.append((at, total))
    return curve


def _get_y(count, highest):
    return HEIGHT - (HEIGHT - 4) * count / max(highest, 1)
