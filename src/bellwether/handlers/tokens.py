"""Who a Cognito token says its bearer is, if it can be believed."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt

from bellwether.domain.problems import Unauthenticated, Unavailable
from bellwether.domain.rights import GROUPS, Role, User
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.sign_in import NAME_CLAIM

FRESH_SECONDS = 3_600.0
SHORTEST_REFRESH_SECONDS = 20.0
FIRST_RETRY_SECONDS = 1.0
"""Between tries of a process that has no key yet: each one makes a caller wait for the pool."""
LARGEST_KEY_SET = 100_000
LONGEST_TOKEN = 8_192
ACCESS = "access"
STALE_SECONDS = 24 * 3_600.0
"""For so long keys that could not be read again stay good: the pool rotates seldom, and announces it."""


class KeySet:
    """The user pool's public keys, kept in the process.

    They are read again when a token names an unknown key (at most every 20 s, so that forged key ids cannot
    make the function hammer the pool) and once an hour. While the pool cannot be reached the known keys stay
    good for a day. `fetch` gives the JWKS document, `clock` seconds.
    """

    def __init__(self, fetch: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, Any] = {}
        self._tried_at: float | None = None
        self._read_at: float | None = None
        self._lock = threading.Lock()

    def key(self, kid: str) -> Any | None:
        """The RSA key of that id; `None` when the pool has none.

        Raises `Unavailable` when none was read, or none for a day: our fault, and not the caller's.
        """
        with self._lock:
            if (kid not in self._keys or self._stale()) and self._may_try():
                self._read()
            if self._read_at is None or self._clock() - self._read_at > STALE_SECONDS:
                raise Unavailable("The keys of the user pool cannot be read.")
            return self._keys.get(kid)

    def _stale(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at > FRESH_SECONDS

    def _may_try(self) -> bool:
        wait = SHORTEST_REFRESH_SECONDS if self._keys else FIRST_RETRY_SECONDS
        return self._tried_at is None or self._clock() - self._tried_at >= wait

    def _read(self) -> None:
        self._tried_at = self._clock()
        try:
            keys = signing_keys(self._fetch())
        except Exception as fault:  # noqa: BLE001  an outage of the pool must not become ours
            logger.warning("the keys of the user pool could not be read", **describe_fault(fault))
            return
        if keys:
            self._keys, self._read_at = keys, self._clock()


def signing_keys(document: bytes) -> dict[str, Any]:
    """The RS256 keys of a JWKS document by key id; keys of other kinds or uses are left out."""
    found = {}
    for key in json.loads(document)["keys"]:
        if key.get("kty") == "RSA" and key.get("use", "sig") == "sig" and key.get("alg", "RS256") == "RS256":
            found[str(key["kid"])] = jwt.PyJWK(key, algorithm="RS256").key
    return found


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def read_key_set(url: str, seconds: float = 3.0) -> bytes:
    """Reads the JWKS document at `url` (http or https, no redirects, bounded)."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("the address of the key set is not a web address")
    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310
    with build_opener(_NoRedirect).open(request, timeout=seconds) as response:
        return bytes(response.read(LARGEST_KEY_SET))


class TokenVerifier:
    """Checks signature (RS256 only), expiry, issuer, client and kind of a token and reads its user.

    Only access tokens are taken: an id token tells a client who signed in and is no permission, and whether
    its login still stands cannot be asked. `sub` is the user name here: it never changes, is never given
    again, and keeps a person's name out of a ledger that cannot forget.
    """

    def __init__(self, keys: KeySet, *, issuer: str, client_id: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._client_id = client_id

    def user(self, token: str) -> User:
        """The bearer. Raises `Unauthenticated` for any token that is not a good one."""
        claims = self._claims(token)
        if claims["token_use"] != ACCESS or claims.get("client_id") != self._client_id:
            raise Unauthenticated("The token was not made for this desk.")
        groups = claims.get("cognito:groups") or []
        roles: tuple[Role, ...] = tuple(
            role for role in GROUPS if isinstance(groups, list) and role in groups
        )
        return User(username=str(claims["sub"]), roles=roles, name=str(claims.get(NAME_CLAIM) or ""))

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.key(str(header.get("kid")))
            if key is None or header.get("alg") != "RS256":
                raise Unauthenticated("The token was not signed by this desk's user pool.")
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self._issuer,
                options={
                    "require": ["exp", "iss", "sub", "token_use"],
                    "verify_aud": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as fault:
            raise Unauthenticated(f"The token is not valid ({type(fault).__name__}).") from None
