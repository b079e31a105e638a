"""The viewsets. Each gets what it needs from the request, calls one function and answers with its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from django.db import connections, transaction
from django.db.models import F, QuerySet
from django.utils.timezone import now
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from stats_app import limits, public_ids, tools
from stats_app.api.authentication import ApiKeyAuthentication
from stats_app.api.filters import CampaignFilter, ClickFilter, StrictFilterSet, UserFilter, single_values
from stats_app.api.pagination import KeyedPages, NumberedPages
from stats_app.api.parsers import JsonParser, NewClick, NewClicks, clicks_of, wrong_body
from stats_app.api.problems import limit_headers, problem_response
from stats_app.api.renderers import JsonRenderer, OnlyJson
from stats_app.api.schema import OperationSchema, operation, tool_operation
from stats_app.api.serializers import (
    CampaignItem,
    CampaignPage,
    ClickPage,
    IngestAnswer,
    UserItem,
    UserPage,
    campaign_json,
    click_json,
    user_json,
)
from stats_app.click_fields import outside_name
from stats_app.conf import conf
from stats_app.errors import FieldError, InvalidParameters, NotFound, shown
from stats_app.ingest import ClickInput, Rejection, record_clicks
from stats_app.keys import HEADER, Caller
from stats_app.models import Campaign, Click, WorkspaceUser
from stats_app.models.api_keys import CLICKS_READ, CLICKS_WRITE, STATS_READ
from stats_app.models.audit import REST
from stats_app.parameters import Repeated, unknown_parameter

Json = dict[str, Any]


LIMITS: dict[str, Callable[[], int | None]] = {
    "lists": lambda: conf.list_rate_limit,
    "ingest": lambda: conf.ingest_rate_limit,
}


class StatsViewSet(ViewSet):
    """The base of ours: everything that the host's `REST_FRAMEWORK` could change is set here.

    `scopes` and `limited` say for each action which scope its key needs and which of `LIMITS` it uses up. Actions that
    are tools have none here: `tools.call` checks them, so that it can audit all calls.
    """

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = []
    throttle_classes = []
    renderer_classes = [JsonRenderer]
    parser_classes = [JsonParser]
    content_negotiation_class = OnlyJson
    versioning_class = None
    schema = OperationSchema()
    metadata_class = None
    http_method_names = ["get", "head", "post"]
    lookup_value_regex = "[^/]+"

    scopes: ClassVar[dict[str, str]] = {}
    limited: ClassVar[dict[str, str]] = {}

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        # The counter of calls and the audit row must outlive a failed answer; and with ATOMIC_REQUESTS Django itself
        # would meet a database that is down, before any code of ours that could answer 503.
        view = super().as_view(*args, **kwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(alias)(view)
        return view

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return problem_response

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed_methods), "Cache-Control": "private, no-store", "Vary": HEADER}

    @property
    def caller(self) -> Caller:
        # The authentication class lets nobody else in.
        return cast(Caller, self.request.auth)

    def check_permissions(self, request: Request) -> None:
        scope = self.scopes.get(self.action or "")
        if scope is not None:
            self.caller.require(scope)

    def check_throttles(self, request: Request) -> None:
        name = self.limited.get(self.action or "")
        if name is not None:
            self.allowance = limits.take(self.caller.api_key_id, name, LIMITS[name](), now())

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        for name, value in limit_headers(getattr(self, "allowance", None)).items():
            response.headers.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)

    def call_tool(self, name: str, request: Request, **path: str) -> Response:
        """The answer of a tool to the query string, and to what of the path is a parameter."""
        arguments = single_values(request)
        for key, value in path.items():
            arguments[key] = Repeated([str(arguments[key]), value]) if key in arguments else value
        result = tools.call(
            name, self.caller, arguments, surface=REST, client=request.headers.get("User-Agent", ""), now=now()
        )
        return Response(result.body, headers=limit_headers(result.allowance))

    def page(
        self,
        request: Request,
        filterset: type[StrictFilterSet],
        pages: type[NumberedPages] | type[KeyedPages],
        queryset: QuerySet[Any],
        item: Callable[[Any], Json],
    ) -> Response:
        """One page of the filtered rows as JSON."""
        query = single_values(request)
        asked = {name: query.pop(name) for name in pages.parameters if name in query}
        filtered = filterset(query, queryset, self.caller.workspace, now()).filtered([*pages.parameters])
        rows, links = pages(asked).page_of(filtered, request)
        return Response({"results": [item(row) for row in rows], **links})

    def one(self, request: Request, kind: str, prefix: str, public_id: str, queryset: QuerySet[Any]) -> Any:
        """The row with this public id in the caller's workspace; an error for anything else."""
        name = f"{kind}PublicId"
        errors = [unknown_parameter(given, []) for given in single_values(request)]
        if not public_ids.is_public_id(public_id, prefix):
            message = f"{name} {public_ids.rule(prefix)}, not {shown(public_id)}."
            errors.append(FieldError(name, "invalid", message))
        if errors:
            raise InvalidParameters(errors)
        found = queryset.filter(public_id=public_id).first()
        if found is None:
            raise NotFound(kind, public_id)
        return found


class WorkspaceViewSet(StatsViewSet):
    """The workspace of the API key."""

    @tool_operation("stats_get_workspace_overview", codes=("workspace_mismatch",))
    @action(detail=False)
    def overview(self, request: Request) -> Response:
        return self.call_tool("stats_get_workspace_overview", request)


class CampaignViewSet(StatsViewSet):
    """The campaigns of the workspace."""

    lookup_url_kwarg = "campaignPublicId"
    scopes = {"list": STATS_READ, "retrieve": STATS_READ}
    limited = {"list": "lists", "retrieve": "lists"}

    def get_queryset(self) -> QuerySet[Campaign]:
        campaigns: QuerySet[Campaign] = Campaign.objects.filter(workspace=self.caller.workspace.pk).with_user_count()
        return campaigns.order_by("-created_at", "-pk")

    @operation(
        "campaign_list",
        "Campaigns",
        "The campaigns of the workspace",
        description="All of them, newest first, a page at a time. Filters narrow the list together.",
        answer=CampaignPage,
        scope=STATS_READ,
        filters=CampaignFilter,
        pages=NumberedPages,
    )
    def list(self, request: Request) -> Response:
        return self.page(request, CampaignFilter, NumberedPages, self.get_queryset(), self._json)

    @operation(
        "campaign_get",
        "Campaigns",
        "One campaign",
        description="What it is and how many users carry it now. Its clicks are in its performance.",
        answer=CampaignItem,
        scope=STATS_READ,
    )
    def retrieve(self, request: Request, campaignPublicId: str) -> Response:  # the name in the path
        return Response(
            self._json(self.one(request, "campaign", public_ids.CAMPAIGN, campaignPublicId, self.get_queryset()))
        )

    @tool_operation("stats_get_campaign_performance")
    @action(detail=True)
    def performance(self, request: Request, campaignPublicId: str) -> Response:
        return self.call_tool("stats_get_campaign_performance", request, campaignPublicId=campaignPublicId)

    def _json(self, campaign: Campaign) -> Json:
        return campaign_json(campaign, self.caller.workspace.today(now()))


class UserViewSet(StatsViewSet):
    """The users of the workspace."""

    lookup_url_kwarg = "userPublicId"
    scopes = {"list": STATS_READ, "retrieve": STATS_READ}
    limited = {"list": "lists", "retrieve": "lists"}

    def get_queryset(self) -> QuerySet[WorkspaceUser]:
        users: QuerySet[WorkspaceUser] = WorkspaceUser.objects.filter(
            workspace=self.caller.workspace.pk
        ).with_alias_count()
        return users.order_by("-created_at", "-pk")

    @operation(
        "user_list",
        "Users",
        "The users of the workspace",
        description="All of them, newest first, a page at a time. Filters narrow the list together.",
        answer=UserPage,
        scope=STATS_READ,
        filters=UserFilter,
        pages=NumberedPages,
    )
    def list(self, request: Request) -> Response:
        return self.page(request, UserFilter, NumberedPages, self.get_queryset(), user_json)

    @operation(
        "user_get",
        "Users",
        "One user",
        description="Who it is and how many aliases are attached now. The user's clicks are in the metrics.",
        answer=UserItem,
        scope=STATS_READ,
    )
    def retrieve(self, request: Request, userPublicId: str) -> Response:
        return Response(user_json(self.one(request, "user", public_ids.USER, userPublicId, self.get_queryset())))

    @tool_operation("stats_get_user_metrics")
    @action(detail=True)
    def metrics(self, request: Request, userPublicId: str) -> Response:
        return self.call_tool("stats_get_user_metrics", request, userPublicId=userPublicId)


class ClickViewSet(StatsViewSet):
    """The clicks of the workspace: listed, and taken in."""

    scopes = {"list": CLICKS_READ, "create": CLICKS_WRITE}
    limited = {"list": "lists", "create": "ingest"}

    def get_queryset(self) -> QuerySet[Click]:
        clicks = Click.objects.filter(workspace=self.caller.workspace.pk)
        return clicks.annotate(campaign_public_id=F("campaign__public_id"), user_public_id=F("user__public_id")).defer(
            "visitor"
        )

    @operation(
        "click_list",
        "Clicks",
        "Single clicks",
        description="Newest first, with whatever verdict, a page at a time. Follow next until it is null: each click "
        "stands on exactly one page, also while new ones come in. Clicks whose days have been pruned are not listed; "
        "their counts stay.",
        answer=ClickPage,
        scope=CLICKS_READ,
        filters=ClickFilter,
        pages=KeyedPages,
    )
    def list(self, request: Request) -> Response:
        return self.page(request, ClickFilter, KeyedPages, self.get_queryset(), click_json)

    @operation(
        "click_ingest",
        "Clicks",
        "Send clicks in",
        description="One click, or up to 10,000 at once, in at most 5 MiB. A click that is wrong is reported by its "
        "position and the right ones around it are stored; a single wrong click, too, is a 200 with one rejection. "
        "Only a body that is no click and no list of clicks is a 400. With an id on each click, sending the same "
        "again after a failure counts nothing twice. Clicks for paused campaigns and inactive users count.",
        answer=IngestAnswer,
        scope=CLICKS_WRITE,
        body=(NewClick, NewClicks),
    )
    def create(self, request: Request) -> Response:
        errors = [unknown_parameter(name, []) for name in single_values(request)]
        if errors:
            raise InvalidParameters(errors)
        # DRF takes a missing body for an empty object, and one sent in chunks for a missing one.
        if request.META.get("CONTENT_LENGTH") in (None, "", "0"):
            raise wrong_body("body is missing, or was sent without a Content-Length.")
        items = clicks_of(request.data)
        result = record_clicks(self.caller.workspace, items, now=now())
        rejected = [{"index": wrong.index, **_named_as_sent(wrong, items).as_dict()} for wrong in result.rejected]
        return Response({"accepted": result.accepted, "duplicates": result.duplicates, "rejected": rejected})


def _named_as_sent(wrong: Rejection, items: Sequence[ClickInput | FieldError]) -> FieldError:
    """The error with the field's name in JSON; what was found wrong while parsing has it already."""
    item = items[wrong.index]
    if isinstance(item, FieldError):
        return item
    return FieldError(wrong.field, wrong.code, wrong.message).renamed(outside_name(wrong.field))
