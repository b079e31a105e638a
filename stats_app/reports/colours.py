"""Which of the seven colours a campaign has in the charts of its workspace.

The preferred colour of a campaign depends only on its position among the workspace's campaigns, sorted by age. So it is
the same in every period, whatever the rank of the campaign. If two campaigns prefer the same colour, the older one gets
it, and the other one gets a free colour. Free colours are given to the campaigns with the most clicks recently, and not
to those in the chart, so that they too are the same in most periods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from stats_app import store
from stats_app.models import Campaign, Workspace
from stats_app.periods import Period

COLOURS = 7
# The length of the longest preset of days.
RECENT_DAYS = 91


def campaign_colours(workspace: Workspace, shown: Sequence[int], today: date) -> dict[int, int]:
    """A different number from 1 to `COLOURS` for each campaign of `shown`. At most two queries.

    `shown` are the primary keys of at most `COLOURS` campaigns.
    """
    keys = Campaign.objects.filter(workspace=workspace.pk).order_by("pk").values_list("pk", flat=True)
    places = {key: place for place, key in enumerate(keys)}
    recent: list[int] = []
    if len(places) > COLOURS:
        days = Period.last_days(RECENT_DAYS, today)
        recent = [int(key) for (key,) in store.counts(workspace.pk, days, ("campaign", "day"), top=COLOURS)]
    return assigned_colours(shown, recent, places)


def assigned_colours(shown: Sequence[int], recent: Sequence[int], places: Mapping[int, int]) -> dict[int, int]:
    """The colours of `shown`. Colours are given to `recent` first. Each of the two has at most `COLOURS` keys.

    `places` has the position of every campaign, from 0.
    """
    settled = _settle(recent, places, {})
    colours = {key: settled[key] for key in shown if key in settled}
    return _settle([key for key in shown if key not in colours], places, colours)


def _settle(keys: Sequence[int], places: Mapping[int, int], colours: Mapping[int, int]) -> dict[int, int]:
    """Adds a free colour to `colours` for each of `keys`: the preferred one if no older key has it, else the next free
    one."""
    settled = dict(colours)
    waiting = []
    # A campaign that was made after the positions were read has no position; it is treated as the first.
    for key in sorted(keys):
        own = places.get(key, 0) % COLOURS + 1
        if own in settled.values():
            waiting.append((key, own))
        else:
            settled[key] = own
    for key, own in waiting:
        candidates = ((own + step) % COLOURS + 1 for step in range(COLOURS))
        settled[key] = next(colour for colour in candidates if colour not in settled.values())
    return settled
