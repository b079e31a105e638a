"""The example project with its own settings, in separate processes. Other tests run it with `tests.settings`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, override_settings

from tests.admin_cast import login

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = "postgres://somebody@db.example/stats"
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}

DATABASE = """
import importlib, json
from django.conf import settings

importlib.import_module("MODULE")
database = settings.DATABASES["default"]
print(json.dumps([database["CONN_MAX_AGE"], database["OPTIONS"].get("pool")]))
"""

SITE = """
import json, tempfile

from django.conf import settings

settings.DATABASES["default"]["NAME"] = tempfile.mktemp(".sqlite3")
import project.wsgi
from django.core.management import call_command
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client, override_settings

call_command("migrate", verbosity=0)
User.objects.create_superuser("ada", password="analytical")
client = Client(headers={"host": "localhost", "accept-language": "en"})
answers = {}
for url in ["/", "/nothing/", "/admin/login/", "/api/v1/docs/", "/favicon.ico", "/stats/"]:
    response = client.get(url)
    answers[url] = [response.status_code, response.headers.get("Location"), response.headers["Content-Security-Policy"]]
answers["login"] = client.get("/admin/login/").content.decode()
client.login(username="ada", password="analytical")
for url in ["/stats/", "/admin/", "/admin/stats_app/campaign/add/"]:
    response = client.get(url)
    answers[url + " of staff"] = [response.status_code, None, response.headers["Content-Security-Policy"]]
response = client.post("/admin/logout/")
answers["logout"] = [response.status_code, response.headers["Location"]]
print(json.dumps(answers))
"""

SECURE = """
import json

import project.wsgi
from django.template.loader import render_to_string
from django.test import Client, override_settings

client = Client(headers={"host": "localhost"})
answers = []
for headers in ({}, {"x-forwarded-proto": "http"}, {"x-forwarded-proto": "https"}):
    response = client.get("/", headers=headers)
    answers.append([response.status_code, response.headers.get("Location")])
print(json.dumps(answers))
"""


def run(code: str, **environment: str) -> Any:
    """What the code prints as JSON, in a process with the project's own settings."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    own = {"DJANGO_SETTINGS_MODULE": "project.settings", "SECRET_KEY": "only-for-tests", **environment}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=kept | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_page_has_a_strict_policy_an_icon_and_the_project_s_name() -> None:
    answers = run(SITE)
    login = answers.pop("login")
    assert ("Stats Tools</a>" in login, "Django administration" in login) == (True, False)
    assert answers.pop("logout") == [302, "/"]
    assert {url: answer[:2] for url, answer in answers.items()} == {
        "/": [200, None],
        "/nothing/": [404, None],
        "/admin/login/": [200, None],
        "/api/v1/docs/": [200, None],
        "/favicon.ico": [302, "/static/project/icon.svg"],
        "/stats/": [302, "/admin/login/?next=/stats/"],
        "/stats/ of staff": [200, None],
        "/admin/ of staff": [200, None],
        "/admin/stats_app/campaign/add/ of staff": [200, None],
    }
    for url, (_, _, policy) in answers.items():
        assert set(policy.split("; ")) == POLICY, url


def test_https_behind_a_proxy_is_redirected_once_and_not_for_ever() -> None:
    to_https = [301, "https://localhost/"]
    assert run(SECURE, HTTPS="1") == [to_https, to_https, to_https]
    assert run(SECURE, HTTPS="1", SECURE_PROXY_SSL_HEADER="X-Forwarded-Proto") == [to_https, to_https, [200, None]]


def test_the_proxies_are_a_number_or_a_list() -> None:
    code = "import json; from django.conf import settings; print(json.dumps(settings.STATS_APP['TRUSTED_PROXIES']))"
    assert run(code) == 0
    assert run(code, STATS_TRUSTED_PROXIES="2") == 2
    assert run(code, STATS_TRUSTED_PROXIES="10.0.0.0/8,192.0.2.1") == ["10.0.0.0/8", "192.0.2.1"]


def test_connections_are_kept_under_wsgi_and_pooled_under_asgi() -> None:
    def database(module: str, **environment: str) -> Any:
        return run(DATABASE.replace("MODULE", module), **environment)

    pool = {"min_size": 1, "max_size": 10, "timeout": 5}
    assert database("project.wsgi", DATABASE_URL=POSTGRES) == [None, None]
    assert database("project.asgi", DATABASE_URL=POSTGRES) == [0, pool]
    assert database("project.wsgi", DATABASE_URL=POSTGRES, DATABASE_POOL="4") == [0, pool | {"max_size": 4}]
    assert database("project.asgi", DATABASE_URL=POSTGRES, DATABASE_POOL="0") == [None, None]
    assert database("project.asgi") == [0, None]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("en", ["No permission", "This page is out of date", "The request is wrong", "Page not found"]),
        ("fr", ["Accès refusé", "Cette page est périmée", "Requête incorrecte", "Page introuvable"]),
    ],
)
def test_its_error_pages_have_the_frame_of_the_site_and_a_way_back(language: str, titles: list[str]) -> None:
    staff, anybody = login("view_workspace"), Client(enforce_csrf_checks=True)
    headers = {"accept-language": language}
    answers = [
        staff.get("/admin/stats_app/workspaceuser/import/", headers=headers),
        anybody.post("/i18n/setlang/", {"language": "fr"}, headers=headers),
        anybody.get("/", headers=headers | {"host": "elsewhere.example"}),
        anybody.get("/nothing/", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 400, 404]
    for answer, title in zip(answers, titles, strict=True):
        page = answer.content.decode()
        assert f'<html lang="{language}"' in page
        assert f"<h1>{title}</h1>" in page
        assert '<a href="/">' in page


@pytest.mark.parametrize("page", ["400", "403", "403_csrf", "404", "500"])
@override_settings(ROOT_URLCONF="stats_app.redirects.urls")
def test_an_error_page_does_not_fail_itself_where_there_is_no_home_page(page: str) -> None:
    assert '<a href="/">To the home page</a>' in render_to_string(f"{page}.html")
