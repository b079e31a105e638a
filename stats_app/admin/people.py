"""Workspace users and their aliases in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from stats_app.admin.filters import WorkspaceFilter
from stats_app.admin.scope import ScopedAdmin
from stats_app.models import Alias, WorkspaceUser


@admin.register(WorkspaceUser)
class WorkspaceUserAdmin(ScopedAdmin):
    fields = ("workspace", "public_id", "email", "display_name", "is_active", "created_at")
    readonly_fields = ("public_id", "created_at")
    fixed_fields = ("workspace",)
    autocomplete_fields = ("workspace",)
    list_display = ("name", "email", "workspace", "is_active", "alias_count", "created_at")
    list_select_related = ("workspace",)
    list_filter = (WorkspaceFilter, "is_active")
    search_fields = ("email", "display_name", "=public_id")
    search_help_text = gettext_lazy("By name, e-mail or public id.")
    sortable_by = ("name", "email")
    # By number, which is by time of making: the only order that needs no sorting of all users.
    ordering = ("-id",)

    def listed(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        counted: QuerySet[Any] = queryset.with_alias_count()  # type: ignore[attr-defined]  # WorkspaceUserQuerySet
        return counted

    @admin.display(description=gettext_lazy("name"), ordering="display_name")
    def name(self, user: WorkspaceUser) -> str:
        return str(user)

    @admin.display(description=gettext_lazy("aliases"))
    def alias_count(self, user: Any) -> int:
        return int(user.alias_count)


@admin.register(Alias)
class AliasAdmin(ScopedAdmin):
    fields = ("workspace", "user", "email")
    fixed_fields = ("workspace",)
    autocomplete_fields = ("workspace", "user")
    list_display = ("email", "user", "workspace")
    list_select_related = ("user", "workspace")
    list_filter = (WorkspaceFilter,)
    search_fields = ("email", "user__email", "user__display_name")
    search_help_text = gettext_lazy("By alias, or by the user's name or e-mail.")
    sortable_by = ("email",)
    ordering = ("-id",)
