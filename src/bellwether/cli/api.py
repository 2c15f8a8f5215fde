"""The client of the product's own API: retries, one key per write, problems as failures with a next step."""

import random
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx
import msgspec

from bellwether.cli.failures import ApiProblem, Failure, NotRunning
from bellwether.domain.rights import RIGHTS, ROUTES

MOST_TRIES = 7
LONGEST_WAIT_SECONDS = 60.0
FIRST_WAIT_SECONDS = 0.25
_TRY_AGAIN = frozenset({429, 502, 503, 504})


class Tokens(Protocol):
    """Gives the token to send; `renew` is asked once when the API does not take it any more."""

    def token(self) -> str:
        """A token that is not expired."""

    def renew(self, refused: str) -> str:
        """Another token than the refused one. Raises `Refused` when there is none to be had."""


class Api:
    """Calls routes below `base_url` (`…/v1`). Thread-safe: batches are sent from several threads at once."""

    def __init__(
        self,
        base_url: str,
        tokens: Tokens | None,
        *,
        sleep: Callable[[float], object] | None = None,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url
        self._tokens = tokens
        self._given_up = threading.Event()
        self._sleep = sleep or self._given_up.wait
        # A proxy for the outside world (HTTP_PROXY) has no business between this machine and itself.
        loopback = httpx.URL(base_url).host in {"127.0.0.1", "localhost", "::1"}
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=5.0),
            headers={"User-Agent": "bellwether-cli", "Accept": "application/json, */*"},
            trust_env=not loopback,
            transport=transport,
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def give_up(self) -> None:
        """Ends all waiting for another try: calls under way fail with what they were last told."""
        self._given_up.set()

    def get(self, path: str, **query: str) -> httpx.Response:
        """A GET. Raises `ApiProblem`, `NotRunning`, `Refused`."""
        return self._send("GET", path, params=query)

    def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        """A POST with an Idempotency-Key that is the same for every try; its answer decoded from JSON.

        `body` is encoded unless it is bytes already. Raises `ApiProblem`, `NotRunning`, `Refused`.
        """
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or secrets.token_urlsafe(24)}
        response = self._send("POST", path, content=content, headers=headers)
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            raise Failure(
                f"POST {path} answered {response.status_code} with something that is not JSON.",
                title="The API gave no answer that can be read",
            ) from None

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        renewed = False
        unanswered = False
        for attempt in range(1, MOST_TRIES + 1):
            last = attempt == MOST_TRIES or self._given_up.is_set()
            token = self._tokens.token() if self._tokens else None
            try:
                response = self._once(method, path, token, request)
            except (httpx.TransportError, httpx.DecodingError) as fault:
                if last or isinstance(fault, httpx.UnsupportedProtocol):
                    raise self._unreachable(fault) from None
                unanswered = unanswered or not isinstance(fault, httpx.ConnectError)
                self._sleep(backoff(attempt))
                continue
            if response.is_success:
                return response
            if response.status_code == 401 and self._tokens and token and not renewed:
                renewed = True
                self._tokens.renew(token)
                continue
            # After a try without an answer, 409 means that the first one is still being worked on.
            again = response.status_code in _TRY_AGAIN or (unanswered and response.status_code == 409)
            if last or not again:
                raise problem_of(method, path, response)
            self._sleep(retry_after(response) or backoff(attempt))
        raise AssertionError("the last try either returns or raises")

    def _once(self, method: str, path: str, token: str | None, request: dict[str, Any]) -> httpx.Response:
        headers = dict(request.get("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self._http.request(method, self.base_url + path, **{**request, "headers": headers})

    def _unreachable(self, fault: Exception) -> NotRunning:
        return NotRunning(
            f"{self.base_url} does not answer ({str(fault) or type(fault).__name__}).",
            title="Not reachable",
            hint="bellwether status",
        )


def backoff(attempt: int) -> float:
    """Seconds before the next try: doubling, with full jitter over the upper half, at most 10 s."""
    return float(min(10.0, FIRST_WAIT_SECONDS * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))  # noqa: S311


def retry_after(response: httpx.Response, now: datetime | None = None) -> float | None:
    """Seconds the answer's `Retry-After` asks for (a number or a date), bounded; `None` without one."""
    told = response.headers.get("Retry-After", "").strip()
    if not told:
        return None
    try:
        seconds = float(told)
    except ValueError:
        try:
            at = parsedate_to_datetime(told)
        except (ValueError, TypeError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS) if seconds == seconds else None


def problem_of(method: str, path: str, response: httpx.Response) -> ApiProblem:
    """The failure an error answer means, with what to do next."""
    try:
        problem = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = None
    if not isinstance(problem, dict):
        problem = {"detail": f"{method} {path}: {response.reason_phrase}"}
    return ApiProblem(response.status_code, problem, hint=next_step(method, path, response.status_code))


def next_step(method: str, path: str, status: int) -> str | None:
    """What a person can do about an error status of a route, as a command or a sentence."""
    if status == 401:
        return "bellwether login --as analyst"
    if status == 403:
        action = ROUTES.get((method, path))
        roles = [role for role, rights in RIGHTS.items() if action in rights and role != "machine"]
        return f"bellwether login --as {roles[0]}" if roles else None
    return {
        404: "Check the id; `bellwether status` shows what runs.",
        409: "Look at it again: the state has changed.",
        413: "Send less at once.",
        422: "Use another Idempotency-Key for another request.",
        429: "Wait a little and try again.",
        503: "bellwether status",
    }.get(status, "bellwether logs" if status >= 500 else None)
