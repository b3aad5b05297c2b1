"""The messages of a campaign one after the other, and what became of each."""

from odoo import api, fields, models
from odoo.tools import SQL

from ..delivery.states import REACHED_STATES

ICONS = {"email": "fa-envelope", "sms": "fa-mobile"}


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    series_html = fields.Html(
        string="Messages", compute="_compute_series_html", sanitize=False
    )

    @api.depends("sends", "sequence_id", "figures_at", "page_figures", "state")
    @api.depends_context("lang")
    def _compute_series_html(self):
        for campaign in self:
            campaign.series_html = (
                self.env["ir.qweb"]._render(
                    "marketing_automation.campaign_series", campaign._get_series()
                )
                if campaign.sequence_id
                else False
            )

    def _get_series(self):
        """Return what the picture of the messages shows.

        :return: ``steps`` (dicts of ``name``, ``delay``, ``icon``, ``says``, ``notes``
            and ``figures``: pairs of label and number, none before the start) and
            ``ends_with_order``
        :rtype: dict
        """
        self.ensure_one()
        figures = {}
        if self.started_at:
            counted = self.sudo()._get_page_figures().get("steps", {})
            figures = {int(step_id): row for step_id, row in counted.items()}
        steps = self._get_steps()
        if self.started_at:
            # Those that were taken out since, too: people had them.
            steps = steps.with_context(active_test=False).search(
                [("id", "in", [*steps.ids, *figures])]
            )
        return {
            "steps": [
                {
                    "name": step.name,
                    "delay": step.delay_words if step.active else "",
                    "icon": ICONS.get(step.channel, "fa-paper-plane"),
                    "says": step.template_words,
                    "notes": step.notes or [],
                    "figures": self.started_at
                    and self._label_figures(figures.get(step.id, {})),
                }
                for step in steps
            ],
            "ends_with_order": self.sequence_id.stops_on_purchase,
        }

    def _label_figures(self, figures):
        """Return the figures of a message in their order, with what they count."""
        labels = {
            "waiting": self.env._("waiting for it"),
            "sent": self.env._("sent"),
            "opened": self.env._("opened"),
            "clicked": self.env._("clicked"),
            "skipped": self.env._("left out"),
        }
        return [(label, figures.get(name, 0)) for name, label in labels.items()]

    def _count_page(self):
        page = super()._count_page()
        return {**page, "steps": self._count_steps()} if self.sequence_id else page

    def _count_steps(self):
        """Return what became of each message, of the people of this campaign.

        :return: by id of the step the numbers ``waiting`` (people whose next message
            it is), ``sent``, ``opened``, ``clicked``, ``skipped``
        :rtype: dict[int, dict]
        """
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT m.step_id,
                          count(*) FILTER (WHERE m.state = ANY(%(reached)s)) AS sent,
                          count(*) FILTER (WHERE m.state = 'skipped') AS skipped,
                          count(*) FILTER (WHERE did.opened) AS opened,
                          count(*) FILTER (WHERE did.clicked) AS clicked
                     FROM marketing_message m
                     LEFT JOIN (%(engaged)s) did ON did.message_id = m.id
                    WHERE m.campaign_id = %(campaign)s AND m.priority > 0
                      AND m.step_id IS NOT NULL
                    GROUP BY 1""",
                reached=list(REACHED_STATES),
                engaged=self._sql_engaged(),
                campaign=self.id,
            )
        )
        figures = {row.pop("step_id"): row for row in rows}
        waiting = self.env["marketing.enrollment"]._read_group(
            [("campaign_id", "=", self.id), ("state", "=", "active")],
            ["next_step_id"],
            ["__count"],
        )
        for step, count in waiting:
            figures.setdefault(step.id, {})["waiting"] = count
        return figures
