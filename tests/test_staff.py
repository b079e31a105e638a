"""Which workspaces a login may see, and the check of the setting that limits it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import override_settings

from stats_app.checks import check_settings
from stats_app.models import Workspace
from stats_app.staff import sees_all, workspaces_for
from tests.admin_cast import first_workspace
from tests.factories import make_workspace

PATH = "tests.admin_cast.first_workspace"
LIMITED = override_settings(STATS_APP={"WORKSPACES_FOR": PATH})


@pytest.mark.django_db
def test_without_a_limit_every_login_sees_all() -> None:
    workspaces = [make_workspace(), make_workspace(name="Globex")]
    for user in (User.objects.create_user("staff"), User.objects.create_superuser("root")):
        assert (list(workspaces_for(user)), sees_all(user)) == (workspaces, True)


@pytest.mark.django_db
@LIMITED
def test_a_limit_holds_for_all_but_superusers() -> None:
    workspaces = [make_workspace(), make_workspace(name="Globex")]
    staff, root = User.objects.create_user("staff"), User.objects.create_superuser("root")
    assert (list(workspaces_for(staff)), sees_all(staff)) == (workspaces[:1], False)
    assert (list(workspaces_for(AnonymousUser())), sees_all(AnonymousUser())) == (workspaces[:1], False)
    assert (list(workspaces_for(root)), sees_all(root)) == (workspaces, True)
    assert list(first_workspace(staff)) == list(Workspace.objects.all()[:1])


@pytest.mark.parametrize(
    "path", ["nowhere.at_all", "tests.admin_cast.nothing", "tests.admin_cast.MODELS", "x", 7, first_workspace]
)
def test_a_setting_that_names_no_function_is_an_error(path: object) -> None:
    with override_settings(STATS_APP={"WORKSPACES_FOR": path}):
        assert [(error.id, "WORKSPACES_FOR" in error.msg) for error in check_settings(None)] == [
            ("stats_app.E003", True)
        ]


@pytest.mark.parametrize("path", [PATH, None])
def test_a_setting_that_names_one_is_right(path: object) -> None:
    with override_settings(STATS_APP={"WORKSPACES_FOR": path}):
        assert check_settings(None) == []
