"""Nothing acknowledged is lost: processes are killed where it hurts, and the counts are exact afterwards."""

import os
import signal
import threading
import time
from typing import Any

import httpx
import psutil
import pytest

from tests.desk.conftest import Desk, eventually, run_command
from tests.desk.material import post, unique


def engine_process(desk: Desk) -> psutil.Process:
    """The engine's process, as `status` tells it."""
    return psutil.Process(desk.json("status")["engine"]["pid"])


def workers(desk: Desk, function: str) -> list[psutil.Process]:
    """Processes that run a function right now (the engine starts them as its children)."""
    found = []
    for child in engine_process(desk).children(recursive=True):
        try:
            if function in child.environ().get("AWS_LAMBDA_FUNCTION_NAME", "").lower().replace("-", "_"):
                found.append(child)
        except psutil.Error:
            continue
    return found


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
    killer = threading.Timer(0.8, lambda: os.kill(engine.pid, signal.SIGKILL))
    killer.start()
    for index in range(len(todo)):
        send(index)
    killer.join()
    eventually(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE, what="the kill")
    before = set(acknowledged)

    port = desk.api_url.split(":")[2].split("/")[0]
    again = run_command(desk.home, "up", "--detach", "--json", "--port", port)
    assert again.returncode == 0, again.stderr
    desk.tokens.clear()
    eventually(lambda: stored(desk, symbol) >= 20 * len(before), within=60, what="every acknowledged item")
    for index in range(len(todo)):
        send(index)
    assert len(acknowledged) == len(todo)
    eventually(lambda: stored(desk, symbol) >= 20 * len(todo), within=60, what="every item")
    time.sleep(3)
    assert stored(desk, symbol) == 20 * len(todo)


@pytest.mark.req("C4")
def test_a_worker_is_killed_in_mid_batch(desk: Desk) -> None:
    symbol = "WORKER"
    track(desk, symbol)
    todo = batches(symbol, 12, 100)
    stop = threading.Event()
    killed: list[int] = []

    def kill_workers() -> None:
        while not stop.is_set() and len(killed) < 3:
            for worker in workers(desk, "signal_worker"):
                try:
                    worker.kill()
                    killed.append(worker.pid)
                except psutil.Error:
                    continue
            time.sleep(0.4)

    thread = threading.Thread(target=kill_workers)
    thread.start()
    for body in todo:
        assert desk.call("POST", "/ingest/social", role="analyst", body=body).status_code == 202
    thread.join(timeout=20)
    stop.set()
    assert killed, "no worker was there to be killed"
    eventually(lambda: desk.run("recover", "--json").returncode == 0 and stored(desk, symbol) >= 1200, within=120, every=3)
    time.sleep(3)
    assert stored(desk, symbol) == 1200


@pytest.mark.req("A7")
def test_a_decision_that_got_its_200_survives_a_kill(desk: Desk) -> None:
    """The engine dies right after the answer; the ledger brings the decision back."""
    from tests.desk.test_chain import propose

    desk.json("track", "add", "SURVIV", "--name", "Survivor Group")
    proposal = propose_with_bars(desk, "SURVIV", propose)
    body = {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": "approve",
        "reason": "before the lights go out",
    }
    desk.token("approver")
    engine = engine_process(desk)
    answer = desk.call("POST", "/decision", role="approver", body=body)
    os.kill(engine.pid, signal.SIGKILL)
    assert answer.status_code == 200, answer.text
    eventually(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE, what="the kill")

    port = desk.api_url.split(":")[2].split("/")[0]
    assert run_command(desk.home, "up", "--detach", "--json", "--port", port).returncode == 0
    desk.tokens.clear()
    assert desk.run("ledger", "verify").returncode == 0
    once_more = desk.call("POST", "/decision", role="approver", body=body)
    assert once_more.status_code == 409, once_more.text
    assert "approved" in once_more.json()["detail"]


def propose_with_bars(desk: Desk, symbol: str, propose: Any) -> dict[str, Any]:
    """Bars for the symbol first, then a proposal as the chain's tests make one."""
    import tempfile
    from datetime import UTC, datetime, timedelta
    from pathlib import Path

    from tests.desk.material import write_bars

    with tempfile.TemporaryDirectory() as folder:
        bars = write_bars(Path(folder) / "bars.csv", [symbol], last=datetime.now(UTC).date() - timedelta(days=1))
        desk.json("prices", "import", str(bars))
    desk.json("portfolio", "set", "core", "--cash", "1000000")
    made: dict[str, Any] = propose(desk, symbol)
    return made
