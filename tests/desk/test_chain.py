"""The main job, end to end, as four users: posts in, a decided and evaluated proposal out, and back."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.desk.conftest import Desk, eventually
from tests.desk.material import good_posts, write_bars

SYMBOLS = ("BEACON", "HARBOR", "LANTRN", "QUAYLN", "MARLIN")


@pytest.fixture(scope="module")
def chain(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with four assets, their bars and a portfolio, all set up by an administrator's commands."""
    folder = tmp_path_factory.mktemp("chain")
    listing = folder / "assets.csv"
    listing.write_text(
        "symbol,name,sector\n" + "".join(f"{s},{s.title()} Industries,Tests\n" for s in SYMBOLS)
    )
    assert desk.json("track", "import", str(listing))["imported"] == len(SYMBOLS)
    bars = write_bars(folder / "bars.csv", SYMBOLS, last=datetime.now(UTC).date() - timedelta(days=1))
    desk.json("prices", "import", str(bars))
    desk.json("portfolio", "set", "core", "--cash", "1000000")
    return desk


def score_of(desk: Desk, symbol: str) -> dict[str, Any]:
    answer = desk.call("POST", "/score", role="analyst", body={"assets": [symbol]})
    assert answer.status_code == 200, answer.text
    score: dict[str, Any] = answer.json()["scores"][0]
    return score


def signals_of(score: dict[str, Any], agent: str = "sentiment") -> int:
    return next((int(c.get("signals", 0)) for c in score["contributions"] if c["agent_id"] == agent), 0)


def propose(desk: Desk, symbol: str) -> dict[str, Any]:
    """A proposal for an asset that only good is said of."""
    items = {"items": good_posts(symbol, 60)}
    assert desk.call("POST", "/ingest/social", role="analyst", body=items).json()["accepted"] == 60
    eventually(lambda: signals_of(score_of(desk, symbol)) >= 60, what="sixty signals in the score")
    answer = desk.call("POST", "/propose", role="analyst", body={"portfolio": "core", "assets": [symbol]})
    assert answer.status_code in {200, 201}, answer.text
    assert answer.json()["proposals"], answer.text
    proposal: dict[str, Any] = answer.json()["proposals"][0]
    return proposal


@pytest.mark.req("A2", "A4", "A5", "A6", "A7", "A8", "A9")
def test_posts_become_a_decided_proposal_that_can_be_walked_back(chain: Desk) -> None:
    symbol = SYMBOLS[0]
    proposal = propose(chain, symbol)
    assert proposal["asset"] == symbol
    assert proposal["side"] == "buy"
    assert proposal["status"] == "pending"
    assert proposal["sizing"][0]["step"] == "kelly"
    codes = {check["code"] for check in proposal["risk"]["checks"]}
    assert {"POSITION_LIMIT", "VAR_95", "ES_97_5", "LIQUIDITY", "STALE_PRICE", "MANIPULATION"} <= codes

    again = chain.call("POST", "/risk/check", role="analyst", body={"proposal_id": proposal["proposal_id"]})
    assert again.status_code == 200, again.text
    assert again.json()["results"][0]["verdict"] in {"pass", "clamp"}

    decision = {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": "approve",
        "reason": "the evidence is broad",
    }
    stale = chain.call("POST", "/decision", role="approver", body={**decision, "content_hash": "0" * 64})
    assert stale.status_code == 409, stale.text
    approved = chain.call("POST", "/decision", role="approver", body=decision)
    assert approved.status_code == 200, approved.text
    assert approved.json()["decision"]["status"] == "approved"
    assert chain.call("POST", "/decision", role="approver", body=decision).status_code == 409

    traced = chain.run("trace", proposal["proposal_id"])
    assert traced.returncode == 0, traced.stderr
    assert "x-" in traced.stdout or "post-" in traced.stdout
    assert "analyst" in chain.json("trace", proposal["proposal_id"])["people"].values()
    assert chain.run("ledger", "verify").returncode == 0
    summary = chain.call("GET", "/dashboard/summary", role="viewer").json()
    assert summary["counts"]


@pytest.mark.req("A7")
def test_of_two_approvals_that_race_one_wins(chain: Desk) -> None:
    proposal = propose(chain, SYMBOLS[1])
    body = {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": "approve",
        "reason": "racing",
    }
    chain.token("approver")
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda _: chain.call("POST", "/decision", role="approver", body=body), range(2))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409], [a.text for a in answers]


@pytest.mark.req("A7", "U2")
def test_nobody_approves_what_they_proposed(chain: Desk) -> None:
    """Someone who is analyst and approver at once still needs a second pair of eyes."""
    proposal = propose(chain, SYMBOLS[2])
    chain.json("users", "add-role", "analyst", "approver")
    try:
        chain.tokens.pop("analyst", None)
        body = {
            "proposal_id": proposal["proposal_id"],
            "content_hash": proposal["content_hash"],
            "action": "approve",
            "reason": "my own",
        }
        chain.run("logout", "--as", "analyst")
        own = chain.call("POST", "/decision", role="analyst", body=body)
        assert own.status_code == 403, own.text
        assert "own" in own.json()["detail"]
    finally:
        chain.json("users", "remove-role", "analyst", "approver")
        chain.tokens.pop("analyst", None)
        chain.run("logout", "--as", "analyst")


@pytest.mark.req("A5", "A7")
def test_the_owner_halts_the_desk_and_lets_it_go_on(chain: Desk) -> None:
    """From the moment `halt` returns nothing is proposed and nothing approved, by anybody."""
    proposal = propose(chain, SYMBOLS[4])
    body = {"portfolio": "core", "assets": [SYMBOLS[4]]}
    decision = {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": "approve",
        "reason": "still good",
    }
    halted = chain.json("halt", "--reason", "a drill")
    try:
        assert (halted["state"], halted["state_before"]) == ("HALTED", "ACTIVE")
        refused = chain.call("POST", "/decision", role="approver", body=decision)
        assert refused.status_code == 409, refused.text
        assert "KILL_SWITCH" in refused.json()["codes"]
        answer = chain.call("POST", "/propose", role="analyst", body=body).json()
        assert answer["proposals"] == []
        assert "KILL_SWITCH" in answer["without"][0]["checks"]
        desk = chain.call("GET", "/dashboard/summary", role="viewer").json()["desk"]
        assert (desk["state"], desk["reason"]) == ("HALTED", "a drill")

        chain.json("reduce", "--reason", "only out")
        orders = {"portfolio": "core", "orders": [{"asset": SYMBOLS[4], "side": "buy", "quantity": 1}]}
        (result,) = chain.call("POST", "/risk/check", role="analyst", body=orders).json()["results"]
        assert (result["verdict"], result["state"]) == ("deny", "REDUCING")
    finally:
        chain.json("resume", "--reason", "the drill is over")
    assert chain.call("POST", "/decision", role="approver", body=decision).status_code == 200

    back = chain.json("agents", "off", "attention", "--reason", "a drill")
    assert back["after"]["on"] is False
    chain.json("agents", "back", "attention", "0", "--reason", "the drill is over")
    assert chain.json("agents", "on", "attention", "--reason", "the drill is over")["after"]["on"] is True
    actions = [version["action"] for version in chain.json("controls", "history")["versions"]]
    assert actions[:3] == ["resume", "reduce", "halt"]
    assert chain.run("ledger", "verify").returncode == 0


@pytest.mark.req("A10")
def test_the_stream_resumes_where_it_was_left(chain: Desk) -> None:
    first = chain.call("GET", "/dashboard/stream", role="viewer")
    assert first.status_code == 200, first.text
    assert first.headers["content-type"].startswith("text/event-stream")
    assert "retry:" in first.text
    chain.call("POST", "/ingest/social", role="analyst", body={"items": good_posts(SYMBOLS[3], 3)})

    def ids(text: str) -> list[str]:
        return [line.removeprefix("id:").strip() for line in text.splitlines() if line.startswith("id:")]

    last = ids(first.text)[-1] if ids(first.text) else ""
    newer = eventually(
        lambda: ids(
            chain.call("GET", "/dashboard/stream", role="viewer", headers={"Last-Event-ID": last}).text
        ),
        what="a newer event",
    )
    assert last not in newer
    assert newer == sorted(newer)


@pytest.mark.req("A13")
def test_the_websocket_pushes_what_changes(chain: Desk) -> None:
    token = chain.token("viewer")

    async def listen() -> dict[str, Any]:
        async with websockets.connect(f"{chain.up['ws_url']}?token={token}") as socket:
            await socket.send(json.dumps({"action": "subscribe", "topics": ["signals"]}))
            await asyncio.sleep(1)
            await asyncio.to_thread(
                chain.call,
                "POST",
                "/ingest/social",
                role="analyst",
                body={"items": good_posts(SYMBOLS[3], 3)},
            )
            async with asyncio.timeout(20):
                while True:
                    message: dict[str, Any] = json.loads(await socket.recv())
                    if message.get("type") == "signals":
                        return message

    message = asyncio.run(listen())
    assert {"type", "id", "at", "data"} <= set(message)

    async def refused() -> None:
        async with websockets.connect(f"{chain.up['ws_url']}?token=not.a.token"):
            pass

    with pytest.raises(websockets.InvalidStatus):
        asyncio.run(refused())


@pytest.mark.req("A8")
def test_a_replayed_history_is_evaluated_and_its_agents_get_a_record(chain: Desk, tmp_path: Path) -> None:
    """Posts of the past are scored as of the past, proposed, and resolved against the bars that followed."""
    past = datetime.now(UTC).replace(hour=22, minute=0, second=0, microsecond=0) - timedelta(days=40)
    while past.weekday() >= 4:
        past -= timedelta(days=1)
    items = [
        {**item, "published_at": (past - timedelta(minutes=n)).isoformat()}
        for n, item in enumerate(good_posts(SYMBOLS[3], 40))
    ]
    assert (
        chain.call("POST", "/ingest/social", role="analyst", body={"items": items}).json()["accepted"] == 40
    )

    def scored() -> Any:
        body = {"assets": [SYMBOLS[3]], "as_of": past.isoformat()}
        answer = chain.call("POST", "/score", role="analyst", body=body).json()["scores"][0]
        return answer if signals_of(answer) >= 40 else None

    score = eventually(scored, what="the score of the past")
    assert score["p_up"] > 0.5
    before = {"assets": [SYMBOLS[3]], "as_of": (past - timedelta(days=5)).isoformat()}
    assert signals_of(chain.call("POST", "/score", role="analyst", body=before).json()["scores"][0]) == 0

    body = {
        "from": (past - timedelta(days=1)).isoformat(),
        "to": datetime.now(UTC).isoformat(),
        "scope": "score",
    }
    answer = chain.call("POST", "/evaluate", role="analyst", body=body)
    assert answer.status_code == 200, answer.text
    resolved = [o for o in answer.json()["outcomes"] if o["asset"] == SYMBOLS[3]]
    assert resolved, answer.text
    assert resolved[0]["brier"] == pytest.approx((resolved[0]["p_up"] - resolved[0]["went_up"]) ** 2)
    assert date.fromisoformat(resolved[0]["exit_date"]) > past.date()
    assert chain.run("trace", resolved[0]["outcome_id"]).returncode == 0
    assert {record["agent_id"] for record in answer.json()["track_records"]} >= {"sentiment"}
