"""Whether a provider takes a key: one cheap call to each, which reads nothing the desk would keep."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.domain.provider_record import UNREACHABLE

Verdict = Literal["ok", "refused", "unreachable", "unclear"]
Keys = Mapping[str, str]

MOST_TOLD = 200


class KeyCheck(Struct, frozen=True, kw_only=True):
    """What a provider says to a key. `detail` is a sentence without the key."""

    provider: str
    verdict: Verdict
    detail: str


class Question(Struct, frozen=True, kw_only=True):
    """How a provider is asked: `path` and headers made from `members`; `said` finds a refusal in a 200."""

    members: tuple[str, ...]
    address: str
    path: Callable[[Keys], str]
    headers: Callable[[Keys], Mapping[str, str]]
    body: bytes | None = None
    said: Callable[[Any], str | None] = lambda _: None


def _bearer(member: str) -> Callable[[Keys], Mapping[str, str]]:
    return lambda keys: {"Authorization": f"Bearer {keys[member]}"}


def _basic(keys: Keys) -> Mapping[str, str]:
    pair = f"{keys['client_id']}:{keys['client_secret']}".encode()
    return {
        "Authorization": f"Basic {base64.b64encode(pair).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def _nothing(_: Keys) -> Mapping[str, str]:
    return {}


def _member(*names: str) -> Callable[[Any], str | None]:
    def said(document: Any) -> str | None:
        if not isinstance(document, dict):
            return None
        return next((str(document[name]) for name in names if document.get(name)), None)

    return said


def _alphavantage(keys: Keys) -> str:
    asked = {"function": "GLOBAL_QUOTE", "symbol": "IBM", "apikey": keys["alphavantage_key"]}
    return f"/query?{urlencode(asked)}"


QUESTIONS: Mapping[str, Question] = {
    "x": Question(
        members=("bearer_token",),
        address="https://api.x.com",
        path=lambda _: "/2/usage/tweets",
        headers=_bearer("bearer_token"),
    ),
    "reddit": Question(
        members=("client_id", "client_secret"),
        address="https://www.reddit.com",
        path=lambda _: "/api/v1/access_token",
        headers=_basic,
        body=b"grant_type=client_credentials",
        said=_member("error"),
    ),
    "newsapi": Question(
        members=("newsapi_key",),
        address="https://newsapi.org",
        path=lambda _: "/v2/top-headlines/sources?category=business",
        headers=lambda keys: {"X-Api-Key": keys["newsapi_key"]},
    ),
    "finnhub": Question(
        members=("finnhub_key",),
        address="https://finnhub.io",
        path=lambda _: "/api/v1/quote?symbol=IBM",
        headers=lambda keys: {"X-Finnhub-Token": keys["finnhub_key"]},
    ),
    "alphavantage": Question(
        members=("alphavantage_key",),
        address="https://www.alphavantage.co",
        path=_alphavantage,
        headers=_nothing,
        said=_member("Error Message", "Information", "Note"),
    ),
    "tiingo": Question(
        members=("tiingo_api_key",),
        address="https://api.tiingo.com",
        path=lambda _: "/api/test",
        headers=lambda keys: {"Authorization": f"Token {keys['tiingo_api_key']}"},
    ),
    "polygon": Question(
        members=("polygon_api_key",),
        address="https://api.massive.com",
        path=lambda _: "/v3/reference/tickers/types",
        headers=_bearer("polygon_api_key"),
    ),
    "openai": Question(
        members=("api_key",),
        address="https://api.openai.com",
        path=lambda _: "/v1/models",
        headers=_bearer("api_key"),
    ),
}
"""By provider; Stooq takes a key without saying whether it knows it."""


def check_key(provider: str, keys: Keys, http: GuardedHttp, *, address: str | None = None) -> KeyCheck:
    """Asks the provider. Never raises for what it answers."""
    question = QUESTIONS[provider]
    url = f"{address or question.address}{question.path(keys)}"
    headers = question.headers(keys)
    try:
        response = http.get(url, headers) if question.body is None else http.post(url, question.body, headers)
    except Refused as fault:
        verdict: Verdict = "unreachable" if fault.code in UNREACHABLE else "unclear"
        return KeyCheck(provider=provider, verdict=verdict, detail=fault.detail)
    return _judged(provider, question, response, keys)


def _judged(provider: str, question: Question, response: Response, keys: Keys) -> KeyCheck:
    if response.status in {401, 403}:
        return KeyCheck(provider=provider, verdict="refused", detail=f"the answer is {response.status}")
    if response.status != 200:
        return KeyCheck(provider=provider, verdict="unclear", detail=f"the answer is {response.status}")
    try:
        document = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, RecursionError):
        return KeyCheck(provider=provider, verdict="unclear", detail="the answer is not JSON")
    if told := question.said(document):
        return KeyCheck(provider=provider, verdict="refused", detail=_safe(told, keys))
    return KeyCheck(provider=provider, verdict="ok", detail="the key is taken")


def _safe(told: str, keys: Keys) -> str:
    for value in keys.values():
        told = told.replace(value, "…")
    return "".join(sign for sign in told if sign.isprintable())[:MOST_TOLD]
