"""The figures of a report as rows of a CSV file, with the same columns for all pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import zip_longest
from typing import Any

from stats_app.dimensions import BOT, SUSPECTED
from stats_app.periods import Period
from stats_app.reports.cells import CHANGE_HEAD, NO_CHANGE, NO_PREVIOUS, PREVIOUS_HEAD, change_cells, previous_cells
from stats_app.reports.charts import ComparedChart, StackedChart
from stats_app.reports.figures import Figure, Report
from stats_app.reports.overview import OverviewReport
from stats_app.reports.ranking import Rank
from stats_app.reports.user import UserReport

Row = tuple[Any, ...]

HEAD = ("table", "from", "to", "publicId", "name", "clicks", *PREVIOUS_HEAD, "state", *CHANGE_HEAD)


def csv_rows(report: Report, table: str = "") -> list[Row]:
    """The heading, and then a row for each number of the page, or of one table only.

    The tables are `totals`, `notCounted` (by verdict), `notCountedReasons`, `chart`, and on an overview `onTrial`,
    `campaignChart`, `campaigns`, `users`; on a user's page `kindChart`. `state` is `filling` if the days of a row are
    not over, and `future` if they have not begun. `change` and `changePercent` compare `countedClicks`, the clicks up
    to `countedTo`, with `previousClicks`, as the page does; if they are empty, `noChange` says why. The columns do not
    depend on the reader's language.
    """
    rows = _rows(report)
    return [HEAD, *(rows if not table else (row for row in rows if row[0] == table))]


def _rows(report: Report) -> Iterator[Row]:
    for figure in report.figures:
        yield _compared(report, "totals", figure, "", figure.key)
    yield from _excluded(report)
    yield from _chart(report.chart)
    if isinstance(report, OverviewReport):
        yield from _stacked("campaignChart", report.campaigns_chart)
        for table, ranking in report.rankings.items():
            for rank in ranking.rows:
                yield _compared(report, table, rank, rank.public_id, rank.name)
    if isinstance(report, UserReport):
        yield from _stacked("kindChart", report.kinds_chart)


def _excluded(report: Report) -> Iterator[Row]:
    """The clicks that are not counted. Reasons are in English, as they are stored."""
    excluded = report.excluded
    lines = [("notCounted", SUSPECTED, excluded.suspected), ("notCounted", BOT, excluded.bot)]
    lines += [("notCountedReasons", f"{line.verdict}: {line.reason}", line.clicks) for line in excluded.lines]
    lines += [("onTrial", f"{line.rule.verdict}: {line.rule.reason}", line.clicks) for line in excluded.shadows]
    for table, name, clicks in lines:
        yield (table, *_days(report.period), "", name, clicks, *NO_PREVIOUS, _state(report), *NO_CHANGE)


def _compared(report: Report, table: str, row: Figure | Rank, public_id: str, name: str) -> Row:
    """The row of a number for the whole period."""
    comparison = report.comparison
    return (
        *(table, *_days(report.period), public_id, name, row.clicks),
        *previous_cells(comparison.compared, row.change.before if row.change else None),
        _state(report),
        *change_cells(row.change, comparison.counted),
    )


def _state(report: Report) -> str:
    if report.comparison.is_future:
        return "future"
    return "filling" if report.comparison.is_running else ""


def _chart(chart: ComparedChart) -> Iterator[Row]:
    previous = chart.previous_axis.buckets if chart.previous_axis else ()
    besides = zip_longest(previous, chart.previous, chart.changes)
    for bucket, clicks, state, beside in zip_longest(chart.axis.buckets, chart.current, chart.axis.states, besides):
        other, before, change = beside or (None, None, None)
        now = ("", "", "", "", "") if bucket is None else (bucket.start, bucket.end, "", bucket.label, clicks)
        yield ("chart", *now, *previous_cells(other, before), state or "", *change_cells(change, bucket))


def _stacked(table: str, chart: StackedChart) -> Iterator[Row]:
    names = [(series.public_id or "", series.name) for series in chart.series]
    for bucket, state, numbers in zip(chart.axis.buckets, chart.axis.states, chart.rows, strict=True):
        start, end = bucket.start.isoformat(), bucket.end.isoformat()
        for (public_id, name), clicks in zip(names, numbers, strict=True):
            yield (table, start, end, public_id, name, clicks, *NO_PREVIOUS, state, *NO_CHANGE)


def _days(period: Period) -> tuple[date, date]:
    return period.start, period.end
