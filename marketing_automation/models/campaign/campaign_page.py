"""The page of a campaign that has been sent: how people reacted over time, where it
arrived, and which links they followed. It shows what was counted last
(``campaign_page_figures.py``)."""

from odoo import api, fields, models
from odoo.tools import formatLang

from ...tools.click_map import draw_click_map

# The size of the picture, in its own units.
WIDTH, HEIGHT = 600, 160
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

    @api.depends("figures_at", "page_figures", "state")
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
        counted = self._get_page_figures()["curve"]
        end = fields.Datetime.to_datetime(counted["end"])
        rows = [
            (kind, fields.Datetime.to_datetime(at), count)
            for kind, at, count in counted["rows"]
        ]
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
        return [
            {**row, "domain": row["domain"] or self.env._("others")}
            for row in self._get_page_figures()["domains"]
        ]

    # === WHICH LINKS THEY FOLLOWED ===#

    def _get_links(self):
        """Return the links that people followed, the most frequent first.

        :return: ``label``, ``url``, ``clicks``, ``people``, ``share`` (of all clicks)
        :rtype: list[dict]
        """
        self.ensure_one()
        links = self._get_page_figures()["links"]
        clicks = self.env["marketing.engagement"].browse(
            link["click_id"] for link in links if not link["url"]
        )
        known = {click.id: click for click in clicks.exists()}
        for link in links:
            if link["click_id"] in known:
                click = known[link["click_id"]]
                link.update(url=click.url, label=click.label)
        return [link for link in links if link["url"]]

    def _get_click_map(self):
        """Return the email most people got, with the share of clicks at each link.

        :return: HTML; False where there is none
        :rtype: str | bool
        """
        self.ensure_one()
        counted = self._get_page_figures()["clicks"]
        if self.channel != "email" or not counted:
            return False
        messages = self.env["marketing.message"]
        sample = messages.browse(counted["message_id"]).exists()
        if sample.content_id.id != counted["content_id"]:
            # Nothing leads from whom it was to it any more.
            sample = messages.search(
                [
                    ("content_id", "=", counted["content_id"]),
                    ("campaign_id", "=", self.id),
                ],
                order="content_id",
                limit=1,
            )
        return draw_click_map(sample.body_html or "", dict(counted["positions"]))


def _add_up(pairs):
    """Return how many there were until each time."""
    total, curve = 0, []
    for at, count in pairs:
        total += count
        curve.append((at, total))
    return curve


def _get_y(count, highest):
    return HEIGHT - (HEIGHT - 4) * count / max(highest, 1)
