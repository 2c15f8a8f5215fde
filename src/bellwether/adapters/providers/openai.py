"""OpenAI's Responses API as a language model: every try is reserved, and none is made past its time.

https://platform.openai.com/docs/api-reference/responses/create
"""

import random
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.calling import ProviderClient, Waiting
from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.openai_answers import (
    BAD_CONTENT,
    Usage,
    answer_of,
    document,
    judge,
    usage_of,
)
from bellwether.adapters.providers.openai_settings import OpenAiSettings
from bellwether.agents.language.ports import Answer, Question
from bellwether.domain.problems import Unavailable
from bellwether.domain.provider_terms import Terms
from bellwether.usecases.ports import Clock, ProviderRecords

NAME = "openai"
MOST_AT_ONCE = 4
"""Calls at a time of one batch; there are ten workers of them, and one record they all write to."""
MOST_TRIES = 3
CALL_SECONDS = 40.0
LEAST_SECONDS = 2.0
FRAME_TOKENS = 200
"""Beside its words a question has roles, marks and the frame of the schema."""
USER_AGENT = "bellwether/0.1"
UNSETTLED = "contended"
_BUDGETS = frozenset({"daily_budget", "monthly_budget"})
_SOON = frozenset({"quota", "asked_to_wait", "too_many_requests", "contended"})
_TRANSIENT = frozenset(
    {"too_many_requests", "http_408", "http_409", "unreachable", "cut_short", "contended", "failed"}
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Told(Struct, frozen=True, kw_only=True):
    """One try, as it may be logged: never what was asked or answered."""

    code: str
    request_id: str | None = None
    milliseconds: int = 0
    usage: Usage = Usage()
    dollars: float = 0.0


class OpenAi:
    """`LanguageModel`. `seconds()` says how long answers may take from now on, all of a batch together."""

    def __init__(
        self,
        settings: OpenAiSettings,
        terms: Terms,
        records: ProviderRecords,
        *,
        clock: Clock,
        seconds: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        http = GuardedHttp(seconds=CALL_SECONDS, trusted=settings.trusted, user_agent=USER_AGENT)
        self._client = ProviderClient(terms, http, records, judge, clock=clock, jitter=jitter, sleep=sleep)
        self._settings = settings
        self._seconds = seconds
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter
        self._lock = Lock()
        self._told: list[Told] = []

    @property
    def name(self) -> str:
        """The model's name."""
        return self._settings.model.name

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in order, four questions at a time; whatever was not answered in time says so."""
        until = self._monotonic() + self._seconds()
        with ThreadPoolExecutor(max(1, min(MOST_AT_ONCE, len(questions)))) as pool:
            return list(pool.map(lambda question: self._one(question, until), questions))

    def take_told(self) -> list[Told]:
        """The tries since the last time this was asked."""
        with self._lock:
            told, self._told = self._told, []
        return told

    def _one(self, question: Question, until: float) -> Answer:
        body = self._body(question)
        tries = 0
        while True:
            left = until - self._monotonic()
            if left < LEAST_SECONDS:
                return Answer(fault="there was no time left to ask the language model")
            try:
                return self._try(question, body, min(left, CALL_SECONDS))
            except Refused as fault:
                # waiting for one's turn is no try
                tries += not isinstance(fault, Waiting)
                if fault.code == BAD_CONTENT:
                    return Answer(fault=fault.detail, of_content=True)
                pause = self._pause(fault, tries)
                if pause is None or pause > until - self._monotonic() - LEAST_SECONDS:
                    return Answer(fault=_reason(fault))
            self._sleep(pause)

    def _try(self, question: Question, body: bytes, seconds: float) -> Answer:
        price = self._settings.model.price
        most_read = most_tokens_read(question)
        began = self._monotonic()
        expected = price.dollars(most_read, 0, question.most_tokens)
        tokens = most_read + question.most_tokens

        def charged(response: Response) -> tuple[float, int]:
            usage = usage_of(response)
            # an answer that does not say counts as all that was reserved
            return (expected, tokens) if usage is None else (self._dollars(usage), usage.read + usage.written)

        headers = {
            "Authorization": f"Bearer {self._settings.api_key}",
            "Content-Type": "application/json",
        }
        got: list[Response] = []

        def send(http: GuardedHttp) -> Response:
            got.append(http.post(self._url, body, headers, seconds=seconds))
            return got[0]

        try:
            self._client.call(send, expected, tokens=tokens, charged=charged)
        except Waiting:
            raise
        except Refused as fault:
            if not _only_unsettled(fault.code, got):
                self._tell(fault.code, got, began, Usage(), expected if fault.unanswered else 0.0)
                raise
        except Unavailable:
            if not _only_unsettled(UNSETTLED, got):
                return Answer(fault="the language model was not asked: the desk's budget cannot be read")
        usage = usage_of(got[0]) or Usage()
        self._tell("ok", got, began, usage, charged(got[0])[0])
        return answer_of(got[0])

    @property
    def _url(self) -> str:
        return f"{self._settings.address}/v1/responses"

    def _dollars(self, usage: Usage) -> float:
        return self._settings.model.price.dollars(usage.read, usage.cached, usage.written)

    def _body(self, question: Question) -> bytes:
        model = self._settings.model
        told: dict[str, Any] = {
            "model": model.name,
            "instructions": question.instructions,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": question.data}]}],
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "readings",
                    "schema": question.schema,
                    "strict": True,
                }
            },
            "max_output_tokens": question.most_tokens,
            "store": False,
        }
        if model.effort is not None:
            told["reasoning"] = {"effort": model.effort}
        if model.temperature is not None:
            told["temperature"] = model.temperature
        return msgspec.json.encode(told)

    def _pause(self, fault: Refused, tries: int) -> float | None:
        """Seconds until it is worth trying again, `None` when it is not."""
        if isinstance(fault, Waiting) and fault.code not in _SOON:
            return None
        if not isinstance(fault, Waiting) and (not _is_transient(fault.code) or tries >= MOST_TRIES):
            return None
        backoff = timedelta(seconds=0.5 * 2**tries)
        wait = max(fault.wait if fault.wait is not None else backoff, timedelta(0))
        return wait.total_seconds() + 0.1 * self._jitter() + 0.01

    def _tell(self, code: str, got: Sequence[Response], began: float, usage: Usage, dollars: float) -> None:
        request_id = got[0].headers.get("x-request-id") if got else None
        told = Told(
            code=code,
            request_id=request_id if request_id and _REQUEST_ID.fullmatch(request_id) else None,
            milliseconds=round((self._monotonic() - began) * 1000),
            usage=usage,
            dollars=dollars,
        )
        with self._lock:
            self._told.append(told)


def _only_unsettled(code: str, got: Sequence[Response]) -> bool:
    """Whether an answer is there and only could not be written down: it is paid for, and what was reserved
    stays reserved. Asking again would pay twice."""
    return code == UNSETTLED and bool(got) and got[0].status == 200 and isinstance(document(got[0]), dict)


def most_tokens_read(question: Question) -> int:
    """More tokens than the question can be: a token of a byte-level vocabulary is a byte at least."""
    schema = len(msgspec.json.encode(question.schema))
    return len(question.instructions.encode()) + len(question.data.encode()) + schema + FRAME_TOKENS


def _is_transient(code: str) -> bool:
    return code in _TRANSIENT or code.startswith("http_5")


def _reason(fault: Refused) -> str:
    if fault.code in _BUDGETS:
        return f"the budget is spent: {fault.detail}"
    return (
        f"the language model was not asked: {fault.detail}"
        if isinstance(fault, Waiting)
        else (f"the language model did not answer: {fault.detail}")
    )
