"""Judging stored clicks again by today's rules, and updating the counts.

A click is stored with its reason and the key of its visitor. So if the verdict of a rule has changed, it can be applied
to stored clicks, and bursts of a visitor's clicks can be recognized again. The browser's headers and the network are
not stored, so the rules that need them cannot be applied again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import router
from django.db.models import Min, Q, QuerySet

from stats_app import rollups
from stats_app.bursts import REPEAT, Followed, judge_bursts, rests_on_visitor
from stats_app.day_spans import time_spans
from stats_app.dimensions import BOT, HUMAN
from stats_app.errors import Refused
from stats_app.locks import LockedWorkspace, in_workspace
from stats_app.models import Click, TrackedLink, Workspace
from stats_app.models.people import KEYS_AT_ONCE
from stats_app.periods import MAX_DATE, MIN_DATE, zone_of
from stats_app.verdict_changes import VerdictChange, change_verdicts
from stats_app.verdicts import judge_again

SLICE = 10_000
"""About how many clicks are judged in one transaction. All clicks of a visitor and day are always together."""

Verdict = tuple[str, str]
"""A verdict and its reason."""


@dataclass(slots=True)
class Reclassified:
    """How many clicks were judged, and how many changed, by the old and the new verdict, which may be the same."""

    clicks: int = 0
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)


class _Stored(NamedTuple):
    id: bytes
    clicked_at: datetime
    verdict: str
    reason: str
    visitor: bytes | None
    link: int | None
    signature: int | None


class _Range(NamedTuple):
    """The spans of time whose clicks may change. `whole_from`: for clicks from then on, no earlier click that the rules
    look at has been pruned."""

    spans: Sequence[tuple[datetime, datetime]]
    whole_from: datetime

    def holds(self, clicked_at: datetime) -> bool:
        return any(start <= clicked_at < end for start, end in self.spans)


def reclassify(
    workspace: Workspace,
    start: date | None = None,
    end: date | None = None,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda clicks: None,
) -> Reclassified:
    """Judges the stored clicks of the local days `start` to `end` again, by default of all days whose clicks are kept.

    Clicks may come in during the run. An interrupted run can be repeated, because correct verdicts do not change.
    `progress` is called with the number of clicks judged so far. Raises Refused for days whose clicks are pruned, and
    if the counts use another time zone than the workspace. Raises UnknownZone.
    """
    using = router.db_for_write(Click)
    done = Reclassified()
    locked = in_workspace(workspace.pk, lambda locked: locked, using=using)
    within = _range(locked, start, end)
    for some in _slices(workspace.pk, within, using):
        clicks = list(_read(some, using))
        done.clicks += len(clicks)
        changes = _changes(clicks, within)
        if changes and not dry_run:
            # Judges these clicks once more, under the exclusive lock, because clicks may have come in or changed.
            change = partial(_change, workspace=workspace, some=some, days=(start, end), using=using)
            changes = in_workspace(workspace.pk, change, using=using, alone=True)
        done.moved.update(changes.values())
        progress(done.clicks)
    return done


def _change(
    locked: LockedWorkspace,
    *,
    workspace: Workspace,
    some: QuerySet[Any],
    days: tuple[date | None, date | None],
    using: str,
) -> dict[VerdictChange, tuple[str, str]]:
    changes = _changes(_read(some, using), _range(locked, *days))
    change_verdicts(workspace, changes)
    return changes


def _range(locked: LockedWorkspace, start: date | None, end: date | None) -> _Range:
    kept_from = locked.clicks_kept_from
    if rollups.is_moved(locked):
        raise Refused(
            f"The time zone is {locked.timezone} but counts are by {locked.counted_timezone}: run rebuild_rollups "
            "first."
        )
    pruned = [day for day in (start, end) if day is not None and kept_from is not None and day < kept_from]
    if pruned:
        raise Refused(f"Raw clicks before {kept_from} are pruned: those of {pruned[0]} cannot be judged again.")
    zone = zone_of(locked.timezone)
    first = max(filter(None, (start, kept_from, MIN_DATE)))
    spans = time_spans(zone, first, end or MAX_DATE)
    kept = time_spans(zone, min(kept_from or MIN_DATE, MAX_DATE), MAX_DATE)
    return _Range(spans, kept[0][0] + REPEAT)


def _slices(workspace_id: int, within: _Range, using: str) -> Iterator[QuerySet[Any]]:
    """The clicks of each day in UTC, in slices. A slice has either all clicks of some visitors of the day, or clicks
    without a visitor that are not counted.

    Visitors are divided into slices by the first byte of their keys, which is random. A key is valid for one day only,
    so all clicks with the same key are in one slice.
    """
    if not within.spans:
        return
    clicks = Click.objects.using(using).filter(workspace=workspace_id).order_by()
    first, last = within.spans[0][0].date(), within.spans[-1][1].date()
    rest = clicks.filter(utc_day__range=(first, last))
    while (day := rest.aggregate(Min("utc_day"))["utc_day__min"]) is not None:
        rest = clicks.filter(utc_day__gt=day, utc_day__lte=last)
        # The day must be given by a single range. For two conditions on it, or for `=` together with a sort by id,
        # SQLite without statistics chooses the wrong index, and reads all clicks of the workspace for each day.
        of_day = clicks.filter(utc_day__range=(day, day))
        of_visitors = of_day.filter(visitor__isnull=False)
        parts = min(256, 1 + of_visitors.count() // SLICE)
        bounds = [bytes([256 * part // parts]) for part in range(parts)]
        for lower, upper in zip(bounds, [*bounds[1:], None], strict=True):
            some = of_visitors.filter(visitor__gte=lower)
            yield some if upper is None else some.filter(visitor__lt=upper)
        yield from _pages(of_day.filter(~Q(verdict=HUMAN), visitor__isnull=True))


def _pages(clicks: QuerySet[Any]) -> Iterator[QuerySet[Any]]:
    rest = clicks
    while ids := list(rest.order_by("id").values_list("id", flat=True)[:SLICE]):
        yield clicks.filter(id__gte=ids[0], id__lte=ids[-1])
        if len(ids) < SLICE:
            return
        rest = clicks.filter(id__gt=ids[-1])


_COLUMNS = ("id", "clicked_at", "verdict", "reason", "visitor", "link_id")


def _read(clicks: QuerySet[Any], using: str) -> Iterator[_Stored]:
    rows = list(clicks.order_by("id").values_list("workspace_id", *_COLUMNS))
    signatures = _signatures({row[0] for row in rows}, {row[-1] for row in rows} - {None}, using)
    for _, click_id, clicked_at, verdict, reason, visitor, link in rows:
        key = None if visitor is None else bytes(visitor)
        yield _Stored(click_id.bytes, clicked_at, verdict, reason, key, link, signatures.get(link))


def _signatures(workspaces: Iterable[int], links: Iterable[int], using: str) -> dict[int, int | None]:
    rows = TrackedLink.objects.using(using).filter(workspace__in=workspaces)
    ordered = sorted(links)
    signatures: dict[int, int | None] = {}
    for start in range(0, len(ordered), KEYS_AT_ONCE):
        signatures |= dict(rows.filter(pk__in=ordered[start : start + KEYS_AT_ONCE]).values_list("pk", "user_id"))
    return signatures


def _changes(clicks: Iterable[_Stored], within: _Range) -> dict[VerdictChange, tuple[str, str]]:
    """The changes of the clicks, each with the old and the new verdict."""
    by_visitor: dict[bytes | None, list[_Stored]] = defaultdict(list)
    for click in clicks:
        by_visitor[click.visitor].append(click)
    changes = {}
    for visitor, group in by_visitor.items():
        alone = {click.id: judge_again(click.verdict, click.reason) for click in group}
        wanted = alone if visitor is None else _together(group, alone, within.whole_from)
        for click in group:
            if wanted[click.id] != (click.verdict, click.reason) and within.holds(click.clicked_at):
                changes[VerdictChange(click.id, *wanted[click.id])] = (click.verdict, wanted[click.id][0])
    return changes


def _together(clicks: Sequence[_Stored], alone: Mapping[bytes, Verdict], whole_from: datetime) -> dict[bytes, Verdict]:
    """The verdicts on the clicks of one visitor, with the rules for bursts.

    If some clicks or their links may be missing, no verdict is changed to human, because the rest of the burst may be
    among them.
    """
    people = [click for click in clicks if alone[click.id][0] != BOT]
    is_whole = all(click.link is not None for click in people)
    wanted = dict(alone)
    followed = []
    for click in people:
        if click.link is None:
            continue
        if is_whole and click.clicked_at >= whole_from and rests_on_visitor(alone[click.id][1]):
            wanted[click.id] = (HUMAN, "")
        reason = wanted[click.id][1]
        followed.append(Followed(click.id, click.clicked_at, click.link, click.signature, click.visitor, None, reason))
    for click_id, judgement in judge_bursts(followed).items():
        wanted[click_id] = (judgement.verdict, judgement.reason)
    return wanted
