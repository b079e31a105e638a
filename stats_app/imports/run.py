"""Importing: recording the clicks of rows in batches, by the same function as all other clicks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress, islice
from typing import NamedTuple, TypeGuard, cast

from django.db import router

from stats_app.errors import FieldError
from stats_app.imports.row_ids import RowIds, Seen, import_key
from stats_app.imports.rows import Row, Rows
from stats_app.imports.times import EPOCH
from stats_app.ingest import ClickInput, IngestResult, record_clicks
from stats_app.models import Click, TrackedLink, Workspace
from stats_app.models.fields import ulid_bytes
from stats_app.references import not_found
from stats_app.sql.transactions import rolled_back

BATCH = 2_000
KEPT_LINKS = 50_000


@dataclass
class Imported:
    """The number of rows with each result so far. `skipped` rows are not clicks, such as other requests in a log;
    `unknown_links` are clicks on links that this workspace does not have."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    skipped: int = 0
    unknown_links: int = 0

    @property
    def rows(self) -> int:
        return self.accepted + self.duplicates + self.rejected + self.skipped + self.unknown_links


def import_clicks(
    workspace: Workspace,
    rows: Rows,
    *,
    rejected: Callable[[Row, FieldError], None],
    progress: Callable[[Imported], None] = lambda imported: None,
    dry_run: bool = False,
) -> Imported:
    """Stores the clicks of a file. Memory does not grow with the number of rows. Rows that were imported before are not
    counted again, so an interrupted import can simply be repeated.

    `rejected` is called with each wrong row and its error, which uses the file's column names; `progress` is called
    after each batch. `dry_run` returns the same counts and stores nothing. Raises WrongFile if the rest of the file
    cannot be read, and WorkspaceGone if the workspace is deleted during the import.
    """
    imported = Imported()
    store = _DryRun(workspace) if dry_run else partial(record_clicks, workspace)
    links, ids = _Links(workspace), RowIds(import_key(workspace, dry_run=dry_run))
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        clicks = links.followed([row.click for row in batch])
        if rows.skips_unknown_links:
            known = [not (isinstance(click, FieldError) and click.field == "link") for click in clicks]
            imported.unknown_links += known.count(False)
            batch, clicks = list(compress(batch, known)), list(compress(clicks, known))
        _give_ids(ids, batch, clicks)
        result = store(clicks)
        imported.accepted += result.accepted
        imported.duplicates += result.duplicates
        imported.rejected += len(result.rejected)
        imported.skipped = rows.skipped
        progress(imported)  # before `rejected`, which may fail: the error then says how many clicks were stored
        for wrong in result.rejected:
            rejected(batch[wrong.index], wrong.error.renamed(rows.names.get(wrong.field, wrong.field)))
    imported.skipped = rows.skipped
    return imported


class _Link(NamedTuple):
    """The fields of `ClickInput` that follow from a link."""

    kind: str
    campaign: str | None
    user: str | None
    alias: str | None


class _Links:
    """The workspace's links by their tokens, with a cache, because the next batches mostly name the same links."""

    def __init__(self, workspace: Workspace) -> None:
        self._links = TrackedLink.objects.using(router.db_for_write(Click)).filter(workspace=workspace)
        self._kept: dict[str, _Link | None] = {}

    def followed(self, clicks: list[ClickInput | FieldError]) -> list[ClickInput | FieldError]:
        """The clicks. If a click has a link and no kind, its kind, campaign, user and alias are taken from the link."""
        tokens = {click.link for click in clicks if _is_by_link(click)}
        if not tokens:
            return clicks
        if len(self._kept) > KEPT_LINKS:
            self._kept.clear()
        new = tokens - self._kept.keys()
        if new:
            self._kept |= dict.fromkeys(new) | self._find(new)
        return [_followed(click, self._kept[click.link]) if _is_by_link(click) else click for click in clicks]

    def _find(self, tokens: set[str]) -> dict[str, _Link]:
        # Databases refuse NUL and lone surrogates. No valid token contains them.
        links = self._links.filter(token__in=[token for token in tokens if token.isascii() and token.isprintable()])
        columns = ("token", "kind", "campaign__public_id", "user__public_id", "alias__email", "user", "alias__user")
        return {
            # The alias is left out if it has moved to another user since the link was made.
            token: _Link(kind, campaign, user, alias if user is None or user_id == owner_id else None)
            for token, kind, campaign, user, alias, user_id, owner_id in links.values_list(*columns)
        }


def _is_by_link(click: ClickInput | FieldError) -> TypeGuard[ClickInput]:
    return isinstance(click, ClickInput) and click.kind is None and isinstance(click.link, str)


def _followed(click: ClickInput, link: _Link | None) -> ClickInput | FieldError:
    """The click with missing values taken from its link."""
    _, click_id, campaign, user, alias, token, *others = click
    if link is None:
        return not_found("link", token).error
    return ClickInput(
        link.kind, click_id, campaign or link.campaign, user or link.user, alias or link.alias, token, *others
    )


def _give_ids(ids: RowIds, batch: Sequence[Row], clicks: list[ClickInput | FieldError]) -> None:
    """Gives ids to the clicks without one. Clicks before 1970 get none, because they will be rejected as too early."""
    places, contents = [], []
    for place, (row, click) in enumerate(zip(batch, clicks, strict=True)):
        if row.content is not None and isinstance(click, ClickInput) and click.clicked_at >= EPOCH:
            places.append(place)
            contents.append((click.clicked_at, row.content, row.is_external_id))
    for place, new_id in zip(places, ids.of(contents), strict=True):
        kind, _, *others = cast(ClickInput, clicks[place])
        clicks[place] = ClickInput(kind, new_id, *others)


class _DryRun:
    """Returns what `record_clicks` would return for each batch, and stores nothing.

    Each batch is recorded and at once rolled back, so that locks are held no longer than in a real import. Because of
    that, the ids of earlier batches must be remembered here: in a real import they would be duplicates.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen = Seen()

    def __call__(self, clicks: Sequence[ClickInput | FieldError]) -> IngestResult:
        result = self._undone(clicks)
        wrong = {rejection.index for rejection in result.rejected}
        right = [click for place, click in enumerate(clicks) if place not in wrong and isinstance(click, ClickInput)]
        earlier = self._seen.earlier([_id_bytes(click.id) for click in right])
        first = [click for click, number in zip(right, earlier, strict=True) if number == 0]
        if len(first) < len(right):
            result.accepted = self._undone(first).accepted
            result.duplicates = len(right) - result.accepted
        return result

    def _undone(self, clicks: Sequence[ClickInput | FieldError]) -> IngestResult:
        with rolled_back(router.db_for_write(Click)):
            return record_clicks(self._workspace, clicks)


def _id_bytes(click_id: str | bytes) -> bytes:
    return ulid_bytes(click_id) if isinstance(click_id, str) else click_id
