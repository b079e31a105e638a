"""Who a page is made for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Audience:
    """Staff, or whoever has a link to this one page: then nothing on it leads elsewhere, and its files are at its own
    address. Without `names_people` it has no table and no file of people."""

    is_shared: bool = False
    names_people: bool = True


STAFF = Audience()
