"""Figures of a period and of the one before, added up from the rows of days."""

from collections import defaultdict

NOW, BEFORE = 0, 1


class Totals:
    """What ``marketing.daily.figure`` summed up, by figure and by what it is split by.

    :param list rows: of ``_sum_up``, over the points of the period, then of the other
    :param int points: number of points of the period
    """

    def __init__(self, rows, points):
        self._points = points
        self._sums = defaultdict(float)
        self._rows = rows
        for row in rows:
            self._sums[self._when(row), row["figure"]] += row["value"]
        self.has_previous = any(
            value for (when, _figure), value in self._sums.items() if when == BEFORE
        )

    def _when(self, row):
        return NOW if row["point"] < self._points else BEFORE

    def get(self, figure, when=NOW):
        """Return a figure of the period; None for what cannot be known."""
        return self._sums[when, figure]

    def put(self, figure, when, value):
        """Add a figure that is worked out of others."""
        self._sums[when, figure] = value

    def split(self, figure, names, when=NOW):
        """Return a figure by some columns of its rows.

        :param str figure: its name
        :param tuple names: columns, as ``key`` or ``step_id``
        :rtype: dict[tuple, float]
        """
        parts = defaultdict(float)
        for row in self._rows:
            if row["figure"] == figure and self._when(row) == when:
                parts[tuple(row[name] for name in names)] += row["value"]
        return dict(parts)

    def get_series(self, figure, count):
        """Return a figure over all points, those of the other period behind.

        :param int count: number of points
        :rtype: list[float]
        """
        series = [0.0] * count
        for row in self._rows:
            if row["figure"] == figure:
                series[row["point"]] += row["value"]
        return series


def share(part, whole):
    """Return a share of 1; None of nothing."""
    return part / whole if whole else None
