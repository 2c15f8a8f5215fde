"""The owner's changes: in the ledger first, each once, in force at once, and back after a crash."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.memory.ledger import MemoryLedger
from bellwether.agents.registry import default_config
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.configuration import (
    CHANGE,
    Configured,
    Switch,
    configured_of,
    switched_controls,
)
from bellwether.domain.control_settings import (
    DEFAULT,
    bounds,
    changed_settings,
    differences,
    full_name,
    settings,
)
from bellwether.domain.entities import Portfolio, Position
from bellwether.domain.learning import gone_back, switched
from bellwether.domain.ledger import Entry, content_hash, first_broken_link
from bellwether.domain.limits import Controls, checked_controls, read_controls
from bellwether.domain.problems import Conflict, InvalidInput
from bellwether.usecases.check_risk import CheckRisk, OrderRequest, RiskRequest
from bellwether.usecases.configure import Change, Configure, apply_configuration
from bellwether.usecases.decide import DecisionRequest
from bellwether.usecases.propose import ProposeRequest
from bellwether.usecases.recover import Recover
from tests.unit.trading import ANALYST, APPROVER, NOW, Desk, desk

LATER = NOW + timedelta(minutes=5)
SENTIMENT = default_config("sentiment")


def configure(made: Desk | MemoryPorts) -> Configure:
    return Configure(
        ledger=made.ledger,
        proposals=made.proposals,
        announce=made.announce,
        controls=made.controls,
        configs=made.configs,
    )


def throw(made: Desk | MemoryPorts, switch: Switch, reason: str = "drill") -> Change:
    """What `bellwether halt`, `reduce` and `resume` do."""

    def change(values: Mapping[str, Any]) -> Mapping[str, Any]:
        return switched_controls(values, switch, reason)

    return configure(made).change_controls(
        change, action=switch, changed_by="owner ann", reason=reason, now=LATER
    )


def approval(proposal: Any) -> DecisionRequest:
    return DecisionRequest(
        proposal_id=proposal.proposal_id, content_hash=proposal.content_hash, action="approve", reason="yes"
    )


@pytest.mark.req("A5", "A7")
def test_a_halted_desk_denies_every_proposal_and_approval_until_it_resumes() -> None:
    made = desk("ACME", "OTHER")
    proposal = made.proposed("ACME")
    throw(made, "halt", "prices look wrong")
    answer = made.propose(ProposeRequest(portfolio="core", assets=["OTHER"]), user=ANALYST, now=LATER)
    assert answer.proposals == []
    (without,) = answer.without
    assert without.checks == ("KILL_SWITCH",)
    assert "prices look wrong" in without.reason
    with pytest.raises(Conflict, match="KILL_SWITCH"):
        made.decide(approval(proposal), user=APPROVER, now=LATER)

    throw(made, "resume", "prices were right")
    assert made.decide(approval(proposal), user=APPROVER, now=LATER).decision.status == "approved"
    kinds = [entry.kind for entry in made.ledger.entries()]
    assert kinds == ["proposal", "configuration", "configuration", "decision"]
    assert first_broken_link(made.ledger.entries()) is None


def test_a_reducing_desk_lets_only_what_shrinks_a_position_pass() -> None:
    made = desk("ACME", "OTHER")
    held = Portfolio(
        name="core", cash=1_000_000.0, positions=(Position(symbol="ACME", quantity=100.0, cost=100.0),)
    )
    made.entities.put("portfolio", "core", held)
    proposal = made.proposed("OTHER")
    throw(made, "reduce", "too much on")
    check = CheckRisk(
        entities=made.entities,
        prices=made.prices,
        controls=made.controls,
        proposals=made.proposals,
        lake=made.lake,
    )

    def verdict(asset: str, side: Any, quantity: float) -> tuple[str, float]:
        order = OrderRequest(asset=asset, side=side, quantity=quantity)
        request = RiskRequest(portfolio="core", orders=[order])
        (result,) = check(request, now=LATER).results
        return result.verdict, result.allowed_quantity

    assert verdict("ACME", "sell", 60.0) == ("pass", 60.0)
    assert verdict("ACME", "sell", 130.0) == ("clamp", 100.0), "no further than to nothing"
    assert verdict("ACME", "buy", 1.0) == ("deny", 0.0)
    assert verdict("OTHER", "sell", 1.0) == ("deny", 0.0)
    with pytest.raises(Conflict, match="KILL_SWITCH"):
        made.decide(approval(proposal), user=APPROVER, now=LATER)


def test_the_record_names_who_why_and_what_by_its_hash() -> None:
    ports = MemoryPorts()
    done = throw(ports, "halt")
    (entry,) = ports.ledger.entries()
    record = configured_of(entry)
    assert (entry.kind, entry.subject, entry.at) == ("configuration", "controls", LATER)
    assert (record.version, record.action, record.changed_by) == (1, "halt", "owner ann")
    assert record.before_hash == content_hash({})
    stored = ports.controls.controls()
    assert record.after_hash == content_hash(stored) == content_hash(record.after)
    assert stored[CHANGE] == {"action": "halt", "by": "owner ann", "reason": "drill"}
    assert (done.sequence, done.before) == (1, {})
    again = throw(ports, "resume").record
    assert again.before_hash == record.after_hash


def test_what_makes_no_sense_is_refused_before_anything_is_written() -> None:
    ports = MemoryPorts()
    with pytest.raises(InvalidInput, match="needs a reason"):
        throw(ports, "halt", "  ")
    with pytest.raises(InvalidInput, match=r"\$\.limits\.position"):
        configure(ports).change_controls(
            lambda _: {"limits": {"position": 7}}, action="set", changed_by="a", reason="b", now=NOW
        )
    assert (ports.ledger.head(), ports.controls.versions()) == (None, [])


def recovered(ports: MemoryPorts) -> None:
    Recover(
        raw=ports.raw,
        claims=ports.claims,
        queue=ports.queue,
        ledger=ports.ledger,
        proposals=ports.proposals,
        outcomes=ports.outcomes,
        controls=ports.controls,
        configs=ports.configs,
    )(since=NOW, now=LATER)


def test_a_halt_only_the_ledger_knows_comes_back_with_recovery() -> None:
    """Killed between the ledger and the table: the desk must not come up trading."""
    ports = MemoryPorts()
    throw(ports, "halt")
    configure(ports).change_agent(
        "sentiment",
        lambda versions: switched(versions[-1], enabled=False, at=LATER, reason="x", changed_by="a"),
        action="off",
        reason="x",
        now=LATER,
    )
    lost = MemoryPorts(ledger=ports.ledger)
    for _ in range(2):
        recovered(lost)
        assert read_controls(lost.controls.controls()).desk_state == "HALTED"
        assert lost.controls.versions() == ports.controls.versions()
        assert lost.configs.versions("sentiment") == ports.configs.versions("sentiment")


def test_owners_who_race_lose_nothing() -> None:
    ports, start = MemoryPorts(), Barrier(6)
    names = ["position", "var_95", "es_97_5", "drawdown", "volume_share", "asset_concentration"]

    def run(name: str) -> None:
        start.wait()
        configure(ports).change_controls(
            lambda values: changed_settings(values, {f"limits.{name}": 0.011}),
            action="set",
            changed_by=name,
            reason="racing",
            now=NOW,
        )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, names))
    assert ports.controls.controls()["limits"] == dict.fromkeys(names, 0.011)
    records = [configured_of(entry) for entry in ports.ledger.entries()]
    assert [record.version for record in records] == [1, 2, 3, 4, 5, 6]
    assert [version.controls for version in ports.controls.versions()] == [r.after for r in records]


class Watched(MemoryLedger):
    """A ledger whose entries another owner's command brings into the tables the moment they are there."""

    def __init__(self, ports: MemoryPorts) -> None:
        super().__init__()
        self.ports = ports

    def append(self, entry: Entry) -> bool:
        written = super().append(entry)
        apply_configuration(entry, self.ports.controls, self.ports.configs)
        return written


def test_a_change_another_owner_brought_into_the_table_is_not_written_twice() -> None:
    ports = MemoryPorts()
    watched = MemoryPorts(ledger=Watched(ports), controls=ports.controls, configs=ports.configs)
    throw(watched, "halt")
    done = configure(watched).change_agent(
        "sentiment",
        lambda versions: switched(versions[-1], enabled=False, at=LATER, reason="x", changed_by="a"),
        action="off",
        reason="x",
        now=LATER,
    )
    assert [version.version for version in ports.controls.versions()] == [1]
    assert [version.version for version in ports.configs.versions("sentiment")] == [1]
    assert done.sequence == 2, "the agent's entry is not repeated either"


class Overtaken:
    """`AgentConfigs` to which an evaluation writes a version just before the owner's first."""

    def __init__(self, ports: MemoryPorts) -> None:
        self.inner, self.overtaken = ports.configs, False

    def current(self) -> dict[str, AgentConfig]:
        return self.inner.current()

    def versions(self, agent_id: str) -> list[AgentConfig]:
        return self.inner.versions(agent_id)

    def put(self, config: AgentConfig) -> None:
        if not self.overtaken:
            self.overtaken = True
            self.inner.put(structs.replace(SENTIMENT, version=config.version, reason="learned"))
        self.inner.put(config)


def test_an_evaluation_that_took_the_version_first_does_not_swallow_the_owners() -> None:
    ports = MemoryPorts()
    owner = Configure(
        ledger=ports.ledger,
        proposals=ports.proposals,
        announce=ports.announce,
        controls=ports.controls,
        configs=Overtaken(ports),
    )
    done = owner.change_agent(
        "sentiment",
        lambda versions: gone_back(versions, 0, at=LATER, reason="wrong", changed_by="owner ann"),
        action="back",
        reason="wrong",
        now=LATER,
    )
    assert [v.reason for v in ports.configs.versions("sentiment")] == ["learned", "back to version 0: wrong"]
    assert (done.record.version, done.before["reason"]) == (2, "learned")
    last = list(ports.ledger.entries())[-1]
    assert msgspec.convert(configured_of(last).after, AgentConfig) == ports.configs.current()["sentiment"]


def test_every_setting_has_a_default_within_its_bounds_and_a_name_of_its_own() -> None:
    known = settings()
    assert {s.name.partition(".")[0] for s in known} == {"limits", "costs", "sizing"}
    for one in known:
        assert full_name(one.name) == full_name(one.name.partition(".")[2]) == one.name
        changed = changed_settings({}, {one.name: one.default})
        assert checked_controls(changed) == Controls()
    told = {one.name: one.bounds for one in known}
    assert told["limits.position"] == "number ≥ 0 and ≤ 1"
    assert told["sizing.kelly_fraction"] == "number > 0 and ≤ 0.5"
    assert told["limits.var_days"] == "whole number ≥ 1 and ≤ 2000"
    assert told["limits.var_method"] == "cornish_fisher or historical"
    assert told["sizing.short_selling"] == "true or false"
    assert bounds(msgspec.inspect.type_info(str)) == "text"


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"limits.position": 1.5}, "$.limits.position", "number ≥ 0 and ≤ 1"),
        ({"position": -0.1}, "$.limits.position", "number ≥ 0 and ≤ 1"),
        ({"kelly_fraction": "much"}, "$.sizing.kelly_fraction", "number > 0 and ≤ 0.5"),
        ({"limits.var_method": "guess"}, "$.limits.var_method", "cornish_fisher or historical"),
        ({"limits.var_days": 1.5}, "$.limits.var_days", "cannot be 1.5, it is a whole number"),
        ({"limits.positon": 0.1}, "$.limits.positon", "did you mean limits.position"),
        ({"colour": 1}, "$.colour", "no setting 'colour'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_path_and_bounds(
    changes: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as fault:
        changed_settings({}, changes)
    assert fault.value.path == path
    assert words in fault.value.detail


names = st.sampled_from([s.name for s in settings() if "number" in s.bounds and "whole" not in s.bounds])


@given(
    stored=st.dictionaries(names, st.floats(0.01, 0.4)), changes=st.dictionaries(names, st.floats(0.01, 0.4))
)
def test_changing_touches_what_is_named_and_default_takes_it_back(
    stored: dict[str, float], changes: dict[str, float]
) -> None:
    before = changed_settings({"state": "REDUCING"}, stored)
    after = changed_settings(before, changes)
    old, new = read_controls(before), read_controls(after)
    assert {d.name for d in differences(old, new)} <= set(changes)
    assert new.state == "REDUCING"
    reset = changed_settings(after, dict.fromkeys({*stored, *changes}, DEFAULT))
    assert differences(read_controls(reset), Controls(state="REDUCING")) == []


def test_a_stored_value_that_cannot_be_read_is_put_right_by_its_name() -> None:
    broken = {"limits": {"position": 7}, "costs": "none"}
    assert read_controls(broken).state is None
    mended = changed_settings(broken, {"limits.position": DEFAULT, "costs.impact": 0.4})
    assert read_controls(mended).costs.impact == 0.4


def test_records_read_back() -> None:
    record = throw(MemoryPorts(), "reduce").record
    assert msgspec.json.decode(msgspec.json.encode(record), type=Configured) == record
