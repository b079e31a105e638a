"""The Content-Security-Policy of the staff pages: on each answer, but never in place of the host's own."""

from __future__ import annotations

from typing import Any

import django
import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings

from tests.admin_cast import login, make_tenant, superuser
from tests.dashboard_cast import address

pytestmark = pytest.mark.django_db

LIST = "/stats/"
HEADER = "Content-Security-Policy"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
CSP_MIDDLEWARES = ["csp.middleware.CSPMiddleware"]
if django.VERSION >= (6, 0):
    CSP_MIDDLEWARES.append("django.middleware.csp.ContentSecurityPolicyMiddleware")


def policy_of(response: HttpResponse, status: int = 200) -> str:
    assert response.status_code == status
    return response.headers[HEADER]


def test_every_page_and_file_has_it() -> None:
    tenant, _ = make_tenant(), make_tenant("Globex")
    own = [address(tenant.workspace), address(tenant.campaign), address(tenant.workspaceuser)]
    for url in (LIST, *own):
        assert policy_of(superuser().get(url)) == POLICY
        assert policy_of(superuser().get(url, {"format": "csv"})) == POLICY


def test_so_have_refusals_missing_pages_and_wrong_periods() -> None:
    tenant = make_tenant()
    page = address(tenant.workspace)
    wrong = {"from": "2026-03-02", "to": "2026-03-01"}
    assert policy_of(login().get(LIST), 403) == POLICY
    assert policy_of(superuser().get(f"{LIST}nothing/"), 404) == POLICY
    assert policy_of(superuser().post(LIST), 405) == POLICY
    assert policy_of(superuser().get(page, wrong)) == POLICY
    assert policy_of(superuser().get(page, wrong | {"format": "csv"}), 400) == POLICY
    assert policy_of(Client().get(LIST), 302) == POLICY


@pytest.mark.parametrize("url", ["https://files.example:8443/static/", "//files.example:8443/static/"])
def test_static_files_may_come_from_another_site(url: str) -> None:
    origin = url.removesuffix("/static/").removeprefix("//")
    with override_settings(STATIC_URL=url):
        policy = policy_of(superuser().get(LIST))
    sources = f"'self' {origin}"
    assert policy == (
        f"default-src 'none'; script-src {sources}; style-src {sources}; img-src {sources}; form-action 'self'; "
        "base-uri 'none'"
    )


@pytest.mark.parametrize(
    ("target", "forms"),
    [("https://login.example/out?x=1", "'self' https://login.example"), ("home", "'self'"), ("/bye/", "'self'")],
)
def test_logging_out_may_lead_to_another_site(target: str, forms: str) -> None:
    with override_settings(LOGOUT_REDIRECT_URL=target):
        assert f"; form-action {forms}; " in policy_of(superuser().get(LIST))


@pytest.mark.parametrize("middleware", CSP_MIDDLEWARES)
def test_the_host_s_policy_holds_instead(middleware: str) -> None:
    directives = {"default-src": ["'self'"]}
    theirs: dict[str, Any] = {"SECURE_CSP": directives, "CONTENT_SECURITY_POLICY": {"DIRECTIVES": directives}}
    with override_settings(MIDDLEWARE=[middleware, *settings.MIDDLEWARE], **theirs):
        assert policy_of(superuser().get(LIST)) == "default-src 'self'"
        assert policy_of(login().get(LIST), 403) == "default-src 'self'"


def test_pages_of_the_host_are_left_alone() -> None:
    assert HEADER not in superuser().get("/admin/").headers
    assert HEADER not in Client().get("/").headers
