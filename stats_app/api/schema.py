"""Making the OpenAPI document with drf-spectacular.

A viewset's `operations` describe each action. Parameters, bodies and answers are read from the declarations that the
code itself uses, so nothing is written twice. The host need not configure drf-spectacular. If it has an OpenAPI
document of its own, our operations are left out of it.
"""

# Most methods of drf-spectacular have no type annotations.
# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import uritemplate
from django.urls import URLPattern, URLResolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

import stats_app
from stats_app.api import examples
from stats_app.api.problems import CONTENT_TYPE, PROBLEMS, URN
from stats_app.api.texts import DESCRIPTION, HEADERS, ID_SOURCES, PROBLEM_MEANINGS, TAGS, TITLE
from stats_app.errors import FIELD_CODES
from stats_app.keys import HEADER
from stats_app.models.api_keys import STATS_READ
from stats_app.parameters import Parameters
from stats_app.schemas import ClosedSchema, own_settings
from stats_app.tools import TOOLS, Tool

Json = dict[str, Any]
Declaration = type[serializers.Serializer[Any]]

SECURITY_SCHEME = "apiKey"

_RATE_LIMIT_HEADERS = ("RateLimit-Policy", "RateLimit")
# The headers that an error always has. An operation with a rate limit adds those of the limit.
_HEADERS_OF = {
    "not_authenticated": ("WWW-Authenticate",),
    "rate_limited": ("Retry-After",),
    "unavailable": ("Retry-After",),
}
_BEFORE_THE_LIMIT = ("not_authenticated", "permission_denied")


class FieldProblem(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="The name of the wrong parameter, or of the wrong field of the body.")
    code = serializers.ChoiceField(FIELD_CODES)
    message = serializers.CharField(help_text="A sentence with the rule and the value.")


@dataclass(frozen=True, slots=True)
class Operation:
    """An action of a viewset, for the OpenAPI document and for the checks before the action runs.

    - `scope`: the scope that the API key needs
    - `limit`: the name of the rate limit that a call counts for
    - `answer`: the serializer of the answer, if it is not the viewset's
    - `body`: the possible forms of the body
    - `tool`: the tool behind the action, if any; it has the parameters
    - `codes`: the error codes that do not follow from the other fields
    """

    operation_id: str
    tag: str
    summary: str
    description: str
    scope: str
    limit: str
    answer: Declaration | None = None
    body: tuple[Declaration, ...] = ()
    tool: Tool | None = None
    codes: tuple[str, ...] = ()


def tool_operation(name: str, codes: tuple[str, ...] = ()) -> Operation:
    """The operation for a tool, made from the tool's declaration."""
    tool = TOOLS[name]
    return Operation(
        name, "Statistics", tool.title, tool.description, STATS_READ, name, answer=tool.answer, tool=tool, codes=codes
    )


class OwnRegistry(ComponentRegistry):
    """The components of our document. Its type tells `OperationSchema` that our document is being made."""


class OwnGenerator(SchemaGenerator):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.registry = OwnRegistry()


class OperationSchema(ClosedSchema):
    """Describes an action from its `Operation`, and a list also from its serializer, filters and pagination."""

    def is_excluded(self) -> bool:
        # A host's document may be OpenAPI 3.0, which has no type null, or may fail on a warning about duplicate names.
        return not isinstance(self.registry, OwnRegistry)

    view: Any  # a StatsViewSet

    @property
    def operation(self) -> Operation:
        described: Operation = self.view.operations[self.view.action]
        return described

    def get_operation_id(self) -> str:
        return self.operation.operation_id

    def get_tags(self) -> list[str]:
        return [self.operation.tag]

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular overrides it
        return f"{self.operation.description}\n\nNeeds the scope `{self.operation.scope}`."

    def get_auth(self) -> list[Json]:
        scheme = {
            "type": "apiKey",
            "in": "header",
            "name": HEADER,
            "description": "The API key: it begins with sk_ and opens one workspace.",
        }
        self._register(ResolvedComponent.SECURITY_SCHEMA, SECURITY_SCHEME, scheme)
        return [{SECURITY_SCHEME: [self.operation.scope]}]

    def get_override_parameters(self) -> list[OpenApiParameter]:  # type: ignore[override]  # a list of fewer types
        return [*self._declared_parameters()]

    def get_request_serializer(self) -> Any:
        forms = [self.resolve_serializer(form, "request").ref for form in self.operation.body]
        return {"application/json": {"oneOf": forms}} if forms else None

    def get_response_serializers(self) -> Any:
        description = "Also when some or all of the items were rejected." if self.operation.body else "The answer."
        return {200: OpenApiResponse(self.operation.answer or self.view.serializer_class, description)}

    def get_examples(self) -> list[OpenApiExample]:
        return [
            OpenApiExample(title, value=value, request_only=is_request, response_only=not is_request)
            for title, value, is_request in examples.of(self.operation.operation_id)
        ]

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _is_list_view(self, serializer: Any = None) -> bool:
        return bool(self.view.action == "list")

    def _get_filter_parameters(self) -> list[Json]:
        if not self._is_list_view():
            return []
        return [
            {
                "name": name,
                "in": "query",
                "schema": declared.field.schema,
                "description": declared.extra["help_text"],
            }
            for name, declared in self.view.filterset_class.base_filters.items()
        ]

    def _get_request_body(self, direction: Any = "request") -> Json | None:
        body: Json | None = super()._get_request_body(direction)
        return body and body | {"required": True}

    def _get_response_bodies(self, direction: Any = "response") -> Json:
        responses: Json = super()._get_response_bodies(direction)
        responses["200"]["headers"] = self._headers(_RATE_LIMIT_HEADERS)
        by_status: dict[int, list[str]] = {}
        for code in self._codes():
            by_status.setdefault(PROBLEMS[code][0], []).append(code)
        return responses | {str(status): self._problem(status, codes) for status, codes in sorted(by_status.items())}

    def _declared_parameters(self) -> Iterable[OpenApiParameter]:
        """The parameters of the tool and of the path. Those of the path that this operation's tool lacks are declared
        by other tools."""
        in_path = uritemplate.variables(self.path)
        own = self._mapped(self.operation.tool.parameters) if self.operation.tool else {}
        for name in [*in_path, *(name for name in own if name not in in_path)]:
            schema, is_required = own.get(name) or self._any_tools(name)
            kept = {key: value for key, value in schema.items() if key != "description"}
            yield OpenApiParameter(
                name,
                kept,
                OpenApiParameter.PATH if name in in_path else OpenApiParameter.QUERY,
                required=is_required,
                description=f"{schema['description']} {ID_SOURCES.get(name, '')}".strip(),
                examples=_parameter_examples(name),
            )

    def _mapped(self, declaration: type[Parameters]) -> dict[str, tuple[Json, bool]]:
        """The schema of each parameter, and whether it is required."""
        mapped = self._map_serializer(declaration, "request")
        return {name: (schema, name in mapped.get("required", ())) for name, schema in mapped["properties"].items()}

    def _any_tools(self, name: str) -> tuple[Json, bool]:
        """The parameter with this name, from the first tool that has one."""
        return next(mapped[name] for tool in TOOLS.values() if name in (mapped := self._mapped(tool.parameters)))

    def _codes(self) -> list[str]:
        """The errors that the operation can answer with."""
        codes = ["invalid_parameters", "not_authenticated", "permission_denied", "rate_limited", "unavailable"]
        if uritemplate.variables(self.path):
            codes.append("not_found")
        if self.operation.body:
            codes += ["payload_too_large", "unsupported_media_type"]
        return [*codes, *self.operation.codes]

    def _problem(self, status: int, codes: list[str]) -> Json:
        """A reference to the response for these errors, which share a status."""
        headers = [name for code in codes for name in _HEADERS_OF.get(code, ())]
        if any(code not in _BEFORE_THE_LIMIT for code in codes) and "unavailable" not in codes:
            headers += _RATE_LIMIT_HEADERS
        name = "Or".join("".join(word.title() for word in code.split("_")) for code in codes)
        response = {
            "description": " ".join(PROBLEM_MEANINGS[code] for code in codes),
            "headers": self._headers(headers),
            "content": {
                CONTENT_TYPE: {
                    "schema": self._register("schemas", f"{name}Problem", self._problem_schema(status, codes)),
                    "examples": {code: {"value": examples.problem(code)} for code in codes},
                }
            },
        }
        return self._register("responses", name, {key: value for key, value in response.items() if value})

    def _problem_schema(self, status: int, codes: list[str]) -> Json:
        """The complete schema of an error: client generators cannot narrow a schema that all errors share."""
        properties: Json = {
            "type": _one_of([URN + code for code in codes], "The code as a URN."),
            "title": {"type": "string"},
            "status": {"type": "integer", "const": status, "description": "The HTTP status."},
            "detail": {"type": "string", "description": "A sentence for people."},
            "code": _one_of(codes, "Stable, for programs."),
        }
        if codes == ["invalid_parameters"]:
            wrong = self.resolve_serializer(FieldProblem, "response").ref
            properties["errors"] = {"type": "array", "items": wrong, "description": "Each wrong field."}
        return {
            "type": "object",
            "properties": properties,
            "required": [*properties],
            "additionalProperties": False,
        }

    def _headers(self, names: Iterable[str]) -> Json:
        return {
            name: self._register("headers", name, {"description": HEADERS[name][0], "schema": HEADERS[name][1]})
            for name in names
        }

    def _register(self, kind: str, name: str, schema: Json) -> Json:
        """Adds a part that is used several times to the components, and returns the reference to it."""
        self.registry.register_on_missing(ResolvedComponent(name, kind, schema, object=name))
        return {"$ref": f"#/components/{kind}/{name}"}


def _one_of(words: list[str], description: str) -> Json:
    rule: Json = {"const": words[0]} if len(words) == 1 else {"enum": words}
    return {"type": "string", **rule, "description": description}


def _parameter_examples(name: str) -> list[OpenApiExample]:
    value = examples.PARAMETERS.get(name)
    return [OpenApiExample(name, value=value)] if value else []


def document(patterns: Sequence[URLPattern | URLResolver], prefix: str = "/") -> Json:
    """The OpenAPI document of the operations at `patterns`, which are included under the path `prefix`.

    Do not change the result: its parts are cached and shared.
    """
    whole = _document(tuple(patterns))
    return whole | {"paths": {prefix.rstrip("/") + path: methods for path, methods in whole["paths"].items()}}


@cache
def _document(patterns: tuple[URLPattern | URLResolver, ...]) -> Json:
    """The document without a prefix. Cached by the patterns only, because there may be any number of prefixes."""
    settings = {
        "TITLE": TITLE,
        "DESCRIPTION": DESCRIPTION,
        "VERSION": stats_app.__version__,
        "TAGS": [{"name": name, "description": text} for name, text in TAGS.items()],
    }
    with own_settings(**settings):
        whole: Json = OwnGenerator(patterns=list(patterns)).get_schema(public=True)
    ordered = sorted(whole["paths"].items(), key=lambda item: _tag_number(item[1]))
    return whole | {"paths": {path: dict(sorted(methods.items())) for path, methods in ordered}}


def _tag_number(methods: Json) -> int:
    """The position of the tag of a path's operations among the tags."""
    return list(TAGS).index(next(iter(methods.values()))["tags"][0])
