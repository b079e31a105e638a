"""Who may open the staff pages, GET and POST."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.test.utils import override_script_prefix
from django.urls import reverse

from stats_app import public_ids
from tests.admin_cast import Tenant, login, make_tenant, superuser
from tests.dashboard_cast import address, show

pytestmark = pytest.mark.django_db

LIST = "/stats/"
LIMITED = override_settings(STATS_APP={"WORKSPACES_FOR": "tests.admin_cast.first_workspace"})


def urls(tenant: Tenant) -> list[str]:
    own = [address(tenant.workspace), address(tenant.campaign), address(tenant.workspaceuser)]
    return [url + query for url in own for query in ("", "?format=csv")]


def test_it_sends_anonymous_visitors_to_the_login_and_back(client: Client) -> None:
    for url in [LIST, *urls(make_tenant())]:
        for response in (client.get(url), client.post(url)):
            expected = (302, f"/admin/login/?next={url.replace('?', '%3F').replace('=', '%3D')}")
            assert (response.status_code, response.headers["Location"]) == expected


@override_settings(LOGIN_URL="/sign-in/")
def test_it_sends_them_to_the_login_that_the_host_has_set(client: Client) -> None:
    assert client.get(LIST).headers["Location"] == "/sign-in/?next=/stats/"


@pytest.mark.parametrize("values", [{"is_staff": False}, {"is_staff": True}])
def test_it_refuses_logins_that_are_no_staff_or_lack_the_permission(values: dict[str, bool]) -> None:
    permissions = () if values["is_staff"] else ("view_workspace",)
    visitor = login(*permissions, **values)
    for url in [LIST, *urls(make_tenant())]:
        assert (visitor.get(url).status_code, visitor.post(url).status_code) == (403, 403)


def test_a_refusal_has_the_frame_of_the_pages_and_says_what_to_do() -> None:
    response = login().get(LIST)
    assert "<h1>No permission</h1>" in response.content.decode()
    assert "Log in as somebody else" in response.content.decode()


@pytest.mark.parametrize("who", ["staff", "superuser"])
def test_it_shows_staff_with_the_permission_everything_and_lets_nobody_post(who: str) -> None:
    visitor = superuser() if who == "superuser" else login("view_workspace")
    tenant, other = make_tenant(), make_tenant("Globex")
    for url in [LIST, *urls(tenant), *urls(other)]:
        assert (visitor.get(url).status_code, visitor.head(url).status_code) == (200, 200)
        assert (visitor.post(url).status_code, visitor.put(url).status_code, visitor.delete(url).status_code) == (
            405,
        ) * 3
    assert "Acme" in show(visitor, LIST)
    assert "Globex" in show(visitor, LIST)


@LIMITED
def test_a_workspace_outside_of_a_persons_list_does_not_exist() -> None:
    tenant, other = make_tenant(), make_tenant("Globex")
    visitor = login("view_workspace")
    page = show(visitor, LIST, q="")
    assert ("Acme" in page, "Globex" in page) == (True, False)
    assert "Globex</a>" not in show(visitor, LIST, q="Globex")
    assert "Globex" not in visitor.get(LIST, {"format": "csv"}).content.decode()
    for url in urls(tenant):
        assert visitor.get(url).status_code == 200
    for url in urls(other):
        assert visitor.get(url).status_code == 404


@LIMITED
def test_no_limit_holds_for_superusers() -> None:
    make_tenant()
    for url in urls(make_tenant("Globex")):
        assert superuser().get(url).status_code == 200


def test_what_belongs_to_another_workspace_is_missing_like_what_is_not_there() -> None:
    tenant, other = make_tenant(), make_tenant("Globex")
    visitor = superuser()
    id_of = tenant.workspace.public_id
    pages = [
        reverse("stats_dashboard:campaign", args=[id_of, other.campaign.public_id]),
        reverse("stats_dashboard:campaign", args=[id_of, public_ids.new_campaign_id()]),
        reverse("stats_dashboard:campaign", args=[id_of, "cp_nonsense"]),
        reverse("stats_dashboard:user", args=[id_of, other.workspaceuser.public_id]),
        reverse("stats_dashboard:user", args=[id_of, tenant.campaign.public_id]),
        reverse("stats_dashboard:workspace", args=[public_ids.new_workspace_id()]),
        reverse("stats_dashboard:workspace", args=[id_of.upper()]),
        reverse("stats_dashboard:workspace", args=["\u0660\0"]),
    ]
    answers = [visitor.get(page) for page in pages]
    assert [answer.status_code for answer in answers] == [404] * len(pages)
    assert len({answer.content for answer in answers}) == 1 or "Page not found" in answers[0].content.decode()


@override_settings(FORCE_SCRIPT_NAME="/tools", STATIC_URL="static/")
def test_every_link_stays_under_the_prefix_of_the_site() -> None:
    addresses = [LIST, *urls(make_tenant())[::2], f"{LIST}nothing/"]
    make_tenant("Globex")
    with override_script_prefix("/tools/"):
        pages = [*(superuser().get(url) for url in addresses), login().get(LIST)]
    assert [page.status_code for page in pages] == [200, 200, 200, 200, 404, 403]
    for page in pages:
        links = re.findall(r' (?:href|src|action|value)="(/[^"]*)"', page.content.decode())
        assert len(links) > 3
        assert [link for link in links if not link.startswith("/tools/")] == []
    assert '<a href="/tools/">To the home page</a>' in pages[-1].content.decode()


def test_logging_out_leads_back_to_the_staff_pages_through_the_login() -> None:
    visitor = superuser()
    [form] = re.findall(r'<form method="post" action="/admin/logout/">(.*?)</form>', show(visitor, LIST))
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    response = visitor.post("/admin/logout/", fields, follow=True)
    assert response.redirect_chain == [(LIST, 302), (f"/admin/login/?next={LIST}", 302)]


def test_an_inactive_login_is_a_visitor() -> None:
    visitor = superuser()
    User.objects.update(is_active=False)
    assert visitor.get(LIST).status_code == 302


def test_no_page_is_kept_by_a_cache_on_the_way() -> None:
    for url in [LIST, *urls(make_tenant())]:
        assert "private" in superuser().get(url).headers["Cache-Control"]
