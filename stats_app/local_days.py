"""Filtering rows by local days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from django.db.models import Q, QuerySet

from stats_app.day_spans import time_spans


def in_days(rows: QuerySet[Any], column: str, zone: tzinfo, start: date, end: date) -> QuerySet[Any]:
    """The rows whose time in `column` falls on the zone's local days `start` to `end`, both included."""
    return _in_spans(rows, column, time_spans(zone, start, end))


def clicks_in_days(clicks: QuerySet[Any], zone: tzinfo, start: date, end: date) -> QuerySet[Any]:
    """The clicks of the zone's local days `start` to `end`, both included. Uses the index on days in UTC."""
    spans = time_spans(zone, start, end)
    inside = _in_spans(clicks, "clicked_at", spans)
    return inside.filter(utc_day__gte=spans[0][0].date(), utc_day__lte=spans[-1][1].date()) if spans else inside


def _in_spans(rows: QuerySet[Any], column: str, spans: Sequence[tuple[datetime, datetime]]) -> QuerySet[Any]:
    """The rows within these half-open spans of time; none without spans, as for a day that the zone skipped."""
    if not spans:
        return rows.none()
    inside = Q()
    for first, last in spans:
        inside |= Q(**{f"{column}__gte": first, f"{column}__lt": last})
    return rows.filter(inside)
