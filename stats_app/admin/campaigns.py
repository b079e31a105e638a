"""Campaigns, and their assignments, in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app.admin.assigning import PERMISSION, AssignForm, assign
from stats_app.admin.clicks import clicks_of
from stats_app.admin.filters import WordFilter, WorkspaceFilter
from stats_app.admin.imports import ImportAdmin
from stats_app.admin.people import of_user
from stats_app.admin.scope import ScopedAdmin, of_related, staff_page
from stats_app.admin.words import STATUS_WORDS
from stats_app.dimensions import CAMPAIGN
from stats_app.directory import NewCampaign, save_campaigns
from stats_app.errors import UnknownZone
from stats_app.models import Campaign, CampaignAssignment, TrackedLink, Workspace
from stats_app.sql.words import holds


class StatusFilter(WordFilter):
    """Filters by the status today, in each workspace's own time zone."""

    title = gettext_lazy("status")
    parameter_name = "status"
    words = STATUS_WORDS

    def chosen(self, queryset: Any, value: str) -> QuerySet[Any]:
        campaigns: QuerySet[Any] = queryset.none()
        for today, zones in _zones_by_date(now()).items():
            campaigns = campaigns | queryset.with_status(value, today).filter(workspace__timezone__in=zones)
        return campaigns


def _zones_by_date(at: datetime) -> dict[date, list[str]]:
    """The time zones of all workspaces, by their current local date: two dates, or three during an hour of each day.

    Zones that this machine does not know are left out, because the status of their campaigns is unknown.
    """
    zones: dict[date, list[str]] = {}
    for name in Workspace.objects.order_by().values_list("timezone", flat=True).distinct():
        with suppress(UnknownZone):
            zones.setdefault(Workspace(timezone=name).today(at), []).append(name)
    return zones


def of_campaign(word: str) -> Q:
    """The condition that the row's campaign has the word in the name."""
    return of_related("campaign", Campaign.objects.all(), Q(holds("name", word)))


@admin.register(Campaign)
class CampaignAdmin(ImportAdmin, ScopedAdmin):
    import_declaration = NewCampaign
    import_save = save_campaigns
    fields = (
        "workspace",
        "public_id",
        "external_id",
        "name",
        "target_url",
        "starts_on",
        "ends_on",
        "is_paused",
        "status",
        "created_at",
    )
    readonly_fields = ("public_id", "status", "created_at")
    fixed_fields = ("workspace",)
    autocomplete_fields = ("workspace",)
    list_display = ("name", "workspace", "status", "starts_on", "ends_on", "user_count")
    list_select_related = ("workspace",)
    list_filter = (WorkspaceFilter, StatusFilter, "is_paused")
    search_fields = ("name",)
    search_help_text = gettext_lazy("By name or public id.")
    ordering = ("-id",)

    def matching(self, word: str) -> Q:
        return super().matching(word) | Q(public_id=word.lower())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        campaigns: Any = super().get_queryset(request)
        counted: QuerySet[Any] = campaigns.with_user_count()
        return counted

    def pages_about(self, request: HttpRequest, row: Campaign) -> Iterator[tuple[str, str | None]]:
        workspace = row.workspace
        yield _("Figures"), staff_page(request, "campaign", workspace.public_id, row.public_id)
        if request.user.has_perm("stats_app.view_click"):
            yield _("Clicks"), clicks_of(self, workspace, campaign__id__exact=row.pk)
        yield _("Assigned users"), self.list_of(CampaignAssignment, request, campaign__id__exact=row.pk)
        yield _("Assign a user"), self.form_for(CampaignAssignment, request, campaign=row.pk)
        if request.user.has_perm(PERMISSION):
            yield _("Assign many"), self.address("assign", row.pk)
        yield _("Tracked links"), self.list_of(TrackedLink, request, campaign__id__exact=row.pk)
        values = {"workspace": workspace.pk, "kind": CAMPAIGN, "campaign": row.pk}
        yield _("Make a tracked link"), self.form_for(TrackedLink, request, **values)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.assign_view)
        return [path("<path:object_id>/assign/", view, name="stats_app_campaign_assign"), *super().get_urls()]

    def assign_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = self.get_object(request, unquote(object_id))
        if campaign is None:
            raise Http404
        if not request.user.has_perm(PERMISSION) or not self.has_view_permission(request, campaign):
            raise PermissionDenied
        form = AssignForm(campaign, *([request.POST] if request.method == "POST" else []))
        if form.is_valid():
            assign(self, request, campaign, form.cleaned_data["users"])
            return HttpResponseRedirect(self.address("change", campaign.pk))
        return self.rendered(request, "assign.html", title=_("Assign many"), original=campaign, form=form)

    @admin.display(description=gettext_lazy("status"))
    def status(self, campaign: Campaign) -> str:
        if campaign._state.adding:
            return str(self.get_empty_value_display())
        try:
            return str(STATUS_WORDS[campaign.status(campaign.workspace.today(now()))])
        except UnknownZone:
            return _("unknown time zone")

    @admin.display(description=gettext_lazy("assigned users"))
    def user_count(self, campaign: Any) -> int:
        return int(campaign.user_count)


@admin.register(CampaignAssignment)
class CampaignAssignmentAdmin(ScopedAdmin):
    fields = ("campaign", "user", "assigned_at")
    readonly_fields = ("assigned_at",)
    autocomplete_fields = ("campaign", "user")
    list_display = ("campaign", "user", "workspace", "assigned_at")
    list_select_related = ("workspace", "campaign", "user")
    list_filter = (WorkspaceFilter,)
    related_filters = ("campaign__id__exact", "user__id__exact")
    search_fields = ("campaign__name", "user__email", "user__display_name")
    search_help_text = gettext_lazy("By campaign, or by the user's name or e-mail.")
    sortable_by = ()
    ordering = ("-id",)

    def matching(self, word: str) -> Q:
        return of_campaign(word) | of_user(word)
