"""Marks on a chart where campaigns begin and end. The table and the tooltip name the campaigns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stats_app.models import Campaign
from stats_app.periods import Bucket
from stats_app.reports.names import name_html, short_name

# The most campaigns that a mark names. Of the others it says only how many there are.
NAMED = 3
# The most campaigns with marks in a chart. With more, nearly every bucket would have a mark.
MOST = 200

# The most characters of a name in the tooltip, which has room for four short lines. They must also say what happens.
SAID = 20

_Run = tuple[str, str, date | None, date | None]


class Mark(NamedTuple):
    """A mark's text in the table, as HTML, and its text in the tooltip, with short names. Both are empty without a
    mark."""

    html: SafeString
    said: str


def campaign_marks(campaigns: QuerySet[Any], buckets: Sequence[Bucket]) -> list[Mark]:
    """For each bucket the campaigns that begin or end in it. An empty list if there are none in any bucket."""
    days = (buckets[0].start, buckets[-1].end)
    within = campaigns.filter(Q(starts_on__range=days) | Q(ends_on__range=days)).order_by("pk")
    return _marks(within.values_list("public_id", "name", "starts_on", "ends_on")[:MOST], buckets)


def marks_of(campaign: Campaign, buckets: Sequence[Bucket]) -> list[Mark]:
    """As `campaign_marks`, for one campaign."""
    return _marks([(campaign.public_id, campaign.name, campaign.starts_on, campaign.ends_on)], buckets)


def _marks(campaigns: Iterable[_Run], buckets: Sequence[Bucket]) -> list[Mark]:
    marked = _by_bucket(campaigns, buckets)
    return [_mark(marked[number]) for number in range(len(buckets))] if marked else []


def _by_bucket(campaigns: Iterable[_Run], buckets: Sequence[Bucket]) -> dict[int, list[Mark]]:
    """The texts of the campaigns that begin or end in each bucket, by the bucket's position."""
    places = {day: place for place, bucket in enumerate(buckets) for day in _days(bucket)}
    marked: dict[int, list[Mark]] = defaultdict(list)
    for public_id, name, first, last in campaigns:
        for day, pattern in ((first, _("{name} begins")), (last, _("{name} ends"))):
            if day in places:
                html = format_html(pattern, name=name_html(name, public_id))
                marked[places[day]].append(Mark(html, pattern.format(name=short_name(name, public_id, SAID))))
    return marked


def _days(bucket: Bucket) -> Iterable[date]:
    return map(date.fromordinal, range(bucket.start.toordinal(), bucket.end.toordinal() + 1))


def _mark(texts: Sequence[Mark]) -> Mark:
    html = format_html_join(", ", "{}", ((text.html,) for text in texts[:NAMED]))
    said = ", ".join(text.said for text in texts[:NAMED])
    more = len(texts) - NAMED
    if more <= 0:
        return Mark(html, said)
    pattern = ngettext("{named} and {number} more", "{named} and {number} more", more)
    return Mark(format_html(pattern, named=html, number=more), pattern.format(named=said, number=more))
