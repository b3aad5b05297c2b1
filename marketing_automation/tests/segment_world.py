"""A small world, and who in it meets criteria: plain Python over plain values.

Nothing in here knows how the addon does it. A contact is a number; what happened is a
list of facts. Facts are whole days old, less two hours, seen at noon: on which side of
a limit they are does not depend on the time of day.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

NOW = datetime(2026, 6, 15, 12)
COUNTRIES = ("HU", "AT", None)
PRODUCTS = ("mug", "cup", "lamp")
# Categories with the products in them and below them.
CATEGORIES = {"tableware": {"mug", "cup"}, "cups": {"cup"}, "empty": set()}
GROUPS = ("champions", "new", "lost")
SCORES = ("recency", "frequency", "monetary")
UNITS = {"d": "days", "w": "weeks", "m": "months", "y": "years"}


class Contact(NamedTuple):
    """:param dict metrics: empty for who never ordered"""

    name: str
    email: str | None
    country: str | None
    metrics: dict


class Fact(NamedTuple):
    """:param tuple products: of an order or cart several; of a page or link one"""

    kind: str
    contact: int
    days_ago: int
    products: tuple


class World(NamedTuple):
    """:param dict consent: ``given`` or ``withdrawn`` by email, for one purpose
    :param set blacklist: emails
    :param set members: contacts of the static segment
    """

    contacts: list
    facts: list
    consent: dict
    blacklist: set
    members: set


def happened_at(days_ago):
    """Return when a fact happened."""
    return NOW - timedelta(days=days_ago) + timedelta(hours=2)


def make_world(random):
    """Return a world of twelve contacts; some share an address, some have none."""
    emails = [f"w{number}@example.com" for number in range(7)] + [None, None]
    contacts = [
        Contact(
            f"Contact {chr(65 + number)}",
            random.choice(emails),
            random.choice(COUNTRIES),
            _make_metrics(random),
        )
        for number in range(12)
    ]
    facts = [
        Fact(
            random.choice(("bought", "viewed", "opened", "clicked", "abandoned")),
            random.randrange(12),
            random.randrange(1, 60),
            tuple(random.sample(PRODUCTS, random.randrange(1, 3))),
        )
        for _number in range(60)
    ]
    said = {
        email: random.choice(("given", "withdrawn"))
        for email in emails
        if email and random.random() < 0.6
    }
    return World(
        contacts,
        facts,
        said,
        {email for email in said if random.random() < 0.3},
        {number for number in range(12) if random.random() < 0.4},
    )


def _make_metrics(random):
    if random.random() < 0.3:
        return {}
    return {
        "total_orders": random.randrange(1, 8),
        "days_ago": random.randrange(1, 60),
        "rfm_group": random.choice(GROUPS),
        **{score: random.randrange(1, 6) for score in SCORES},
    }


# === CRITERIA ===#


def make_group(random, ids, depth=0):
    """Return random criteria in the documented form, nothing left out.

    :param dict ids: ids of products and categories by name, and ``segment``
    """
    makers = [
        _make_field,
        _make_behaviour,
        _make_behaviour,
        _make_rfm,
        _make_consent,
        _make_segment,
    ]
    if depth < 3:
        makers.append(lambda random, ids: make_group(random, ids, depth + 1))
    return {
        "logic": random.choice(("AND", "OR")),
        "conditions": [
            random.choice(makers)(random, ids)
            for _number in range(random.randrange(1, 4))
        ],
    }


def _make_field(random, _ids):
    comparison = random.choice(("=", "!=", ">", ">=", "<", "<="))
    return random.choice(
        (
            {
                "field": "total_orders",
                "operator": comparison,
                "value": random.randrange(0, 6),
            },
            {
                "field": "last_order_date",
                "operator": random.choice((">=", "<")),
                "value": random.choice(
                    ("-30d", "-2w", "-1m", "-1y", "today", "2026-06-01")
                ),
            },
            {
                "field": "country_id.code",
                "operator": random.choice(("=", "!=")),
                "value": random.choice(("HU", "AT")),
            },
            {
                "field": "country_id.code",
                "operator": random.choice(("in", "not in")),
                "value": ["HU", "AT"],
            },
            {
                "field": "email",
                "operator": random.choice(("=", "!=")),
                "value": None,
            },
            {
                "field": "name",
                "operator": random.choice(("ilike", "not ilike")),
                "value": random.choice(("CONTACT A", "tact", "b")),
            },
        )
    )


def _make_behaviour(random, ids):
    condition = {
        "behaviour": random.choice(
            ("bought", "viewed", "opened", "clicked", "abandoned")
        )
    }
    target = random.choice((None, "product", "category"))
    if target and condition["behaviour"] != "opened":
        names = PRODUCTS if target == "product" else CATEGORIES
        condition[target] = ids[random.choice(sorted(names))]
    if random.random() < 0.5:
        condition["at_least"] = random.randrange(1, 4)
    else:
        condition["at_most"] = random.randrange(0, 3)
    if random.random() < 0.6:
        condition["days"] = random.randrange(1, 60)
    return condition


def _make_rfm(random, _ids):
    if random.random() < 0.5:
        return {"rfm": random.choice(GROUPS)}
    low, high = sorted((random.randrange(1, 6), random.randrange(1, 6)))
    bounds = random.choice(({"min": low}, {"max": high}, {"min": low, "max": high}))
    return {"rfm": {random.choice(SCORES): bounds}}


def _make_consent(random, _ids):
    state = random.choice(("given", "withdrawn", "none", "allowed"))
    return {"consent": "offers", "channel": "email", "state": state}


def _make_segment(random, ids):
    return {"segment": ids["segment"], "in": random.random() < 0.5}


# === WHO MEETS THEM ===#


def select(world, criteria, ids):
    """Return the numbers of the contacts that meet criteria.

    :rtype: set[int]
    """
    names = {
        "product": {ids[name]: name for name in PRODUCTS},
        "category": {ids[name]: name for name in CATEGORIES},
    }
    return {
        number
        for number in range(len(world.contacts))
        if _meets(world, number, criteria, names)
    }


def _meets(world, number, condition, names):
    if "conditions" in condition:
        holds = (
            _meets(world, number, child, names) for child in condition["conditions"]
        )
        return all(holds) if condition["logic"] == "AND" else any(holds)
    contact = world.contacts[number]
    if "field" in condition:
        return _meets_field(contact, condition)
    if "behaviour" in condition:
        return _meets_behaviour(world, number, condition, names)
    if "rfm" in condition:
        return _meets_rfm(contact, condition["rfm"])
    if "consent" in condition:
        return _meets_consent(world, contact, condition["state"])
    return (number in world.members) == condition["in"]


def _meets_field(contact, condition):
    operator, value = condition["operator"], condition["value"]
    if condition["field"] == "last_order_date":
        if not contact.metrics:
            return False
        date = happened_at(contact.metrics["days_ago"])
        return (date >= _day(value)) == (operator == ">=")
    if condition["field"] == "name":
        return (value.lower() in contact.name.lower()) == (operator == "ilike")
    if condition["field"] == "country_id.code" and not contact.country:
        # As everywhere in Odoo: a path asks about a country that is there.
        return False
    known = {
        "total_orders": contact.metrics.get("total_orders", 0),
        "country_id.code": contact.country,
        "email": contact.email,
    }[condition["field"]]
    return {
        "=": lambda: known == value,
        "!=": lambda: known != value,
        "in": lambda: known in value,
        "not in": lambda: known not in value,
        ">": lambda: known > value,
        ">=": lambda: known >= value,
        "<": lambda: known < value,
        "<=": lambda: known <= value,
    }[operator]()


def _day(text):
    """Return the beginning of a day as criteria name it."""
    midnight = NOW.replace(hour=0)
    if text == "today":
        return midnight
    if text[0] in "+-":
        return midnight + relativedelta(**{UNITS[text[-1]]: int(text[:-1])})
    return datetime.fromisoformat(text)


def _meets_behaviour(world, number, condition, names):
    me = world.contacts[number]
    wanted = set(PRODUCTS)
    if "product" in condition:
        wanted = {names["product"][condition["product"]]}
    elif "category" in condition:
        wanted = CATEGORIES[names["category"][condition["category"]]]
    times = 0
    for fact in world.facts:
        other = world.contacts[fact.contact]
        same = number == fact.contact or (me.email and me.email == other.email)
        since = NOW - timedelta(days=condition.get("days", 10_000))
        if (
            same
            and fact.kind == condition["behaviour"]
            and happened_at(fact.days_ago) >= since
            and wanted & set(_products_of(fact))
        ):
            times += 1
    if "at_least" in condition:
        return times >= condition["at_least"]
    return times <= condition["at_most"]


def _products_of(fact):
    """A page is of one product, and so is a link; a message is about none."""
    if fact.kind == "opened":
        return PRODUCTS
    return fact.products[:1] if fact.kind in ("viewed", "clicked") else fact.products


def _meets_rfm(contact, rfm):
    if isinstance(rfm, str):
        return contact.metrics.get("rfm_group") == rfm
    return bool(contact.metrics) and all(
        bounds.get("min", 1) <= contact.metrics[score] <= bounds.get("max", 5)
        for score, bounds in rfm.items()
    )


def _meets_consent(world, contact, state):
    said = world.consent.get(contact.email)
    if state == "allowed":
        return said == "given" and contact.email not in world.blacklist
    return (said or "none") == state
