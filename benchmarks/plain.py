"""The views to compare the tools with: the floor, and the same answers made with plain Django from raw clicks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDay
from django.http import HttpResponseRedirect
from django.utils.timezone import now
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from ulid import ULID

from stats_app.dimensions import HUMAN, VCARD
from stats_app.models import Click, Workspace

FILLER = {f"field{number:02}": f"a value of some length {number}" for number in range(22)}


class PlainView(APIView):
    """A DRF view without authentication, permissions and choice of renderers."""

    authentication_classes = []
    permission_classes = []
    renderer_classes = [JSONRenderer]


class Floor(PlainView):
    """The floor, a minimal answer from the database: one look-up by primary key, and 0.9 KB of JSON."""

    def get(self, request: Request) -> Response:
        workspace = Workspace.objects.get(pk=int(request.query_params["workspace"]))
        return Response({"id": workspace.pk, "name": workspace.name, **FILLER})


class Insert(PlainView):
    """A minimal redirect that stores a click: one INSERT."""

    def get(self, request: Request) -> HttpResponseRedirect:
        workspace = int(request.query_params["workspace"])
        clicked_at = now()
        Click.objects.create(
            workspace_id=workspace,
            id=ULID(),
            clicked_at=clicked_at,
            utc_day=clicked_at.date(),
            kind=VCARD,
            verdict=HUMAN,
        )
        return HttpResponseRedirect("https://www.example.com/vcard/")


class Days(PlainView):
    """Clicks by day: `TruncDay` and `Count`."""

    def get(self, request: Request) -> Response:
        return Response({"days": len(by_day(clicks(request)))})


class Overview(PlainView):
    """The whole overview by day, in four queries over raw clicks."""

    def get(self, request: Request) -> Response:
        current = clicks(request)
        kinds = list(current.values("kind").annotate(clicks=Count("id")))
        days = by_day(current)
        previous = by_day(clicks(request, before=True))
        top = list(
            current.filter(campaign__isnull=False)
            .values("campaign__public_id", "campaign__name", day=TruncDay("clicked_at"))
            .annotate(clicks=Count("id"))
        )
        return Response({"kinds": kinds, "days": len(days), "previous": len(previous), "campaigns": len(top)})


def by_day(rows: QuerySet[Click]) -> list[Any]:
    return list(rows.values(day=TruncDay("clicked_at")).annotate(clicks=Count("id")).order_by("day"))


def clicks(request: Request, before: bool = False) -> QuerySet[Click]:
    """The clicks of the requested period, or of the same number of days before it. Days are in UTC, and indexed."""
    start, end = (date.fromisoformat(request.query_params[name]) for name in ("from", "to"))
    if before:
        start, end = start - (end - start) - timedelta(days=1), start - timedelta(days=1)
    return Click.objects.filter(workspace=int(request.query_params["workspace"]), utc_day__range=(start, end))
