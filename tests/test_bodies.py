"""The bodies of requests: what is read, what is parsed, and what is refused before it costs anything."""

from __future__ import annotations

import http.client
import json
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from stats_app import bodies
from stats_app.bodies import MAX_MARKS, Repeated, parse, read, repeated_keys
from stats_app.errors import InvalidParameters, PayloadTooLarge, UnsupportedMediaType
from tests.factories import make_key, make_workspace
from tests.mcp.calls import HANDSHAKE, message
from tests.mcp.live import PATIENCE, serving
from tests.rest import CLICKS

MIB = 1024 * 1024
LIMIT = 5 * MIB

# --- parsing

SHORT = st.text(max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | SHORT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SHORT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_json_without_repeated_keys_is_parsed_as_by_anyone(value: Any, indent: int | None, is_ascii: bool) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    try:
        expected = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        return
    parsed = parse(body)
    assert parsed == expected
    assert repeated_keys(parsed) == []


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may be repeated."""


LOOSE = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "a", '"a":', "{"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(st.tuples(st.sampled_from(["a", "b", "\\u0061", ":"]), inner), max_size=4).map(Pairs)
    ),
    max_leaves=12,
)


def written(value: Any) -> str:
    if isinstance(value, Pairs):
        return "{" + " , ".join(f'"{name}" : {written(inner)}' for name, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def count_repeated(value: Any) -> int:
    if not isinstance(value, list):
        return 0
    if not isinstance(value, Pairs):
        return sum(map(count_repeated, value))
    names = [name.replace("\\u0061", "a") for name, _ in value]
    return sum(names.count(name) > 1 for name in set(names)) + sum(count_repeated(inner) for _, inner in value)


@given(LOOSE)
def test_every_repeated_key_is_named_however_deep_it_lies(value: Any) -> None:
    errors = repeated_keys(parse(written(value).encode()))
    assert len(errors) == count_repeated(value)
    assert {error.code for error in errors} <= {"repeated"}


def test_a_repeated_key_keeps_its_place_and_all_its_values() -> None:
    parsed = parse(b'{"a": 1, "b": {"c": [{"d": 1, "d": 2, "d": 3}]}, "a": null}')
    assert parsed == {"a": [1, None], "b": {"c": [{"d": [1, 2, 3]}]}}
    assert list(parsed) == ["a", "b"]
    assert isinstance(parsed["a"], Repeated)
    assert [(error.field, error.code, error.message) for error in repeated_keys(parsed)] == [
        ("a", "repeated", "a is given 2 times; give it once."),
        ("d", "repeated", "d is given 3 times; give it once."),
    ]


def test_a_byte_order_mark_is_passed_over_once() -> None:
    assert parse(b"\xef\xbb\xbf[1]") == [1]
    with pytest.raises(InvalidParameters, match="body is not JSON: Expecting value, line 1 column 1"):
        parse(b"\xef\xbb\xbf\xef\xbb\xbf[1]")


def clicks_with(fields: str, number: int) -> bytes:
    return b'{"clicks": [' + b", ".join([fields.encode()] * number) + b"]}"


FULL = json.dumps(
    {
        "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "kind": "campaign",
        "campaignPublicId": "cp_01jzk3f8q2v6x9w4r7t5n0m1ab",
        "userPublicId": "usr_01jzk3f8q2v6x9w4r7t5n0m1cd",
        "alias": "a@b.example",
        "clickedAt": "2026-03-09T09:30:00+01:00",
        "verdict": "bot",
        "reason": "[{,:" * 10,
    }
)


def test_10000_clicks_with_all_fields_are_not_too_many_whatever_their_texts_hold() -> None:
    assert len(parse(clicks_with(FULL, 10_000))["clicks"]) == 10_000


def filled(start: bytes, part: bytes, end: bytes) -> bytes:
    """A body of 5 MiB, or a little less."""
    return start + part * ((LIMIT - len(start) - len(end)) // len(part)) + end


GREEDY = {
    "objects": filled(b'{"clicks":[', b"{},", b"{}]}"),
    "lists": filled(b'{"clicks":[', b"[],", b"[]]}"),
    "numbers": filled(b'{"clicks":[', b"1234,", b"1]}"),
    "texts": filled(b'{"clicks":[', b'"ab",', b'"ab"]}'),
    "fields": filled(b'{"clicks":[', b'{"a":1},', b"{}]}"),
    "one item": filled(b'{"clicks":[{"kind":[', b"{},", b"{}]}]}"),
    "one object": filled(b'{"kind":{', b'"a":{},', b'"b":1}}'),
    "spaced": filled(b'{"clicks":[', b"{ } , ", b"{}]}"),
    "texts of quotes": filled(b'{"clicks":[', rb'"\"",', b'"x"]}'),
    "a text without an end": filled(b'{"a":[' + b"1," * MAX_MARKS + b'"', rb"\",", b""),
}


def peak(act: Any) -> int:
    """The peak of additional memory, in bytes."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", GREEDY.values(), ids=GREEDY)
def test_what_would_take_too_much_memory_is_refused_before_it_does(body: bytes) -> None:
    assert len(body) > LIMIT - 20
    with pytest.raises(PayloadTooLarge) as error:
        parse(body)
    assert str(error.value) == "The body has more than 250000 objects, lists and fields; send it in parts."

    def refuse() -> None:
        with pytest.raises(PayloadTooLarge):
            parse(body)

    assert peak(refuse) < MIB


@pytest.mark.parametrize("part", [b"{}", b"[]", b'"ab"', b"12345", b'{"a":1}'])
def test_no_body_that_is_parsed_takes_more_than_a_few_times_its_size(part: bytes) -> None:
    marks = 1 + part.count(b"{") + part.count(b"[") + part.count(b":")
    body = b"[" + b",".join([part] * ((MAX_MARKS - 1) // marks)) + b"]" + b" " * (4 * MIB)
    assert peak(lambda: parse(body)) < 40 * MIB


def test_a_text_of_quotes_and_backslashes_is_read_through_once() -> None:
    # With backtracking at each quote this would take hours.
    for text in (rb"\"", rb"\\", b'"'):
        bodies._has_too_many_marks(filled(b'["' + b"," * MAX_MARKS, text, b""))


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_deep_nesting_is_an_error(opening: bytes) -> None:
    with pytest.raises(InvalidParameters, match="body is nested too deeply"):
        parse(opening * 80_000)


# --- reading


def request(body: bytes = b"{}", *, length: bool = True, **environ: Any) -> HttpRequest:
    made = RequestFactory().generic("POST", CLICKS, body, "application/json").environ
    if not length:
        del made["CONTENT_LENGTH"]
        made["wsgi.input"] = BytesIO(body)
    return WSGIRequest(made | environ)


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


def test_a_body_is_read_up_to_its_bound() -> None:
    assert read(request(b"12345"), 5) == b"12345"
    with pytest.raises(PayloadTooLarge, match="The body has more than 4 bytes; send it in parts"):
        read(request(b"12345"), 4)
    assert read(request(b""), 5) == b""


def test_chunks_are_read_where_the_server_ends_them() -> None:
    assert read(request(b"12345", length=False, **CHUNKED), 5) == b"12345"
    with pytest.raises(PayloadTooLarge):
        read(request(b"12345", length=False, **CHUNKED), 4)


def test_chunks_that_the_server_does_not_end_are_refused() -> None:
    with pytest.raises(InvalidParameters, match="body was sent in chunks, which this server does not accept; send it"):
        read(request(b"12345", length=False, HTTP_TRANSFER_ENCODING="gzip, Chunked"), 5)


def test_a_stream_that_gives_little_at_a_time_is_read_to_its_end() -> None:
    class Slow(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(2 if size is None or size > 2 else size)

    assert read(request(length=False, **CHUNKED | {"wsgi.input": Slow(b"12345")}), 5) == b"12345"


def test_a_body_that_breaks_off_is_an_error() -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the client went away")

    with pytest.raises(InvalidParameters, match="body could not be read to its end"):
        read(request(**{"wsgi.input": Broken()}), 5)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "zstd", "gzip, identity", "nonsense"])
def test_a_compressed_body_is_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType) as error:
        read(request(HTTP_CONTENT_ENCODING=encoding), 5)
    assert str(error.value) == f'Content-Encoding must be identity, not "{encoding}": send the body uncompressed.'


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_body_that_says_it_is_not_compressed_is_read(encoding: str) -> None:
    assert read(request(HTTP_CONTENT_ENCODING=encoding), 5) == b"{}"


# --- over real servers


@pytest.fixture(scope="module", params=["gunicorn-threads", "uvicorn", "runserver"])
def server(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[tuple[str, str]]:
    with serving(request.param) as url:
        yield request.param, urlsplit(url).netloc


def post_in_chunks(netloc: str, path: str, secret: str, *chunks: bytes, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(netloc, timeout=PATIENCE)
    headers |= {"x-api-key": secret, "Content-Type": "application/json", "Accept": "application/json"}
    connection.request("POST", path, iter(chunks), headers, encode_chunked=True)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


@pytest.mark.django_db(transaction=True)
def test_chunks_are_taken_or_refused_but_never_lost(server: tuple[str, str]) -> None:
    kind, netloc = server
    workspace = make_workspace()
    secret = make_key(workspace)
    click = b'{"kind": "other"}'
    status, answer = post_in_chunks(netloc, CLICKS, secret, b'{"clicks": [', click, b", ", click, b"]}")
    listing, headers = message("tools/list", era=HANDSHAKE)
    mcp = post_in_chunks(netloc, "/mcp", secret, json.dumps(listing).encode(), **headers)
    if kind == "runserver":
        assert (status, mcp[0], workspace.clicks.count()) == (400, 400, 0)
        detail = "body was sent in chunks, which this server does not accept; send it with a Content-Length."
        assert (answer["detail"], mcp[1]["error"]["message"]) == (detail, detail)
    else:
        assert (status, answer) == (200, {"accepted": 2, "duplicates": 0, "rejected": []})
        assert (mcp[0], len(mcp[1]["result"]["tools"])) == (200, 5)


@pytest.mark.django_db(transaction=True)
def test_a_body_without_its_length_is_no_empty_body() -> None:
    """By WSGI itself, whatever a test client adds."""
    secret = make_key(make_workspace())
    environ = request(b'{"kind": "other"}', length=False, **CHUNKED, HTTP_X_API_KEY=secret).META
    started: list[str] = []
    body = b"".join(WSGIHandler()(environ, lambda status, headers: started.append(status)))
    assert (started, json.loads(body)["accepted"]) == (["200 OK"], 1)
