"""The filters of the lists. None of them reads more than a few rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, timedelta, tzinfo
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import get_current_timezone, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app.admin.paging import kept_parameters
from stats_app.admin.words import KIND_WORDS
from stats_app.errors import UnknownZone, WrongValue
from stats_app.local_days import clicks_in_days, in_days
from stats_app.models import Click, Workspace
from stats_app.periods import MAX_DATE, MIN_DATE, parse_day
from stats_app.sql.words import Alphabetical
from stats_app.staff import workspaces_for

SHOWN = 10


class WorkspaceFilter(admin.SimpleListFilter):
    """Filters by a workspace that the login may see. Shows the first few by name, and a link to the list of all."""

    title = gettext_lazy("workspace")
    parameter_name = "workspace"
    template = "admin/stats_app/workspace_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.path = model_admin.workspace_path
        visible = workspaces_for(request.user).order_by(Alphabetical("name"), "pk")
        workspaces = [(str(pk), name) for pk, name in visible.values_list("pk", "name")[: SHOWN + 1]]
        self.more_url = reverse("admin:stats_app_workspace_changelist") if len(workspaces) > SHOWN else None
        lookups = dict(workspaces[:SHOWN])
        chosen = None if self.value() in lookups else self._chosen(request, visible)
        if chosen and str(chosen.pk) not in lookups:
            lookups = {str(chosen.pk): chosen.name} | lookups
        return list(lookups.items())

    def _chosen(self, request: HttpRequest, visible: QuerySet[Workspace]) -> Workspace | None:
        value = self.value()
        return None if value is None else visible.filter(pk=_number(value)).first()

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1 or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(**{self.path: int(value)})


class OneWorkspaceFilter(WorkspaceFilter):
    """Always filters by one workspace, because clicks are stored by workspace: see `browsed_workspace`.

    The choice is above the list and not beside it, because not every theme shows the filters.
    """

    template = "admin/stats_app/chosen_above.html"

    def has_output(self) -> bool:
        return True  # otherwise Django would not apply the filter

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        workspace = browsed_workspace(request)
        return queryset.none() if workspace is None else queryset.filter(workspace=workspace)

    def _chosen(self, request: HttpRequest, visible: QuerySet[Workspace]) -> Workspace | None:
        workspace = browsed_workspace(request)
        if workspace is not None:
            self.used_parameters[self.parameter_name] = str(workspace.pk)
        return workspace

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        # The first choice is "All".
        return (choice for number, choice in enumerate(super().choices(changelist)) if number > 0)


def browsed_workspace(request: HttpRequest) -> Workspace | None:
    """The workspace whose clicks a list shows: the chosen one, or else the first with clicks among the first few by
    name.

    None if the login may not see the chosen one, or if there is no workspace.
    """
    if not hasattr(request, "_stats_workspace"):
        request._stats_workspace = _browsed_workspace(request)  # type: ignore[attr-defined]  # our own attribute, kept for the second filter that asks
    workspace: Workspace | None = request._stats_workspace  # type: ignore[attr-defined]  # our own attribute, as above
    return workspace


def _browsed_workspace(request: HttpRequest) -> Workspace | None:
    visible = workspaces_for(request.user).order_by(Alphabetical("name"), "pk")
    value = request.GET.get(WorkspaceFilter.parameter_name)
    if value is not None:
        return visible.filter(pk=_number(value)).first()
    first = list(visible[:SHOWN])
    # One query for each, because their clicks may be on different machines.
    with_clicks = (one for one in first if Click.objects.filter(workspace=one).exists())
    return next(with_clicks, first[0] if first else None)


def shown_zone(workspace: Workspace) -> tzinfo:
    """The workspace's time zone, or UTC if this machine does not know it, so that its clicks can still be shown."""
    try:
        return workspace.zone
    except UnknownZone:
        return UTC


def _number(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 9):
        raise IncorrectLookupParameters(value)
    return int(value)


class WordFilter(admin.SimpleListFilter):
    """Filters by one of a few words: `words` maps the value in the address to its label."""

    words: Mapping[str, Any] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.words.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in self.words:
            raise IncorrectLookupParameters(value)
        return self.chosen(queryset, value)

    def chosen(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): value})


class KindFilter(WordFilter):
    """Filters by the kind of click or link."""

    title = gettext_lazy("kind")
    parameter_name = "kind"
    words = KIND_WORDS


class DaysFilter(admin.ListFilter):
    """Filters by a range of local days, both ends included, with links and a form of two dates."""

    title = gettext_lazy("day")
    template = "admin/stats_app/days_filter.html"
    parameters = ("from", "to")
    presets = ((gettext_lazy("Today"), 1), (gettext_lazy("Last 7 days"), 7), (gettext_lazy("Last 30 days"), 30))

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.given = {name: str(params.pop(name)[-1]).strip() for name in self.parameters if name in params}
        self.used_parameters = {name: text for name, text in self.given.items() if text}
        self.error = ""
        self.days = self._days()
        self.kept: list[tuple[str, str]] = []

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.error:
            return queryset.none()
        if not self.used_parameters:
            return queryset
        return self.chosen(queryset, self.zone(request), *self.days)

    def zone(self, request: HttpRequest) -> tzinfo:
        """The time zone of the times in the list."""
        return get_current_timezone()

    def chosen(self, queryset: QuerySet[Any], zone: tzinfo, start: date, end: date) -> QuerySet[Any]:
        """The rows of these local days."""
        raise NotImplementedError

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        self.kept = kept_parameters(self.request, *self.parameters)
        yield {
            "selected": not self.used_parameters,
            "query_string": changelist.get_query_string(remove=list(self.parameters)),
            "display": _("Any day"),
        }
        today = now().astimezone(self.zone(self.request)).date()
        for title, days in self.presets:
            wanted = {"from": (today - timedelta(days=days - 1)).isoformat(), "to": today.isoformat()}
            yield {
                "selected": self.used_parameters == wanted,
                "query_string": changelist.get_query_string(wanted),
                "display": title,
            }

    def _days(self) -> tuple[date, date]:
        try:
            start = parse_day(self.given.get("from") or MIN_DATE.isoformat())
            end = parse_day(self.given.get("to") or MAX_DATE.isoformat())
        except WrongValue as error:
            self.error = error.message
            return MIN_DATE, MAX_DATE
        if start > end:
            self.error = _("Enter a last day that is not before the first day.")
        return start, end


class ClickDaysFilter(DaysFilter):
    """Uses the local days of the workspace in the list, as the dashboards do."""

    def zone(self, request: HttpRequest) -> tzinfo:
        workspace = browsed_workspace(request)
        return super().zone(request) if workspace is None else shown_zone(workspace)

    def chosen(self, queryset: QuerySet[Any], zone: tzinfo, start: date, end: date) -> QuerySet[Any]:
        return clicks_in_days(queryset, zone, start, end)


class CallDaysFilter(DaysFilter):
    def chosen(self, queryset: QuerySet[Any], zone: tzinfo, start: date, end: date) -> QuerySet[Any]:
        return in_days(queryset, "called_at", zone, start, end)
