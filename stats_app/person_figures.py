"""Whether the clicks of single persons are shown: the setting PERSON_FIGURES, which every surface asks for here.

`"full"` shows all of them, `"totals"` none, and a whole number k those of persons with at least k clicks in the period.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from stats_app.conf import conf

FULL = "full"
TOTALS = "totals"


def least() -> float:
    """How many clicks a person needs in the period for a figure to be shown; infinity where no number is enough."""
    setting = conf.person_figures
    if isinstance(setting, str):
        return 0 if setting == FULL else math.inf
    return setting


def are_shown() -> bool:
    """Whether persons' figures are shown at all. Where not, nothing is listed, filtered or sorted by person."""
    return least() < math.inf


def are_all_shown() -> bool:
    """Whether nothing is withheld, so that raw clicks, too, may be told by person."""
    return least() <= 0


def is_shown(clicks: int) -> bool:
    """Whether a person's figure of so many clicks in the period is shown, or withheld."""
    return clicks >= least()


def least_shown(figures: Iterable[int]) -> float:
    """How many clicks are needed to be shown beside a whole: the sum of `figures`, those of all persons, zeros too.

    It is `least`, but for a single person below that: the whole less all others would be that person's figure. So the
    next smallest is withheld as well, and so are its equals.
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
