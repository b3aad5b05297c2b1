"""How many random examples a test looks at."""

import os

# `TEST_EXAMPLES=all tools/test …` looks at as many as were looked at when the code was
# written; the suite at some of them, which are the same each time.
ALL = os.environ.get("TEST_EXAMPLES") == "all"


def examples(some, many):
    """Return how many examples there are in this run.

    :param int some: in the suite
    :param int many: with ``TEST_EXAMPLES=all``
    :rtype: int
    """
    return many if ALL else some
