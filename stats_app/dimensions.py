"""What clicks are counted by. `docs/contributing.md` says which files a new dimension needs.

A dimension counts the clicks of each local day, separately for each kind, under a key: the primary key of the campaign,
of the user and so on, or 0 for the whole workspace. A dimension with a `years` code is also stored by calendar year.
These sums are upper bounds for parts of the years, so a search for the keys with the most clicks reads the days of only
a few keys.
"""

from __future__ import annotations

from dataclasses import dataclass

# The kinds of clicks, with their numbers in the database. The columns of counts are in this order.
CAMPAIGN = "campaign"
VCARD = "vcard"
OTHER = "other"
KINDS = {CAMPAIGN: 0, VCARD: 1, OTHER: 2}

# The verdicts, with their numbers in the database. Only human clicks are counted.
HUMAN = "human"
SUSPECTED = "suspected"
BOT = "bot"
VERDICTS = {HUMAN: 0, SUSPECTED: 1, BOT: 2}

WORKSPACE_DAYS = 0
CAMPAIGN_DAYS = 1
USER_DAYS = 2
REASON_DAYS = 4
SHADOW_DAYS = 5
CAMPAIGN_YEARS = 12
USER_YEARS = 22


@dataclass(frozen=True, slots=True)
class Dimension:
    """`code` is the number in the rows. `key` is the column of clicks that they are counted by; clicks without a value
    in it are not counted in the dimension.

    `human` dimensions count human clicks; the others count clicks that the tools leave out, by their reasons. Those
    reasons are counted for the workspace, and for each key of the dimensions that have `reasons`. Keys of reasons are
    the primary keys of the model `Reason`.
    """

    code: int
    name: str
    key: str | None
    human: bool = True
    years: int | None = None
    reasons: bool = False


DIMENSIONS = (
    Dimension(WORKSPACE_DAYS, "workspace", None, reasons=True),
    Dimension(CAMPAIGN_DAYS, "campaign", "campaign_id", years=CAMPAIGN_YEARS, reasons=True),
    Dimension(USER_DAYS, "user", "user_id", years=USER_YEARS, reasons=True),
    # Clicks that are not counted, by verdict and reason. Staff see them separately.
    Dimension(REASON_DAYS, "reason", "reason_id", human=False),
    # Human clicks that rules on trial would have excluded, by the sum of the bits of these rules.
    Dimension(SHADOW_DAYS, "shadow", "shadow"),
)

WITH_REASONS = tuple(dimension for dimension in DIMENSIONS if dimension.reasons)

# The codes of all sums by calendar year.
YEARS = tuple(dimension.years for dimension in DIMENSIONS if dimension.years is not None)
