"""Who may open what of the admin, GET and POST."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from stats_app.models import Alias, Campaign, CampaignAssignment, ClickRecord, ToolCall, TrackedLink, WorkspaceUser
from tests.admin_cast import MODELS, PERMISSION_OF, READ_ONLY, address, login, make_tenant, page, superuser
from tests.factories import make_campaign, make_user

pytestmark = pytest.mark.django_db

LIMITED = override_settings(STATS_APP={"WORKSPACES_FOR": "tests.admin_cast.first_workspace"})


def urls(model: str, row: object) -> list[str]:
    addresses = [address(model), address(model, "change", row), address(model, "history", row)]
    return [*addresses, address(model, "overview", row)] if model == "workspace" else addresses


@pytest.mark.parametrize("model", MODELS)
def test_it_sends_anonymous_visitors_to_the_login(client: Client, model: str) -> None:
    row = getattr(make_tenant(), model)
    for url in [*urls(model, row), address(model, "add"), address(model, "delete", row)]:
        for response in (client.get(url), client.post(url)):
            assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={url}")


@pytest.mark.parametrize("model", MODELS)
def test_it_sends_logins_that_are_not_staff_to_the_login(client: Client, model: str) -> None:
    row = getattr(make_tenant(), model)
    client.force_login(User.objects.create_user("customer"))
    for url in [*urls(model, row), address(model, "add"), address(model, "delete", row)]:
        for response in (client.get(url), client.post(url)):
            assert (response.status_code, response.headers["Location"]) == (302, f"/admin/login/?next={url}")


@pytest.mark.parametrize("model", MODELS)
def test_it_refuses_staff_without_permission(model: str) -> None:
    row = getattr(make_tenant(), model)
    staff = login()
    for url in [*urls(model, row), address(model, "add"), address(model, "delete", row)]:
        assert (staff.get(url).status_code, staff.post(url).status_code) == (403, 403)


@pytest.mark.parametrize("model", MODELS)
def test_it_shows_staff_what_they_may_view_and_nothing_to_change(model: str) -> None:
    row = getattr(make_tenant(), model)
    staff = login(f"view_{PERMISSION_OF.get(model, model)}")
    for url in urls(model, row):
        page(staff, url)
    assert 'name="_save"' not in page(staff, address(model, "change", row))
    assert staff.post(address(model, "change", row), {"name": "Taken over"}).status_code == 403
    for url in (address(model, "add"), address(model, "delete", row)):
        assert (staff.get(url).status_code, staff.post(url, {"post": "yes"}).status_code) == (403, 403)


@pytest.mark.parametrize("model", MODELS)
def test_it_opens_every_page_for_a_superuser(model: str) -> None:
    row = getattr(make_tenant(), model)
    staff = superuser()
    for url in urls(model, row):
        page(staff, url)
    status = 403 if model in READ_ONLY else 200
    assert staff.get(address(model, "add")).status_code == status
    never_deleted = ("apikey", "trackedlink", "workspace")
    assert staff.get(address(model, "delete", row)).status_code == (403 if model in never_deleted else status)


@pytest.mark.parametrize("model", READ_ONLY)
def test_it_lets_nobody_write_what_is_read_only(model: str) -> None:
    row = getattr(make_tenant(), model)
    staff = login(
        "view_workspace", *(f"{act}_{PERMISSION_OF.get(model, model)}" for act in ("add", "change", "delete", "view"))
    )
    for client in (staff, superuser()):
        assert client.post(address(model, "add"), {"reason": "x"}).status_code == 403
        assert client.post(address(model, "change", row), {"reason": "x", "tool": "x"}).status_code == 403
        assert client.post(address(model, "delete", row), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        client.post(address(model), chosen)
    type(row).objects.get(pk=row.pk)
    assert (ClickRecord.objects.count(), ToolCall.objects.count()) == (1, 1)


@pytest.mark.parametrize("model", MODELS)
def test_it_hides_workspaces_that_a_login_may_not_see(model: str) -> None:
    seen, hidden = make_tenant("Acme"), make_tenant("Globex")
    staff = login(*(f"{act}_{name}" for name in (*MODELS, "click") for act in ("view", "add", "change", "delete")))
    with LIMITED:
        html = page(staff, address(model))
        assert ("Acme" in html or "acme" in html, "Globex" in html or "globex" in html) == (True, False)
        if model != "workspace":
            assert "Globex" not in page(staff, address(model), workspace=hidden.workspace.pk)
        page(staff, address(model, "change", getattr(seen, model)))
        for url in urls(model, getattr(hidden, model))[1:]:
            response = staff.get(url)
            # Django's own answer to a row that does not exist; ours to an overview.
            assert response.status_code == (404 if url.endswith("/overview/") else 302)
            assert response.headers.get("Location", "/admin/") == "/admin/"


@pytest.mark.parametrize(
    ("model", "field"),
    [
        *(("alias", "user"), ("campaign", "workspace"), ("campaignassignment", "campaign"), ("apikey", "workspace")),
        *(("trackedlink", "campaign"), ("trackedlink", "user")),
    ],
)
def test_autocompletes_offer_only_what_the_login_may_see(model: str, field: str) -> None:
    make_tenant("Acme")
    make_tenant("Globex")
    staff = login(*(f"view_{name}" for name in (*MODELS, "click")))
    query = {"app_label": "stats_app", "model_name": model, "field_name": field, "term": ""}
    with LIMITED:
        [choice] = staff.get("/admin/autocomplete/", query).json()["results"]
    assert choice["text"].startswith("Acme")


def test_forms_take_no_row_of_a_workspace_that_the_login_may_not_see() -> None:
    make_tenant("Acme")
    hidden = make_tenant("Globex")
    staff = login(*(f"{act}_{name}" for name in (*MODELS, "click") for act in ("view", "add", "change", "delete")))
    user = make_user(hidden.workspace, display_name="Bob")
    campaign = make_campaign(hidden.workspace)
    workspace = {"workspace": hidden.workspace.pk}
    posts = {
        "campaign": workspace | {"name": "x", "target_url": "https://x.example/"},
        "workspaceuser": workspace | {"email": "x@x.example"},
        "alias": workspace | {"user": user.pk, "email": "y@x.example"},
        "campaignassignment": {"campaign": campaign.pk, "user": user.pk},
        "apikey": workspace | {"name": "x", "scopes": ["stats:read"]},
        "trackedlink": workspace | {"kind": "campaign", "campaign": campaign.pk, "user": user.pk},
    }
    with LIMITED:
        for model, values in posts.items():
            assert "Select a valid choice" in staff.post(address(model, "add"), values).content.decode()
        staff.post(address("campaign"), {"action": "delete_selected", "_selected_action": [campaign.pk], "post": "yes"})
    counts = (Campaign.objects.count(), WorkspaceUser.objects.count(), Alias.objects.count())
    assert (*counts, CampaignAssignment.objects.count()) == (3, 3, 2, 2)
    assert (hidden.workspace.api_keys.count(), TrackedLink.objects.count()) == (1, 2)


def test_a_superuser_sees_all_whatever_the_limit() -> None:
    make_tenant("Acme")
    make_tenant("Globex")
    with LIMITED:
        assert "Globex" in page(superuser(), address("workspace"))
