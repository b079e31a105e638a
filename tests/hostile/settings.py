"""A project with settings that are difficult for a reusable app. `tests/test_hostile_host.py` runs it."""

from __future__ import annotations

import os
from typing import Any

from tests.settings import DATABASES as _DATABASES
from tests.settings import PASSWORD_HASHERS as PASSWORD_HASHERS

SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["testserver"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "django_filters",
    "tests.hostile.accounts",
    "stats_app",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]
ROOT_URLCONF = "tests.hostile.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

_default: dict[str, Any] = _DATABASES["default"]
# Beside the database of the tests that run this project.
DATABASES = {
    "default": _default | {"ATOMIC_REQUESTS": True, "TEST": {"NAME": f"{_default['NAME']}_hostile_{os.getpid()}"}}
}

AUTH_USER_MODEL = "accounts.Account"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 100
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "fr"
TIME_ZONE = "America/St_Johns"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["tests.hostile.dialect.XmlRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"],
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["1.0"],
    "DEFAULT_VERSION": "1.0",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 7,
    "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.SearchFilter"],
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "tests.hostile.dialect.explode",
    "STRICT_JSON": False,
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "%d.%m.%Y",
}
STATS_APP = {"RATE_LIMIT": 50}
