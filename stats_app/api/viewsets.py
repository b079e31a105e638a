"""The base classes of the viewsets: what holds for every request to the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, cast

from django.http import HttpRequest
from django.utils.timezone import now
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from stats_app import limits, public_ids, store, tools
from stats_app.api.authentication import ApiKeyAuthentication
from stats_app.api.filters import StrictFilterBackend
from stats_app.api.pagination import StrictPagination
from stats_app.api.parsers import Batch, Item, JsonParser
from stats_app.api.problems import limit_headers, problem_response
from stats_app.api.query import body_errors, single_values
from stats_app.api.renderers import JsonRenderer, OnlyJson
from stats_app.api.schema import Operation, OperationSchema
from stats_app.bodies import Repeated
from stats_app.conf import conf
from stats_app.errors import FieldError, InvalidParameters, NotFound, shown
from stats_app.keys import HEADER, Caller
from stats_app.models.audit import REST
from stats_app.outages import without_transaction
from stats_app.parameters import unknown_parameter

LIMITS: dict[str, Callable[[], int | None]] = {
    "lists": lambda: conf.list_rate_limit,
    "ingest": lambda: conf.ingest_rate_limit,
    "directory": lambda: conf.directory_rate_limit,
}


class StatsViewSet(GenericViewSet[Any]):
    """The base class of the viewsets. It sets everything that the host's `REST_FRAMEWORK` settings could change.

    `operations` describes each action, with the scope that the key needs and the rate limit in `LIMITS` that the call
    counts for. Tools check both in `tools.call`, which also audits refused calls. `batch` describes the body.
    """

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = []
    throttle_classes = []
    renderer_classes = [JsonRenderer]
    parser_classes = [JsonParser]
    filter_backends = [StrictFilterBackend]
    pagination_class: type[StrictPagination] | None = None
    content_negotiation_class = OnlyJson
    versioning_class = None
    schema = OperationSchema()
    metadata_class = None
    http_method_names = ["get", "head", "post"]
    lookup_value_regex = "[^/]+"

    operations: ClassVar[Mapping[str, Operation]] = {}
    batch: ClassVar[Batch]
    now: datetime

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        return without_transaction(super().as_view(*args, **kwargs))

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return problem_response

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed_methods), "Cache-Control": "private, no-store", "Vary": HEADER}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Without Content-Length DRF would treat the body as empty, and would not call the parser.
        wrapped = super().initialize_request(request, *args, **kwargs)
        wrapped._stream = request  # type: ignore[assignment]  # it is read like a file
        return wrapped

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = now()
        super().initial(request, *args, **kwargs)

    @property
    def caller(self) -> Caller:
        # Always set: the authentication class refuses requests without a valid key.
        return cast(Caller, self.request.auth)

    @property
    def checked_operation(self) -> Operation | None:
        """The operation, if the view has to check its scope and limit; None for a tool or an unsupported method."""
        described = self.operations.get(self.action or "")
        return None if described is None or described.tool is not None else described

    def check_permissions(self, request: Request) -> None:
        if self.checked_operation is not None:
            self.caller.require(self.checked_operation.scope)

    def check_throttles(self, request: Request) -> None:
        if self.checked_operation is not None:
            name = self.checked_operation.limit
            self.allowance = limits.take(self.caller.api_key_id, name, LIMITS[name](), self.now)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        for name, value in limit_headers(getattr(self, "allowance", None)).items():
            response.headers.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)

    def new_items(self, request: Request, make: Callable[[dict[str, Any]], Item]) -> list[Item | FieldError]:
        """The items of the body, made by `make`, with an error in place of a wrong one. Raises InvalidParameters."""
        errors = [unknown_parameter(name, []) for name in single_values(request)]
        if errors:
            raise InvalidParameters(errors)
        return self.batch.items_of(request.data, make)

    def call_tool(self, name: str, request: Request, **path: str) -> Response:
        """Calls a tool with the query string, and with the parameters in the path."""
        arguments = single_values(request)
        for key, value in path.items():
            arguments[key] = Repeated([arguments[key], value]) if key in arguments else value

        def refuse_body(values: tools.Values) -> None:
            if errors := body_errors(request):
                raise InvalidParameters(errors)

        client = request.headers.get("User-Agent", "")
        result = tools.call(name, self.caller, arguments, surface=REST, client=client, now=self.now, rule=refuse_body)
        return Response(result.body, headers=limit_headers(result.allowance))


class ListMixin(ListModelMixin):
    """DRF's list, with a page and a number of rows that are of the same moment."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with store.of_one_moment():
            return super().list(request, *args, **kwargs)


class ObjectViewSet(StatsViewSet):
    """A viewset of rows that have public ids with the prefix `id_prefix`."""

    id_prefix: ClassVar[str]

    def get_object(self) -> Any:
        """The workspace's row with the public id in the path. Raises InvalidParameters and NotFound."""
        name = self.lookup_url_kwarg or ""
        public_id = self.kwargs[name]
        errors = [unknown_parameter(given, []) for given in single_values(self.request)] + body_errors(self.request)
        if not public_ids.is_public_id(public_id, self.id_prefix):
            message = f"{name} {public_ids.rule(self.id_prefix)}, not {shown(public_id)}."
            errors.append(FieldError(name, "invalid", message))
        if errors:
            raise InvalidParameters(errors)
        row = self.get_queryset().filter(public_id=public_id).first()
        if row is None:
            raise NotFound(self.basename or "", public_id)
        return row
