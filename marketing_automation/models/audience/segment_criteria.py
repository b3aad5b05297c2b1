from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Command, Domain
from odoo.tools.translate import LazyTranslate

from ...tools import segment_criteria
from ...tools.segment_criteria import CriteriaError, to_domain_value
from .rfm_groups import RFM_GROUP_SELECTION
from .segment_condition import SCORE_FIELDS

_lt = LazyTranslate(__name__)

# What is wrong with criteria, and what to write instead; see `CriteriaError`.
PROBLEMS = {
    "no_json": _lt(
        'This is no JSON: %(error)s. Write {"logic": "AND", "conditions": [ … ]}.'
    ),
    "not_an_object": _lt("%(value)s is no object. Write { … } with its keys in it."),
    "no_conditions": _lt(
        '"conditions" is missing. Write {"logic": "AND", "conditions": [ … ]}.'
    ),
    "too_many": _lt(
        "There are more than %(limit)s conditions. Make segments of some of them, and "
        'refer to these: {"segment": 7}.'
    ),
    "too_deep": _lt(
        "Groups are nested deeper than %(limit)s. Make a segment of the inner ones, "
        'and refer to it: {"segment": 7}.'
    ),
    "bad_logic": _lt('%(value)s is no logic. Write "AND" or "OR".'),
    "empty_group": _lt('"conditions" has to be a list with at least one condition.'),
    "no_subject": _lt(
        "It cannot be told what this condition is about. Write exactly one of "
        "%(choices)s."
    ),
    "unknown_key": _lt("%(key)s is not known here. There are %(choices)s."),
    "bad_field": _lt(
        '%(value)s is no field of contacts. Write a technical name, as "total_orders" '
        'or "country_id.code".'
    ),
    "unknown_field": _lt(
        'Contacts have no field "%(value)s" that can be searched. Write one like '
        '"total_orders", "last_order_date" or "country_id.code".'
    ),
    "bad_operator": _lt("%(value)s is no operator. Write one of %(choices)s."),
    "no_value": _lt('"value" is missing. Write null for what is not set.'),
    "no_list": _lt(
        'With "%(operator)s", "value" has to be a list: [%(value)s] instead of '
        "%(value)s."
    ),
    "no_scalar": _lt(
        'With "%(operator)s", "value" has to be one value. For several, use the '
        'operator "in".'
    ),
    "bad_value": _lt('"%(field)s" cannot be compared with %(value)s: %(error)s'),
    "bad_domain": _lt(
        "%(value)s is no domain. Write a list of lists: "
        '[["country_id.code", "=", "HU"]].'
    ),
    "both_bounds": _lt('Write either "at_least" or "at_most", not both.'),
    "both_targets": _lt(
        'Write either "product" or "category", or neither for anything.'
    ),
    "bad_rfm": _lt(
        '%(value)s is no RFM group or range. Write "champions", or a range for some of '
        '%(choices)s, as {"recency": {"min": 4}}.'
    ),
    "unknown_group": _lt("%(value)s is no RFM group. Write one of %(choices)s."),
    "bad_score": _lt(
        '%(value)s is no range for "%(score)s". Write {"min": 3, "max": 5}, or one of '
        "them; scores go from 1 to 5."
    ),
    "bad_text": _lt('"%(key)s" has to be a text, not %(value)s.'),
    "bad_flag": _lt('"%(key)s" has to be true or false, not %(value)s.'),
    "bad_choice": _lt('%(value)s is not known as "%(key)s". Write one of %(choices)s.'),
    "no_number": _lt('"%(key)s" has to be a whole number, not %(value)s.'),
    "out_of_range": _lt(
        '"%(key)s" has to be from %(lowest)s to %(highest)s, not %(value)s.'
    ),
    "not_found": _lt(
        "There is no %(what)s with the id %(value)s. Write the id of one that is "
        "there, in your company."
    ),
}


class CustomerSegment(models.Model):
    """Conditions from and to the documented JSON, see ``tools/segment_criteria.py``."""

    _inherit = "customer.segment"

    @api.depends("logic", "condition_ids.criteria", "condition_ids.sequence")
    def _compute_criteria(self):
        for segment in self:
            segment.criteria = segment_criteria.dump(segment._get_criteria())

    def _inverse_criteria(self):
        for segment in self:
            segment._apply_criteria(segment.criteria)

    def set_criteria(self, criteria):
        """Replace the conditions of the segment; it becomes a dynamic one.

        :param criteria: JSON in the documented form, or what it stands for
        :type criteria: str | dict
        :return: what was understood, in the documented form
        :rtype: dict
        :raises ValidationError: with the condition that is wrong, and what to write
        """
        self.ensure_one()
        self.check_access("write")
        self.kind = "dynamic"
        self._apply_criteria(criteria)
        return self._get_criteria()

    def _get_criteria(self):
        """Return the conditions in the documented form.

        :rtype: dict
        """
        return {
            "logic": self.logic or "AND",
            "conditions": self.condition_ids.sorted("sequence").mapped("criteria"),
        }

    def _apply_criteria(self, criteria):
        """Replace the conditions, unless nothing would change."""
        if not criteria or criteria == segment_criteria.dump(self._get_criteria()):
            return
        try:
            group = segment_criteria.parse(criteria)
            commands = self._prepare_conditions(group)
        except CriteriaError as error:
            raise ValidationError(self._explain(error)) from None
        self.write(
            {"logic": group["logic"], "condition_ids": [Command.clear(), *commands]}
        )

    def _explain(self, error):
        """Return the sentence for an error in criteria.

        :rtype: str
        """
        sentence = self.env._(PROBLEMS[error.code])
        text = sentence % error.values
        if not error.path:
            return text
        return self.env._(
            "Condition %(path)s: %(problem)s", path=error.path, problem=text
        )

    # === JSON TO CONDITIONS ===#

    def _prepare_conditions(self, group):
        """Return the commands that create the conditions of a group.

        :param dict group: see :func:`tools.segment_criteria.parse`
        :rtype: list[tuple]
        :raises CriteriaError: for what does not exist
        """
        return [
            Command.create(
                {
                    "sequence": number * 10,
                    "kind": node["kind"],
                    **getattr(self, f"_prepare_{node['kind']}_vals")(node),
                }
            )
            for number, node in enumerate(group["children"], 1)
        ]

    def _prepare_group_vals(self, node):
        return {"logic": node["logic"], "child_ids": self._prepare_conditions(node)}

    def _prepare_customer_vals(self, node):
        if "domain" in node:
            domain = self._read_domain(node)
        else:
            domain = [self._prepare_leaf(node)]
        return {"domain": repr(domain)}

    def _read_domain(self, node):
        """Return a domain as Odoo writes it, with tuples."""
        domain = [tuple(i) if isinstance(i, list) else i for i in node["domain"]]
        try:
            Domain(domain)
        except (ValueError, TypeError):
            raise CriteriaError(
                "bad_domain", node["path"], value=repr(node["domain"])
            ) from None
        return domain

    def _prepare_leaf(self, node):
        """Return one leaf of a domain, and see to it that it can be searched."""
        name = self._to_partner_field(node["field"])
        field = self._find_field(name)
        if field is None:
            raise CriteriaError("unknown_field", node["path"], value=node["field"])
        value = node["value"]
        if field.type in ("date", "datetime"):
            value = to_domain_value(value)
        leaf = (name, node["operator"], value)
        try:
            self.env["customer.segment.condition"]._check_searchable(Domain([leaf]))
        except ValueError as error:
            raise CriteriaError(
                "bad_value",
                node["path"],
                field=node["field"],
                value=repr(node["value"]),
                error=str(error),
            ) from None
        return leaf

    def _to_partner_field(self, path):
        """Return a documented name as contacts have it: metrics go without prefix."""
        first, dot, rest = path.partition(".")
        prefixed = f"marketing_{first}"
        if prefixed in self.env["res.partner"]._fields:
            first = prefixed
        return f"{first}{dot}{rest}"

    def _find_field(self, path):
        """Return the field at the end of a path; None if it cannot be searched.

        :rtype: odoo.fields.Field | None
        """
        model, field = self.env["res.partner"], None
        for name in path.split("."):
            field = model._fields.get(name) if model is not None else None
            if field is None or not model._has_field_access(field, "read"):
                return None
            model = self.env[field.comodel_name] if field.relational else None
        return field if field._description_searchable else None

    def _prepare_behaviour_vals(self, node):
        names = ("behaviour", "comparison", "times", "period_days", "target")
        vals = {name: node[name] for name in names}
        if node["target"] == "product":
            vals["product_tmpl_id"] = self._find(
                node, "product", "product.template", self.env._("product")
            )
        elif node["target"] == "category":
            vals["category_id"] = self._find(
                node, "category", "product.public.category", self.env._("category")
            )
        return vals

    def _prepare_rfm_vals(self, node):
        if "group" in node:
            if node["group"] not in dict(RFM_GROUP_SELECTION):
                raise CriteriaError(
                    "unknown_group",
                    node["path"],
                    value=node["group"],
                    choices=", ".join(dict(RFM_GROUP_SELECTION)),
                )
            return {"rfm_group": node["group"]}
        return {name: node.get(name, 0) for name in SCORE_FIELDS}

    def _prepare_consent_vals(self, node):
        vals = {"consent_state": node["state"]}
        for name, key in (("purpose", "consent"), ("channel", "channel")):
            choices = (
                self.env["customer.segment.condition"]
                ._fields[name]
                .get_values(self.env)
            )
            if node[name] not in choices:
                raise CriteriaError(
                    "bad_choice",
                    node["path"],
                    key=key,
                    value=node[name],
                    choices=", ".join(choices),
                )
            vals[name] = node[name]
        return vals

    def _prepare_segment_vals(self, node):
        return {
            "other_segment_id": self._find(
                node, "segment", "customer.segment", self.env._("segment")
            ),
            "membership": "in" if node["in"] else "not_in",
        }

    def _find(self, node, key, model, what):
        """Return the id of a record that a condition names, if it may be used."""
        records = self.env[model].with_context(active_test=False)
        if not records.search_count([("id", "=", node[key])], limit=1):
            raise CriteriaError("not_found", node["path"], what=what, value=node[key])
        return node[key]
