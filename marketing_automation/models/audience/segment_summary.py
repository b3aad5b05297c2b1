from ast import literal_eval

from odoo import api, models
from odoo.fields import Domain

from ...tools.segment_criteria import RFM_SCORES
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
    @api.depends_context("lang")
    def _compute_summary(self):
        for condition in self:
            describe = getattr(condition, f"_describe_{condition.kind}", None)
            condition.summary = describe() if describe else False

    # === CONTACTS ===#

    def _describe_customer(self):
        try:
            leaves = list(Domain(literal_eval(self.domain or "[]")).iter_conditions())
        except (ValueError, SyntaxError, TypeError):
            return self.env._("Contacts that match a filter that cannot be read")
        if not leaves:
            return self.env._("Any contact")
        if len(leaves) > 1:
            return self.env._(
                "%(first)s, and %(count)s more rules",
                first=self._describe_leaf(leaves[0]),
                count=len(leaves) - 1,
            )
        return self._describe_leaf(leaves[0])

    def _describe_leaf(self, leaf):
        """Return a rule of a domain in words as far as there are any."""
        value = leaf.value
        if isinstance(value, (list, tuple, set, frozenset)):
            value = ", ".join(str(item) for item in value)
        elif value is False:
            return self.env._(
                "%(field)s is not set"
                if leaf.operator in ("=", "in")
                else "%(field)s is set",
                field=self._describe_field(leaf.field_expr),
            )
        return f"{self._describe_field(leaf.field_expr)} {leaf.operator} {value}"

    def _describe_field(self, path):
        """Return the labels along a path of fields."""
        model, labels = self.env["res.partner"], []
        for name in path.split("."):
            field = model._fields.get(name)
            if field is None:
                return path
            labels.append(field._description_string(self.env))
            model = self.env[field.comodel_name] if field.relational else model
        return " › ".join(labels)

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
            return self.product_tmpl_id.display_name or self.env._("(product deleted)")
        if self.target == "category":
            return self.category_id.display_name or self.env._("(category deleted)")
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
        name = self.other_segment_id.display_name or ""
        if self.other_segment_id and not self.other_segment_id.active:
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
