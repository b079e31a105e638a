"""A row of a file, and the click made from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from stats_app import public_ids
from stats_app.click_fields import EXTERNAL_ID
from stats_app.dimensions import HUMAN
from stats_app.errors import FieldError, shown
from stats_app.imports.columns import NAMES, Values, encoded
from stats_app.imports.times import TimeReader
from stats_app.ingest import ClickInput
from stats_app.verdicts import judge_agent

_ID, _EXTERNAL_ID = 0, NAMES.index(EXTERNAL_ID)


class Row(NamedTuple):
    """One row: the number of its first line, its unchanged text, and its click or an error.

    `content` distinguishes rows without an id; it is None if the click has an id. `is_external_id` says that the
    content is the click's id in another system, so that another row with it is the same click.
    """

    number: int
    raw: str | bytes
    click: ClickInput | FieldError
    content: bytes | None = None
    is_external_id: bool = False


class Rows(ABC):
    """The rows of a file in their order, read lazily."""

    encoding: str | None = None
    """The encoding of the rows' text; None if the rows are bytes."""
    header: str = ""
    """The line of column names, if the file has one."""
    names: Mapping[str, str] = {}
    """The name in the file of each field of `ClickInput`."""
    unread: Sequence[str] = ()
    """The columns that are not used."""
    skipped: int = 0
    """How many rows have been skipped so far: they are not clicks, name another workspace, or `--only` excludes
    them."""
    skips_unknown_links: bool = False
    """Whether rows with a link that the workspace does not have are skipped. Otherwise they are errors."""

    @abstractmethod
    def __iter__(self) -> Iterator[Row]: ...


class ClickReader:
    """Makes clicks from the values of rows. `workspace` is the public id of the workspace that they are imported to."""

    def __init__(self, times: TimeReader, workspace: str) -> None:
        self._times = times
        self._workspace = workspace

    def __call__(self, values: Values) -> ClickInput | FieldError | None:
        """The click or an error. None for a row that names another workspace."""
        click_id, kind, campaign, user, alias, clicked_at, verdict, reason, link, _, agent, workspace = values
        if workspace not in (None, self._workspace):
            if public_ids.is_public_id(workspace):
                return None
            return FieldError("workspace", "invalid", f"workspace {public_ids.rule()}, not {shown(workspace)}.")
        if clicked_at is None:
            return FieldError("clicked_at", "required", "clicked_at is required: a row says when its click was.")
        try:
            time = self._times(clicked_at)
        except ValueError as error:
            return FieldError("clicked_at", "invalid", f"clicked_at {error}")
        if agent is not None and verdict is None:
            judged = judge_agent(agent if isinstance(agent, str) else shown(agent))
            verdict, reason = judged.verdict, judged.reason
        verdict = HUMAN if verdict is None else verdict
        reason = "" if reason is None else reason
        return ClickInput(kind, click_id, campaign, user, alias, link, time, verdict, reason)


def row_of(number: int, raw: str, values: Values, click: ClickInput | FieldError, content: Callable[[], bytes]) -> Row:
    """The row with these values. `content` returns its whole content, by which a row without an id is recognized."""
    if values[_ID] is not None:
        return Row(number, raw, click)
    external_id = values[_EXTERNAL_ID]
    if external_id is None:
        return Row(number, raw, click, content())
    return Row(number, raw, click, encoded([(EXTERNAL_ID, str(external_id))]), is_external_id=True)
