"""The correct answers of the tools, by a simple count: one pass over the clicks with the standard library's calendar.

It shares only the click with the product: no period, no bucket, no rollup, no SQL.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from stats_app.ingest import ClickInput

Json = dict[str, Any]

KINDS = ("campaign", "vcard", "other")


def days(start: date, end: date) -> Iterator[date]:
    while start <= end:
        yield start
        start += timedelta(days=1)


def previous(start: date, end: date) -> tuple[date, date]:
    """The period to compare with."""
    last = start - timedelta(days=1)
    if start.day == 1 and end.day == calendar.monthrange(end.year, end.month)[1]:
        first = start
        months = len({(day.year, day.month) for day in days(start, end)})
        for _ in range(months):
            first = (first - timedelta(days=1)).replace(day=1)
        return first, last
    return start - timedelta(days=len(list(days(start, end)))), last


LABEL: dict[str, Callable[[date], str]] = {
    "day": lambda day: f"{day:%Y-%m-%d}",
    "week": lambda day: f"{day:%G-W%V}",
    "month": lambda day: f"{day:%Y-%m}",
}


def is_in(click: ClickInput, zone: ZoneInfo, start: date, end: date) -> bool:
    return click.verdict == "human" and start <= local_day(click, zone) <= end


def local_day(click: ClickInput, zone: ZoneInfo) -> date:
    time: datetime = click.clicked_at
    return time.astimezone(zone).date()


def series(clicks: Iterable[ClickInput], zone: ZoneInfo, start: date, end: date, breakdown: str) -> dict[str, int]:
    """Label to clicks, in order, zeros included."""
    label = LABEL[breakdown]
    counted = {label(day): 0 for day in days(start, end)}
    for click in clicks:
        if is_in(click, zone, start, end):
            counted[label(local_day(click, zone))] += 1
    return counted


def by_kind(clicks: Iterable[ClickInput], zone: ZoneInfo, start: date, end: date) -> dict[str, int]:
    counted = Counter(click.kind for click in clicks if is_in(click, zone, start, end))
    return {kind: counted[kind] for kind in KINDS}


def overview(
    clicks: list[ClickInput],
    *,
    zone: str,
    start: date,
    end: date,
    breakdown: str,
    names: dict[str, str],
    generated_at: str,
    workspace: str = "Acme",
) -> Json:
    """The whole answer; `names` gives the name of each campaign's public id."""
    tz = ZoneInfo(zone)
    kinds = by_kind(clicks, tz, start, end)
    return {
        "workspace": {"name": workspace},
        "period": {"from": str(start), "to": str(end)},
        "totals": {
            "campaignClicks": kinds["campaign"],
            "vcardClicks": kinds["vcard"],
            "totalClicks": sum(kinds.values()),
        },
        "breakdown": {} if breakdown == "none" else _chart(clicks, tz, start, end, breakdown, names),
        "signals": [{"type": f"{kind}_clicks", "count": number} for kind, number in kinds.items() if number > 0],
        "generatedAt": generated_at,
    }


def _chart(
    clicks: list[ClickInput], zone: ZoneInfo, start: date, end: date, breakdown: str, names: dict[str, str]
) -> Json:
    current = series(clicks, zone, start, end, breakdown)
    before = series(clicks, zone, *previous(start, end), breakdown)
    of_campaigns = {
        public_id: series((c for c in clicks if c.campaign == public_id), zone, start, end, breakdown)
        for public_id in names
    }
    ranked = sorted(names, key=lambda public_id: (-sum(of_campaigns[public_id].values()), public_id))
    return {
        "chart": {
            "datasets": {
                "current": list(current.values()),
                "previous": list(before.values()),
                "campaigns": [
                    {"publicId": public_id, "name": names[public_id], "data": list(of_campaigns[public_id].values())}
                    for public_id in ranked[:10]
                    if any(of_campaigns[public_id].values())
                ],
            },
            "labels": {"current": list(current), "previous": list(before)},
        }
    }


def campaign_metrics(
    clicks: list[ClickInput], public_id: str, *, zone: str, start: date, end: date, assigned: int
) -> Json:
    """The `metrics` of a campaign's performance."""
    tz = ZoneInfo(zone)
    own = series((c for c in clicks if c.campaign == public_id), tz, start, end, "day")
    number, whole = sum(own.values()), by_kind(clicks, tz, start, end)["campaign"]
    best = max(own, key=lambda label: own[label])
    ratio = (Decimal(number) / whole).quantize(Decimal("0.0001"), ROUND_HALF_EVEN) if whole else None
    return {
        "clicks": number,
        "shareOfCampaignClicks": None if ratio is None else float(ratio),
        "bestDay": {"date": best, "clicks": own[best]} if own[best] else None,
        "assignedUsers": assigned,
    }


def user_metrics(
    clicks: list[ClickInput], public_id: str, *, zone: str, start: date, end: date, assignments: int, aliases: int
) -> Json:
    """The `metrics` of a user."""
    kinds = by_kind((c for c in clicks if c.user == public_id), ZoneInfo(zone), start, end)
    return {
        "campaignClicks": kinds["campaign"],
        "vcardClicks": kinds["vcard"],
        "otherClicks": kinds["other"],
        "totalClicks": sum(kinds.values()),
        "campaignAssignments": assignments,
        "aliases": aliases,
    }
