"""Settings of the measured servers and of the benchmark itself: nothing but what the measured code needs.

No middleware: it would cost the floor and the tools the same, and so flatter the tools' multiples of the floor.
"""

import os

import environ

from benchmarks.databases import SUFFIXES

SECRET_KEY = "only-for-benchmarks"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "django_filters",
    "stats_app",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "benchmarks.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

_MAIN = environ.Env.db_url_config(os.environ["BENCH_DATABASE_URL"])
# A parallel worker lives for one statement, and its CPU would be found nowhere.
_OPTIONS = {"options": "-c max_parallel_workers_per_gather=0 -c application_name=stats_bench"}
DATABASES = {
    alias: _MAIN | {"NAME": _MAIN["NAME"] + suffix, "CONN_MAX_AGE": None, "OPTIONS": _OPTIONS}
    for alias, suffix in SUFFIXES.items()
}
DATABASE_ROUTERS = ["benchmarks.databases.Chosen"]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
