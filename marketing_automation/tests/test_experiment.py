from odoo.tests import BaseCase, tagged

from ..tools.statistics import (
    Group,
    Sample,
    get_differences,
    judge,
    lost_unevenly,
    newcombe,
)


def spent(count, buyers, mean, variance):
    return Group(count, buyers, Sample(count, mean, variance))


@tagged("post_install", "-at_install")
class TestExperiment(BaseCase):
    """Which variant wins, and when none does."""

    def test_clearly_better(self):
        groups = [Group(1000, 100), Group(1000, 150)]
        verdict = judge(groups)
        self.assertEqual((verdict.winner, verdict.best), (1, 1))
        self.assertEqual(verdict.comparisons[1].method, "chi_square")
        self.assertIsNone(verdict.comparisons[0])
        control, difference = get_differences(groups)
        self.assertIsNone(control)
        self.assertAlmostEqual(difference.estimate, 0.05)
        self.assertTrue(difference.is_clear)

    def test_intervals_hold_together(self):
        groups = [Group(1000, 100), Group(1000, 129), Group(900, 80)]
        found = get_differences(groups, confidence=0.9)
        # Two of them: each is as sure as 95 %.
        self.assertEqual(found[1], newcombe(129, 1000, 100, 1000, 0.95))
        self.assertEqual(found[2], newcombe(80, 900, 100, 1000, 0.95))

    def test_ahead_by_chance(self):
        verdict = judge([Group(1000, 100), Group(1000, 115)])
        self.assertIsNone(verdict.winner)
        self.assertEqual(verdict.best, 1)

    def test_the_level_decides(self):
        # p = 0.0435
        groups = [Group(1000, 100), Group(1000, 129)]
        self.assertEqual(judge(groups, confidence=0.95).winner, 1)
        self.assertIsNone(judge(groups, confidence=0.99).winner)

    def test_several_variants_need_more(self):
        groups = [Group(1000, 100), Group(1000, 129)]
        self.assertEqual(judge(groups).winner, 1)
        self.assertIsNone(judge([*groups, Group(1000, 101)]).winner)

    def test_best_of_those_surely_better(self):
        groups = [Group(1000, 160), Group(1000, 100), Group(1000, 170)]
        verdict = judge(groups, control=1)
        self.assertEqual(verdict.winner, 2)

    def test_surely_better_goes_before_ahead(self):
        """The smaller variant did best, but only the larger one surely."""
        groups = [Group(5000, 500), Group(5000, 600), Group(40, 6)]
        verdict = judge(groups)
        self.assertEqual((verdict.winner, verdict.best), (1, 2))

    def test_control_wins_only_over_all(self):
        groups = [Group(1000, 150), Group(1000, 100), Group(1000, 145)]
        self.assertIsNone(judge(groups).winner)
        groups[2] = Group(1000, 95)
        self.assertEqual(judge(groups).winner, 0)

    def test_alike(self):
        verdict = judge([Group(500, 20), Group(500, 20)])
        self.assertIsNone(verdict.winner)
        # Where nothing speaks for another one the control did best.
        self.assertEqual(verdict.best, 0)
        self.assertEqual(judge([Group(500, 20)] * 2, control=1).best, 1)

    def test_nobody_did_it(self):
        verdict = judge([Group(500, 0), Group(500, 0)])
        self.assertIsNone(verdict.winner)
        self.assertEqual(verdict.comparisons[1].p_value, 1.0)

    def test_small_counts_are_exact(self):
        verdict = judge([Group(200, 0), Group(200, 8)])
        self.assertEqual(verdict.comparisons[1].method, "fisher")
        self.assertEqual(verdict.winner, 1)

    def test_nobody_got_it(self):
        groups = [Group(0, 0), Group(100, 30)]
        verdict = judge(groups)
        self.assertIsNone(verdict.winner)
        self.assertEqual(verdict.comparisons[1].method, "too_few")
        self.assertEqual(get_differences(groups), [None, None])
        self.assertIsNone(groups[0].get_interval())

    def test_revenue(self):
        groups = [spent(2000, 60, 1.5, 90.0), spent(2000, 100, 2.5, 140.0)]
        verdict = judge(groups)
        self.assertEqual((verdict.winner, verdict.comparisons[1].method), (1, "welch"))
        self.assertAlmostEqual(get_differences(groups)[1].estimate, 1.0)

    def test_one_large_order_is_no_revenue(self):
        verdict = judge([spent(2000, 4, 0.1, 1.0), spent(2000, 100, 2.5, 10.0)])
        self.assertIsNone(verdict.winner)
        self.assertEqual(verdict.comparisons[1].method, "too_few")

    def test_lost_unevenly(self):
        self.assertFalse(lost_unevenly([1000, 1000], [1000, 1000]))
        self.assertFalse(lost_unevenly([1000, 1000], [960, 950]))
        self.assertTrue(lost_unevenly([1000, 1000], [980, 900]))
        # Weights are no loss.
        self.assertFalse(lost_unevenly([1800, 200], [1710, 190]))
        self.assertFalse(lost_unevenly([5, 5], [5, 0]))
        self.assertFalse(lost_unevenly([0, 0], [0, 0]))
