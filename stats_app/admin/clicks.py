"""Clicks in the admin: one workspace at a time, read-only, with keyset pagination."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from stats_app import person_figures, public_ids
from stats_app.admin.filters import (
    ClickDaysFilter,
    KindFilter,
    OneWorkspaceFilter,
    WordFilter,
    browsed_workspace,
    shown_zone,
)
from stats_app.admin.paging import KeyedChangeList
from stats_app.admin.scope import KeyedAdmin, ScopedAdmin
from stats_app.admin.words import KIND_WORDS
from stats_app.dimensions import HUMAN, WORKSPACE_DAYS
from stats_app.keyset import CLICK_KEYS
from stats_app.models import Campaign, ClickRecord, Reason, Workspace, WorkspaceUser
from stats_app.reports.wording import VERDICT_WORDS, click_reason
from stats_app.verdicts import reason_text
from stats_app.words import is_plain

SHOWN_REASONS = 50


class VerdictFilter(WordFilter):
    title = gettext_lazy("verdict")
    parameter_name = "verdict"
    words = VERDICT_WORDS


class ReasonFilter(admin.SimpleListFilter):
    """Filters by the verdicts and reasons of clicks that were not counted, such as `bot:crawler`."""

    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        reasons = Reason.objects.filter(workspace=browsed_workspace(request), dimension=WORKSPACE_DAYS)
        known = [(str(one.verdict), one.text) for one in reasons.order_by("verdict", "text")[:SHOWN_REASONS]]
        if self.value() is not None and (chosen := self._chosen()) not in known:
            known.append(chosen)
        return [(f"{verdict}:{text}", f"{VERDICT_WORDS[verdict]}: {click_reason(text)}") for verdict, text in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        verdict, reason = self._chosen()
        # With the first condition the database uses the index of clicks that are not counted.
        return queryset.exclude(verdict=HUMAN).filter(verdict=verdict, reason=reason)

    def _chosen(self) -> tuple[str, str]:
        verdict, _colon, reason = str(self.value()).partition(":")
        if verdict not in VERDICT_WORDS or not is_plain(reason):
            raise IncorrectLookupParameters(verdict)
        return verdict, reason


class ClickChangeList(KeyedChangeList):
    model_admin: KeyedAdmin

    def whole(self, request: HttpRequest) -> QuerySet[Any]:
        return super().whole(request).filter(workspace=browsed_workspace(request))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        workspace_filter = next(one for one in self.filter_specs if isinstance(one, OneWorkspaceFilter))
        self.workspaces = {
            "choices": list(workspace_filter.choices(self)),
            "more_url": workspace_filter.more_url,
        }

    def url_for_result(self, result: Any) -> str:
        return self.model_admin.address("change", address_key(result))


@admin.register(ClickRecord)
class ClickAdmin(KeyedAdmin):
    fields = (
        *("ulid", "workspace", "local_time", "clicked_at", "kind_word", "campaign", "user", "alias", "link"),
        *("verdict_word", "reason_word"),
    )
    list_display = ("local_time", "kind_word", "campaign", "user", "alias", "verdict_word", "reason_word")
    list_select_related = ("workspace", "campaign", "user", "alias")
    list_filter = (OneWorkspaceFilter, ClickDaysFilter, KindFilter, VerdictFilter, ReasonFilter)
    # Needed so that Django shows the search field. `matching` implements the search.
    search_fields = ("id",)
    search_help_text = gettext_lazy("By click id, the public id of a campaign or user, or a user's e-mail.")
    keys = CLICK_KEYS
    # The columns to leave out if single clicks must not show persons. Links are among them, because the list of links
    # shows whose they are.
    of_persons = frozenset({"user", "alias", "link"})

    def get_related_filters(self) -> tuple[str, ...]:
        return ("campaign__id__exact", *(("user__id__exact",) if person_figures.are_all_shown() else ()))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self._without_persons(super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self._without_persons(super().get_fields(request, obj)))

    def _without_persons(self, names: Iterable[Any]) -> tuple[Any, ...]:
        left_out = frozenset() if person_figures.are_all_shown() else self.of_persons
        return tuple(name for name in names if name not in left_out)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(f"stats_app.{act}_click") for act in ("view", "change"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ClickChangeList

    def matching(self, word: str) -> Q:
        """Searches only by indexed columns. Searching by a part of a name would read all clicks."""
        if public_ids.is_public_id(word.lower()):
            return Q(id=word)
        if public_ids.is_public_id(word.lower(), public_ids.CAMPAIGN):
            return Q(campaign__in=Campaign.objects.filter(public_id=word.lower()).values("pk"))
        if not person_figures.are_all_shown():
            return Q(pk__in=())
        users = WorkspaceUser.objects.filter(Q(public_id=word.lower()) | Q(email=word))
        return Q(user__in=users.values("pk"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The click with the key from `address_key`."""
        workspace, _dash, ulid = object_id.partition("-")
        if not (workspace.isascii() and workspace.isdecimal() and len(workspace) <= 9):
            return None
        if not public_ids.is_public_id(ulid.lower()):
            return None
        clicks: QuerySet[Any] = self.get_queryset(request).filter(workspace=int(workspace), id=ulid)
        return clicks.select_related("workspace", "campaign", "user", "alias", "link").first()

    @admin.display(description=gettext_lazy("id"))
    def ulid(self, click: ClickRecord) -> str:
        return str(click)

    @admin.display(description=gettext_lazy("local time"))
    def local_time(self, click: ClickRecord) -> str:
        """The time in the time zone of the workspace, which clicks are counted by."""
        local = localtime(click.clicked_at, shown_zone(click.workspace))
        return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S} {local.tzname()}"

    @admin.display(description=gettext_lazy("kind"))
    def kind_word(self, click: ClickRecord) -> str:
        return str(KIND_WORDS[click.kind])

    @admin.display(description=gettext_lazy("verdict"))
    def verdict_word(self, click: ClickRecord) -> str:
        return str(VERDICT_WORDS[click.verdict])

    @admin.display(description=gettext_lazy("reason"))
    def reason_word(self, click: ClickRecord) -> str:
        return reason_text(click.reason)


def address_key(click: Any) -> str:
    """The key of a click in an address: the primary key of its workspace and its ULID."""
    return f"{click.workspace_id}-{str(click.id).lower()}"


def clicks_of(model_admin: ScopedAdmin, workspace: Workspace, **query: Any) -> str | None:
    """The address of the list of a workspace's clicks, filtered by a campaign or user. None if the host has
    unregistered it."""
    return model_admin.page_of(ClickRecord, "changelist", {"workspace": workspace.pk, **query})
