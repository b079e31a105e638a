"""Workspaces, campaigns and people in the admin: saved, filtered, and deleted only where no clicks are counted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from ulid import ULID

from stats_app import rollups
from stats_app.ingest import ClickInput
from stats_app.models import Alias, ApiKey, Campaign, CampaignAssignment, Click, Rollup, Workspace, WorkspaceUser
from stats_app.sharing import share
from tests.admin_cast import MODELS, NOON, READ_ONLY, address, login, make_tenant, page, shown_values, superuser
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace, record, set_addresses

pytestmark = pytest.mark.django_db

PROTECTED = (
    "It was not deleted: clicks are counted for it, and counts never change afterwards. "
    "Make it inactive or pause it instead."
)


def said(client: Client, response: Any) -> list[str]:
    """The messages that the page after a redirect shows."""
    assert response.status_code == 302, response.content.decode()
    return [str(message) for message in client.get(response.headers["Location"], follow=True).context["messages"]]


def values_of(workspace: Workspace, **changes: Any) -> dict[str, Any]:
    return {"name": workspace.name, "timezone": workspace.timezone, "is_active": "on"} | changes


def test_it_adds_a_workspace() -> None:
    superuser().post(address("workspace", "add"), {"name": "Acme", "timezone": "Europe/Paris", "is_active": "on"})
    workspace = Workspace.objects.get()
    assert (workspace.name, workspace.timezone, workspace.is_active) == ("Acme", "Europe/Paris", True)


def test_a_change_of_time_zone_counts_all_clicks_anew() -> None:
    workspace = make_workspace(timezone="UTC")
    record(workspace, ClickInput("other", ULID(), clicked_at=datetime(2026, 3, 10, 23, 30, tzinfo=UTC)))
    url = address("workspace", "change", workspace)
    superuser().post(url, values_of(workspace, name="Acme SA", timezone="Europe/Paris"))
    workspace.refresh_from_db()
    assert (workspace.name, workspace.timezone, workspace.counted_timezone) == ("Acme SA", *["Europe/Paris"] * 2)
    assert set(Rollup.objects.filter(workspace=workspace).values_list("day", flat=True)) == {date(2026, 3, 11)}
    assert list(rollups.check(workspace)) == []


def test_a_refused_time_zone_says_why_and_changes_nothing() -> None:
    workspace = make_workspace(clicks_kept_from=date(2026, 1, 1))
    url = address("workspace", "change", workspace)
    response = superuser().post(url, values_of(workspace, name="New", timezone="Europe/Paris"))
    assert "clicks before 2026-01-01 are pruned" in response.content.decode()
    workspace.refresh_from_db()
    assert (workspace.name, workspace.timezone) == ("Acme", "UTC")


def test_a_time_zone_refused_at_the_last_moment_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()

    def pruned_meanwhile(row: Workspace, name: str) -> None:
        Workspace.objects.filter(pk=row.pk).update(clicks_kept_from=date(2026, 1, 1))
        change(row, name)

    change = rollups.change_timezone
    # Patched, because nothing else can happen between the form's validation and the change.
    monkeypatch.setattr("stats_app.rollups.change_timezone", pruned_meanwhile)
    staff = superuser()
    response = staff.post(
        address("workspace", "change", workspace), values_of(workspace, name="New", timezone="Asia/Tokyo")
    )
    assert said(staff, response) == ["Nothing was changed: clicks have just been pruned, and cannot be recounted."]
    workspace.refresh_from_db()
    assert (workspace.name, workspace.timezone, workspace.clicks_kept_from) == ("Acme", "UTC", None)


def test_it_refuses_a_name_that_is_no_time_zone() -> None:
    workspace = make_workspace()
    response = superuser().post(address("workspace", "change", workspace), values_of(workspace, timezone="Paris"))
    assert "“Paris” is not an IANA time zone" in response.content.decode()


def test_saving_writes_only_what_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    save = Workspace.save

    def pruned_meanwhile(self: Workspace, *args: Any, **kwargs: Any) -> None:
        Workspace.objects.filter(pk=self.pk).update(clicks_kept_from=date(2026, 1, 1))
        save(self, *args, **kwargs)

    monkeypatch.setattr(Workspace, "save", pruned_meanwhile)
    superuser().post(address("workspace", "change", workspace), values_of(workspace, name="New"))
    workspace.refresh_from_db()
    assert (workspace.name, workspace.clicks_kept_from) == ("New", date(2026, 1, 1))


def test_a_row_stays_in_its_workspace() -> None:
    tenant, other = make_tenant("Acme"), make_workspace(name="Other")
    staff = superuser()
    values = {
        "workspace": other.pk,
        "name": "New",
        "target_url": "https://www.example.com/",
        "email": "new@acme.example",
    }
    for model in ("campaign", "workspaceuser", "apikey"):
        staff.post(address(model, "change", getattr(tenant, model)), values | {"scopes": ["stats:read"]})
    values = {"workspace": other.pk, "user": tenant.workspaceuser.pk, "email": "a2@acme.example"}
    staff.post(address("alias", "change", tenant.alias), values)
    for model in ("campaign", "workspaceuser", "apikey", "alias"):
        row = getattr(tenant, model)
        row.refresh_from_db()
        assert row.workspace == tenant.workspace
    assert tenant.campaign.name == "New"
    assert tenant.alias.email == "a2@acme.example"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"target_url": "javascript:alert(1)"}, "Enter an http or https address."),
        ({"starts_on": "2026-03-02", "ends_on": "2026-03-01"}, "The last day is before the first."),
    ],
)
def test_it_saves_no_campaign_that_breaks_a_rule(values: dict[str, str], message: str) -> None:
    good = {"workspace": make_workspace().pk, "name": "Spring", "target_url": "https://www.example.com/"}
    assert message in superuser().post(address("campaign", "add"), good | values).content.decode()
    assert not Campaign.objects.exists()


def test_it_saves_no_assignment_or_alias_across_workspaces() -> None:
    acme, globex = make_workspace(), make_workspace(name="Globex")
    campaign, user, stranger = make_campaign(acme), make_user(acme, email="a@x.example"), make_user(globex)
    staff = superuser()
    posts = [
        ("campaignassignment", {"campaign": campaign.pk, "user": stranger.pk}, "belongs to another workspace"),
        ("alias", {"workspace": acme.pk, "user": stranger.pk, "email": "b@x.example"}, "belongs to another workspace"),
        ("alias", {"workspace": acme.pk, "user": user.pk, "email": "A@x.example"}, "own e-mail in this workspace"),
    ]
    for model, values, message in posts:
        assert message in staff.post(address(model, "add"), values).content.decode()
    assert (CampaignAssignment.objects.count(), Alias.objects.count()) == (0, 0)


def test_an_assignment_can_be_moved_to_another_workspace() -> None:
    acme, globex = make_workspace(), make_workspace(name="Globex")
    assign(make_campaign(acme), make_user(acme))
    assignment = CampaignAssignment.objects.get()
    campaign, user = make_campaign(globex), make_user(globex)
    staff = superuser()
    values = {"campaign": campaign.pk, "user": user.pk}
    response = staff.post(address("campaignassignment", "change", assignment), values)
    assert response.status_code == 302
    assignment.refresh_from_db()
    assert (assignment.workspace, assignment.campaign, assignment.user) == (globex, campaign, user)


CONFLICTS = {
    "e-mail": ("workspaceuser", {"email": "TAKEN@x.example"}, "Another user of this workspace has this e-mail."),
    "external id": ("workspaceuser", {"external_id": "7"}, "Another user of this workspace has this external id."),
    "alias as e-mail": ("workspaceuser", {"email": "alias@x.example"}, "This e-mail is an alias in this workspace."),
    "alias": ("alias", {"email": "alias@x.example"}, "This e-mail is already an alias in this workspace."),
    "e-mail as alias": ("alias", {"email": "taken@x.example"}, "own e-mail in this workspace"),
    "stranger's alias": ("alias", {"user": "stranger"}, "It belongs to another workspace."),
    "campaign's id": ("campaign", {"external_id": "7"}, "Another campaign of this workspace has this external id."),
}


def make_conflict(name: str) -> tuple[Any, dict[str, Any], str]:
    """A row, the values of its form with one that another row has, and the error."""
    model, changes, message = CONFLICTS[name]
    workspace = make_workspace()
    other, user = (
        make_user(workspace, email="taken@x.example", external_id="7"),
        make_user(workspace, email="b@x.example"),
    )
    make_alias(other, email="alias@x.example")
    make_campaign(workspace, external_id="7")
    stranger = make_user(make_workspace())
    rows = {
        "workspaceuser": user,
        "alias": make_alias(user, email="b2@x.example"),
        "campaign": make_campaign(workspace),
    }
    values = {
        "workspaceuser": {"email": user.email, "is_active": "on"},
        "alias": {"user": user.pk, "email": "b2@x.example"},
        "campaign": {"name": "Spring", "target_url": "https://www.example.com/"},
    }[model]
    changed = {name: stranger.pk if value == "stranger" else value for name, value in changes.items()}
    return rows[model], values | changed, message


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_change_to_what_another_row_has_is_an_error_of_the_form(name: str) -> None:
    row, values, message = make_conflict(name)
    before = type(row).objects.filter(pk=row.pk).values().get()
    response = superuser().post(address(row._meta.model_name, "change", row), values)
    assert (response.status_code, message in response.content.decode()) == (200, True)
    assert type(row).objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_change_to_what_another_row_has_just_got_is_a_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row, values, _ = make_conflict(name)
    if name in ("alias as e-mail", "e-mail as alias"):
        monkeypatch.setattr(type(row), "clean", lambda self: None)
    # As if the other row was saved after the form was validated.
    monkeypatch.setattr(type(row), "validate_constraints", lambda self, exclude: None)
    staff = superuser()
    response = staff.post(address(row._meta.model_name, "change", row), values)
    text = "Nothing was saved: somebody else has just changed a row that this one conflicts with. Try again."
    assert said(staff, response) == [text]


@pytest.mark.parametrize("model", ["workspaceuser", "alias", "campaign"])
def test_a_change_of_a_row_that_was_just_deleted_is_a_message(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row, values, _ = make_conflict({"workspaceuser": "e-mail", "alias": "alias", "campaign": "campaign's id"}[model])
    values |= {"email": "new@x.example", "external_id": "8"}
    # Before the row is saved, and after the form was validated.
    monkeypatch.setattr(type(row), "clean", lambda self: type(row).objects.filter(pk=self.pk).delete())
    monkeypatch.setattr(type(row), "validate_constraints", lambda self, exclude: None)
    staff = superuser()
    # Undone with the rest of the form's transaction, so that the row is there again.
    response = staff.post(address(model, "change", row), values)
    text = "Nothing was saved: somebody else has just changed a row that this one conflicts with. Try again."
    assert said(staff, response) == [text]


@pytest.mark.parametrize("model", ["campaign", "workspaceuser"])
def test_what_has_clicks_cannot_be_deleted(model: str) -> None:
    tenant = make_tenant()
    row = getattr(tenant, model)
    staff = superuser()
    url = address(model, "delete", row)
    for response in (staff.get(url), staff.post(url, {"post": "yes"})):
        text = response.content.decode()
        assert ("protected related objects" in text, f"clicks of “{row}”" in text) == (True, True)
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert f"clicks of “{row}”" in staff.post(address(model), chosen).content.decode()
    assert type(row).objects.filter(pk=row.pk).exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("model", ["campaign", "workspaceuser"])
def test_what_had_clicks_before_they_were_pruned_cannot_be_deleted(model: str) -> None:
    tenant = make_tenant()
    Click.objects.all().delete()
    row = getattr(tenant, model)
    text = superuser().post(address(model, "delete", row), {"post": "yes"}).content.decode()
    assert f"clicks of “{row}”" in text
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", ["campaign", "workspaceuser"])
def test_a_click_that_comes_in_during_a_deletion_stops_it_with_a_message(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant()
    row = getattr(tenant, model)
    staff = superuser()
    # Patched to the state before the click, because nothing else can happen between the check and the deletion.
    monkeypatch.setattr("stats_app.admin.scope.ScopedAdmin.get_deleted_objects", lambda *_: ([], {}, set(), []))
    assert PROTECTED in said(staff, staff.post(address(model, "delete", row), {"post": "yes"}))
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert said(staff, staff.post(address(model), chosen)) == [PROTECTED]
    assert type(row).objects.filter(pk=row.pk).exists()
    assert not LogEntry.objects.exists()


def test_it_deletes_what_has_no_clicks_with_what_hangs_on_it() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace, name="Draft"), make_user(workspace, display_name="Bob")
    assign(campaign, user)
    make_alias(user)
    staff = superuser()
    text = page(staff, address("workspaceuser", "delete", user))
    assert ("Workspace user: Bob" in text, "Aliases: 1" in text, "Assignments: 1" in text) == (True, True, True)
    assert said(staff, staff.post(address("workspaceuser", "delete", user), {"post": "yes"})) == [
        "The workspace user “Bob” was deleted successfully."
    ]
    chosen = {"action": "delete_selected", "_selected_action": [campaign.pk], "post": "yes"}
    assert said(staff, staff.post(address("campaign"), chosen)) == ["Successfully deleted 1 campaign."]
    counts = [model.objects.count() for model in (Campaign, WorkspaceUser, Alias, CampaignAssignment)]
    assert counts == [0, 0, 0, 0]
    assert staff.post(address("workspace", "delete", workspace), {"post": "yes"}).status_code == 403


def test_deleting_needs_the_permission_for_what_hangs_on_it() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    assign(campaign, make_user(workspace))
    staff = login("view_campaign", "delete_campaign")
    assert "doesn&#x27;t have permission" in page(staff, address("campaign", "delete", campaign)).replace("'", "&#x27;")
    assert staff.post(address("campaign", "delete", campaign), {"post": "yes"}).status_code == 403
    assert Campaign.objects.count() == 1


def test_it_filters_campaigns_by_status_in_each_workspaces_own_day() -> None:
    names = {"planned": "Later", "running": "Onnow", "paused": "Halted", "completed": "Bygone"}
    workspace = make_workspace(timezone="Pacific/Kiritimati")
    today = workspace.today(datetime.now(UTC))
    make_campaign(workspace, name="Later", starts_on=date(2099, 1, 1))
    make_campaign(workspace, name="Onnow", starts_on=today, ends_on=today)
    make_campaign(workspace, name="Halted", is_paused=True)
    make_campaign(make_workspace(name="West", timezone="Pacific/Midway"), name="Bygone", ends_on=date(2020, 1, 1))
    for status, name in names.items():
        text = page(superuser(), address("campaign"), status=status)
        assert [other for other in names.values() if other in text] == [name]


@pytest.mark.parametrize(
    ("model", "term", "names"),
    [
        ("workspace", "acm", ["Acme"]),
        ("campaign", "acme spr", ["Acme"]),
        ("workspaceuser", "ADA@ACME", ["Acme"]),
        ("workspaceuser", "globex ada", ["Globex"]),
        ("alias", "a.lovelace@globex", ["Globex"]),
        ("campaignassignment", "ada@acme", ["Acme"]),
        ("trackedlink", "tokenGlobex", ["Globex"]),
        ("apikey", "globex pro", ["Globex"]),
        ("toolcall", "acme program", ["Acme"]),
        ("clickrecord", "ada@acme.example", ["Acme"]),
        ("clickrecord", "Ada", []),
    ],
)
def test_it_searches(model: str, term: str, names: list[str]) -> None:
    make_tenant("Acme")
    make_tenant("Globex")
    response = superuser().get(address(model), {"q": term})
    rows = [str(getattr(row, "workspace", row)) for row in response.context["cl"].result_list]
    assert [name.split()[0] for name in rows] == names if model != "campaignassignment" else len(rows) == len(names)


@pytest.mark.parametrize("model", ["workspaceuser", "alias", "campaign", "campaignassignment", "trackedlink", "apikey"])
def test_it_filters_by_workspace(model: str) -> None:
    make_tenant("Acme")
    globex = make_tenant("Globex")
    response = superuser().get(address(model), {"workspace": globex.workspace.pk})
    assert list(response.context["cl"].result_list) == [getattr(globex, model)]


def test_a_long_list_of_workspaces_is_not_a_long_filter() -> None:
    tenant = make_tenant("Zeta")
    Workspace.objects.bulk_create(Workspace(name=f"Other {number:02}") for number in range(30))
    response = superuser().get(address("campaign"), {"workspace": tenant.workspace.pk})
    choices = [choice["display"] for choice in response.context["cl"].filter_specs[0].choices(response.context["cl"])]
    assert choices == ["All", "Zeta", *(f"Other {number:02}" for number in range(10))]
    assert "Others: from the list of workspaces" in response.content.decode()


def test_its_pages_lead_to_what_belongs_to_a_row() -> None:
    tenant = make_tenant()
    staff = superuser()
    pages = {
        "workspace": ["campaign", "workspaceuser", "clickrecord", "apikey", "toolcall"],
        "campaign": ["clickrecord", "campaignassignment"],
        "workspaceuser": ["clickrecord", "campaignassignment", "alias"],
    }
    for model, targets in pages.items():
        text = page(staff, address(model, "change", getattr(tenant, model)))
        for target in targets:
            [link] = [part.split('"')[0] for part in text.split('href="')[1:] if part.startswith(f"{address(target)}?")]
            response = staff.get(link.replace("&amp;", "&"))
            assert list(response.context["cl"].result_list) == [getattr(tenant, target)], link


def test_clicks_recorded_later_protect_what_could_be_deleted_before() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    staff = superuser()
    assert "Are you sure" in page(staff, address("campaign", "delete", campaign))
    record(
        workspace, ClickInput("campaign", ULID(), campaign=campaign, clicked_at=NOON, verdict="bot", reason="scanner")
    )
    assert "protected related objects" in page(staff, address("campaign", "delete", campaign))


def test_a_row_leads_to_its_form_and_from_there_back_to_the_list_as_it_was() -> None:
    tenant = make_tenant()
    make_tenant("Globex")
    staff = superuser()
    for model in MODELS:
        row = getattr(tenant, model)
        query = {"q": "acme"} if model == "workspace" else {"workspace": str(tenant.workspace.pk)}
        plain, narrowed = page(staff, address(model)), page(staff, address(model), **query)
        form = address(model, "change", row)
        assert f'href="{form}"' in plain
        assert f'href="{form}?{urlencode({"_changelist_filters": urlencode(query)})}"' in narrowed


def test_rows_alike_stand_newest_first() -> None:
    workspace = make_workspace()
    users = [make_user(workspace, display_name=name) for name in ("Bob", "Ada", "Ada", "Bob")]
    staff = superuser()
    for query, order in (({}, (3, 2, 1, 0)), ({"o": "1"}, (2, 1, 3, 0)), ({"o": "-1"}, (3, 0, 2, 1))):
        for chosen in ({}, {"workspace": workspace.pk}):
            response = staff.get(address("workspaceuser"), query | chosen)
            assert list(response.context["cl"].result_list) == [users[number] for number in order], query | chosen


@pytest.mark.parametrize("value", ["x", "", "0", "-1", "1.5", "99999999999999999999", "\0", "٣", "None", "1 OR 1=1"])
@pytest.mark.parametrize("model", [model for model in MODELS if model not in READ_ONLY])
def test_a_form_takes_no_value_for_a_row_that_is_none(model: str, value: str) -> None:
    make_tenant()
    staff = superuser()
    fields = [field.name for field in apps.get_model("stats_app", model)._meta.concrete_fields if field.remote_field]
    wrong = dict.fromkeys(fields, value)
    assert staff.get(address(model, "add"), wrong).status_code == 200
    assert staff.post(address(model, "add"), wrong).status_code == 200


# --- two windows: a form is saved that was opened before something else happened


def test_a_form_does_not_count_a_person_who_has_opted_out_meanwhile() -> None:
    user, client = make_tenant().workspaceuser, superuser()
    url = address("workspaceuser", "change", user)
    form = shown_values(client, url)
    WorkspaceUser.objects.filter(pk=user.pk).update(is_opted_out=True, email="new@acme.example")
    assert client.post(url, form | {"display_name": "Ada King"}).status_code == 302
    user.refresh_from_db()
    assert (user.display_name, user.is_opted_out, user.email) == ("Ada King", True, "new@acme.example")


def test_a_form_does_not_lengthen_a_key_that_was_rotated_meanwhile() -> None:
    key, client = make_tenant().apikey, superuser()
    url = address("apikey", "change", key)
    form = shown_values(client, url)
    client.post(address("apikey"), {"action": "rotate", "_selected_action": [key.pk], "confirmed": "yes", "grace": 1})
    expires_at = ApiKey.objects.get(pk=key.pk).expires_at
    assert expires_at is not None
    assert client.post(url, form | {"name": "Another name"}).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.expires_at) == ("Another name", expires_at)


def test_a_form_that_is_shown_again_with_an_error_saves_what_was_entered() -> None:
    key, client = make_tenant().apikey, superuser()
    url = address("apikey", "change", key)
    form = shown_values(client, url)
    entered = {"expires_at_0": "2099-03-01", "expires_at_1": "10:00:00"}
    past = {"expires_at_0": "2020-03-01", "expires_at_1": "10:00:00"}
    for wrong in (entered | {"name": ""}, past, past):
        response = client.post(url, form | wrong)
        assert response.status_code == 200
        form = shown_values(client, url, response)
        assert {name: form[name] for name in entered} == {name: wrong[name] for name in entered}
    assert client.post(url, form | entered | {"name": "New name"}).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.expires_at) == ("New name", datetime(2099, 3, 1, 10, tzinfo=UTC))


def test_a_form_that_is_shown_again_shows_what_others_have_changed_meanwhile() -> None:
    campaign, client = make_tenant().campaign, superuser()
    Campaign.objects.filter(pk=campaign.pk).update(starts_on="2026-01-01", ends_on=None)
    url = address("campaign", "change", campaign)
    form = shown_values(client, url)
    Campaign.objects.filter(pk=campaign.pk).update(ends_on="2026-03-01", is_paused=True)
    response = client.post(url, form | {"starts_on": "2026-06-01"})
    assert "The last day is before the first." in response.content.decode()
    form = shown_values(client, url, response)
    assert (form["starts_on"], form["ends_on"], form["is_paused"]) == ("2026-06-01", "2026-03-01", "on")
    assert client.post(url, form | {"ends_on": "2026-07-01"}).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.starts_on, campaign.ends_on, campaign.is_paused) == (date(2026, 6, 1), date(2026, 7, 1), True)


def test_a_form_is_not_refused_for_what_others_have_changed_meanwhile() -> None:
    tenant, client = make_tenant(), superuser()
    url = address("workspaceuser", "change", tenant.workspaceuser)
    form = shown_values(client, url)
    WorkspaceUser.objects.filter(pk=tenant.workspaceuser.pk).update(email="new@acme.example")
    make_user(tenant.workspace, email=form["email"])
    assert client.post(url, form | {"display_name": "Ada King"}).status_code == 302
    url = address("mailing", "change", tenant.mailing)
    form = shown_values(client, url)
    tenant.mailing.addresses.update(unsubscribed_at=NOON)
    assert client.post(url, form | {"language": "fr"}).status_code == 302
    url = address("workspace", "change", tenant.workspace)
    form = shown_values(client, url)
    Workspace.objects.filter(pk=tenant.workspace.pk).update(timezone="Asia/Tokyo", clicks_kept_from="2026-03-01")
    assert client.post(url, form | {"name": "Globex"}).status_code == 302
    tenant.workspace.refresh_from_db()
    assert (tenant.workspace.name, tenant.workspace.timezone) == ("Globex", "Asia/Tokyo")


def test_a_form_keeps_the_addresses_that_others_have_changed_meanwhile() -> None:
    mailing, client = make_tenant().mailing, superuser()
    set_addresses(mailing, ["ada@x.example", "bob@x.example", "eve@x.example"], NOON)
    url = address("mailing", "change", mailing)
    form = shown_values(client, url)
    assert form["emails"].split() == ["ada@x.example", "bob@x.example", "eve@x.example"]
    set_addresses(mailing, ["bob@x.example", "eve@x.example", "new@x.example"], NOON)  # Ada was erased
    form |= {"emails": "ada@x.example\nbob@x.example\nown@x.example", "every": "month"}
    assert client.post(url, form).status_code == 302
    mailing.refresh_from_db()
    assert mailing.every == "month"
    assert [one.email for one in mailing.addresses.order_by("email")] == [
        "bob@x.example",
        "new@x.example",
        "own@x.example",
    ]


@pytest.mark.parametrize("model", [name for name in MODELS if name not in READ_ONLY])
def test_a_form_that_is_saved_as_it_was_shown_changes_nothing(model: str) -> None:
    row, client = getattr(make_tenant(), model), superuser()
    url = address(model, "change", row)
    before = type(row).objects.filter(pk=row.pk).values().get()
    form = shown_values(client, url)
    with CaptureQueriesContext(connection) as queries:
        assert client.post(url, form).status_code == 302
    assert type(row).objects.filter(pk=row.pk).values().get() == before
    assert [one["sql"] for one in queries if one["sql"].startswith(f'UPDATE "{row._meta.db_table}"')] == []


# --- lists


@pytest.mark.parametrize("key", ["x", "-1", "1.5", "9" * 30, "\0"])
def test_a_selected_row_that_is_no_number_is_not_selected(key: str) -> None:
    make_tenant()
    chosen = {"action": "assign", "index": "0", "_selected_action": [key]}
    client = superuser()
    assert said(client, client.post(address("workspaceuser"), chosen)) == [
        "Items must be selected in order to perform actions on them. No items have been changed."
    ]


def test_deleting_a_campaign_names_its_shared_reports_and_needs_the_permission() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    share(workspace, campaign, last_day=date(2099, 12, 31), maker="ada", now=NOON)
    url = address("campaign", "delete", campaign)
    staff = login("view_campaign", "delete_campaign")
    assert "shared report" in page(staff, url)
    staff.post(url, {"post": "yes"})
    assert Campaign.objects.filter(pk=campaign.pk).exists()
    assert "Shared reports: 1" in page(superuser(), url)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "workspaceuser"])
def test_a_host_may_unregister_any_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, client = make_tenant(), superuser()
    model, own = type(getattr(tenant, name)), f'href="{address(name)}?'
    monkeypatch.delitem(admin.site._registry, model)
    for other in MODELS:
        if other != name:
            assert own not in page(client, address(other, "change", getattr(tenant, other)))
    chosen = {"action": "assign", "_selected_action": [tenant.workspaceuser.pk]}
    assert client.post(address("workspaceuser"), chosen).status_code == 200
