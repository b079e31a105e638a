"""The cast of the admin's tests: logins of every kind, a workspace with a row of everything, and the addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any, NamedTuple

from django.contrib.auth.models import Permission, User
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from ulid import ULID

from stats_app.ingest import ClickInput
from stats_app.keys import create_key
from stats_app.models import (
    Alias,
    ApiKey,
    Campaign,
    CampaignAssignment,
    ClickRecord,
    Mailing,
    SharedReport,
    ToolCall,
    TrackedLink,
    Workspace,
    WorkspaceUser,
)
from stats_app.sharing import share
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace, record, set_addresses

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MODELS = (
    *("workspace", "workspaceuser", "alias", "campaign", "campaignassignment"),
    *("trackedlink", "clickrecord", "apikey", "toolcall", "sharedreport", "mailing"),
)
# Clicks are shown by a model without permissions of its own.
PERMISSION_OF = {"clickrecord": "click"}
READ_ONLY = ("clickrecord", "toolcall", "sharedreport")


class Tenant(NamedTuple):
    """A workspace with one row of each model."""

    workspace: Workspace
    workspaceuser: WorkspaceUser
    alias: Alias
    campaign: Campaign
    campaignassignment: CampaignAssignment
    trackedlink: TrackedLink
    clickrecord: ClickRecord
    apikey: ApiKey
    toolcall: ToolCall
    sharedreport: SharedReport
    mailing: Mailing


def make_tenant(name: str = "Acme", **values: Any) -> Tenant:
    workspace = make_workspace(name=name, **values)
    user = make_user(workspace, display_name=f"{name} Ada", email=f"ada@{name.lower()}.example")
    alias = make_alias(user, email=f"a.lovelace@{name.lower()}.example")
    campaign = make_campaign(workspace, name=f"{name} spring")
    assign(campaign, user)
    link = TrackedLink.objects.create(
        token=f"token{name}", workspace=workspace, kind="campaign", campaign=campaign, user=user, fingerprint=name
    )
    record(workspace, ClickInput("campaign", ULID(), campaign=campaign, user=user, alias=alias, clicked_at=NOON))
    key, _secret = create_key(workspace, f"{name} program")
    call = make_call(workspace, key)
    mailing = Mailing.objects.create(workspace=workspace)
    set_addresses(mailing, [f"board@{name.lower()}.example"], NOON)
    shared, _secret = share(workspace, campaign, last_day=date(2099, 12, 31), maker="ada", now=NOON)
    return Tenant(
        workspace, user, alias, campaign, CampaignAssignment.objects.get(campaign=campaign), link,
        ClickRecord.objects.get(workspace=workspace), key, call, shared, mailing,
    )  # fmt: skip


def make_call(workspace: Workspace, key: ApiKey | None = None, **values: Any) -> ToolCall:
    defaults = {
        "tool": "stats_get_user_metrics",
        "surface": "rest",
        "client": "curl/8",
        "arguments": {"userPublicId": "usr_x"},
        "outcome": "ok",
        "duration_ms": 3,
        "called_at": NOON,
    }
    return ToolCall.objects.create(workspace=workspace, api_key=key, **defaults | values)


def login(*permissions: str, **values: Any) -> Client:
    """A client logged in as staff with these permissions (codenames such as `view_click`)."""
    number = User.objects.count()
    user = User.objects.create_user(f"staff{number}", password="x", **{"is_staff": True} | values)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="stats_app", codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def superuser() -> Client:
    return login(is_superuser=True)


def first_workspace(user: User) -> QuerySet[Workspace]:
    """A function for `WORKSPACES_FOR`: only the oldest workspace."""
    return Workspace.objects.filter(pk=Workspace.objects.order_by("pk").values("pk")[:1])


def address(model: str, page: str = "changelist", row: Any = None) -> str:
    if row is None:
        return reverse(f"admin:stats_app_{model}_{page}")
    key = f"{row.workspace_id}-{str(row.id).lower()}" if isinstance(row, ClickRecord) else row.pk
    return reverse(f"admin:stats_app_{model}_{page}", args=[key])


def page(client: Client, url: str, **query: Any) -> str:
    """The page's HTML. Fails unless the status is 200."""
    response = client.get(url, query)
    assert response.status_code == 200, (url, response.status_code, response.headers)
    return response.content.decode()


class _Form(HTMLParser):
    """The values that a browser would send for the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self.open: str | None = None  # the name of the field whose element is open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name"), given.get("type")
        if tag == "input" and name and kind != "submit" and (kind != "checkbox" or "checked" in given):
            self.values[name] = given.get("value") or ("on" if kind == "checkbox" else "")
        elif tag in ("select", "textarea"):
            self.open = name
            self.values[name or ""] = ""
        elif tag == "option" and "selected" in given and self.open:
            self.values[self.open] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self.open and self.lasttag == "textarea":
            self.values[self.open] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.open = None


def shown_values(client: Client, url: str, response: Any = None) -> dict[str, Any]:
    """The values of a form as it is shown at the address, or in a response, to be changed and posted."""
    form = _Form()
    shown = page(client, url) if response is None else response.content.decode()
    form.feed(shown[shown.index('id="content-main"') :])
    return form.values
