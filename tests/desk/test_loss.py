"""Nothing acknowledged is lost: processes are killed where it hurts, and the counts are exact afterwards."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.desk.conftest import Desk, eventually
from tests.desk.material import post, unique, write_bars
from tests.desk.processes import as_owner, end_leases, engine_process, kill_engine, up_again, workers
from tests.desk.test_chain import propose
from tests.desk.test_watching import lines


def track(desk: Desk, symbol: str) -> None:
    desk.json("track", "add", symbol, "--name", f"{symbol.title()} Holdings")


def stored(desk: Desk, symbol: str) -> int:
    """How many of the asset's sentiment signals are in its score: each accepted item adds exactly one."""
    answer = desk.call("POST", "/score", role="analyst", body={"assets": [symbol]})
    if answer.status_code != 200:
        return -1
    by_agent = {c["agent_id"]: c.get("signals", 0) for c in answer.json()["scores"][0]["contributions"]}
    return int(by_agent.get("sentiment", 0))


def batches(symbol: str, count: int, size: int) -> list[dict[str, Any]]:
    return [
        {"items": [post(symbol, f"item {n} of batch {b}, profit is rising") for n in range(size)]}
        for b in range(count)
    ]


@pytest.mark.req("C4")
def test_the_engine_is_killed_while_items_come_in(desk: Desk) -> None:
    """What got its 202 before the kill, and what was sent again after it, is there exactly once."""
    symbol = "KILLED"
    track(desk, symbol)
    todo = batches(symbol, 24, 20)
    keys = [unique("kill") for _ in todo]
    acknowledged: dict[int, dict[str, Any]] = {}
    desk.token("analyst")

    def send(index: int) -> None:
        headers = {"Idempotency-Key": keys[index]}
        try:
            answer = desk.call("POST", "/ingest/social", role="analyst", body=todo[index], headers=headers)
        except httpx.HTTPError:
            return
        if answer.status_code == 202:
            acknowledged[index] = answer.json()

    engine = engine_process(desk)

    def kill_after_a_few() -> None:
        eventually(lambda: len(acknowledged) >= 3, every=0.02, what="the first answers")
        kill_engine(engine)

    killer = threading.Thread(target=kill_after_a_few)
    killer.start()
    for index in range(len(todo)):
        send(index)
    killer.join()
    before = set(acknowledged)
    assert 0 < len(before) < len(todo), "the kill did not fall into the middle of the requests"

    up_again(desk)
    eventually(lambda: stored(desk, symbol) >= 20 * len(before), within=60, what="every acknowledged item")
    for index in range(len(todo)):
        send(index)
    assert len(acknowledged) == len(todo)
    eventually(lambda: stored(desk, symbol) >= 20 * len(todo), within=60, what="every item")
    time.sleep(3)
    assert stored(desk, symbol) == 20 * len(todo)


@pytest.mark.req("C4")
def test_a_worker_is_killed_in_mid_batch(desk: Desk) -> None:
    """Three at work, and in the end all there are: with nobody left the leases are ended, not waited out."""
    symbol = "WORKER"
    track(desk, symbol)
    todo = batches(symbol, 12, 100)
    stop = threading.Event()
    killed: list[int] = []

    def kill_all() -> None:
        for worker in workers(desk, "signal_worker"):
            try:
                worker.kill()
                killed.append(worker.pid)
            except psutil.Error:
                continue

    def kill_workers() -> None:
        while not stop.is_set() and len(killed) < 3:
            kill_all()
            time.sleep(0.4)

    thread = threading.Thread(target=kill_workers)
    thread.start()
    answers = [desk.call("POST", "/ingest/social", role="analyst", body=body) for body in todo]
    assert [answer.status_code for answer in answers] == [202] * len(todo)
    thread.join(timeout=20)
    stop.set()
    assert killed, "no worker was there to be killed"
    dead_before = datetime.now(UTC)
    kill_all()
    end_leases(desk, [answer.json()["batch_id"] for answer in answers], dead_before)
    eventually(
        lambda: desk.run("recover", "--json").returncode == 0 and stored(desk, symbol) >= 1200,
        within=120,
        every=3,
    )
    time.sleep(3)
    assert stored(desk, symbol) == 1200


@pytest.mark.req("A7")
def test_a_decision_that_got_its_200_survives_a_kill(desk: Desk, tmp_path: Path) -> None:
    """The engine dies right after the answer; the ledger brings the decision back."""
    track(desk, "SURVIV")
    bars = write_bars(tmp_path / "bars.csv", ["SURVIV"], last=datetime.now(UTC).date() - timedelta(days=1))
    desk.json("prices", "import", str(bars))
    desk.json("portfolio", "set", "core", "--cash", "1000000")
    proposal = propose(desk, "SURVIV")
    body = {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": "approve",
        "reason": "before the lights go out",
    }
    desk.token("approver")
    engine = engine_process(desk)
    answer = desk.call("POST", "/decision", role="approver", body=body)
    kill_engine(engine)
    assert answer.status_code == 200, answer.text

    up_again(desk)
    assert desk.run("ledger", "verify").returncode == 0
    once_more = desk.call("POST", "/decision", role="approver", body=body)
    assert once_more.status_code == 409, once_more.text
    assert "approved" in once_more.json()["detail"]


@pytest.mark.req("C4")
def test_a_poison_message_goes_to_the_dead_letter_queue_and_back(desk: Desk) -> None:
    """A message that names no batch fails alone, is set aside, and `queue redrive` puts it back."""
    queue = as_owner(desk, "sqs")
    ingest, dead = desk.outputs["queues"]["Ingest/Queue"], desk.outputs["queues"]["Ingest/Failures"]
    symbol = "POISON"
    track(desk, symbol)
    message = {
        "batch_id": unique("poison"),
        "key": "raw-data/2000/01/01/00/nothing.json.gz",
        "duplicates": [],
    }

    def depth(url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = queue.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(value) for value in attributes.values())

    def tried_anew() -> int:
        """How often the worker failed at a message it got for the first time."""
        told = lines(desk, "signal_worker")
        return sum((line.get("message"), line.get("received")) == ("failed", "1") for line in told)

    queue.send_message(QueueUrl=ingest, MessageBody=json.dumps(message))
    body = {"items": [post(symbol, f"beside the poison {n}") for n in range(10)]}
    assert desk.call("POST", "/ingest/social", role="analyst", body=body).status_code == 202
    eventually(lambda: stored(desk, symbol) == 10, what="the good items beside it")
    eventually(lambda: depth(dead) == 1, within=150, every=1, what="the poison in the dead-letter queue")
    before = tried_anew()
    redriven = desk.json("queue", "redrive", "ingest")
    assert redriven["moved"] == 1
    assert depth(dead) == 0
    eventually(lambda: tried_anew() == before + 1, every=1, what="another try of the poison, from the start")
    queue.purge_queue(QueueUrl=ingest)
