"""Workspace users and their aliases in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from stats_app import public_ids
from stats_app.admin.filters import WorkspaceFilter
from stats_app.admin.scope import ScopedAdmin
from stats_app.models import Alias, WorkspaceUser
from stats_app.models.people import few, is_email, named
from stats_app.sql.words import holds
from stats_app.staff import workspaces_for


def users_with_email(email: str, login: Any) -> list[int]:
    """The numbers of the users with this e-mail in the workspaces that the login may see, by the unique index."""
    visible = list(workspaces_for(login).values_list("pk", flat=True))
    return list(WorkspaceUser.objects.filter(workspace__in=visible, email=email).values_list("pk", flat=True))


def of_user(word: str) -> Q:
    """The rows of a user with the word in the name or the e-mail.

    Few users are named one by one: an OR across a join would keep the database from its indexes. Where they are many,
    their rows are soon met by reading all.
    """
    numbers = few(WorkspaceUser.objects.named(word))
    return named(word, "user__") if numbers is None else Q(user__in=numbers)


@admin.register(WorkspaceUser)
class WorkspaceUserAdmin(ScopedAdmin):
    fields = ("workspace", "public_id", "external_id", "email", "display_name", "is_active", "created_at")
    readonly_fields = ("public_id", "created_at")
    fixed_fields = ("workspace",)
    autocomplete_fields = ("workspace",)
    list_display = ("name", "email", "workspace", "is_active", "alias_count", "created_at")
    list_select_related = ("workspace",)
    list_filter = (WorkspaceFilter, "is_active")
    search_fields = ("email", "display_name")
    search_help_text = gettext_lazy("By name, e-mail or public id.")
    sortable_by = ("name", "email")
    # By number, which is by time of making: the order of an index.
    ordering = ("-id",)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # The index begins with the workspace; by numbers all later users of others would be read.
        return ("-created_at", "-id") if WorkspaceFilter.parameter_name in request.GET else self.ordering

    def searched(self, request: HttpRequest, queryset: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
        """A whole e-mail or public id is found by its index. A part of a name reads all users, unless the database has
        an index of parts."""
        if len(words) == 1 and is_email(words[0]):
            return queryset.filter(pk__in=users_with_email(words[0], request.user))
        if len(words) == 1 and public_ids.is_public_id(words[0].lower(), public_ids.USER):
            return queryset.filter(public_id=words[0].lower())
        return super().searched(request, queryset, words)

    def having(self, word: str) -> Q:
        return named(word)

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

    def having(self, word: str) -> Q:
        return Q(holds("email", word)) | of_user(word)
