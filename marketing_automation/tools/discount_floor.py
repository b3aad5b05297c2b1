"""How much a discount may take off each line of an order that keeps a margin."""

from collections.abc import Sequence


def cap_percent(percent: float, rooms: Sequence[float]) -> list[float]:
    """Return the share of each line's price that a percentage takes off.

    :param percent: 0 to 100
    :param rooms: the share (0 to 1) that may be taken off each line at most
    """
    return [min(percent / 100, max(room, 0.0)) for room in rooms]


def cap_amount(
    amount: float, prices: Sequence[float], rooms: Sequence[float]
) -> list[float]:
    """Return the share of each line's price that an amount of money takes off.

    The lines bear it by their price. What one of them cannot bear, the others do.

    :param amount: what is to be taken off together
    :param prices: of the lines, none is negative
    :param rooms: the share (0 to 1) that may be taken off each line at most
    """
    left = {
        index: max(rooms[index], 0.0) for index, price in enumerate(prices) if price
    }
    shares = [0.0] * len(prices)
    while left and amount > 0:
        even = amount / sum(prices[index] for index in left)
        full = [index for index, room in left.items() if room <= even]
        if not full:
            for index in left:
                shares[index] = even
            break
        for index in full:
            shares[index] = left.pop(index)
            amount -= shares[index] * prices[index]
    return shares
