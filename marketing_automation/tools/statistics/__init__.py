"""What figures of groups of people can tell, and how sure it is.

Plain Python. Every method names its source; the tests compare with published examples
and with scipy and statsmodels, and count, over simulated shops, how often the intervals
hold the truth.
"""

from .constants import CONFIDENCE, FEWEST, FEWEST_OUTCOMES, POWER, is_enough
from .distributions import (
    chi_square_tail,
    incomplete_beta,
    student_quantile,
    student_tails,
)
from .experiment import (
    Comparison,
    Group,
    Verdict,
    get_differences,
    judge,
    lost_unevenly,
)
from .intervals import Interval, Sample, mean_interval, newcombe, welch, wilson
from .planning import (
    Plan,
    detectable_mean,
    detectable_share,
    needed_control,
    needed_control_mean,
)
from .significance import (
    chi_square,
    compare_means,
    compare_shares,
    fisher,
    holm,
)
