"""Shared reports in the admin: who made them, how often they were opened, and revoking them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stats_app.admin.filters import WorkspaceFilter
from stats_app.admin.scope import ReadOnlyAdmin
from stats_app.errors import UnknownZone
from stats_app.models import SharedReport
from stats_app.sharing import revoke_shared


class RevokedFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "revoked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("not revoked")), ("yes", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(revoked_at__isnull=value != "yes")


@admin.register(SharedReport)
class SharedReportAdmin(ReadOnlyAdmin):
    """Shared reports can only be revoked here. They are made on the page to share, which shows the address once."""

    fields = (
        *("workspace", "campaign", "name", "names_people", "last_day", "state"),
        *("maker", "created_at", "revoked_at", "opened", "last_opened_at"),
    )
    list_display = ("page", "workspace", "name", "names_people", "last_day", "state", "opened", "maker")
    list_select_related = ("workspace", "campaign")
    list_filter = (WorkspaceFilter, RevokedFilter)
    search_fields = ("name", "campaign__name", "workspace__name", "maker")
    search_help_text = gettext_lazy("By recipient, campaign, workspace or maker.")
    sortable_by = ("last_day", "opened")
    ordering = ("-id",)
    actions = ("revoke",)  # type: ignore[assignment]  # the base class, which is read-only, has None

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("stats_app.change_sharedreport")

    @admin.display(description=gettext_lazy("page"))
    def page(self, report: SharedReport) -> str:
        return str(report.campaign) if report.campaign else _("Overview")

    @admin.display(description=gettext_lazy("state"))
    def state(self, report: SharedReport) -> str:
        if report.revoked_at is not None:
            return _("revoked")
        try:
            return _("expired") if report.last_day < report.workspace.today(timezone.now()) else _("open")
        except UnknownZone:
            return _("unknown time zone")

    @admin.action(description=gettext_lazy("Revoke selected shared reports"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[SharedReport]) -> None:
        now = timezone.now()
        revoked = [report for report in queryset if revoke_shared(report, now)]
        for report in revoked:
            self.log_change(request, report, _("Revoked."))
        message = ngettext(
            "%(number)d shared report was revoked.", "%(number)d shared reports were revoked.", len(revoked)
        )
        self.message_user(request, message % {"number": len(revoked)}, messages.SUCCESS)
