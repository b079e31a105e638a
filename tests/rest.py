"""Calls to the REST API through its real addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.mcp.parity import hold_against_mcp

BASE = "/api/v1/"
OVERVIEW = f"{BASE}workspace/overview/"
CAMPAIGNS = f"{BASE}campaigns/"
USERS = f"{BASE}users/"
CLICKS = f"{BASE}clicks/"
LINKS = f"{BASE}links/"

Query = Mapping[str, Any] | str

NOT_AUTHENTICATED = {
    "type": "urn:stats-tools:problem:not_authenticated",
    "title": "Not authenticated",
    "status": 401,
    "detail": "A valid API key is required in the header x-api-key.",
    "code": "not_authenticated",
}


def get(secret: str | None, url: str, query: Query | None = None, **headers: str) -> HttpResponse:
    """A GET with the key in its header; `query` is a mapping or the query string as it is."""
    return request("GET", secret, url, query, **headers)


def ask_both(secret: str | None, url: str, query: Query | None = None, **headers: str) -> HttpResponse:
    """REST's answer to a tool's call. Also checks that MCP gives the same answer, in both versions of the protocol."""
    response = get(secret, url, query, **headers)
    hold_against_mcp(secret, url, query, response)
    return response


def request(
    method: str,
    secret: str | None,
    url: str,
    query: Query | None = None,
    *,
    body: bytes | str = b"",
    content_type: str = "application/json",
    **headers: str,
) -> HttpResponse:
    if secret is not None:
        headers["x-api-key"] = secret
    more: dict[str, Any] = {"QUERY_STRING": query} if isinstance(query, str) else {"query_params": query}
    # Unexpected errors must be answered, as on a server, and not raised in the test.
    client = Client(raise_request_exception=False)
    return client.generic(method, url, body, content_type, headers=headers, **more)


def post(secret: str | None, body: object, url: str = CLICKS, **more: Any) -> HttpResponse:
    """A POST with a body: bytes and text as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    return request("POST", secret, url, body=raw, **more)


def problem(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    """The body of an error."""
    return {
        "type": f"urn:stats-tools:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }


def invalid(*errors: tuple[str, str, str]) -> dict[str, Any]:
    """The body of a 400: `(field, code, message)` of each wrong field."""
    detail = " ".join(message for _, _, message in errors)
    listed = [{"field": field, "code": code, "message": message} for field, code, message in errors]
    return problem(400, "invalid_parameters", "Invalid parameters", detail) | {"errors": listed}


def not_found(kind: str, public_id: str) -> dict[str, Any]:
    return problem(404, "not_found", "Not found", f'No {kind} with the id "{public_id}" in this workspace.')


def assert_answer(response: HttpResponse, expected: dict[str, Any]) -> None:
    """Asserts that the answer is exactly this, with the keys in this order."""
    assert (response.status_code, response.json()) == (200, expected)
    assert json.dumps(response.json()) == json.dumps(expected), "the keys stand in another order"


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that run inside, without savepoints, which are transactions outside of tests.

    A statement that Django cannot show, such as a prepared one with bytes, is an empty text.
    """
    executed: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield executed
    texts = [query["sql"] or "" for query in queries]
    executed += [text for text in texts if "SAVEPOINT" not in text]
