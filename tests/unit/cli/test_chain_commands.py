"""The chain's commands: what they send, what they show, what they refuse to do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from msgspec import structs

from bellwether.adapters.memory import MemoryPorts
from bellwether.cli import chain
from bellwether.cli.api import Api
from bellwether.cli.chain import moment, order_of
from bellwether.cli.failures import WrongUse
from bellwether.cli.stage import Stage
from bellwether.domain.entities import Portfolio
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.proposals import Check, Decision, Proposal, RiskResult, SizingStep
from bellwether.domain.scores import Concentration, Contribution, Score
from bellwether.usecases.summarise import ProposalLine
from tests.unit.cli.conftest import Done, Peer, api_of, problem

Typed = Callable[..., Done]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROPOSAL_ID = "01J9Z3V7M8Q4T6W2R5Y0XKBCDE"

SCORE = Score(
    score_id="score:KO:20261123T120000.000000Z:1:abcdef",
    asset="KO",
    as_of=NOW,
    horizon=1,
    p_up=0.5612,
    edge=0.0412,
    base_rate=0.52,
    n_eff=1.4,
    disagreement=0.02,
    interval=(0.51, 0.61),
    contributions=(
        Contribution(
            agent_id="sentiment",
            agent_version=3,
            weight=0.21,
            log_odds=0.4,
            evidence=12.5,
            reliability=0.3,
            share=0.0812,
            signals=40,
            signal_ids=("KO#20261123#2026-11-23T11:00:00.000000Z#sentiment#x-1",),
            rationale="[good] news",
        ),
        Contribution(
            agent_id="llm",
            agent_version=1,
            weight=0.0,
            log_odds=0.0,
            evidence=0.0,
            reliability=0.0,
            share=0.0,
            abstained="the budget is spent",
        ),
    ),
    track_record="unproven",
    concentration=Concentration(
        items=40, authors=31, top_author_share=0.1, top_cluster_share=0.05, young_author_share=0.0
    ),
    explanation="good news of many authors",
)
SILENT = msgspec.structs.replace(
    SCORE, asset="XOM", p_up=None, edge=None, interval=None, disagreement=None, contributions=()
)
RISK = RiskResult(
    asset="KO",
    side="buy",
    quantity=200,
    allowed_quantity=150,
    verdict="clamp",
    state="ACTIVE",
    checks=(
        Check(code="POSITION_LIMIT", outcome="clamp", limit=0.1, observed=0.13, unit="share", detail="cut"),
        Check(code="VAR_95", outcome="deny", limit=0.02, observed=None, unit="share", detail="no prices"),
    ),
    as_of=NOW,
)
PROPOSAL = Proposal(
    proposal_id=PROPOSAL_ID,
    created_at=NOW,
    asset="KO",
    side="buy",
    quantity=150,
    notional=9_000,
    limit_price=60,
    score=SCORE,
    sizing=(SizingStep(step="kelly", value=0.04, detail="a quarter of Kelly"),),
    expected_cost=4.5,
    price_as_of=NOW,
    as_of=NOW,
    expires_at=NOW,
    proposed_by="ana",
    portfolio="core",
    content_hash="c" * 64,
    status="pending",
    risk=RISK,
)
DECISION = Decision(
    proposal_id=PROPOSAL_ID,
    revision=1,
    decided_at=NOW,
    decided_by="bob",
    action="approve",
    status="approved",
    reason="broad",
    content_hash="c" * 64,
)
RECORD = AgentTrackRecord(
    agent_id="sentiment",
    resolved=0,
    brier=None,
    brier_reference=None,
    brier_skill=None,
    reliability=None,
    hit_rate=None,
    information_coefficient=None,
    ece=None,
    version=3,
)


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Peer:
    made = Peer()

    def opened(stage: str, act_as: str | None = None) -> Api:
        return api_of(made)

    monkeypatch.setattr(chain, "open_api", opened)
    monkeypatch.setattr(chain, "find_stage", lambda name: Stage(name=name, api_url="", region="", outputs={}))
    return made


def answer(**members: Any) -> httpx.Response:
    return httpx.Response(200, content=msgspec.json.encode(members))


def sent(peer: Peer, index: int = -1) -> Any:
    return json.loads(peer.seen[index].content)


@pytest.mark.req("A4")
def test_a_score_says_why(typed: Typed, peer: Peer) -> None:
    peer.answers = [answer(as_of=NOW, horizon=1, scores=[SCORE, SILENT])]
    done = typed("score", "$ko", "xom", "--horizon", "2")
    assert done.code == 0
    assert sent(peer) == {"assets": ["KO", "XOM"], "horizon": 2}
    for words in (
        "56.1%",
        "51.0% to 61.0%",
        "+4.12%",
        "sentiment v3",
        "[good] news",
        "the budget is spent",
        "abstains",
    ):
        assert words in done.out
    assert "40 items of 31 authors" in done.out


def test_json_is_the_apis_own_answer(typed: Typed, peer: Peer) -> None:
    peer.answers = [answer(as_of=NOW, horizon=1, scores=[SCORE])]
    done = typed("score", "--as-of", "2015-03-02", "--json")
    assert done.document["scores"][0] == msgspec.to_builtins(SCORE) | {"as_of": "2026-11-23T12:00:00Z"} | {
        "interval": [0.51, 0.61],
        "contributions": done.document["scores"][0]["contributions"],
    }
    assert sent(peer) == {"as_of": "2015-03-02T23:59:59Z"}


@pytest.mark.req("A5")
def test_a_proposal_shows_its_sizing_its_checks_and_why_others_have_none(
    typed: Typed, peer: Peer, ports: MemoryPorts
) -> None:
    ports.entities.put("portfolio", "core", Portfolio(name="core", cash=1))
    peer.answers = [
        answer(proposals=[PROPOSAL], without=[{"asset": "XOM", "code": "NO_EDGE", "reason": "no [edge]"}])
    ]
    done = typed("propose")
    assert sent(peer) == {"portfolio": "core"}
    for words in (
        "BUY 150 KO",
        "kelly",
        "4.00%",
        "POSITION_LIMIT",
        "unknown",
        "CLAMP",
        "150 allowed",
        "no [edge]",
    ):
        assert words in done.out


def test_a_portfolio_has_to_be_named_when_there_are_several(
    typed: Typed, peer: Peer, ports: MemoryPorts
) -> None:
    assert typed("propose").code == 2
    for name in ("one", "two"):
        ports.entities.put("portfolio", name, Portfolio(name=name, cash=1))
    done = typed("propose", "--json")
    assert done.code == 2
    assert "one | two" in done.document["error"]["detail"]


def test_many_assets_there_is_nothing_to_say_of_are_one_row(typed: Typed, peer: Peer) -> None:
    quiet = [{"asset": f"S{n}", "code": "no_edge", "reason": f"p_up is 0.000{n % 9} away"} for n in range(40)]
    denied = {"asset": "KO", "code": "denied", "reason": "KILL_SWITCH: the desk is HALTED"}
    peer.answers = [answer(proposals=[], without=[*quiet, denied])]
    shown = typed("propose", "--portfolio", "core").out
    assert "40 assets" in shown
    assert "KILL_SWITCH" in shown
    assert "0.0003 away" not in shown
    assert "S39" in shown
    peer.answers = [answer(proposals=[], without=quiet[:5])]
    assert "0.0003 away" in typed("propose", "--portfolio", "core", "S0").out


def test_shares_are_shown_as_per_cent(typed: Typed, peer: Peer) -> None:
    check = Check(
        code="VAR_95", outcome="pass", limit=0.02, observed=0.0001812, unit="of equity", detail="small"
    )
    peer.answers = [answer(results=[structs.replace(RISK, checks=(check,))])]
    shown = typed("risk", PROPOSAL_ID).out
    assert "0.018%" in shown
    assert "2.00%" in shown


@pytest.mark.req("A6")
def test_orders_somebody_thinks_of_are_checked(typed: Typed, peer: Peer) -> None:
    peer.answers = [answer(results=[RISK])]
    done = typed("risk", "--portfolio", "core", "--order", "buy:$ko:200", "--order", "sell:XOM:5")
    assert done.code == 0
    assert sent(peer) == {
        "portfolio": "core",
        "orders": [
            {"asset": "KO", "side": "buy", "quantity": 200.0},
            {"asset": "XOM", "side": "sell", "quantity": 5.0},
        ],
    }
    assert typed("risk").code == 2
    assert typed("risk", PROPOSAL_ID, "--order", "buy:KO:1").code == 2


@pytest.mark.parametrize(
    "text", ["KO", "hold:KO:1", "buy::1", "buy:KO:0", "buy:KO:-1", "buy:KO:inf", "buy:KO:nan", "buy:KO:x"]
)
def test_an_order_that_is_none_is_wrong_use(text: str) -> None:
    with pytest.raises(WrongUse):
        order_of(text)


@pytest.mark.req("A7")
def test_a_decision_names_the_content_that_was_shown(typed: Typed, peer: Peer) -> None:
    line = {
        name: value for name in ProposalLine.__struct_fields__ if (value := getattr(PROPOSAL, name, None))
    }
    peer.answers = [answer(proposals=[line]), answer(proposal=PROPOSAL, decision=DECISION)]
    done = typed("decide", PROPOSAL_ID, "approve", "--reason", "broad")
    assert done.code == 0
    assert sent(peer) == {
        "proposal_id": PROPOSAL_ID,
        "content_hash": "c" * 64,
        "action": "approve",
        "reason": "broad",
    }
    assert "BUY 150 KO" in done.err
    assert done.out.startswith("approved: approve of")


def test_a_hash_that_is_named_is_sent_as_it_is(typed: Typed, peer: Peer) -> None:
    peer.answers = [problem(409, detail="it has changed")]
    done = typed("decide", PROPOSAL_ID, "approve", "--reason", "x", "--hash", "d" * 64, "--json")
    assert sent(peer)["content_hash"] == "d" * 64
    assert done.code == 4
    assert done.document["error"]["detail"] == "it has changed"
    assert "it has changed" in done.err


def test_an_unknown_proposal_and_an_unknown_action_are_not_sent(
    typed: Typed, peer: Peer, ports: MemoryPorts
) -> None:
    peer.answers = [answer(open=[])]
    assert typed("decide", PROPOSAL_ID, "approve", "--reason", "x").code == 1
    assert typed("decide", PROPOSAL_ID, "ponder", "--reason", "x").code == 2
    assert [request.method for request in peer.seen] == ["GET"]


@pytest.mark.req("A8")
def test_an_evaluation_shows_undefined_figures_as_dashes(typed: Typed, peer: Peer) -> None:
    skipped = [{"subject": "s", "code": "no_prices"}] * 2
    known = {"outcomes": [], "track_records": [RECORD], "resolved": 0, "waiting": 4}
    peer.answers = [answer(**known, skipped=skipped, more=True)]
    done = typed("evaluate", "--from", "2015-01-01", "--to", "2015-06-30", "--scope", "score")
    assert sent(peer) == {"from": "2015-01-01T00:00:00Z", "to": "2015-06-30T23:59:59Z", "scope": "score"}
    for words in ("sentiment v3", "–", "4 forecasts still", "no_prices (2)", "run it again"):
        assert words in done.out
    assert "0.0000" not in done.out
    assert typed("evaluate", "--scope", "all").code == 2


@pytest.mark.req("A8")
def test_an_evaluation_shows_who_made_and_who_lost_on_a_hundred_columns(
    typed: Typed, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    made = structs.replace(
        RECORD,
        resolved=12_345,
        followed=12_345,
        relative_return=-0.00012,
        relative_return_error=0.00034,
        relative_return_net=-0.00032,
        brier_gain=0.00045,
        brier_gain_error=0.00067,
        return_share=-1.2345,
    )
    peer.answers = [answer(outcomes=[], track_records=[made], resolved=0, waiting=0)]
    done = typed("evaluate")
    for words in ("-0.012% ± 0.034%", "-0.032%", "+0.00045 ± 0.00067", "-123.45%", "12,345"):
        assert words in done.out, done.out
    assert max(map(len, done.out.splitlines())) <= 100
    old = {k: v for k, v in msgspec.to_builtins(RECORD).items() if "relative" not in k and k != "followed"}
    peer.answers = [answer(outcomes=[], track_records=[old], resolved=0, waiting=0)]
    assert "–" in typed("evaluate").out


def test_a_moment_is_never_in_the_future() -> None:
    told = moment("2999-01-01", "--to")
    assert told
    assert datetime.fromisoformat(told) <= datetime.now(UTC)
    assert moment(None, "--to") is None
    with pytest.raises(WrongUse):
        moment("last week", "--to")


def test_nobody_logged_in_says_how(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    from bellwether.cli import connect

    stage = Stage(name="local", api_url="http://127.0.0.1:9/v1", region="x", outputs={})
    monkeypatch.setattr(connect, "find_stage", lambda _: stage)
    done = typed("score", "--json")
    assert done.code == 4
    assert done.document["error"]["hint"] == "bellwether login --as analyst"
    assert "bellwether login --as analyst" in done.err


@pytest.mark.req("P8")
def test_smoke_tells_each_check_and_fails_with_one(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    from bellwether.cli import operations

    def route(request: httpx.Request) -> httpx.Response:
        token = request.headers.get("Authorization")
        if request.url.path == "/v1/health":
            return httpx.Response(200, json={})
        if token is None:
            return problem(401)
        if request.url.path == "/v1/decision":
            return problem(403)
        return (
            problem(400)
            if request.method == "POST"
            else httpx.Response(broken.get(request.url.path, 200), json={})
        )

    class Known:
        def token(self) -> str:
            return "t"

    broken: dict[str, int] = {}
    peer = Peer(route=route)
    stage = Stage(name="local", api_url="http://127.0.0.1:9/v1", region="x", outputs={})
    monkeypatch.setattr(operations, "find_stage", lambda _: stage)
    monkeypatch.setattr("bellwether.cli.connect.session_for", lambda *_: None)
    monkeypatch.setattr("bellwether.cli.connect.StageTokens", lambda *_: Known())
    monkeypatch.setattr("bellwether.cli.api.Api", lambda _, tokens: api_of(peer, tokens))
    done = typed("smoke", "--json")
    assert done.code == 0, done.out
    assert done.document["ok"] is True
    broken["/v1/metrics"] = 500
    done = typed("smoke", "--json")
    assert done.code == 1
    assert [check["name"] for check in done.document["checks"] if not check["ok"]] == ["metrics are shown"]
