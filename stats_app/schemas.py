"""JSON Schemas of what the tools take and answer, read off their declarations.

REST puts them into its OpenAPI document and MCP into its list of tools, so that the two cannot differ. They are JSON
Schema 2020-12, the dialect of OpenAPI 3.1. Every object is closed: what is not declared is not there.
"""

# drf-spectacular leaves most of what it lets one override without types.
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
from rest_framework import serializers

from stats_app import public_ids
from stats_app.parameters import ChoiceParameter, CountParameter, PublicIdParameter, SearchParameter
from stats_app.tools import Tool
from stats_app.words import SEARCH_LENGTH

Json = dict[str, Any]

OPENAPI_VERSION = "3.1.1"

# Every setting of drf-spectacular's that shapes a schema, so that the host's own have no part in ours.
_SETTINGS = {
    **{
        name: value
        for name, value in SPECTACULAR_DEFAULTS.items()
        if not name.startswith("SERVE_") and name != "DEFAULT_GENERATOR_CLASS"
    },
    "OAS_VERSION": OPENAPI_VERSION,
    # Enums stay where they are used. As components their names would be guessed from the fields'.
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
}
_LOCK = Lock()


@contextmanager
def own_settings(**more: Any) -> Iterator[None]:
    """drf-spectacular under our settings and in English. One thread at a time: its settings belong to the process."""
    with _LOCK, patched_settings(_SETTINGS | more), translation.override("en"):
        yield


class ClosedSchema(AutoSchema):
    """Reads a declaration as a closed object, and knows the parameters' own kinds of fields."""

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
                # Only drf-spectacular's own postprocessing of enums, which is off, has a use for it.
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
    """The JSON Schema of a tool's arguments for assistants, complete in itself. The caller may change it: it is a copy.

    It holds only what the makers of models take: Gemini refuses closed objects, lists of types and most formats, strict
    calls of OpenAI's refuse defaults and lengths, and make every argument required. So the texts and patterns say it
    all, and an optional argument has a value that says that it is not given.
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
    """The JSON Schema of a tool's answer, complete in itself. The caller may change it: it is a copy."""
    return copy.deepcopy(_whole_schema(tool.answer, "response"))


@cache
def _whole_schema(declaration: type[serializers.Serializer[Any]], direction: str) -> Json:
    reader = ClosedSchema()
    reader.registry = ComponentRegistry()
    with own_settings():
        # A context of its own, because drf-spectacular would take it from a view, and here is none.
        component = reader.resolve_serializer(declaration(context={"view": None}), direction)  # type: ignore[arg-type]
        components = reader.registry.build({})["schemas"]
    whole: Json = inlined(component.schema, components)
    # The texts about the declarations are for readers of the code; the tool has its own.
    whole.pop("description", None)
    return whole


def inlined(schema: Any, components: Json) -> Any:
    """The schema with each `$ref` to `#/components/schemas/` replaced by what it names."""
    if isinstance(schema, list):
        return [inlined(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return inlined(components[schema["$ref"].rpartition("/")[2]], components)
    result = {key: inlined(value, components) for key, value in schema.items()}
    return _without_wrapping(result)


def _without_wrapping(schema: Json) -> Json:
    """What drf-spectacular wraps around a `$ref`, for a text beside it or for null, said without it."""
    rest = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf")}
    match schema:
        case {"allOf": [dict(inner)]}:
            return inner | rest
        case {"oneOf": [{"type": str(kind)} as inner, {"type": "null"}]}:
            return {**inner, "type": [kind, "null"], **rest}
    return schema
