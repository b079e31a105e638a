"""Whether the clicks of single persons are shown. Every surface reads the setting PERSON_FIGURES here.

`"full"` shows all persons, `"totals"` none, and a whole number k those with at least k clicks in the period.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from stats_app.conf import conf

FULL = "full"
TOTALS = "totals"


def least() -> float:
    """The clicks in the period that a person must have for the figure to be shown; infinity if no figures are shown."""
    setting = conf.person_figures
    if isinstance(setting, str):
        return 0 if setting == FULL else math.inf
    return setting


def are_shown() -> bool:
    """Whether any figures of persons are shown. If not, nothing is listed, filtered or sorted by person."""
    return least() < math.inf


def are_all_shown() -> bool:
    """Whether all figures of persons are shown. Only then may single clicks be shown with their users."""
    return least() <= 0


def least_shown(figures: Iterable[int]) -> float:
    """The minimum of clicks for a person's figure to be shown beside the total. `figures` are those of all persons,
    including zeros.

    It is `least`, unless exactly one person is below it: the total minus all shown figures would be that person's
    figure. Then the minimum is higher, so that the next smallest figure, and all equal to it, are withheld as well.
    """
    wanted = least()
    if not 0 < wanted < math.inf:
        return wanted
    below, above = 0, math.inf
    for clicks in figures:
        if clicks < wanted:
            below += 1
        else:
            above = min(above, clicks)
    return above + 1 if below == 1 else wanted
