"""The WSGI entry point of the example project."""

import os

from django.core.wsgi import get_wsgi_application

from stats_app.mcp import preload

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_wsgi_application()
preload()
