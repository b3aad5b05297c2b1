"""What becomes of those who are on their way through a sequence when it is edited.

Who is past a step stays past it: only steps behind all that somebody had already can
still come. Who waits for a step keeps waiting for it if that is possible, and its time
moves by as much as the step's own delay changed.
"""

from typing import NamedTuple


class Timing(NamedTuple):
    """When a step is due.

    :param step_id: of the step
    :param offset: seconds from the beginning of a run
    :param from_previous: whether it is counted from the step before it
    """

    step_id: int
    offset: int
    from_previous: bool


class Move(NamedTuple):
    """What somebody may wait for from now on.

    :param reached_id: the last step in today's order that they had, None: none yet
    :param awaited_id: the step they were waiting for
    :param rank: moves of a lower rank come first
    :param step_id: the step to wait for now
    :param shift: seconds by which that is due later (or earlier) than the awaited one
    :param is_certain: whether they get it even if its time has passed. Not so for
        steps that were put in front of the awaited one: nobody is surprised by a
        message the moment somebody saves a sequence.
    """

    reached_id: int | None
    awaited_id: int
    rank: int
    step_id: int
    shift: int
    is_certain: bool


def plan_moves(before, after):
    """Return what everybody on their way may wait for after an edit.

    :param list before: Timing of the steps there were, in their order
    :param list after: Timing of the steps there are, in their order
    :return: Move; who finds no step in them is through
    :rtype: list[Move]
    """
    moves = []
    for place in range(-1, len(after)):
        reached = after[place] if place >= 0 else None
        for awaited in before:
            moves += _plan_one(reached, awaited, before, after[place + 1 :])
    return moves


def _plan_one(reached, awaited, before, candidates):
    ranks = {timing.step_id: rank for rank, timing in enumerate(before)}
    moved_by = _change_of(reached, before)
    is_chained = True
    for rank, step in enumerate(candidates):
        is_chained = is_chained and step.from_previous
        yield Move(
            reached.step_id if reached else None,
            awaited.step_id,
            rank,
            step.step_id,
            # What is counted from a step they have had does not care that this one
            # would be due at another time now.
            step.offset - awaited.offset - (moved_by if is_chained else 0),
            ranks.get(step.step_id, -1) >= ranks[awaited.step_id],
        )


def _change_of(reached, before):
    if reached is None:
        return 0
    known = {timing.step_id: timing.offset for timing in before}
    return reached.offset - known.get(reached.step_id, reached.offset)
