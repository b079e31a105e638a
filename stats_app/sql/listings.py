"""The campaigns or users of a workspace, sorted by a number that is counted for them, including those with 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from stats_app.dimensions import Dimension
from stats_app.periods import ONE_DAY, Period
from stats_app.sql.counts import TOTAL
from stats_app.sql.cursor import is_postgresql
from stats_app.sql.rankings import MANY, top_totals

Days = tuple[date, date]
"""The first and the last day, both included."""

_OWNERS = {"campaign": "campaign_id", "user": "user_id"}


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by.

    - `clicks`: the clicks in `days`
    - `change`: the clicks in `days` minus those in `before`
    - `assigned`: the number of users of a campaign, or of campaigns of a user
    - `each`: `clicks` divided by `assigned`
    - `place`: the column `place` of the rows

    Numbers of clicks below `least` are withheld, so they are sorted as 0. `today` is the workspace's local date.
    """

    by: str
    descending: bool
    days: Days
    today: date
    before: Days | None = None
    only_without: bool = False
    least: float = 0

    @property
    def is_ranking(self) -> bool:
        """Whether it is the order of `rankings`: the most clicks first, none withheld."""
        return self.by == "clicks" and self.descending and not self.only_without and not self.least


class Slice(NamedTuple):
    """The rows of an order that are read: at most `most` from the position `first` on, or all of them if it is None.

    `first` is a multiple of `most`. If it is after the last row, the last page is read.
    """

    first: int
    most: int | None

    def within(self, total: int) -> Slice:
        """The page that is read of `total` rows."""
        if self.most is None:
            return self
        last_page = max(total - 1, 0) // self.most * self.most
        return Slice(min(self.first, last_page), self.most)

    def from_end(self, total: int) -> Slice | None:
        """The same rows in the reverse order, of `total` rows; None if they are not in the second half.

        A page of the second half is read from the end, because PostgreSQL sorts only the rows up to the page.
        """
        if self.most is None or self.first * 2 <= total:
            return None
        most = min(self.most, total - self.first)
        return Slice(total - self.first - most, most)


class Found(NamedTuple):
    """The keys of a page in their order, and the number of all keys."""

    keys: list[int]
    total: int


def ordered_keys(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    dimension: Dimension,
    chosen: QuerySet[Any],
    order: Order,
    wanted: Slice,
    is_whole: bool,
) -> Found:
    """The wanted keys of the rows of `chosen` in this order. `is_whole` says that these are all rows of the workspace.

    `chosen` has the values `pk`, `public_id` and `place`; ties are sorted by public id. The clicks of all keys are
    added up, not only those of the page. Exceptions are the first pages of a ranking of all rows, which `rankings`
    finds faster.
    """
    try:
        rows, row_params = chosen.order_by().query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return Found([], 0)
    sorting = _Sorting(connection, workspace_id, dimension, order, _Part(f"{_CHOSEN} AS ({rows})", [*row_params]))
    if order.only_without or not is_whole:
        return sorting.counted(wanted, is_long=chosen[: MANY + 1].count() > MANY)
    total = chosen.count()
    wanted = wanted.within(total)
    if top := sorting.top(wanted, total):
        return Found(top, total)
    backwards = wanted.from_end(total)
    read = sorting.rows(backwards or wanted, is_long=total > MANY, is_reversed=backwards is not None)
    keys = [key for (key,) in read]
    return Found(keys[::-1] if backwards else keys, total)


_CHOSEN = "chosen (id, public_id, place)"


@dataclass(frozen=True, slots=True)
class _Sorting:
    """Reading the rows of the common table `chosen` in an order."""

    connection: BaseDatabaseWrapper
    workspace_id: int
    dimension: Dimension
    order: Order
    chosen: _Part

    def top(self, wanted: Slice, total: int) -> list[int]:
        """The keys of one of the first pages of a ranking, if all of them have clicks. Otherwise an empty list."""
        if not self.order.is_ranking or wanted.most is None or not wanted.first + wanted.most <= MANY < total:
            return []
        end = wanted.first + wanted.most
        ranked = top_totals(self.connection, self.workspace_id, self.dimension, Period(*self.order.days), end)
        return [key for key, _ in ranked[wanted.first :]] if len(ranked) == end else []

    def counted(self, wanted: Slice, *, is_long: bool) -> Found:
        """The wanted keys and the number of all rows, by one statement, because finding the rows of a search takes
        longer than sorting them."""
        number = "(SELECT row_count FROM total)"
        first, params = "%s", [wanted.first]
        if wanted.most is not None:
            least = "LEAST" if is_postgresql(self.connection) else "min"
            first, params = f"{least}(%s, ({number} - 1) / %s * %s)", [wanted.first, wanted.most, wanted.most]
        read = self._read(f"id, {number}", wanted.most, first, params, is_long=is_long)
        return Found([key for key, _ in read], read[0][1] if read else 0)

    def rows(self, wanted: Slice, *, is_long: bool, is_reversed: bool = False) -> list[tuple[int, ...]]:
        """The wanted keys in the order or its reverse."""
        return self._read("id", wanted.most, "%s", [wanted.first], is_long=is_long, is_reversed=is_reversed)

    def _read(
        self,
        columns: str,
        most: int | None,
        first: str,
        first_params: list[int],
        *,
        is_long: bool,
        is_reversed: bool = False,
    ) -> list[tuple[int, ...]]:
        further = _parts(self.workspace_id, self.dimension, self.order, is_long=is_long)
        tables = [part.sql for part in (self.chosen, *further)]
        joined = f"chosen {' '.join(part.join for part in further)}"
        listed = "chosen"  # the common table that contains exactly the rows of the list
        if self.order.only_without:
            tables.append(f"listed AS (SELECT * FROM {joined} WHERE coalesce(clicks, 0) = 0)")
            joined = listed = "listed"
        tables.append(f"total AS (SELECT count(*) AS row_count FROM {listed})")  # counted only if it is read
        statement = f"""
            WITH {", ".join(tables)} SELECT {columns} FROM {joined}
            ORDER BY {_order_by(self.connection, self.order, is_reversed)} LIMIT %s OFFSET {first}
        """
        params = [value for part in (self.chosen, *further) for value in part.params]
        # Not prepared, because each search has another text.
        with self.connection.cursor() as cursor:
            cursor.execute(statement, [*params, _EVERYTHING if most is None else most, *first_params])
            read: list[tuple[int, ...]] = cursor.fetchall()
        return read


def number_with_clicks(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    dimension: Dimension,
    left_out: QuerySet[Any],
    days: Days,
) -> int:
    """How many keys have clicks in the days, except the rows of `left_out`, which has only the value `pk`."""
    rows, row_params = left_out.order_by().query.get_compiler(connection=connection).as_sql()
    # Only the index is read and not the counts, because every row of the rollups has at least one click. The rows to
    # leave out are looked up and not those to count, because there are mostly few of them.
    statement = f"""
        SELECT count(*) FROM (
            SELECT key FROM stats_app_rollup
            WHERE workspace_id = %s AND dimension = %s AND day BETWEEN %s AND %s GROUP BY key
        ) AS clicked WHERE NOT EXISTS (SELECT 1 FROM ({rows}) AS left_out WHERE left_out.id = clicked.key)
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [workspace_id, dimension.code, *days, *row_params])
        number: int = cursor.fetchone()[0]
        return number


_VALUES = {
    "clicks": "coalesce(clicks, 0)",
    "change": "coalesce(clicks, 0) - coalesce(clicks_before, 0)",
    "assigned": "coalesce(number, 0)",
    "each": "coalesce(clicks, 0) * 1.0 / number",
    "place": "place",
}

# SQLite does not support OFFSET without LIMIT.
_EVERYTHING = 2**31 - 1


def _order_by(connection: BaseDatabaseWrapper, order: Order, is_reversed: bool) -> str:
    """The sort order, or its reverse."""
    direction = "ASC" if order.descending == is_reversed else "DESC"
    nulls, tie = ("FIRST", "DESC") if is_reversed else ("LAST", "ASC")
    collation = 'COLLATE "C"' if is_postgresql(connection) else ""
    return f"{_VALUES[order.by]} {direction} NULLS {nulls}, public_id {collation} {tie}"


class _Part(NamedTuple):
    """A common table, and how it is joined with `chosen`."""

    sql: str
    params: Sequence[Any]
    join: str = ""


def _parts(workspace_id: int, dimension: Dimension, order: Order, *, is_long: bool) -> list[_Part]:
    """The common tables with the numbers by which the rows of `chosen` are sorted."""
    parts = []
    if order.by in ("clicks", "change", "each") or order.only_without:
        # For many keys, reading the counts of all keys in one scan is faster than looking up each.
        among = "" if is_long else "AND key IN (SELECT id FROM chosen)"
        parts.append(_counted(workspace_id, dimension, order, among))
    if order.by in ("assigned", "each"):
        parts.append(_assigned(workspace_id, _OWNERS[dimension.name]))
    return parts


class _Piece(NamedTuple):
    """Rows of the rollups to add or subtract: those of some days, or the stored sum of a calendar year."""

    dimension: int
    first: date
    last: date
    sign: str


def _counted(workspace_id: int, dimension: Dimension, order: Order, among: str) -> _Part:
    """The clicks of each key in `order.days`, and in `order.before`. `among` is a further condition for the keys."""
    spans = {"clicks": order.days} | ({"clicks_before": order.before} if order.before else {})
    selects, params = [], []
    for name, days in spans.items():
        for piece in _pieces(dimension, days, order.today):
            # Each SELECT names its columns, because Citus runs it by itself, without the names of the common table.
            columns = ", ".join(f"{f'{piece.sign}({TOTAL})' if name == one else '0'} AS {one}" for one in spans)
            selects.append(f"""
                SELECT key, {columns} FROM stats_app_rollup
                WHERE workspace_id = %s AND dimension = %s AND day BETWEEN %s AND %s {among}
            """)
            params += [workspace_id, piece.dimension, piece.first, piece.last]
    sql = f"""
        pieces (key, {", ".join(spans)}) AS ({" UNION ALL ".join(selects)}),
        summed AS (SELECT key, {", ".join(f"sum({name}) AS {name}" for name in spans)} FROM pieces GROUP BY key),
        counted AS (
            SELECT key, {", ".join(f"CASE WHEN {name} >= %s THEN {name} END AS {name}" for name in spans)} FROM summed
        )
    """
    return _Part(sql, [*params, *([order.least] * len(spans))], "LEFT JOIN counted ON counted.key = chosen.id")


def _pieces(dimension: Dimension, days: Days, today: date) -> Iterator[_Piece]:
    """Splits a range of days into pieces whose sum is its number of clicks, so that few rows have to be read.

    If most days of a calendar year are asked for, its stored sum is read and the other days are subtracted from it.
    """
    years = dimension.code if dimension.years is None else dimension.years
    for year in range(days[0].year, days[1].year + 1):
        first, last = date(year, 1, 1), date(year, 12, 31)
        start, end = max(first, days[0]), min(last, days[1])
        # Days after today have no clicks to subtract.
        outside = [(first, start - ONE_DAY), (end + ONE_DAY, min(last, max(today, end) + ONE_DAY))]
        outside = [span for span in outside if span[0] <= span[1]]
        if sum((until - since).days + 1 for since, until in outside) < (end - start).days + 1:
            yield _Piece(years, first, first, "")
            yield from (_Piece(dimension.code, since, until, "-") for since, until in outside)
        else:
            yield _Piece(dimension.code, start, end, "")


def _assigned(workspace_id: int, owner: str) -> _Part:
    """The number of users of each campaign, or of campaigns of each user."""
    sql = f"""
        assigned AS (
            SELECT {owner} AS owner, count(*) AS number FROM stats_app_campaignassignment
            WHERE workspace_id = %s GROUP BY {owner}
        )
    """
    return _Part(sql, [workspace_id], "LEFT JOIN assigned ON assigned.owner = chosen.id")
