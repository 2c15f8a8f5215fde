"""What X answers: pages, problems, and how long to leave it alone."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Raw, Struct

from bellwether.adapters.providers.calling import Judge
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.waiting import number, until_epoch
from bellwether.adapters.providers.x_posts import is_id

KEY_WAIT = timedelta(minutes=15)
"""Whoever exchanges a key does not do it within the minute."""
MONEY_WAIT = timedelta(hours=1)
MOST_SAID = 160


class Page(Struct, frozen=True, kw_only=True):
    """A page of a search: posts and authors as they came."""

    posts: list[Raw]
    users: list[Raw]
    newest_id: str | None = None
    next_token: str | None = None


class _Meta(Struct, frozen=True):
    newest_id: str | None = None
    next_token: str | None = None


class _Includes(Struct, frozen=True):
    users: list[Raw] | None = None


class _Document(Struct, frozen=True):
    data: list[Raw] | None = None
    includes: _Includes | None = None
    meta: _Meta | None = None
    errors: list[Raw] | None = None


class _Fault(Struct, frozen=True):
    message: str | None = None
    parameters: dict[str, Any] | None = None


class _Problem(Struct, frozen=True):
    title: str | None = None
    detail: str | None = None
    type: str | None = None
    reason: str | None = None
    errors: list[_Fault] | None = None


def judged(key: str, *, searching: bool = True) -> Judge:
    """The judge of answers to requests with this key; what it tells never holds the key. With `searching`
    a 200 has to be a page of a search, and who may not search may do nothing."""

    def judge(response: Response, at: datetime) -> timedelta | None:
        if response.status == 429:
            return _window(response, at) or (MONEY_WAIT if _is_capped(response) else None)
        if response.status not in {200, 201}:
            raise _refusal(response, key, about_all=searching)
        if searching:
            page_of(response)
        return _window(response, at) if number(response.headers.get("x-rate-limit-remaining")) == 0 else None

    return judge


def page_of(response: Response) -> Page:
    """The page of a search. Raises `Refused` for what is none; X has charged for it all the same."""
    try:
        document = msgspec.json.decode(response.content, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("bad_answer", "the answer is not what X's search answers", unanswered=True) from None
    if document.data is None and document.meta is None:
        raise Refused("bad_answer", "the answer holds neither posts nor their number")
    meta = document.meta or _Meta()
    return Page(
        posts=document.data or [],
        users=(document.includes.users if document.includes else None) or [],
        newest_id=meta.newest_id if meta.newest_id and is_id(meta.newest_id) else None,
        next_token=_token(meta.next_token),
    )


def _token(told: str | None) -> str | None:
    usable = told is not None and told.isascii() and told.isalnum() and len(told) <= 500
    return told if usable else None


def _window(response: Response, at: datetime) -> timedelta | None:
    return until_epoch(response.headers.get("x-rate-limit-reset"), at)


def _is_capped(response: Response) -> bool:
    return "usage-capped" in (_problem(response).type or "")


def _problem(response: Response) -> _Problem:
    try:
        return msgspec.json.decode(response.content, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Problem()


def _refusal(response: Response, key: str, *, about_all: bool) -> Refused:
    problem = _problem(response)
    if response.status == 400:
        return _bad_request(problem, key)
    if response.status == 401:
        return Refused("key_refused", "X does not accept the bearer token", wait=KEY_WAIT)
    if response.status == 402:
        return Refused("used_up", "the credits of the X account are used up", wait=MONEY_WAIT)
    if response.status == 403:
        enrolled = "not-enrolled" not in (problem.reason or "")
        code = "forbidden" if enrolled else "not_enrolled"
        detail = f"X forbids this: {said(problem.detail, key)}"
        return Refused(code, detail, wait=KEY_WAIT if about_all else None, about_all=about_all)
    return Refused(f"http_{response.status}", f"X answered {response.status}", about_all=about_all)


def _bad_request(problem: _Problem, key: str) -> Refused:
    faults = problem.errors or []
    named = {name for fault in faults for name in (fault.parameters or {})}
    message = next((fault.message for fault in faults if fault.message), None) or problem.detail or ""
    # a parameter may be named because it was sent; the message says which one is at fault
    if "since_id" in message or named == {"since_id"}:
        return Refused("since_id_too_old", "the last post that was read is too old", about_all=False)
    if "_token" in message or named & {"next_token", "pagination_token"}:
        return Refused("page_expired", "the page that was left at is gone", about_all=False)
    code = "query_refused" if "query" in named or "query" in message else "bad_request"
    return Refused(code, f"X does not take the request: {said(message, key)}", about_all=False)


def said(told: str | None, key: str) -> str:
    """What X said, cut short, in printable characters, without the key."""
    plain = " ".join((told or "nothing").replace(key, "…").split())
    return "".join(character for character in plain if character.isprintable())[:MOST_SAID]
