"""Settings of the example project. What differs between places comes from the environment, or from `.env` here.

`.env` lies beside manage.py, one NAME=value a line; a variable of the environment goes before it.

SECRET_KEY       required, unless DEBUG is on
DEBUG            off by default
ALLOWED_HOSTS    names separated by commas; default localhost,127.0.0.1,[::1]
DATABASE_URL     default: SQLite in db.sqlite3 beside manage.py
DATABASE_POOL    how many connections to PostgreSQL the threads of a process share at most; 0: each keeps its own.
                 Default 10 under an ASGI server, where threads come and go, else 0
HTTPS            on where the site is served over https: redirects http, secure cookies, HSTS; default off
SECURE_PROXY_SSL_HEADER
                 the header in which the proxy in front says "https", such as X-Forwarded-Proto: the proxy must set it,
                 whatever a caller sends. Needed for HTTPS behind a proxy; default none
STATIC_ROOT      where `collectstatic` puts the static files, under names that browsers may keep for ever; without it
                 they are served from where they are
STATS_RATE_LIMIT calls a minute for each tool and API key; default 30
STATS_TRUSTED_PROXIES
                 the proxies between a reader and the site: how many, or their addresses and networks with commas
                 between; default 0
"""

import os
import sys
from pathlib import Path
from typing import Any

import django
import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
# Read plainly, because `env` takes a value that begins with a dollar sign for the name of another variable.
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY and not DEBUG:
    raise ImproperlyConfigured("Set SECRET_KEY to a long random string, or DEBUG=1 on your own machine.")
# Not a secret: it serves development alone.
SECRET_KEY = SECRET_KEY or "insecure-for-development-only"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "stats_app",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Django has its own from version 6 on.
    "django.middleware.csp.ContentSecurityPolicyMiddleware"
    if django.VERSION >= (6, 0)
    else "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    """DATABASE_URL as Django wants it, with what each database needs to run well under several processes."""
    # No default URL: a checkout may lie in a folder whose name means something in a URL.
    database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(BASE_DIR / "db.sqlite3")}
    if env.str("DATABASE_URL", default=""):
        database = env.db_url("DATABASE_URL")
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # Writers queue for up to 30 s instead of failing half-way, and readers never wait for them.
        options.setdefault("timeout", 30)
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("init_command", "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;")
        return database
    # A new connection to PostgreSQL costs several times what a tool call costs. Under WSGI each thread keeps its own.
    # Under ASGI each request runs in a thread of its own, so that a kept connection would never be used again.
    size = env.int("DATABASE_POOL", default=10 if UNDER_ASGI else 0)
    # Without these limits a request would wait for half a minute or longer while the database is away.
    options.setdefault("connect_timeout", 5)
    if size:
        options.setdefault("pool", {"min_size": 1, "max_size": size, "timeout": 5})
    else:
        database.setdefault("CONN_MAX_AGE", None)
    database.setdefault("CONN_HEALTH_CHECKS", True)
    return database


# `asgi.py` is what an ASGI server imports, and these settings are loaded from there.
UNDER_ASGI = "project.asgi" in sys.modules
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "project" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=None)
STATICFILES_DIRS = [BASE_DIR / "project" / "static"]
# Without a STATIC_ROOT, WhiteNoise finds the files where they are, so that there is no `collectstatic` to forget.
WHITENOISE_USE_FINDERS = not STATIC_ROOT
_STATIC = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC if STATIC_ROOT else "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

# All pages, the admin's too, do with files of this site alone. The middleware of Django takes the one name, that of
# django-csp the other.
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": SECURE_CSP}

HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
_PROXY_HEADER = env.str("SECURE_PROXY_SSL_HEADER", default="")
SECURE_PROXY_SSL_HEADER = (f"HTTP_{_PROXY_HEADER.upper().replace('-', '_')}", "https") if _PROXY_HEADER else None
SECURE_HSTS_SECONDS = 30 * 24 * 60 * 60 if HTTPS else 0
# Whether subdomains have https, and whether browsers should ship that knowledge, is for the domain's owner to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Django's own default is silent without DEBUG; a server's log belongs to standard error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}

_PROXIES = env.str("STATS_TRUSTED_PROXIES", default="0")
STATS_APP: dict[str, Any] = {
    "RATE_LIMIT": env.int("STATS_RATE_LIMIT", default=30),
    "TRUSTED_PROXIES": int(_PROXIES) if _PROXIES.isdecimal() else _PROXIES.split(","),
}
