"""A domain over contacts as people would say it: "Country is Germany or Austria"."""

import re
from collections.abc import Collection

from odoo.fields import Date, Datetime, Domain
from odoo.tools import format_date

from ...tools.trusted_context import heard

MAX_NAMES = 4
_AGO = re.compile(r"today -(\d+)([dwmy])")
_TEXT_TYPES = ("char", "text", "html")
_DATE_TYPES = ("date", "datetime")
_RELATIONAL_TYPES = ("many2one", "one2many", "many2many")
# Instead of names that the reader may not see.
HIDDEN = "…"
# In the context, from our own code alone: these words are kept, and read in every
# company; what belongs to one of them is not named.
TOLD_TO_ALL = "marketing_told_to_all"


def shown_name(record):
    """Return how a record is called, if the user may read it.

    :param odoo.models.Model record: one that exists, or none
    :return: its name; dots for one that is not to be seen; nothing for none
    :rtype: str
    """
    record = record._origin
    if not record:
        return ""
    if not record.has_access("read"):
        return HIDDEN
    if heard(record.env, TOLD_TO_ALL) and "company_id" in record._fields:
        if record.sudo().company_id:
            return HIDDEN
    return record.display_name or f"#{record.id}"


class DomainWords:
    """Puts domains over a model into words, in the language of the user.

    Records are named as far as the user may read them.

    :param odoo.models.Model model: what the domains are over
    """

    def __init__(self, model):
        self.model = model
        self.env = model.env

    def describe(self, domain):
        """Return a domain in words.

        :param odoo.fields.Domain domain: without custom conditions
        :rtype: str
        """
        if domain.is_true():
            return self.env._("any contact")
        if domain.is_false():
            return self.env._("nobody")
        children = getattr(domain, "children", None)
        if children:
            parts = [
                f"({self.describe(part)})"
                if getattr(part, "children", None)
                else self.describe(part)
                for part in self._without_present(domain, children)
            ]
            return self._join(parts, self._connective(domain))
        child = getattr(domain, "child", None)
        if child is not None:
            return self.env._("not (%s)", self.describe(child))
        return self._describe_condition(domain)

    def _connective(self, domain):
        return self.env._("and") if domain.OPERATOR == "&" else self.env._("or")

    def _without_present(self, domain, children):
        """Leave out the end of a period that ends now, such as "the last 30 days".

        The editor of domains writes such a period as two conditions.
        """
        since = {
            part.field_expr
            for part in children
            if getattr(part, "operator", "") == ">=" and _AGO.fullmatch(str(part.value))
        }
        return [
            part
            for part in children
            if domain.OPERATOR != "&"
            or getattr(part, "operator", "") != "<"
            or part.field_expr not in since
            or part.value not in ("today", "today +1d")
        ]

    def _join(self, parts, connective):
        return f" {connective} ".join(parts)

    # === CONDITIONS ===#

    def _describe_condition(self, condition):
        """Return one condition in words.

        :param odoo.fields.Domain condition: with a field, an operator and a value
        :rtype: str
        """
        label, field = self._find_field(condition.field_expr)
        operator, value = condition.operator, condition.value
        if operator in ("any", "not any"):
            return self._describe_any(label, field, operator, value)
        if field is None:
            return f"{label} {operator} {value}"
        if field.type == "boolean":
            return self._describe_boolean(label, operator, value)
        if self._is_unfinished(value):
            return f"{label} …"
        if not self._values(value):
            return self._describe_unset(label, operator)
        if field.type in _DATE_TYPES:
            return self._describe_date(label, operator, value)
        return f"{label} {self._verb(field, operator, value)}"

    def _find_field(self, path):
        """Return the labels along a path, and the field at its end.

        :param str path: such as ``country_id.code``
        :return: labels, and None as field if there is none of this name
        :rtype: tuple
        """
        model, labels, field = self.model, [], None
        for name in path.split("."):
            field = model._fields.get(name) if model is not None else None
            if field is None:
                return path, None
            labels.append(field._description_string(self.env))
            model = self.env[field.comodel_name] if field.relational else None
        return " › ".join(labels), field

    def _describe_any(self, label, field, operator, value):
        inner = value
        if field is not None and isinstance(value, (list, tuple, Domain)):
            words = DomainWords(self.env[field.comodel_name])
            inner = words.describe(Domain(value))
        if operator == "any":
            return self.env._("%(field)s with %(rule)s", field=label, rule=inner)
        return self.env._("no %(field)s with %(rule)s", field=label, rule=inner)

    def _describe_boolean(self, label, operator, value):
        holds = operator in ("=", "in") and any(self._values(value))
        holds |= operator in ("!=", "not in") and not any(self._values(value))
        return label if holds else self.env._("not %s", label)

    def _describe_unset(self, label, operator):
        if operator in ("=", "in"):
            return self.env._("%s is empty", label)
        return self.env._("%s is not empty", label)

    def _is_unfinished(self, value):
        """Whether there is a list of values with none in it yet."""
        return (
            isinstance(value, Collection) and not value and not isinstance(value, str)
        )

    def _values(self, value):
        """Return the values of a condition as a list, without those that mean none."""
        is_list = isinstance(value, Collection) and not isinstance(value, str)
        values = list(value) if is_list else [value]
        return [item for item in values if item is not False and item is not None]

    # === VALUES ===#

    def _verb(self, field, operator, value):
        """Return what is said about a field: "is Germany", "at least 5"."""
        names = self._names(field, self._values(value))
        return {
            "=": self.env._("is %s", names),
            "in": self.env._("is %s", names),
            "!=": self.env._("is not %s", names),
            "not in": self.env._("is not %s", names),
            ">": self.env._("more than %s", names),
            ">=": self.env._("at least %s", names),
            "<": self.env._("less than %s", names),
            "<=": self.env._("at most %s", names),
            "ilike": self.env._("contains “%s”", names),
            "like": self.env._("contains “%s”", names),
            "not ilike": self.env._("does not contain “%s”", names),
            "not like": self.env._("does not contain “%s”", names),
            "=ilike": self.env._("looks like “%s”", names),
            "=like": self.env._("looks like “%s”", names),
            "child_of": self.env._("is within %s", names),
            "parent_of": self.env._("is above %s", names),
        }.get(operator, f"{operator} {names}")

    def _names(self, field, values):
        """Return values as they are shown, a few of them.

        :param odoo.fields.Field field: what they are values of
        :param list values: ids of a relational field, keys of a selection …
        :rtype: str
        """
        shown = [self._name(field, value) for value in values[:MAX_NAMES]]
        more = len(values) - len(shown)
        if more > 0:
            return self.env._(
                "%(names)s or %(count)s others", names=", ".join(shown), count=more
            )
        if len(shown) > 1:
            return self.env._(
                "%(names)s or %(last)s", names=", ".join(shown[:-1]), last=shown[-1]
            )
        return shown[0]

    def _name(self, field, value):
        if field.type in _RELATIONAL_TYPES and isinstance(value, int):
            record = self.env[field.comodel_name].browse(value).exists()
            return shown_name(record) or self.env._("(deleted)")
        if field.type == "selection":
            labels = dict(field._description_selection(self.env))
            return str(labels.get(value, value))
        if field.name == "id" and field.model_name == self.model._name:
            return shown_name(self.model.browse(value).exists()) or str(value)
        return str(value)

    # === DATES ===#

    def _describe_date(self, label, operator, value):
        """Return a condition on a date in words, such as "in the last 30 days"."""
        [first, *others] = self._values(value)
        ago = _AGO.fullmatch(first) if isinstance(first, str) else None
        if ago and not others and operator in (">=", ">", "<", "<="):
            period = self._period(int(ago.group(1)), ago.group(2))
            if operator in (">=", ">"):
                return self.env._(
                    "%(field)s in the last %(period)s", field=label, period=period
                )
            return self.env._(
                "%(field)s more than %(period)s ago", field=label, period=period
            )
        day = self._day(first)
        return {
            ">": self.env._("%(field)s after %(day)s", field=label, day=day),
            ">=": self.env._("%(field)s from %(day)s on", field=label, day=day),
            "<": self.env._("%(field)s before %(day)s", field=label, day=day),
            "<=": self.env._("%(field)s until %(day)s", field=label, day=day),
            "!=": self.env._("%(field)s is not %(day)s", field=label, day=day),
        }.get(operator, self.env._("%(field)s is %(day)s", field=label, day=day))

    def _period(self, number, unit):
        return {
            "d": self.env._("%s days", number),
            "w": self.env._("%s weeks", number),
            "m": self.env._("%s months", number),
            "y": self.env._("%s years", number),
        }[unit]

    def _day(self, value):
        if value == "today":
            return self.env._("today")
        try:
            return format_date(self.env, Date.to_date(Datetime.to_datetime(value)))
        except (ValueError, TypeError):
            return str(value)
