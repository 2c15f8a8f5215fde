"""The client of OpenAI's Responses API against a peer that speaks it: forms, faults, retries, money, keys."""

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.memory.feed import MemoryProviderRecords
from bellwether.adapters.providers.openai import MOST_TRIES, OpenAi, Told, most_tokens_read
from bellwether.adapters.providers.openai_models import MODELS
from bellwether.adapters.providers.openai_settings import read_settings
from bellwether.adapters.providers.terms import TERMS
from bellwether.agents.language.ports import Answer, Question
from bellwether.agents.language.questions import Entry, asked
from bellwether.domain.problems import Unavailable
from bellwether.domain.provider_record import ProviderRecord
from bellwether.domain.provider_terms import Quota, Terms
from tests.peers.openai import (
    KEY,
    OpenAiPeer,
    cut,
    honest,
    openai_peer,
    page,
    reading_of,
    refusal,
    reset,
    tokens,
    trickle,
)

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PRICE = MODELS["gpt-4.1-mini"].price


@pytest.fixture
def peer() -> Iterator[OpenAiPeer]:
    with openai_peer() as served:
        yield served


@dataclass
class Clocks:
    """Time that passes only while somebody sleeps, or by a step for each look at it."""

    step: float = 0.0
    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        self.passed += self.step
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


@dataclass
class Desk:
    ports: MemoryPorts
    clocks: Clocks
    model: OpenAi

    def ask(self, *questions: Question) -> list[Answer]:
        return self.model.ask(questions or [question()])

    @property
    def told(self) -> list[Told]:
        return self.model.take_told()

    @property
    def dollars(self) -> float:
        return self.ports.providers.get("openai").dollars_today

    @property
    def tokens(self) -> int:
        return self.ports.providers.get("openai").tokens_today


Making = Callable[..., Desk]


@pytest.fixture
def desk(peer: OpenAiPeer) -> Making:
    """Makes clients of the peer. `seconds` is the time a batch has, `secret` what is put into the secret."""

    def made(
        terms: Terms | None = None,
        seconds: float = 60.0,
        step: float = 0.0,
        ports: MemoryPorts | None = None,
        **secret: Any,
    ) -> Desk:
        settings = read_settings({"api_key": KEY, "base_url": peer.address, **secret})
        assert settings is not None
        clocks, ports = Clocks(step), ports or MemoryPorts()
        model = OpenAi(
            settings,
            terms or TERMS["openai"],
            ports.providers,
            clock=clocks.now,
            seconds=lambda: seconds,
            monotonic=clocks.monotonic,
            sleep=clocks.sleep,
            jitter=lambda: 0.0,
        )
        return Desk(ports, clocks, model)

    return made


def question(*texts: str) -> Question:
    shown = [Entry(asset="BEACON", text=text) for text in texts or ("BEACON wins", "BEACON loses")]
    return asked(shown, iter(f"id{n}" for n in range(100)).__next__).question


def told_of(answer: Answer) -> list[dict[str, Any]]:
    assert answer.fault is None, answer
    readings: list[dict[str, Any]] = json.loads(answer.text)["readings"]
    return readings


@pytest.mark.req("S2")
def test_a_question_is_one_the_service_takes_and_its_key_is_in_the_header_alone(
    peer: OpenAiPeer, desk: Making
) -> None:
    (answer,) = desk().ask()
    assert [one["reading"] for one in told_of(answer)] == [5, -5]
    (body,), (headers,) = peer.bodies, peer.headers
    assert body["store"] is False
    assert body["model"] == "gpt-4.1-mini"
    assert body["text"]["format"]["strict"] is True
    assert KEY not in json.dumps(body)
    assert [name for name, value in headers.items() if KEY in value] == ["authorization"]


def test_models_that_reason_are_told_not_to(peer: OpenAiPeer, desk: Making) -> None:
    assert told_of(desk(model="gpt-5.4-nano").ask()[0])
    assert peer.bodies[0]["reasoning"] == {"effort": "none"}
    assert "temperature" not in peer.bodies[0]


def test_a_model_of_ones_own_machine_is_free_and_held_to_its_tokens(desk: Making) -> None:
    own = desk(model="llama-3.2")
    assert told_of(own.ask()[0])
    assert own.dollars == 0
    assert own.tokens > 0
    poor = desk(replace(TERMS["openai"], daily_tokens=100), model="llama-3.2")
    assert poor.ask()[0].fault == "the budget is spent: the day's budget of 100 tokens is spent"


@pytest.mark.req("X2")
def test_an_upper_bound_is_reserved_and_the_real_usage_is_paid(peer: OpenAiPeer, desk: Making) -> None:
    one, asked_for = desk(), question()
    seen: list[tuple[float, int]] = []

    def mind(entries: Any) -> list[dict[str, Any]]:
        seen.append((one.dollars, one.tokens))
        return honest(entries)

    peer.mind = mind
    answer = one.ask(asked_for)[0]
    read, written = (tokens(asked_for.instructions) + tokens(asked_for.data)), tokens(answer.text)
    assert one.dollars == pytest.approx((read * PRICE.read + written * PRICE.written) / 1e6)
    assert one.tokens == read + written
    ((reserved, most),) = seen
    assert reserved == pytest.approx(PRICE.dollars(most_tokens_read(asked_for), 0, asked_for.most_tokens))
    assert (reserved, most) > (one.dollars, one.tokens)
    (told,) = one.told
    assert (told.code, told.usage.read, told.usage.written) == ("ok", read, written)
    assert told.dollars == pytest.approx(one.dollars)
    assert told.request_id == "req_0123456789abcdef"


def test_cached_tokens_cost_what_they_cost(peer: OpenAiPeer, desk: Making) -> None:
    told = {"input_tokens": 2_000, "output_tokens": 100, "input_tokens_details": {"cached_tokens": 1_500}}
    peer.usage = lambda usage: {**usage, **told}
    one = desk()
    one.ask()
    assert one.dollars == pytest.approx((500 * 0.40 + 1_500 * 0.10 + 100 * 1.60) / 1e6)


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], {"input_tokens": "12", "output_tokens": 1}, {"input_tokens": -1, "output_tokens": 1},
     {"input_tokens": 10**12, "output_tokens": 1}, {"input_tokens": 1}],
)  # fmt: skip
def test_an_answer_that_does_not_say_what_it_took_costs_all_that_was_reserved(
    peer: OpenAiPeer, desk: Making, usage: Any
) -> None:
    peer.usage = lambda _usage: usage
    one, asked_for = desk(), question()
    assert told_of(one.ask(asked_for)[0])
    assert one.dollars == pytest.approx(PRICE.dollars(most_tokens_read(asked_for), 0, asked_for.most_tokens))


@pytest.mark.req("X2", "X4")
def test_a_spent_budget_asks_nobody_and_is_told_as_one(peer: OpenAiPeer, desk: Making) -> None:
    for budget in ({"daily_dollars": 0.001}, {"monthly_dollars": 0.001}, {"monthly_tokens": 1_000}):
        poor = desk(replace(TERMS["openai"], **budget))
        (answer,) = poor.ask()
        assert answer.fault is not None
        assert answer.fault.startswith("the budget is spent: the ")
        assert not answer.of_content
        assert poor.clocks.slept == []
        assert poor.ports.providers.get("openai").state == "spent"
    assert peer.headers == []


def test_many_questions_share_one_budget_to_the_last_dollar(peer: OpenAiPeer, desk: Making) -> None:
    one = question()
    bound = PRICE.dollars(most_tokens_read(one), 0, one.most_tokens)
    # no usage is told: each call costs its bound, and three of them fit
    peer.usage = lambda _usage: None
    poor = desk(replace(TERMS["openai"], daily_dollars=3.5 * bound))
    answers = poor.ask(*[one] * 12)
    assert sum(answer.fault is None for answer in answers) == 3
    assert len(peer.bodies) == 3
    assert poor.dollars == pytest.approx(3 * bound)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503])
def test_what_passes_is_tried_again_and_every_try_is_reserved(
    peer: OpenAiPeer, desk: Making, status: int
) -> None:
    peer.next(refusal(status, "server_error"), refusal(status, "server_error"))
    one = desk()
    assert told_of(one.ask()[0])
    assert len(peer.headers) == 3
    assert [told.code for told in one.told] == [f"http_{status}"] * 2 + ["ok"]
    assert one.clocks.slept == pytest.approx([1.01, 2.01])


def test_tries_end(peer: OpenAiPeer, desk: Making) -> None:
    peer.next(*[refusal(503, "server_error")] * 10)
    one = desk()
    assert one.ask()[0].fault == "the language model did not answer: OpenAI answered 503"
    assert len(peer.headers) == MOST_TRIES
    assert one.dollars == 0


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"retry-after-ms": "200"}, 0.2),
        ({"retry-after": "3"}, 3),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "8.64s"}, 8.64),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
    ],
)
def test_429_is_waited_for_as_its_headers_say(
    peer: OpenAiPeer, desk: Making, headers: dict[str, str], waited: float
) -> None:
    peer.next(refusal(429, "rate_limit_exceeded", **headers))
    one = desk()
    assert told_of(one.ask()[0])
    assert sum(one.clocks.slept) == pytest.approx(waited + 0.01)


def test_429_that_lasts_longer_than_the_time_there_is_is_not_waited_for(
    peer: OpenAiPeer, desk: Making
) -> None:
    peer.next(refusal(429, "rate_limit_exceeded", **{"retry-after": "120"}))
    one = desk()
    first, second = one.ask()[0], one.ask()[0]
    assert first.fault == "the language model did not answer: OpenAI was asked too often"
    assert second.fault == "the language model was not asked: the provider asked to wait"
    assert len(peer.headers) == 1
    assert one.clocks.slept == []


def test_ones_turn_is_waited_for_and_is_no_try(peer: OpenAiPeer, desk: Making) -> None:
    slow = replace(TERMS["openai"], quotas=(Quota(calls=1, seconds=2.0),))
    one = desk(slow)
    assert [answer.fault for answer in [one.ask()[0] for _ in range(6)]] == [None] * 6
    assert sum(one.clocks.slept) == pytest.approx(10, abs=0.2)
    assert {told.code for told in one.told} == {"ok"}
    (late,) = desk(slow, seconds=3.0, ports=one.ports).ask()
    assert late.fault is not None
    assert "its quota allows no call before" in late.fault


@pytest.mark.parametrize("headers", [{}, {"retry-after": "1"}, {"retry-after-ms": "1"}])
def test_a_quota_that_is_used_up_is_not_tried_again(
    peer: OpenAiPeer, desk: Making, headers: dict[str, str]
) -> None:
    peer.next(*[refusal(429, "insufficient_quota", **headers)] * 3)
    one = desk()
    assert one.ask()[0].fault == "the language model did not answer: the quota bought of OpenAI is used up"
    assert one.ask()[0].fault == "the language model was not asked: the provider asked to wait"
    assert len(peer.headers) == 1
    assert one.ports.providers.get("openai").code == "used_up"


NOT_JSON = "OpenAI answered with something else than JSON"
FAULTS: dict[str, tuple[Any, str, int]] = {
    "refused key": (refusal(401, "invalid_api_key"), "OpenAI refuses the key", 1),
    "no right": (refusal(403, "unsupported_country"), "OpenAI does not let this key ask", 1),
    "no model": (refusal(404, "model_not_found"), "OpenAI does not know the model, or not for this key", 1),
    "bad schema": (refusal(400, "invalid_json_schema"), "OpenAI refuses the form of the question", 1),
    "teapot": (refusal(418, "teapot"), "OpenAI answered 418", 1),
    "html": (page(200, b"<html>busy</html>"), NOT_JSON, 1),
    "empty": (page(200, b""), NOT_JSON, 1),
    "a list": (page(200, b"[]"), NOT_JSON, 1),
    "latin": (page(200, '{"id": "é"}'.encode("latin-1")), NOT_JSON, 1),
    "truncated": (page(200, b'{"id": "resp_1", "output": ['), NOT_JSON, 1),
    "too large": (page(200, b" " * 5_000_001), "the answer is larger than 5,000,000 bytes", 1),
    "bomb": (
        page(200, gzip.compress(bytes(50_000_000)), Content_Encoding="gzip"),
        "the answer is larger than 5,000,000 bytes",
        1,
    ),
    "redirect": (page(307, b"", Location="http://127.0.0.1:9/v1/responses"), "OpenAI answered 307", 1),
    "cut": (cut, "the answer ended early", MOST_TRIES),
    "reset": (reset, "the connection failed (RemoteDisconnected)", MOST_TRIES),
    "failed": (
        page(200, {"status": "failed", "error": {"code": "server_error"}, "output": []}),
        "OpenAI says that its model failed",
        MOST_TRIES,
    ),
}  # fmt: skip


@pytest.mark.req("S2")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_in_words_and_never_with_the_key(
    peer: OpenAiPeer, desk: Making, fault: tuple[Any, str, int], caplog: pytest.LogCaptureFixture
) -> None:
    served, reason, times = fault
    caplog.set_level(logging.DEBUG)
    peer.next(*[served] * 5)
    one = desk()
    (answer,) = one.ask()
    assert answer.fault == f"the language model did not answer: {reason}"
    assert not answer.of_content
    assert len(peer.headers) == times
    record = one.ports.providers.get("openai")
    assert record.code is not None
    assert (record.state == "ok") == (record.code == "too_large")
    seen = f"{answer} {record} {one.told} {caplog.text}"
    assert KEY not in seen
    assert "sk-" not in seen


def test_an_answer_that_trickles_is_hung_up_on_and_stays_paid_for(
    peer: OpenAiPeer, desk: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwether.adapters.providers.openai.CALL_SECONDS", 0.3)
    peer.next(trickle(0.02))
    one = desk()
    (answer,) = one.ask()
    assert answer.fault is not None
    assert "did not come in time" in answer.fault
    assert one.dollars > 0


def test_a_key_that_was_refused_is_left_alone_for_a_while(peer: OpenAiPeer, desk: Making) -> None:
    wrong = desk(api_key="sk-another")
    assert wrong.ask()[0].fault == "the language model did not answer: OpenAI refuses the key"
    assert wrong.ask()[0].fault == "the language model was not asked: the provider asked to wait"
    assert len(peer.headers) == 1
    assert wrong.ports.providers.get("openai").code == "key_refused"


def test_no_question_is_begun_without_time(peer: OpenAiPeer, desk: Making) -> None:
    answers = desk(seconds=1.0).ask(*[question()] * 3)
    assert {answer.fault for answer in answers} == {"there was no time left to ask the language model"}
    slow = desk(seconds=30.0, step=4.0)
    faults = [answer.fault for answer in slow.ask(*[question()] * 30)]
    assert faults[0] is None
    assert faults[-1] == "there was no time left to ask the language model"


def test_a_refusal_and_an_answer_cut_short_are_of_the_content(peer: OpenAiPeer, desk: Making) -> None:
    peer.refuses = lambda entries: any("forbidden" in entry["text"] for entry in entries)
    one = desk()
    (refused,) = one.ask(question("something forbidden"))
    assert refused == Answer(fault="the language model refuses to read it", of_content=True)
    peer.mind = lambda entries: [reading_of(entry, rationale="on and on " * 400) for entry in entries]
    (long,) = one.ask(question("news"))
    assert long == Answer(fault="the language model's answer was cut short", of_content=True)
    message = {"type": "message", "content": [3, {"type": "output_text"}, {"type": "output_text", "text": 5}]}
    peer.next(
        page(200, {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": []}),
        refusal(400, "invalid_prompt"),
        page(200, {"status": "completed", "output": []}),
        page(200, {"status": "completed", "output": [None, {"type": "message"}, message]}),
    )
    faults = [one.ask()[0] for _ in range(4)]
    assert [answer.of_content for answer in faults] == [True] * 4
    assert [answer.fault for answer in faults] == [
        "its content was filtered", "OpenAI refuses what the texts say",
        "the language model said nothing", "the language model said nothing",
    ]  # fmt: skip
    assert one.ports.providers.get("openai").failures == 0
    assert one.dollars > 0


def test_texts_in_several_parts_are_one_answer(peer: OpenAiPeer, desk: Making) -> None:
    parts = [{"type": "output_text", "text": '{"readings"'}, {"type": "output_text", "text": ": []}"}]
    output = [{"type": "reasoning", "summary": []}, {"type": "message", "content": parts}]
    peer.next(page(200, {"status": "completed", "error": None, "output": output}))
    assert desk().ask() == [Answer(text='{"readings": []}')]


def test_a_provider_that_keeps_failing_is_left_alone_by_all(peer: OpenAiPeer, desk: Making) -> None:
    peer.next(*[refusal(500, "server_error")] * 50)
    ports = MemoryPorts()
    for _ in range(4):
        desk(ports=ports).ask()
    assert len(peer.headers) == 5
    (answer,) = desk(ports=ports).ask()
    assert answer.fault is not None
    assert "left alone for a while" in answer.fault


def test_answers_come_in_the_order_of_the_questions(desk: Making) -> None:
    many = [question(f"BEACON {'wins' if n % 3 else 'loses'} {n}") for n in range(12)]
    found = [told_of(answer)[0]["reading"] for answer in desk().ask(*many)]
    assert found == [5 if n % 3 else -5 for n in range(12)]
    assert desk().model.ask([]) == []


class Records(MemoryProviderRecords):
    """Takes `writes` replacements; from then on it does not answer, or somebody else is always first."""

    def __init__(self, writes: int, *, contended: bool) -> None:
        super().__init__()
        self.left = writes
        self.contended = contended

    def put(self, record: ProviderRecord) -> bool:
        self.left -= 1
        if self.left >= 0:
            return super().put(record)
        if self.contended:
            return False
        raise Unavailable("no table")


@pytest.mark.req("X2")
@pytest.mark.parametrize("contended", [True, False])
def test_without_the_record_nobody_is_asked(peer: OpenAiPeer, desk: Making, contended: bool) -> None:
    one = desk(ports=MemoryPorts(providers=Records(0, contended=contended)))
    (answer,) = one.ask()
    assert answer.fault is not None
    assert peer.headers == []


@pytest.mark.parametrize("contended", [True, False])
def test_an_answer_that_cannot_be_written_down_is_used_and_not_paid_for_twice(
    peer: OpenAiPeer, desk: Making, contended: bool
) -> None:
    one = desk(ports=MemoryPorts(providers=Records(1, contended=contended)))
    asked_for = question()
    (answer,) = one.ask(asked_for)
    assert told_of(answer)
    assert len(peer.headers) == 1
    assert [told.code for told in one.told] == ["ok"]
    # what was reserved stays reserved
    bound = PRICE.dollars(most_tokens_read(asked_for), 0, asked_for.most_tokens)
    assert one.dollars == pytest.approx(bound)


def test_one_question_without_a_record_does_not_lose_the_answers_of_the_others(
    peer: OpenAiPeer, desk: Making
) -> None:
    one = desk(ports=MemoryPorts(providers=Records(4, contended=False)))
    answers = one.ask(*[question() for _ in range(6)])
    assert sum(answer.fault is None for answer in answers) == len(peer.bodies) >= 1
    assert len(answers) == 6
