"""Reading the rollups. What is counted is declared in `stats_app.dimensions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Literal, cast

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from stats_app import dimensions
from stats_app.dimensions import DIMENSIONS, KINDS, REASON_DAYS, VERDICTS
from stats_app.models import Rollup
from stats_app.periods import Period
from stats_app.sql import counting, listings, rankings, reasons
from stats_app.sql import counts as sql
from stats_app.sql.transactions import snapshot

By = Literal["day", "kind", "campaign", "user", "reason", "shadow"]
Key = int | str
Named = Literal["campaign", "user"]
Where = Mapping[Named, int | Sequence[int]]
"""A campaign or user, or several, by primary key."""

Counts = dict[tuple[Key, ...], list[int]]

_KINDS = tuple(KINDS)
_VERDICTS = {number: name for name, number in VERDICTS.items()}
_BY_NAME = {dimension.name: dimension for dimension in DIMENSIONS}


def of_one_moment() -> AbstractContextManager[None]:
    """A context in which all reads see one snapshot, so that no part is larger than its total."""
    return snapshot(router.db_for_read(Rollup))


def counts(
    workspace_id: int,
    period: Period,
    by: Sequence[By] = (),
    *,
    where: Where | None = None,
    top: int | None = None,
) -> Counts:
    """Counts of human clicks in the local days of `period`.

    The answer maps the values of `by`, except `day`, to a list. The list has one number, or, with `day` in `by`, one
    number for each day of the period, including zeros. A campaign or user is given by its primary key, a kind by its
    name. All kinds are included, even without clicks.

    `by=("shadow", …)` counts the human clicks that rules on trial would exclude, by the sum of the bits of these rules.
    `by=("reason", …)` counts the clicks that are excluded, by verdict and reason, for the workspace, or with `where`
    for one campaign or user.

    `where` selects one campaign or user, or several if `by` contains it. `top` selects the campaigns or users with the
    most clicks, in descending order, ties by public id; it needs `by=("campaign", "day")` or `by=("user",)`.
    """
    connection = connections[router.db_for_read(Rollup)]
    if "reason" in by:
        return _by_reason(connection, workspace_id, period, by, where or {})
    dimension, keys = _dimension(by, where or {})
    if top is not None:
        return _top(connection, workspace_id, period, by, dimension, top)
    grouped = dimension.name in by
    lists = _columns(connection, workspace_id, period, by, dimension.code, keys)
    if not grouped and not lists:
        length = period.days if "day" in by else 1
        lists = [(0, [[0] * length for _ in _KINDS])]
    return _answer([((key,) if grouped else (), columns) for key, columns in lists], by)


def by_kind(workspace_id: int, period: Period, *, where: Where | None = None) -> dict[str, int]:
    """`counts` by kind in the whole period, as one number for each kind."""
    return {str(kind): number for (kind,), [number] in counts(workspace_id, period, ("kind",), where=where).items()}


def by_key(
    workspace_id: int, period: Period, of: Named, *, keys: Sequence[int] | None = None, top: int | None = None
) -> dict[int, int]:
    """`counts` by campaign or user in the whole period, as one number for each primary key that has clicks: of all, of
    some `keys`, or of those at the `top`."""
    where = None if keys is None else {of: keys}
    return {int(key): number for (key,), [number] in counts(workspace_id, period, (of,), where=where, top=top).items()}


def _by_reason(
    connection: BaseDatabaseWrapper, workspace_id: int, period: Period, by: Sequence[By], where: Where
) -> Counts:
    dimension, key = _dimension((), where)
    known = reasons.numbers(connection, workspace_id, dimension.code, cast(int, key))
    lists = _columns(connection, workspace_id, period, by, REASON_DAYS, [*known]) if known else []
    return _answer([((_VERDICTS[known[number].verdict], known[number].text), numbers) for number, numbers in lists], by)


def _answer(lists: Sequence[tuple[tuple[Key, ...], list[list[int]]]], by: Sequence[By]) -> Counts:
    answer: Counts = {}
    for prefix, columns in lists:
        if "kind" in by:
            answer |= {(*prefix, kind): column for kind, column in zip(_KINDS, columns, strict=True)}
        else:
            answer[prefix] = [*map(sum, zip(*columns, strict=True))]
    return answer


def _columns(
    connection: BaseDatabaseWrapper, workspace_id: int, period: Period, by: Sequence[By], dimension: int, keys: sql.Keys
) -> list[tuple[int, list[list[int]]]]:
    """For each key with rows, its counts of each kind. By day without kinds, its counts of all kinds together."""
    if "day" not in by:
        totals = sql.totals(connection, workspace_id, dimension, keys, period.start, period.end)
        return [(key, [[int(number)] for number in numbers]) for key, numbers in totals]
    asked = counting.COLUMNS if "kind" in by else (sql.TOTAL,)
    daily = sql.daily(connection, workspace_id, dimension, keys, period.start, period.end, asked)
    return [(d.key, [_dense(d.offsets, column, period.days) for column in d.columns]) for d in daily]


def _top(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    period: Period,
    by: Sequence[By],
    dimension: dimensions.Dimension,
    top: int,
) -> Counts:
    if "day" not in by:
        totals = rankings.top_totals(connection, workspace_id, dimension, period, top)
        return {(key,): [clicks] for key, clicks in totals}
    daily = rankings.top_series(connection, workspace_id, dimension, period, top)
    return {(d.key,): _dense(d.offsets, d.columns[0], period.days) for d in daily}


def ordered(
    workspace_id: int,
    of: Named,
    rows: QuerySet[Any],
    order: listings.Order,
    first: int = 0,
    most: int | None = None,
    *,
    is_whole: bool = False,
) -> listings.Found:
    """The primary keys of campaigns or users, sorted by a counted number, or only those without clicks.

    `rows` are rows of the workspace, with the values `pk`, `public_id` and `place`. Rows without clicks count as 0.
    `is_whole` says that `rows` are all rows of the workspace. Then a ranking can find those with the most clicks.
    """
    connection = connections[router.db_for_read(Rollup)]
    wanted = listings.Slice(first, most)
    return listings.ordered_keys(connection, workspace_id, _BY_NAME[of], rows, order, wanted, is_whole)


def number_with_clicks(workspace_id: int, of: Named, period: Period, *, left_out: QuerySet[Any]) -> int:
    """How many campaigns or users have human clicks in the period, except those in `left_out`."""
    connection = connections[router.db_for_read(Rollup)]
    days = (period.start, period.end)
    return listings.number_with_clicks(connection, workspace_id, _BY_NAME[of], left_out.values("id"), days)


def totals_of_workspaces(workspace_ids: Sequence[int], periods: Sequence[Period]) -> dict[int, list[dict[str, int]]]:
    """The human clicks of each workspace by kind in the local days of each period, by one query, including zeros."""
    connection = connections[router.db_for_read(Rollup)]
    stored = dict(sql.totals_of_workspaces(connection, workspace_ids, [(one.start, one.end) for one in periods]))
    zeros = [0] * len(_KINDS) * len(periods)
    answer: dict[int, list[dict[str, int]]] = {}
    for workspace_id in workspace_ids:
        numbers = iter(stored.get(workspace_id, zeros))
        answer[workspace_id] = [{kind: int(next(numbers)) for kind in _KINDS} for _ in periods]
    return answer


def first_day(workspace_id: int, *, where: Mapping[Named, int] | None = None) -> date | None:
    """The first local day with a human click, of the workspace, or of one campaign or user. None without clicks."""
    dimension, key = _dimension((), where or {})
    return sql.first_day(connections[router.db_for_read(Rollup)], workspace_id, dimension.code, cast(int, key))


def first_days(workspace_ids: Sequence[int]) -> dict[int, date]:
    """The first day of each of the workspaces that has clicks, by one query."""
    return sql.first_days(connections[router.db_for_read(Rollup)], workspace_ids)


def has_counts(workspace_id: int) -> bool:
    """Whether the workspace has ever had a click, with any verdict."""
    return Rollup.objects.filter(workspace=workspace_id).exists()


def last_day(workspace_id: int, *, where: Mapping[Named, int] | None = None) -> date | None:
    """The last local day with a human click: of the workspace, or of one campaign or user."""
    dimension, key = _dimension((), where or {})
    return sql.last_day(connections[router.db_for_read(Rollup)], workspace_id, dimension.code, cast(int, key))


def _dimension(by: Sequence[By], where: Where) -> tuple[dimensions.Dimension, sql.Keys]:
    names = {name for name in (*by, *where) if name in _BY_NAME}
    if len(names) > 1:
        raise ValueError(f"Clicks are counted by {' and '.join(sorted(names))} apart, not together.")
    if not names:
        return _BY_NAME["workspace"], 0
    [name] = names
    return _BY_NAME[name], next(iter(where.values()), None)


def _dense(offsets: Sequence[int], numbers: Sequence[int], days: int) -> list[int]:
    dense = [0] * days
    for offset, number in zip(offsets, numbers, strict=True):
        dense[offset] = number
    return dense
