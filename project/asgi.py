"""The ASGI entry point of the example project."""

import os

from django.core.asgi import get_asgi_application

from stats_app.mcp import preload

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_asgi_application()
preload()
