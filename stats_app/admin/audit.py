"""The audit log in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from stats_app.admin.filters import CallDaysFilter, WordFilter, WorkspaceFilter
from stats_app.admin.scope import KeyedAdmin
from stats_app.admin.words import OUTCOME_WORDS
from stats_app.audit import of_client
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
    list_display = ("called_at", "workspace", "tool", "outcome_word", "surface", "api_key", "duration_ms")
    list_select_related = ("workspace", "api_key")
    list_filter = (WorkspaceFilter, CallDaysFilter, OutcomeFilter, ToolFilter, SurfaceFilter)
    search_fields = ("client",)
    search_help_text = gettext_lazy("By client, or by the name or public part of the API key.")
    sortable_by = ()

    def keys(self, request: HttpRequest) -> tuple[str, ...]:
        # The index begins with the workspace. Without one, numbers tell newer from older, too.
        return ("called_at", "id") if WorkspaceFilter.parameter_name in request.GET else ("id",)

    def having(self, word: str) -> Q:
        named = Q(holds("name", word)) | Q(holds("public_part", word))
        keys = ApiKey.objects.filter(named).order_by().values_list("pk", flat=True)
        return Q(api_key__in=list(keys[:1000])) | of_client(word)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome_word(self, call: ToolCall) -> str:
        return str(OUTCOME_WORDS.get(call.outcome, call.outcome))
