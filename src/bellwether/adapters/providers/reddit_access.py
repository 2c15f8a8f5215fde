"""Access to Reddit's API: a token for this process, and what its answers mean."""

import base64
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.calling import Calls
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.waiting import in_seconds, number

TOKEN = "/api/v1/access_token"  # noqa: S105  an address
MARGIN = 120.0
"""Seconds before its end at which a token is no longer used."""
LONGEST_TOKEN = 86_400.0
KEY_WAIT = timedelta(minutes=15)
GONE_WAIT = timedelta(hours=1)
VERSION = "0.1"


class _Token(Struct, frozen=True):
    access_token: str | None = None
    expires_in: float | None = None
    error: str | int | None = None


class _Fault(Struct, frozen=True):
    reason: str | None = None
    message: str | None = None
    error: str | int | None = None


class Access:
    """Tokens for one application, one at a time, for all threads of the process.

    `token` asks for one where there is none that lasts; `refused` forgets one that was not accepted.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        address: str,
        agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._address = address
        self._agent = agent
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = 0.0

    def headers(self, calls: Calls) -> dict[str, str]:
        """The headers of a request. Raises `Refused` when there is no token to be had."""
        with self._lock:
            if self._token is None or self._clock() >= self._until:
                self._token, lasts = self._asked(calls)
                self._until = self._clock() + max(lasts - MARGIN, 0.0)
            token = self._token
        return {"Authorization": f"Bearer {token}", "User-Agent": self._agent}

    def refused(self, headers: dict[str, str]) -> None:
        """Forgets the token of these headers, unless somebody has a new one already."""
        with self._lock:
            if headers.get("Authorization") == f"Bearer {self._token}":
                self._token = None

    def _asked(self, calls: Calls) -> tuple[str, float]:
        headers = {
            "Authorization": f"Basic {self._basic}",
            "User-Agent": self._agent,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        response = calls.post(f"{self._address}{TOKEN}", b"grant_type=client_credentials", headers)
        token = _token(response)
        return token.access_token or "", min(token.expires_in or 0.0, LONGEST_TOKEN)


def agent(username: str | None) -> str:
    """How Reddit asks to be told who calls: `<platform>:<app id>:<version> (by /u/name)`."""
    usable = username and username.isascii() and username.replace("-", "").replace("_", "").isalnum()
    return f"server:bellwether-desk:v{VERSION}" + (f" (by /u/{username})" if usable else "")


def judge(response: Response, at: datetime) -> timedelta | None:  # noqa: ARG001  a judge is given it
    """What an answer of Reddit means; see `calling.Judge`."""
    if response.status == 429:
        return in_seconds(response.headers.get("x-ratelimit-reset"))
    if urlsplit(response.url).path == TOKEN:
        _token(response)
        return None
    if response.status != 200:
        raise _refusal(response)
    if not response.content.lstrip()[:1] == b"{":
        raise Refused("bad_answer", "the answer is not what Reddit's API answers")
    left = number(response.headers.get("x-ratelimit-remaining"))
    spent = left is not None and left < 1
    return in_seconds(response.headers.get("x-ratelimit-reset")) if spent else None


def _token(response: Response) -> _Token:
    """A token. Raises `Refused`: Reddit answers 200 to what it refuses, with `error` in it."""
    try:
        token = msgspec.json.decode(response.content, type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError):
        token = _Token()
    if response.status in {400, 401, 403} or token.error is not None:
        raise Refused("key_refused", "Reddit does not accept client id and secret", wait=KEY_WAIT)
    usable = (token.access_token or "").isascii() and (token.access_token or "").isprintable()
    if response.status != 200 or not token.access_token or not usable or " " in token.access_token:
        raise Refused("bad_answer", "Reddit answered no token")
    return token


def _refusal(response: Response) -> Refused:
    try:
        fault = msgspec.json.decode(response.content, type=_Fault)
    except (msgspec.DecodeError, UnicodeDecodeError):
        fault = None
    if response.status == 401:
        return Refused("key_expired", "Reddit does not accept the token any more", about_all=False)
    if response.status == 403 and fault is None:
        # a page for people, before the API is reached: the address or the User-Agent is not wanted
        return Refused("blocked", "Reddit lets no request from here through", wait=KEY_WAIT)
    if response.status == 403:
        return Refused("private", "the subreddit is not open to everybody", wait=GONE_WAIT, about_all=False)
    if response.status == 404:
        return Refused("not_found", "there is no such subreddit", wait=GONE_WAIT, about_all=False)
    return Refused(f"http_{response.status}", f"Reddit answered {response.status}", about_all=False)
