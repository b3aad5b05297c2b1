"""The documented JSON of a segment, checked and taken apart; no ORM.

    {"logic": "AND", "conditions": [
        {"field": "total_orders", "operator": ">=", "value": 5},
        {"field": "last_order_date", "operator": ">=", "value": "-30d"},
        {"domain": [["country_id.code", "=", "HU"]]},
        {"behaviour": "bought", "category": 12, "at_least": 2, "days": 90},
        {"rfm": "champions"},
        {"rfm": {"recency": {"min": 4}, "monetary": {"min": 3, "max": 5}}},
        {"consent": "offers", "channel": "email", "state": "allowed"},
        {"segment": 7, "in": true},
        {"logic": "OR", "conditions": [...]}]}

Each condition becomes a dict of values of ``customer.segment.condition``; whether the
fields, products and segments it names exist is for the caller to find out.
"""

import json
import re
from ast import literal_eval

LOGICS = ("AND", "OR")
OPERATORS = (
    "=",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "in",
    "not in",
    "like",
    "not like",
    "ilike",
    "not ilike",
    "=like",
    "=ilike",
    "child_of",
)
BEHAVIOURS = ("bought", "viewed", "opened", "clicked", "abandoned")
RFM_SCORES = ("recency", "frequency", "monetary")
LOWEST_SCORE, HIGHEST_SCORE = 1, 5
CONSENT_STATES = ("allowed", "given", "withdrawn", "none")
MAX_DEPTH = 8
MAX_CONDITIONS = 200
MAX_NUMBER = 1_000_000
# A hundred years: there are no days before the year 1 to count back to.
MAX_DAYS = 36_500
# Room for thousands of ids; what is longer keeps the server busy with reading it.
MAX_DOMAIN_LENGTH = 100_000
# Days, weeks, months or years from today on, as "-30d".
RELATIVE_DATE = re.compile(r"[+-]\d{1,5}[dwmy]")

# Which key tells what a condition is about, and which others go with it.
KEYS = {
    "field": {"operator", "value"},
    "domain": set(),
    "behaviour": {"product", "category", "at_least", "at_most", "days"},
    "rfm": set(),
    "consent": {"channel", "state"},
    "segment": {"in"},
    "conditions": {"logic"},
}


class CriteriaError(ValueError):
    """Criteria that cannot be understood.

    :param str code: what is wrong; the caller has a sentence for each
    :param str path: which condition, counted from 1: ``"2.1"`` is the first of the
        group that stands second; empty for the whole
    :param values: what the sentence shows
    """

    def __init__(self, code, path="", **values):
        super().__init__(f"{path or 'criteria'}: {code} {values}")
        self.code = code
        self.path = path
        self.values = values


def parse(criteria):
    """Check criteria and return what to make of them.

    :param criteria: JSON, or what it stands for
    :type criteria: str | dict
    :return: ``{"logic": …, "children": […]}``; each child has ``path``, ``kind`` and
        the values of its kind
    :rtype: dict
    :raises CriteriaError: with the condition that is wrong
    """
    if isinstance(criteria, (str, bytes)):
        try:
            criteria = json.loads(criteria)
        except (ValueError, RecursionError) as error:
            raise CriteriaError("no_json", error=str(error)) from None
    if not isinstance(criteria, dict):
        raise CriteriaError("not_an_object", value=_show(criteria))
    if "conditions" not in criteria:
        raise CriteriaError("no_conditions")
    group = _parse_group(criteria, "", 1)
    if _count(group) > MAX_CONDITIONS:
        raise CriteriaError("too_many", limit=MAX_CONDITIONS)
    return group


def _count(node):
    return 1 + sum(_count(child) for child in node.get("children", ()))


def _parse_group(node, path, depth):
    _refuse_unknown_keys(node, "conditions", path)
    logic = node.get("logic", "AND")
    if not isinstance(logic, str) or logic.upper() not in LOGICS:
        raise CriteriaError("bad_logic", path, value=_show(logic))
    conditions = node["conditions"]
    if not isinstance(conditions, list) or not conditions:
        raise CriteriaError("empty_group", path)
    if depth > MAX_DEPTH:
        raise CriteriaError("too_deep", path, limit=MAX_DEPTH)
    prefix = f"{path}." if path else ""
    return {
        "logic": logic.upper(),
        "children": [
            _parse_condition(child, f"{prefix}{number}", depth + 1)
            for number, child in enumerate(conditions, 1)
        ],
    }


def _parse_condition(node, path, depth):
    if not isinstance(node, dict):
        raise CriteriaError("not_an_object", path, value=_show(node))
    subjects = [key for key in KEYS if key in node]
    if len(subjects) != 1:
        raise CriteriaError("no_subject", path, choices=_list(KEYS))
    [subject] = subjects
    if subject == "conditions":
        values = {"kind": "group", **_parse_group(node, path, depth)}
    else:
        _refuse_unknown_keys(node, subject, path)
        values = PARSERS[subject](node, path)
    return {"path": path, **values}


def _refuse_unknown_keys(node, subject, path):
    unknown = node.keys() - KEYS[subject] - {subject}
    if unknown:
        raise CriteriaError(
            "unknown_key",
            path,
            key=_show(sorted(unknown, key=str)[0]),
            choices=_list([subject, *sorted(KEYS[subject])]),
        )


def _parse_field(node, path):
    field = node["field"]
    if not isinstance(field, str) or not re.fullmatch(r"[a-z_][a-z0-9_.]*", field):
        raise CriteriaError("bad_field", path, value=_show(field))
    operator = node.get("operator", "=")
    if operator not in OPERATORS:
        raise CriteriaError(
            "bad_operator", path, value=_show(operator), choices=_list(OPERATORS)
        )
    if "value" not in node:
        raise CriteriaError("no_value", path)
    value = node["value"]
    if operator in ("in", "not in") and not isinstance(value, list):
        raise CriteriaError("no_list", path, operator=operator, value=_show(value))
    if operator not in ("in", "not in") and isinstance(value, (list, dict)):
        raise CriteriaError("no_scalar", path, operator=operator, value=_show(value))
    return {
        "kind": "customer",
        "field": field,
        "operator": operator,
        "value": False if value is None else value,
    }


def _parse_domain(node, path):
    domain = node["domain"]
    if not isinstance(domain, list):
        raise CriteriaError("bad_domain", path, value=_show(domain))
    return {"kind": "customer", "domain": domain}


def _parse_behaviour(node, path):
    behaviour = _choice(node, "behaviour", BEHAVIOURS, path)
    if "at_least" in node and "at_most" in node:
        raise CriteriaError("both_bounds", path)
    if "product" in node and "category" in node:
        raise CriteriaError("both_targets", path)
    at_most = "at_most" in node
    times = (
        _number(node, "at_most", 0, 0, path)
        if at_most
        else _number(node, "at_least", 1, 1, path)
    )
    target = next((key for key in ("product", "category") if key in node), "anything")
    values = {
        "kind": "behaviour",
        "behaviour": behaviour,
        "comparison": "at_most" if at_most else "at_least",
        "times": times,
        "period_days": _number(node, "days", 0, 0, path, highest=MAX_DAYS),
        "target": target,
    }
    if target != "anything":
        values[target] = _number(node, target, 0, 1, path, highest=2**31 - 1)
    return values


def _parse_rfm(node, path):
    rfm = node["rfm"]
    if isinstance(rfm, str):
        return {"kind": "rfm", "group": rfm}
    if not isinstance(rfm, dict) or not rfm or rfm.keys() - set(RFM_SCORES):
        raise CriteriaError(
            "bad_rfm", path, value=_show(rfm), choices=_list(RFM_SCORES)
        )
    values = {"kind": "rfm"}
    for score, bounds in rfm.items():
        if not isinstance(bounds, dict) or not bounds or bounds.keys() - {"min", "max"}:
            raise CriteriaError("bad_score", path, score=score, value=_show(bounds))
        for bound in bounds:
            values[f"{score}_{bound}"] = _number(
                bounds, bound, 0, LOWEST_SCORE, path, highest=HIGHEST_SCORE
            )
        if bounds.get("min", LOWEST_SCORE) > bounds.get("max", HIGHEST_SCORE):
            raise CriteriaError("bad_score", path, score=score, value=_show(bounds))
    return values


def _parse_consent(node, path):
    purpose = node["consent"]
    channel = node.get("channel", "email")
    for key, value in (("consent", purpose), ("channel", channel)):
        if not isinstance(value, str):
            raise CriteriaError("bad_text", path, key=key, value=_show(value))
    state = _choice({"state": "allowed", **node}, "state", CONSENT_STATES, path)
    return {"kind": "consent", "purpose": purpose, "channel": channel, "state": state}


def _parse_segment(node, path):
    inside = node.get("in", True)
    if not isinstance(inside, bool):
        raise CriteriaError("bad_flag", path, key="in", value=_show(inside))
    return {
        "kind": "segment",
        "segment": _number(node, "segment", 0, 1, path, highest=2**31 - 1),
        "in": inside,
    }


PARSERS = {
    "field": _parse_field,
    "domain": _parse_domain,
    "behaviour": _parse_behaviour,
    "rfm": _parse_rfm,
    "consent": _parse_consent,
    "segment": _parse_segment,
}


def _choice(node, key, choices, path):
    value = node[key]
    if value not in choices:
        raise CriteriaError(
            "bad_choice", path, key=key, value=_show(value), choices=_list(choices)
        )
    return value


def _number(node, key, default, lowest, path, highest=MAX_NUMBER):
    value = node.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise CriteriaError("no_number", path, key=key, value=_show(value))
    if not lowest <= value <= highest:
        raise CriteriaError(
            "out_of_range", path, key=key, value=value, lowest=lowest, highest=highest
        )
    return value


def _list(choices):
    return ", ".join(f'"{choice}"' for choice in choices)


def _show(value):
    """Return a value the way it was written, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def read_domain(text):
    """Return the domain that stands in a text.

    :param str text: as it is kept, a list as Python writes it; may be empty
    :rtype: list
    :raises ValueError: when it is none
    """
    text = text or "[]"
    if len(text) > MAX_DOMAIN_LENGTH:
        raise ValueError(f"longer than {MAX_DOMAIN_LENGTH} characters")
    try:
        return literal_eval(text)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(str(error)) from None


def to_domain_value(value):
    """Return a documented date as Odoo's domains know it: ``"-30d"`` counts from the
    beginning of today on."""
    if isinstance(value, list):
        return [to_domain_value(item) for item in value]
    if isinstance(value, str) and RELATIVE_DATE.fullmatch(value):
        return f"today {value}"
    return value


def from_domain_value(value):
    """Return a date of a domain in the documented form, see :func:`to_domain_value`."""
    if isinstance(value, (list, tuple)):
        return [from_domain_value(item) for item in value]
    if isinstance(value, str) and value.startswith("today "):
        offset = value.removeprefix("today ")
        if RELATIVE_DATE.fullmatch(offset):
            return offset
    return value


def dump(criteria):
    """Return criteria as text people can read and edit: a condition a line.

    :param dict criteria: in the documented form
    :rtype: str
    """
    return json.dumps(criteria, indent=2, ensure_ascii=False)
