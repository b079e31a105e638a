"""The API's documentation, readable without a key: the OpenAPI document, and a page made from it."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.http.request import HttpRequest
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.utils.text import slugify
from rest_framework.request import Request

from stats_app.api.problems import PROBLEMS
from stats_app.api.renderers import dumps
from stats_app.api.schema import document
from stats_app.api.texts import FIELD_MEANINGS, PROBLEM_MEANINGS
from stats_app.api.viewsets import StatsViewSet
from stats_app.keys import HEADER
from stats_app.schemas import inlined

Json = dict[str, Any]

CACHE_SECONDS = 300
# The rules of a JSON Schema in words, except the type.
_RULES = {
    "format": "{}",
    "pattern": "matches {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
    "maxItems": "at most {} items",
    "default": "default {}",
}


class DocsViewSet(StatsViewSet):
    """Needs no key and no database. `patterns` are the URL patterns of the operations described."""

    authentication_classes = []
    schema = None  # type: ignore[assignment]  # tells DRF to leave this view out of the document
    patterns: Sequence[URLPattern | URLResolver] = ()

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed_methods)}

    def openapi(self, request: Request) -> HttpResponseBase:
        described = document(self.patterns, _prefix(request, "schema"))
        return _cacheable(request, HttpResponse(dumps(described), content_type="application/json"))

    def page(self, request: Request) -> HttpResponseBase:
        prefix = _prefix(request, "docs")
        context = page_context(document(self.patterns, prefix), request.build_absolute_uri("/").rstrip("/"))
        html = get_template("stats_app/api/docs.html").render(context | {"schema_url": f"{prefix}schema/"})
        return _cacheable(request, HttpResponse(html))


def _prefix(request: Request, name: str) -> str:
    """The path that the API is included under: the request's path without `name`, and without a slash after it."""
    return request.path.rstrip("/").removesuffix(name)


def _cacheable(request: Request, response: HttpResponse) -> HttpResponseBase:
    """The response, or 304 if the caller already has the same one."""
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    response.headers["ETag"] = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    plain: HttpRequest = request._request
    return get_conditional_response(plain, etag=response.headers["ETag"], response=response) or response


def page_context(described: Json, origin: str) -> Json:
    """An OpenAPI document as the page shows it. `origin` comes before its paths, such as `https://example.com`."""
    introduction, *sections = described["info"]["description"].split("\n## ")
    operations = [
        _operation(path, method, operation, described["components"], origin)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    return {
        "title": described["info"]["title"],
        "version": described["info"]["version"],
        "introduction": _paragraphs(introduction),
        "sections": [_section(text) for text in sections],
        "groups": [
            {
                "name": tag["name"],
                "description": tag["description"],
                "operations": [operation for operation in operations if operation["tag"] == tag["name"]],
            }
            for tag in described["tags"]
        ],
        "problems": [
            {"code": code, "status": status, "title": title, "meaning": PROBLEM_MEANINGS[code]}
            for code, (status, title) in PROBLEMS.items()
        ],
        "field_codes": list(FIELD_MEANINGS.items()),
    }


def _section(text: str) -> Json:
    heading, _, rest = text.partition("\n\n")
    return {"heading": heading, "id": slugify(heading), "paragraphs": _paragraphs(rest)}


def _paragraphs(markdown: str) -> list[list[str]]:
    """The paragraphs of a text. Each is a list of pieces that are alternately plain text and code."""
    return [re.split("`([^`]+)`", paragraph) for paragraph in markdown.strip().split("\n\n")]


def _operation(path: str, method: str, operation: Json, components: Json, origin: str) -> Json:
    body = operation.get("requestBody")
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "summary": operation["summary"],
        "paragraphs": _paragraphs(operation["description"]),
        "method": method.upper(),
        "path": path,
        "parameters": [_parameter(parameter) for parameter in operation.get("parameters", ())],
        "bodies": [_form(schema, components) for schema in _content(body)["schema"]["oneOf"]] if body else [],
        "curl": _curl(path, operation, origin),
        "fields": _rows(_content(operation["responses"]["200"])["schema"], components),
        "examples": [
            {"title": example["summary"], "json": json.dumps(example["value"], indent=2)}
            for example in _content(operation["responses"]["200"]).get("examples", {}).values()
        ],
        "errors": [
            {"status": status, "codes": list(_content(response)["examples"]), "meaning": response["description"]}
            for status, response in _errors(operation, components)
        ],
    }


def _content(part: Json) -> Json:
    """The content of a body or a response. Each has exactly one media type here."""
    [content] = part["content"].values()
    return dict(content)


def _errors(operation: Json, components: Json) -> Iterator[tuple[str, Json]]:
    for status, response in operation["responses"].items():
        if "$ref" in response:
            yield status, components["responses"][response["$ref"].rpartition("/")[2]]


def _parameter(parameter: Json) -> Json:
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "is_required": parameter.get("required", False),
        "kind": _kind(parameter["schema"]),
        "description": parameter.get("description", ""),
    }


def _form(schema: Json, components: Json) -> Json:
    """One of the possible forms of a body."""
    whole = inlined(schema, components["schemas"])
    return {"description": whole["description"], "fields": _rows(schema, components)}


def _rows(schema: Json, components: Json) -> list[Json]:
    """The fields of a schema and of the objects inside it, in the order of the answer."""
    return list(_fields(inlined(schema, components["schemas"]), ""))


def _fields(schema: Json, path: str) -> Iterator[Json]:
    for name, inner in schema.get("properties", {}).items():
        yield {
            "path": path + name,
            "is_required": name in schema.get("required", ()),
            "kind": _kind(inner),
            "description": inner.get("description", ""),
        }
        yield from _fields(inner, f"{path}{name}.")
        yield from _fields(inner.get("items", {}), f"{path}{name}[].")


def _kind(schema: Json) -> str:
    """The type of a value and its rules in words."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = " or ".join(types)
    if "enum" in schema:
        kind = f"one of {', '.join('null' if value is None else str(value) for value in schema['enum'])}"
    elif "items" in schema:
        kind = f"{kind} of {schema['items']['type']}"
    # A format and its pattern say the same thing; people read the format more easily.
    told = schema.keys() - {"pattern"} if "format" in schema else schema.keys()
    rules = [rule.format(schema[name]) for name, rule in _RULES.items() if name in told]
    return ", ".join([kind, *rules])


def _curl(path: str, operation: Json, origin: str) -> str:
    """A call with curl to paste into a shell, with examples for all required parameters."""
    words = []
    for parameter in operation.get("parameters", ()):
        for example in parameter.get("examples", {}).values():
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", example["value"])
            elif parameter.get("required"):
                words.append(f"-d {parameter['name']}={example['value']}")
    if "requestBody" in operation:
        first = next(iter(_content(operation["requestBody"])["examples"].values()))
        words = ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(first['value'], indent=2))}"]
    elif words:
        words[0] = f"-G {words[0]}"
    return " \\\n  ".join([f"curl {shlex.quote(origin + path)}", f'-H "{HEADER}: $STATS_API_KEY"', *words])
