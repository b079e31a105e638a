"""The users with the most clicks, without reading the counts of all.

Most of a hundred thousand users have few clicks. A user has at most the clicks of the calendar years that a period
touches, so those of the largest users of these years tell how many the last of the top has at least, and all users who
have fewer in these years are out. What is left are some dozens, whose days are read. The years are found in the order
of their size through an index on `Rollup.size`, which stays the same for most clicks: an index on the counts themselves
would have to change with every click.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.dimensions import USER, USER_YEAR
from stats_app.periods import ONE_DAY, Period, year_start
from stats_app.sql.counts import TOTAL, totals
from stats_app.sql.cursor import among, is_postgresql, number_list, rows

# Looking each of more users up by itself takes longer than adding all of them up.
MANY = 2000


def size_of(clicks: int) -> int:
    """The class of a count, as `Rollup.size` has it: the number of its digits, then the first. It never falls as counts
    rise, and moves with every doubling at least."""
    digits = str(clicks)
    return len(digits) * 10 + int(digits[0])


def top_users(
    connection: BaseDatabaseWrapper, workspace_id: int, period: Period, limit: int, many: int = MANY
) -> list[tuple[int, int]]:
    """The users with the most clicks in the period and their clicks, most first, ties by public id. Exact.

    Where clicks are spread so evenly that more than `many` users may be among the first, the database counts them all.
    """
    years = [date(year, 1, 1) for year in range(period.start.year, period.end.year + 1)]
    clicks = _clicks(connection, workspace_id, _largest(connection, workspace_id, years, limit), period)
    most = sorted(clicks.values(), reverse=True)
    least = max(1, most[limit - 1]) if len(most) >= limit else 1
    candidates = _candidates(connection, workspace_id, years, least, many)
    if candidates is None:
        clicks = _clicks_of_all(connection, workspace_id, period, limit)
    else:
        clicks |= _clicks(connection, workspace_id, candidates - clicks.keys(), period)
    return _first(connection, {key: number for key, number in clicks.items() if number >= least}, limit)


def _largest(connection: BaseDatabaseWrapper, workspace_id: int, years: list[date], number: int) -> list[int]:
    """About the `number` largest users of these years; which of those of one size are looked at is left to chance."""
    statement = f"SELECT key FROM stats_app_rollup WHERE {_OF_YEAR} ORDER BY size DESC LIMIT %(number)s"
    params = {"workspace": workspace_id, "number": 2 * number}
    bounds = _bounds(connection, workspace_id, years, _keys_of_years(connection, statement, years, params))
    return sorted(bounds, key=lambda key: -bounds[key])[:number]


def _candidates(
    connection: BaseDatabaseWrapper, workspace_id: int, years: list[date], least: int, many: int
) -> set[int] | None:
    """The users with at least `least` clicks in these years together; None when they are more than `many`.

    Each has its share of them in one year, so they are few among the largest of each year, as a rule. Where most users
    are as large as that, the years are added up in the database.
    """
    statement = f"SELECT key FROM stats_app_rollup WHERE {_OF_YEAR} AND size >= %(size)s LIMIT %(number)s"
    params = {"workspace": workspace_id, "size": size_of(-(-least // len(years))), "number": many + 1}
    large = _keys_of_years(connection, statement, years, params)
    if len(large) > many:
        found = _keys_of_sums(connection, workspace_id, years, least, many + 1)
        return None if len(found) > many else found
    bounds = _bounds(connection, workspace_id, years, large)
    return {key for key, most in bounds.items() if most >= least}


def _keys_of_sums(
    connection: BaseDatabaseWrapper, workspace_id: int, years: list[date], least: int, number: int
) -> set[int]:
    statement = f"""
        SELECT key FROM stats_app_rollup
        WHERE workspace_id = %(workspace)s AND dimension = {USER_YEAR} AND day BETWEEN %(first)s AND %(last)s
        GROUP BY key HAVING sum({TOTAL}) >= %(least)s LIMIT %(number)s
    """
    params = {"workspace": workspace_id, "first": years[0], "last": years[-1], "least": least, "number": number}
    return {key for (key,) in rows(connection, statement, params)}


def _clicks_of_all(connection: BaseDatabaseWrapper, workspace_id: int, period: Period, limit: int) -> dict[int, int]:
    """The clicks in the period of the first `limit` users, and of all who have as many as the last of them."""
    statement = f"""
        WITH counted AS (
            SELECT key, sum({TOTAL}) AS clicks FROM stats_app_rollup
            WHERE workspace_id = %(workspace)s AND dimension = {USER} AND day BETWEEN %(start)s AND %(end)s
            GROUP BY key HAVING sum({TOTAL}) > 0
        )
        SELECT key, clicks FROM counted
        WHERE clicks >= coalesce((SELECT clicks FROM counted ORDER BY clicks DESC LIMIT 1 OFFSET %(rank)s), 1)
    """
    params = {"workspace": workspace_id, "start": period.start, "end": period.end, "rank": limit - 1}
    return {key: int(clicks) for key, clicks in rows(connection, statement, params)}


def _bounds(
    connection: BaseDatabaseWrapper, workspace_id: int, years: list[date], keys: Iterable[int]
) -> dict[int, int]:
    """The clicks of each user in these years, of which no period in them has more."""
    found = totals(connection, workspace_id, USER_YEAR, list(keys), years[0], years[-1])
    return {key: int(sum(counts)) for key, counts in found}


def _keys_of_years(
    connection: BaseDatabaseWrapper, statement: str, years: Iterable[date], params: dict[str, int]
) -> set[int]:
    """The keys of one statement for each year: for several at once the database would sort or scan them all."""
    return {key for year in years for (key,) in rows(connection, statement, params | {"year": year})}


# The dimension is written out, since no index of some dimension alone is taken for a parameter.
_OF_YEAR = f"workspace_id = %(workspace)s AND dimension = {USER_YEAR} AND day = %(year)s"


def _clicks(connection: BaseDatabaseWrapper, workspace_id: int, keys: Iterable[int], period: Period) -> dict[int, int]:
    """The clicks of each user in the period: of whole years by one row, of the other days by a row each."""
    found: dict[int, int] = dict.fromkeys(keys, 0)
    for dimension, start, end in _pieces(period):
        for key, counts in totals(connection, workspace_id, dimension, list(found), start, end):
            found[key] += int(sum(counts))
    return found


def _pieces(period: Period) -> list[tuple[int, date, date]]:
    """The dimensions and days to read, so that each day of the period is counted once."""
    years = period.whole_years()
    if years is None:
        return [(USER, period.start, period.end)]
    pieces = [
        (USER, period.start, years.start - ONE_DAY),
        (USER_YEAR, years.start, year_start(years.end)),
        (USER, years.end + ONE_DAY, period.end),
    ]
    return [piece for piece in pieces if piece[1] <= piece[2]]


def _first(connection: BaseDatabaseWrapper, clicks: Mapping[int, int], limit: int) -> list[tuple[int, int]]:
    """The first by clicks, then by public id, which is asked for where it can matter only."""
    most = sorted(clicks.values(), reverse=True)[:limit]
    if not most:
        return []
    keys = [key for key, number in clicks.items() if number >= most[-1]]
    collation = 'COLLATE "C"' if is_postgresql(connection) else ""
    statement = f"""
        SELECT id FROM stats_app_workspaceuser WHERE id {among(connection, "keys")} ORDER BY public_id {collation}
    """
    ordered = [key for (key,) in rows(connection, statement, {"keys": number_list(connection, keys)})]
    return sorted(((key, clicks[key]) for key in ordered), key=lambda one: -one[1])[:limit]
