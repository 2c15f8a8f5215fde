"""Providers on a running desk: the schedules' own functions, keys, and what people are told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.desk.conftest import Desk, eventually
from tests.desk.key_exchange import secret_named, value_of
from tests.desk.processes import as_owner

NOWHERE = "https://feeds.invalid/rss"
"""A name that resolves nowhere on earth (RFC 6761): the same as having no internet, for this one feed."""
KEY = "a-key-of-the-tests-0123456789"


def run_schedule(desk: Desk, function: str) -> dict[str, Any]:
    """The deployed function, started as its schedule starts it."""
    construct = "".join(part.capitalize() for part in function.split("_"))
    answer = as_owner(desk, "lambda").invoke(
        FunctionName=desk.outputs["functions"][f"Functions/{construct}/Function"],
        Payload=json.dumps({"source": "bellwether.schedule"}),
    )
    told: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def providers(desk: Desk) -> dict[str, dict[str, Any]]:
    """What anybody may know of them; the desk itself has to be well."""
    health = desk.call("GET", "/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    told: dict[str, dict[str, Any]] = health.json()["providers"]
    return told


@pytest.fixture
def nowhere(desk: Desk) -> Iterator[None]:
    """A tracked feed of a server that cannot be found, and a desk that asks nobody else for news."""
    others = ("gdelt", "edgar")
    desk.json("track", "feed", "add", NOWHERE, "--unchecked")
    for name in others:
        desk.json("providers", "off", name)
    try:
        yield
    finally:
        desk.run("track", "feed", "remove", NOWHERE)
        for name in others:
            desk.json("providers", "on", name)


@pytest.mark.req("A11", "S2", "C5")
def test_a_provider_that_cannot_be_reached_or_has_no_key_is_one_clear_line_and_the_desk_is_healthy(
    desk: Desk, nowhere: None
) -> None:
    told = run_schedule(desk, "fetch_news")
    # other tests may track feeds too
    assert told["failing"] >= 1, told
    run_schedule(desk, "fetch_social")
    # a finding about health is good for five seconds
    eventually(lambda: {"rss", "x"} <= providers(desk).keys(), within=20, what="news of the providers")
    found = providers(desk)
    # other tests track feeds that answer: then one of several fails, and the provider does not
    assert found["rss"]["state"] in {"unreachable", "ok"}
    assert "targets fail" in found["rss"]["line"] or "next attempt" in found["rss"]["line"]
    assert found["newsapi"]["line"] == "off: no key; bellwether secrets set news newsapi_key"
    assert found["x"]["line"] == "off: no key; bellwether secrets set x bearer_token"
    assert found["gdelt"]["line"] == "off: switched off; bellwether providers on gdelt"
    assert all("next_call_at" not in told for told in found.values() if told["state"] == "off")
    shown = desk.run("status").stdout
    assert found["newsapi"]["line"] in shown
    listed = {row["name"]: row for row in desk.json("providers", "list")["providers"]}
    assert listed["rss"]["errors"].get("no_such_host", 0) >= 1
    assert listed["finnhub"]["state"] == "off"
    summary = desk.call("GET", "/dashboard/summary", role="viewer").json()
    assert {row["name"] for row in summary["providers"]} >= {"rss", "x", "newsapi"}
    metrics = desk.call("GET", "/metrics", role="viewer").text
    assert 'bellwether_provider_up{provider="x",state="off"} 0' in metrics
    assert 'bellwether_provider_errors_total{code="no_such_host",provider="rss"}' in metrics


@pytest.mark.req("S2")
def test_a_key_is_set_exchanged_and_taken_back_and_stands_nowhere(desk: Desk) -> None:
    def members() -> set[str]:
        rows = desk.json("secrets", "list")["secrets"]
        return {row["member"] for row in rows if row["secret"] == "news" and row["set"]}

    assert members() == set()
    done = desk.run("secrets", "set", "news", "newsapi_key", stdin=f"{KEY}\n")
    assert done.returncode == 0, done.stderr
    assert members() == {"newsapi_key"}
    again = desk.run("secrets", "rotate", "news", "newsapi_key", "--no-check", stdin=f"{KEY}-2\n")
    assert again.returncode == 0, again.stderr
    assert desk.run("secrets", "undo", "news").returncode == 0
    secret = secret_named(desk, "News")
    assert value_of(desk, secret)["newsapi_key"] == KEY
    as_owner(desk, "secretsmanager").put_secret_value(SecretId=secret, SecretString="{}")
    said = done.stdout + done.stderr + again.stdout + again.stderr + desk.run("status").stdout
    assert KEY not in said
    assert KEY.encode() not in b"".join(path.read_bytes() for path in (desk.home / "logs").glob("*.log"))
