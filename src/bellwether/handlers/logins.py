"""Whether the login behind a token still stands.

A token says by itself that it is good until it expires. Whether its bearer has signed out since, was disabled
or deleted, or had the login revoked, only the user pool knows: `GetUser` refuses such an access token
(https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html).
"""

import hashlib
import http.client
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from bellwether.domain.problems import Unauthenticated, Unavailable
from bellwether.handlers.logs import describe_fault, logger

FRESH_SECONDS = 30.0
"""For so long an answer of the pool is believed: the longest a signed-out token still opens anything."""
TRUSTED_SECONDS = 300.0
"""For so long, while the pool does not answer, those it last confirmed go on."""
RETRY_SECONDS = 5.0
MOST_REMEMBERED = 5_000
_ENDED = ("NotAuthorizedException", "UserNotFoundException", "PasswordResetRequiredException")


class Known(NamedTuple):
    """What is known of one token's login; times are the clock's. `confirmed_at` is `None` until it was."""

    asked_at: float
    answered: bool
    confirmed_at: float | None = None
    ended: bool = False


class Logins:
    """Asks the pool about a token at most every 30 s, and remembers what it said in this process.

    `stands` answers for a token that has been verified already: forged ones never get as far as asking. It
    raises when the pool cannot say. Tokens are remembered by their SHA-256, the most recently used 5,000.
    """

    def __init__(self, stands: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._stands = stands
        self._clock = clock
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._lock = threading.Lock()

    def require(self, token: str) -> None:
        """Raises `Unauthenticated` for a login that has ended, `Unavailable` when nobody can say."""
        name = hashlib.sha256(token.encode()).digest()
        with self._lock:
            known = self._known.get(name)
        if known is None or self._due(known):
            known = self._ask(token, known)
            self._remember(name, known)
        if known.ended:
            raise Unauthenticated("The login of this token has ended.")
        if known.confirmed_at is None or self._clock() - known.confirmed_at > TRUSTED_SECONDS:
            raise Unavailable("The user pool does not say whether the login still stands.")

    def _due(self, known: Known) -> bool:
        wait = FRESH_SECONDS if known.answered else RETRY_SECONDS
        # no login comes back: who signs in again gets another token
        return not known.ended and self._clock() - known.asked_at >= wait

    def _ask(self, token: str, before: Known | None) -> Known:
        confirmed_at = before.confirmed_at if before else None
        try:
            stands = self._stands(token)
        except Exception as fault:  # noqa: BLE001  an outage of the pool must not become ours at once
            logger.warning("the user pool did not say whether a login stands", **describe_fault(fault))
            return Known(self._clock(), answered=False, confirmed_at=confirmed_at)
        now = self._clock()
        return Known(now, answered=True, confirmed_at=now if stands else None, ended=not stands)

    def _remember(self, name: bytes, known: Known) -> None:
        with self._lock:
            self._known[name] = known
            self._known.move_to_end(name)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


class PoolUsers:
    """`GetUser` of the user pools' service at `url`, over one connection that is kept open.

    It needs no AWS credentials: the access token is the credential. Calling it gives whether the token's
    login stands and raises `OSError` or `http.client.HTTPException` when the service does not say.
    """

    def __init__(self, url: str, seconds: float = 3.0) -> None:
        address = urlsplit(url)
        if address.scheme not in {"https", "http"} or not address.hostname:
            raise ValueError("the address of the user pools' service is not a web address")
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.hostname, address.port, timeout=seconds)
        self._lock = threading.Lock()

    def __call__(self, token: str) -> bool:
        body = json.dumps({"AccessToken": token}).encode()
        with self._lock:
            try:
                status, answer = self._post(body)
            except (ConnectionError, http.client.HTTPException):
                # the connection was closed while the process slept
                self._connection.close()
                status, answer = self._post(body)
        if status == http.client.OK:
            return True
        told = json.loads(answer).get("__type", "") if answer.startswith(b"{") else ""
        if status < http.client.INTERNAL_SERVER_ERROR and str(told).rpartition("#")[2] in _ENDED:
            return False
        raise OSError(f"the user pools' service answered {status}")

    def _post(self, body: bytes) -> tuple[int, bytes]:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser",
        }
        try:
            self._connection.request("POST", "/", body, headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            self._connection.close()
            raise
