"""Files of people and campaigns: CSV and JSON lines, as other systems export them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from stats_app.directory.items import (
    DirectoryItem,
    DisplayNameParameter,
    EmailsParameter,
    FlagParameter,
    PeopleParameter,
    fields_of,
)
from stats_app.emails import is_email
from stats_app.errors import FieldError, printable
from stats_app.imports.columns import Column as FileColumn
from stats_app.imports.columns import (
    ColumnMap,
    Fields,
    Joined,
    Origin,
    Translation,
    names_for_messages,
    text_of,
    value_at,
)
from stats_app.imports.jsonlines import objects
from stats_app.imports.sources import Source
from stats_app.imports.tables import CsvTable
from stats_app.parameters import DateParameter, Field

# Spreadsheets write these values in the language of their user.
_TRUE, _FALSE = frozenset({"true", "yes", "1", "vrai", "oui"}), frozenset({"false", "no", "0", "faux", "non"})
_BETWEEN = re.compile(r"[\s,;]+")
# In lists of addresses from Microsoft, each address follows its protocol: `SMTP:` before the main e-mail, `smtp:`
# before the others. The addresses are separated by semicolons, commas or spaces; in exports of the Microsoft 365 admin
# center by plus signs.
_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9]*):")
_BEFORE_PROTOCOL = re.compile(r"(?:^|[\s,;+])(?=[A-Za-z][A-Za-z0-9]*:)")
_MAIL = "smtp"
# The characters as which bytes that are not UTF-8 are read: see `Source.text_lines`.
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")


class ItemRow(NamedTuple):
    """One row: the number of its first line, its unchanged text, and its item or error."""

    number: int
    raw: str
    item: dict[str, Any] | FieldError


class ItemRows:
    """The rows of a file, read lazily.

    `names` are the names of the fields in the file, and `unread` the columns that are not used.
    """

    encoding: str | None
    header: str = ""
    names: Mapping[str, str]
    unread: Collection[str] = ()

    def __init__(self, rows: Callable[[], Iterator[ItemRow]]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[ItemRow]:
        for row in self._rows():
            is_wrong = self.encoding != "utf-16" and _NOT_UTF_8.search(row.raw)
            yield row._replace(item=_OTHER_ENCODING) if is_wrong else row


# The whole row gets one error, because errors of single fields would show characters that are not in the file.
_OTHER_ENCODING = FieldError("line", "invalid", "line is not UTF-8: save the file in UTF-8, in Excel as CSV UTF-8.")


FORMATS = ("csv", "jsonl")


def file_fields(declaration: type[DirectoryItem]) -> Fields:
    """The columns that a file may have."""
    fields = fields_of(declaration)
    joined = {name for name, one in fields.items() if isinstance(one, (*_LISTS, DisplayNameParameter))}
    return Fields(declaration.noun, tuple(fields), {name: name for name in fields}, joined=frozenset(joined))


def read_items(
    source: Source, declaration: type[DirectoryItem], file_format: str, maps: Collection[str] = ()
) -> ItemRows:
    """The rows of a file as items of `save_users` or `save_campaigns`. Raises WrongFile.

    `maps` say which column of another system is which field, as in `ColumnMap.parse`.
    """
    mapping = ColumnMap.parse(maps, of=file_fields(declaration))
    return (_csv if file_format == "csv" else _jsonl)(source, declaration, mapping)


def _csv(source: Source, declaration: type[DirectoryItem], mapping: ColumnMap) -> ItemRows:
    table = CsvTable(source, mapping)
    readers = [(name, _reader(field)) for name, field in fields_of(declaration).items()]
    given = [(number, name, read) for number, (name, read) in enumerate(readers) if name in table.columns.origins]

    def rows() -> Iterator[ItemRow]:
        for number, raw, values, _ in table:
            if isinstance(values, FieldError):
                yield ItemRow(number, raw, values)
            else:
                read = ((name, reader(values[place])) for place, name, reader in given)
                yield ItemRow(number, raw, {name: value for name, value in read if value is not _NOTHING})

    items = ItemRows(rows)
    items.encoding, items.header = table.encoding, table.header
    items.names, items.unread = table.columns.names, table.columns.unread
    return items


def _jsonl(source: Source, declaration: type[DirectoryItem], mapping: ColumnMap) -> ItemRows:
    encoding, lines = source.encoding(), source.text_lines()
    origins = mapping.origins(mapping.of.names)
    readers = {name: _reader(field) for name, field in fields_of(declaration).items()}

    def item(row: dict[str, Any]) -> dict[str, Any] | FieldError:
        unknown = None if mapping.is_foreign else next((name for name in row if name not in readers), None)
        if unknown is not None:
            name = printable(unknown)
            message = f"{name} is not a field of a {mapping.of.noun}; the fields are {', '.join(readers)}."
            return FieldError(name, "unknown", message)
        said = {name: _said(origin, row) for name, origin in origins.items()}
        read = {name: readers[name](value) for name, value in said.items() if value is not _NOTHING}
        return {name: value for name, value in read.items() if value is not _NOTHING}

    def rows() -> Iterator[ItemRow]:
        for number, line, row in objects(lines, mapping.of.noun):
            yield ItemRow(number, line, item(row) if isinstance(row, dict) else row)

    items = ItemRows(rows)
    items.encoding, items.names = encoding, names_for_messages(mapping.of, origins)
    return items


class _Nothing:
    """Marks a field without a value in the row."""


_NOTHING = _Nothing()


def _said(origin: Origin, row: Mapping[str, Any]) -> Any:
    """The value of a field in an object; `_NOTHING` if the key is missing."""
    match origin:
        case FileColumn(column):
            there = column in row or value_at(row, column) is not None
            return value_at(row, column) if there else _NOTHING
        case Joined(columns):
            values = [value_at(row, column) for column in columns]
            if any(isinstance(value, list) for value in values):
                return [
                    *chain.from_iterable(value if isinstance(value, list) else [value] for value in values if value)
                ]
            return " ".join(filter(None, map(text_of, values)))
        case Translation(column):
            return origin.of(text_of(value_at(row, column)))
        case _:
            return origin.value


# --- Functions that parse a cell, by the type of its field ---


def _reader(field: Field) -> Callable[[Any], Any]:
    if isinstance(field, _LISTS):
        return _list
    return next((read for kind, read in _READERS.items() if isinstance(field, kind)), _text)


def _text(value: Any) -> Any:
    """An empty cell means no value."""
    if value is None or value == "":
        return _NOTHING
    return str(value) if type(value) is int else value


def _name(value: Any) -> Any:
    """An empty cell is an empty name."""
    return "" if value is None else value


def _date(value: Any) -> Any:
    """An empty cell means no date."""
    return None if value == "" else value


def _flag(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    if word in (None, ""):
        return _NOTHING
    if isinstance(word, str) and word in _TRUE | _FALSE:
        return word in _TRUE
    return value


def _list(value: Any) -> Any:
    """An empty cell is an empty list. Addresses of other protocols than e-mail are skipped."""
    if value is None:
        return []
    if isinstance(value, str):
        return _addresses(value)
    if not isinstance(value, list):
        return value
    return [word for part in value for word in (_addresses(part) if isinstance(part, str) else [part])]


def _addresses(text: str) -> list[str]:
    """The names and e-mails in a text. Addresses of other protocols are skipped. They may contain spaces, commas and
    semicolons, such as `X500:/o=First Organization/cn=ada`, and e-mails may follow them."""
    names: list[str] = []
    for entry in _BEFORE_PROTOCOL.split(text):
        protocol = _PROTOCOL.match(entry)
        words = [word for word in _BETWEEN.split(entry[protocol.end() if protocol else 0 :]) if word]
        is_mail = protocol is None or protocol[1].lower() == _MAIL
        names += words if is_mail else filter(is_email, words[1:])
    return names


_LISTS = (EmailsParameter, PeopleParameter)
_READERS: dict[type[Field], Callable[[Any], Any]] = {
    DisplayNameParameter: _name,
    DateParameter: _date,
    FlagParameter: _flag,
}
