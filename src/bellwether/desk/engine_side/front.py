"""The one port: the product's API, its socket and its dashboard, with the engine behind them.

/v1/*         the deployed REST API
/ws           the deployed WebSocket API
/auth         the user pool's public sign-in calls, for the dashboard
/config.json  what the dashboard needs to know to sign in
/             the dashboard's files
other paths   the AWS APIs, for programs on this machine only
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from . import guard
from .bodies import Gone, TooLarge, bounded
from .own_words import OwnWords
from .replies import problem, reply_json
from .routes import RoutesFile
from .site import Site
from .types import App, Message, Receive, Scope, Send

Control = Callable[[Scope, Send], Awaitable[bool]]

_FORWARDED = b"x-forwarded-proto"
_NOT_DEPLOYED = "The desk is running but nothing is deployed yet."
_CLOSED = "The desk is starting: what was interrupted is being brought back first."

# Calls of the user pool that AWS, too, answers without a signature; a browser may make these and no others.
_SIGN_IN = frozenset(
    f"AWSCognitoIdentityProviderService.{action}"
    for action in (
        "InitiateAuth",
        "RespondToAuthChallenge",
        "AssociateSoftwareToken",
        "VerifySoftwareToken",
        "SetUserMFAPreference",
        "ChangePassword",
        "ForgotPassword",
        "ConfirmForgotPassword",
        "GetUser",
        "GlobalSignOut",
        "RevokeToken",
    )
)


class FrontDoor:
    """The ASGI application the server runs; `engine` is the one it wraps.

    While `closed`, of the product's routes only health answers: after a kill the tables are older than the
    ledger, and a decision taken on them could be taken twice.
    """

    def __init__(
        self, engine: App, *, routes: RoutesFile, site: Site, control: Control, closed: bool = False
    ) -> None:
        self._engine = engine
        self._routes = routes
        self._site = site
        self._control = control
        self.closed = closed
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._engine(scope, receive, send)
        elif kind == "websocket":
            await self._socket(scope, receive, send)
        elif kind == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = scope["headers"], scope["path"]
        if not guard.is_loopback(guard.header(headers, b"host")):
            await problem(send, 403, "This port answers on loopback names only.")
            return
        if guard.is_signed(headers, scope.get("query_string", b"")):
            await self._aws(scope, receive, send)
        elif path == "/v1" or path.startswith("/v1/"):
            await self._api(scope, receive, send)
        elif path == "/auth":
            await self._sign_in(scope, receive, send)
        elif not await self._page(scope, send):
            await self._aws(scope, receive, send)

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        rest = self._routes.read().rest
        if rest is None:
            await problem(send, 503, _NOT_DEPLOYED, {"retry-after": "5"})
            return
        if self.closed and scope["path"] != "/v1/health":
            await problem(send, 503, _CLOSED, {"retry-after": "2"})
            return
        try:
            replay = await bounded(scope, receive)
        except TooLarge:
            await problem(send, 413, "A request body is at most 10 MB.", {"connection": "close"})
            return
        except Gone:
            return
        rest_path = scope["path"].removeprefix("/v1") or "/"
        target = f"/restapis/{rest[0]}/{rest[1]}/_user_request_{rest_path}"
        await self._engine(_moved(scope, target, _without_proto(scope)), replay, OwnWords(send))

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        action = guard.header(headers, b"x-amz-target")
        if scope["method"] != "POST" or action not in _SIGN_IN or not guard.same_origin(headers):
            await problem(send, 403, "Only this page's own sign-in calls are answered here.")
            return
        self.requests += 1
        try:
            replay = await bounded(scope, receive)
        except (TooLarge, Gone):
            return
        await self._engine(_moved(scope, "/", _with_proto(scope)), replay, send)

    async def _page(self, scope: Scope, send: Send) -> bool:
        """Answer what belongs to the dashboard; False when the path is not the dashboard's."""
        method, path = scope["method"], scope["path"]
        if method not in ("GET", "HEAD"):
            return False
        if path == "/config.json":
            await reply_json(send, self._routes.read().public)
            return True
        file = self._site.find(path)
        if file is not None:
            etag = guard.header(scope["headers"], b"if-none-match")
            await self._site.serve(send, file, method, etag)
            return True
        if path in ("/", "/favicon.ico"):
            await problem(send, 404, "No dashboard is installed beside this desk.")
            return True
        return False

    async def _aws(self, scope: Scope, receive: Receive, send: Send) -> None:
        if guard.from_browser(scope["headers"]):
            await problem(send, 403, "A browser may not call the engine's own paths.")
        elif guard.is_closed(scope["path"], scope["method"]):
            await problem(send, 403, "The engine's maintenance calls are closed.")
        elif not await self._control(scope, send):
            self.requests += scope["method"] not in ("GET", "HEAD")
            await self._engine(_moved(scope, None, _with_proto(scope)), receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = scope["headers"], scope["path"]
        if not guard.is_loopback(guard.header(headers, b"host")):
            await _refuse(receive, send)
        elif path in ("/ws", "/ws/"):
            await self._product_socket(scope, receive, send)
        elif guard.from_browser(headers) or guard.is_closed(path, "GET"):
            await _refuse(receive, send)
        else:
            await self._engine(_moved(scope, None, _with_proto(scope)), receive, send)

    async def _product_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        socket = self._routes.read().socket
        if socket is None or self.closed:
            await _refuse(receive, send)
            return
        offered = list(scope.get("subprotocols") or [])

        target = f"/_aws/execute-api/{socket[0]}/{socket[1]}"
        answering = _Handshake(send, offered)
        await self._engine(_moved(scope, target, _without_proto(scope)), receive, answering)


class _Handshake:
    """Passes on what the engine answers to a WebSocket's handshake, as API Gateway would have said it."""

    def __init__(self, send: Send, offered: list[str]) -> None:
        self._send = send
        self._offered = offered
        self._refused = False

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        # A browser that offers subprotocols (the token travels in one) drops a connection that names none;
        # API Gateway returns the connect function's choice, which the engine does not pass on.
        if kind == "websocket.accept" and self._offered and not message.get("subprotocol"):
            message = {**message, "subprotocol": self._offered[0]}
        # An authorizer that fails with "Unauthorized" is a 401 on API Gateway and a 500 on the engine. One
        # that fails otherwise looks the same from here; what it failed of is in its log.
        if kind == "websocket.http.response.start" and message["status"] == 500:
            self._refused = True
            message = {**message, "status": 401}
        elif kind == "websocket.http.response.body" and self._refused:
            message = {**message, "body": b'{"message":"Unauthorized"}'}
        await self._send(message)


def _without_proto(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [pair for pair in scope["headers"] if pair[0].lower() != _FORWARDED]


def _with_proto(scope: Scope) -> list[tuple[bytes, bytes]]:
    # With AUTH=true the bucket policies' aws:SecureTransport condition is enforced, and on loopback the
    # listener is plain HTTP: the engine's own API is marked as having arrived over TLS.
    return [*_without_proto(scope), (_FORWARDED, b"https")]


def _moved(scope: Scope, path: str | None, headers: list[tuple[bytes, bytes]]) -> Scope:
    moved = {**scope, "headers": headers}
    if path is not None:
        moved["path"] = path
        moved["raw_path"] = quote(path, safe="/%:@!$&'()*+,;=~-._").encode("ascii")
    return moved


async def _refuse(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})
