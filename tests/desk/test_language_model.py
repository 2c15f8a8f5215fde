"""The language agent on a running desk: nothing without a key; with one readings, money and tokens."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from tests.desk.conftest import Desk, eventually
from tests.desk.key_exchange import secret_named
from tests.desk.material import post
from tests.desk.processes import as_owner, workers
from tests.peers.openai import KEY, OpenAiPeer, openai_peer

GOOD, BAD = 8, 2


def end_workers(desk: Desk) -> None:
    """A process believes what it read of a secret for five minutes; a new one reads it anew."""
    for worker in workers(desk, "signal_worker"):
        try:
            worker.kill()
            worker.wait(timeout=10)
        except psutil.Error:
            continue


@contextmanager
def key_of(desk: Desk, peer: OpenAiPeer) -> Iterator[None]:
    """The desk's secret has a key for as long as the block lasts."""
    secret = {"SecretId": secret_named(desk, "Openai")}
    store = as_owner(desk, "secretsmanager")
    told = json.dumps({"api_key": KEY, "base_url": peer.address})
    store.put_secret_value(**secret, SecretString=told)
    end_workers(desk)
    try:
        yield
    finally:
        store.put_secret_value(**secret, SecretString="{}")
        end_workers(desk)


def contribution(desk: Desk, symbol: str) -> dict[str, Any]:
    """What the language agent adds to the score; empty where it is not named at all."""
    answer = desk.call("POST", "/score", role="analyst", body={"assets": [symbol]})
    parts: list[dict[str, Any]] = answer.json()["scores"][0]["contributions"]
    return next((part for part in parts if part["agent_id"] == "llm"), {})


def tokens_told(desk: Desk) -> float:
    """Tokens in the desk's metrics of the last hour."""
    now = datetime.now(UTC)
    told = as_owner(desk, "cloudwatch").get_metric_statistics(
        Namespace="Bellwether/local",
        MetricName="LlmTokens",
        Dimensions=[{"Name": "service", "Value": "bellwether"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3_600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in told["Datapoints"]))


@pytest.mark.req("A4", "A12", "B2", "C2", "S2")
def test_posts_are_read_by_a_language_model_once_its_key_is_there(desk: Desk) -> None:
    symbol = "LANGUA"
    desk.json("track", "add", symbol, "--name", "Langua Industries")
    assert contribution(desk, symbol) == {}
    posts = [post(symbol, f"wins contract number {n} of many this year") for n in range(GOOD)]
    posts += [post(symbol, f"loses lawsuit number {n} of many this year") for n in range(BAD)]
    with openai_peer() as peer, key_of(desk, peer):
        sent = desk.call("POST", "/ingest/social", role="analyst", body={"items": posts})
        assert sent.json()["accepted"] == GOOD + BAD
        found = eventually(
            lambda: contribution(desk, symbol) if contribution(desk, symbol).get("signals") else None,
            what="a signal of the language agent",
        )
    assert found["signals"] == GOOD + BAD
    assert found["share"] > 0
    assert len(peer.bodies) == 1
    counted = desk.call("GET", "/metrics", role="viewer").text
    assert 'bellwether_provider_tokens_total{direction="output",provider="openai"}' in counted
    assert eventually(lambda: tokens_told(desk) > 0, what="tokens in the desk's metrics")
    assert KEY not in counted
