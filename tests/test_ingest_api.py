"""`POST clicks/`: which clicks are recorded, which items are rejected, and which bodies are refused."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ulid import ULID

from stats_app import public_ids
from stats_app.models import Workspace
from stats_app.rollups import check
from tests.factories import make_alias, make_campaign, make_key, make_user, make_workspace
from tests.rest import CAMPAIGNS, CLICKS, OVERVIEW, USERS, assert_answer, get, invalid, post, problem, request

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, 0, 250_000, tzinfo=UTC)
CLICK_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FIELDS = "id, kind, campaignPublicId, userPublicId, alias, clickedAt, verdict, reason"
MIB = 1024 * 1024


def stored(workspace: Workspace) -> list[dict[str, Any]]:
    names = ("kind", "campaign__public_id", "user__public_id", "alias__email", "clicked_at", "verdict", "reason")
    return [*workspace.clicks.order_by("clicked_at", "id").values(*names)]


def counted(accepted: int, duplicates: int = 0, *rejected: tuple[int, str, str, str]) -> dict[str, Any]:
    return {
        "accepted": accepted,
        "duplicates": duplicates,
        "rejected": [
            {"index": index, "field": field, "code": code, "message": message}
            for index, field, code, message in rejected
        ],
    }


def test_one_click_as_an_object() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    response = post(
        make_key(workspace),
        {
            "id": CLICK_ID,
            "kind": "campaign",
            "campaignPublicId": campaign.public_id,
            "userPublicId": user.public_id,
            "clickedAt": "2026-03-09T13:00:00.5+01:00",
        },
    )
    assert_answer(response, counted(1))
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert stored(workspace) == [
        {
            "kind": "campaign",
            "campaign__public_id": campaign.public_id,
            "user__public_id": user.public_id,
            "alias__email": None,
            "clicked_at": datetime(2026, 3, 9, 12, 0, 0, 500_000, tzinfo=UTC),
            "verdict": "human",
            "reason": "",
        }
    ]
    assert str(workspace.clicks.get().id) == CLICK_ID


def test_a_batch_is_counted_at_once() -> None:
    workspace = make_workspace()
    # Clicks for paused campaigns and inactive users count.
    campaign = make_campaign(workspace, is_paused=True)
    alias = make_alias(make_user(workspace, is_active=False), email="Ada@Example.com")
    key = make_key(workspace)
    clicks = [
        {"kind": "campaign", "campaignPublicId": campaign.public_id, "alias": "ada@example.COM"},
        {"kind": "other", "verdict": "bot", "reason": "mail-scanner"},
        {"kind": "vcard", "id": None, "campaignPublicId": None, "alias": None, "clickedAt": None, "verdict": None},
    ]
    assert_answer(post(key, {"clicks": clicks}), counted(3))
    rows = sorted(stored(workspace), key=lambda row: row["kind"])
    assert [(row["kind"], row["alias__email"], row["verdict"], row["reason"], row["clicked_at"]) for row in rows] == [
        ("campaign", "ada@example.com", "human", "", NOW),
        ("other", None, "bot", "mail-scanner", NOW),
        ("vcard", None, "human", "", NOW),
    ]
    assert rows[0]["user__public_id"] == alias.user.public_id
    body = get(key, OVERVIEW, {"from": "2026-03-28", "to": "2026-03-28"}).json()
    assert body["totals"] == {"campaignClicks": 1, "vcardClicks": 1, "totalClicks": 2}
    assert [*check(workspace)] == []


def test_the_same_id_counts_once_in_either_case() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    click = {"id": CLICK_ID, "kind": "other"}
    assert_answer(post(key, {"clicks": [click, click | {"id": CLICK_ID.lower()}]}), counted(1, 1))
    assert_answer(post(key, click), counted(0, 1))
    # The id is unique within a workspace only.
    assert_answer(post(make_key(make_workspace()), click), counted(1))


def test_without_an_id_a_retry_counts_again() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    assert [post(key, {"kind": "other"}).json() for _ in range(2)] == [counted(1)] * 2


def test_an_empty_batch_is_fine() -> None:
    assert_answer(post(make_key(make_workspace()), {"clicks": []}), counted(0))


def test_wrong_items_are_reported_and_the_right_ones_stored() -> None:
    workspace = make_workspace()
    foreign = make_workspace()
    theirs, their_user = make_campaign(foreign).public_id, make_user(foreign).public_id
    make_alias(make_user(foreign), email="theirs@example.com")
    ada, bob = make_user(workspace), make_user(workspace)
    make_alias(ada, email="ada@example.com")
    late = (NOW + timedelta(minutes=5, microseconds=1)).isoformat()
    ulid = str(ULID())
    rows: list[tuple[Any, tuple[str, str, str] | None]] = [
        ({"kind": "other", "id": ulid}, None),
        ({"kind": "other", "id": ulid}, None),
        ({}, ("kind", "required", "kind is required: one of campaign, vcard, other.")),
        ({"kind": "banner"}, ("kind", "invalid", 'kind must be one of campaign, vcard, other, not "banner".')),
        ({"kind": ["vcard"]}, ("kind", "invalid", 'kind must be one of campaign, vcard, other, not ["vcard"].')),
        ({"kind": "other", "id": "x"}, ("id", "invalid", 'id must be a ULID of 26 characters, not "x".')),
        ({"kind": "other", "id": 1}, ("id", "invalid", "id must be a ULID of 26 characters, not 1.")),
        (
            {"kind": "campaign"},
            (
                "campaignPublicId",
                "required",
                "campaignPublicId is required for a click of the kind campaign: cp_ and 26 characters of a lowercase "
                "ULID, such as cp_01jzk3f8q2v6x9w4r7t5n0m1ab.",
            ),
        ),
        (
            {"kind": "vcard", "campaignPublicId": theirs},
            (
                "campaignPublicId",
                "not_allowed",
                "campaignPublicId is not allowed: only a click of the kind campaign has one.",
            ),
        ),
        (
            {"kind": "campaign", "campaignPublicId": theirs},
            ("campaignPublicId", "not_found", f'campaignPublicId "{theirs}" is not in this workspace.'),
        ),
        (
            {"kind": "campaign", "campaignPublicId": "cp_X"},
            (
                "campaignPublicId",
                "invalid",
                'campaignPublicId must be cp_ and 26 characters of a lowercase ULID, not "cp_X".',
            ),
        ),
        (
            {"kind": "other", "userPublicId": their_user},
            ("userPublicId", "not_found", f'userPublicId "{their_user}" is not in this workspace.'),
        ),
        (
            {"kind": "other", "userPublicId": ""},
            ("userPublicId", "invalid", 'userPublicId must be usr_ and 26 characters of a lowercase ULID, not "".'),
        ),
        (
            {"kind": "other", "alias": "theirs@example.com"},
            ("alias", "not_found", 'alias "theirs@example.com" is not in this workspace.'),
        ),
        ({"kind": "other", "alias": "@"}, ("alias", "invalid", 'alias must be an e-mail address, not "@".')),
        (
            {"kind": "other", "alias": "ada@example.com", "userPublicId": bob.public_id},
            ("alias", "invalid", 'alias "ada@example.com" does not belong to the user.'),
        ),
        (
            {"kind": "other", "clickedAt": "2026-03-09"},
            (
                "clickedAt",
                "invalid",
                'clickedAt must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z, not "2026-03-09".',
            ),
        ),
        (
            {"kind": "other", "clickedAt": late},
            ("clickedAt", "future", f'clickedAt "{late}" is more than 5 minutes in the future.'),
        ),
        (
            {"kind": "other", "clickedAt": "1999-12-31T23:59:59Z"},
            ("clickedAt", "out_of_range", 'clickedAt "1999-12-31T23:59:59Z" is not between 2000-01-01 and 2099-12-31.'),
        ),
        (
            {"kind": "other", "verdict": "robot"},
            ("verdict", "invalid", 'verdict must be one of human, suspected, bot, not "robot".'),
        ),
        (
            {"kind": "other", "reason": "x"},
            ("reason", "not_allowed", "reason is not allowed for a human click."),
        ),
        (
            {"kind": "other", "verdict": "bot", "reason": "x" * 41},
            ("reason", "too_long", "reason must have at most 40 characters, not 41."),
        ),
        (
            {"kind": "other", "colour": 1},
            ("colour", "unknown", f"colour is not a field of a click; the fields are {FIELDS}."),
        ),
        (
            {"kind": "other", "colour": None},
            ("colour", "unknown", f"colour is not a field of a click; the fields are {FIELDS}."),
        ),
        # The names of fields in Python are not accepted here.
        (
            {"kind": "other", "campaign": "x"},
            ("campaign", "unknown", f"campaign is not a field of a click; the fields are {FIELDS}."),
        ),
        (
            {"kind": "other", "clicked_at": "x"},
            ("clicked_at", "unknown", f"clicked_at is not a field of a click; the fields are {FIELDS}."),
        ),
        (
            {"kind": "other", "\ud800\x00": 1},
            ("\\ud800\\u0000", "unknown", f"\\ud800\\u0000 is not a field of a click; the fields are {FIELDS}."),
        ),
        (
            {"kind": "other", "x" * 500: 1},
            ("x" * 100 + "…", "unknown", f"{'x' * 100}… is not a field of a click; the fields are {FIELDS}."),
        ),
        ({"kind": "\ud800"}, ("kind", "invalid", 'kind must be one of campaign, vcard, other, not "\\ud800".')),
        (
            {"kind": "other", "alias": "\x00@x.example"},
            ("alias", "invalid", 'alias must be an e-mail address, not "\\u0000@x.example".'),
        ),
        (
            {"kind": "other", "userPublicId": "\udcff"},
            (
                "userPublicId",
                "invalid",
                'userPublicId must be usr_ and 26 characters of a lowercase ULID, not "\\udcff".',
            ),
        ),
        (None, ("click", "invalid", "click must be an object, not null.")),
        ([], ("click", "invalid", "click must be an object, not [].")),
        ("other", ("click", "invalid", 'click must be an object, not "other".')),
        # The first wrong field.
        ({"kind": "x", "id": "y"}, ("kind", "invalid", 'kind must be one of campaign, vcard, other, not "x".')),
        ({"kind": "other", "clickedAt": (NOW + timedelta(minutes=5)).isoformat()}, None),
    ]
    response = post(make_key(workspace), {"clicks": [item for item, _ in rows]})
    rejected = [(index, *error) for index, (_, error) in enumerate(rows) if error is not None]
    assert_answer(response, counted(2, 1, *rejected))
    assert len(stored(workspace)) == 2
    assert [*check(workspace)] == []


def test_a_wrong_object_alone_is_one_rejection() -> None:
    response = post(make_key(make_workspace()), {"kind": "banner"})
    message = 'kind must be one of campaign, vcard, other, not "banner".'
    assert_answer(response, counted(0, 0, (0, "kind", "invalid", message)))
    response = post(make_key(make_workspace()), {})
    assert_answer(response, counted(0, 0, (0, "kind", "required", "kind is required: one of campaign, vcard, other.")))


def test_clicks_before_the_days_that_are_kept_are_rejected() -> None:
    workspace = make_workspace(timezone="Asia/Kathmandu", clicks_kept_from=date(2026, 3, 1))
    times = ["2026-02-28T18:14:59Z", "2026-02-28T18:15:00Z"]
    response = post(make_key(workspace), {"clicks": [{"kind": "other", "clickedAt": time} for time in times]})
    message = f'clickedAt "{times[0]}" is before 2026-03-01, the first day whose raw clicks are kept.'
    assert_answer(response, counted(1, 0, (0, "clickedAt", "pruned", message)))


def test_10000_clicks_are_taken_and_10001_are_not() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    many = [{"kind": "other"}] * 10_001
    response = post(key, {"clicks": many})
    detail = "clicks has 10001 items; send at most 10000 at once."
    assert (response.status_code, response.json()) == (
        413,
        problem(413, "payload_too_large", "Payload too large", detail),
    )
    assert stored(workspace) == []
    assert_answer(post(key, {"clicks": many[1:]}), counted(10_000))


@pytest.mark.parametrize("host_limit", [None, 100, 2621440])
def test_5_mib_are_taken_and_a_byte_more_is_not(host_limit: int | None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = host_limit
    key = make_key(make_workspace())
    body = b'{"clicks": [{"kind": "other"}]}'
    assert_answer(post(key, body + b" " * (5 * MIB - len(body))), counted(1))
    response = post(key, body + b" " * (5 * MIB + 1 - len(body)))
    detail = f"The body has more than {5 * MIB} bytes; send it in parts."
    assert (response.status_code, response.json()) == (
        413,
        problem(413, "payload_too_large", "Payload too large", detail),
    )
    assert response.headers["Content-Type"] == "application/problem+json"


ONE_OR_MANY = 'body must be one click as an object, or {"clicks": [...]}.'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", ONE_OR_MANY),
        (b'[{"kind": "other"}]', ONE_OR_MANY),
        (b"null", ONE_OR_MANY),
        (b'"x"', ONE_OR_MANY),
        (b"0", ONE_OR_MANY),
        (b" ", "body is not JSON: Expecting value, line 1 column 2."),
        (b"{", "body is not JSON: Expecting property name enclosed in double quotes, line 1 column 2."),
        (b'{"kind": "other"} x', "body is not JSON: Extra data, line 1 column 19."),
        (b"kind=other", "body is not JSON: Expecting value, line 1 column 1."),
        (b'{"kind": "\x01"}', "body is not JSON: Invalid control character at, line 1 column 11."),
        (b'{"id": NaN}', "body is not JSON: NaN is not a JSON number."),
        (b'{"id": -Infinity}', "body is not JSON: -Infinity is not a JSON number."),
        (b'{"kind": "\xff"}', "body is not UTF-8: byte 10."),
        (b'{"kind": "\xed\xa0\x80"}', "body is not UTF-8: byte 10."),
        ('{"kind": "other"}'.encode("utf-16"), "body is not UTF-8: byte 0."),
        (b"\x1f\x8b\x08\x00", "body is not UTF-8: byte 1."),
        (b"[" * 100_000, "body is nested too deeply."),
        (b'{"clicks":' * 100_000, "body is nested too deeply."),
        (b'{"id": ' + b"1" * 5000 + b"}", "body has a number that is too long."),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_a_body_that_is_no_json_of_ours_is_an_input_error(body: bytes, message: str) -> None:
    response = post(make_key(make_workspace()), body)
    assert (response.status_code, response.json()) == (400, invalid(("body", "invalid", message)))
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_missing_body_is_an_input_error() -> None:
    workspace = make_workspace()
    message = 'body is required: one click as an object, or {"clicks": [...]}, such as {"kind": "other"}.'
    for content_type in ("application/json", "text/plain"):
        response = post(make_key(workspace), b"", content_type=content_type)
        assert (response.status_code, response.json()) == (400, invalid(("body", "required", message)))
    assert stored(workspace) == []


def test_a_byte_order_mark_is_passed_over() -> None:
    assert_answer(post(make_key(make_workspace()), b'\xef\xbb\xbf{"kind": "other"}'), counted(1))


def test_a_body_that_is_repeated_in_part_is_an_input_error() -> None:
    workspace = make_workspace()
    response = post(make_key(workspace), '{"clicks": [{"kind": "other"}], "clicks": [{"kind": "vcard"}]}')
    message = "clicks is given 2 times; give it once."
    assert (response.status_code, response.json()) == (400, invalid(("clicks", "repeated", message)))
    assert stored(workspace) == []


@pytest.mark.parametrize(
    ("item", "name", "times"),
    [
        ('{"kind": "vcard", "kind": "other"}', "kind", 2),
        ('{"kind": "other", "kind": "other"}', "kind", 2),
        ('{"kind": "other", "id": null, "id": null, "id": null}', "id", 3),
        ('{"kind": "other", "k\\u0069nd": "other"}', "kind", 2),
        ('{"nonsense": 1, "nonsense": 1}', "nonsense", 2),
        ('{"kind": {"deep": 1, "deep": 2}}', "deep", 2),
        ('{"kind": "other", "reason": [[{"deep": {"x": 1, "x": 2}}]]}', "x", 2),
    ],
)
def test_a_click_with_a_repeated_key_is_rejected(item: str, name: str, times: int) -> None:
    workspace = make_workspace()
    error = (name, "repeated", f"{name} is given {times} times; give it once.")
    response = post(make_key(workspace), f'{{"clicks": [{{"kind": "vcard"}}, {item}, {{"kind": "other"}}]}}')
    assert_answer(response, counted(2, 0, (1, *error)))
    assert_answer(post(make_key(workspace), item), counted(0, 0, (0, *error)))
    assert sorted(row["kind"] for row in stored(workspace)) == ["other", "vcard"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_refused(encoding: str) -> None:
    workspace = make_workspace()
    body = gzip.compress(b'{"kind": "other"}') if encoding == "gzip" else b'{"kind": "other"}'
    response = post(make_key(workspace), body, **{"content-encoding": encoding})
    detail = f'Content-Encoding must be identity, not "{encoding}": send the body uncompressed.'
    assert (response.status_code, response.json()) == (
        415,
        problem(415, "unsupported_media_type", "Unsupported media type", detail),
    )
    assert response.headers["Accept-Encoding"] == "identity"
    assert stored(workspace) == []


def test_what_would_take_too_much_memory_is_refused() -> None:
    response = post(make_key(make_workspace()), '{"clicks":[' + "{}," * 1_700_000 + "{}]}")
    detail = "The body has more than 250000 objects, lists and fields; send it in parts."
    assert (response.status_code, response.json()) == (
        413,
        problem(413, "payload_too_large", "Payload too large", detail),
    )


@pytest.mark.parametrize("depth", [*range(700, 1000, 7)])
def test_nesting_of_any_depth_is_answered(depth: int) -> None:
    """At some depth a body can still be parsed but no longer be shown."""
    response = post(make_key(make_workspace()), '{"kind": ' + "[" * depth + "]" * depth + "}")
    assert response.status_code in (200, 400)
    assert response.headers["Content-Type"] == (
        "application/json" if response.status_code == 200 else "application/problem+json"
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"clicks": None}, ("clicks", "invalid", "clicks must be a list, not null.")),
        ({"clicks": {"kind": "other"}}, ("clicks", "invalid", 'clicks must be a list, not {"kind": "other"}.')),
        ({"clicks": [], "kind": "other"}, ("kind", "unknown", '"kind" is not a parameter; the only one is clicks.')),
        ({"clicks": [], "\ud800": 1}, ("\\ud800", "unknown", '"\\ud800" is not a parameter; the only one is clicks.')),
    ],
)
def test_a_batch_is_a_list_and_nothing_else(body: Any, error: tuple[str, str, str]) -> None:
    response = post(make_key(make_workspace()), body)
    assert (response.status_code, response.json()) == (400, invalid(error))


def test_there_are_no_query_parameters() -> None:
    workspace = make_workspace()
    response = request("POST", make_key(workspace), CLICKS, "dryRun=1", body='{"kind": "other"}')
    assert (response.status_code, response.json()) == (
        400,
        invalid(("dryRun", "unknown", '"dryRun" is not a parameter; there are none.')),
    )
    assert stored(workspace) == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; charset='utf-8'",
        "application/json; charset=utf8; version=1",
        "application/json; charset=",
        "application/json; charset",
        "application/json; charset=us-ascii",
        "application/json;",
        "application/json;;",
    ],
)
def test_json_in_utf_8_is_taken(content_type: str) -> None:
    assert_answer(post(make_key(make_workspace()), {"kind": "other"}, content_type=content_type), counted(1))


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json; charset=latin-1",
        "application/json; charset=nonsense",
        "application/json; charset=\u00fc",
        "application/json; charset=utf-16",
        "application/problem+json",
        "text/json",
        "nonsense",
        "; charset=utf-8",
    ],
)
def test_any_other_content_type_is_refused(content_type: str) -> None:
    workspace = make_workspace()
    response = post(make_key(workspace), {"kind": "other"}, content_type=content_type)
    shown = f'"{content_type}"' if content_type else "missing"
    detail = f"Content-Type must be application/json in UTF-8, not {shown}."
    assert (response.status_code, response.json()) == (
        415,
        problem(415, "unsupported_media_type", "Unsupported media type", detail),
    )
    assert response.headers["Content-Type"] == "application/problem+json"
    assert stored(workspace) == []


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "application/json; version=2", "nonsense", ""])
def test_accept_is_ignored(accept: str) -> None:
    key = make_key(make_workspace())
    for response in (post(key, {"clicks": []}, Accept=accept), get(key, CAMPAIGNS, Accept=accept)):
        assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")


PATHS = {
    OVERVIEW: "GET, HEAD",
    CAMPAIGNS: "GET, HEAD, POST",
    f"{CAMPAIGNS}cp_01arz3ndektsv4rrffq69g5fav/": "GET, HEAD",
    f"{CAMPAIGNS}cp_01arz3ndektsv4rrffq69g5fav/performance/": "GET, HEAD",
    USERS: "GET, HEAD, POST",
    f"{USERS}usr_01arz3ndektsv4rrffq69g5fav/": "GET, HEAD",
    f"{USERS}usr_01arz3ndektsv4rrffq69g5fav/metrics/": "GET, HEAD",
    CLICKS: "GET, HEAD, POST",
}


@pytest.mark.parametrize("url", PATHS)
def test_other_methods_are_refused(url: str) -> None:
    key = make_key(make_workspace())
    allowed = PATHS[url].split(", ")
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        if method in allowed:
            continue
        response = request(method, key, url, body="{}")
        assert (response.status_code, response.json()) == (
            405,
            problem(
                405,
                "method_not_allowed",
                "Method not allowed",
                f"This path does not support {method}; it supports {response.headers['Allow']}.",
            ),
        )
        assert sorted(response.headers["Allow"].split(", ")) == allowed
        assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("url", PATHS)
def test_head_is_get_without_a_body(url: str) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, public_id="cp_01arz3ndektsv4rrffq69g5fav")
    user = make_user(workspace, public_id="usr_01arz3ndektsv4rrffq69g5fav")
    assert public_ids.is_public_id(campaign.public_id, "cp_")
    assert public_ids.is_public_id(user.public_id, "usr_")
    query = {"from": "2026-03-01", "to": "2026-03-02"} if url == OVERVIEW else {}
    key = make_key(workspace)
    head, body = request("HEAD", key, url, query), get(key, url, query)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(json.dumps(body.json(), separators=(",", ":"))))
    assert head.headers["Content-Type"] == "application/json"


def test_an_unknown_address_is_the_hosts_own_404() -> None:
    key = make_key(make_workspace())
    for url in ("/api/v1/", "/api/v1/nothing/", f"{CLICKS}x/", f"{CAMPAIGNS}a/b/"):
        response = get(key, url)
        assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
