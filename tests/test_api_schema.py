"""`GET schema/` and `GET docs/`: what they say, and that the API answers accordingly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
import pytest_django
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.urls import include, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator, FormatChecker

from stats_app import schemas
from stats_app.api import schema, urls
from stats_app.api.problems import PROBLEMS
from stats_app.api.texts import FIELD_MEANINGS, PROBLEM_MEANINGS
from stats_app.errors import FIELD_CODES
from stats_app.ingest import ClickInput
from stats_app.tools import TOOLS
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record
from tests.rest import BASE, CAMPAIGNS, CLICKS, LINKS, OVERVIEW, USERS, get, post, request

SCHEMA = f"{BASE}schema/"
DOCS = f"{BASE}docs/"
CAMPAIGN = f"{CAMPAIGNS}{{campaignPublicId}}/"
USER = f"{USERS}{{userPublicId}}/"
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}

# For test_it_answers_under_another_prefix.
urlpatterns = [path("elsewhere/stats/", include("stats_app.api.urls"))]


@pytest.fixture
def _anew() -> Iterator[None]:
    """The document is made once in a process; here it is made for this test, and for the next one again."""
    schema._document.cache_clear()
    yield
    schema._document.cache_clear()


def document() -> dict[str, Any]:
    answer: dict[str, Any] = get(None, SCHEMA).json()
    return answer


def operations() -> dict[str, dict[str, Any]]:
    """Each operation by its id."""
    return {
        operation["operationId"]: operation
        for methods in document()["paths"].values()
        for operation in methods.values()
    }


@pytest.mark.usefixtures("_anew")
def test_it_is_openapi_3_1_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    whole = document()
    assert whole["openapi"] == "3.1.1"
    validate_schema(whole)
    assert not GENERATOR_STATS
    assert capsys.readouterr() == ("", "")


def test_it_names_each_operation() -> None:
    named = {
        (method, url): operation["operationId"]
        for url, methods in document()["paths"].items()
        for method, operation in methods.items()
    }
    assert named == {
        ("get", OVERVIEW): "stats_get_workspace_overview",
        ("get", f"{CAMPAIGN}performance/"): "stats_get_campaign_performance",
        ("get", f"{USER}metrics/"): "stats_get_user_metrics",
        ("get", CAMPAIGNS): "campaign_list",
        ("get", CAMPAIGN): "campaign_get",
        ("get", USERS): "user_list",
        ("get", USER): "user_get",
        ("get", CLICKS): "click_list",
        ("post", CLICKS): "click_ingest",
        ("get", LINKS): "link_list",
        ("post", LINKS): "link_create",
        ("post", CAMPAIGNS): "campaign_save",
        ("post", USERS): "user_save",
    }


def test_it_has_every_address_and_method_of_the_api() -> None:
    routed = {
        (method, BASE + re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", str(pattern.pattern)).strip("^$").rstrip("/") + "/")
        for pattern in [*urls.router.urls, *urls.bare_router.urls]
        for method in pattern.callback.actions
        if method != "head"
    }
    assert {(method, url) for url, methods in document()["paths"].items() for method in methods} == routed


def test_each_operation_says_what_it_can_answer() -> None:
    reading = {"200", "400", "401", "403", "429", "503"}
    assert {name: set(operation["responses"]) for name, operation in operations().items()} == {
        "stats_get_workspace_overview": reading,
        "stats_get_campaign_performance": reading | {"404"},
        "stats_get_user_metrics": reading | {"404"},
        "campaign_list": reading,
        "campaign_get": reading | {"404"},
        "user_list": reading,
        "user_get": reading | {"404"},
        "click_list": reading,
        "click_ingest": reading | {"413", "415"},
        "link_list": reading,
        "link_create": reading | {"413", "415"},
        "campaign_save": reading | {"413", "415"},
        "user_save": reading | {"413", "415"},
    }


def test_each_operation_names_its_scope() -> None:
    [scheme] = document()["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "x-api-key")
    scopes = {name: operation["security"] for name, operation in operations().items()}
    reading = [{"apiKey": ["stats:read"]}]
    assert scopes == {
        "stats_get_workspace_overview": reading,
        "stats_get_campaign_performance": reading,
        "stats_get_user_metrics": reading,
        "campaign_list": reading,
        "campaign_get": reading,
        "user_list": reading,
        "user_get": reading,
        "click_list": [{"apiKey": ["clicks:read"]}],
        "click_ingest": [{"apiKey": ["clicks:write"]}],
        "link_list": [{"apiKey": ["links:read"]}],
        "link_create": [{"apiKey": ["links:write"]}],
        "campaign_save": [{"apiKey": ["directory:write"]}],
        "user_save": [{"apiKey": ["directory:write"]}],
    }


def test_every_parameter_says_what_it_is() -> None:
    parameters = [parameter for operation in operations().values() for parameter in operation.get("parameters", ())]
    assert [parameter["name"] for parameter in parameters if not parameter.get("description")] == []
    rules = {"enum", "pattern", "minimum", "maximum"}
    assert [parameter["name"] for parameter in parameters if not rules & parameter["schema"].keys()] == []


def test_a_limit_says_its_headers() -> None:
    limited = document()["components"]["responses"]["RateLimited"]
    assert set(limited["headers"]) == {"Retry-After", "RateLimit-Policy", "RateLimit"}
    assert set(operations()["campaign_list"]["responses"]["200"]["headers"]) == {"RateLimit-Policy", "RateLimit"}


def test_the_body_of_clicks_is_one_click_or_many() -> None:
    components = document()["components"]["schemas"]
    body = operations()["click_ingest"]["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"] == {
        "oneOf": [{"$ref": "#/components/schemas/NewClick"}, {"$ref": "#/components/schemas/NewClicks"}]
    }
    assert components["NewClick"]["additionalProperties"] is False
    assert components["NewClick"]["required"] == ["kind"]
    assert list(components["NewClick"]["properties"]) == [
        "id", "kind", "campaignPublicId", "userPublicId", "alias", "clickedAt", "verdict", "reason",
    ]  # fmt: skip
    assert components["NewClicks"] == {
        "type": "object",
        "description": "Many clicks at once.",
        "properties": {
            "clicks": {"type": "array", "items": {"$ref": "#/components/schemas/NewClick"}, "maxItems": 10_000}
        },
        "required": ["clicks"],
        "additionalProperties": False,
    }


def test_the_body_of_people_and_campaigns_is_one_or_many() -> None:
    components = document()["components"]["schemas"]
    for one, many, fields in (
        ("User", "users", ["publicId", "externalId", "email", "displayName", "isActive", "aliases"]),
        (
            "Campaign",
            "campaigns",
            ["publicId", "externalId", "name", "targetUrl", "startDate", "endDate", "isPaused", "assignedUsers"],
        ),
    ):
        body = operations()[f"{one.lower()}_save"]["requestBody"]
        assert body["content"]["application/json"]["schema"] == {
            "oneOf": [{"$ref": f"#/components/schemas/New{one}"}, {"$ref": f"#/components/schemas/New{one}s"}]
        }
        assert list(components[f"New{one}"]["properties"]) == fields
        assert "required" not in components[f"New{one}"]
        assert components[f"New{one}"]["additionalProperties"] is False
        assert components[f"New{one}s"]["properties"] == {
            many: {"type": "array", "items": {"$ref": f"#/components/schemas/New{one}"}, "maxItems": 1_000}
        }


def validator(whole: dict[str, Any], part: dict[str, Any]) -> Draft202012Validator:
    """For a schema of the document, with the references of it."""
    return Draft202012Validator({**part, "components": whole["components"]}, format_checker=FormatChecker())


def test_every_example_is_valid() -> None:
    whole = document()
    checked = []

    def walk(part: Any, where: str) -> None:
        if isinstance(part, list):
            for number, inner in enumerate(part):
                walk(inner, f"{where}/{number}")
        elif isinstance(part, dict):
            if "schema" in part and "examples" in part:
                for name, example in part["examples"].items():
                    validator(whole, part["schema"]).validate(example["value"])
                    checked.append(f"{where}/{name}")
            for name, inner in part.items():
                walk(inner, f"{where}/{name}")

    walk(whole, "")
    tools = [name for name in TOOLS if name in operations()]
    for name in (*tools, "click_ingest", "link_create"):
        assert operations()[name]["responses"]["200"]["content"]["application/json"]["examples"]
    assert len(checked) > len(PROBLEMS)


def declared(whole: dict[str, Any], method: str, url: str, response: HttpResponse) -> dict[str, Any]:
    """What the document says of such a response."""
    part = whole["paths"][url][method]["responses"][str(response.status_code)]
    if "$ref" in part:
        part = whole["components"]["responses"][part["$ref"].rpartition("/")[2]]
    content: dict[str, Any] = part["content"][response.headers["Content-Type"]]["schema"]
    return content


def unreachable(*args: Any) -> None:
    raise OperationalError("The server went away.")


@pytest.mark.django_db
def test_every_answer_is_as_declared(settings: pytest_django.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace, starts_on="2026-03-01"), make_user(workspace)
    idle, quiet = make_campaign(workspace), make_user(workspace, is_active=False, display_name="")
    assign(campaign, user)
    make_alias(user)
    at = datetime(2026, 3, 9, 12, tzinfo=UTC)
    record(workspace, ClickInput("campaign", campaign=campaign, user=user, clicked_at=at))
    record(workspace, ClickInput("vcard", user=user, clicked_at=at))
    record(workspace, ClickInput("other", clicked_at=at, verdict="bot", reason="scanner"))
    secret, narrow = make_key(workspace), make_key(workspace, ["links:read"])
    without_links = make_key(workspace, ["stats:read"])
    ids = {"campaignPublicId": campaign.public_id, "userPublicId": user.public_id}
    none = {"campaignPublicId": "cp_01jzk3f8q2v6x9w4r7t5n0m1ab", "userPublicId": "usr_01jzk3f8q2v6x9w4r7t5n0m1cd"}
    others = {"campaignPublicId": idle.public_id, "userPublicId": quiet.public_id}
    whole = document()
    seen = set()

    def check(method: str, url: str, response: HttpResponse) -> None:
        validator(whole, declared(whole, method, url, response)).validate(response.json())
        operation = whole["paths"][url][method]["operationId"]
        seen.add((operation, response.status_code))

    for url in (url for url, methods in whole["paths"].items() if "get" in methods):
        query = MARCH if url == OVERVIEW else {}
        check("get", url, get(secret, url.format(**ids), query))
        check("get", url, get(secret, url.format(**ids), query | {"page": "x", "nonsense": "1"}))
        check("get", url, get(None, url.format(**ids), query))
        check("get", url, get(without_links if url == LINKS else narrow, url.format(**ids), query))
        if "{" in url:
            check("get", url, get(secret, url.format(**none)))
            check("get", url, get(secret, url.format(**others)))
    for breakdown in ("day", "week", "month"):
        check("get", OVERVIEW, get(secret, OVERVIEW, MARCH | {"breakdown": breakdown}))
    check("get", OVERVIEW, get(secret, OVERVIEW, {"from": "2025-03-01", "to": "2025-03-31", "breakdown": "month"}))
    check("get", OVERVIEW, get(secret, OVERVIEW, MARCH | {"workspacePublicId": make_workspace().public_id}))
    check("get", CLICKS, get(secret, CLICKS, {"pageSize": 1}))
    check("get", USERS, get(secret, USERS, {"pageSize": 1, "page": 2}))

    check("post", CLICKS, post(secret, {"clicks": [{"kind": "other"}, {"kind": "fax"}, 3, {"nonsense": 1}]}))
    check("post", CLICKS, post(secret, []))
    check("post", CLICKS, post(secret, {"clicks": [{}] * 10_001}))
    check("post", CLICKS, post(secret, "{}", content_type="text/plain"))
    check("post", CLICKS, post(None, {}))
    check("post", CLICKS, post(narrow, {}))

    right = [
        {"kind": "campaign", "campaignPublicId": campaign.public_id},
        {"kind": "vcard", "targetUrl": "https://x.example/"},
    ]
    check("post", LINKS, post(secret, {"links": [*right, {"kind": "fax"}, 3, {"nonsense": 1}]}, LINKS))
    check("get", LINKS, get(secret, LINKS))
    check("post", LINKS, post(secret, [], LINKS))
    check("post", LINKS, post(secret, {"links": [{}] * 1_001}, LINKS))
    check("post", LINKS, post(secret, "{}", LINKS, content_type="text/plain"))
    check("post", LINKS, post(None, {}, LINKS))
    check("post", LINKS, post(narrow, {}, LINKS))

    for url, many, item in (
        (USERS, "users", {"email": "ada@example.com"}),
        (CAMPAIGNS, "campaigns", {"name": "Spring", "targetUrl": "https://x.example/"}),
    ):
        check("post", url, post(secret, {many: [item, {"nonsense": 1}, 3, {}]}, url))
        check("post", url, post(secret, [], url))
        check("post", url, post(secret, {many: [{}] * 1_001}, url))
        check("post", url, post(secret, "{}", url, content_type="text/plain"))
        check("post", url, post(None, {}, url))
        check("post", url, post(narrow, {}, url))

    settings.STATS_APP = {
        "RATE_LIMIT": 1,
        "LIST_RATE_LIMIT": 1,
        "INGEST_RATE_LIMIT": 1,
        "DIRECTORY_RATE_LIMIT": 1,
    }
    post(secret, {"users": []}, USERS)
    check("post", USERS, post(secret, {"users": []}, USERS))
    check("post", CAMPAIGNS, post(secret, {"campaigns": []}, CAMPAIGNS))
    post(secret, {"clicks": []})
    check("post", CLICKS, post(secret, {"clicks": []}))
    get(secret, LINKS)
    check("post", LINKS, post(secret, {"links": []}, LINKS))
    for url in (url for url, methods in whole["paths"].items() if "get" in methods):
        check("get", url, get(secret, url.format(**ids), MARCH if url == OVERVIEW else {}))

    with monkeypatch.context() as patched:
        patched.setattr(connection, "ensure_connection", unreachable)
        for url, methods in whole["paths"].items():
            for method in methods:
                check(method, url, request(method.upper(), secret, url.format(**ids), body="{}"))

    assert seen == {
        (name, int(status)) for name, operation in operations().items() for status in operation["responses"]
    }


@pytest.mark.usefixtures("_anew")
def test_the_hosts_settings_have_no_part_in_it() -> None:
    before = document()
    schema._document.cache_clear()
    with patched_settings(
        {"OAS_VERSION": "3.0.3", "TITLE": "The host's", "CAMELIZE_NAMES": True, "COMPONENT_SPLIT_REQUEST": True}
    ):
        assert document() == before


def test_a_document_of_the_hosts_own_stays_as_it_was() -> None:
    assert SchemaGenerator().get_schema(public=True)["paths"] == {}
    assert not GENERATOR_STATS


def test_it_is_english_whatever_the_caller_reads() -> None:
    for url in (SCHEMA, DOCS):
        assert get(None, url, **{"accept-language": "fr"}).content == get(None, url).content


def test_it_answers_under_another_prefix(settings: pytest_django.Settings) -> None:
    settings.ROOT_URLCONF = __name__
    whole = get(None, "/elsewhere/stats/schema/").json()
    assert set(whole["paths"]) == {url.replace(BASE, "/elsewhere/stats/") for url in whole["paths"]}
    assert "/elsewhere/stats/clicks/" in whole["paths"]
    page = get(None, "/elsewhere/stats/docs/").content.decode()
    assert 'href="/elsewhere/stats/schema/"' in page
    assert "http://testserver/elsewhere/stats/clicks/" in page


@pytest.mark.parametrize(("url", "content_type"), [(SCHEMA, "application/json"), (DOCS, "text/html; charset=utf-8")])
def test_it_needs_no_key_and_no_database_and_may_be_cached(url: str, content_type: str) -> None:
    response = get(None, url)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Cache-Control"] == "public, max-age=300"
    again = get(None, url, **{"if-none-match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("url", [SCHEMA, DOCS])
def test_it_is_only_read(url: str) -> None:
    response = request("POST", None, url)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD"
    assert "Cache-Control" not in response.headers


class Page(HTMLParser):
    """Each element as its name and attributes."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


@pytest.fixture
def page() -> Page:
    return Page(get(None, DOCS))


def test_the_page_keeps_to_a_strict_content_security_policy(page: Page) -> None:
    assert page.all("script", "style", "img", "iframe", "object", "form", "base") == []
    inline = [
        name for _, attributes in page.elements for name in attributes if name == "style" or name.startswith("on")
    ]
    assert inline == []
    assert page.all("link") == [{"rel": "stylesheet", "href": "/static/stats_app/api-docs.css"}]
    assert [link["href"] for link in page.all("a") if not re.match("[#/]", link["href"] or "")] == []


def test_the_page_can_be_read_by_a_screen_reader(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert len(page.ids) == len(set(page.ids))
    assert [cell for cell in page.all("th") if cell.get("scope") not in ("col", "row")] == []
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []
    labels = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    targets = {link["href"][1:] for link in page.all("a") if link["href"] and link["href"].startswith("#")}
    assert (labels | targets) - set(page.ids) == set()
    scrolled = [element for _, element in page.elements if element.get("class") == "wide"] + page.all("pre")
    assert [box for box in scrolled if box.get("tabindex") != "0" or box.get("role") != "group"] == []


def test_the_page_leads_to_each_operation_and_each_error(page: Page) -> None:
    links = {link["href"] for link in page.all("a")}
    assert {f"#{name}" for name in operations()} <= links
    assert set(PROBLEMS) <= set(page.ids)
    assert {f"field-{code}" for code in FIELD_CODES} <= set(page.ids)
    assert SCHEMA in links


def test_each_code_is_explained() -> None:
    assert set(PROBLEM_MEANINGS) == set(PROBLEMS)
    assert set(FIELD_MEANINGS) == set(FIELD_CODES)


def test_the_page_shows_a_call_of_each_operation() -> None:
    text = get(None, DOCS).content.decode()
    assert (
        "curl http://testserver/api/v1/workspace/overview/ \\\n"
        "  -H &quot;x-api-key: $STATS_API_KEY&quot; \\\n"
        "  -G -d from=2026-03-01 \\\n"
        "  -d to=2026-03-31"
    ) in text
    assert text.count("curl http://testserver/api/v1/") == len(operations())


def test_a_tools_input_schema_holds_what_every_model_takes() -> None:
    period = {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}
    schema = schemas.input_schema(TOOLS["stats_get_workspace_overview"])
    described = schema["properties"]
    assert all(described[name].pop("description") for name in described)
    assert schema == {
        "type": "object",
        "properties": {
            "from": period,
            "to": period,
            "breakdown": {"type": "string", "enum": ["none", "day", "week", "month"]},
            "workspacePublicId": {"type": "string", "pattern": "^([0-7][0-9a-hjkmnp-tv-z]{25})?$"},
        },
        "required": ["from", "to"],
    }


def test_a_tools_output_schema_says_exactly_what_may_be_null_or_missing() -> None:
    performance = schemas.output_schema(TOOLS["stats_get_campaign_performance"])["properties"]
    assert performance["trend"] == {"type": "null", "description": "Always null."}
    metrics = performance["metrics"]["properties"]
    assert metrics["shareOfCampaignClicks"]["type"] == ["number", "null"]
    assert metrics["bestDay"]["type"] == ["object", "null"]
    breakdown = schemas.output_schema(TOOLS["stats_get_workspace_overview"])["properties"]["breakdown"]
    assert list(breakdown["properties"]) == ["chart"]
    assert "required" not in breakdown
    assert breakdown["additionalProperties"] is False


@pytest.mark.parametrize("name", TOOLS)
def test_the_schemas_of_tools_need_nothing_else(name: str) -> None:
    for tool_schema in (schemas.input_schema(TOOLS[name]), schemas.output_schema(TOOLS[name])):
        Draft202012Validator.check_schema(tool_schema)
        assert "$ref" not in json.dumps(tool_schema)
        assert "x-spec" not in json.dumps(tool_schema)
    assert open_objects(schemas.output_schema(TOOLS[name])) == []


def open_objects(part: Any) -> list[Any]:
    """The objects in a schema to which something could be added."""
    if isinstance(part, list):
        return [inner_object for inner in part for inner_object in open_objects(inner)]
    if not isinstance(part, dict):
        return []
    own = [part] if "properties" in part and part.get("additionalProperties") is not False else []
    return own + [inner_object for inner in part.values() for inner_object in open_objects(inner)]


def test_the_schemas_of_tools_are_those_of_the_document() -> None:
    api = document()
    for tool in (TOOLS[name] for name in TOOLS if name in operations()):
        whole = schemas.inlined(api["components"]["schemas"][tool.answer.__name__], api["components"]["schemas"])
        assert whole == schemas.output_schema(tool)
        listed = {p["name"]: p["schema"] for p in operations()[tool.name]["parameters"]}
        # Models do not take everything, and may say an optional argument is empty.
        for name, part in schemas.input_schema(tool)["properties"].items():
            del part["description"]
            expected = {key: value for key, value in listed[name].items() if key not in ("format", "default")}
            if "pattern" in expected and not tool.parameters().fields[name].required:
                expected["pattern"] = f"^({expected['pattern'][1:-1]})?$"
            assert part == expected
