from odoo import api, models

from ...tools.segment_criteria import RFM_SCORES
from .domain_words import shown_name
from .segment_condition import DEFINITION


class CustomerSegmentCondition(models.Model):
    """The sentence people read instead of the fields of a condition."""

    _inherit = "customer.segment.condition"

    @api.depends(
        *DEFINITION,
        "child_ids",
        "product_tmpl_id.name",
        "category_id.name",
        "other_segment_id.name",
        "other_segment_id.active",
    )
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_summary(self):
        for condition in self:
            describe = getattr(condition, f"_describe_{condition.kind}", None)
            condition.summary = describe() if describe else False

    # === BEHAVIOUR ===#

    def _describe_behaviour(self):
        label = self._get_label("behaviour")
        return self._describe_period(
            self.env._(
                "%(behaviour)s: %(target)s, %(times)s",
                behaviour=label,
                target=self._describe_target(),
                times=self._describe_times(),
            )
        )

    def _describe_target(self):
        if self.target == "product":
            return shown_name(self.product_tmpl_id) or self.env._("(product deleted)")
        if self.target == "category":
            return shown_name(self.category_id) or self.env._("(category deleted)")
        return self.env._("anything")

    def _describe_times(self):
        if self.comparison == "at_least":
            if self.times == 1:
                return self.env._("at least once")
            return self.env._("at least %s times", self.times)
        if self.times == 0:
            return self.env._("not at all")
        if self.times == 1:
            return self.env._("at most once")
        return self.env._("at most %s times", self.times)

    def _describe_period(self, sentence):
        if not self.period_days:
            return sentence
        return self.env._(
            "%(sentence)s in the last %(days)s days",
            sentence=sentence,
            days=self.period_days,
        )

    # === OTHER KINDS ===#

    def _describe_rfm(self):
        if self.rfm_group:
            return self.env._("RFM group: %s", self._get_label("rfm_group"))
        bounds = [self._describe_score(score) for score in RFM_SCORES]
        return ", ".join(filter(None, bounds)) or self.env._("RFM: nothing chosen")

    def _describe_score(self, score):
        low, high = self[f"{score}_min"], self[f"{score}_max"]
        if not low and not high:
            return ""
        label = {
            "recency": self.env._("Recency"),
            "frequency": self.env._("Frequency"),
            "monetary": self.env._("Monetary"),
        }[score]
        if low == high:
            return self.env._("%(score)s score %(value)s", score=label, value=low)
        return self.env._(
            "%(score)s score %(low)s to %(high)s",
            score=label,
            low=low or 1,
            high=high or 5,
        )

    def _describe_consent(self):
        return self.env._(
            "%(state)s: %(purpose)s by %(channel)s",
            state=self._get_label("consent_state"),
            purpose=self._get_label("purpose"),
            channel=self._get_label("channel"),
        )

    def _describe_segment(self):
        other = self.other_segment_id._origin
        name = shown_name(other)
        if other and other.has_access("read") and not other.active:
            name = self.env._("%s (archived)", name)
        if self.membership == "not_in":
            return self.env._("Not in segment “%s”", name)
        return self.env._("In segment “%s”", name)

    def _describe_group(self):
        if self.logic == "OR":
            return self.env._("Any of %s conditions", len(self.child_ids))
        return self.env._("All of %s conditions", len(self.child_ids))

    def _get_label(self, name):
        """Return what people read for the value of a selection."""
        labels = dict(self._fields[name]._description_selection(self.env))
        return labels.get(self[name], "")
