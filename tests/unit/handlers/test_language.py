"""The language agent in the signal worker: there with a key, and with none there is nothing of it at all."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bellwether.adapters.memory import MemoryPorts, MemorySecrets
from bellwether.agents.registry import default_config
from bellwether.agents.text.model import SentimentModel
from bellwether.domain.entities import Asset
from bellwether.domain.problems import Unavailable
from bellwether.domain.signals import Signal
from bellwether.handlers import signal_worker
from bellwether.handlers.language import KEPT_BACK_SECONDS, MOST_SECONDS, Language, time_to_ask
from bellwether.handlers.time_left import begin_within, seconds_left
from bellwether.usecases.ingest import Ingest
from bellwether.usecases.process_batch import ProcessBatch
from tests.peers.openai import KEY, OpenAiPeer, openai_peer, refusal
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.embedded_format import samples
from tests.unit.handlers.events import Context, sqs_event
from tests.unit.handlers.test_queue_functions import NOW, Hidden


@pytest.fixture(scope="module")
def text_model() -> SentimentModel:
    return SentimentModel.load()


@pytest.fixture
def peer() -> Iterator[OpenAiPeer]:
    with openai_peer() as served:
        yield served


class Counting(MemorySecrets):
    """Counts how often it is asked."""

    asked = 0

    def text(self, secret_id: str) -> str:
        self.asked += 1
        return super().text(secret_id)


class Worker:
    """A signal worker with everything in memory but the language model."""

    def __init__(self, model: SentimentModel, secret: str | None) -> None:
        self.ports = MemoryPorts()
        self.secrets = Counting() if secret is None else Counting({"arn": secret})
        self.language = Language(
            "arn",
            lambda: self.secrets,
            lambda: self.ports.providers,
            lambda: self.ports.readings,
            clock=lambda: NOW,
        )
        process = ProcessBatch(
            raw=self.ports.raw,
            claims=self.ports.claims,
            signals=self.ports.signals,
            states=self.ports.states,
            entities=self.ports.entities,
            configs=self.ports.configs,
            changes=self.ports.changes,
            counts=self.ports.counts,
            sentiment=model,
            others=self.language.agents,
        )
        self.parts = signal_worker.Parts(
            process=process, retries=Hidden(), language=self.language, clock=lambda: NOW
        )
        self.ports.entities.put("asset", "ACME", Asset(symbol="ACME", name="Acme Corporation"))

    def work(self, *texts: str, batch: str = "batch-1") -> list[Signal]:
        """The signals of the language agent, all that there are after a batch of posts."""
        ports = self.ports
        ingest = Ingest(
            raw=ports.raw, claims=ports.claims, queue=ports.queue, counts=ports.counts, salt=b"s" * 32
        )
        at = (NOW - timedelta(minutes=1)).isoformat()
        items = [
            {"source": "x", "source_id": f"{batch}{n}", "published_at": at, "text": text}
            for n, text in enumerate(texts)
        ]
        raw = [msgspec.Raw(json.dumps(item).encode()) for item in items]
        ingest(kind="social", items=raw, batch_id=batch, submitted_by="tests", received_at=NOW)
        body = msgspec.json.encode(ports.queue.sent[-1]).decode()
        assert signal_worker.handler.serve(sqs_event(body), Context(milliseconds=120_000), self.parts) == {
            "batchItemFailures": []
        }
        return [one for one in ports.signals.of_day("ACME", "20261123") if one.agent_id == "llm"]


def secret(peer: OpenAiPeer, **members: Any) -> str:
    return json.dumps({"_": "generated", "api_key": KEY, "base_url": peer.address, **members})


@pytest.mark.req("A4", "B2", "C2")
def test_with_a_key_every_mention_is_read_counted_and_paid_for(
    text_model: SentimentModel, peer: OpenAiPeer, logged: Logged, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = Worker(text_model, secret(peer))
    signals = worker.work(
        *(f"$ACME {'wins' if n else 'loses'} case {n} of three" for n in range(3)), "the weather"
    )
    assert sorted(signal.raw for signal in signals) == [-1.0, 1.0, 1.0]
    assert all(signal.p_up != 0.5 and not signal.abstained for signal in signals)
    assert {signal.rationale for signal in signals} == {"gpt-4.1-mini: as the words say"}
    assert len(peer.bodies) == 1
    found = samples(capsys.readouterr().out)
    told = {(one.name, one.dimensions[-1]): one.value for one in found if len(one.dimensions) == 2}
    assert [one.value for one in found if one.name == "ProviderFailures"] == [0]
    (used,) = [one.value for one in found if one.name == "ProviderBudgetUsed"]
    assert 0 < used < 1
    assert told["ProviderCalls", ("provider", "openai")] == 1
    assert told["ProviderDollars", ("provider", "openai")] > 0
    assert told["LlmTokens", ("direction", "input")] > told["LlmTokens", ("direction", "output")] > 0
    counted = worker.ports.counts.totals()
    assert counted['bellwether_provider_dollars_total{provider="openai"}'] > 0
    assert counted['bellwether_provider_tokens_total{provider="openai",direction="output"}'] > 0
    (line,) = [line for line in logged() if line["message"] == "asked a language model"]
    assert (line["code"], line["request_id"]) == ("ok", "req_0123456789abcdef")
    everything = json.dumps(logged())
    assert KEY not in everything
    assert "case 1 of three" not in everything


@pytest.mark.req("C2")
@pytest.mark.parametrize("text", ['{"_": "generated"}', '{"api_key": ""}', "{}", None, "not json", "[]"])
def test_without_a_key_there_is_no_signal_and_no_word_of_it(
    text_model: SentimentModel, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = Worker(text_model, text)
    assert worker.work("$ACME wins a contract") == []
    assert worker.work("nothing of interest", batch="batch-2") == []
    assert worker.secrets.asked == 1
    assert "LlmTokens" not in capsys.readouterr().out
    assert [signal.agent_id for signal in worker.ports.signals.of_day("ACME", "20261123")] == ["sentiment"]
    record = worker.ports.providers.get("openai")
    if text is not None:
        assert (record.state, record.version) == ("off", 1)
        assert record.detail == "no key; bellwether secrets set openai api_key"


@pytest.mark.req("X1")
def test_without_a_key_nothing_of_it_is_loaded() -> None:
    program = (
        "import sys\n"
        "from bellwether.adapters.memory import MemoryPorts, MemorySecrets\n"
        "kept = {name for name in sys.modules}\n"
        "from bellwether.handlers.language import Language\n"
        "secrets = MemorySecrets({'arn': '{\"_\": \"x\"}'})\n"
        "made = Language('arn', lambda: secrets, lambda: MemoryPorts().providers, None, clock=None)\n"
        "assert made.agents() == ()\n"
        "print(*sorted(name for name in set(sys.modules) - kept if 'openai' in name or 'llm' in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_key_that_is_given_taken_or_exchanged_later_is_noticed(
    text_model: SentimentModel, peer: OpenAiPeer
) -> None:
    worker = Worker(text_model, "{}")
    assert worker.work("$ACME wins the first case", batch="b1") == []
    worker.secrets._secrets["arn"] = secret(peer)
    assert len(worker.work("$ACME wins the second case", batch="b2")) == 1
    (agent,) = worker.language.agents()
    assert worker.language.agents() == (agent,)
    worker.secrets._secrets["arn"] = secret(peer, model="gpt-5.4-nano")
    assert len(worker.work("$ACME wins the third case", batch="b3")) == 2
    assert [body["model"] for body in peer.bodies] == ["gpt-4.1-mini", "gpt-5.4-nano"]
    worker.secrets._secrets["arn"] = "{}"
    assert len(worker.work("$ACME wins the fourth case", batch="b4")) == 2


def test_an_agent_that_is_switched_off_asks_nobody(text_model: SentimentModel, peer: OpenAiPeer) -> None:
    worker = Worker(text_model, secret(peer))
    off = msgspec.structs.replace(default_config("llm"), version=1, enabled=False)
    worker.ports.configs.put(off)
    assert worker.work("$ACME wins a contract") == []
    assert peer.headers == []


def test_a_secret_that_cannot_be_used_is_told_once_and_without_its_values(
    text_model: SentimentModel, peer: OpenAiPeer, logged: Logged
) -> None:
    worker = Worker(text_model, secret(peer, base_url="http://elsewhere.example"))
    for n in range(3):
        assert worker.work(f"$ACME wins case {n}", batch=f"b{n}") == []
    (line,) = [line for line in logged() if "language model" in line["message"]]
    assert line["reason"] == "base_url: only https is spoken with another machine"
    assert KEY not in json.dumps(logged())


def test_a_model_that_fails_makes_abstentions_and_is_told_as_failing(
    text_model: SentimentModel, peer: OpenAiPeer, capsys: pytest.CaptureFixture[str]
) -> None:
    peer.next(*[refusal(401, "invalid_api_key")] * 3)
    (signal,) = Worker(text_model, secret(peer)).work("$ACME wins a contract")
    assert signal.abstained
    assert signal.rationale == "the language model did not answer: OpenAI refuses the key"
    assert (signal.p_up, signal.quality, signal.evidence) == (0.5, 0.0, 0.0)
    found = samples(capsys.readouterr().out)
    assert [one.value for one in found if one.name == "ProviderFailures"] == [1]


def test_what_was_asked_is_counted_even_when_the_batch_fails(
    text_model: SentimentModel, peer: OpenAiPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(text_model, secret(peer))

    def put(*_: Any) -> None:
        raise Unavailable("no table")

    monkeypatch.setattr(worker.ports.signals, "put", put)
    with pytest.raises(AssertionError):
        worker.work("$ACME wins a contract")
    assert worker.ports.counts.totals()['bellwether_provider_calls_total{provider="openai"}'] == 1
    monkeypatch.undo()
    # the batch comes again, and its readings are known
    body = msgspec.json.encode(worker.ports.queue.sent[-1]).decode()
    signal_worker.handler.serve(sqs_event(body), Context(milliseconds=120_000), worker.parts)
    assert len(peer.bodies) == 1
    (signal,) = [s for s in worker.ports.signals.of_day("ACME", "20261123") if s.agent_id == "llm"]
    assert signal.raw == 1.0


def test_counters_that_do_not_answer_do_not_bring_the_batch_back(
    text_model: SentimentModel, peer: OpenAiPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(text_model, secret(peer))
    add = worker.ports.counts.add

    def failing(counts: Any) -> None:
        if any("provider" in name for name in counts):
            raise Unavailable("no table")
        add(counts)

    monkeypatch.setattr(worker.ports.counts, "add", failing)
    assert len(worker.work("$ACME wins a contract")) == 1


@pytest.mark.req("C4")
def test_the_time_to_ask_ends_before_the_call_does() -> None:
    begin_within(Context(milliseconds=120_000))
    assert time_to_ask() == MOST_SECONDS
    begin_within(Context(milliseconds=50_000))
    assert 15 < time_to_ask() <= 50 - KEPT_BACK_SECONDS
    begin_within(Context(milliseconds=6_000))
    assert time_to_ask() < 0
    begin_within(object())
    assert seconds_left() == math.inf
    assert time_to_ask() == MOST_SECONDS


@pytest.mark.req("C4")
def test_a_call_that_is_nearly_over_asks_nobody(text_model: SentimentModel, peer: OpenAiPeer) -> None:
    worker = Worker(text_model, secret(peer))
    worker.work("$ACME wins case one", batch="b1")
    assert len(peer.bodies) == 1
    ports = worker.ports
    item = {
        "source": "x",
        "source_id": "late",
        "published_at": NOW.isoformat(),
        "text": "$ACME wins case two",
    }
    ingest = Ingest(
        raw=ports.raw, claims=ports.claims, queue=ports.queue, counts=ports.counts, salt=b"s" * 32
    )
    raw = [msgspec.Raw(json.dumps(item).encode())]
    ingest(kind="social", items=raw, batch_id="b2", submitted_by="tests", received_at=NOW)
    body = msgspec.json.encode(ports.queue.sent[-1]).decode()
    signal_worker.handler.serve(sqs_event(body), Context(milliseconds=20_000), worker.parts)
    assert len(peer.bodies) == 1
    late = [s for s in ports.signals.of_day("ACME", "20261123") if s.agent_id == "llm" and s.abstained]
    assert [signal.rationale for signal in late] == ["there was no time left to ask the language model"]
