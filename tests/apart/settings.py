"""A project with our tables in a database of their own, and its logins, sessions and admin in another one.

`tests/test_hostile_host.py` runs it.
"""

from __future__ import annotations

import os
from typing import Any

from django.db.models import Model

from tests.settings import DATABASES as _DATABASES
from tests.settings import MIDDLEWARE as MIDDLEWARE
from tests.settings import PASSWORD_HASHERS as PASSWORD_HASHERS
from tests.settings import TEMPLATES as TEMPLATES

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "tests.apart.accounts",
    "stats_app",
]
ROOT_URLCONF = "tests.apart.urls"
STATIC_URL = "static/"
AUTH_USER_MODEL = "accounts.Login"
USE_TZ = True

_default: dict[str, Any] = _DATABASES["default"]
DATABASES = {
    alias: _default | {"TEST": {"NAME": f"{_default['NAME']}_apart_{alias}_{os.getpid()}"}}
    for alias in ("default", "stats")
}
DATABASE_ROUTERS = ["tests.apart.settings.Router"]


class Router:
    def db_for_read(self, model: type[Model], **hints: object) -> str:
        return "stats" if model._meta.app_label == "stats_app" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return (db == "stats") == (app_label == "stats_app")
