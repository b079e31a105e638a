"""What a report shows as rows for a CSV file, one form for all pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from stats_app.periods import Period
from stats_app.reports.campaign import CampaignReport
from stats_app.reports.charts import ComparedChart, StackedChart
from stats_app.reports.figures import Figure
from stats_app.reports.overview import OverviewReport
from stats_app.reports.ranking import Ranking
from stats_app.reports.user import UserReport

HEAD = ("table", "from", "to", "publicId", "name", "clicks", "previousFrom", "previousTo", "previousClicks", "state")

Row = tuple[Any, ...]


def csv_rows(report: OverviewReport | CampaignReport | UserReport, table: str = "") -> list[Row]:
    """The heading and then every number of the page, one a row, or of one table only.

    The tables are `totals`, `chart`, and on an overview `notCounted`, `campaignChart`, `campaigns`, `users`; on a
    user's page `kindChart`. `state` is `filling` while a row's days are not over, and `future` before they begin. The
    form does not depend on the reader's language.
    """
    rows = _rows(report)
    return [HEAD, *(rows if not table else (row for row in rows if row[0] == table))]


def _rows(report: OverviewReport | CampaignReport | UserReport) -> Iterator[Row]:
    yield from (_total(report, figure) for figure in report.figures)
    if isinstance(report, OverviewReport):
        days = _days(report.period)
        for verdict in ("suspected", "bot"):
            yield ("notCounted", *days, "", verdict, getattr(report.excluded, verdict), "", "", "", _state(report))
    yield from _chart(report.chart)
    if isinstance(report, OverviewReport):
        yield from _stacked("campaignChart", report.campaigns_chart)
        yield from _ranking(report, "campaigns", report.campaigns)
        yield from _ranking(report, "users", report.users)
    if isinstance(report, UserReport):
        yield from _stacked("kindChart", report.kinds_chart)


def _total(report: OverviewReport | CampaignReport | UserReport, figure: Figure) -> Row:
    before = figure.change.before if figure.change else ""
    compared = _days(report.comparison.compared)
    return ("totals", *_days(report.period), "", figure.key, figure.clicks, *compared, before, _state(report))


def _state(report: OverviewReport | CampaignReport | UserReport) -> str:
    if report.comparison.is_future:
        return "future"
    return "filling" if report.comparison.is_running else ""


def _chart(chart: ComparedChart) -> Iterator[Row]:
    for index in range(max(len(chart.current), len(chart.previous))):
        now: Row = ("", "", "", "", "")
        before: Row = ("", "", "")
        state = ""
        if index < len(chart.current):
            bucket = chart.axis.buckets[index]
            now = (bucket.start, bucket.end, "", bucket.label, chart.current[index])
            state = chart.axis.states[index]
        if index < len(chart.previous):
            bucket = chart.previous_axis.buckets[index]
            before = (bucket.start, bucket.end, chart.previous[index])
        yield ("chart", *now, *before, state)


def _stacked(table: str, chart: StackedChart) -> Iterator[Row]:
    names = [(series.public_id or "", series.name) for series in chart.series]
    for bucket, state, numbers in zip(chart.axis.buckets, chart.axis.states, chart.rows, strict=True):
        start, end = bucket.start.isoformat(), bucket.end.isoformat()
        for (public_id, name), clicks in zip(names, numbers, strict=True):
            yield (table, start, end, public_id, name, clicks, "", "", "", state)


def _ranking(report: OverviewReport, table: str, ranking: Ranking) -> Iterator[Row]:
    for rank in ranking.rows:
        before = rank.change.before if rank.change else ""
        yield (
            table,
            *_days(report.period),
            rank.public_id,
            rank.name,
            rank.clicks,
            *_days(report.comparison.compared),
            before,
            _state(report),
        )


def _days(period: Period) -> tuple[date, date]:
    return period.start, period.end
