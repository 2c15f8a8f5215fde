"""Answers of the Responses API, and how they say that they are none.

https://platform.openai.com/docs/api-reference/responses/object
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.calling import USED_UP
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.waiting import duration, retry_after
from bellwether.agents.language.ports import Answer

REFUSED_KEY_WAIT = timedelta(minutes=10)
USED_UP_WAIT = timedelta(hours=1)
MOST_COUNT = 10**9
_QUOTA_GONE = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
BAD_CONTENT = "bad_content"
_OF_CONTENT = frozenset({"context_length_exceeded", "invalid_prompt", "string_above_max_length"})
_REFUSALS = {
    400: ("bad_request", "OpenAI refuses the form of the question"),
    401: ("key_refused", "OpenAI refuses the key"),
    403: ("key_refused", "OpenAI does not let this key ask"),
    404: ("no_such_model", "OpenAI does not know the model, or not for this key"),
    408: ("http_408", "OpenAI answered 408"),
    409: ("http_409", "OpenAI answered 409"),
}


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one call; `cached` ones are among those read."""

    read: int = 0
    cached: int = 0
    written: int = 0


def judge(response: Response, at: datetime) -> timedelta | None:
    """What `calling.Judge` asks. A 200 that is no answer object stays charged: its tokens may be used."""
    if response.status == 200:
        told = document(response)
        if not isinstance(told, dict):
            raise Refused("bad_answer", "OpenAI answered with something else than JSON", unanswered=True)
        if told.get("status") == "failed" or told.get("error"):
            raise Refused("failed", "OpenAI says that its model failed")
        return _nothing_left(response)
    if response.status == 429:
        if error_code(response) in _QUOTA_GONE:
            raise Refused(USED_UP, "the quota bought of OpenAI is used up", wait=USED_UP_WAIT)
        return _nothing_left(response)
    if response.status == 400 and error_code(response) in _OF_CONTENT:
        raise Refused(BAD_CONTENT, "OpenAI refuses what the texts say", about_all=False)
    code, detail = _REFUSALS.get(
        response.status, (f"http_{response.status}", f"OpenAI answered {response.status}")
    )
    wait = REFUSED_KEY_WAIT if code in {"key_refused", "no_such_model"} else retry_after(response.headers, at)
    raise Refused(code, detail, wait=wait)


def answer_of(response: Response) -> Answer:
    """The text of the answer's messages, or what came instead."""
    told = document(response)
    if not isinstance(told, dict):
        return Answer(fault="the language model said nothing", of_content=True)
    parts = list(_parts(told))
    if told.get("status") == "incomplete":
        details = told.get("incomplete_details")
        filtered = isinstance(details, dict) and details.get("reason") == "content_filter"
        return Answer(fault="its content was filtered" if filtered else _CUT, of_content=True)
    if any(part.get("type") == "refusal" for part in parts):
        return Answer(fault="the language model refuses to read it", of_content=True)
    texts = [part.get("text") for part in parts if part.get("type") == "output_text"]
    text = "".join(text for text in texts if isinstance(text, str))
    return Answer(text=text) if text else Answer(fault="the language model said nothing", of_content=True)


_CUT = "the language model's answer was cut short"


def usage_of(response: Response) -> Usage | None:
    """The tokens the answer says it took; `None` when it does not say."""
    told = document(response)
    usage = told.get("usage") if isinstance(told, dict) else None
    if not isinstance(usage, dict):
        return None
    read, written = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    if read is None or written is None:
        return None
    details = usage.get("input_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Usage(read=read, cached=min(cached or 0, read), written=written)


def error_code(response: Response) -> str:
    """The stable word of an error body, empty without one."""
    told = document(response)
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return ""
    return str(error.get("code") or error.get("type") or "")


def document(response: Response) -> Any:
    """The body as JSON, `None` when it is none."""
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _parts(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    output = told.get("output")
    for item in output if isinstance(output, list) else []:
        if isinstance(item, dict) and item.get("type") == "message":
            content = item.get("content")
            yield from (
                (part for part in content if isinstance(part, dict)) if isinstance(content, list) else ()
            )


def _count(told: object) -> int | None:
    whole = isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= MOST_COUNT
    return told if whole and isinstance(told, int) else None


def _nothing_left(response: Response) -> timedelta | None:
    """How long until there is a request or a token left, where the headers say that there is none."""
    waits = [
        duration(response.headers.get(f"x-ratelimit-reset-{what}"))
        for what in ("requests", "tokens")
        if response.headers.get(f"x-ratelimit-remaining-{what}", "").strip() == "0"
    ]
    return max((wait for wait in waits if wait), default=None)
