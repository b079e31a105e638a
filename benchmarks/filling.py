"""Filling a database with the workload: most of it by COPY, the end by `record_clicks`, and the rollups checked.

`fill` makes two workspaces: one with the clicks, and one with only rollups, of 1,000 campaigns with clicks on every
day. `fill_for_staff` makes the data for the staff pages.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import connections, router
from ulid import ULID

from benchmarks import workload
from benchmarks.databases import on
from benchmarks.workload import WorkloadClick
from stats_app import keys, public_ids, rollups
from stats_app.dimensions import CAMPAIGN_DAYS, CAMPAIGN_YEARS, KINDS, VCARD, WORKSPACE_DAYS
from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import (
    Alias,
    ApiKey,
    Campaign,
    CampaignAssignment,
    Click,
    ToolCall,
    TrackedLink,
    Workspace,
    WorkspaceUser,
)
from stats_app.models.api_keys import CLICKS_WRITE, STATS_READ
from stats_app.models.audit import REST

CLICKS, MANY_CAMPAIGNS, EVEN = "Clicks", "Many campaigns", "Even"  # the workspaces
CAMPAIGNS_OF_MANY = 1_000
CALLS = 200_000  # rows of the audit log that staff may read
ASSIGNED_USERS = 500  # of each campaign
RECORDED = 50_000  # the most clicks stored by `record_clicks`, also at most a tenth; the others are stored by COPY
CHECKED = 1_000_000  # comparing more takes minutes
BATCH = 1_000
SOME = 5  # clicks recorded before each case of each round
LAST_MOMENT = workload.END - timedelta(seconds=1)
KEYS = 12  # API keys of each workspace, taken in turn: each may call a tool 30 times a minute

COPY_CLICKS = "COPY {} (workspace_id, id, clicked_at, utc_day, kind, verdict, campaign_id, user_id, reason) FROM STDIN"
_KIND_NAMES = list(KINDS)

Item = TypeVar("Item")


def fill(size: int) -> None:
    """Fills the empty database with `size` clicks, and checks the rollups if there are at most `CHECKED`."""
    workspace = make_workspace(CLICKS, workload.CAMPAIGNS, workload.USERS)
    load_clicks(workspace, workload.clicks(size), size)
    _make_many_campaigns()
    _vacuum()


def fill_for_staff(size: int) -> None:
    """Fills the empty database with two workspaces of `size` clicks, 100,000 users and 1,000 campaigns.

    In the second one the clicks are spread evenly over them, which is the worst case for finding the top.
    """
    for name in (CLICKS, EVEN):
        workspace = make_workspace(name, CAMPAIGNS_OF_MANY, workload.USERS)
        load_clicks(workspace, workload.clicks(size, campaigns=CAMPAIGNS_OF_MANY, even=name == EVEN), size)
    workspace = Workspace.objects.get(name=CLICKS)
    _make_links(workspace)
    _make_tool_calls(workspace)
    _vacuum()


def load_clicks(workspace: Workspace, found: Iterator[WorkloadClick], size: int) -> None:
    """Stores the clicks, most by COPY and the last ones by `record_clicks`, and counts them."""
    copy_clicks(workspace, islice(found, size - min(RECORDED, size // 10)))
    Workspace.objects.filter(pk=workspace.pk).update(counted_timezone=workspace.timezone)
    rollups.rebuild(workspace)
    names = Names(workspace)
    for batch in in_batches(found, BATCH):
        record_clicks(workspace, [names.click_input(click) for click in batch])
    if size <= CHECKED:
        differences = list(islice(rollups.check(workspace), 3))
        assert not differences, differences


def record_some_more(alias: str) -> None:
    """Records a few clicks of the last day, so that the next case is measured while clicks come in."""
    with on(alias):
        workspace = Workspace.objects.get(name=CLICKS)
        record_clicks(workspace, [ClickInput("other", clicked_at=LAST_MOMENT)] * SOME)


def _vacuum() -> None:
    with _connection().cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _make_links(workspace: Workspace) -> None:
    """A tracked link to the vCard of each user."""
    TrackedLink.objects.bulk_create(
        (
            TrackedLink(
                workspace=workspace,
                user=user,
                kind=VCARD,
                token=f"token{user.pk}",
                fingerprint=f"fingerprint{user.pk}",
                target_url=f"https://www.example.com/vcards/{user.pk}/",
            )
            for user in WorkspaceUser.objects.filter(workspace=workspace)
        ),
        batch_size=5_000,
    )


def _make_tool_calls(workspace: Workspace) -> None:
    """`CALLS` rows of the audit log, one a minute."""
    make_keys(workspace)
    key = ApiKey.objects.filter(workspace=workspace).earliest("pk")
    ToolCall.objects.bulk_create(
        (
            ToolCall(
                workspace=workspace,
                api_key=key,
                tool="stats_get_workspace_overview",
                surface=REST,
                client="benchmark",
                arguments={"from": "2026-01-01", "to": "2026-01-31"},
                outcome="ok",
                duration_ms=3,
                called_at=workload.END - timedelta(minutes=number),
            )
            for number in reversed(range(CALLS))
        ),
        batch_size=5_000,
    )


def make_workspace(name: str, campaigns: int, users: int) -> Workspace:
    """A workspace with campaigns, users in order of rank, assignments and aliases, the same on every run."""
    rng = random.Random(name)
    workspace = Workspace.objects.create(name=name, public_id=_public_id(rng, public_ids.WORKSPACE))
    people = WorkspaceUser.objects.bulk_create(
        (
            WorkspaceUser(
                workspace=workspace,
                public_id=_public_id(rng, public_ids.USER),
                email=f"user.{number}@example.com",
                display_name=f"User number {number}",
            )
            for number in range(users)
        ),
        batch_size=5_000,
    )
    banners = Campaign.objects.bulk_create(
        Campaign(
            workspace=workspace,
            public_id=_public_id(rng, public_ids.CAMPAIGN),
            name=f"Campaign number {number}",
            target_url=f"https://www.example.com/campaigns/{number}/",
            starts_on=workload.FIRST_DAY,
        )
        for number in range(campaigns)
    )
    CampaignAssignment.objects.bulk_create(
        (CampaignAssignment(campaign=banner, user=user) for banner in banners for user in people[:ASSIGNED_USERS]),
        batch_size=5_000,
    )
    Alias.objects.bulk_create(
        Alias(workspace=workspace, user=user, email=f"alias.{number}.{user.pk}@example.com")
        for user in people[:ASSIGNED_USERS]
        for number in range(2)
    )
    return workspace


def make_keys(workspace: Workspace) -> list[str]:
    """The secrets of `KEYS` new API keys. Deletes older keys of the workspace."""
    ApiKey.objects.filter(workspace=workspace).delete()
    return [keys.create_key(workspace, f"Benchmark {n}", (STATS_READ, CLICKS_WRITE))[1] for n in range(KEYS)]


def _public_id(rng: random.Random, prefix: str) -> str:
    return prefix + str(ULID.from_bytes(rng.getrandbits(127).to_bytes(16, "big"))).lower()


class Names:
    """The primary keys and public ids of a workspace's campaigns and users, by rank."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.campaigns = list(
            Campaign.objects.filter(workspace=workspace).order_by("pk").values_list("pk", "public_id")
        )
        self.users = list(
            WorkspaceUser.objects.filter(workspace=workspace).order_by("pk").values_list("pk", "public_id")
        )

    def click_input(self, click: WorkloadClick) -> ClickInput:
        return ClickInput(
            _KIND_NAMES[click.kind],
            ULID.from_bytes(click.id),
            None if click.campaign is None else self.campaigns[click.campaign][1],
            self.users[click.user][1],
            clicked_at=click.clicked_at,
        )

    def json_item(self, click: WorkloadClick) -> dict[str, str]:
        """The click as an item for `POST clicks/`."""
        item = {
            "id": str(ULID.from_bytes(click.id)),
            "kind": _KIND_NAMES[click.kind],
            "userPublicId": self.users[click.user][1],
            "clickedAt": click.clicked_at.isoformat(),
        }
        return item if click.campaign is None else item | {"campaignPublicId": self.campaigns[click.campaign][1]}

    def copy_line(self, click: WorkloadClick) -> str:
        campaign = r"\N" if click.campaign is None else self.campaigns[click.campaign][0]
        return (
            f"{self.workspace.pk}\t{click.id.hex()}\t{click.clicked_at.isoformat()}\t{click.clicked_at.date()}\t"
            f"{click.kind}\t0\t{campaign}\t{self.users[click.user][0]}\t\n"
        )


def copy_clicks(workspace: Workspace, clicks: Iterable[WorkloadClick], table: str = Click._meta.db_table) -> None:
    """Stores clicks by COPY. The rollups are not updated."""
    names = Names(workspace)
    copy_lines(map(names.copy_line, clicks), table)


def copy_lines(lines: Iterable[str], table: str) -> None:
    with _connection().cursor() as cursor, cursor.copy(COPY_CLICKS.format(table)) as copy:
        for batch in in_batches(lines, BATCH):
            copy.write("".join(batch))


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _connection() -> Any:
    """The connection, untyped, because Django's types do not have the `copy` of its cursors."""
    return connections[router.db_for_write(Click)]


def _make_many_campaigns() -> None:
    workspace = make_workspace(MANY_CAMPAIGNS, CAMPAIGNS_OF_MANY, ASSIGNED_USERS)
    first = Campaign.objects.filter(workspace=workspace).earliest("pk").pk
    params = {
        "workspace": workspace.pk,
        "first": first,
        "campaigns": CAMPAIGNS_OF_MANY,
        "start": workload.FIRST_DAY,
        "end": workload.LAST_DAY,
    }
    columns = "workspace_id, dimension, key, day, campaign_clicks, vcard_clicks, other_clicks"
    with _connection().cursor() as cursor:
        cursor.execute("SELECT setseed(0.2026)")
        for statement in (
            f"""INSERT INTO stats_app_rollup ({columns})
            SELECT %(workspace)s, {CAMPAIGN_DAYS}, %(first)s + rank, day,
                1 + floor(5000.0 / (rank + 1) * random()), 0, 0
            FROM generate_series(0, %(campaigns)s - 1) AS rank,
                 generate_series(%(start)s::date, %(end)s::date, '1 day') AS day""",
            f"""INSERT INTO stats_app_rollup ({columns})
            SELECT workspace_id, {CAMPAIGN_YEARS}, key, date_trunc('year', day), sum(campaign_clicks), 0, 0
            FROM stats_app_rollup WHERE workspace_id = %(workspace)s AND dimension = {CAMPAIGN_DAYS}
            GROUP BY 1, 3, 4""",
            f"""INSERT INTO stats_app_rollup ({columns})
            SELECT workspace_id, {WORKSPACE_DAYS}, 0, day, sum(campaign_clicks), 2000, 1500
            FROM stats_app_rollup WHERE workspace_id = %(workspace)s AND dimension = {CAMPAIGN_DAYS} GROUP BY 1, 4""",
        ):
            cursor.execute(statement, params)
