"""The staff pages and the admin, compared with the floor.

The pages are of two workspaces with many clicks, users and campaigns. In one of them the clicks are spread evenly.

The floor runs without middleware, the pages with the middleware of the admin: sessions, login, messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from benchmarks import filling
from benchmarks.cases import FLOOR, Case, floor_case, last_days
from benchmarks.databases import STAFF, on
from benchmarks.servers import Server
from benchmarks.workload import LAST_DAY
from stats_app.admin.clicks import address_key
from stats_app.models import Alias, ApiKey, Campaign, CampaignAssignment, ClickRecord, Workspace, WorkspaceUser

OVERVIEW = "overview, 365 days by day"
LIST = "list of"  # the beginning of the names of lists, whose limit is in milliseconds
UNCOUNTED_LIST = f"{LIST} users by name"
CALLS = 5  # in a round
ADDED = (Workspace, WorkspaceUser, Alias, Campaign, CampaignAssignment, ApiKey)  # by people


def run(plain: Server, staff: Server, rounds: int, log: Callable[[str], None]) -> dict[str, Case]:
    """The floor and each page after `rounds` rounds, by name. `staff` is served with the middleware of the admin."""
    with on(STAFF):
        workspace = Workspace.objects.get(name=filling.CLICKS)
        headers = {"Cookie": f"sessionid={_session()}"}
        pages = [Case(name, STAFF, path, CALLS, headers=headers) for name, path in _pages(workspace)]
    floor = floor_case(STAFF, workspace.pk)
    for number in range(rounds):
        log(f"Round {number + 1} of {rounds} of the pages of staff ...")
        floor.run(plain)
        for page in pages:
            filling.record_some_more(STAFF)
            page.run(staff)
    return {case.name: case for case in [floor, *pages]}


def dearest(pages: dict[str, Case]) -> Case:
    """The page with the most CPU, without the lists."""
    others = (page for name, page in pages.items() if name != FLOOR and not name.startswith(LIST))
    return max(others, key=lambda page: page.typical.cpu)


def dearest_list(pages: dict[str, Case]) -> Case:
    """The list with the most CPU."""
    return max((page for name, page in pages.items() if name.startswith(LIST)), key=lambda page: page.typical.cpu)


def _session() -> str:
    """The session of a superuser who is logged in."""
    user, _ = get_user_model().objects.get_or_create(
        username="benchmark", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def _pages(workspace: Workspace) -> Iterator[tuple[str, str]]:
    year, month = last_days(365), last_days(30)
    own = reverse("stats_dashboard:workspace", args=[workspace.public_id])
    even = reverse("stats_dashboard:workspace", args=[Workspace.objects.get(name=filling.EVEN).public_id])
    yield "workspaces", reverse("stats_dashboard:workspaces")
    yield "overview, 30 days by day", f"{own}?{month}&breakdown=day"
    for breakdown in ("day", "week", "month"):
        yield f"overview, 365 days by {breakdown}", f"{own}?{year}&breakdown={breakdown}"
    yield "overview, 365 days by day, as CSV", f"{own}?{year}&breakdown=day&format=csv"
    yield "overview, 30 days by day, evenly spread", f"{even}?{month}&breakdown=day"
    yield "overview, 365 days by day, evenly spread", f"{even}?{year}&breakdown=day"
    campaign = Campaign.objects.filter(workspace=workspace).earliest("pk")
    user = WorkspaceUser.objects.filter(workspace=workspace).earliest("pk")
    yield "campaign, 365 days by day", f"{own}campaigns/{campaign.public_id}/?{year}&breakdown=day"
    yield "user, 365 days by day", f"{own}users/{user.public_id}/?{year}&breakdown=day"
    yield from _lists(own, even)
    yield from _admin_pages()
    yield (
        "admin, overview, 365 days by day",
        (reverse("admin:stats_app_workspace_overview", args=[workspace.pk]) + f"?{year}&breakdown=day"),
    )
    yield from _admin_lists(workspace, campaign, user)


def _lists(own: str, even: str) -> Iterator[tuple[str, str]]:
    """Of 100,000 users and of 1,000 campaigns."""
    year = last_days(365)
    yield UNCOUNTED_LIST, f"{own}users/?{year}&sort=name"
    for sort in ("-clicks", "clicks", "-change", "-assigned"):
        yield f"{LIST} users by {sort}", f"{own}users/?{year}&sort={sort}"
    yield f"{LIST} users by -clicks, evenly spread", f"{even}users/?{year}&sort=-clicks"
    yield f"{LIST} users by -change, evenly spread", f"{even}users/?{year}&sort=-change"
    yield f"{LIST} users without clicks, by name", f"{own}users/?{year}&clicks=none&sort=name"
    yield f"{LIST} users by a part that all have", f"{own}users/?{year}&q=number&sort=-clicks"
    yield f"{LIST} users by two digits", f"{own}users/?{year}&q=1+2&sort=-clicks"
    yield f"{LIST} users by a digit, a page after the last", f"{own}users/?{year}&q=7&sort=-clicks&page=9999"
    yield f"{LIST} users by -clicks, the last page", f"{own}users/?{year}&sort=-clicks&page=2000"
    yield f"{LIST} campaigns by -each", f"{own}campaigns/?{year}&sort=-each"
    yield f"{LIST} campaigns by -change, evenly spread", f"{even}campaigns/?{year}&sort=-change"


def _admin_pages() -> Iterator[tuple[str, str]]:
    """The index, and of each model the list and the forms."""
    yield "admin, index", reverse("admin:index")
    for model in admin.site._registry:
        if model._meta.app_label != "stats_app":
            continue
        prefix, name = f"admin:stats_app_{model._meta.model_name}", model._meta.verbose_name
        yield f"admin, {model._meta.verbose_name_plural}", reverse(f"{prefix}_changelist")
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            number = address_key(row) if isinstance(row, ClickRecord) else row.pk
            yield f"admin, one {name}", reverse(f"{prefix}_change", args=[number])
        if model in ADDED:
            yield f"admin, add a {name}", reverse(f"{prefix}_add")


def _admin_lists(workspace: Workspace, campaign: Campaign, user: WorkspaceUser) -> Iterator[tuple[str, str]]:
    """Lists with typical filters and orders."""
    queries = {
        "campaigns of a workspace, running": ("campaign", f"workspace={workspace.pk}&status=running"),
        "campaigns by a part of the name": ("campaign", "q=number+77"),
        "users of a workspace": ("workspaceuser", f"workspace={workspace.pk}"),
        "users by a part of the name": ("workspaceuser", "q=number+7777"),
        "users by a part that nobody has": ("workspaceuser", "q=nobody"),
        "users in order of the name": ("workspaceuser", "o=1"),
        "users in order of the e-mail": ("workspaceuser", f"workspace={workspace.pk}&o=-2"),
        "users who are not active": ("workspaceuser", "is_active__exact=0"),
        "aliases by a part": ("alias", "q=alias.1.77"),
        "aliases in order": ("alias", "o=1"),
        "assignments by a part": ("campaignassignment", "q=number+7777"),
        "assignments by a part that all have": ("campaignassignment", "q=number"),
        "assignments of a workspace": ("campaignassignment", f"workspace={workspace.pk}"),
        "tracked links by a part": ("trackedlink", "q=number+7777"),
        "tracked links of a workspace": ("trackedlink", f"workspace={workspace.pk}"),
        "clicks of a workspace": ("clickrecord", f"workspace={workspace.pk}"),
        "clicks of a week": (
            "clickrecord",
            f"workspace={workspace.pk}&from={LAST_DAY - timedelta(days=6)}&to={LAST_DAY}",
        ),
        "clicks of the largest campaign": (
            "clickrecord",
            f"workspace={workspace.pk}&campaign__id__exact={campaign.pk}",
        ),
        "clicks of the largest user": ("clickrecord", f"workspace={workspace.pk}&user__id__exact={user.pk}"),
        "clicks not counted": ("clickrecord", f"workspace={workspace.pk}&verdict=bot"),
        "tool calls of a workspace": ("toolcall", f"workspace={workspace.pk}"),
        "tool calls of a client that never called": ("toolcall", "q=nobody"),
        "tool calls of a tool that was not called": ("toolcall", "tool=user_find"),
        "tool calls that failed": ("toolcall", f"workspace={workspace.pk}&outcome=invalid_parameters"),
    }
    for name, (model, query) in queries.items():
        yield f"admin, {name}", reverse(f"admin:stats_app_{model}_changelist") + f"?{query}"
    yield (
        "admin, users to choose from",
        (reverse("admin:autocomplete") + "?app_label=stats_app&model_name=alias&field_name=user&term=number+7777"),
    )
