"""JSON Schemas of the tools' parameters and answers, made from their declarations.

REST uses them in its OpenAPI document and MCP in its list of tools, so that the two cannot differ. They are JSON Schema
2020-12, the dialect of OpenAPI 3.1. No object allows undeclared properties.
"""

# Most methods of drf-spectacular have no type annotations.
# mypy: allow-untyped-calls

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from django.utils import translation
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, append_meta
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.utils import Direction
from rest_framework import serializers

from stats_app import public_ids
from stats_app.parameters import ChoiceParameter, CountParameter, PublicIdParameter, SearchParameter
from stats_app.tools import Tool
from stats_app.words import SEARCH_LENGTH

Json = dict[str, Any]

OPENAPI_VERSION = "3.1.1"

# All settings of drf-spectacular that influence a schema, so that the host's own settings do not change ours.
_SETTINGS = {
    **{
        name: value
        for name, value in SPECTACULAR_DEFAULTS.items()
        if not name.startswith("SERVE_") and name != "DEFAULT_GENERATOR_CLASS"
    },
    "OAS_VERSION": OPENAPI_VERSION,
    # Enums stay inline. As components they would get names that are guessed from the fields' names.
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
}
_LOCK = Lock()


@contextmanager
def own_settings(**more: Any) -> Iterator[None]:
    """Runs drf-spectacular with our settings, in English. One thread at a time, because its settings are global."""
    with _LOCK, patched_settings(_SETTINGS | more), translation.override("en"):
        yield


class ClosedSchema(AutoSchema):
    """Makes objects without undeclared properties, and supports the special fields of the parameters."""

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        match field:
            case ChoiceParameter():
                schema: Json = {"type": "string", "enum": list(field.words)}
            case PublicIdParameter():
                schema = {"type": "string", "pattern": public_ids.pattern(field.prefix)}
            case SearchParameter():
                schema = {"type": "string", "maxLength": SEARCH_LENGTH}
            case CountParameter():
                schema = {"type": "integer", "minimum": 1, "maximum": field.max_value}
            case _:
                schema = super()._map_serializer_field(field, direction, bypass_extensions)
                # Only needed by drf-spectacular's postprocessing of enums, which is off.
                schema.pop("x-spec-enum-id", None)
                return schema
        return append_meta(schema, self._get_serializer_field_meta(field, direction))

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Json:
        schema: Json = super()._map_basic_serializer(serializer, direction)
        return schema | {"additionalProperties": False}

    def _insert_field_validators(self, field: Any, schema: Json) -> None:
        super()._insert_field_validators(field, schema)
        if isinstance(field, serializers.ListField) and field.max_length is not None:
            schema["maxItems"] = field.max_length


def input_schema(tool: Tool) -> Json:
    """The JSON Schema of a tool's arguments for assistants, without references. It is a copy, so it may be changed.

    It only uses keywords that all providers of language models support. Gemini refuses closed objects, lists of types
    and most formats. OpenAI's strict calls refuse defaults and lengths, and make every argument required. So these
    rules are in descriptions and patterns, and an optional argument has a value that means that it is not given.
    """
    whole = copy.deepcopy(_whole_schema(tool.parameters, "request"))
    fields = tool.parameters().fields
    properties = {name: _for_assistants(fields[name], schema) for name, schema in whole["properties"].items()}
    return {name: value for name, value in whole.items() if name not in _NOT_TAKEN} | {"properties": properties}


_NOT_TAKEN = ("additionalProperties", "default", "format", "maxLength")


def _for_assistants(field: Any, schema: Json) -> Json:
    taken = {name: value for name, value in schema.items() if name not in _NOT_TAKEN}
    if field.required:
        return taken
    if field.no_choice:
        taken["enum"] = [*taken["enum"], field.no_choice]
    elif "pattern" in taken:
        taken["pattern"] = f"^({taken['pattern'].strip('^$')})?$"
    if taken["type"] == "string" and "enum" not in taken:
        taken["description"] += ' Leave it out, or give "", if you do not need it.'
    return taken


def output_schema(tool: Tool) -> Json:
    """The JSON Schema of a tool's answer, without references. It is a copy, so it may be changed."""
    return copy.deepcopy(_whole_schema(tool.answer, "response"))


@cache
def _whole_schema(declaration: type[serializers.Serializer[Any]], direction: Direction) -> Json:
    reader = ClosedSchema()
    reader.registry = ComponentRegistry()
    with own_settings():
        # With a context, because otherwise drf-spectacular would take it from a view, and there is none.
        component = reader.resolve_serializer(declaration(context={"view": None}), direction)
        components = reader.registry.build({})["schemas"]
    whole: Json = inlined(component.schema, components)
    # The docstrings of declarations are for readers of the code. The tool has its own description.
    whole.pop("description", None)
    return whole


def inlined(schema: Any, components: Json) -> Any:
    """The schema with each `$ref` to `#/components/schemas/` replaced by that schema."""
    if isinstance(schema, list):
        return [inlined(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return inlined(components[schema["$ref"].rpartition("/")[2]], components)
    result = {key: inlined(value, components) for key, value in schema.items()}
    return _without_wrapping(result)


def _without_wrapping(schema: Json) -> Json:
    """The schema without the wrapper that drf-spectacular puts around a `$ref` to add a description or null."""
    rest = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf")}
    match schema:
        case {"allOf": [dict(inner)]}:
            return inner | rest
        case {"oneOf": [{"type": str(kind)} as inner, {"type": "null"}]}:
            return {**inner, "type": [kind, "null"], **rest}
    return schema
