from odoo import api, fields, models

from ...tools import segment_criteria
from ...tools.segment_criteria import RFM_SCORES, from_domain_value, read_domain
from .segment_condition import DEFINITION


class CustomerSegmentCondition(models.Model):
    """Each condition in the documented form."""

    _inherit = "customer.segment.condition"

    criteria = fields.Json(
        compute="_compute_criteria", compute_sudo=True, recursive=True
    )

    @api.depends(*DEFINITION, "child_ids.criteria", "child_ids.sequence")
    def _compute_criteria(self):
        for condition in self:
            dump = getattr(condition, f"_dump_{condition.kind}", None)
            condition.criteria = dump() if dump else {}

    def _dump_customer(self):
        try:
            domain = read_domain(self.domain)
        except ValueError:
            return {"domain": self.domain}
        if len(domain) == 1 and len(domain[0]) == 3:
            leaf = self._dump_leaf(*domain[0])
            if leaf:
                return leaf
        return {"domain": domain}

    def _dump_leaf(self, name, operator, value):
        """Return a leaf in the documented form; None if only a domain can say it."""
        if not isinstance(name, str) or operator not in segment_criteria.OPERATORS:
            return None
        if isinstance(value, (list, tuple)) != (operator in ("in", "not in")):
            return None
        field = self.env["customer.segment"]._find_field(name)
        if field is None:
            return None
        if field.type in ("date", "datetime"):
            value = from_domain_value(value)
        elif isinstance(value, tuple):
            value = list(value)
        if value is False and field.type != "boolean":
            value = None
        return {
            "field": name.removeprefix("marketing_"),
            "operator": operator,
            "value": value,
        }

    def _dump_behaviour(self):
        criteria = {"behaviour": self.behaviour}
        if self.target == "product":
            criteria["product"] = self.product_tmpl_id._origin.id or None
        elif self.target == "category":
            criteria["category"] = self.category_id._origin.id or None
        criteria[self.comparison or "at_least"] = self.times
        if self.period_days:
            criteria["days"] = self.period_days
        return criteria

    def _dump_rfm(self):
        if self.rfm_group:
            return {"rfm": self.rfm_group}
        scores = {}
        for score in RFM_SCORES:
            bounds = {
                bound: self[f"{score}_{bound}"]
                for bound in ("min", "max")
                if self[f"{score}_{bound}"]
            }
            if bounds:
                scores[score] = bounds
        return {"rfm": scores}

    def _dump_consent(self):
        return {
            "consent": self.purpose,
            "channel": self.channel,
            "state": self.consent_state,
        }

    def _dump_segment(self):
        return {
            "segment": self.other_segment_id._origin.id or None,
            "in": self.membership != "not_in",
        }

    def _dump_group(self):
        return {
            "logic": self.logic or "AND",
            "conditions": self.child_ids.sorted("sequence").mapped("criteria"),
        }
