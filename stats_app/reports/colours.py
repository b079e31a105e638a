"""Which of the seven colours a campaign has in the charts of its workspace.

A campaign's own colour follows from its place among the workspace's campaigns in the order they were made, so that it
is the same in every period, whatever the campaign's rank. Of two campaigns with the same own colour the older keeps it.
The other one's colour is settled among the campaigns with the most clicks of late, and not among those that a chart
happens to show, so that it stays the same from one period to the next, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from stats_app import store
from stats_app.models import Campaign, Workspace
from stats_app.periods import Period

COLOURS = 7
# As long as the longest of the usual periods that count days.
RECENT_DAYS = 91


def campaign_colours(workspace: Workspace, shown: Sequence[int], today: date) -> dict[int, int]:
    """A number from 1 to `COLOURS` for each campaign of `shown`, no two alike. Two reads at most.

    `shown` are the keys of at most as many campaigns.
    """
    keys = Campaign.objects.filter(workspace=workspace.pk).order_by("pk").values_list("pk", flat=True)
    places = {key: place for place, key in enumerate(keys)}
    recent: list[int] = []
    if len(places) > COLOURS:
        days = Period.last_days(RECENT_DAYS, today)
        recent = [int(key) for (key,) in store.counts(workspace.pk, days, ("campaign", "day"), top=COLOURS)]
    return assigned_colours(shown, recent, places)


def assigned_colours(shown: Sequence[int], recent: Sequence[int], places: Mapping[int, int]) -> dict[int, int]:
    """The colours of `shown`, where those of `recent` are settled first; each holds at most `COLOURS` keys.

    `places` has the place of every campaign, from 0.
    """
    settled = _settle(recent, places, {})
    colours = {key: settled[key] for key in shown if key in settled}
    return _settle([key for key in shown if key not in colours], places, colours)


def _settle(keys: Sequence[int], places: Mapping[int, int], colours: Mapping[int, int]) -> dict[int, int]:
    """`colours` and a free one for each of `keys`: its own one where no older key has the same, else the next free."""
    settled = dict(colours)
    waiting = []
    # One that was made after the places were read has none, and goes without a preference.
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
