"""Write what scipy and statsmodels say: see `tools/statistics-reference`.

The tests are run with a reference that asks the libraries and writes the answers down.
"""

import json
import math
import sys
import unittest

import numpy
import scipy.special
import scipy.stats
import statsmodels.stats.api as statsmodels

import odoo.cli  # noqa: F401 - loads the addons paths
from odoo.tests.loader import get_module_test_cases
from odoo.tests.result import OdooTestResult
from odoo.tools import config


def tests():
    """Return the module with the tests."""
    from odoo.addons.marketing_automation.tests import test_statistics_reference

    return test_statistics_reference


# === QUESTIONS: arguments as the tests give them ===#


def chi_square(groups):
    table = [[done, people - done] for done, people in groups]
    expected = scipy.stats.chi2_contingency(table, correction=False)
    return [expected.statistic, expected.pvalue]


def chi_square_of_two(groups):
    done, sizes = zip(*groups, strict=True)
    return statsmodels.proportions_chisquare(done, sizes)[1]


def fisher(done, size, other_done, other_size):
    table = [[done, size - done], [other_done, other_size - other_done]]
    return scipy.stats.fisher_exact(table).pvalue


def welch(first, second):
    (count, mean, variance), (other_count, other_mean, other_variance) = first, second
    return scipy.stats.ttest_ind_from_stats(
        *(mean, math.sqrt(variance), count),
        *(other_mean, math.sqrt(other_variance), other_count),
        equal_var=False,
    ).pvalue


def amounts(group, confidence):
    first, second = (
        statsmodels.DescrStatsW(numpy.array(people))
        for people in tests().draw_amounts()[tuple(group)]
    )
    return [
        statsmodels.CompareMeans(first, second).tconfint_diff(
            1 - confidence, usevar="unequal"
        ),
        first.tconfint_mean(1 - confidence),
    ]


def newcombe(done, size, other_done, other_size, confidence):
    return statsmodels.confint_proportions_2indep(
        *(done, size, other_done, other_size), method="newcomb", alpha=1 - confidence
    )


def people_for_shares(share, rise, ratio, confidence, power):
    # It counts the other group, at the inverse ratio.
    return statsmodels.samplesize_proportions_2indep_onetail(
        -rise, share + rise, power, ratio=ratio, alpha=1 - confidence
    )


def people_for_means(effect, ratio):
    # One tail: nobody wants to see the difference on the wrong side.
    return statsmodels.NormalIndPower().solve_power(
        effect, alpha=0.025, power=0.8, ratio=ratio, alternative="larger"
    )


QUESTIONS = {
    "chi-square tail": lambda value, freedom: scipy.stats.chi2.sf(value, freedom),
    "t tails": lambda value, freedom: 2 * scipy.stats.t.sf(value, freedom),
    "t quantile": lambda share, freedom: scipy.stats.t.ppf(share, freedom),
    "incomplete beta": scipy.special.betainc,
    "chi-square": chi_square,
    "chi-square of two": chi_square_of_two,
    "fisher": fisher,
    "welch": welch,
    "holm": lambda values: statsmodels.multipletests(values, method="holm")[1],
    "wilson": lambda done, size, confidence: statsmodels.proportion_confint(
        done, size, 1 - confidence, "wilson"
    ),
    "newcombe": newcombe,
    "amounts": amounts,
    "people for shares": people_for_shares,
    "people for means": people_for_means,
    "power for means": lambda effect, count, ratio: statsmodels.NormalIndPower().power(
        effect, count, 0.025, ratio, "larger"
    ),
}


def plain(value):
    """Return numbers as JSON can hold them."""
    if hasattr(value, "__iter__"):
        return [plain(each) for each in value]
    return float(value)


class LiveReference:
    """Asks the libraries, and writes down what they say."""

    def __init__(self):
        self.written = {}

    def ask(self, name, *arguments):
        answer = plain(QUESTIONS[name](*arguments))
        cases = self.written.setdefault(name, {})
        cases[json.dumps(arguments)] = answer
        return answer

    def write(self, path):
        """Write a file, one line for each question."""
        names = []
        for name, cases in self.written.items():
            lines = ",\n".join(
                f"[{arguments}, {json.dumps(answer)}]"
                for arguments, answer in cases.items()
            )
            names.append(f"{json.dumps(name)}: [\n{lines}\n]")
        path.write_text("{\n" + ",\n".join(names) + "\n}\n")


def main():
    """Run the tests; write the file if all of them pass.

    :return: exit status
    :rtype: int
    """
    config.parse_config([], setup_logging=True)
    module = tests()
    reference = LiveReference()
    module.TestStatisticsReference.make_reference = lambda: reference
    result = OdooTestResult()
    unittest.TestSuite(get_module_test_cases(module)).run(result)
    print(result)
    if result.wasSuccessful():
        reference.write(module.REFERENCE)
    return int(not result.wasSuccessful())


if __name__ == "__main__":
    sys.exit(main())
