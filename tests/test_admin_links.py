"""Tracked links in the admin: made through `create_links`, switched off and on, and never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client, override_settings

from stats_app.links import LinkInput, create_links
from stats_app.models import TrackedLink, Workspace
from tests.admin_cast import Tenant, address, login, make_tenant, page, superuser
from tests.factories import make_alias, make_campaign, make_user, make_workspace

pytestmark = pytest.mark.django_db

TARGET = "https://www.example.com/"
ADD = "/admin/stats_app/trackedlink/add/"


def make_link(workspace: Workspace, *args: Any, **values: Any) -> TrackedLink:
    [link] = create_links(workspace, [LinkInput(*args, **values)]).links
    assert link is not None
    return link


def said(client: Client, response: Any) -> list[str]:
    assert response.status_code == 302, response.content.decode()
    return [str(message) for message in client.get(response.headers["Location"]).context["messages"]]


def rows(client: Client, **query: Any) -> list[str]:
    return [link.token for link in client.get(address("trackedlink"), query).context["cl"].result_list]


def test_a_link_is_made_and_its_address_shown_to_copy() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias, staff = make_alias(user), superuser()
    values = {"workspace": workspace.pk, "kind": "campaign", "campaign": campaign.pk, "alias": alias.pk}
    response = staff.post(ADD, values)
    link = workspace.links.get()
    assert (link.kind, link.campaign, link.user, link.alias, link.target_url) == ("campaign", campaign, user, alias, "")
    assert response.headers["Location"] == address("trackedlink", "change", link)
    text = page(staff, address("trackedlink", "change", link))
    assert f"http://testserver/c/{link.token}</code>" in text
    assert 'src="/static/stats_app/copy.js"' in text
    assert LogEntry.objects.get().object_id == str(link.pk)


def test_the_link_that_was_there_before_is_shown_and_nothing_is_logged() -> None:
    workspace, staff = make_workspace(), superuser()
    link = make_link(workspace, "other", TARGET)
    values = {"workspace": workspace.pk, "kind": "other", "target_url": TARGET}
    response = staff.post(ADD, values)
    assert response.headers["Location"] == address("trackedlink", "change", link)
    assert said(staff, response) == ["This link already exists: here it is."]
    workspace.links.update(is_active=False)
    assert said(staff, staff.post(ADD, values)) == ["This link already exists, and is switched off."]
    assert (workspace.links.count(), LogEntry.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"kind": ""}, "This field is required."),
        ({"kind": "fax"}, "Select a valid choice. fax is not one of the available choices."),
        ({"kind": "campaign"}, "A campaign link has a campaign, the other kinds have none."),
        ({"campaign": "ours"}, "A campaign link has a campaign, the other kinds have none."),
        ({"target_url": ""}, "Only a campaign link can do without a target address."),
        ({"target_url": "javascript:alert(1)"}, "Enter an http or https address"),
        ({"target_url": "https:\\\\evil.example/"}, "Enter an http or https address"),
        (
            {"target_url": "https://www.example.com/" + "é" * 330},
            "Enter a shorter address: as it is sent, with é as %C3%A9, it has 2004 characters, and at most 2000",
        ),
        ({"user": "theirs"}, "It belongs to another workspace."),
        ({"alias": "another's", "user": "ours"}, "This alias belongs to another user."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_made(wrong: dict[str, str], error: str) -> None:
    workspace = make_workspace()
    user, campaign = make_user(workspace), make_campaign(workspace)
    rows = {
        ("campaign", "ours"): campaign.pk,
        ("user", "ours"): user.pk,
        ("user", "theirs"): make_user(make_workspace(name="Globex")).pk,
        ("alias", "another's"): make_alias(make_user(workspace)).pk,
    }
    values = {"workspace": workspace.pk, "kind": "other", "target_url": TARGET} | wrong
    values |= {name: rows[name, str(value)] for name, value in values.items() if (name, value) in rows}
    response = superuser().post(ADD, values)
    assert error in response.content.decode()
    assert (response.status_code, TrackedLink.objects.count()) == (200, 0)


def test_only_whether_it_is_on_is_changed() -> None:
    tenant, staff = make_tenant(), superuser()
    url = address("trackedlink", "change", tenant.trackedlink)
    before = TrackedLink.objects.values().get()
    wanted = {"kind": "other", "target_url": TARGET, "user": "", "alias": tenant.alias.pk, "token": "x", "campaign": ""}
    staff.post(url, wanted)
    assert TrackedLink.objects.values().get() == before | {"is_active": False}
    assert Client().get(f"/c/{tenant.trackedlink.token}").status_code == 404
    staff.post(url, wanted | {"is_active": "on"})
    assert TrackedLink.objects.values().get() == before
    assert Client().get(f"/c/{tenant.trackedlink.token}").status_code == 302
    assert LogEntry.objects.count() == 2


def test_links_are_switched_off_and_on_many_at_once() -> None:
    workspace, staff = make_workspace(), superuser()
    links = [make_link(workspace, "other", f"{TARGET}{number}") for number in range(3)]
    TrackedLink.objects.filter(pk=links[0].pk).update(is_active=False)
    chosen = {"_selected_action": [link.pk for link in links[:2]]}
    messages = said(staff, staff.post(address("trackedlink"), {"action": "switch_off"} | chosen))
    assert messages == ["1 tracked link was switched off: it leads nowhere now."]
    assert [link.is_active for link in workspace.links.order_by("pk")] == [False, False, True]
    messages = said(staff, staff.post(address("trackedlink"), {"action": "switch_on"} | chosen))
    assert messages == ["2 tracked links were switched on."]
    assert [link.is_active for link in workspace.links.order_by("pk")] == [True, True, True]
    assert LogEntry.objects.count() == 3


def test_a_login_that_may_only_look_switches_nothing() -> None:
    tenant = make_tenant()
    staff = login("view_trackedlink", "add_trackedlink")
    chosen = {"action": "switch_off", "_selected_action": [tenant.trackedlink.pk]}
    staff.post(address("trackedlink"), chosen)
    assert staff.post(address("trackedlink", "change", tenant.trackedlink), {}).status_code == 403
    assert TrackedLink.objects.get().is_active


@override_settings(STATS_APP={"WORKSPACES_FOR": "tests.admin_cast.first_workspace"})
def test_staff_of_one_workspace_switch_and_make_no_link_of_another() -> None:
    make_tenant("Acme")
    hidden: Tenant = make_tenant("Globex")
    staff = login(*(f"{act}_{name}" for name in ("trackedlink", "workspace") for act in ("view", "add", "change")))
    chosen = {"action": "switch_off", "_selected_action": [hidden.trackedlink.pk]}
    staff.post(address("trackedlink"), chosen)
    staff.post(address("trackedlink", "change", hidden.trackedlink), {})
    staff.post(ADD, {"workspace": hidden.workspace.pk, "kind": "other", "target_url": TARGET})
    assert [link.is_active for link in hidden.workspace.links.all()] == [True]


def test_it_is_filtered_and_found_by_its_address() -> None:
    workspace, staff = make_workspace(), superuser()
    vcard, other = make_link(workspace, "vcard", TARGET), make_link(workspace, "other", TARGET)
    TrackedLink.objects.filter(pk=vcard.pk).update(is_active=False)
    assert rows(staff, kind="vcard") == rows(staff, is_active__exact="0") == [vcard.token]
    assert rows(staff, kind="other", is_active__exact="1") == [other.token]
    assert rows(staff, kind="vcard", is_active__exact="1") == []
    for term in (other.token, f"https://go.example.com/c/{other.token}", f"http://testserver/c/{other.token}/"):
        assert rows(staff, q=term) == [other.token], term


def test_the_pages_of_people_and_campaigns_lead_to_a_form_filled_in() -> None:
    tenant, staff = make_tenant(), superuser()
    for model in ("campaign", "workspaceuser"):
        text = page(staff, address(model, "change", getattr(tenant, model)))
        [link] = [part.split('"')[0] for part in text.split('href="')[1:] if part.startswith(f"{ADD}?")]
        form = staff.get(link.replace("&amp;", "&")).context["adminform"].form
        assert form.initial["workspace"] == str(tenant.workspace.pk)
        assert form.initial["campaign" if model == "campaign" else "user"] == str(getattr(tenant, model).pk)


@pytest.mark.urls("tests.admin_only_urls")
def test_where_no_link_is_served_the_admin_says_so() -> None:
    tenant = make_tenant()
    text = page(superuser(), address("trackedlink", "change", tenant.trackedlink))
    assert "This site does not serve tracked links." in text
