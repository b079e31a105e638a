"""Workspaces in the admin: their time zone, their overview, and links to their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app import rollups
from stats_app.admin.clicks import clicks_of
from stats_app.admin.forms import ModelForm
from stats_app.admin.scope import ScopedAdmin, staff_page
from stats_app.errors import Refused, UnknownZone
from stats_app.models import ApiKey, Campaign, Mailing, SharedReport, ToolCall, TrackedLink, Workspace, WorkspaceUser
from stats_app.models.people import number_of
from stats_app.reports import overview_context
from stats_app.staff import unknown_zone_message


class WorkspaceForm(ModelForm):
    def clean_timezone(self) -> str:
        """Shows an error at the field if `change_timezone` would refuse the change."""
        name: str = self.cleaned_data["timezone"]
        kept_from = self.instance.clicks_kept_from
        if self.instance.pk and kept_from is not None and "timezone" in self.changed_data:
            raise ValidationError(
                _("The time zone cannot be changed: clicks before %(day)s are pruned, and cannot be recounted.")
                % {"day": kept_from.isoformat()}
            )
        return name


@admin.register(Workspace)
class WorkspaceAdmin(ScopedAdmin):
    """Changing the time zone recounts all clicks, in the same transaction."""

    workspace_path = "pk"
    form = WorkspaceForm
    fields = ("name", "public_id", "timezone", "is_active", "clicks_kept_from", "created_at")
    readonly_fields = ("public_id", "clicks_kept_from", "created_at")
    list_display = ("name", "public_id", "timezone", "is_active", "campaign_count", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "public_id")
    search_help_text = gettext_lazy("By name or public id.")
    sortable_by = ("name", "timezone", "is_active", "created_at")
    ordering = ("name", "id")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a workspace has too many rows to delete them in a request. There is the command `delete_workspace`."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Users are not counted, because for a large tenant that takes longer than the rest of the page.
        campaigns = Campaign.objects.filter(workspace=OuterRef("pk"))
        counted: QuerySet[Any] = (
            super().get_queryset(request).annotate(campaign_count=number_of(campaigns, "workspace"))
        )
        return counted

    def pages_about(self, request: HttpRequest, row: Workspace) -> Iterator[tuple[str, str | None]]:
        yield _("Overview"), self.address("overview", row.pk)
        yield _("Campaigns"), self.list_of(Campaign, request, workspace=row.pk)
        yield _("Users"), self.list_of(WorkspaceUser, request, workspace=row.pk)
        yield _("Tracked links"), self.list_of(TrackedLink, request, workspace=row.pk)
        if request.user.has_perm("stats_app.view_click"):
            yield _("Clicks"), clicks_of(self, row)
        yield _("API keys"), self.list_of(ApiKey, request, workspace=row.pk)
        yield _("Shared reports"), self.list_of(SharedReport, request, workspace=row.pk)
        yield _("Mailings"), self.list_of(Mailing, request, workspace=row.pk)
        yield _("Tool calls"), self.list_of(ToolCall, request, workspace=row.pk)

    @admin.display(description=gettext_lazy("campaigns"))
    def campaign_count(self, workspace: Any) -> int:
        return int(workspace.campaign_count)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused:
            # Clicks were pruned between the form's validation and the change. The transaction is rolled back.
            message = _("Nothing was changed: clicks have just been pruned, and cannot be recounted.")
            self.message_user(request, message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change or "timezone" not in form.changed_data:
            super().save_model(request, obj, form, change)
            return
        others = [name for name in form.changed_data if name != "timezone"]
        if others:
            obj.save(update_fields=others)
        rollups.change_timezone(obj, form.cleaned_data["timezone"])

    def get_urls(self) -> list[URLPattern]:
        overview = path(
            "<path:object_id>/overview/",
            self.admin_site.admin_view(self.overview_view),
            name="stats_app_workspace_overview",
        )
        return [overview, *super().get_urls()]

    def overview_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The overview of the staff pages inside the admin. Its CSV links lead to the staff pages."""
        workspace = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, workspace):
            raise PermissionDenied
        if workspace is None:
            raise Http404
        files = staff_page(request, "workspace", workspace.public_id)
        if request.GET.get("format") == "csv" and files:
            return HttpResponseRedirect(f"{files}?{request.GET.urlencode()}")
        try:
            overview = overview_context(workspace, request.GET.dict(), now())
        except UnknownZone as error:
            self.message_user(request, unknown_zone_message(error), messages.ERROR)
            return HttpResponseRedirect(self.address("change", workspace.pk))
        form = overview["form"]
        if form.is_valid() and not form.is_settled:
            return HttpResponseRedirect(f"?{form.settled}")
        context = {"title": _("Overview"), "subtitle": str(workspace), "original": workspace, **overview}
        return self.rendered(request, "workspace/overview.html", **context)
