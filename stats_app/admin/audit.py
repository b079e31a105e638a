"""The audit log in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from stats_app.admin.filters import CallDaysFilter, WordFilter, WorkspaceFilter
from stats_app.admin.scope import KeyedAdmin, of_related
from stats_app.admin.words import OUTCOME_WORDS
from stats_app.models import ApiKey, ToolCall
from stats_app.models.audit import MCP, REST
from stats_app.sql.words import holds
from stats_app.tools import TOOLS


class ToolFilter(WordFilter):
    title = gettext_lazy("tool")
    parameter_name = "tool"
    words = {name: name for name in TOOLS}


class OutcomeFilter(WordFilter):
    title = gettext_lazy("outcome")
    parameter_name = "outcome"
    words = OUTCOME_WORDS


class SurfaceFilter(WordFilter):
    title = gettext_lazy("surface")
    parameter_name = "surface"
    words = {REST: "REST", MCP: "MCP"}


@admin.register(ToolCall)
class ToolCallAdmin(KeyedAdmin):
    fields = (
        "called_at",
        "workspace",
        "api_key",
        "tool",
        "surface",
        "client",
        "arguments",
        "outcome_word",
        "duration_ms",
    )
    list_display = ("time", "workspace", "tool", "outcome_word", "duration_ms", "surface", "api_key")
    list_select_related = ("workspace", "api_key")
    list_filter = (WorkspaceFilter, CallDaysFilter, OutcomeFilter, ToolFilter, SurfaceFilter)
    search_fields = ("client",)
    search_help_text = gettext_lazy("By client, or by the name or public part of the API key.")

    def matching(self, word: str) -> Q:
        of_key = Q(holds("name", word)) | Q(holds("public_part", word))
        return super().matching(word) | of_related("api_key", ApiKey.objects.all(), of_key)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome_word(self, call: ToolCall) -> str:
        return str(OUTCOME_WORDS.get(call.outcome, call.outcome))

    @admin.display(description=gettext_lazy("called at"))
    def time(self, call: ToolCall) -> str:
        """The time to the second, in the time zone of the host's pages."""
        local = localtime(call.called_at)
        return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S} {local.tzname()}"
