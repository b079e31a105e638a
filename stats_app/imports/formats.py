"""The formats of files, and the options that each format takes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from stats_app.errors import shown
from stats_app.imports import weblogs
from stats_app.imports.columns import ColumnMap
from stats_app.imports.jsonlines import JsonRows
from stats_app.imports.rows import ClickReader, Rows
from stats_app.imports.sources import Source, WrongFile
from stats_app.imports.tables import CsvRows
from stats_app.imports.times import TimeReader
from stats_app.imports.weblogs import DEFAULT_PREFIX, REDIRECTS, LogRows, ReadLine


@dataclass(frozen=True)
class ReadAs:
    """The options for reading a file. An option that does not apply to the format is an error.

    `workspace` is the public id of the workspace that the clicks are imported to.
    `maps` and `only` are for files with columns (see `ColumnMap`), `date_format` and `timezone` for their times (see
    `TimeReader`). For logs, `prefix` is the path before the links' tokens, and `statuses` are those of followed links.
    """

    workspace: str
    format: str = "csv"
    maps: Collection[str] = ()
    only: Collection[str] = ()
    date_format: str | None = None
    timezone: str | None = None
    prefix: str | None = None
    statuses: Collection[int] = ()

    @property
    def columns(self) -> ColumnMap:
        return ColumnMap.parse(self.maps, self.only)

    @property
    def times(self) -> TimeReader:
        return TimeReader(self.date_format, self.timezone)

    @property
    def read_click(self) -> ClickReader:
        return ClickReader(self.times, self.workspace)


def rows_of(source: Source, read_as: ReadAs) -> Rows:
    """The rows of a file. Raises WrongFile if it cannot be read with these options."""
    make, options = FORMATS[read_as.format]
    for option in ("maps", "only", "date_format", "timezone", "prefix", "statuses"):
        if getattr(read_as, option) and option not in options:
            name = _OPTIONS.get(option, "--" + option.replace("_", "-"))
            raise WrongFile(f"{name} cannot be used with --format {read_as.format}.")
    return make(source, read_as)


def format_of(name: str) -> str:
    """The format of a file, by the extension of its name. CSV if the extension is unknown."""
    return "jsonl" if name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")) else "csv"


def _csv(source: Source, read_as: ReadAs) -> Rows:
    return CsvRows(source, read_as.columns, read_as.read_click)


def _jsonl(source: Source, read_as: ReadAs) -> Rows:
    return JsonRows(source, read_as.columns, read_as.read_click)


def _combined(source: Source, read_as: ReadAs) -> Rows:
    return _log(source, read_as, weblogs.combined)


def _caddy(source: Source, read_as: ReadAs) -> Rows:
    return _log(source, read_as, weblogs.JsonLines(weblogs.CADDY, read_as.times))


def _traefik(source: Source, read_as: ReadAs) -> Rows:
    return _log(source, read_as, weblogs.JsonLines(weblogs.TRAEFIK, read_as.times))


def _log(source: Source, read_as: ReadAs, read_line: ReadLine) -> Rows:
    prefix = read_as.prefix or DEFAULT_PREFIX
    if not prefix.startswith("/"):
        raise WrongFile(f"--prefix must be a path that begins with /, not {shown(prefix)}.")
    return LogRows(source, read_line, prefix if prefix.endswith("/") else prefix + "/", read_as.statuses or REDIRECTS)


_OPTIONS = {"maps": "--map", "statuses": "--status"}
_OF_COLUMNS = {"maps", "only", "date_format", "timezone"}
_OF_LOGS = {"prefix", "statuses"}
_OF_JSON_LOGS = _OF_LOGS | {"date_format", "timezone"}
FORMATS: dict[str, tuple[Callable[[Source, ReadAs], Rows], Collection[str]]] = {
    "csv": (_csv, _OF_COLUMNS),
    "jsonl": (_jsonl, _OF_COLUMNS),
    "combined": (_combined, _OF_LOGS),
    "caddy": (_caddy, _OF_JSON_LOGS),
    "traefik": (_traefik, _OF_JSON_LOGS),
}
"""By format: the function that makes its rows, and the options of `ReadAs` that apply to it."""
