"""What the whole desk does on this machine: throughput, time to score, latency of each GET route, memory.

    uv run python benchmarks/desk.py [--home DIR] [--posts 20000] [--json]

Starts a desk of its own in a temporary home (or uses the one running in --home), imports the StockNet
companies and bars from `$BELLWETHER_DATA` (default `../shared/data`), sends real posts through
`POST /v1/ingest/social` and prints figures. Without the data it says so and ends with 0.

- items per second: from the first request to the last signal stored, posts as they are, four senders
- time to score: from an item's 202 to a `/score` that contains it, at 100 items per second
- GET routes: 60 requests each, one after the other, on the loaded desk
- memory: proportional set size (shared pages counted once) of the engine and every process below it:
  median and most of ten seconds right after the load
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("BELLWETHER_DATA", ROOT.parent / "shared" / "data"))
TARGETS = {"items_per_second": 500, "time_to_score_p95": 2.0, "memory_mb": 600}


def command(home: Path, *arguments: str) -> Any:
    """Runs `bellwether … --json` against the desk in `home`; its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, "BELLWETHER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(
            f"bellwether {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return json.loads(done.stdout)


def posts(count: int) -> list[dict[str, Any]]:
    """The first posts of the file as items, each post once."""
    columns = ["id", "created_at", "author", "followers", "retweet_of", "lang", "text"]
    seen: set[str] = set()
    items: list[dict[str, Any]] = []
    for row in pq.read_table(DATA / "stocknet" / "posts.parquet", columns=columns).to_pylist():
        if row["id"] in seen or not row["text"]:
            continue
        seen.add(row["id"])
        items.append(
            {
                "source": "x",
                "source_id": row["id"],
                "published_at": row["created_at"],
                "author": row["author"],
                "text": row["text"],
                "lang": row["lang"] or None,
                "repost_of": row["retweet_of"] or None,
                "engagement": {"author_followers": row["followers"] or 0},
            }
        )
        if len(items) == count:
            break
    return items


def chunks(items: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def quantiles(seconds: Iterable[float]) -> dict[str, float]:
    """p50 and p95 in milliseconds."""
    cuts = statistics.quantiles(list(seconds), n=100, method="inclusive")
    return {"p50_ms": round(cuts[49] * 1000, 1), "p95_ms": round(cuts[94] * 1000, 1)}


class Client:
    """Sends requests as one user; a client a thread would be thrown away, so connections are pooled."""

    def __init__(self, home: Path, api_url: str, role: str) -> None:
        token = command(home, "login", "--as", role, "--show-token")["token"]
        self.http = httpx.Client(
            base_url=api_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
            limits=httpx.Limits(max_connections=16),
        )

    def ingest(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        answer = self.http.post("/ingest/social", json={"items": items})
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def counter(self, name: str) -> float:
        """The sum over labels of one counter of `/metrics`."""
        text = self.http.get("/metrics").raise_for_status().text
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


def throughput(client: Client, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Items per second from REST to stored signals."""
    before = client.counter("bellwether_items_processed_total")
    started = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(client.ingest, chunks(items, 500)))
    sent = time.perf_counter() - started
    accepted = sum(answer["accepted"] for answer in answers)
    while client.counter("bellwether_items_processed_total") - before < accepted:
        if time.perf_counter() - started > 600:
            raise SystemExit("the signals of some items were not stored within ten minutes")
        time.sleep(0.25)
    stored = time.perf_counter() - started
    return {
        "items": accepted,
        "items_per_second": round(accepted / stored, 1),
        "acknowledged_per_second": round(accepted / sent, 1),
        "seconds": round(stored, 2),
    }


def time_to_score(
    client: Client, items: list[dict[str, Any]], symbols: list[str], seconds: int
) -> dict[str, float]:
    """p50 and p95 from an item's 202 to a score with it, at 100 items a second in batches of ten."""
    waits: list[float] = []
    lock = threading.Lock()

    def signals(symbol: str) -> int:
        scores = client.http.post("/score", json={"assets": [symbol]}).raise_for_status().json()["scores"]
        return sum(c.get("signals", 0) for c in scores[0]["contributions"] if c["agent_id"] == "sentiment")

    def probe(symbol: str, batch: list[dict[str, Any]]) -> None:
        before = signals(symbol)
        marked = {
            **batch[0],
            "text": f"${symbol} beats estimates, probe {uuid.uuid4().hex}",
            "repost_of": None,
        }
        client.ingest([marked, *batch[1:]])
        acknowledged = time.perf_counter()
        while signals(symbol) <= before and time.perf_counter() - acknowledged < 30:
            time.sleep(0.03)
        with lock:
            waits.append(time.perf_counter() - acknowledged)

    fresh = [
        {
            **item,
            "source_id": uuid.uuid4().hex,
            "published_at": datetime.now(UTC).isoformat(),
            "repost_of": None,
        }
        for item in items[: seconds * 100]
    ]
    with ThreadPoolExecutor(12) as pool:
        started = time.perf_counter()
        for number, some in enumerate(chunks(fresh, 10)):
            now = datetime.now(UTC).isoformat()
            batch = [{**item, "published_at": now} for item in some]
            time.sleep(max(0.0, started + number * 0.1 - time.perf_counter()))
            if number % 5 == 0:
                pool.submit(probe, symbols[(number // 5) % len(symbols)], batch)
            else:
                pool.submit(client.ingest, batch)
    return quantiles(waits)


def get_routes(client: Client) -> dict[str, dict[str, float]]:
    """p50 and p95 of each GET route."""
    figures = {}
    for path in ("/health", "/metrics", "/dashboard/summary", "/dashboard/stream"):
        took = []
        for _ in range(60):
            started = time.perf_counter()
            client.http.get(path).raise_for_status()
            took.append(time.perf_counter() - started)
        figures[path] = quantiles(took)
    return figures


def memory(pid: int) -> dict[str, Any]:
    """Proportional set size in MB of a process and all below it: the median and the most of ten seconds.

    The most falls into a checkpoint, when a fork of the engine writes its state.
    """
    sizes, processes = [], 0
    for _ in range(40):
        found = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        processes = max(processes, len(found))
        sizes.append(sum(proportional_bytes(process) for process in found) / 2**20)
        time.sleep(0.25)
    return {
        "memory_mb": round(statistics.median(sizes), 1),
        "memory_most_mb": round(max(sizes), 1),
        "processes": processes,
    }


def proportional_bytes(process: psutil.Process) -> int:
    """What a process takes, shared pages divided by those who share them; 0 for one that has just ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def measure(home: Path, count: int) -> dict[str, Any]:
    """All figures, on the desk in `home`, which is started when it does not run."""
    up = command(home, "up", "--detach")
    stocknet = DATA / "stocknet"
    command(home, "track", "import", str(stocknet / "companies.tsv"))
    command(home, "prices", "import", str(stocknet / "prices.parquet"))
    client = Client(home, up["api_url"], "analyst")
    items = posts(count)
    client.ingest(items[:10])
    figures: dict[str, Any] = {"up_seconds": up["seconds"]}
    figures["throughput"] = throughput(client, items[10:])
    figures["time_to_score"] = time_to_score(client, items, ["KO", "PEP", "XOM", "CVX"], 30)
    figures["memory"] = memory(command(home, "status")["engine"]["pid"])
    figures["get"] = get_routes(client)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="a desk's home; by default a new one that is removed again")
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (DATA / "stocknet").is_dir():
        print(f"skipped: no data at {DATA}; set BELLWETHER_DATA to the folder that holds stocknet/")
        return
    if options.home:
        figures = measure(options.home, options.posts)
    else:
        with tempfile.TemporaryDirectory(prefix="bellwether-") as folder:
            try:
                figures = measure(Path(folder), options.posts)
            finally:
                subprocess.run(
                    [sys.executable, "-m", "bellwether", "down"],
                    env={**os.environ, "BELLWETHER_HOME": folder},
                    check=False,
                    capture_output=True,
                )
    if options.json:
        print(json.dumps(figures))
        return
    through, wait, use = figures["throughput"], figures["time_to_score"], figures["memory"]
    print(f"ready after            {figures['up_seconds']['ready']} s")
    print(
        f"REST to stored signals {through['items_per_second']} items/s over {through['items']} items "
        f"(target {TARGETS['items_per_second']}); acknowledged {through['acknowledged_per_second']}/s"
    )
    print(
        f"202 to /score          p50 {wait['p50_ms']} ms, p95 {wait['p95_ms']} ms at 100 items/s "
        f"(target p95 {TARGETS['time_to_score_p95']} s)"
    )
    for path, took in figures["get"].items():
        print(f"GET {path:<19}p50 {took['p50_ms']} ms, p95 {took['p95_ms']} ms")
    print(
        f"memory of the desk     median {use['memory_mb']} MB, most {use['memory_most_mb']} MB in "
        f"{use['processes']} processes (target {TARGETS['memory_mb']})"
    )


if __name__ == "__main__":
    main()
