"""Unique values of a workspace, such as e-mails, and which items of a list may have them. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Claim(NamedTuple):
    """A value that only one row may have. `kind` distinguishes e-mails and external ids."""

    kind: str
    value: str


@dataclass(slots=True)
class Claimant:
    """An item, the key of its row (negative for a new one), and the unique values that it will have, by field."""

    index: int
    row: int
    wants: Mapping[Claim, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An item with a unique value that an earlier item gets, or another row keeps."""

    index: int
    row: int
    field: str
    value: str
    is_of_earlier_item: bool


def conflicts(claimants: Collection[Claimant], holders: Mapping[Claim, int]) -> Iterator[Conflict]:
    """The items that cannot be saved together with the others. `holders` are the rows that have the unique values now.

    Only the final values are compared, so two items may swap their values. If two items want the same value, the first
    one gets it. The row of a refused item keeps its values, so that an item that wants one of them is refused, too.
    """
    active = {claimant.row: claimant for claimant in claimants}
    while refused := _refused(active, holders):
        for conflict in refused:
            del active[conflict.row]
        yield from refused


def _refused(active: Mapping[int, Claimant], holders: Mapping[Claim, int]) -> list[Conflict]:
    taken: set[Claim] = set()
    refused = []
    for claimant in active.values():
        conflict = _conflict(claimant, active, holders, taken)
        if conflict is None:
            taken.update(claimant.wants)
        else:
            refused.append(conflict)
    return refused


def _conflict(
    claimant: Claimant, active: Mapping[int, Claimant], holders: Mapping[Claim, int], taken: Collection[Claim]
) -> Conflict | None:
    for claim, name in claimant.wants.items():
        if claim in taken:
            return Conflict(claimant.index, claimant.row, name, claim.value, True)
        holder = holders.get(claim, claimant.row)
        if holder != claimant.row and (holder not in active or claim in active[holder].wants):
            return Conflict(claimant.index, claimant.row, name, claim.value, False)
    return None
