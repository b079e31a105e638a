"""API keys in the admin: made, rotated and revoked, and what the API says to them afterwards."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.utils.timezone import now

from stats_app.keys import create_key
from stats_app.models import ApiKey
from tests.admin_cast import address, login, page, superuser
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db

SECRET = re.compile(r"sk_[0-9a-z]{12}_[0-9A-Za-z_-]{43}")


def answers(secret: str) -> int:
    return Client().get("/api/v1/campaigns/", headers={"x-api-key": secret}).status_code


def act(staff: Client, action: str, *keys: ApiKey, **more: object) -> HttpResponse:
    return staff.post(address("apikey"), {"action": action, "_selected_action": [key.pk for key in keys], **more})


def secrets_of(response: HttpResponse) -> list[str]:
    return SECRET.findall(response.content.decode())


def test_it_makes_a_key_and_shows_its_secret_this_once() -> None:
    workspace = make_workspace()
    staff = login("add_apikey", "view_apikey", "change_apikey", "view_workspace")
    values = {"workspace": workspace.pk, "name": "Reports", "scopes": ["stats:read", "clicks:read"]}
    response = staff.post(address("apikey", "add"), values)
    [secret] = secrets_of(response)
    assert (response.status_code, "no-store" in response.headers["Cache-Control"]) == (200, True)
    assert answers(secret) == 200
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.workspace) == ("Reports", ["stats:read", "clicks:read"], workspace)
    for url in (address("apikey"), address("apikey", "change", key), address("apikey", "history", key), "/admin/"):
        assert secrets_of(staff.get(url)) == []
    entry = LogEntry.objects.get()
    assert secret not in f"{entry.object_repr} {entry.change_message} {entry.get_change_message()}"
    assert not any(secret in str(session.get_decoded()) for session in Session.objects.all())
    assert secret not in str(staff.cookies)


def test_its_secret_can_be_copied_by_a_button_that_only_the_script_shows() -> None:
    values = {"workspace": make_workspace().pk, "name": "Reports", "scopes": ["stats:read"]}
    text = superuser().post(address("apikey", "add"), values).content.decode()
    assert re.search(r'<code id="stats-secret-1">sk_[^<]+</code>', text)
    assert re.search(r'<button type="button"[^>]* hidden data-copy="stats-secret-1"', text)
    assert 'src="/static/stats_app/copy.js" defer' in text


def test_a_new_key_may_read_figures_unless_staff_choose_otherwise() -> None:
    text = page(superuser(), address("apikey", "add"))
    assert re.findall(r'value="([a-z:]+)"[^>]* checked', text) == ["stats:read"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["stats:write"]}, "stats:write is not one of the available choices."),
        (
            {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"},
            "This time has passed. To end a key at once, revoke it.",
        ),
    ],
)
def test_it_makes_no_key_of_wrong_values(values: dict[str, object], message: str) -> None:
    good = {"workspace": make_workspace().pk, "name": "Reports", "scopes": ["stats:read"]}
    response = superuser().post(address("apikey", "add"), good | values)
    assert message in html.unescape(response.content.decode())
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("text", "day"), [("2036-01-02 10:00", "2036-01-02"), ("2036-01-02", "2036-01-02"), ("x", None), ("\0", None)]
)
def test_an_address_fills_in_a_time_if_it_is_one(text: str, day: str | None) -> None:
    response = superuser().get(address("apikey", "add"), {"expires_at": text, "name": "Reports"})
    assert response.status_code == 200
    form = response.content.decode()
    assert 'value="Reports"' in form
    assert re.findall(r'name="expires_at_0" value="([^"]*)"', form) == ([day] if day else [])


def test_it_changes_name_scopes_and_end_and_leaves_the_rest() -> None:
    key, secret = create_key(make_workspace(), "Old")
    assert answers(secret) == 200
    used = ApiKey.objects.get().last_used_at
    values = {"name": "New", "scopes": ["clicks:read"], "workspace": make_workspace().pk, "public_part": "x"}
    response = superuser().post(address("apikey", "change", key), values)
    assert response.status_code == 302
    changed = ApiKey.objects.get()
    assert (changed.name, changed.scopes, changed.workspace_id) == ("New", ["clicks:read"], key.workspace_id)
    assert (changed.public_part, bytes(changed.digest), changed.last_used_at) == (key.public_part, key.digest, used)
    assert answers(secret) == 403


def test_rotating_asks_how_long_the_old_key_stays_good() -> None:
    key, _secret = create_key(make_workspace(), "Reports")
    text = act(superuser(), "rotate", key).content.decode()
    assert 'name="grace" value="24"' in text
    assert SECRET.search(text) is None
    assert ApiKey.objects.count() == 1


def test_it_rotates_with_an_overlap() -> None:
    key, old = create_key(make_workspace(), "Reports", ["clicks:read", "stats:read"])
    before = now()
    response = act(superuser(), "rotate", key, confirmed="yes", grace=2)
    [new] = secrets_of(response)
    assert (answers(old), answers(new)) == (200, 200)
    old_key, new_key = ApiKey.objects.order_by("pk")
    assert before + timedelta(hours=2) <= old_key.expires_at <= now() + timedelta(hours=2)
    assert (new_key.name, new_key.scopes, new_key.expires_at) == ("Reports", ["clicks:read", "stats:read"], None)
    assert new_key.workspace == old_key.workspace
    said = {entry.object_repr: entry.get_change_message() for entry in LogEntry.objects.all()}
    assert said == {str(new_key): f"Made to replace {key}.", str(key): f"Replaced by {new_key}."}


def test_a_rotated_key_ends_with_its_grace() -> None:
    key, old = create_key(make_workspace(), "Reports")
    [new] = secrets_of(act(superuser(), "rotate", key, confirmed="yes", grace=0))
    assert (answers(old), answers(new)) == (401, 200)


def test_rotating_never_prolongs_a_key_and_gives_the_new_one_as_long_a_life() -> None:
    soon = now() + timedelta(hours=1)
    key, _secret = create_key(make_workspace(), "Reports", expires_at=soon)
    act(superuser(), "rotate", key, confirmed="yes", grace=24)
    old_key, new_key = ApiKey.objects.order_by("pk")
    assert old_key.expires_at == soon
    assert timedelta(minutes=59) < new_key.expires_at - now() < timedelta(minutes=61)


@pytest.mark.parametrize("grace", ["", "-1", "721", "soon"])
def test_it_rotates_nothing_for_a_wrong_grace(grace: str) -> None:
    key, _secret = create_key(make_workspace(), "Reports")
    response = act(superuser(), "rotate", key, confirmed="yes", grace=grace)
    assert 'class="errorlist"' in response.content.decode()
    assert (ApiKey.objects.count(), ApiKey.objects.get().expires_at) == (1, None)


def test_it_rotates_several_keys_at_once_and_says_which_it_cannot() -> None:
    workspace = make_workspace()
    keys = [create_key(workspace, name)[0] for name in ("One", "Two", "Gone")]
    staff = superuser()
    act(staff, "revoke", keys[2], confirmed="yes")
    response = act(staff, "rotate", *keys, confirmed="yes", grace=1)
    assert len(secrets_of(response)) == 2
    assert f"{keys[2]} is revoked or expired" in response.content.decode()
    assert ApiKey.objects.count() == 5


def test_revoking_asks_once_more_and_then_turns_the_key_away_for_good() -> None:
    key, secret = create_key(make_workspace(), "Reports")
    staff = superuser()
    assert "This cannot be undone." in act(staff, "revoke", key).content.decode()
    assert answers(secret) == 200
    response = act(staff, "revoke", key, confirmed="yes")
    assert response.status_code == 302
    assert answers(secret) == 401
    revoked_at = ApiKey.objects.get().revoked_at
    act(staff, "revoke", key, confirmed="yes")
    assert ApiKey.objects.get().revoked_at == revoked_at
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Revoked."]


def test_actions_need_their_permissions() -> None:
    key, secret = create_key(make_workspace(), "Reports")
    viewer, changer = login("view_apikey"), login("view_apikey", "change_apikey")
    for staff, action in ((viewer, "revoke"), (viewer, "rotate"), (changer, "rotate")):
        act(staff, action, key, confirmed="yes", grace=0)
    assert (answers(secret), ApiKey.objects.count()) == (200, 1)
    act(changer, "revoke", key, confirmed="yes")
    assert answers(secret) == 401


def test_nobody_deletes_keys() -> None:
    key, _secret = create_key(make_workspace(), "Reports")
    assert 'value="delete_selected"' not in page(superuser(), address("apikey"))
    act(superuser(), "delete_selected", key, post="yes")
    assert superuser().post(address("apikey", "delete", key), {"post": "yes"}).status_code == 403
    assert ApiKey.objects.count() == 1


def test_its_page_leads_to_what_can_be_done() -> None:
    workspace = make_workspace()
    good, over = create_key(workspace, "Good")[0], create_key(workspace, "Over")[0]
    ApiKey.objects.filter(pk=over.pk).update(revoked_at=now())
    links = re.compile(r'href="(/admin/stats_app/apikey/\d+/(?:rotate|revoke)/)"')
    staff, viewer = superuser(), login("view_apikey")
    offered = links.findall(page(staff, address("apikey", "change", good)))
    assert offered == [address("apikey", "rotate", good), address("apikey", "revoke", good)]
    assert links.findall(page(staff, address("apikey", "change", over))) == []
    assert links.findall(page(viewer, address("apikey", "change", good))) == []
    for url, action in zip(offered, ("rotate", "revoke"), strict=True):
        assert f'name="action" value="{action}"' in page(staff, url)
        assert viewer.get(url).status_code == 403
        assert staff.get(url.replace(f"/{good.pk}/", "/0/")).status_code == 404


def test_it_filters_keys_by_state() -> None:
    workspace = make_workspace()
    names = {"active": "Working", "expired": "Lapsed", "revoked": "Withdrawn"}
    keys = {state: create_key(workspace, name)[0] for state, name in names.items()}
    ApiKey.objects.filter(pk=keys["expired"].pk).update(expires_at=now() - timedelta(days=1))
    ApiKey.objects.filter(pk=keys["revoked"].pk).update(revoked_at=now())
    staff = superuser()
    for state, name in names.items():
        text = page(staff, address("apikey"), state=state)
        assert [other for other in names.values() if other in text] == [name]
