"""What clicks are counted by. A dimension is data: adding one is adding a line here and a rebuild.

Each counts the clicks of a workspace for each local day, apart by kind, under a key: the number of the campaign or the
user, or 0 for the workspace as a whole. A dimension with a `years` code is stored by calendar year, too: such sums are
bounds that spare reading the days of most keys when those with the most clicks are looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

WORKSPACE = 0
CAMPAIGN = 1
USER = 2
EXCLUDED = 3
CAMPAIGN_YEAR = 12
USER_YEAR = 22


@dataclass(frozen=True, slots=True)
class Dimension:
    """`code` is what rows hold; `key` is the click's column that they are counted by; clicks without it are left out.

    `human` dimensions count the clicks of people; the others what tools leave out.
    """

    code: int
    name: str
    key: str | None
    human: bool = True
    years: int | None = None


DIMENSIONS = (
    Dimension(WORKSPACE, "workspace", None),
    Dimension(CAMPAIGN, "campaign", "campaign_id", years=CAMPAIGN_YEAR),
    Dimension(USER, "user", "user_id", years=USER_YEAR),
    # What was not counted, by verdict: shown apart to staff.
    Dimension(EXCLUDED, "verdict", "verdict", human=False),
)

# The codes of all sums by calendar year.
YEARS = tuple(dimension.years for dimension in DIMENSIONS if dimension.years is not None)
