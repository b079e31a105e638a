"""A row of a file, and the click that it says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from stats_app.click_fields import EXTERNAL_ID
from stats_app.dimensions import HUMAN
from stats_app.errors import FieldError, shown
from stats_app.imports.columns import Values, encoded
from stats_app.imports.times import TimeReader
from stats_app.ingest import ClickInput
from stats_app.verdicts import judge_agent


class Row(NamedTuple):
    """One row: the number of its first line, its text as it came, and its click or what is wrong with it.

    `content` tells rows without an id from each other; it is None where the click has one.
    """

    number: int
    raw: str | bytes
    click: ClickInput | FieldError
    content: bytes | None = None


class Rows(ABC):
    """The rows of a file in their order, read as they are asked for."""

    encoding: str | None = None
    """Of the text of rows; None where it is bytes."""
    header: str = ""
    """What a file of some of the rows begins with."""
    names: Mapping[str, str] = {}
    """What each field of `ClickInput` is called in the file."""
    unread: Sequence[str] = ()
    """The columns that nothing is made of."""
    skipped: int = 0
    """How many rows were left out so far because they are not asked for."""
    skips_unknown_links: bool = False
    """Whether a link that is not the workspace's makes a row one of those."""

    @abstractmethod
    def __iter__(self) -> Iterator[Row]: ...


class ClickReader:
    """Makes the click of what a row says."""

    def __init__(self, times: TimeReader) -> None:
        self._times = times

    def __call__(self, values: Values) -> ClickInput | FieldError:
        click_id, kind, campaign, user, alias, clicked_at, verdict, reason, link, _, agent = values
        if clicked_at is None:
            return FieldError("clicked_at", "required", "clicked_at is required: a row says when its click was.")
        try:
            moment = self._times(clicked_at)
        except ValueError as error:
            return FieldError("clicked_at", "invalid", f"clicked_at {error}")
        if agent is not None and verdict is None:
            judged = judge_agent(agent if isinstance(agent, str) else shown(agent))
            verdict, reason = judged.verdict, judged.reason
        verdict = HUMAN if verdict is None else verdict
        reason = "" if reason is None else reason
        return ClickInput(kind, click_id, campaign, user, alias, link, moment, verdict, reason)


def external_content(external_id: Any) -> bytes:
    """What a row is known by that has an id where it comes from."""
    return encoded([(EXTERNAL_ID, str(external_id))])
