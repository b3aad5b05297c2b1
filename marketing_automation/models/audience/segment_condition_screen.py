from odoo import api, fields, models

from .customer_segment import UNUSABLE
from .domain_words import DomainWords
from .rfm_groups import RFM_GROUPS
from .segment_condition import SCORE_FIELDS


class CustomerSegmentCondition(models.Model):
    """What the dialog of a condition shows."""

    _inherit = "customer.segment.condition"

    rfm_mode = fields.Selection(
        [("group", "By group"), ("scores", "By scores")],
        compute="_compute_rfm_mode",
        readonly=False,
    )
    rfm_choices = fields.Json(compute="_compute_rfm_choices")

    def _compute_rfm_mode(self):
        for condition in self:
            has_scores = any(condition[name] for name in SCORE_FIELDS)
            condition.rfm_mode = "scores" if has_scores else "group"

    @api.depends_context("lang", "company")
    def _compute_rfm_choices(self):
        """The groups with what they mean, and how many customers each has now."""
        counts = dict(
            self.env["marketing.customer.metrics"]._read_group(
                [("company_id", "=", self.env.company.id)], ["rfm_group"], ["__count"]
            )
        )
        labels = dict(self._fields["rfm_group"]._description_selection(self.env))
        choices = []
        for group in RFM_GROUPS:
            # The texts are of another file, which marks them for translation.
            meaning = self.env._(group.meaning)
            count = counts.get(group.key, 0)
            choices.append([group.key, labels[group.key], meaning, count])
        self.rfm_choices = choices

    @api.onchange("rfm_mode")
    def _onchange_rfm_mode(self):
        """A condition is about a group or about scores."""
        if self.rfm_mode == "scores":
            self.rfm_group = False
        else:
            self.update(dict.fromkeys(SCORE_FIELDS, 0))

    @api.onchange("behaviour")
    def _onchange_behaviour(self):
        """Messages are opened, not products."""
        if self.behaviour == "opened":
            self.target = "anything"

    def _describe_customer(self):
        """Name what a domain compares: people read no ids and no technical names."""
        try:
            words = DomainWords(self.env["res.partner"]).describe(self._parse_domain())
        except UNUSABLE:
            # One filter does not take all segments off the screen.
            return self.env._("Contacts that match a filter that cannot be read")
        return words[:1].upper() + words[1:]

    def _describe_group(self):
        """Say what is in a group rather than how much."""
        return self.child_ids._join_summaries(self.logic) or super()._describe_group()

    def _join_summaries(self, logic):
        """Return these conditions as one sentence, groups in brackets.

        :param str logic: ``AND`` or ``OR``
        :rtype: str
        """
        connective = self.env._("or") if logic == "OR" else self.env._("and")
        return f" {connective} ".join(
            f"({condition.summary})"
            if condition.kind == "group"
            else condition.summary or ""
            for condition in self.sorted("sequence")
        )
