"""Makes a desk do everything it can do once, so that every right a function was given gets its chance.

Each step is one thing a user, the clock or a failure causes. What a step cannot cause through the desk's own
doors (a provider's answer, a day five weeks ahead) runs the function's code with its role's credentials.
"""

import asyncio
import contextlib
import csv
import gzip
import json
import os
import random
import secrets
import string
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import websockets

from bellwether.adapters.naming import raw_key
from bellwether.domain.ids import ulid
from bellwether.domain.items import RawBatch, StoredItem
from bellwether.domain.market_days import last_session
from tests.desk.conftest import ROOT, Desk, eventually
from tests.desk.key_exchange import rotate
from tests.desk.material import good_posts, post, unique, write_bars
from tests.desk.processes import REGION, as_owner, give_machine_key
from tests.peers.feeds import Peer, feed_peer, rss
from tests.peers.market_data import KEY as TIINGO_KEY
from tests.peers.market_data import tiingo_bar
from tests.peers.openai import KEY, openai_peer
from tests.peers.web import site
from tests.peers.x import XPeer

OLD_MONTH = "202401"


class Exercise:
    """One pass over everything; `folder` is for the files a user would import."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        self.folder = folder
        own = "".join(random.choices(string.ascii_uppercase, k=4))
        self.symbols = tuple(f"{letter}{own}" for letter in "XYZ")

    def run(self) -> None:
        """Everything, in the order the parts need each other."""
        self.set_up()
        self.take_in()
        proposals = self.propose()
        self.decide(proposals)
        self.evaluate()
        self.watch()
        self.call_as_a_machine()
        self.exchange_keys_of_machines()
        self.run_what_the_clock_runs()
        self.fetch()
        self.forget()
        self.read_with_a_language_model()
        self.fail()
        self.settle()

    def set_up(self) -> None:
        """Assets, bars, a portfolio with a position, feeds: by an administrator's commands."""
        listing = self.folder / "assets.csv"
        with listing.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["symbol", "name", "sector"])
            rows.writerows([symbol, f"{symbol.title()} Industries", "Tests"] for symbol in self.symbols)
        self.desk.json("track", "import", str(listing))
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        bars = write_bars(self.folder / "bars.csv", self.symbols, last=yesterday)
        self.desk.json("prices", "import", str(bars))
        self.desk.json("portfolio", "set", "core", "--cash", "1000000")
        # With versions of now, whatever is older than them asks which version was in force before.
        for agent in ("sentiment", "attention"):
            self.desk.json("agents", "off", agent, "--reason", "exercise")
            self.desk.json("agents", "on", agent, "--reason", "exercise")

    def take_in(self) -> None:
        """Posts and articles, some of them twice, under a key, and the same request again."""
        for symbol in self.symbols:
            items = good_posts(symbol, 60)
            past = [{**p, "published_at": _weeks_ago(n)} for n, p in enumerate(good_posts(symbol, 40))]
            self.ingest("social", items)
            self.ingest("social", items)
            self.ingest("social", past)
        news = [post(self.symbols[0], "profit rises", source="rss", title=unique("title")) for _ in range(5)]
        key = unique("exercise")
        for _ in range(2):
            self.ingest("news", news, key=key)

    def ingest(self, kind: str, items: list[dict[str, Any]], key: str | None = None) -> None:
        headers = {"Idempotency-Key": key} if key else {}
        sent = {"items": items}
        answer = self.desk.call("POST", f"/ingest/{kind}", role="analyst", body=sent, headers=headers)
        assert answer.status_code == 202, answer.text

    def propose(self) -> list[dict[str, Any]]:
        """Scores until every post counts, then proposals, one of them twice under a key."""
        for symbol in self.symbols:
            enough = partial(self.has_signals, symbol, 60)
            eventually(enough, within=90, what=f"every post in {symbol}'s score")
        body = {"portfolio": "core", "assets": list(self.symbols)}
        key = {"Idempotency-Key": unique("exercise")}
        first = self.post("/propose", "analyst", body, key)
        assert self.post("/propose", "analyst", body, key) == first
        proposals: list[dict[str, Any]] = first["proposals"]
        assert len(proposals) == len(self.symbols), first
        return proposals

    def has_signals(self, symbol: str, count: int) -> bool:
        return self.signals_of(symbol) >= count

    def signals_of(self, symbol: str) -> int:
        """How many live signals of the sentiment agent an asset's score counts."""
        score = self.post("/score", "analyst", {"assets": [symbol]})["scores"][0]
        return sum(c.get("signals", 0) for c in score["contributions"] if c["agent_id"] == "sentiment")

    def post(
        self, path: str, role: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer = self.desk.call("POST", path, role=role, body=body, headers=headers)
        assert answer.status_code in {200, 201}, f"{path}: {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    def decide(self, proposals: list[dict[str, Any]]) -> None:
        """Risk of a proposal and of orders, then one approved and revoked, the others rejected."""
        approved, rejected, left = proposals
        self.post("/risk/check", "analyst", {"proposal_id": approved["proposal_id"]})
        orders = [{"asset": self.symbols[0], "side": "buy", "quantity": 1}]
        self.post("/risk/check", "analyst", {"portfolio": "core", "orders": orders})
        key = {"Idempotency-Key": unique("exercise")}
        for _ in range(2):
            self.post("/decision", "approver", _decision(approved, "approve"), key)
        self.post("/decision", "approver", _decision(rejected, "reject"))
        revoke = ("decide", approved["proposal_id"], "revoke", "--reason", "exercise", "--yes")
        self.desk.json(*revoke, "--as", "approver")
        # The ledger's head is a decision now: whoever appends next projects it first.
        self.post("/propose", "analyst", {"portfolio": "core", "assets": list(self.symbols)})
        self.post("/decision", "approver", _decision(left, "reject"))
        self.post("/evaluate", "analyst", {})
        assert self.desk.run("trace", approved["proposal_id"]).returncode == 0

    def evaluate(self) -> None:
        """Scores of weeks ago, resolved by the bars that followed."""
        for symbol in self.symbols:
            self.post("/score", "analyst", {"assets": [symbol], "as_of": _weeks_ago(0)})
        past = {"portfolio": "core", "assets": list(self.symbols), "as_of": _weeks_ago(0)}
        self.post("/propose", "analyst", past)
        body = {"from": _weeks_ago(9_000), "to": datetime.now(UTC).isoformat(), "scope": "score"}
        key = {"Idempotency-Key": unique("exercise")}
        told = self.post("/evaluate", "analyst", body, key)
        assert told["outcomes"], told
        assert self.post("/evaluate", "analyst", body, key) == told
        self.post("/evaluate", "analyst", {})

    def watch(self) -> None:
        """What a dashboard asks for, and its socket."""
        for path in ("/dashboard/summary", "/dashboard/stream", "/metrics", "/health"):
            assert self.desk.call("GET", path, role="viewer").status_code == 200
        last = {"Last-Event-ID": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
        assert self.desk.call("GET", "/dashboard/stream", role="viewer", headers=last).status_code == 200
        self._leave_a_dead_connection()
        asyncio.run(self._listen())

    def _leave_a_dead_connection(self) -> None:
        """A connection whose end nobody told: found gone by the next push."""
        name = unique("gone")
        body = {
            "connection_id": name,
            "username": "nobody",
            "connected_at": datetime.now(UTC).isoformat(),
            "topics": [],
        }
        as_owner(self.desk, "dynamodb").put_item(
            TableName=self.environment("socket")["CONNECTIONS_TABLE"],
            Item={
                "connection_id": {"S": name},
                "expires": {"N": str(int(time.time()) + 3_600)},
                "topics": {"L": []},
                "body": {"S": json.dumps(body)},
            },
        )

    async def _listen(self) -> None:
        token = self.desk.token("viewer")
        async with websockets.connect(f"{self.desk.up['ws_url']}?token={token}") as socket:
            await socket.send(json.dumps({"action": "ping"}))
            await socket.send(json.dumps({"action": "subscribe", "topics": ["signals"]}))
            await asyncio.sleep(1)
            await asyncio.to_thread(self.ingest, "social", good_posts(self.symbols[0], 3))
            async with asyncio.timeout(30):
                while json.loads(await socket.recv()).get("type") != "signals":
                    pass

    def call_as_a_machine(self) -> None:
        """A machine's API key, known by its digest in the secret; a key that is none is refused."""
        give_machine_key(self.desk, "exerciser")
        refused = self.desk.call("GET", "/dashboard/summary", headers={"x-api-key": unique("other")})
        assert refused.status_code in {401, 403}, refused.text

    def exchange_keys_of_machines(self) -> None:
        """All steps of a rotation, as Secrets Manager asks for them one after the other."""
        keeper = as_owner(self.desk, "secretsmanager")
        for secret in keeper.list_secrets()["SecretList"]:
            if secret.get("Description", "").startswith("API key of the machine"):
                rotate(self.desk, secret["ARN"])

    def run_what_the_clock_runs(self) -> None:
        """Every schedule's function at once; a signals table old enough to retire is there before."""
        self._old_signals_table()
        self._protect_a_signals_table()
        self._leave_a_batch_unqueued()
        for function in self.scheduled():
            self.invoke(function)

    def scheduled(self) -> list[str]:
        """The functions of all schedules, by their deployed names."""
        schedules = as_owner(self.desk, "scheduler")
        targets = [
            schedules.get_schedule(Name=one["Name"], GroupName=one["GroupName"])["Target"]["Arn"]
            for page in schedules.get_paginator("list_schedules").paginate()
            for one in page["Schedules"]
        ]
        return [arn.rpartition(":function:")[2] for arn in targets]

    def _leave_a_batch_unqueued(self) -> None:
        """A batch of hours ago in the lake, as if the power had gone before it was queued."""
        self._store_a_batch(unique("unqueued"), datetime.now(UTC) - timedelta(hours=3))

    def _store_a_batch(self, name: str, at: datetime) -> dict[str, Any]:
        """A batch of one post in the lake that nobody queued; gives the message that would be sent of it."""
        item = StoredItem(
            item_id=f"x:{name}",
            kind="social",
            source="x",
            source_id=name,
            published_at=at,
            observed_at=at,
            known_at=at,
            cluster_id=name,
            text=f"${self.symbols[0]} profit rises",
        )
        batch = RawBatch(
            batch_id=ulid(at, secrets.token_bytes(10)),
            kind="social",
            submitted_by="exercise",
            received_at=at,
            items=[item],
        )
        key = raw_key(at, batch.batch_id)
        as_owner(self.desk, "s3").put_object(
            Bucket=self.environment("recover")["LAKE_BUCKET"],
            Key=key,
            Body=gzip.compress(msgspec.json.encode(batch)),
        )
        return {"batch_id": batch.batch_id, "key": key, "duplicates": []}

    def read_with_a_language_model(self) -> None:
        """A post read by a model of this machine; the desk's own secret stays without a key."""
        with openai_peer() as peer:
            secret = json.dumps({"api_key": KEY, "base_url": peer.address})
            message = json.dumps(self._store_a_batch(unique("read"), datetime.now(UTC)))
            told = self.in_role("signal_worker", "--message", message, "--model", secret)
        assert len(peer.bodies) == 1
        assert told["signals"] == 2, told

    def _old_signals_table(self) -> None:
        tables = as_owner(self.desk, "dynamodb")
        prefix = self.environment("clean_up")["SIGNALS_TABLE_PREFIX"]
        month = datetime.now(UTC).strftime("%Y%m")
        like = tables.describe_table(TableName=f"{prefix}{month}")["Table"]
        with contextlib.suppress(tables.exceptions.ResourceInUseException):
            tables.create_table(
                TableName=f"{prefix}{OLD_MONTH}",
                KeySchema=like["KeySchema"],
                AttributeDefinitions=[
                    one
                    for one in like["AttributeDefinitions"]
                    if one["AttributeName"] in {key["AttributeName"] for key in like["KeySchema"]}
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        keys = {key["AttributeName"]: {"S": f"{OLD_MONTH}#{n}"} for n, key in enumerate(like["KeySchema"])}
        tables.put_item(TableName=f"{prefix}{OLD_MONTH}", Item=keys)

    def _protect_a_signals_table(self) -> None:
        """Against the stage's setting, which the daily run restores."""
        prefix = self.environment("clean_up")["SIGNALS_TABLE_PREFIX"]
        as_owner(self.desk, "dynamodb").update_table(
            TableName=f"{prefix}{datetime.now(UTC):%Y%m}", DeletionProtectionEnabled=True
        )

    def fetch(self) -> None:
        """A feed and a subreddit answered by a peer of this machine: new items first, then the same again."""
        with feed_peer() as peer:
            self._fetch(peer, "fetch_news", "feed", lambda: f"https://{unique('news')}.example/feed")
            self._fetch(peer, "fetch_social", "subreddit", lambda: unique("r").replace("-", "_"))
            self._fetch_prices(peer)

    def _fetch(self, peer: Peer, function: str, kind: str, another: Callable[[], str]) -> None:
        """A target at which the clock's own run has just failed waits: then it is another one's turn."""
        today = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        page = rss(f"{self.symbols[0]} beats estimates {unique('title')}", date=today)
        path, told = f"/{function}", {"accepted": 0}
        peer.serve(path, page)
        for _ in range(3):
            self.desk.json("track", kind, "add", another())
            told = self.in_role(function, "--feed", peer.url(path))
            if told["accepted"]:
                break
        assert told["accepted"] >= 1, told
        peer.serve(path, page, ETag=unique("v"))
        assert self.in_role(function, "--feed", peer.url(path))["accepted"] == 0

    def _fetch_prices(self, peer: Peer) -> None:
        """Bars and a dividend as Tiingo tells them, of every tracked asset."""
        as_owner(self.desk, "secretsmanager").put_secret_value(
            SecretId=self.environment("fetch_prices")["PRICES_SECRET_ARN"],
            SecretString=json.dumps({"tiingo_api_key": TIINGO_KEY}),
        )
        paid = last_session(datetime.now(UTC).date() - timedelta(days=1), "us")
        before = last_session(paid - timedelta(days=1), "us")
        bars = [
            tiingo_bar(before.isoformat(), adjClose=59.4, volume=1_000),
            tiingo_bar(paid.isoformat(), adjClose=60.0, divCash=0.6, volume=1_001),
        ]
        peer.serve("/fetch_prices", json.dumps(bars).encode())
        told = self.in_role("fetch_prices", "--feed", peer.url("/fetch_prices"))
        assert told["updated"] >= 1, told
        assert (told["held_back"], told["failures"]) == (0, {}), told

    def forget(self) -> None:
        """A post of X is taken in, deleted there, and forgotten: no version of any object has its words."""
        words, now = f"profit rises, {unique('word')} takeover imminent", datetime.now(UTC)
        symbol = self.symbols[0]
        before = self.signals_of(symbol)
        with site() as beside:
            peer = XPeer(beside, now)
            name = peer.add(f"${symbol} {words}", now)
            self.ingest("social", [post(symbol, words, source_id=name)])
            enough = partial(self.has_signals, symbol, before + 1)
            eventually(enough, within=90, what="the post's signal")
            assert words.encode() in self.lake()
            peer.delete(name)
            told = self.in_role("comply", "--x", beside.address)
        assert (told["forgotten"], told["faults"]) == ({"x": 1}, {})
        assert words.encode() not in self.lake()

    def lake(self) -> bytes:
        """What all versions of all raw batches hold, unpacked, one after the other."""
        s3, bucket = as_owner(self.desk, "s3"), self.environment("comply")["LAKE_BUCKET"]
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="raw-data/")
        found = [one for page in pages for one in page.get("Versions", ())]
        since = datetime.now(UTC) - timedelta(minutes=30)
        read = [
            s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
            for one in found
            if one["LastModified"] > since
        ]
        return b"".join(gzip.decompress(content) for content in read)

    def fail(self) -> None:
        """A message of each queue that names nothing: tried again, set aside."""
        queues = as_owner(self.desk, "sqs")
        nothing = {"batch_id": unique("none"), "key": "raw-data/2000/01/01/00/none.json.gz", "duplicates": []}
        queues.send_message(
            QueueUrl=self.environment("signal_worker")["INGEST_QUEUE_URL"], MessageBody=json.dumps(nothing)
        )
        queues.send_message(
            QueueUrl=self.environment("project_ledger")["DECISIONS_QUEUE_URL"],
            MessageBody=json.dumps({"sequence": 999_999}),
            MessageGroupId="ledger",
            MessageDeduplicationId=unique("none"),
        )

    def settle(self) -> None:
        """Until queues and streams have been worked through."""
        time.sleep(5)

    def invoke(self, name: str) -> None:
        """A function by its deployed name, as its schedule starts it."""
        answer = as_owner(self.desk, "lambda").invoke(
            FunctionName=name, Payload=json.dumps({"source": "bellwether.schedule"})
        )
        assert "FunctionError" not in answer, f"{name}: {answer['Payload'].read().decode()}"

    def function(self, name: str) -> str:
        """Its deployed name."""
        construct = "".join(part.capitalize() for part in name.split("_"))
        return str(self.desk.outputs["functions"][f"Functions/{construct}/Function"])

    def environment(self, name: str) -> dict[str, str]:
        """What the function is told."""
        configured = as_owner(self.desk, "lambda").get_function_configuration(
            FunctionName=self.function(name)
        )
        return dict(configured["Environment"]["Variables"])

    def in_role(self, name: str, *arguments: str) -> dict[str, Any]:
        """The function's code in a process of its own, with what the function is told and may do."""
        functions = as_owner(self.desk, "lambda")
        role = functions.get_function_configuration(FunctionName=self.function(name))["Role"]
        session = as_owner(self.desk, "sts").assume_role(
            RoleArn=role, RoleSessionName=self.function(name)[:64]
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.desk.in_a_role", name, *arguments],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPYCACHEPREFIX": sys.pycache_prefix or "",
                **self.environment(name),
                "AWS_ACCESS_KEY_ID": session["Credentials"]["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": session["Credentials"]["SecretAccessKey"],
                "AWS_SESSION_TOKEN": session["Credentials"]["SessionToken"],
                "AWS_ENDPOINT_URL": self.desk.api_url.removesuffix("/v1"),
                "AWS_DEFAULT_REGION": REGION,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told


def _decision(proposal: dict[str, Any], action: str) -> dict[str, Any]:
    return {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": action,
        "reason": "exercise",
    }


def _weeks_ago(minutes: int) -> str:
    """A weekday evening about six weeks ago, less some minutes."""
    past = datetime.now(UTC).replace(hour=22, minute=0, second=0, microsecond=0) - timedelta(days=40)
    while past.weekday() >= 4:
        past -= timedelta(days=1)
    return (past - timedelta(minutes=minutes)).isoformat()
