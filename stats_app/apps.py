from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatsAppConfig(AppConfig):
    name = "stats_app"
    verbose_name = _("Stats Tools")
    # 32 bits are enough for workspaces, users, campaigns and links, and keep a click's row small.
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        from stats_app import checks  # noqa: F401  # registers the system checks
        from stats_app.sql.words import add_functions_to_all

        add_functions_to_all()
