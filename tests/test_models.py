"""The rules of single rows, what may be deleted, the migrations both ways, and which indexes there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from ulid import ULID

from stats_app.dimensions import CAMPAIGN_DAYS, WORKSPACE_DAYS
from stats_app.distribution import PLACES
from stats_app.ingest import ClickInput
from stats_app.models import (
    Alias,
    Campaign,
    CampaignAssignment,
    Click,
    Rollup,
    TrackedLink,
    Workspace,
    WorkspaceUser,
)
from stats_app.models.campaigns import COMPLETED, PAUSED, PLANNED, RUNNING, STATUSES, campaign_status
from stats_app.public_ids import is_public_id
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace, record

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
ULID_TEXT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_migrations_touch_only_the_database_that_is_migrated() -> None:
    """A host's router may send the rows elsewhere."""
    folder = Path(apps.get_app_config("stats_app").path) / "migrations"
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("0*.py")))
    assert re.findall(r"\.(?:objects|_default_manager)\b(?!\.using\().*", code) == []


def make_link(workspace: Workspace, **values: Any) -> TrackedLink:
    token = f"token{TrackedLink.objects.count()}"
    defaults = {"kind": "other", "target_url": "https://www.example.com/", "token": token, "fingerprint": token}
    return TrackedLink.objects.create(workspace=workspace, **defaults | values)


def make_click(workspace: Workspace, **values: Any) -> Click:
    """A row written without `record_clicks`, to see what the database itself refuses."""
    defaults = {"id": ULID(), "kind": "vcard", "clicked_at": NOW, "utc_day": NOW.date()}
    return Click.objects.create(workspace=workspace, **defaults | values)


def refused(constraint: str, act: Callable[..., Any], *args: Any, **values: Any) -> None:
    """The database itself refuses it, by this constraint or, as SQLite calls a plain unique one, these columns."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        act(*args, **values)
    columns = {
        "stats_link_token_unique": "stats_app_trackedlink.token",
        "stats_link_fingerprint_unique": "stats_app_trackedlink.fingerprint",
        "stats_assignment_unique": "stats_app_campaignassignment.user_id",
        "stats_user_email_unique": "stats_app_workspaceuser.email",
        "stats_user_external_id_unique": "stats_app_workspaceuser.external_id",
        "stats_campaign_external_id_unique": "stats_app_campaign.external_id",
        "stats_alias_email_unique": "stats_app_alias.email",
        "stats_app_click_pkey": "stats_app_click.id",
        "stats_app_rollup_pkey": "stats_app_rollup.day",
    }
    assert constraint in str(error.value) or columns.get(constraint, "?") in str(error.value)


def errors_of(row: models.Model) -> dict[str, list[str]]:
    """What `full_clean`, which forms and the admin call, says about it."""
    with pytest.raises(ValidationError) as error:
        row.full_clean()
    return error.value.message_dict


def test_each_row_gets_a_public_id_of_its_kind() -> None:
    workspace = make_workspace()
    assert is_public_id(workspace.public_id)
    assert is_public_id(make_campaign(workspace).public_id, "cp_")
    assert is_public_id(make_user(workspace).public_id, "usr_")


def test_a_workspace_has_sensible_defaults() -> None:
    workspace = Workspace.objects.create(name="Acme")
    assert (workspace.timezone, workspace.is_active, workspace.clicks_kept_from) == ("UTC", True, None)
    assert str(workspace) == "Acme"


@pytest.mark.parametrize("name", ["Europe/Paris", "UTC", "Asia/Kathmandu", "Etc/GMT+12", "America/Argentina/Ushuaia"])
def test_a_zone_has_an_iana_name(name: str) -> None:
    workspace = Workspace(name="Acme", timezone=name)
    workspace.full_clean()
    assert workspace.zone == ZoneInfo(name)


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus",
        "Europe",
        "europe paris",
        "../etc/passwd",
        "/etc/localtime",
        "+02:00",
        "Europe/Paris\0",
        "right/Europe/Paris",
        "posix/Europe/Paris",
        "localtime",
    ],
)
def test_any_other_name_is_refused(name: str) -> None:
    assert list(errors_of(Workspace(name="Acme", timezone=name))) == ["timezone"]


def test_today_is_the_local_date() -> None:
    now = datetime(2026, 2, 28, 18, 15, tzinfo=UTC)
    assert Workspace(timezone="Asia/Kathmandu").today(now) == date(2026, 3, 1)
    assert Workspace(timezone="America/New_York").today(now) == date(2026, 2, 28)


def test_a_users_email_is_unique_in_its_workspace_whatever_its_case() -> None:
    workspace, other = make_workspace(), make_workspace()
    make_user(workspace, email="Ada@Example.com")
    make_user(other, email="ada@example.com")
    refused("stats_user_email_unique", make_user, workspace, email="aDA@eXAMPLE.COM")
    assert errors_of(WorkspaceUser(workspace=workspace, email="ada@example.com")) == {
        "__all__": ["Another user of this workspace has this e-mail."]
    }


def test_an_alias_is_unique_in_its_workspace_whatever_its_case() -> None:
    workspace, other = make_workspace(), make_workspace()
    make_alias(make_user(workspace), email="Ada@Example.com")
    make_alias(make_user(other), email="ada@example.com")
    refused("stats_alias_email_unique", make_alias, make_user(workspace), email="aDA@eXAMPLE.COM")
    alias = Alias(workspace=workspace, user=make_user(workspace), email="ADA@example.com")
    assert errors_of(alias) == {"__all__": ["This e-mail is already an alias in this workspace."]}


def test_an_alias_is_no_users_own_email() -> None:
    workspace, other = make_workspace(), make_workspace()
    user = make_user(workspace, email="ada@example.com")
    make_user(other, email="alan@example.com")
    Alias(workspace=workspace, user=user, email="alan@example.com").full_clean()
    assert errors_of(Alias(workspace=workspace, user=user, email="ADA@example.com")) == {
        "email": ["This is a user's own e-mail in this workspace."]
    }
    make_alias(user, email="Lovelace@example.com")
    assert errors_of(WorkspaceUser(workspace=workspace, email="lovelace@EXAMPLE.com")) == {
        "email": ["This e-mail is an alias in this workspace."]
    }


def crossed(constraint: str, act: Callable[[], Any]) -> None:
    """The database itself refuses it, at once or at the end of the transaction."""

    def to_the_end() -> None:
        act()
        connection.check_constraints()

    with pytest.raises(IntegrityError) as error, transaction.atomic():
        to_the_end()
    assert constraint in str(error.value) or connection.vendor == "sqlite"


@pytest.mark.plain("the names of constraints are shortened there")
def test_the_database_lets_nothing_refer_to_another_workspace() -> None:
    workspace, other = make_workspace(), make_workspace()
    own, campaign, user = make_campaign(workspace), make_campaign(other), make_user(other)
    alias = make_alias(user)
    row = Alias(workspace=workspace, user=user, email="x@example.com")
    crossed("stats_alias_user_of_workspace", row.save)
    crossed("stats_alias_user_of_workspace", lambda: Alias.objects.bulk_create([row]))
    crossed("stats_alias_user_of_workspace", lambda: Alias.objects.filter(pk=alias.pk).update(workspace=workspace))
    crossed("stats_assignment_user_of_workspace", lambda: assign(own, user))
    crossed("stats_assignment_user_of_workspace", lambda: own.assigned_users.add(user))
    assign(campaign, user)
    assignments = CampaignAssignment.objects.all()
    crossed("stats_assignment_campaign_of_workspace", lambda: assignments.update(campaign=own))
    crossed("stats_assignment_campaign_of_workspace", lambda: assignments.update(workspace=workspace))
    crossed("stats_link_campaign_of_workspace", lambda: make_link(workspace, kind="campaign", campaign=campaign))
    crossed("stats_link_user_of_workspace", lambda: make_link(workspace, user=user))
    crossed("stats_link_alias_of_workspace", lambda: make_link(workspace, alias=alias))
    # Rows that others refer to cannot change their workspace.
    crossed("_of_workspace", lambda: WorkspaceUser.objects.filter(pk=user.pk).update(workspace=workspace))
    crossed("_of_workspace", lambda: Campaign.objects.filter(pk=campaign.pk).update(workspace=workspace))


def test_an_assignment_has_its_campaigns_workspace_however_it_comes_in() -> None:
    workspace = make_workspace()
    campaigns = [make_campaign(workspace) for _ in range(3)]
    users = [make_user(workspace) for _ in range(4)]
    CampaignAssignment.objects.create(campaign=campaigns[0], user=users[0])
    CampaignAssignment.objects.create(campaign_id=campaigns[0].pk, user_id=users[1].pk)
    with CaptureQueriesContext(connection) as queries:
        CampaignAssignment.objects.bulk_create(
            CampaignAssignment(campaign_id=campaign.pk, user=users[2]) for campaign in campaigns
        )
    # The campaigns all at once, and the rows; the rest are the transaction's.
    assert len([query for query in queries if "stats_app_" in str(query["sql"])]) == 2
    campaigns[1].assigned_users.add(*users)
    users[3].campaigns.set(campaigns)
    assert set(CampaignAssignment.objects.values_list("workspace", flat=True)) == {workspace.pk}
    assert CampaignAssignment.objects.count() == 2 + 3 + 3 + 2


def test_nothing_refers_to_another_workspace() -> None:
    workspace, other = make_workspace(), make_workspace()
    campaign, user = make_campaign(other), make_user(other)
    alias = make_alias(user)
    assert list(errors_of(Alias(workspace=workspace, user=user, email="x@example.com"))) == ["user"]
    assert list(errors_of(CampaignAssignment(campaign=make_campaign(workspace), user=user))) == ["user"]
    link = {"workspace": workspace, "token": "t", "fingerprint": "f", "target_url": "https://www.example.com/"}
    assert list(errors_of(TrackedLink(kind="campaign", campaign=campaign, **link))) == ["campaign"]
    assert list(errors_of(TrackedLink(kind="vcard", user=user, **link))) == ["user"]
    assert list(errors_of(TrackedLink(kind="vcard", alias=alias, **link))) == ["alias"]


def test_a_campaign_never_ends_before_it_starts() -> None:
    workspace = make_workspace()
    day = date(2026, 3, 1)
    make_campaign(workspace, starts_on=day, ends_on=day)
    make_campaign(workspace, starts_on=day, ends_on=None)
    make_campaign(workspace, starts_on=None, ends_on=day)
    dates = {"starts_on": day, "ends_on": day - timedelta(days=1)}
    refused("stats_campaign_dates_in_order", make_campaign, workspace, **dates)
    campaign = Campaign(workspace=workspace, name="Late", target_url="https://www.example.com/", **dates)
    assert errors_of(campaign) == {"__all__": ["The last day is before the first."]}


def test_the_database_holds_no_empty_name_and_no_empty_zone() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    refused("stats_workspace_has_a_name", make_workspace, name="")
    refused("stats_workspace_has_a_timezone", make_workspace, timezone="")
    refused("stats_campaign_has_a_name", make_campaign, workspace, name="")
    refused("stats_campaign_has_a_name", Campaign.objects.filter(pk=campaign.pk).update, name="")
    assert errors_of(Workspace(name="", timezone="")) == {
        "name": ["This field cannot be blank."],
        "timezone": ["This field cannot be blank."],
    }


NO_TARGETS = [
    "ftp://example.com/",
    "javascript:alert(1)",
    "JavaScript://example.com/%0aalert(1)",
    "data:text/html,x",
    "//example.com/",
    "example.com",
    " https://example.com/",
    "\thttps://example.com/",
    "\x01https://example.com/",
    "\u200bhttps://example.com/",
    "http:example.com",
    "https",
    "httpsx://example.com/",
    "ｈttps://example.com/",
]


@pytest.mark.parametrize("url", [*NO_TARGETS, ""])
def test_a_target_is_http_or_https(url: str) -> None:
    workspace = make_workspace()
    assert "target_url" in errors_of(Campaign(workspace=workspace, name="New", target_url=url))


@pytest.mark.parametrize("url", NO_TARGETS)
def test_the_database_holds_no_other_target(url: str) -> None:
    workspace = make_workspace()
    campaign, link = make_campaign(workspace), make_link(workspace)
    refused("stats_campaign_target_leads_to_the_web", make_campaign, workspace, target_url=url)
    refused("stats_campaign_target_leads_to_the_web", Campaign.objects.filter(pk=campaign.pk).update, target_url=url)
    refused("stats_link_target_leads_to_the_web", make_link, workspace, target_url=url)
    refused("stats_link_target_leads_to_the_web", TrackedLink.objects.filter(pk=link.pk).update, target_url=url)


@pytest.mark.parametrize(
    "url", ["http://a.example", "https://a.example/é?x=1", "HTTPS://A.EXAMPLE/", "hTTp://a.example"]
)
def test_the_database_holds_every_address_of_the_web(url: str) -> None:
    workspace = make_workspace()
    assert make_campaign(workspace, target_url=url).target_url == url
    assert make_link(workspace, target_url=url).target_url == url


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a\tb", "Enter text without control characters."),
        ("a\x85b", "Enter text without control characters."),
        ("\ud800a", "Enter text without control characters."),
        ("\u200b", "Enter text with visible characters."),
        ("\u2800", "Enter text with visible characters."),
        ("\u00ad \u3000", "Enter text with visible characters."),
    ],
)
def test_a_name_can_be_read(name: str, message: str) -> None:
    workspace = make_workspace()
    for row, field in (
        (Workspace(name=name), "name"),
        (Campaign(workspace=workspace, name=name, target_url="https://a.example/"), "name"),
        (WorkspaceUser(workspace=workspace, email="x@example.com", display_name=name), "display_name"),
    ):
        assert errors_of(row) == {field: [message]}


def test_a_user_may_have_no_name_and_a_campaign_must() -> None:
    workspace = make_workspace()
    WorkspaceUser(workspace=workspace, email="x@example.com", display_name="").full_clean()
    Campaign(workspace=workspace, name="👩\u200d💻 \u05d0\u200f", target_url="https://a.example/").full_clean()
    assert "name" in errors_of(Campaign(workspace=workspace, name="", target_url="https://a.example/"))


@pytest.mark.parametrize("make", [make_user, make_campaign])
def test_an_external_id_is_unique_in_its_workspace_or_none(make: Callable[..., Any]) -> None:
    workspace, other = make_workspace(), make_workspace()
    first = make(workspace, external_id="e1")
    make(other, external_id="e1")
    make(workspace, external_id="E1")
    for nothing in ("", None, ""):
        row = make(workspace, external_id=nothing)
        row.refresh_from_db()
        assert row.external_id is None
    constraint = f"stats_{'user' if make is make_user else 'campaign'}_external_id_unique"
    refused(constraint, make, workspace, external_id="e1")
    refused(constraint, type(first).objects.filter(external_id="E1").update, external_id="e1")


def test_what_is_new_is_well_and_switched_on() -> None:
    workspace = make_workspace()
    assert make_user(workspace).is_opted_out is False
    link = make_link(workspace)
    assert (link.is_active, link.created_at.tzinfo) == (True, UTC)


TODAY = date(2026, 3, 15)
BEFORE, AFTER = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
STATUS_TABLE = [
    # Starts, ends, paused, status.
    (None, None, False, RUNNING),
    (None, None, True, PAUSED),
    (BEFORE, None, False, RUNNING),
    (TODAY, None, False, RUNNING),
    (AFTER, None, False, PLANNED),
    (AFTER, None, True, PLANNED),
    (AFTER, AFTER, True, PLANNED),
    (None, BEFORE, False, COMPLETED),
    (None, BEFORE, True, COMPLETED),
    (BEFORE, BEFORE, True, COMPLETED),
    (None, TODAY, False, RUNNING),
    (None, TODAY, True, PAUSED),
    (TODAY, TODAY, False, RUNNING),
    (BEFORE, AFTER, False, RUNNING),
    (BEFORE, AFTER, True, PAUSED),
]


@pytest.mark.parametrize(("starts_on", "ends_on", "is_paused", "expected"), STATUS_TABLE)
def test_the_status_follows_from_the_dates(
    starts_on: date | None, ends_on: date | None, is_paused: bool, expected: str
) -> None:
    assert campaign_status(starts_on, ends_on, is_paused, TODAY) == expected
    campaign = make_campaign(make_workspace(), starts_on=starts_on, ends_on=ends_on, is_paused=is_paused)
    assert campaign.status(TODAY) == expected
    statuses = [status for status in STATUSES if Campaign.objects.all().with_status(status, TODAY).exists()]
    assert statuses == [expected]


def test_only_a_campaign_click_has_a_campaign() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    make_click(workspace, kind="campaign", campaign=campaign)
    make_click(workspace, kind="other")
    refused("stats_click_campaign_matches_kind", make_click, workspace, kind="campaign")
    refused("stats_click_campaign_matches_kind", make_click, workspace, kind="vcard", campaign=campaign)
    refused("stats_link_campaign_matches_kind", make_link, workspace, kind="campaign")
    refused("stats_link_campaign_matches_kind", make_link, workspace, kind="other", campaign=campaign)


def test_only_a_campaign_link_can_do_without_a_target() -> None:
    workspace = make_workspace()
    make_link(workspace, kind="campaign", campaign=make_campaign(workspace), target_url="")
    refused("stats_link_has_a_target", make_link, workspace, target_url="")


def test_a_human_click_needs_no_reason() -> None:
    workspace = make_workspace()
    make_click(workspace, verdict="bot", reason="mail-scanner")
    refused("stats_click_human_needs_no_reason", make_click, workspace, reason="mail-scanner")


def test_a_click_id_is_unique_in_its_workspace() -> None:
    workspace, other = make_workspace(), make_workspace()
    make_click(workspace, id=ULID_TEXT)
    make_click(other, id=ULID_TEXT)
    refused("stats_app_click_pkey", make_click, workspace, id=ULID_TEXT.lower())


def test_links_are_unique_by_token_and_fingerprint() -> None:
    workspace, other = make_workspace(), make_workspace()
    make_link(workspace, token="t", fingerprint="f")
    make_link(other, token="u", fingerprint="f")
    refused("stats_link_token_unique", make_link, other, token="t")
    refused("stats_link_fingerprint_unique", make_link, workspace, fingerprint="f")


def test_a_user_is_assigned_once() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    assign(campaign, user)
    refused("stats_assignment_unique", assign, campaign, user)
    assert list(campaign.assigned_users.all()) == [user]
    assert list(user.campaigns.all()) == [campaign]


def test_a_rollup_has_one_row_for_each_key_and_day() -> None:
    values = {
        "dimension": WORKSPACE_DAYS,
        "key": 0,
        "day": TODAY,
        "campaign_clicks": 1,
        "vcard_clicks": 0,
        "other_clicks": 0,
    }
    workspace = make_workspace()
    Rollup.objects.create(workspace=workspace, **values)
    refused("stats_app_rollup_pkey", Rollup.objects.create, workspace=workspace, **values)


@pytest.mark.parametrize(
    "spelt", [ULID_TEXT, ULID_TEXT.lower(), ULID.from_str(ULID_TEXT), ULID.from_str(ULID_TEXT).to_uuid()]
)
def test_a_click_is_found_by_its_id_in_every_spelling(spelt: object) -> None:
    click = make_click(make_workspace(), id=ULID_TEXT)
    assert Click.objects.get(id=spelt) == click
    assert Click.objects.get(id__in=[spelt]).pk == (click.workspace_id, ULID.from_str(ULID_TEXT))
    assert str(click) == ULID_TEXT.lower()


@pytest.mark.parametrize("value", ["", "x", ULID_TEXT + "0", "8" + "Z" * 25, "I" * 26, "é" * 26, b"short", 5])
def test_no_click_has_a_malformed_id(value: object) -> None:
    with pytest.raises(ValidationError):
        Click.objects.filter(id=value).exists()


def test_codes_are_words_in_python_and_numbers_in_the_database() -> None:
    workspace = make_workspace()
    for kind, verdict in (("vcard", "human"), ("other", "suspected"), ("other", "bot")):
        make_click(workspace, kind=kind, verdict=verdict)
    assert sorted(Click.objects.values_list("kind", "verdict")) == [
        ("other", "bot"),
        ("other", "suspected"),
        ("vcard", "human"),
    ]
    assert Click.objects.filter(kind="other", verdict__in=["bot", "human"]).count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, verdict FROM stats_app_click ORDER BY 1, 2")
        assert cursor.fetchall() == [(1, 0), (2, 1), (2, 2)]
    with pytest.raises(ValueError, match="kind must be one of campaign, vcard, other, not 'mail'"):
        Click.objects.filter(kind="mail").exists()


def protected(act: Callable[[], Any]) -> None:
    with pytest.raises(models.ProtectedError), transaction.atomic():
        act()


def prune(workspace: Workspace) -> None:
    """The raw clicks go, their counts stay."""
    Click.objects.filter(workspace=workspace).delete()
    Workspace.objects.filter(pk=workspace.pk).update(clicks_kept_from=NOW.date() + timedelta(days=1))


@pytest.mark.parametrize("pruned", [False, True])
def test_what_has_clicks_cannot_be_deleted(pruned: bool) -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    record(workspace, ClickInput("campaign", None, campaign, user), now=NOW)
    if pruned:
        prune(workspace)
    rollups = list(Rollup.objects.order_by("pk").values())
    for row in (campaign, user, workspace):
        protected(row.delete)
        protected(type(row).objects.filter(pk=row.pk).delete)
        protected(type(row).objects.all().delete)
        assert type(row).objects.get() == row
    assert list(Rollup.objects.order_by("pk").values()) == rollups


def test_clicks_that_are_not_counted_protect_too() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    record(workspace, ClickInput("campaign", None, campaign, user, verdict="bot"), now=NOW)
    for row in (campaign, user, workspace):
        protected(row.delete)


def test_clicks_of_others_protect_nothing() -> None:
    workspace, other = make_workspace(), make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    assign(campaign, user)
    make_link(workspace, kind="campaign", campaign=campaign, user=user, alias=make_alias(user))
    record(workspace, ClickInput("campaign", None, make_campaign(workspace), make_user(workspace)), now=NOW)
    # The numbers of another workspace's rows may be the same only by mistake; a rollup of it must not count here.
    Rollup.objects.create(
        workspace=other,
        dimension=CAMPAIGN_DAYS,
        key=campaign.pk,
        day=TODAY,
        campaign_clicks=1,
        vcard_clicks=0,
        other_clicks=0,
    )
    campaign.delete()
    user.delete()
    assert [Campaign.objects.count(), WorkspaceUser.objects.count()] == [1, 1]
    assert [Alias.objects.count(), TrackedLink.objects.count(), CampaignAssignment.objects.count()] == [0, 0, 0]


def test_an_empty_workspace_goes_with_all_it_has() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    make_alias(user)
    assign(campaign, user)
    make_link(workspace)
    workspace.delete()
    for model in (Workspace, Campaign, WorkspaceUser, Alias, CampaignAssignment, TrackedLink):
        assert not model.objects.exists()


def test_a_click_outlives_its_alias_and_its_link() -> None:
    workspace = make_workspace()
    alias, link = make_alias(make_user(workspace)), make_link(workspace)
    record(workspace, ClickInput("vcard", alias=alias, link=link), now=NOW)
    alias.delete()
    link.delete()
    assert list(Click.objects.values_list("user", "alias", "link")) == [(alias.user_id, None, None)]


# Each index and its use. An unused index would make every write slower.
INDEXES = {
    "address": {
        "pkey": ("id",),
        "stats_address_unique": ("workspace_id", "email"),  # each e-mail once
        "unique user": ("user_id",),  # the address of a user, and its deletion
        "unique alias": ("alias_id",),  # the address of an alias, and its deletion
    },
    "alias": {
        "pkey": ("id",),
        # Ingest, and the aliases of a workspace.
        "stats_alias_email_unique": ("workspace_id", "email"),
        "stats_alias_email": ("email", "id"),  # the admin's list in its order
        "stats_alias_of_workspace": ("workspace_id", "id"),  # the foreign keys that name the workspace
        "stats_alias_parts": ("folded(email)",),  # searches by a part
        "fk": ("user_id",),  # the aliases of a user
    },
    "apikey": {
        "pkey": ("id",),
        "unique": ("digest",),  # authentication
        "fk": ("workspace_id",),  # the keys of a workspace
    },
    "callwindow": {"pkey": ("api_key_id", "name")},  # the rate limit
    "campaign": {
        "pkey": ("id",),
        "unique": ("public_id",),  # ingest, REST
        "stats_campaign_created": ("workspace_id", "created_at"),  # the list and its count
        "stats_campaign_of_workspace": ("workspace_id", "id"),  # the foreign keys that name the workspace
        "stats_campaign_external_id_unique": ("workspace_id", "external_id"),  # the directory's campaigns
        "stats_campaign_parts": ("folded(name)",),  # searches by a part
    },
    "campaignassignment": {
        "pkey": ("id",),
        "stats_assignment_unique": ("campaign_id", "user_id"),  # the users of a campaign
        "stats_assignment_workspace": ("workspace_id",),  # the lists' numbers of assigned people, deleting a tenant
        "fk": ("user_id",),  # the campaigns of a user
    },
    "click": {
        "pkey": ("workspace_id", "id"),  # exactly once
        "stats_click_day": ("workspace_id", "utc_day"),  # the list, the rebuild, pruning
        "stats_click_campaign_day": ("campaign_id", "utc_day"),  # the list of a campaign, and its deletion
        "stats_click_user": ("user_id",),  # the list of a user, and its deletion
        "stats_click_excluded": ("workspace_id", "utc_day"),  # the list by verdict
    },
    "erasedidentifier": {
        "pkey": ("id",),
        "stats_erased_identifier_unique": ("workspace_id", "digest"),  # who must not come back
    },
    "erasuresalt": {"pkey": ("workspace_id",)},  # who must not come back
    "importkey": {"pkey": ("workspace_id",)},  # the ids of imported rows
    "mailing": {"pkey": ("id",), "fk": ("workspace_id",)},  # deleting a tenant
    "mailingaddress": {"pkey": ("id",), "stats_mailing_address_unique": ("mailing_id", "email")},  # a run
    "mailingdelivery": {
        "pkey": ("id",),
        "stats_mailing_delivery_unique": ("address_id", "first_day", "last_day"),  # once to each address
    },
    "reason": {
        "pkey": ("id",),
        "stats_reason_unique": ("workspace_id", "dimension", "key", "verdict", "text"),  # ingest
    },
    "recentvisit": {
        "pkey": ("id",),
        "stats_visit_network": ("workspace_id", "network", "visited_at"),  # bursts
        "stats_visit_time": ("visited_at",),  # what is too old
    },
    "rollup": {"pkey": ("workspace_id", "dimension", "key", "day")},  # every tool and page
    "sharedreport": {
        "pkey": ("id",),
        "unique": ("digest",),  # the page that a secret opens
        "fk workspace": ("workspace_id",),  # deleting a tenant
        "fk campaign": ("campaign_id",),  # deleting a campaign
    },
    "toolcall": {
        "pkey": ("id",),
        "stats_call_time": ("workspace_id", "called_at"),  # the audit log of a workspace
    },
    "trackedlink": {
        "pkey": ("id",),
        "stats_link_token_unique": ("token",),  # the redirect, ingest
        "stats_link_fingerprint_unique": ("workspace_id", "fingerprint"),  # making a link again
        "stats_link_number": ("workspace_id", "id"),  # the list and its count
        "fk campaign": ("campaign_id",),  # the links of a campaign, and its deletion
        "fk user": ("user_id",),  # the links of a user, and its deletion
        "fk alias": ("alias_id",),  # the deletion of an alias
    },
    "visitorsalt": {"pkey": ("day",)},  # the first visit of a day in a process
    "workspace": {"pkey": ("id",), "unique": ("public_id",)},
    "workspaceuser": {
        "pkey": ("id",),
        "unique": ("public_id",),  # ingest, REST
        "stats_user_created": ("workspace_id", "created_at"),  # the list and its count
        "stats_user_email_unique": ("workspace_id", "email"),  # the e-mail of a form
        "stats_user_external_id_unique": ("workspace_id", "external_id"),  # the directory's users
        "stats_user_of_workspace": ("workspace_id", "id"),  # the foreign keys that name the workspace
        "stats_user_name": ("display_name", "id"),  # lists in order of the name
        "stats_user_email": ("email", "id"),  # the admin's list in order of the e-mail
        "stats_user_inactive": ("workspace_id", "created_at"),  # the lists of inactive users
        "stats_user_parts": ("folded(display_name)", "folded(email)"),  # searches by a part
    },
}


@pytest.mark.postgres
@pytest.mark.plain("it is about the plans of one server")
def test_every_index_has_a_query() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT tablename, indexname,
                array(
                    SELECT pg_get_indexdef(format('%I.%I', schemaname, indexname)::regclass, number, true)
                    FROM generate_series(1, indnatts) AS number
                )
            FROM pg_indexes JOIN pg_index ON indexrelid = format('%I.%I', schemaname, indexname)::regclass
            WHERE schemaname = current_schema() AND tablename LIKE 'stats\\_app\\_%'
            """
        )
        stored_indexes = cursor.fetchall()
    assert [name for _, name, _ in stored_indexes if name.endswith("_like")] == []
    tables: dict[str, list[tuple[str, ...]]] = {}
    for table, _, columns in stored_indexes:
        plain = tuple(
            re.sub(r"^\(\s*CASE\s.*?\((\w+)::text\).*$", r"folded(\1)", column, flags=re.DOTALL) for column in columns
        )
        tables.setdefault(table.removeprefix("stats_app_"), []).append(plain)
    assert {table: sorted(indexes) for table, indexes in tables.items()} == {
        table: sorted(indexes.values()) for table, indexes in INDEXES.items()
    }
    named = {name for _, name, _ in stored_indexes if name.startswith("stats_") and not name.startswith("stats_app_")}
    assert named == {name for indexes in INDEXES.values() for name in indexes if name.startswith("stats_")}


@pytest.mark.postgres
def test_only_what_is_of_use_for_a_minute_is_not_logged() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT relname FROM pg_class
            WHERE relname LIKE 'stats\\_app\\_%' AND relkind = 'r' AND relpersistence = 'u' ORDER BY relname
            """
        )
        assert cursor.fetchall() == [("stats_app_callwindow",), ("stats_app_recentvisit",)]


def test_the_models_need_no_further_migration() -> None:
    call_command("makemigrations", "stats_app", check=True, dry_run=True, verbosity=0)


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("stats_app_")}


@pytest.fixture
def _migrated_again() -> Iterator[None]:
    yield
    call_command("migrate", "stats_app", verbosity=0)


@pytest.mark.plain("it takes the layout away from the tests after it")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_migrated_again")
def test_the_migrations_run_back_to_nothing_and_forth_again() -> None:
    record(make_workspace(), ClickInput("vcard"), now=NOW)
    before = tables()
    assert before == {model._meta.db_table for model in apps.get_app_config("stats_app").get_models()}
    call_command("migrate", "stats_app", "zero", verbosity=0)
    assert tables() == set()
    call_command("migrate", "stats_app", verbosity=0)
    assert tables() == before
    workspace = make_workspace()
    record(workspace, ClickInput("vcard"), now=NOW)
    assert Rollup.objects.get().vcard_clicks == 1


@pytest.mark.plain("it takes the layout away from the tests after it")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_migrated_again")
def test_rows_without_a_name_get_their_public_id_as_one() -> None:
    workspace, campaign = make_workspace(), make_campaign(make_workspace(name="Acme"))
    call_command("migrate", "stats_app", "0022", verbosity=0)
    Workspace.objects.filter(pk=workspace.pk).update(name="", timezone="")
    Campaign.objects.update(name="")
    call_command("migrate", "stats_app", verbosity=0)
    assert set(Workspace.objects.values_list("name", "timezone")) == {(workspace.public_id, "UTC"), ("Acme", "UTC")}
    assert Campaign.objects.get().name == campaign.public_id


def test_each_model_has_its_place_on_several_machines() -> None:
    """A new model is named in `stats_app.distribution.PLACES`: `LOCAL`, unless a statement joins it with clicks."""
    assert set(apps.get_app_config("stats_app").get_models()) == PLACES.keys()
