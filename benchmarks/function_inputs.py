"""The largest inputs each function may get, made for a desk; see `functions.py`."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.made_material import (
    BATCHES,
    CHANGES,
    CONNECTIONS,
    FEED_BYTES,
    FEEDS,
    ITEMS,
    ORDERS,
    POSITIONS,
    SYMBOLS,
    bars_of_stooq,
    feeds,
    messages,
    posts,
    rest,
    walk,
)
from infrastructure.functions import FUNCTIONS
from infrastructure.measurements import Measurement

ROOT = Path(__file__).resolve().parents[1]
SCHEDULED = {"source": "bellwether.schedule"}


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
        raise SystemExit(f"bellwether {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


class Desk:
    """A running desk, with its owner's rights."""

    def __init__(self, home: Path) -> None:
        self.home = home
        if not (home / "running.json").exists():
            command(home, "up", "--detach")
        self.origin = str(command(home, "status")["api"]["url"]).removesuffix("/v1")

    def client(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.origin,
            region_name="eu-central-2",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
        )

    @cached_property
    def variables(self) -> dict[str, dict[str, str]]:
        """Each function's environment as deployed."""
        found = {}
        for page in self.client("lambda").get_paginator("list_functions").paginate():
            for one in page["Functions"]:
                name = str(one["Handler"]).split(".")[-2]
                found[name] = dict(one.get("Environment", {}).get("Variables", {}))
        return found

    def environment(self, function: str) -> dict[str, str]:
        return self.variables[function] | {
            "AWS_ENDPOINT_URL": self.origin,
            "AWS_DEFAULT_REGION": "eu-central-2",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PATH": os.environ["PATH"],
        }

    def token(self, role: str) -> str:
        return str(command(self.home, "login", "--as", role, "--show-token")["token"])

    def fill(self) -> None:
        """Assets, bars, a portfolio and open connections."""
        from bellwether.cli import owner
        from bellwether.cli.stage import find_stage
        from bellwether.domain.entities import Asset, Portfolio, Position
        from bellwether.usecases.ports import Connection

        os.environ["BELLWETHER_HOME"] = str(self.home)
        bars = self.home / "bars.csv"
        bars.write_text(walk())
        command(self.home, "prices", "import", str(bars))
        held = tuple(Position(symbol=symbol, quantity=10, cost=100) for symbol in SYMBOLS[:POSITIONS])
        with owner.owner_changes("local") as ports:
            for number, symbol in enumerate(SYMBOLS):
                asset = Asset(symbol=symbol, name=f"{symbol} Works", sector=f"sector {number % 10}")
                ports.entities.put("asset", symbol, asset)
            ports.entities.put("portfolio", "core", Portfolio(name="core", cash=1e6, positions=held))
        make = owner.OwnerPorts(find_stage("local"))._composition
        connections = make.connections(self.variables["broadcast"]["CONNECTIONS_TABLE"])
        for number in range(CONNECTIONS):
            connections.put(
                Connection(connection_id=f"measured-{number}", username="ann", connected_at=datetime.now(UTC))
            )


@dataclass
class Case:
    """One function, its events and what they are; `hear` gets the answers."""

    function: str
    input: str
    events: list[Any]
    more: dict[str, Any] = field(default_factory=dict)
    hear: Callable[[list[Any]], None] = lambda _: None


def cases(desk: Desk) -> Iterator[Case]:
    """Every function's case, fillings of the desk on the way."""
    desk.fill()
    yield authorizer(desk)
    yield sign_in(desk)
    yield rotation(desk)
    scratch = desk.client("sqs").create_queue(QueueName=f"measured-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    aside = {"environment": {"INGEST_QUEUE_URL": scratch}}
    bodies = [{"items": posts()} for _ in range(BATCHES)]
    events = [rest("POST", "/ingest/social", body) for body in bodies]
    yield Case("ingest", f"{ITEMS} items, {len(json.dumps(bodies[0])) / 1e6:.1f} MB", events, aside)
    queued = [body for _ in range(BATCHES) for body in received(desk, scratch)]
    yield Case("signal_worker", f"{len(queued)} batches of {ITEMS} items", [messages(queued)], aside)
    asked = {"assets": SYMBOLS}
    yield Case("score", f"{len(SYMBOLS)} assets", [rest("POST", "/score", asked)] * 3)
    yield from decisions()
    yield from reads()
    yield socket()
    change = {"day": {"S": "20260101"}, "id": {"S": "x"}, "body": {"S": change_body()}}
    image = {"eventName": "INSERT", "dynamodb": {"NewImage": change, "SequenceNumber": "1"}}
    about = f"{CHANGES} changes, {CONNECTIONS} connections that are gone"
    yield Case("broadcast", about, [{"Records": [image] * CHANGES}])
    yield from nights()


def authorizer(desk: Desk) -> Case:
    arn = "arn:aws:execute-api:eu-central-2:000000000000:api/v1/POST/score"
    event = rest("POST", "/score", headers={"Authorization": f"Bearer {desk.token('analyst')}"})
    return Case("authorizer", "a token", [event | {"methodArn": arn, "type": "REQUEST"}] * 3)


def sign_in(desk: Desk) -> Case:
    """A new password is more than a sign-in: the time it was set is written into the pool."""
    pool = desk.client("cognito-idp")
    (pool_id,) = [one["Id"] for one in pool.list_user_pools(MaxResults=10)["UserPools"]]
    user = pool.list_users(UserPoolId=pool_id)["Users"][0]
    event = {
        "triggerSource": "TokenGeneration_NewPasswordChallenge",
        "userPoolId": pool_id,
        "userName": user["Username"],
        "request": {
            "userAttributes": {one["Name"]: one["Value"] for one in user["Attributes"]},
            "groupConfiguration": {"groupsToOverride": ["analyst"]},
        },
        "response": {},
    }
    return Case("sign_in", "a new password", [event] * 3)


def rotation(desk: Desk) -> Case:
    """All steps for one machine's key."""
    secrets = desk.client("secretsmanager").list_secrets(MaxResults=100)["SecretList"]
    (secret,) = [one["ARN"] for one in secrets if one.get("Description", "").startswith("API key of")]
    told = {"SecretId": secret, "ClientRequestToken": str(uuid.uuid4())}
    steps = ("createSecret", "setSecret", "testSecret", "finishSecret")
    return Case("rotate_client_key", "a machine's key", [{"Step": step, **told} for step in steps])


def received(desk: Desk, url: str) -> list[str]:
    answer = desk.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    return [str(message["Body"]) for message in answer.get("Messages", [])]


def decisions() -> Iterator[Case]:
    """Proposals, checks, a decision, and their way into the tables."""
    made: list[dict[str, Any]] = []

    def hear(answers: list[Any]) -> None:
        for answer in answers:
            made.extend(json.loads(answer.get("body") or "{}").get("proposals", []))

    body = {"portfolio": "core", "assets": SYMBOLS}
    keyed = [rest("POST", "/propose", body, headers={"Idempotency-Key": uuid.uuid4().hex})]
    yield Case("propose", f"{len(SYMBOLS)} assets, {POSITIONS} positions", keyed, hear=hear)
    orders = [{"asset": SYMBOLS[n % 500], "side": "buy", "quantity": 1 + n % 9} for n in range(ORDERS)]
    checked = rest("POST", "/risk/check", {"portfolio": "core", "orders": orders})
    yield Case("check_risk", f"{ORDERS} orders, {POSITIONS} positions", [checked] * 2)
    chosen = made[0] if made else {"proposal_id": "none", "content_hash": "none"}
    decision = {
        "proposal_id": chosen["proposal_id"],
        "content_hash": chosen["content_hash"],
        "action": "reject",
        "reason": "measured",
    }
    told = rest("POST", "/decision", decision, "approver", {"Idempotency-Key": uuid.uuid4().hex})
    yield Case("decide", f"one of {len(made)} proposals", [told])
    sequences = [json.dumps({"sequence": number}) for number in range(1, 11)]
    yield Case("project_ledger", "10 entries", [messages(sequences)])


def reads() -> Iterator[Case]:
    for function, route in (
        ("summarise", "/dashboard/summary"),
        ("stream", "/dashboard/stream"),
        ("health", "/health"),
        ("metrics", "/metrics"),
    ):
        yield Case(function, "all the desk holds", [rest("GET", route, roles="admin,viewer")] * 3)


def socket() -> Case:
    who = {"username": "ann", "roles": "viewer", "principalId": "ann"}
    context = {"connectionId": "measured", "authorizer": who, "requestId": "measured"}
    opening = {"requestContext": context | {"eventType": "CONNECT", "routeKey": "$connect"}, "headers": {}}
    saying = {
        "requestContext": context | {"eventType": "MESSAGE", "routeKey": "$default"},
        "body": json.dumps({"action": "subscribe", "topics": ["proposal", "decision"]}),
    }
    return Case("socket", "a connection and a message", [opening, saying])


def change_body() -> str:
    return json.dumps(
        {
            "id": "01KAYS9Q3V000000000000000A",
            "type": "signals",
            "at": "2026-11-01T00:00:00Z",
            "data": {"assets": SYMBOLS[:100]},
        }
    )


def nights() -> Iterator[Case]:
    """What runs by the clock."""
    from bellwether.cli import owner
    from bellwether.domain.entities import Feed

    with feeds() as origin:
        with owner.owner_changes("local") as ports:
            for number in range(FEEDS):
                ports.entities.put("feed", f"measured-{number}", Feed(url=f"{origin}/{number}"))
        trusted = {"trusted": [origin.removeprefix("http://")]}
        about = f"{FEEDS} feeds of {FEED_BYTES / 1e6:.1f} MB"
        yield Case("fetch_news", about, [SCHEDULED], trusted)
        with owner.owner_changes("local") as ports:
            for number in range(FEEDS):
                ports.entities.remove("feed", f"measured-{number}")
    with bars_of_stooq() as origin:
        yield prices(origin)
    for function in ("evaluate", "back_up", "roll_signal_tables", "recover", "comply", "clean_up"):
        yield Case(function, "all the desk holds", [SCHEDULED])


def prices(origin: str) -> Case:
    """Every asset's bars, on another scale than the known ones: each whole history is read and judged."""
    plenty = {"stooq": {"quotas": [{"calls": 1_000_000, "seconds": 60, "burst": 10_000}]}}
    more = {"prices": origin, "environment": {"PROVIDER_TERMS": json.dumps(plenty)}}
    return Case("fetch_prices", f"{len(SYMBOLS)} assets whose scale has moved", [SCHEDULED], more)


def outcome(answers: Sequence[Any]) -> str:
    """What came of it, in a few words: a measurement of a failure is none."""
    last = answers[-1] if answers else None
    if not isinstance(last, dict):
        return "answered"
    if "raised" in last:
        return f"RAISED {last['raised']}"
    if "statusCode" in last:
        return f"status {last['statusCode']}"
    if "batchItemFailures" in last:
        return f"{len(last['batchItemFailures'])} failed"
    return "done"


def missing(rows: Sequence[Measurement]) -> list[str]:
    """Functions nobody measured."""
    return sorted(FUNCTIONS.keys() - {row.function for row in rows})
