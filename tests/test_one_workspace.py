"""Each statement on clicks or counts is about one workspace, whose rows are on one machine.

Every test is watched (`tests.one_workspace`). The walk here sees to it that nothing is left out: each address of ours,
each page of the admin, each tool and each command is in it, and a new one without a line here fails.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib import admin
from django.db.models import ProtectedError
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.timezone import now
from ulid import ULID

from stats_app import sharing
from stats_app.ingest import ClickInput, record_clicks
from stats_app.links import LinkInput, create_links
from stats_app.management import commands
from stats_app.models import Click, TrackedLink
from stats_app.models.campaigns import CampaignQuerySet
from stats_app.rollups import change_timezone, rebuild
from stats_app.tools import TOOLS
from stats_app.verdict_changes import VerdictChange, change_verdicts
from tests import dashboard_cast, one_workspace
from tests.admin_cast import Tenant, login, make_call, make_tenant, superuser
from tests.factories import make_alias, make_campaign, make_key, make_user
from tests.import_files import write
from tests.mcp.calls import answer
from tests.rest import CAMPAIGNS, CLICKS, LINKS, OVERVIEW, USERS, get, post
from tests.test_commands import run

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TIMES = {"from": "2026-03-01", "to": "2026-03-31"}
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36"
)


class Cast(NamedTuple):
    """A tenant with a row of everything, beside another one, and what is needed to ask about it."""

    tenant: Tenant
    secret: str
    staff: Client
    limited: Client
    folder: Path


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    tenant = make_tenant("Acme")
    make_tenant("Globex")
    rights = [f"{act}_{model}" for model in ("workspace", "click") for act in ("view", "change")]
    ours = {"WORKSPACES_FOR": "tests.admin_cast.first_workspace", "BASE_URL": "https://stats.example"}
    with override_settings(STATS_APP=ours):
        yield Cast(tenant, make_key(tenant.workspace), superuser(), login(*rights), tmp_path)


def ask(cast: Cast, path: str, **query: Any) -> None:
    response = get(cast.secret, path, query)
    assert response.status_code == 200, response.content


def show(cast: Cast, path: str, **query: Any) -> None:
    """A page as a superuser and as somebody who may see one workspace get it, and its file."""
    for client in (cast.staff, cast.limited):
        for more in ({}, {"format": "csv"}):
            response = client.get(path, query | more, follow=True)
            assert response.status_code == 200, (path, response.status_code)
            _ = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]  # an HttpResponse has it


def show_overview(cast: Cast) -> None:
    for compare in ("previous", "year", "none"):
        for breakdown in ("day", "month"):
            show(cast, dashboard_cast.address(cast.tenant.workspace), breakdown=breakdown, compare=compare, **TIMES)


def show_list(cast: Cast, page: str) -> None:
    for query in ({}, {"sort": "name"}, {"sort": "-change"}, {"sort": "-each"}, {"clicks": "none", "q": "a"}):
        show(cast, reverse(f"stats_dashboard:{page}", args=[cast.tenant.workspace.public_id]), **query, **TIMES)


def ask_for_clicks(cast: Cast) -> None:
    campaign, user = cast.tenant.campaign.public_id, cast.tenant.workspaceuser.public_id
    narrowed = {"kind": "campaign", "verdict": "human", "campaignPublicId": campaign, "userPublicId": user}
    for query in ({}, narrowed, TIMES):
        ask(cast, CLICKS, **query)


def send_clicks(cast: Cast) -> None:
    body = {"clicks": [{"kind": "vcard", "id": str(ULID())}, {"kind": "other", "verdict": "bot"}]}
    assert post(cast.secret, body).json()["accepted"] == 2


def ask_tools(cast: Cast) -> None:
    campaign, user = cast.tenant.campaign.public_id, cast.tenant.workspaceuser.public_id
    arguments: dict[str, dict[str, Any]] = {
        "stats_get_workspace_overview": {**TIMES, "breakdown": "day"},
        "stats_get_campaign_performance": {**TIMES, "campaignPublicId": campaign},
        "stats_get_user_metrics": {**TIMES, "userPublicId": user},
        "campaign_find": {"query": "spring"},
        "user_find": {"query": "ada"},
    }
    assert arguments.keys() == TOOLS.keys()
    for tool, given in arguments.items():
        answer(cast.secret, tool, given)


def follow(cast: Cast) -> None:
    """The second time it is suspected, and the visits of the last minute are judged again."""
    for _ in range(2):
        for link in TrackedLink.objects.filter(workspace=cast.tenant.workspace):
            client = Client(headers={"user-agent": BROWSER, "accept-language": "fr"})
            assert client.get(reverse("stats_redirects:follow", args=[link.token])).status_code == 302


def share(cast: Cast, *names: str) -> None:
    """What is shared is looked at, too."""
    page = reverse(f"stats_dashboard:{names[0]}", args=[cast.tenant.workspace.public_id, *names[1:]])
    cast.staff.get(page)
    cast.staff.post(page, {"last_day": (now().date() + timedelta(days=30)).isoformat()})
    for campaign in (None, cast.tenant.campaign):
        _, secret = sharing.share(
            cast.tenant.workspace, campaign, last_day=now().date() + timedelta(days=9), maker="grace", now=now()
        )
        show(cast, reverse("stats_dashboard:shared", args=[secret]), breakdown="day", **TIMES)


VIEWS: dict[str, Callable[[Cast], object]] = {
    "stats_api:workspace-overview": lambda cast: ask(cast, OVERVIEW, **TIMES, breakdown="week"),
    "stats_api:campaign-list": lambda cast: ask(cast, CAMPAIGNS, search="spring", status="running"),
    "stats_api:campaign-detail": lambda cast: ask(cast, f"{CAMPAIGNS}{cast.tenant.campaign.public_id}/"),
    "stats_api:campaign-performance": lambda cast: ask(
        cast, f"{CAMPAIGNS}{cast.tenant.campaign.public_id}/performance/"
    ),
    "stats_api:user-list": lambda cast: ask(cast, USERS, search="ada", ordering="name"),
    "stats_api:user-detail": lambda cast: ask(cast, f"{USERS}{cast.tenant.workspaceuser.public_id}/"),
    "stats_api:user-metrics": lambda cast: ask(cast, f"{USERS}{cast.tenant.workspaceuser.public_id}/metrics/", **TIMES),
    "stats_api:link-list": lambda cast: (
        ask(cast, LINKS, kind="campaign", userPublicId=cast.tenant.workspaceuser.public_id),
        post(cast.secret, {"links": [{"kind": "other", "targetUrl": "https://www.example.com/"}]}, LINKS),
    )[0],
    "stats_api:click-list": lambda cast: (ask_for_clicks(cast), send_clicks(cast))[0],
    "stats_api:schema": lambda cast: ask(cast, reverse("stats_api:schema")),
    "stats_api:docs": lambda cast: ask(cast, reverse("stats_api:docs")),
    "stats_mcp:endpoint": ask_tools,
    "stats_redirects:follow": follow,
    "stats_dashboard:workspaces": lambda cast: show(cast, reverse("stats_dashboard:workspaces"), search="acme"),
    "stats_dashboard:share": lambda cast: share(cast, "share"),
    "stats_dashboard:share_campaign": lambda cast: share(cast, "share_campaign", cast.tenant.campaign.public_id),
    "stats_dashboard:shared": lambda cast: share(cast, "share"),
    "stats_dashboard:unsubscribe": lambda cast: cast.staff.get(reverse("stats_dashboard:unsubscribe", args=["x"])),
    "stats_dashboard:workspace": show_overview,
    "stats_dashboard:campaigns": lambda cast: show_list(cast, "campaigns"),
    "stats_dashboard:users": lambda cast: show_list(cast, "users"),
    "stats_dashboard:campaign": lambda cast: show(cast, dashboard_cast.address(cast.tenant.campaign), **TIMES),
    "stats_dashboard:user": lambda cast: show(cast, dashboard_cast.address(cast.tenant.workspaceuser), **TIMES),
}
"""How each address of ours is asked, by its name."""


def import_file(cast: Cast) -> None:
    lines = "kind,clickedAt\nother,2026-03-01T09:00:00Z\nvcard,2026-03-02T09:00:00Z\n"
    path = write(cast.folder, lines)
    for more in ((), ("--dry-run",)):
        run("import_clicks", path, "--workspace", cast.tenant.workspace.public_id, *more)


def import_directory(cast: Cast, command: str, lines: str) -> None:
    path = write(cast.folder, lines)
    for more in (("--dry-run",), ()):
        run(command, path, "--workspace", cast.tenant.workspace.public_id, *more)


def prune(cast: Cast) -> None:
    for more in (("--dry-run",), ()):
        run("prune_clicks", "--before", "2026-03-11", *more)
    assert not Click.objects.filter(workspace=cast.tenant.workspace).exists()


def reclassify(cast: Cast) -> None:
    follow(cast)
    for more in (("--dry-run",), ()):
        run("reclassify_clicks", *more)


def of_tenant(command: str, *options: str) -> Callable[[Cast], object]:
    return lambda cast: run(command, "--workspace", cast.tenant.workspace.public_id, *options)


COMMANDS: dict[str, Callable[[Cast], object] | None] = {
    "check_rollups": lambda cast: run("check_rollups"),
    "create_api_key": lambda cast: run("create_api_key", cast.tenant.workspace.public_id, "--name", "Tests"),
    "create_workspace": lambda cast: run("create_workspace", "Initech"),
    "delete_workspace": lambda cast: run("delete_workspace", cast.tenant.workspace.public_id, "--yes"),
    "distribute": None,  # about tables, and not about clicks
    "erase_user": lambda cast: run("erase_user", cast.tenant.workspaceuser.public_id),
    "export_user": lambda cast: run("export_user", cast.tenant.workspaceuser.public_id),
    "export_clicks": of_tenant("export_clicks", "--from", "2026-03-01", "--to", "2026-03-31"),
    "import_campaigns": lambda cast: import_directory(
        cast, "import_campaigns", "name,targetUrl\nX,https://x.example/\n"
    ),
    "import_clicks": import_file,
    "import_users": lambda cast: import_directory(cast, "import_users", "email,displayName\ngrace@x.example,Grace\n"),
    "mcp_stdio": None,  # the tools, by another way
    "prune_audit": lambda cast: run("prune_audit", "--before", "2026-03-11"),
    "prune_clicks": prune,
    "rebuild_rollups": lambda cast: run("rebuild_rollups"),
    "reclassify_clicks": reclassify,
    "seed_demo": lambda cast: run("seed_demo", "--clicks", "50"),
    "send_mailings": lambda cast: run("send_mailings"),
}
"""How each command is run; None for one that has its statements from elsewhere."""


def change_stored_verdicts(cast: Cast) -> None:
    click = Click.objects.get(workspace=cast.tenant.workspace)
    for change in (VerdictChange(click.id, "bot", "by hand"), VerdictChange(click.id, "human")):
        assert change_verdicts(cast.tenant.workspace, [change]) == 1


def record_everything(cast: Cast) -> None:
    workspace, user, alias, campaign = cast.tenant[:4]
    [link] = create_links(workspace, [LinkInput("other", "https://www.example.com/", user=user)]).links
    clicks = [
        ClickInput("campaign", ULID(), campaign, user, clicked_at=NOON),
        ClickInput("other", ULID(), alias=alias, link=link, clicked_at=NOON),
        ClickInput("vcard", ULID(), clicked_at=NOON, verdict="suspected", reason="by hand"),
    ]
    for accepted in (3, 0):
        assert record_clicks(workspace, clicks).accepted == accepted


def delete_what_has_no_clicks(cast: Cast) -> None:
    workspace, user, alias = cast.tenant[:3]
    for row in (cast.tenant.trackedlink, alias, make_user(workspace), make_campaign(workspace), make_alias(user)):
        row.delete()
    type(workspace).objects.filter(name="Initech").delete()


ACTS: dict[str, Callable[[Cast], object]] = {
    "changing verdicts": change_stored_verdicts,
    "recording clicks of every kind": record_everything,
    "changing the time zone": lambda cast: change_timezone(cast.tenant.workspace, "Europe/Paris"),
    "rebuilding some days": lambda cast: rebuild(cast.tenant.workspace, date(2026, 3, 10), date(2026, 3, 11)),
    "deleting": delete_what_has_no_clicks,
}
"""What has no address and no command of its own."""

WALK: dict[str, Callable[[Cast], object]] = {
    **VIEWS,
    **{f"manage.py {name}": walk for name, walk in COMMANDS.items() if walk is not None},
    **ACTS,
}


@pytest.mark.parametrize("name", WALK)
def test_each_statement_on_clicks_and_counts_is_about_one_workspace(cast: Cast, name: str) -> None:
    WALK[name](cast)
    assert one_workspace.faults() == []


@pytest.mark.parametrize("client", ["staff", "limited"])
def test_so_is_each_of_the_admin(cast: Cast, client: str) -> None:
    """Each list, with and without filters, each form, each confirmation of a deletion, and deleting."""
    tenant = cast.tenant
    make_call(tenant.workspace)
    rows = {model: row for model, row in zip(Tenant._fields, tenant, strict=True)}
    ours = {model: site for model, site in admin.site._registry.items() if model._meta.app_label == "stats_app"}
    assert {model._meta.model_name for model in ours} <= rows.keys()
    browser: Client = getattr(cast, client)
    for model in ours:
        name = f"admin:stats_app_{model._meta.model_name}"
        row = rows[str(model._meta.model_name)]
        key = f"{row.workspace_id}-{str(row.id).lower()}" if model._meta.model_name == "clickrecord" else row.pk
        narrowed = {} if row is tenant.workspace else {"workspace": tenant.workspace.pk}
        queries: list[dict[str, Any]] = [{}, {**narrowed, "q": "ada"}]
        pages = [(reverse(f"{name}_changelist"), query) for query in queries]
        pages += [(reverse(f"{name}_{page}", args=[key]), {}) for page in ("change", "delete", "history")]
        for url, query in [*pages, (reverse(f"{name}_add"), {})]:
            assert browser.get(url, query).status_code in (200, 302, 403), url
        browser.post(reverse(f"{name}_delete", args=[key]), {"post": "yes"})
        browser.post(
            reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": [key], "post": "1"}
        )
    assert browser.get(reverse("admin:stats_app_workspace_overview", args=[tenant.workspace.pk])).status_code == 200
    assert one_workspace.faults() == []


def names_of(patterns: list[Any], spaces: tuple[str, ...] = ()) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names_of(pattern.url_patterns, (*spaces, *([pattern.namespace] if pattern.namespace else ())))
        elif isinstance(pattern, URLPattern):
            yield ":".join([*spaces, pattern.name or ""])


def test_the_walk_leaves_nothing_out() -> None:
    """Whoever adds an address or a command says here how it is walked."""
    names = {name for name in names_of(get_resolver().url_patterns) if name.startswith("stats_")}
    assert names - {"stats_dashboard:"} == VIEWS.keys()
    assert {module.name for module in pkgutil.iter_modules(commands.__path__)} == COMMANDS.keys()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('SELECT 1 FROM "stats_app_click" WHERE "stats_app_click"."workspace_id" = %s', None),
        ("SELECT 1 FROM stats_app_click WHERE workspace_id = %(workspace)s AND id = 'workspace_id = %s'", None),
        ("UPDATE stats_app_click SET reason = '' WHERE workspace_id = %s", None),
        ("WITH a AS (SELECT key FROM stats_app_rollup WHERE workspace_id = %s) SELECT * FROM a", None),
        ("INSERT INTO stats_app_rollup (workspace_id, key) SELECT %(workspace)s, key FROM counted", None),
        ("SELECT stats_app_clicks.x FROM stats_app_clicks", None),
        ("SELECT 1 FROM stats_app_click WHERE id = 'workspace_id = %s'", "does not name its workspace"),
        ('SELECT 1 FROM "stats_app_click" WHERE "stats_app_click"."id" = %s', "does not name its workspace"),
        ("DELETE FROM stats_app_rollup WHERE day = %s", "does not name its workspace"),
        ("SELECT 1 FROM stats_app_workspace, stats_app_click AS c", "does not name its workspace"),
        (
            "SELECT 1 FROM stats_app_rollup WHERE workspace_id = %s UNION ALL SELECT 2 FROM stats_app_rollup",
            "does not name its workspace",
        ),
        (
            "SELECT 1 FROM stats_app_rollup WHERE key IN (SELECT id FROM stats_app_campaign WHERE workspace_id = %s)",
            "does not name its workspace",
        ),
        (
            'SELECT 1 FROM "stats_app_workspace" WHERE EXISTS(SELECT 1 FROM "stats_app_click" U0 WHERE '
            'U0."workspace_id" = ("stats_app_workspace"."id"))',
            "does not name its workspace",
        ),
        (
            'SELECT 1 FROM "stats_app_campaign" WHERE EXISTS(SELECT 1 FROM "stats_app_click" U0 WHERE '
            'U0."workspace_id" = %s AND U0."campaign_id" = ("stats_app_campaign"."id"))',
            "runs a query on clicks or counts for each row of another one",
        ),
        (
            'SELECT (SELECT COUNT(*) FROM "stats_app_click" U0 WHERE U0."workspace_id" = %s AND U0."campaign_id" = '
            '("stats_app_campaign"."id")) FROM "stats_app_campaign"',
            "runs a query on clicks or counts for each row of another one",
        ),
        (
            'SELECT 1 FROM "stats_app_click" WHERE "stats_app_click"."workspace_id" = %s AND "stats_app_click"."id" IN '
            '(SELECT "U0"."id" FROM "stats_app_click" "U0" WHERE "U0"."workspace_id" = %s)',
            None,
        ),
        (
            'SELECT 1 FROM "stats_app_click" WHERE "stats_app_click"."workspace_id" = %s AND "stats_app_click"."id" IN '
            '(SELECT "U0"."id" FROM "stats_app_click" "U0" WHERE "U0"."workspace_id" = %s '
            'AND "U0"."user_id" = "stats_app_click"."user_id")',
            "runs a query on clicks or counts for each row of another one",
        ),
        ("INSERT INTO stats_app_rollup (workspace_id, key) SELECT id, 0 FROM x", "inserts without a workspace"),
    ],
)
def test_the_rule(statement: str, expected: str | None) -> None:
    assert one_workspace.fault(statement) == expected


def test_it_hears_of_a_statement_wherever_it_runs(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    list(Click.objects.all())  # a test's own
    assert one_workspace.faults() == []
    monkeypatch.setattr(CampaignQuerySet, "clicked", lambda rows: Click.objects.filter(campaign__in=list(rows)))
    with pytest.raises(ProtectedError):
        cast.tenant.campaign.delete()
    [fault] = one_workspace.faults()
    assert fault.startswith("stats_app/models/deletion.py:_delete_unclicked does not name its workspace: SELECT ")
