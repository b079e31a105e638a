"""Parsing the times in files. Ambiguous times are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stats_app.errors import UnknownZone, shown
from stats_app.imports.sources import WrongFile
from stats_app.periods import zone_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds and milliseconds since 1970, for which `strptime` has no format.
UNIX, UNIX_MS = "unix", "unix-ms"

# Limits the minutes of the offset to 59, because `fromisoformat` would carry larger ones over into hours.
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-5][0-9])?)?"
)
_DAY_OR_MONTH_FIRST = re.compile(r"\s*[0-9]{1,2}([/.-])[0-9]{1,2}\1[0-9]{2,4}\b.*", re.DOTALL)


class TimeReader:
    """Parses the times of one file: ISO 8601 (with T or a space), or the format `date_format`.

    `date_format` is a format of `strptime`, `unix` or `unix-ms`. `timezone` is the IANA zone of times without an
    offset; without `timezone` such times are refused. Raises WrongFile if one of the two is invalid.
    """

    def __init__(self, date_format: str | None = None, timezone: str | None = None) -> None:
        self._format = date_format or ""
        self._timezone = timezone
        self._zone = None if timezone is None else _zone(timezone)
        self._read: Callable[[Any], datetime] = self._iso
        if date_format in (UNIX, UNIX_MS):
            self._read = self._unix
        elif date_format is not None:
            _check_format(date_format)
            self._read = self._formatted

    @property
    def has_format(self) -> bool:
        return bool(self._format)

    def __call__(self, value: Any) -> datetime:
        """The time with an offset. Raises ValueError, whose message continues the name of the field."""
        time = self._read(value)
        return time if time.tzinfo is not None else self._placed(time, value)

    def _iso(self, value: Any) -> datetime:
        if isinstance(value, str) and _ISO.fullmatch(value):
            try:
                return datetime.fromisoformat(value)
            except ValueError as error:
                raise ValueError(f"{shown(value)} is not a time: {error}.") from None
        if isinstance(value, str) and _DAY_OR_MONTH_FIRST.fullmatch(value):
            raise ValueError(
                f"{shown(value)} is ambiguous; give its form with --date-format, such as '%d/%m/%Y %H:%M:%S'."
            )
        raise ValueError(
            f"{shown(value)} is not a time such as 2026-03-01T09:30:00Z; any other form needs --date-format."
        )

    def _unix(self, value: Any) -> datetime:
        try:
            number = float(value)
            seconds = number if self._format == UNIX else number / 1000
            return time_of(seconds)
        except (TypeError, ValueError, OverflowError):
            unit = "seconds" if self._format == UNIX else "milliseconds"
            raise ValueError(f"{shown(value)} is not a number of {unit} since 1970.") from None

    def _formatted(self, value: Any) -> datetime:
        try:
            return datetime.strptime(value, self._format)  # noqa: DTZ007  # the caller adds the zone
        except (TypeError, ValueError):
            raise ValueError(f"{shown(value)} is not a time in the form {self._format}.") from None

    def _placed(self, time: datetime, value: Any) -> datetime:
        """A local time with the offset of the file's zone. If it occurs twice, because clocks were put back, the
        earlier one."""
        if self._zone is None:
            raise ValueError(
                f"{shown(value)} has no offset; give its time zone with --timezone, such as --timezone UTC."
            )
        placed = time.replace(tzinfo=self._zone)
        if not MINYEAR < time.year < MAXYEAR:  # converting to UTC could leave the calendar
            return time.replace(tzinfo=UTC)
        if placed.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != time:
            raise ValueError(f"{shown(value)} was skipped by the clocks of {self._timezone}: is that the right zone?")
        return placed


def time_of(seconds: float) -> datetime:
    """The time that is `seconds` after 1970, to the microsecond. Raises OverflowError, and ValueError for NaN."""
    return EPOCH + timedelta(seconds=seconds)


def _zone(name: str) -> ZoneInfo:
    try:
        return zone_of(name)
    except UnknownZone:
        raise WrongFile(f"--timezone must be an IANA time zone, such as Europe/Paris, not {shown(name)}.") from None


def _check_format(date_format: str) -> None:
    example = EPOCH.replace(year=2026)
    try:
        datetime.strptime(example.strftime(date_format), date_format)  # noqa: DTZ007  # the time is thrown away: only the format is tested
    except ValueError as error:
        raise WrongFile(
            f"--date-format must be {UNIX}, {UNIX_MS} or a format of Python's strptime, such as '%d/%m/%Y %H:%M:%S', "
            f"not {shown(date_format)}: {error}."
        ) from None
