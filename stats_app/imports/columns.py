"""Which column of a file contains which field: the column with the field's name in the API, or one given by `--map`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import itemgetter
from typing import Any, NamedTuple, TypeGuard

from stats_app.click_fields import CLICKED_AT, EXTERNAL_ID, FIELDS, KIND, LINK, USER_AGENT, WORKSPACE
from stats_app.errors import printable, shown
from stats_app.imports.sources import WrongFile

_ANY_OTHER = "*"


@dataclass(frozen=True)
class Fields:
    """The fields of one kind of row. A row's values are in the order of `names`.

    `inside` maps the fields to their names in Python, which errors contain until they are renamed for the user.
    `synonyms` maps other names to the fields. The fields in `joined` may be made from several columns, joined by
    spaces.
    """

    noun: str
    names: tuple[str, ...]
    inside: Mapping[str, str]
    synonyms: Mapping[str, str] = field(default_factory=dict)
    joined: frozenset[str] = frozenset()

    def known_as(self, name: str) -> str | None:
        """The field with this name or synonym."""
        return name if name in self.names else self.synonyms.get(name)


CLICKS = Fields(
    "click",
    (*FIELDS, LINK, EXTERNAL_ID, USER_AGENT, WORKSPACE),
    inside={**FIELDS, LINK: LINK, WORKSPACE: "workspace"},
    synonyms={"token": LINK},
)
NAMES = CLICKS.names

Values = list[Any]
"""The values of a row, in the order of `Fields.names`; None for a field without a value."""


class Column(NamedTuple):
    """The value of the field is in a column."""

    column: str


class Constant(NamedTuple):
    """The field has the same value in every row."""

    value: str


class Translation(NamedTuple):
    """Each value of a column is translated to a value of the field."""

    column: str
    values: dict[str, str]

    def of(self, text: str) -> str | None:
        return self.values.get(text, self.values.get(_ANY_OTHER)) or None


class Joined(NamedTuple):
    """The value of the field is made from several columns, joined by spaces."""

    columns: tuple[str, ...]


Origin = Column | Constant | Translation | Joined


def columns_of(origin: Origin) -> tuple[str, ...]:
    """The columns that a field is read from."""
    match origin:
        case Constant():
            return ()
        case Joined(columns):
            return columns
        case _:
            return (origin.column,)


@dataclass
class ColumnMap:
    """The parsed options `--map` and `--only`: where each field comes from, and which rows are imported."""

    fields: dict[str, Origin] = field(default_factory=dict)
    only: dict[str, set[str]] = field(default_factory=dict)
    of: Fields = CLICKS

    @classmethod
    def parse(cls, maps: Iterable[str], only: Iterable[str] = (), of: Fields = CLICKS) -> ColumnMap:
        """Parses the options. Raises WrongFile.

        `maps` are `COLUMN=FIELD`, `FIELD=VALUE` or `COLUMN:VALUE=FIELD:VALUE` (`*` for any other value). `only` are
        `COLUMN=VALUE`: rows with other values are skipped.
        """
        parsed = cls(of=of)
        for text in maps:
            parsed._add(text)
        for text in only:
            column, sign, value = text.partition("=")
            if not (column and sign):
                raise WrongFile(f"--only must be COLUMN=VALUE, not {shown(text)}.")
            parsed.only.setdefault(column, set()).add(value)
        return parsed

    def _add(self, text: str) -> None:
        left, _, right = text.rpartition("=")
        column, colon, value = left.partition(":")
        translated, result_colon, result = right.partition(":")
        name, sign, constant = text.partition("=")
        known_as = self.of.known_as
        if left and (target := known_as(right)):
            before = self.fields.get(target)
            if target in self.of.joined and isinstance(before, Column | Joined):
                self.fields[target] = Joined((*columns_of(before), left))
            else:
                self._set(target, Column(left), text)
        elif column and colon and result_colon and (target := known_as(translated)):
            there = self.fields.get(target)
            if not isinstance(there, Translation) or there.column != column or value in there.values:
                there = self._set(target, Translation(column, {}), text)
            there.values[value] = result
        elif sign and (target := known_as(name)):
            self._set(target, Constant(constant), text)
        else:
            raise WrongFile(
                f"--map {shown(text)} is not COLUMN=FIELD, FIELD=VALUE or COLUMN:VALUE=FIELD:VALUE; "
                f"the fields are {', '.join(self.of.names)}."
            )

    def _set(self, name: str, origin: Any, text: str) -> Any:
        if name in self.fields:
            raise WrongFile(f"--map {shown(text)}: another --map already sets {name}.")
        self.fields[name] = origin
        return origin

    @property
    def is_foreign(self) -> bool:
        """Whether the options show that the file comes from another system. Then columns that are not fields are
        ignored."""
        return bool(self.fields or self.only)

    @property
    def named_columns(self) -> set[str]:
        """The columns that the options name."""
        return {column for one in self.fields.values() for column in columns_of(one)} | set(self.only)

    def origins(self, there: Collection[str]) -> dict[str, Origin]:
        """The origin of each field in a file with these columns. If an option maps a column to another field, the
        column is not used for the field with its own name."""
        mapped = {
            column for one in self.fields.values() if isinstance(one, Column | Joined) for column in columns_of(one)
        }
        own: dict[str, Origin] = {name: Column(name) for name in self.of.names if name in there and name not in mapped}
        return own | self.fields


class HeaderColumns:
    """The columns of a CSV file, from its first row. Called with the cells of a row, it returns the row's values."""

    def __init__(self, header: Sequence[str], mapping: ColumnMap) -> None:
        """Raises WrongFile for missing, unknown or repeated columns."""
        names = [name.strip() for name in header]
        self.header = _with_own_names(names, mapping)
        self.origins = origins = mapping.origins(self.header)
        read = {column for one in origins.values() for column in columns_of(one)} | set(mapping.only)
        self.unread = [name for name in self.header if name not in read]
        self._check(read, mapping)
        self.names = names_for_messages(mapping.of, origins)
        self._sorted = sorted((name, place) for place, name in enumerate(names))
        self._only = [(self.header.index(column), values) for column, values in mapping.only.items()]
        self._translations: list[tuple[int, int, Translation]] = []
        self._joined: list[tuple[int, list[int]]] = []
        # An empty cell and the constants are appended to each row, so that one `itemgetter`, which is fast, reads all
        # values.
        self._extra = [""]
        self._pick = itemgetter(
            *(self._place(number, origins.get(name)) for number, name in enumerate(mapping.of.names))
        )

    def __call__(self, cells: list[str]) -> Values | None:
        """The values of a row, or None if `--only` skips it. An empty cell is None."""
        for place, wanted in self._only:
            if cells[place] not in wanted:
                return None
        values: Values = [value or None for value in self._pick(cells + self._extra)]
        for number, place, translation in self._translations:
            values[number] = translation.of(cells[place])
        for number, places in self._joined:
            values[number] = " ".join([cells[place] for place in places if cells[place]]) or None
        return values

    def content(self, cells: Sequence[str]) -> bytes:
        """The whole content of the row, which does not depend on the order of the columns or on `--map`."""
        return encoded([(name, cells[place]) for name, place in self._sorted])

    def _place(self, number: int, origin: Origin | None) -> int:
        """The position of a field's value in a row with `_extra` appended. Remembers the fields that are computed
        later."""
        if isinstance(origin, Column):
            return self.header.index(origin.column)
        if isinstance(origin, Constant):
            self._extra.append(origin.value)
            return len(self.header) + len(self._extra) - 1
        if isinstance(origin, Translation):
            self._translations.append((number, self.header.index(origin.column), origin))
        if isinstance(origin, Joined):
            self._joined.append((number, [self.header.index(column) for column in origin.columns]))
        return len(self.header)

    def _check(self, read: set[str], mapping: ColumnMap) -> None:
        there = f"the file has {', '.join(map(printable, self.header))}"
        for column in sorted(read - set(self.header)):
            raise WrongFile(f"There is no column {shown(column)}, which --map or --only names; {there}.")
        for column in self.header:
            if column in read and self.header.count(column) > 1:
                raise WrongFile(f"The column {shown(column)} is given more than once.")
        if self.unread and not mapping.is_foreign:
            raise WrongFile(
                f"{shown(self.unread[0])} is not a field of a {mapping.of.noun}; "
                f"the fields are {', '.join(mapping.of.names)}. Map the columns of another system to these (--map)."
            )


class KeyColumns:
    """As `HeaderColumns`, for clicks in JSON lines, where each object has its own keys."""

    def __init__(self, mapping: ColumnMap) -> None:
        origins = mapping.origins(NAMES)
        self._mapping = mapping
        self.names = names_for_messages(mapping.of, origins)
        numbered = [(NAMES.index(name), origin) for name, origin in origins.items()]
        self._plain = [(number, origin.column) for number, origin in numbered if _is_plain(origin)]
        self._others = [(number, origin) for number, origin in numbered if not _is_plain(origin)]

    def __call__(self, row: dict[str, Any]) -> Values | None:
        if any(text_of(value_at(row, column)) not in wanted for column, wanted in self._mapping.only.items()):
            return None
        for other, name in self._mapping.of.synonyms.items():
            if other in row and name not in row and other not in self._mapping.named_columns:
                row = {name if key == other else key: value for key, value in row.items()}
        values: Values = [None] * len(NAMES)
        for number, key in self._plain:
            value = row.get(key)
            if value != "":
                values[number] = value
        for number, origin in self._others:
            values[number] = _of(origin, row)
        return values

    def unknown(self, row: dict[str, Any]) -> str | None:
        """The first key that is not a field. None for a file from another system, where these are ignored."""
        if self._mapping.is_foreign:
            return None
        return next((name for name in row if self._mapping.of.known_as(name) is None), None)

    def content(self, row: Mapping[str, Any]) -> bytes:
        return encoded([(name, text_of(value)) for name, value in sorted(row.items())])


def _is_plain(origin: Origin) -> TypeGuard[Column]:
    """Whether a field is the value of one key of the object itself."""
    return isinstance(origin, Column) and "." not in origin.column


def _of(origin: Origin, row: Mapping[str, Any]) -> Any:
    if isinstance(origin, Constant):
        return origin.value or None
    if isinstance(origin, Joined):
        return " ".join(filter(None, (text_of(value_at(row, column)) for column in origin.columns))) or None
    value = value_at(row, origin.column)
    return value if isinstance(origin, Column) else origin.of(text_of(value))


def _with_own_names(header: list[str], mapping: ColumnMap) -> list[str]:
    """The names of the columns, with synonyms replaced by the names of their fields."""
    own = {
        other: name
        for other, name in mapping.of.synonyms.items()
        if name not in header and other not in mapping.named_columns
    }
    return [own.get(name, name) for name in header]


def check_clicks(origins: Mapping[str, Origin]) -> None:
    """Raises WrongFile if the file lacks a column that every click needs."""
    if CLICKED_AT not in origins:
        raise WrongFile(f"There is no column {CLICKED_AT}, so the times of the clicks are unknown.")
    if KIND not in origins and LINK not in origins:
        raise WrongFile(f"There is no column {KIND} and no column {LINK}; --map {KIND}=other gives all rows one kind.")


def names_for_messages(fields: Fields, origins: Mapping[str, Origin]) -> dict[str, str]:
    """For renaming errors: maps the name of each field in Python to its name in the file."""
    return {
        inside: origin.column if isinstance(origin := origins.get(name), Column) else name
        for name, inside in fields.inside.items()
    }


def value_at(row: Any, column: str) -> Any:
    """The value of a key of an object. `outer.inner` means the key `inner` of the object that is the value of
    `outer`."""
    if column in row or "." not in column:
        return row.get(column)
    return reduce(lambda inner, key: inner.get(key) if isinstance(inner, dict) else None, column.split("."), row)


def text_of(value: Any) -> str:
    """A JSON value as it would be written in a CSV file."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def encoded(cells: Iterable[tuple[str, str]]) -> bytes:
    """Cells with their names, as bytes. Empty cells are left out, so that adding a column does not change old rows."""
    return "\x1f".join([f"{name}\x1e{cell}" for name, cell in cells if cell]).encode("utf-8", "surrogatepass")
