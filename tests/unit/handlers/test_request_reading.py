"""What the frame of a route makes of what callers send."""

import base64
import gzip
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.problems import InvalidInput, TooLarge, Unauthenticated
from bellwether.handlers.problem_details import UnsupportedMediaType
from bellwether.handlers.request import LARGEST_BODY, body_of, decode, read_call, user_of
from tests.unit.handlers.events import rest_event


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    names: list[str] = []


def body(**more: Any) -> bytes:
    return body_of(read_call(rest_event("POST", "/score", **more)))


@pytest.mark.req("A1")
@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b"{not json", "$"),
        (b'{"number": "one"}', "$.number"),
        (b'{"number": 1, "names": ["a", 2]}', "$.names[1]"),
        (b'{"number": 1, "surprise": true}', "$.surprise"),
        (b"{}", "$"),
        (b"[]", "$"),
        (b"[" * 100_000, "$"),
        (b'{"number": NaN}', "$"),
    ],
)
def test_a_fault_is_named_by_its_path(content: bytes, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode(content, Wanted)
    assert refused.value.path == path


@given(st.binary(max_size=200))
def test_no_bytes_whatever_make_decoding_fail_in_another_way(content: bytes) -> None:
    with suppress(InvalidInput):
        assert isinstance(decode(content, Wanted), Wanted)


@pytest.mark.req("A1")
def test_bodies_are_bounded_however_they_are_wrapped() -> None:
    large = b'{"a": "' + b"x" * LARGEST_BODY + b'"}'
    with pytest.raises(TooLarge):
        body(content=large.decode())
    with pytest.raises(TooLarge):
        body(content=large)
    with pytest.raises(TooLarge):
        body(content=gzip.compress(large), headers={"Content-Encoding": "gzip"})
    assert len(body(content=b" " * (LARGEST_BODY - 2) + b"{}")) == LARGEST_BODY


def test_base64_and_gzip_are_undone() -> None:
    assert body(content=b'{"number": 1}') == b'{"number": 1}'
    assert (
        body(content=gzip.compress(b'{"number": 1}'), headers={"content-encoding": "GZIP"})
        == b'{"number": 1}'
    )


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b'{"number": 1}')[:-9], b"not gzip at all"],
    ids=["cut short", "no gzip"],
)
def test_broken_gzip_is_the_callers_fault(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        body(content=content, headers={"Content-Encoding": "gzip"})


def test_an_unknown_encoding_or_type_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType):
        body(content=b"{}", headers={"Content-Encoding": "br"})
    for content_type in ("text/plain", "application/xml; charset=utf-8", "application/json; charset=latin-1"):
        with pytest.raises(UnsupportedMediaType):
            body(content="{}", headers={"content-type": content_type})
    for content_type in (
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "",
    ):
        assert body(content="{}", headers={"content-type": content_type}) == b"{}"


def test_text_that_was_no_utf8_is_recognised() -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        body(content=b'{"a": "\xff\xfe"}')
    with pytest.raises(InvalidInput, match="UTF-8"):
        body(content='{"a": "\ud800"}')
    replaced = '{"a": "\ufffd\ufffd"}'
    with pytest.raises(InvalidInput, match="UTF-8"):
        body(content=replaced, headers={"Content-Length": "11"})
    honest = str(len(replaced.encode()))
    assert body(content=replaced, headers={"Content-Length": honest}) == replaced.encode()


def test_an_event_marked_base64_that_is_not_is_refused() -> None:
    event = rest_event("POST", "/score", content="{}") | {"isBase64Encoded": True, "body": "%%%"}
    with pytest.raises(InvalidInput):
        body_of(read_call(event))
    for empty in (None, "", "  \n"):
        with pytest.raises(InvalidInput, match="empty"):
            body(content=empty)


@pytest.mark.req("B1")
def test_the_correlation_id_is_the_callers_if_it_can_stand_in_a_log() -> None:
    def found(headers: dict[str, str]) -> str:
        return read_call(rest_event("GET", "/health", headers=headers)).correlation_id

    assert found({"X-Correlation-Id": "abc-123"}) == "abc-123"
    assert found({"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}).startswith("Root=1-6789")
    assert found({"X-Correlation-Id": 'evil"\n{"level": "INFO"}'}) == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert found({"X-Correlation-Id": "x" * 200}) == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert read_call({}, "from-the-runtime").correlation_id == "from-the-runtime"
    assert read_call({}).correlation_id == "unknown"


@pytest.mark.req("U3")
def test_the_user_is_who_the_authorizer_says_and_has_only_known_roles() -> None:
    user = user_of(rest_event("GET", "/metrics", roles="root, analyst ,viewer,"))
    assert user.username == "5e6f-analyst"
    assert set(user.roles) == {"viewer", "analyst"}
    with pytest.raises(Unauthenticated):
        user_of(rest_event("GET", "/metrics", roles=None))
    with pytest.raises(Unauthenticated):
        user_of(rest_event("GET", "/metrics", username=""))


@given(st.dictionaries(st.text(max_size=20), st.none() | st.text(max_size=40), max_size=5))
def test_reading_a_call_never_fails(headers: dict[str, Any]) -> None:
    event = json.loads(json.dumps({"headers": headers, "httpMethod": None, "requestContext": None}))
    assert read_call(event).method == ""


def test_the_route_does_not_depend_on_where_the_version_stands() -> None:
    event = rest_event("POST", "/score", content="{}")
    assert read_call(event).route == "/score"
    assert read_call(event | {"resource": "/score"}).route == "/score"
    assert base64.b64decode(rest_event("POST", "/score", content=b"{}")["body"]) == b"{}"
