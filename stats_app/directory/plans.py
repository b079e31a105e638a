"""Planning the changes that make the rows of a workspace equal to the items of a list. Writes nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from stats_app.directory.claims import Claim, Claimant, conflicts
from stats_app.directory.items import Checked, DirectoryItem, require
from stats_app.directory.results import CREATED, UNCHANGED, UPDATED, DirectoryResult, Saved, changes_between
from stats_app.errors import shown

EXTERNAL_ID = "externalId"
"""The kind of the claims for external ids."""


class DirectoryRow(Protocol):
    """A row, before or after the change. The `id` of a new row is negative."""

    @property
    def id(self) -> int: ...
    @property
    def public_id(self) -> str: ...
    @property
    def title(self) -> str: ...

    @property
    def fields(self) -> dict[str, Any]:
        """The values by their public names. Lists are frozen sets."""

    @property
    def row(self) -> dict[str, Any]:
        """The values to store, by column."""

    @property
    def wants(self) -> dict[Claim, str]:
        """The unique values of the row, and the name of the field of each."""

    def with_values(self, values: Mapping[str, Any]) -> Self: ...


Row = TypeVar("Row", bound=DirectoryRow)


class Plan(ABC, Generic[Row]):
    """What to change so that the rows equal the items: the rows before and after, by the position of their item. Sets
    the errors of wrong items."""

    declaration: ClassVar[type[DirectoryItem]]
    cleared: ClassVar[tuple[str, ...]]
    """The columns that are cleared in the `moving` rows before rows are updated."""

    def __init__(self, checked: Iterable[Checked]) -> None:
        # Errors are stored in copies, because the transaction may be tried again.
        self.checked = [Checked(one.index, one.values, one.error, one.is_readable) for one in checked]
        self.befores: dict[int, Row] = {}
        self.afters: dict[int, Row] = {}

    @abstractmethod
    def existing(self, values: Mapping[str, Any]) -> tuple[str, Row] | None:
        """The existing row of an item, and the field by which it was found."""

    @abstractmethod
    def blank(self, index: int) -> Row:
        """A new row, still without the values of the item."""

    @abstractmethod
    def holders(self) -> Mapping[Claim, int]:
        """The primary key of the row that now has a unique value, for each such value in the items."""

    def judge(self, one: Checked, after: Row) -> None:
        """Refuses an item that must not be saved, although each of its values is valid."""

    def settle(self) -> None:
        """Finds the row of each item, and sets the errors of the items that cannot be saved."""
        seen: set[int] = set()
        for one in self.checked:
            if one.error is None:
                self._place(one, seen)
        self._settle_claims()

    def _place(self, one: Checked, seen: set[int]) -> None:
        existing, noun = self.existing(one.values), self.declaration.noun
        if existing is None:
            if "publicId" in one.values:
                one.refuse("publicId", "not_found", f"{shown(one.values['publicId'])} is not in this workspace.")
            elif require(self.declaration, one):
                self._keep(one, None, self.blank(one.index))
            return
        name, before = existing
        if before.id in seen:
            one.refuse(
                name, "repeated", f"{shown(one.values[name])} names a {noun} that an earlier item already names."
            )
            return
        seen.add(before.id)
        self._keep(one, before, before)

    def _keep(self, one: Checked, before: Row | None, row: Row) -> None:
        after = row.with_values(one.values)
        self.judge(one, after)
        if one.error is None:
            self.afters[one.index] = after
            if before is not None:
                self.befores[one.index] = before

    def _settle_claims(self) -> None:
        claimants = [Claimant(index, after.id, after.wants) for index, after in self.afters.items()]
        for conflict in conflicts(claimants, self.holders()):
            one, value = self.checked[conflict.index], shown(conflict.value)
            if conflict.is_of_earlier_item:
                one.refuse(conflict.field, "repeated", f"{value} is already given by an earlier item.")
            else:
                one.refuse(conflict.field, "not_allowed", f"{value} belongs to another {self.declaration.noun}.")
            self.befores.pop(conflict.index, None)
            del self.afters[conflict.index]

    def result(self) -> DirectoryResult:
        result = DirectoryResult()
        for one in self.checked:
            if one.error is not None:
                result.reject(one.index, one.error)
            else:
                result.results.append(self._saved(one.index))
        return result

    def _saved(self, index: int) -> Saved:
        before, after = self.befores.get(index), self.afters[index]
        if before is None:
            return Saved(index, after.public_id, after.title, CREATED)
        changes = changes_between(before.fields, after.fields)
        return Saved(index, after.public_id, after.title, UPDATED if changes else UNCHANGED, changes)

    @property
    def new(self) -> list[Row]:
        return [after for index, after in self.afters.items() if index not in self.befores]

    @cached_property
    def changed(self) -> list[tuple[Row, Row]]:
        """The rows before and after the change. Like the properties below, valid only after `settle`."""
        pairs = ((before, self.afters[index]) for index, before in self.befores.items())
        return [(before, after) for before, after in pairs if before != after]

    @property
    def moving(self) -> list[int]:
        """The primary keys of rows that give up a unique value to another row. It must be cleared before rows are
        updated."""
        wanted = {claim for one in self.new for claim in one.wants}
        wanted.update(claim for _, after in self.changed for claim in after.wants)
        return [old.id for old, new in self._written_anew if (old.wants.keys() - new.wants.keys()) & wanted]

    @property
    def updates(self) -> dict[tuple[str, ...], list[dict[str, Any]]]:
        """The rows to update, by the columns to write. Columns that the list does not change are not written, because
        somebody may just have changed them."""
        moving = set(self.moving)
        updates: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for before, after in self._written_anew:
            changed = {column for column, value in after.row.items() if value != before.row[column]}
            columns = changed.union(self.cleared if before.id in moving else ())
            updates.setdefault(tuple(sorted(columns)), []).append(after.row)
        return updates

    @property
    def _written_anew(self) -> list[tuple[Row, Row]]:
        return [(before, after) for before, after in self.changed if before.row != after.row]


def values_of(checked: Sequence[Checked], name: str) -> set[str]:
    """The values of the items in a field with a single value."""
    return {one.values[name] for one in checked if one.values.get(name)}
