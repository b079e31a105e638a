"""Recording clicks. Every surface calls `record_clicks`, except the redirect: it has already judged the click and
looked up its references, so it calls `store`.

One transaction stores the clicks and updates the rollups. Each id of a workspace is stored once. Wrong items are
reported, and the others are stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from ulid import ULID

from stats_app import public_ids
from stats_app.day_spans import DaySpan, local_days
from stats_app.dimensions import HUMAN, KINDS, VERDICTS
from stats_app.errors import FieldError, shown
from stats_app.locks import Lock, LockedWorkspace, Result, in_pipeline
from stats_app.models import Alias, Campaign, Click, TrackedLink, Workspace, WorkspaceUser
from stats_app.models.clicks import REASON_LENGTH
from stats_app.models.fields import ulid_bytes
from stats_app.periods import MAX_DATE, MIN_DATE, ONE_DAY, is_countable, parse_time, utc_midnight, zone_of
from stats_app.references import (
    WrongField,
    alias_of,
    code_of,
    folded,
    has_campaign,
    looked_up,
    not_found,
    reference_of,
    rows_of,
)
from stats_app.sql import clicks as sql
from stats_app.sql import reasons
from stats_app.sql.clicks import ClickRow
from stats_app.sql.references import OWNER_IS_OPTED_OUT
from stats_app.words import is_plain

FUTURE_TOLERANCE = timedelta(minutes=5)

_EARLIEST = utc_midnight(MIN_DATE)
_LATEST = utc_midnight(MAX_DATE) + ONE_DAY
_ULID = re.compile(public_ids.ULID_PATTERN_OF_EITHER_CASE)
_HUMAN = VERDICTS[HUMAN]


class ClickInput(NamedTuple):
    """A click to record. Nothing is validated yet: every value may be of any type.

    - `campaign`, `user`: an instance or a public id
    - `alias`: an instance or an e-mail; it also sets the user if none is given
    - `link`: an instance or a token
    - `id`: a ULID as 26 characters in any case, `ulid.ULID`, `uuid.UUID` or 16 bytes. Without it a new one is made, so
      that a repeated call counts again.
    - `clicked_at`: an aware datetime or RFC 3339 text, by default now
    """

    kind: Any
    id: Any = None
    campaign: Any = None
    user: Any = None
    alias: Any = None
    link: Any = None
    clicked_at: Any = None
    verdict: Any = HUMAN
    reason: Any = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A wrong item: its position in the batch, and the error of its first wrong field."""

    index: int
    field: str
    code: str
    message: str

    @classmethod
    def of(cls, index: int, error: FieldError) -> Rejection:
        return cls(index, error.field, error.code, error.message)

    @property
    def error(self) -> FieldError:
        return FieldError(self.field, self.code, self.message)


@dataclass(slots=True)
class IngestResult:
    """The result of a batch. `accepted + duplicates + len(rejected)` is the number of its items."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def record_clicks(
    workspace: Workspace, clicks: Iterable[ClickInput | FieldError], *, now: datetime | None = None
) -> IngestResult:
    """Stores clicks and updates the rollups in one transaction, exactly once for each id.

    A `FieldError` in place of an item is an error that the caller has found; it is reported at its position. Uses the
    caller's transaction if there is one; otherwise it tries again after a deadlock. `now` is the time that clicks are
    compared with, and the time of clicks without one.
    """
    items = list(clicks)
    using = router.db_for_write(Click)
    recorded_at = timezone.now() if now is None else now
    return recording(workspace.pk, partial(_record, items=items, now=recorded_at, using=using), using=using)


def recording(
    workspace_id: int, work: Callable[[Lock], Result], *, using: str, max_wait: float | None = None
) -> Result:
    """Runs `work`, which calls `store`, in one transaction under the workspace's lock, and returns its result. See
    `in_pipeline`."""

    def run(lock: Lock, *, alone: bool = False) -> Result:
        def locked() -> LockedWorkspace:
            workspace = lock()
            # The time zone of the counts is stored before the first click.
            if not workspace.counted_timezone:
                if not alone:
                    raise _FirstClicks
                Workspace.objects.using(using).filter(pk=workspace.id).update(counted_timezone=workspace.timezone)
            return workspace

        return work(locked)

    try:
        return in_pipeline(workspace_id, run, using=using, max_wait=max_wait)
    except _FirstClicks:
        first = partial(run, alone=True)
        return in_pipeline(workspace_id, first, using=using, alone=True, max_wait=max_wait)


class _FirstClicks(Exception):
    """No click was counted yet. First the time zone of the counts must be stored, which needs the exclusive lock."""


def _record(lock: Lock, *, items: Sequence[ClickInput | FieldError], now: datetime, using: str) -> IngestResult:
    locked = lock()
    judge = _Judge(locked, _References.of(connections[using], locked, items), now)
    result = IngestResult()
    rows: dict[bytes, ClickRow] = {}
    for index, item in enumerate(items):
        try:
            row = judge.row(item)
        except WrongField as wrong:
            result.rejected.append(Rejection.of(index, wrong.error))
        else:
            rows.setdefault(row.id, row)
    result.accepted = store(locked, rows.values(), using=using)() if rows else 0
    result.duplicates = len(items) - len(result.rejected) - result.accepted
    return result


def store(locked: LockedWorkspace, clicks: Collection[ClickRow], *, using: str) -> Callable[[], int]:
    """Stores and counts valid clicks with different ids, inside `recording`. Returns a function that returns the number
    of new ones (see `pipelined`)."""
    connection = connections[using]
    number_reasons(connection, locked.id, (click for click in clicks if click.verdict != _HUMAN))
    spans = spans_of(zone_of(locked.timezone), {click.utc_day for click in clicks})
    ordered = sorted(clicks, key=attrgetter("id"))
    return sql.insert(connection, locked.id, ordered, spans, on_citus=locked.on_citus)


def number_reasons(connection: BaseDatabaseWrapper, workspace_id: int, excluded: Iterable[reasons.Excluded]) -> None:
    """Stores new reasons, because the rollups refer to them by primary key. The lock order puts this before clicks."""
    new = {reason for click in excluded for reason in reasons.reasons_of(click)}
    if new:
        reasons.number(connection, workspace_id, new)


def spans_of(zone: ZoneInfo, utc_days: Iterable[date]) -> list[DaySpan]:
    return [span for utc_day in utc_days for span in local_days(zone, utc_day)]


@dataclass(slots=True)
class _References:
    """The rows of the workspace that a batch refers to, by public id, token, e-mail or instance."""

    campaigns: dict[Any, int]
    # The primary key of a row, and for users whether the person has opted out.
    users: dict[Any, tuple[int, bool]]
    aliases: dict[Any, tuple[int, int, bool]]
    links: dict[Any, tuple[int, bool | None]]

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper, locked: LockedWorkspace, items: Iterable[Any]) -> _References:
        inputs = [item for item in items if isinstance(item, ClickInput)]
        columns = ClickInput(*zip(*inputs, strict=True)) if inputs else ClickInput((), (), (), (), (), ())
        look = partial(rows_of, connection, locked.id)
        return cls(
            look(Campaign, "public_id", columns.campaign),
            look(WorkspaceUser, "public_id", columns.user, "known.is_opted_out"),
            look(
                Alias,
                "email",
                [*map(folded, columns.alias)],
                f"known.user_id, {OWNER_IS_OPTED_OUT}",
                lock=locked.locks_aliases,
            ),
            look(TrackedLink, "token", columns.link, OWNER_IS_OPTED_OUT),
        )


@dataclass(slots=True)
class _Judge:
    """Validates the items of one batch."""

    workspace: LockedWorkspace
    references: _References
    now: datetime
    zone: ZoneInfo = field(init=False)
    latest: datetime = field(init=False)
    sure_from: datetime = field(init=False)
    sure_until: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.zone = zone_of(self.workspace.timezone)
        self.latest = self.now + FUTURE_TOLERANCE
        # Times between these two are allowed in every zone, because no zone differs from UTC by more than a day. Only
        # others are checked in the workspace's zone, which takes longer.
        first_day = max(MIN_DATE, self.workspace.clicks_kept_from or MIN_DATE)
        self.sure_from = utc_midnight(first_day) + ONE_DAY
        self.sure_until = min(self.latest, utc_midnight(MAX_DATE))

    def row(self, item: ClickInput | FieldError) -> ClickRow:
        """The row to store. Raises `WrongField` for the first wrong field."""
        if isinstance(item, FieldError):
            raise WrongField(item.field, item.code, item.message)
        kind = code_of("kind", item.kind, KINDS)
        click_id = click_id_of(item.id)
        campaign_id = self._campaign(kind, item.campaign)
        user_id, alias_id = self._person(item.user, item.alias)
        link_id = None if item.link is None else self._link(item.link)
        clicked_at = self._time(item.clicked_at)
        verdict = code_of("verdict", item.verdict, VERDICTS)
        reason = "" if item.reason == "" else checked_reason(item.reason, verdict)
        references = (campaign_id, user_id, alias_id, link_id)
        return ClickRow(click_id, clicked_at, clicked_at.date(), kind, verdict, *references, reason)

    def _campaign(self, kind: int, value: Any) -> int | None:
        if not has_campaign("click", kind, value):
            return None
        campaign_id: int = reference_of(self.references.campaigns, "campaign", value, public_ids.CAMPAIGN)
        return campaign_id

    def _person(self, user: Any, alias: Any) -> tuple[int | None, int | None]:
        """The user and the alias. Both are None for a person who opted out: such clicks count only for the workspace
        and the campaign."""
        user_id, alias_id, is_opted_out = None, None, False
        if user is not None:
            user_id, is_opted_out = reference_of(self.references.users, "user", user, public_ids.USER)
        if alias is not None:
            alias_id, owner_id, is_opted_out = alias_of(self.references.aliases, alias)
            if user_id is not None and user_id != owner_id:
                raise WrongField("alias", "invalid", f"alias {shown(str(alias))} does not belong to the user.")
            user_id = owner_id
        return (None, None) if is_opted_out else (user_id, alias_id)

    def _link(self, value: Any) -> int | None:
        """The link, or None for a link of a person who opted out, because it would show whose click it was."""
        row: tuple[int, bool | None] | None = looked_up(self.references.links, value)
        if row is None:
            token = getattr(value, "token", value)
            if not isinstance(token, str):
                raise WrongField("link", "invalid", f"link must be the token of a tracked link, not {shown(token)}.")
            raise not_found("link", token)
        link_id, is_opted_out = row
        return None if is_opted_out else link_id

    def _time(self, value: Any) -> datetime:
        """The time in UTC."""
        clicked_at = self.now if value is None else _parsed_time(value)
        if not self.sure_from <= clicked_at <= self.sure_until:
            self._check_time(clicked_at, value)
        return clicked_at.astimezone(UTC)

    def _check_time(self, clicked_at: datetime, value: Any) -> None:
        if clicked_at > self.latest:
            raise WrongField(
                "clicked_at", "future", f"clicked_at {shown(str(value))} is more than 5 minutes in the future."
            )
        if not _EARLIEST <= clicked_at < _LATEST:
            raise _out_of_range(value)
        day = clicked_at.astimezone(self.zone).date()
        if not is_countable(day):
            raise _out_of_range(value)
        kept_from = self.workspace.clicks_kept_from
        if kept_from is not None and day < kept_from:
            raise WrongField(
                "clicked_at",
                "pruned",
                f"clicked_at {shown(str(value))} is before {kept_from}, the first day whose raw clicks are kept.",
            )


def click_id_of(value: Any) -> bytes:
    if isinstance(value, str) and _ULID.fullmatch(value):
        return ulid_bytes(value)
    if value is None:
        return ULID().bytes
    if isinstance(value, ULID | UUID):
        return value.bytes
    if isinstance(value, bytes) and len(value) == 16:
        return value
    raise WrongField("id", "invalid", f"id must be a ULID of 26 characters, not {shown(value)}.")


def _parsed_time(value: Any) -> datetime:
    if isinstance(value, datetime) and (value.tzinfo is UTC or value.utcoffset() is not None):
        return value
    if isinstance(value, str):
        try:
            return parse_time(value)
        except ValueError:
            pass
    raise WrongField(
        "clicked_at",
        "invalid",
        f"clicked_at must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z, not {shown(value)}.",
    )


def _out_of_range(value: Any) -> WrongField:
    return WrongField(
        "clicked_at", "out_of_range", f"clicked_at {shown(str(value))} is not between {MIN_DATE} and {MAX_DATE}."
    )


def checked_reason(value: Any, verdict: int) -> str:
    if not isinstance(value, str) or not is_plain(value):
        raise WrongField("reason", "invalid", f"reason must be text without control characters, not {shown(value)}.")
    if len(value) > REASON_LENGTH:
        raise WrongField(
            "reason", "too_long", f"reason must have at most {REASON_LENGTH} characters, not {len(value)}."
        )
    if value and verdict == _HUMAN:
        raise WrongField("reason", "not_allowed", "reason is not allowed for a human click.")
    return value
