"""Clicks in the admin: one workspace at a time, read-only, paged from click to click."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from stats_app import public_ids
from stats_app.admin.filters import ClickDaysFilter, KindFilter, OneWorkspaceFilter, WordFilter, shown_zone
from stats_app.admin.paging import KeyedChangeList
from stats_app.admin.people import users_with_email
from stats_app.admin.scope import KeyedAdmin
from stats_app.admin.words import KIND_WORDS, VERDICT_WORDS
from stats_app.keyset import CLICK_KEYS
from stats_app.models import Campaign, Click, WorkspaceUser
from stats_app.staff import workspaces_for


class VerdictFilter(WordFilter):
    title = gettext_lazy("verdict")
    parameter_name = "verdict"
    words = VERDICT_WORDS


class ClickChangeList(KeyedChangeList):
    def key_of(self, row: Any) -> str:
        return object_id(row)


class ClickAdmin(KeyedAdmin):
    fields = (
        *("ulid", "workspace", "moment", "clicked_at", "kind_word", "campaign", "user", "alias", "link"),
        *("verdict_word", "reason"),
    )
    list_display = ("moment", "kind_word", "campaign", "user", "alias", "verdict_word", "reason")
    list_select_related = ("workspace", "campaign", "user", "alias")
    list_filter = (OneWorkspaceFilter, ClickDaysFilter, KindFilter, VerdictFilter)
    search_fields = ("id",)
    search_help_text = gettext_lazy("By click id, the public id of a campaign or user, or a user's e-mail.")
    sortable_by = ()

    def keys(self, request: HttpRequest) -> tuple[str, ...]:
        return CLICK_KEYS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("visitor")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ClickChangeList]:
        return ClickChangeList

    def searched(self, request: HttpRequest, queryset: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
        """Only what an index finds: a part of a name would read all clicks."""
        if len(words) > 1:
            return queryset.none()
        word = words[0].lower()
        if public_ids.is_public_id(word):
            visible = list(workspaces_for(request.user).values_list("pk", flat=True))
            return queryset.filter(workspace__in=visible, id=word)
        if public_ids.is_public_id(word, public_ids.CAMPAIGN):
            campaigns = Campaign.objects.filter(public_id=word)
            return queryset.filter(campaign__in=list(campaigns.values_list("pk", flat=True)))
        if "@" in word:
            return queryset.filter(user__in=users_with_email(word, request.user))
        users = WorkspaceUser.objects.filter(public_id=word)
        return queryset.filter(user__in=list(users.values_list("pk", flat=True)))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The click that `object_id` of this module names in an address."""
        workspace, _dash, ulid = object_id.partition("-")
        if not (workspace.isascii() and workspace.isdecimal() and len(workspace) <= 9):
            return None
        if not public_ids.is_public_id(ulid.lower()):
            return None
        clicks = self.get_queryset(request).select_related("workspace", "campaign", "user", "alias", "link")
        return clicks.filter(workspace=int(workspace), id=ulid).first()

    @admin.display(description=gettext_lazy("id"))
    def ulid(self, click: Click) -> str:
        return str(click)

    @admin.display(description=gettext_lazy("local time"))
    def moment(self, click: Click) -> str:
        """In the time zone of the workspace, whose days are counted."""
        local = localtime(click.clicked_at, shown_zone(click.workspace))
        return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S} {local.tzname()}"

    @admin.display(description=gettext_lazy("kind"))
    def kind_word(self, click: Click) -> str:
        return str(KIND_WORDS[click.kind])

    @admin.display(description=gettext_lazy("verdict"))
    def verdict_word(self, click: Click) -> str:
        return str(VERDICT_WORDS[click.verdict])


def object_id(click: Click) -> str:
    """A click in an address: workspace and ULID are its key."""
    return f"{click.workspace_id}-{str(click.id).lower()}"


def register(site: admin.AdminSite) -> None:
    """Django refuses models with a composite key, because its forms and actions cannot name such a row. This admin has
    neither, and names its rows itself."""
    try:
        site.register(Click, ClickAdmin)
    except ImproperlyConfigured:
        site._registry[Click] = ClickAdmin(Click, site)


register(admin.site)
