"""Settings of the measured servers and of the benchmark itself: only what the measured code needs.

Tools are measured without middleware. It would cost the same for the floor and the tools, and make the tools' multiples
of the floor look better. The staff pages (`BENCH_STAFF=1`) need the admin and its middleware.
"""

import os
from pathlib import Path
from tempfile import gettempdir

import environ

from benchmarks.databases import SQLITE, SUFFIXES

SECRET_KEY = "only-for-benchmarks"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "django_filters",
    "stats_app",
]
MIDDLEWARE: list[str] = []
if os.environ.get("BENCH_STAFF"):
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
ROOT_URLCONF = "benchmarks.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410"]  # about the admin's middleware, if it is left out

_MAIN = environ.Env.db_url_config(os.environ["BENCH_DATABASE_URL"])
# No parallel workers: they end with the statement, so that their CPU time could not be measured.
_OPTIONS = {"options": "-c max_parallel_workers_per_gather=0 -c application_name=stats_bench"}
DATABASES = {
    alias: _MAIN | {"NAME": _MAIN["NAME"] + suffix, "CONN_MAX_AGE": None, "OPTIONS": _OPTIONS}
    for alias, suffix in SUFFIXES.items()
}
DATABASES[SQLITE] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": Path(gettempdir(), f"{_MAIN['NAME']}.sqlite3"),
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    },
}
DATABASE_ROUTERS = ["benchmarks.databases.Chosen"]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGES = [("en", "English"), ("fr", "French")]
STATIC_URL = "static/"
STATS_APP = {"TRUSTED_PROXIES": 1}  # so that each visitor of a link can have another address
