"""The readers of a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Audience:
    """Staff, or the readers of a shared report. A shared page has no links to other pages, and its files have its own
    address. Without `names_people` it has no table and no file of people."""

    is_shared: bool = False
    names_people: bool = True


STAFF = Audience()
