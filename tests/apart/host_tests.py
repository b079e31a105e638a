"""The tests inside the project with two databases. They are not collected: `tests/test_hostile_host.py` runs them."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from stats_app.models import Alias, Workspace, WorkspaceUser
from tests.factories import make_key, make_workspace
from tests.rest import OVERVIEW, get

pytestmark = pytest.mark.django_db(databases=["default", "stats"], transaction=True)


def printed(*command: str) -> str:
    output = io.StringIO()
    call_command(*command, stdout=output, stderr=io.StringIO())
    return output.getvalue()


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("staff", password="x"))
    return client


def names() -> list[str]:
    return sorted(LogEntry.objects.values_list("object_repr", flat=True))


def add(staff: Client, model: str, **values: Any) -> None:
    assert staff.post(reverse(f"admin:stats_app_{model}_add"), values).status_code == 302


def test_the_log_of_the_admin_is_in_another_database(workspace: Workspace, staff: Client) -> None:
    for name in ("ada", "bob"):
        add(staff, "workspaceuser", workspace=workspace.pk, email=f"{name}@x.example", display_name=name)
    ada = WorkspaceUser.objects.get(email="ada@x.example")
    for email in ("lovelace@x.example", "king@x.example"):
        add(staff, "alias", workspace=workspace.pk, user=ada.pk, email=email)
    gone = Alias.objects.get(email="king@x.example")
    staff.post(reverse("admin:stats_app_alias_delete", args=[gone.pk]), {"post": "yes"})
    before = names()
    assert before == ["ada", "bob", "king@x.example", "king@x.example", "lovelace@x.example"]
    exported = json.loads(printed("export_user", ada.public_id))
    assert sorted(entry["about"] for entry in exported["adminLog"]) == ["ada", "lovelace@x.example"]
    printed("erase_user", ada.public_id, "--dry-run")
    assert names() == before
    printed("erase_user", ada.public_id)
    assert names() == sorted([ada.public_id, ada.public_id, "bob", "king@x.example", "king@x.example"])
    printed("delete_workspace", workspace.public_id, "--yes")
    # Of rows that were deleted before, nobody knows any more whose they were.
    assert names() == sorted([ada.public_id, "king@x.example", "king@x.example"])


def test_a_login_with_a_uuid_imports_people(workspace: Workspace, staff: Client) -> None:
    url = reverse("admin:stats_app_workspaceuser_import")
    file = SimpleUploadedFile("people.csv", b"email\nada@x.example\n")
    shown = staff.post(url, {"workspace": workspace.pk, "file": file}).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown))
    assert staff.post(url, fields).status_code == 302
    assert [user.email for user in WorkspaceUser.objects.all()] == ["ada@x.example"]


def test_pages_and_tools_answer(workspace: Workspace, staff: Client) -> None:
    for url in (f"/stats/{workspace.public_id}/", "/admin/stats_app/workspace/", "/admin/stats_app/toolcall/"):
        assert staff.get(url).status_code == 200, url
    assert get(make_key(workspace), OVERVIEW, {"from": "2026-03-01", "to": "2026-03-31"}).status_code == 200
