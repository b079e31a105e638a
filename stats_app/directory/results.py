"""The results of saving people and campaigns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stats_app.errors import FieldError
from stats_app.ingest import Rejection

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


class Change(NamedTuple):
    """A changed field. For a list, `before` has the removed values and `after` the added ones."""

    field: str
    before: Any
    after: Any

    @property
    def is_list(self) -> bool:
        return isinstance(self.after, tuple)


@dataclass(frozen=True, slots=True)
class Saved:
    """A valid item: its row, and the changes. In a dry run the public id of a new row is random."""

    index: int
    public_id: str
    name: str
    outcome: str
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class DirectoryResult:
    """The result of saving a list, in the order of its items. `deactivated` are the e-mails of users that were
    missing."""

    results: list[Saved] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    deactivated: list[str] = field(default_factory=list)

    def reject(self, index: int, error: FieldError) -> None:
        self.rejected.append(Rejection.of(index, error))

    @property
    def created(self) -> int:
        return self._number(CREATED)

    @property
    def updated(self) -> int:
        return self._number(UPDATED)

    @property
    def unchanged(self) -> int:
        return self._number(UNCHANGED)

    def _number(self, outcome: str) -> int:
        return sum(saved.outcome == outcome for saved in self.results)


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    """The changed fields. For sets, the removed and the added values."""
    changed = []
    for name, new in after.items():
        old = before.get(name)
        if old == new:
            continue
        if isinstance(new, frozenset):
            gone = old or frozenset()
            changed.append(Change(name, _ordered(gone - new), _ordered(new - gone)))
        else:
            changed.append(Change(name, old, new))
    return tuple(changed)


def _ordered(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(values))
