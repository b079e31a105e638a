"""Where campaigns begin and end, as marks on a chart: named in its table, and under the pointer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stats_app.models import Campaign
from stats_app.periods import Bucket
from stats_app.reports.names import name_html

# The most campaigns that a mark names. It gives the number of the others.
NAMED = 3
# The most campaigns with marks in a chart. With more, nearly every bucket would have a mark.
MOST = 200

_Run = tuple[str, str, date | None, date | None]


def campaign_marks(campaigns: QuerySet[Any], buckets: Sequence[Bucket]) -> list[SafeString]:
    """For each bucket the campaigns that begin or end in it, as HTML. An empty list if there are none in any bucket."""
    days = (buckets[0].start, buckets[-1].end)
    within = campaigns.filter(Q(starts_on__range=days) | Q(ends_on__range=days)).order_by("pk")
    named = list(within.values_list("public_id", "name", "starts_on", "ends_on")[:MOST])
    marked = _by_bucket(named, buckets)
    return [_mark(marked[number]) for number in range(len(buckets))] if marked else []


def marks_of(campaign: Campaign, buckets: Sequence[Bucket]) -> list[SafeString]:
    """As `campaign_marks`, for one campaign."""
    marked = _by_bucket([(campaign.public_id, campaign.name, campaign.starts_on, campaign.ends_on)], buckets)
    return [_mark(marked[number]) for number in range(len(buckets))] if marked else []


def _by_bucket(campaigns: Iterable[_Run], buckets: Sequence[Bucket]) -> dict[int, list[SafeString]]:
    """The texts of the campaigns that begin or end in each bucket, by the bucket's position."""
    places = {day: place for place, bucket in enumerate(buckets) for day in _days(bucket)}
    marked: dict[int, list[SafeString]] = defaultdict(list)
    for public_id, name, first, last in campaigns:
        for day, pattern in ((first, _("{name} begins")), (last, _("{name} ends"))):
            if day in places:
                marked[places[day]].append(format_html(pattern, name=name_html(name, public_id)))
    return marked


def _days(bucket: Bucket) -> Iterable[date]:
    return map(date.fromordinal, range(bucket.start.toordinal(), bucket.end.toordinal() + 1))


def _mark(texts: Sequence[SafeString]) -> SafeString:
    named = format_html_join(", ", "{}", ((text,) for text in texts[:NAMED]))
    more = len(texts) - NAMED
    if more <= 0:
        return named
    pattern = ngettext("{named} and {number} more", "{named} and {number} more", more)
    return format_html(pattern, named=named, number=more)
