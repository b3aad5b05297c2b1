"""What one rendering may cost: steps, signs and seconds.

Jinja's sandbox limits neither time nor memory. Here each loop, call, filter and
operator takes a step of a budget, and whatever makes texts or lists says beforehand
how long they become. Steps are counted, so that the same template with the same values
ends the same way on any machine; the clock is looked at for what no count foresees.
"""

import contextvars
import time
from contextlib import contextmanager

MAX_STEPS = 200_000
# Signs of one text, items of one list, and all that is made in the course of it.
MAX_SIGNS = 1_000_000
MAX_ITEMS = 100_000
MAX_TOTAL = 50_000_000
# Records of records of records: the items of all of them, as they would be printed.
MAX_NESTED = 20_000
MAX_SECONDS = 10.0
# Numbers beyond are nobody's price, and take time to count with.
MAX_NUMBER = 10**30

_budget = contextvars.ContextVar("marketing_template_budget", default=None)


class BudgetError(RuntimeError):
    """A template takes too long or makes too much."""


class Budget:
    """What is left of one rendering."""

    __slots__ = ("_deadline", "_signs", "_steps")

    def __init__(self, share=1.0):
        self._steps = int(MAX_STEPS * share)
        self._signs = int(MAX_TOTAL * share)
        self._deadline = time.monotonic() + MAX_SECONDS * share

    def spend(self, signs=0):
        self._steps -= 1
        self._signs -= signs
        if self._steps < 0 or self._signs < 0:
            raise BudgetError(
                "it takes too long: too many loops, or blocks that call each other"
            )
        if (
            signs > 10_000 or not self._steps & 63
        ) and time.monotonic() > self._deadline:
            raise BudgetError("it takes too long for this server")


@contextmanager
def limited(share=1.0):
    """Let everything that is rendered within share one budget.

    :param float share: of what one message may cost
    """
    if _budget.get() is not None:
        yield
        return
    token = _budget.set(Budget(share))
    try:
        yield
    finally:
        _budget.reset(token)


def spend(signs=0):
    """Take a step, and count what it makes.

    :param int signs: signs or items
    :return: nothing that is printed
    :raises BudgetError: if there is nothing left
    """
    budget = _budget.get()
    if budget is not None:
        budget.spend(signs)
    return ""


def check_signs(signs):
    """Refuse to make a text.

    :param int signs: how long it becomes at most
    :raises BudgetError: if that is too long
    """
    if signs > MAX_SIGNS:
        raise BudgetError(f"a text can have at most {MAX_SIGNS:,} signs")
    spend(signs)


def check_items(count):
    """Refuse to make a list.

    :param int count: its items
    :raises BudgetError: if there are too many
    """
    if count > MAX_ITEMS:
        raise BudgetError(f"a list can have at most {MAX_ITEMS:,} items")
    spend(count)


def check_number(value):
    """Refuse a number that is too large to count with.

    :raises BudgetError: if it is
    """
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise BudgetError("this number is too large")
    return value


def measure(value):
    """Return how long a value is when it is printed, about.

    :param value: text, number, or lists and dicts of them
    :return: number of signs
    :raises BudgetError: if lists within lists are too many
    """
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, list | tuple | dict | set | frozenset):
        return 20
    signs, items, level = 0, 0, [value]
    while level:
        inner = []
        for container in level:
            parts = (
                [*container.keys(), *container.values()]
                if isinstance(container, dict)
                else container
            )
            items += len(parts)
            if items > MAX_NESTED:
                raise BudgetError("there is too much in one list")
            for part in parts:
                if isinstance(part, str):
                    signs += len(part) + 4
                elif isinstance(part, list | tuple | dict | set | frozenset):
                    inner.append(part)
                else:
                    signs += 20
        level = inner
    return signs + items
