"""What is asked of figures before anything is said about them."""

CONFIDENCE = 0.95
# How sure one wants to be of seeing a difference that is there.
POWER = 0.8
# Of fewer in either group nothing is said: a normal share is no description of them.
FEWEST = 20
# Fewer of either outcome say as little, however large the group (a rule of thumb for
# the normal approximation; Agresti, "Categorical Data Analysis", 2nd ed., 1.4.1).
FEWEST_OUTCOMES = 5


def is_enough(successes, count):
    """Whether a group is large enough to say anything about a share.

    :param int successes: how many did it
    :param int count: of how many
    :rtype: bool
    """
    return count >= FEWEST and min(successes, count - successes) >= FEWEST_OUTCOMES
