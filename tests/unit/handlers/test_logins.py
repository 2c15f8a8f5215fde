"""Signed-out tokens: refused within half a minute, and what an outage of the pool does to the others."""

import json
from collections.abc import Callable

import pytest

from bellwether.domain.problems import Unauthenticated, Unavailable
from bellwether.handlers.logins import (
    FRESH_SECONDS,
    MOST_REMEMBERED,
    RETRY_SECONDS,
    TRUSTED_SECONDS,
    Logins,
    PoolUsers,
)
from tests.peers.feeds import feed_peer


class Pool:
    """A user pool that knows which tokens were signed out."""

    def __init__(self) -> None:
        self.over: set[str] = set()
        self.away = False
        self.asked: list[str] = []
        self.now = 1_000.0

    def stands(self, token: str) -> bool:
        self.asked.append(token)
        if self.away:
            raise OSError("no route to the pool")
        return token not in self.over

    def clock(self) -> float:
        return self.now


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def logins(pool: Pool) -> Logins:
    return Logins(pool.stands, pool.clock)


@pytest.mark.req("U3")
def test_a_sign_out_counts_after_half_a_minute_at_most(pool: Pool, logins: Logins) -> None:
    logins.require("maria")
    pool.over.add("maria")
    pool.now += FRESH_SECONDS - 0.1
    logins.require("maria")
    assert len(pool.asked) == 1
    pool.now += 0.1
    with pytest.raises(Unauthenticated):
        logins.require("maria")


@pytest.mark.req("U3")
def test_a_login_that_ended_stays_ended_and_is_not_asked_about_again(pool: Pool, logins: Logins) -> None:
    pool.over.add("maria")
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            logins.require("maria")
        pool.now += TRUSTED_SECONDS * 10
        pool.over.clear()
    assert pool.asked == ["maria"]


@pytest.mark.req("U3")
def test_an_outage_is_survived_for_five_minutes_by_those_the_pool_had_confirmed(
    pool: Pool, logins: Logins
) -> None:
    logins.require("maria")
    pool.away = True
    pool.now += TRUSTED_SECONDS
    logins.require("maria")
    with pytest.raises(Unavailable):
        logins.require("nobody asked about this one before")
    pool.now += RETRY_SECONDS
    with pytest.raises(Unavailable):
        logins.require("maria")
    pool.away = False
    pool.now += RETRY_SECONDS
    logins.require("maria")


@pytest.mark.req("U3")
def test_a_pool_that_does_not_answer_is_not_hammered(pool: Pool, logins: Logins) -> None:
    logins.require("maria")
    pool.away = True
    pool.now += FRESH_SECONDS
    for _ in range(50):
        logins.require("maria")
    assert len(pool.asked) == 2
    pool.now += RETRY_SECONDS
    logins.require("maria")
    assert len(pool.asked) == 3


@pytest.mark.req("U3")
def test_what_is_remembered_is_bounded_and_the_oldest_goes_first(pool: Pool, logins: Logins) -> None:
    for number in range(MOST_REMEMBERED + 1):
        logins.require(str(number))
    pool.asked.clear()
    logins.require(str(MOST_REMEMBERED))
    assert pool.asked == []
    logins.require("0")
    assert pool.asked == ["0"]


def answered(kind: str) -> bytes:
    return json.dumps({"__type": kind, "message": "…"}).encode()


@pytest.mark.enable_socket
@pytest.mark.req("U3")
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"Username": "maria"}', True),
        (400, answered("NotAuthorizedException"), False),
        (400, answered("com.amazonaws#UserNotFoundException"), False),
        (400, answered("PasswordResetRequiredException"), False),
        (400, answered("TooManyRequestsException"), OSError),
        (400, answered("InvalidParameterException"), OSError),
        (400, b"<html>", OSError),
        (500, answered("NotAuthorizedException"), OSError),
    ],
)
def test_only_the_pools_own_no_is_taken_for_one(
    status: int, body: bytes, expected: bool | type[Exception]
) -> None:
    with feed_peer() as peer:
        peer.serve("/", body, status, Content_Type="application/x-amz-json-1.1")
        ask: Callable[[str], bool] = PoolUsers(peer.url(""))
        if isinstance(expected, bool):
            assert ask("token") is expected
            assert ask("token") is expected
        else:
            with pytest.raises(expected):
                ask("token")


@pytest.mark.enable_socket
def test_a_service_that_is_away_is_no_answer() -> None:
    with feed_peer() as peer:
        url = peer.url("")
    with pytest.raises(OSError, match="refused"):
        PoolUsers(url)("token")
    with pytest.raises(ValueError, match="web address"):
        PoolUsers("file:///etc/passwd")
