"""What clicks are counted by. A dimension is data: adding one is adding a line here and a rebuild.

Each counts the clicks of a workspace for each local day, apart by kind, under a key: the number of the campaign, of the
user and so on, or 0 for the workspace as a whole. A dimension with a `years` code is stored by calendar year, too: such
sums are bounds that spare reading the days of most keys when those with the most clicks are looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

# What was clicked, with the number that stands for it in the database. The columns of counts stand in this order.
CAMPAIGN = "campaign"
VCARD = "vcard"
OTHER = "other"
KINDS = {CAMPAIGN: 0, VCARD: 1, OTHER: 2}

# Who clicked, likewise. Only the clicks of people are counted.
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
    """`code` is what rows hold; `key` is the click's column that they are counted by; clicks without it are left out.

    `human` dimensions count the clicks of people; the others what tools leave out. A reason is why that is, and whose:
    of the workspace, and of each key of the dimensions that have `reasons`. Its number is in the table of reasons.
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
    # What was not counted, by verdict and reason: shown apart to staff.
    Dimension(REASON_DAYS, "reason", "reason_id", human=False),
    # What rules on trial would have left out: the sum of their bits.
    Dimension(SHADOW_DAYS, "shadow", "shadow"),
)

WITH_REASONS = tuple(dimension for dimension in DIMENSIONS if dimension.reasons)

# The codes of all sums by calendar year.
YEARS = tuple(dimension.years for dimension in DIMENSIONS if dimension.years is not None)
