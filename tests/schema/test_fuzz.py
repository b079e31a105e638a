"""Every operation of the OpenAPI document under generated requests, right and wrong: the API does what it says.

Slow, and so a run of its own: `pytest tests/schema -n auto`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import hypothesis
import pytest
import pytest_django
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from jsonschema import Draft202012Validator
from schemathesis.config import SchemathesisConfig

from stats_app import public_ids
from stats_app.ingest import ClickInput
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record
from tests.rest import BASE, CLICKS, get

EXAMPLES = 200

# Where a check does not fit an operation: {operation: {check: why}}. Everything else is checked everywhere.
EXCLUDED = {
    "user_save": {"negative_data_rejection": "a wrong user is no error: it is named in a 200"},
    "campaign_save": {"negative_data_rejection": "a wrong campaign is no error: it is named in a 200"},
    "link_create": {"negative_data_rejection": "a wrong link is no error: it is named in a 200"},
    "click_ingest": {
        # test_it_does_what_it_says holds what was accepted against the document itself.
        "negative_data_rejection": "a wrong click is no error: it is named in a 200, and the right ones are stored",
    },
}

CONFIG = SchemathesisConfig.from_dict(
    {
        # The same requests in each run, so that a change is judged by what it changed.
        "generation": {
            "max-examples": EXAMPLES,
            "deterministic": True,
            "database": "none",
            # Requests carry our key. Those without one, and with a wrong one, are the check `ignored_auth`.
            "with-security-parameters": False,
        },
        "operations": [
            {"include-operation-id": operation_id, "checks": {check: {"enabled": False} for check in checks}}
            for operation_id, checks in EXCLUDED.items()
        ],
    }
)
api = schemathesis.openapi.from_wsgi(f"{BASE}schema/", get_wsgi_application(), config=CONFIG)


class Known(NamedTuple):
    """A key, and values that only a workspace can give."""

    secret: str
    values: dict[str, str]


@contextmanager
def kept_connection() -> Iterator[None]:
    """Django ends its connections with each request, and a test's transaction with them; its test client takes care."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def known(db: None, settings: pytest_django.Settings) -> Iterator[Known]:
    """A key with all scopes and no rate limit, in a workspace with a few rows of each kind."""
    settings.STATS_APP = {"RATE_LIMIT": None, "LIST_RATE_LIMIT": None}
    workspace = make_workspace(timezone="Europe/Paris")
    campaign, user = make_campaign(workspace), make_user(workspace)
    assign(campaign, user)
    make_alias(user)
    at = datetime(2026, 3, 9, 12, tzinfo=UTC)
    record(workspace, *(ClickInput("campaign", campaign=campaign, user=user, clicked_at=at) for _ in range(3)))
    record(workspace, ClickInput("vcard", user=user, clicked_at=at), ClickInput("other", clicked_at=at))
    secret = make_key(workspace)
    [cursor] = parse_qs(urlsplit(json.loads(get(secret, CLICKS, {"pageSize": 2}).content)["next"]).query)["cursor"]
    values = {
        "campaignPublicId": campaign.public_id,
        "userPublicId": user.public_id,
        "workspacePublicId": workspace.public_id,
        "cursor": cursor,
    }
    with kept_connection():
        yield Known(secret, values)


def make_meaningful(values: dict[str, Any], known: Known) -> None:
    """Replaces well-formed ids and cursors by existing ones, which random data would never hit. Others stay."""
    for name in values.keys() & known.values.keys():
        value = str(values[name])
        # Some ids stay unknown. Only cursors from an answer are valid.
        if (public_ids.is_public_id(value[-26:]) and value[-1] not in "01234567") or (
            name == "cursor" and re.fullmatch("[A-Za-z0-9_-]+", value)
        ):
            values[name] = known.values[name]
    if isinstance(values.get("from"), str) and isinstance(values.get("to"), str):
        try:
            first, last = sorted(date.fromisoformat(values[name]) for name in ("from", "to"))
        except ValueError:
            return
        # No schema can say that one date comes before another, nor how far apart they may lie.
        values |= {"from": str(first), "to": str(min(last, first + timedelta(days=3659)))}


def clicks_in(body: Any) -> list[Any]:
    """The clicks of a body, of whatever form."""
    clicks = body.get("clicks", [body]) if isinstance(body, dict) else []
    return clicks if isinstance(clicks, list) else []


def assert_valid_if_accepted(answer: dict[str, Any], sent: list[Any]) -> None:
    """No click that was sent in and not rejected differs from the document."""
    schemas = api.raw_schema["components"]["schemas"]
    validator = Draft202012Validator(schemas["NewClick"])
    rejected = {item["index"] for item in answer["rejected"]}
    assert [item for index, item in enumerate(sent) if index not in rejected and not validator.is_valid(item)] == []
    assert answer["accepted"] + answer["duplicates"] + len(rejected) == len(sent)


# The rows are made once for all requests to an operation: it is to answer whatever others left behind.
@api.parametrize()
@hypothesis.settings(
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow]
)
def test_it_does_what_it_says(case: schemathesis.Case, known: Known) -> None:
    make_meaningful(case.path_parameters, known)
    make_meaningful(case.query, known)
    clicks = clicks_in(case.body)
    for click in clicks:
        if isinstance(click, dict):
            make_meaningful(click, known)
    response = case.call_and_validate(headers={"x-api-key": known.secret})
    if case.operation.definition.raw["operationId"] == "click_ingest" and response.status_code == 200:
        assert_valid_if_accepted(response.json(), clicks)
