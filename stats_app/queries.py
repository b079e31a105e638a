"""The tools' answers: a workspace's overview, a campaign's performance, a user's metrics, and searches for ids.

Every surface uses these functions, so that a page and an API answer cannot differ. They read counts from rollups only.
The number of queries does not depend on the number of rows. All numbers are human clicks in the workspace's local days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

from django.db import connections, router

from stats_app import person_figures, store
from stats_app.dimensions import CAMPAIGN, KINDS, OTHER, VCARD
from stats_app.errors import NotFound, PersonFiguresOff
from stats_app.models import Campaign, Workspace, WorkspaceUser, campaign_status
from stats_app.periods import Breakdown, Period, fold, format_time, hull
from stats_app.sql import subjects
from stats_app.sql.words import Alphabetical

TOP_CAMPAIGNS = 10
# Among this many users there are nearly always two with few clicks, so that the other users need not be read.
_SOME_USERS = 50

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CampaignDays:
    """A campaign, with its primary key and its public id, and its clicks on each day of a period."""

    key: int
    public_id: str
    name: str
    daily: list[int]


@dataclass(frozen=True)
class DailyClicks:
    """The clicks of each kind on each day of `days`."""

    days: Period
    by_kind: dict[str, list[int]]

    def clicks(self, period: Period) -> dict[str, int]:
        """The clicks by kind in a period within the days."""
        return {kind: sum(numbers[self._part(period)]) for kind, numbers in self.by_kind.items()}

    def of_kind(self, kind: str, period: Period, breakdown: Breakdown) -> list[int]:
        """The clicks of one kind in each bucket of a period within the days."""
        return fold(self.by_kind[kind][self._part(period)], period.buckets(breakdown))

    def series(self, period: Period, breakdown: Breakdown) -> list[int]:
        """The clicks of all kinds in each bucket of a period within the days."""
        return fold(self.total[self._part(period)], period.buckets(breakdown))

    @cached_property
    def total(self) -> list[int]:
        """The clicks of all kinds on each day."""
        return [*map(sum, zip(*self.by_kind.values(), strict=True))]

    def _part(self, period: Period) -> slice:
        start = (period.start - self.days.start).days
        return slice(start, start + period.days)


def _daily_clicks(workspace: Workspace, days: Period, where: store.Where | None = None) -> DailyClicks:
    counts = store.counts(workspace.pk, days, ("day", "kind"), where=where)
    return DailyClicks(days, {str(kind): numbers for (kind,), numbers in counts.items()})


@dataclass(frozen=True, slots=True)
class OverviewCounts:
    """The counts for an overview with a chart.

    `daily` are the workspace's clicks, at least in the period and the previous one. `campaigns` are the campaigns with
    the most clicks in the period, in descending order.
    """

    period: Period
    daily: DailyClicks
    campaigns: list[CampaignDays]


def overview_counts(workspace: Workspace, period: Period, more_days: Period | None = None) -> OverviewCounts:
    """The counts, by three queries, or four if clicks are spread evenly (`sql.rankings`). `daily` also contains
    `more_days`."""
    days = hull([period, period.previous(), more_days or period])
    # Campaigns are read before the total: if clicks come in between, the total is still not less than its parts.
    campaigns = _top_campaigns(workspace, period)
    return OverviewCounts(period, _daily_clicks(workspace, days), campaigns)


def _top_campaigns(workspace: Workspace, period: Period) -> list[CampaignDays]:
    series = store.counts(workspace.pk, period, ("campaign", "day"), top=TOP_CAMPAIGNS)
    connection = connections[router.db_for_read(Campaign)]
    names = subjects.campaign_names(connection, workspace.pk, [key for (key,) in series])
    return [CampaignDays(int(key), *names[key], daily) for (key,), daily in series.items()]


def overview(workspace: Workspace, period: Period, breakdown: Breakdown | None, now: datetime) -> Json:
    """The workspace's totals in the period, and with a breakdown also the chart of this and the previous period."""
    if breakdown is not None:
        return overview_with_chart(workspace, overview_counts(workspace, period), breakdown, now)
    return _overview(workspace, period, store.by_kind(workspace.pk, period), {}, now)


def overview_with_chart(workspace: Workspace, counts: OverviewCounts, breakdown: Breakdown, now: datetime) -> Json:
    """As `overview`, from counts that were already read."""
    period, previous = counts.period, counts.period.previous()
    buckets, previous_buckets = period.buckets(breakdown), previous.buckets(breakdown)
    datasets = {
        "current": counts.daily.series(period, breakdown),
        "previous": counts.daily.series(previous, breakdown),
        "campaigns": [
            {"publicId": campaign.public_id, "name": campaign.name, "data": fold(campaign.daily, buckets)}
            for campaign in counts.campaigns
        ],
    }
    labels = {"current": [b.label for b in buckets], "previous": [b.label for b in previous_buckets]}
    chart = {"chart": {"datasets": datasets, "labels": labels}}
    return _overview(workspace, period, counts.daily.clicks(period), chart, now)


def _overview(workspace: Workspace, period: Period, clicks: dict[str, int], breakdown: Json, now: datetime) -> Json:
    return {
        "workspace": {"name": workspace.name},
        "period": period_json(period),
        "totals": {
            "campaignClicks": clicks[CAMPAIGN],
            "vcardClicks": clicks[VCARD],
            "totalClicks": sum(clicks.values()),
        },
        "breakdown": breakdown,
        "signals": [{"type": f"{kind}_clicks", "count": clicks[kind]} for kind in KINDS if clicks[kind]],
        "generatedAt": format_time(now),
    }


def campaign_performance(workspace: Workspace, public_id: str, period: Period, now: datetime) -> Json:
    """One campaign's clicks, its share of all campaign clicks, and its best day. Raises NotFound."""
    return campaign_performance_and_days(workspace, public_id, period, period, now)[0]


def campaign_performance_and_days(
    workspace: Workspace, public_id: str, period: Period, days: Period, now: datetime
) -> tuple[Json, DailyClicks]:
    """As `campaign_performance`, with the clicks on each of `days`, which contain the period. Three queries. Raises
    NotFound."""
    campaign = subjects.find_campaign(connections[router.db_for_read(Campaign)], workspace.pk, public_id)
    if campaign is None:
        raise NotFound("campaign", public_id)
    [numbers] = store.counts(workspace.pk, days, ("day",), where={"campaign": campaign.id}).values()
    counts = DailyClicks(days, {CAMPAIGN: numbers})
    [of_workspace] = store.counts(workspace.pk, period, ("kind",))[CAMPAIGN,]
    daily = counts.of_kind(CAMPAIGN, period, "day")
    clicks = sum(daily)
    answer = {
        "campaign": {
            "publicId": public_id,
            "name": campaign.name,
            "status": campaign_status(campaign.starts_on, campaign.ends_on, campaign.is_paused, workspace.today(now)),
        },
        "period": period_json(period),
        "metrics": {
            "clicks": clicks,
            "shareOfCampaignClicks": share(clicks, of_workspace),
            "bestDay": _best_day(daily, period),
            "assignedUsers": campaign.users,
        },
        "trend": None,
        "generatedAt": format_time(now),
    }
    return answer, counts


def user_metrics(workspace: Workspace, public_id: str, period: Period, now: datetime) -> Json:
    """One user's clicks by kind, and the user's campaigns and aliases now. Raises NotFound and PersonFiguresOff."""
    user = _find_user(workspace, public_id)
    clicks = store.by_kind(workspace.pk, period, where={"user": user.id})
    _refuse_withheld(workspace, period, clicks)
    return _user_answer(user, public_id, period, clicks, now)


def user_metrics_and_days(
    workspace: Workspace, public_id: str, period: Period, days: Period, now: datetime
) -> tuple[Json, DailyClicks]:
    """As `user_metrics`, with the clicks on each of `days`, which contain the period. Two queries, and
    those of `least_shown`."""
    user = _find_user(workspace, public_id)
    daily = _daily_clicks(workspace, days, {"user": user.id})
    clicks = daily.clicks(period)
    _refuse_withheld(workspace, period, clicks)
    return _user_answer(user, public_id, period, clicks, now), daily


def least_shown(workspace: Workspace, period: Period) -> float:
    """The minimum of clicks for a user's figure of the period to be shown beside the workspace's total.

    Two or four queries if PERSON_FIGURES is a number, else none. Users who have opted out and have no clicks in the
    period are left out: everybody knows that they have none, so no other user can be hidden among them.
    """
    least = person_figures.least()
    if person_figures.are_all_shown() or not person_figures.are_shown():
        return least
    users = WorkspaceUser.objects.filter(workspace=workspace.pk).order_by("pk")
    some = list(users.filter(is_opted_out=False).values_list("pk", flat=True)[:_SOME_USERS])
    if sum(clicks < least for clicks in _clicks_of_users(workspace, period, some).values()) > 1:
        return least
    opted_out = dict(users.values_list("pk", "is_opted_out"))
    clicks_of = _clicks_of_users(workspace, period, [*opted_out])
    return person_figures.least_shown(clicks for key, clicks in clicks_of.items() if clicks or not opted_out[key])


def _clicks_of_users(workspace: Workspace, period: Period, users: Sequence[int]) -> dict[int, int]:
    return dict.fromkeys(users, 0) | (store.by_key(workspace.pk, period, "user", keys=users) if users else {})


def _refuse_withheld(workspace: Workspace, period: Period, clicks: dict[str, int]) -> None:
    if sum(clicks.values()) < least_shown(workspace, period):
        raise PersonFiguresOff(person_figures.least())


def _find_user(workspace: Workspace, public_id: str) -> subjects.FoundUser:
    """The user. Raises NotFound. Raises PersonFiguresOff without a query if no figures of persons are shown."""
    if not person_figures.are_shown():
        raise PersonFiguresOff(person_figures.least())
    user = subjects.find_user(connections[router.db_for_read(WorkspaceUser)], workspace.pk, public_id)
    if user is None:
        raise NotFound("user", public_id)
    return user


def _user_answer(
    user: subjects.FoundUser, public_id: str, period: Period, clicks: dict[str, int], now: datetime
) -> Json:
    return {
        "user": {"publicId": public_id, "displayName": user.display_name},
        "period": period_json(period),
        "metrics": {
            "campaignClicks": clicks[CAMPAIGN],
            "vcardClicks": clicks[VCARD],
            "otherClicks": clicks[OTHER],
            "totalClicks": sum(clicks.values()),
            "campaignAssignments": user.campaigns,
            "aliases": user.aliases,
        },
        "generatedAt": format_time(now),
    }


def find_campaigns(workspace: Workspace, words: Iterable[str], status: str | None, limit: int, now: datetime) -> Json:
    """The newest campaigns whose name contains every word; without words the newest of all."""
    today = workspace.today(now)
    campaigns = Campaign.objects.filter(workspace=workspace.pk).named(words)
    if status is not None:
        campaigns = campaigns.with_status(status, today)
    return {
        "campaigns": [
            {
                "publicId": campaign.public_id,
                "name": campaign.name,
                "status": campaign.status(today),
                "startDate": campaign.starts_on and campaign.starts_on.isoformat(),
                "endDate": campaign.ends_on and campaign.ends_on.isoformat(),
            }
            for campaign in campaigns.order_by("-created_at", "-pk")[:limit]
        ]
    }


def find_users(workspace: Workspace, words: Iterable[str], limit: int) -> Json:
    """The first users, sorted by name, whose name, e-mail or aliases contain every word.

    People who were erased come last, because their rows have no name any more. A second query reads them: the index on
    names could not be used for a single query that first sorts by whether a person was erased.
    """
    users = WorkspaceUser.objects.known_as(words, workspace.pk).order_by(Alphabetical("display_name"), "pk")
    rows = [*users.filter(erased_at=None)[:limit]]
    if len(rows) < limit:
        rows += users.exclude(erased_at=None)[: limit - len(rows)]
    return {
        "users": [{"publicId": user.public_id, "displayName": user.display_name, "email": user.email} for user in rows]
    }


def period_json(period: Period) -> Json:
    return {"from": period.start.isoformat(), "to": period.end.isoformat()}


def share(part: int, whole: int) -> float | None:
    """`part` divided by `whole`, rounded half-even to 4 places; None if `whole` is 0."""
    if not whole:
        return None
    # Decimal, because a float cannot represent a tie such as 0.00005 exactly, and would round it up or down by chance.
    return float((Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))


def _best_day(daily: list[int], period: Period) -> Json | None:
    """The earliest of the days with the most clicks; None if there are no clicks."""
    best = max(daily)
    if not best:
        return None
    day = period.start + timedelta(days=daily.index(best))
    return {"date": day.isoformat(), "clicks": best}
