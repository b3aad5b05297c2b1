from odoo import api, fields, models
from odoo.tools import format_date

from .rfm_groups import RFM_GROUPS, SCORES

TONES = {
    "champions": "success",
    "loyal": "success",
    "potential": "info",
    "new": "info",
    "promising": "info",
    "attention": "warning",
    "at_risk": "danger",
    "cannot_lose": "danger",
    "hibernating": "secondary",
    "lost": "secondary",
}


class ResPartner(models.Model):
    """The customer in figures, as shown on the contact's form."""

    _inherit = "res.partner"

    marketing_metrics_html = fields.Html(
        string="Customer in Figures",
        compute="_compute_marketing_metrics_html",
        sanitize=False,
        groups="marketing_automation.group_marketing_user",
    )

    @api.depends_context("company", "lang")
    @api.depends("marketing_metrics_id")
    def _compute_marketing_metrics_html(self):
        for partner in self:
            metrics = partner.marketing_metrics_id
            values = metrics._prepare_card() if metrics else {"metrics": metrics}
            partner.marketing_metrics_html = self.env["ir.qweb"]._render(
                "marketing_automation.customer_card",
                {**values, "carts": partner._get_carts_sentence()},
            )

    def _get_carts_sentence(self):
        """Say how often this person left a cart behind in the current company, under
        whatever contact, and what became of these carts.

        :return: a sentence; '' for nobody who ever did
        :rtype: str
        """
        self.ensure_one()
        if not self.marketing_carts_left:
            return ""
        return self.env._(
            "%(left)s left behind, came back to %(returned)s, bought %(recovered)s",
            left=self.marketing_carts_left,
            returned=self.marketing_carts_returned,
            recovered=self.marketing_carts_recovered,
        )


class MarketingCustomerMetrics(models.Model):
    _inherit = "marketing.customer.metrics"

    def _prepare_card(self):
        """Return what the customer's form shows, beside the figures themselves.

        :return: ``metrics``, ``group`` (name, meaning and tone, None without scores),
            ``scores`` (kind, score and its meaning), ``max_score``, ``next_order`` (a
            sentence), ``is_overdue``, ``contact_count``
        :rtype: dict
        """
        self.ensure_one()
        today = fields.Date.context_today(self)
        return {
            "metrics": self,
            "group": self._get_card_group(),
            "scores": self._get_card_scores(),
            "max_score": SCORES[-1],
            "next_order": self._get_next_order_sentence(),
            "is_overdue": self.next_order_date and self.next_order_date < today,
            "contact_count": self._count_contacts(),
        }

    def _get_card_group(self):
        labels = dict(self._fields["rfm_group"]._description_selection(self.env))
        for group in RFM_GROUPS:
            if group.key == self.rfm_group:
                return {
                    "name": labels[group.key],
                    "meaning": self.env._(group.meaning),
                    "tone": TONES[group.key],
                }
        return None

    def _get_card_scores(self):
        names = ("recency_score", "frequency_score", "monetary_score")
        if not self.rfm_group:
            return []
        described = self.fields_get(names, ["string", "help"])
        return [{**described[name], "score": self[name]} for name in names]

    def _get_next_order_sentence(self):
        """Say in words when the next order is expected, or why nothing is."""
        if self.next_order_date:
            return self.env._(
                "Around %(date)s, between %(first)s and %(last)s",
                date=format_date(self.env, self.next_order_date),
                first=format_date(self.env, self.next_order_from),
                last=format_date(self.env, self.next_order_until),
            )
        if self.total_orders < 3:
            return self.env._("Can be told after three orders at the earliest")
        return self.env._("Cannot be told: orders come irregularly or have ceased")

    def _count_contacts(self):
        """Return how many contacts have the address of this customer."""
        email = self.partner_id.email_normalized
        if not email:
            return 1
        return (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search_count([("email_normalized", "=", email)])
        )

    # === ACTION METHODS ===#

    def action_open_customer(self):
        """Open the contact.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.partner_id._get_records_action()

    @api.model
    def action_view_thresholds(self):
        """Show what each score takes at the moment.

        :return: a window action
        :rtype: dict
        """
        return self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_rfm_threshold"
        )
