"""Exporting clicks as lines of text, which `stats_app.imports` can read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date
from typing import Any

from django.db.models import QuerySet

from stats_app import person_figures
from stats_app.click_fields import FIELDS, LINK
from stats_app.keyset import CLICK_KEYS, Position, after
from stats_app.local_days import clicks_in_days
from stats_app.models import Alias, Campaign, Click, TrackedLink, Workspace, WorkspaceUser
from stats_app.periods import MAX_DATE, MIN_DATE
from stats_app.spreadsheets import defused

NAMES = (*FIELDS, LINK)
PAGE = 5_000
KEPT_NAMES = 50_000  # cached names of each model

_COLUMNS = ("id", "kind", "campaign_id", "user_id", "alias_id", "clicked_at", "verdict", "reason", "link_id")

# The cells with texts of others, which may be formulas. All other cells begin with a letter or digit from our code.
_TEXTS = [NAMES.index(name) for name in ("alias", "reason", LINK)]

Record = list[Any]
"""The values of a click, in the order of `NAMES`; None for a field without a value."""


def export_clicks(
    workspace: Workspace, start: date | None = None, end: date | None = None, *, form: str = "csv"
) -> Iterator[str]:
    """The clicks of the workspace's local days `start` to `end`, both included, by default all, as parts of a text. The
    oldest clicks come first.

    Each page is a query that starts where the last one ended, so that neither memory nor a transaction grows with the
    number of clicks. Clicks that come in during the export may be included. Users, aliases and links are left out
    unless all figures of persons are shown (PERSON_FIGURES).
    """
    clicks = Click.objects.filter(workspace=workspace)
    if start is not None or end is not None:
        clicks = clicks_in_days(clicks, workspace.zone, start or MIN_DATE, end or MAX_DATE)
    # Single clicks can be added up to a person's figures. Links are left out, too: the list of links shows their users.
    return FORMATS[form](pages(workspace, clicks, with_people=person_figures.are_all_shown()))


def pages(workspace: Workspace, clicks: QuerySet[Any], *, with_people: bool) -> Iterator[list[Record]]:
    """Clicks of the workspace, page by page, the oldest first, with or without their users, aliases and links."""
    names = _NamesOfRows(workspace, with_people)
    following = clicks
    while page := list(following.order_by(*CLICK_KEYS).values_list(*_COLUMNS)[:PAGE]):
        yield names.records(page)
        last_id, _, _, _, _, last_clicked_at, *_ = page[-1]
        last = Position(older=False, values=(last_clicked_at.astimezone(UTC).date(), last_clicked_at, last_id))
        following = after(last, CLICK_KEYS, clicks, whole=Click.objects.filter(workspace=workspace))


class _NamesOfRows:
    """The public names of the rows that clicks refer to.

    They are read by queries of their own, because with a join the database would sort the names along with the clicks.
    They are cached, because the next pages mostly refer to the same rows.
    """

    def __init__(self, workspace: Workspace, with_people: bool) -> None:
        users = WorkspaceUser.objects.filter(workspace=workspace)
        aliases = Alias.objects.filter(workspace=workspace)
        links = TrackedLink.objects.filter(workspace=workspace)
        if not with_people:
            users, aliases, links = users.none(), aliases.none(), links.filter(user=None)
        self._campaigns = _Kept(Campaign.objects.filter(workspace=workspace), "public_id")
        self._users = _Kept(users, "public_id")
        self._links = _Kept(links, "token")
        self._aliases = _Kept(aliases, "email")
        self._owners = _Kept(aliases, "user_id")

    def records(self, page: Sequence[tuple[Any, ...]]) -> list[Record]:
        _, _, campaign_ids, user_ids, alias_ids, _, _, _, link_ids = zip(*page, strict=True)
        campaigns, users = self._campaigns.of(campaign_ids), self._users.of(user_ids)
        aliases, owners, links = self._aliases.of(alias_ids), self._owners.of(alias_ids), self._links.of(link_ids)
        return [
            [
                str(click_id).lower(),
                kind,
                campaigns[campaign_id],
                users[user_id],
                # An alias that now belongs to another user is left out: the click was not in that user's signature.
                aliases[alias_id] if owners[alias_id] == user_id else None,
                clicked_at.astimezone(UTC).isoformat(),
                verdict,
                reason or None,
                links[link_id],
            ]
            for click_id, kind, campaign_id, user_id, alias_id, clicked_at, verdict, reason, link_id in page
        ]


class _Kept:
    """A cache of one column by primary key. The value is None for the key None, and for a row that was deleted."""

    def __init__(self, rows: QuerySet[Any], column: str) -> None:
        self._rows, self._column = rows.order_by(), column
        self._kept: dict[int | None, Any] = {None: None}

    def of(self, numbers: Iterable[int | None]) -> Mapping[int | None, Any]:
        if len(self._kept) > KEPT_NAMES:
            self._kept = {None: None}
        new = set(numbers) - self._kept.keys()
        if new:
            self._kept |= dict.fromkeys(new) | dict(self._rows.filter(pk__in=new).values_list("pk", self._column))
        return self._kept


def _csv(pages: Iterator[list[Record]]) -> Iterator[str]:
    yield ",".join(NAMES) + "\n"
    for page in pages:
        for record in page:
            for place in _TEXTS:
                record[place] = record[place] and defused(record[place])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(page)
        yield text.getvalue()


def _jsonl(pages: Iterator[list[Record]]) -> Iterator[str]:
    for page in pages:
        yield "".join([_line(record) for record in page])


def _line(record: Record) -> str:
    return json.dumps(said(record), ensure_ascii=False) + "\n"


def said(record: Record) -> dict[str, Any]:
    """The values of a click, by name, without empty ones."""
    return {name: value for name, value in zip(NAMES, record, strict=True) if value is not None}


FORMATS: dict[str, Callable[[Iterator[list[Record]]], Iterator[str]]] = {"csv": _csv, "jsonl": _jsonl}
