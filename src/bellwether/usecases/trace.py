"""Walking any outcome, decision, proposal, score or signal back to the posts behind it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bellwether.agents.reasons import Reasons
from bellwether.agents.registry import SENTIMENT
from bellwether.domain.decay import LONGEST_LIFE, day_start
from bellwether.domain.forgetting import gone_words
from bellwether.domain.ids import is_item_id, is_ulid
from bellwether.domain.items import StoredItem
from bellwether.domain.outcomes import Outcome
from bellwether.domain.problems import NotFound
from bellwether.domain.proposals import Decision, Proposal, proposal_hash
from bellwether.domain.scores import Score, fits_its_id
from bellwether.domain.signals import Signal, day_of
from bellwether.usecases.ports import (
    Forecasts,
    ItemClaims,
    Outcomes,
    Proposals,
    RawBatches,
    SignalStore,
)
from bellwether.usecases.process_batch import input_hash
from bellwether.usecases.recover import batch_id_of

NodeKind = Literal["outcome", "proposal", "decision", "score", "agent", "signal", "item"]
MOST_SIGNALS = 50
_DECISION = re.compile(r"^(?P<proposal>[0-9A-Z]{26})[#/](?P<revision>\d+)$")
_SCORE = re.compile(r"^score:(?P<asset>[^:]+):(?P<as_of>\d{8}T\d{6}\.\d{6}Z):(?P<horizon>\d+):[0-9a-f]+$")


class TraceNode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One link of the chain and what it was made from.

    `title` says it in one line, `facts` are the record's figures and hashes as plain values. `intact` is
    whether the hash it carries fits what was found (`None` when there is nothing to compare), `missing` that
    the record is named but not there (any more), `left_out` how many further children there are.
    """

    kind: NodeKind
    id: str
    title: str
    at: datetime | None = None
    facts: dict[str, Any] = {}
    intact: bool | None = None
    missing: bool = False
    left_out: int = 0
    children: tuple["TraceNode", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Reads every record by its key; items are read from the batch they came in.

    With `reasons` a signal of the sentiment agent names the words it was read from.
    """

    outcomes: Outcomes
    proposals: Proposals
    forecasts: Forecasts
    signals: SignalStore
    claims: ItemClaims
    raw: RawBatches
    most_signals: int = MOST_SIGNALS
    reasons: Reasons | None = None

    def __call__(self, id: str, *, now: datetime) -> TraceNode:  # noqa: A002 (the word the callers use)
        """The tree below `id`. Raises `NotFound` when nothing has that id.

        Ids: an outcome's, a proposal's (ULID), a decision's (`PROPOSAL/revision`), a score's (`score:…`), a
        signal's (`ASSET#day#…`) or an item's (`source-…`).
        """
        name = id.strip()
        for node in self._readings(name, now):
            if node is not None:
                return _filled(node, self._items(node, now), self.reasons)
        raise NotFound(f"nothing has the id {name!r}")

    def _readings(self, name: str, now: datetime) -> Iterator[TraceNode | None]:
        if is_item_id(name):
            yield TraceNode(kind="item", id=name, title=name) if self.claims.locate([name]) else None
        if is_ulid(name):
            yield self._proposal(name)
        if decision := _DECISION.match(name):
            yield self._decision(decision["proposal"], int(decision["revision"]))
        if _SCORE.match(name):
            yield self._score_by_id(name, now)
        if name.count("#") >= 4:
            signal = self.signals.get(name)
            yield _signal_node(signal) if signal else None
        outcome = self.outcomes.get(name)
        yield self._outcome(outcome, now) if outcome else None

    def _outcome(self, outcome: Outcome, now: datetime) -> TraceNode:
        subject = (
            self._proposal(outcome.subject)
            if outcome.scope == "proposal"
            else self._score_by_id(outcome.subject, now)
        )
        kind: NodeKind = "proposal" if outcome.scope == "proposal" else "score"
        missing = TraceNode(kind=kind, id=outcome.subject, title="not found", missing=True)
        return TraceNode(
            kind="outcome",
            id=outcome.outcome_id,
            title=(
                f"{outcome.asset} {'rose' if outcome.went_up else 'fell'} ({outcome.raw_return:+.2%}) "
                f"from {outcome.entry_date} to {outcome.exit_date}; "
                f"forecast {outcome.p_up:.1%}, Brier {outcome.brier:.4f}"
            ),
            at=outcome.evaluated_at,
            facts=_facts(outcome, "attribution"),
            children=(subject or missing,),
        )

    def _decision(self, proposal_id: str, revision: int) -> TraceNode | None:
        found = self.proposals.get(proposal_id)
        if found is None:
            return None
        for decision in found[1]:
            if decision.revision == revision:
                node = _decision_node(decision, found[0])
                return msgspec.structs.replace(node, children=(self._proposal_node(found[0], ()),))
        return None

    def _proposal(self, proposal_id: str) -> TraceNode | None:
        found = self.proposals.get(proposal_id)
        return self._proposal_node(*found) if found else None

    def _proposal_node(self, proposal: Proposal, decisions: Sequence[Decision]) -> TraceNode:
        return TraceNode(
            kind="proposal",
            id=proposal.proposal_id,
            title=(
                f"{proposal.side} {proposal.quantity:g} {proposal.asset}, limit {proposal.limit_price:g}, "
                f"for {proposal.portfolio}, proposed by {proposal.proposed_by}"
            ),
            at=proposal.created_at,
            intact=proposal_hash(proposal) == proposal.content_hash,
            facts=_facts(proposal, "score", "risk", "sizing"),
            children=(
                *(_decision_node(decision, proposal) for decision in decisions),
                self._score_node(proposal.score),
            ),
        )

    def _score_by_id(self, score_id: str, now: datetime) -> TraceNode | None:
        """A kept forecast; when a later one of the same day took its place, the signals it was made from."""
        shape = _SCORE.match(score_id)
        if shape is None:
            return None
        as_of = datetime.strptime(shape["as_of"], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
        for line in self.forecasts.between(as_of - timedelta(seconds=1), as_of + timedelta(seconds=1)):
            score = msgspec.json.decode(line, type=Score)
            if score.score_id == score_id:
                return self._score_node(score)
        by_agent, left_out = self._signals_before(shape["asset"], min(as_of, now))
        if not by_agent:
            return None
        return TraceNode(
            kind="score",
            id=score_id,
            title=f"{shape['asset']} over {shape['horizon']} d: not kept, these signals were known",
            at=as_of,
            missing=True,
            left_out=left_out,
            children=tuple(
                TraceNode(kind="agent", id=agent, title=f"{len(nodes)} signals", children=nodes)
                for agent, nodes in sorted(by_agent.items())
            ),
        )

    def _score_node(self, score: Score) -> TraceNode:
        by_agent, left_out = self._signals_before(score.asset, score.as_of)
        agents = [
            TraceNode(
                kind="agent",
                id=f"{part.agent_id}@{part.agent_version}",
                title=part.abstained
                or f"{part.log_odds:+.4f} log-odds at weight {part.weight:.4f}: {part.rationale}",
                facts=_facts(part, "rationale", "abstained", "signal_ids"),
                children=by_agent.get(part.agent_id, ()),
            )
            for part in score.contributions
        ]
        p_up = "abstains" if score.p_up is None else f"p {score.p_up:.4f}"
        return TraceNode(
            kind="score",
            id=score.score_id,
            title=f"{score.asset} over {score.horizon} d: {p_up} against {score.base_rate:.4f} anyway",
            at=score.as_of,
            intact=fits_its_id(score),
            facts=_facts(score, "contributions", "explanation"),
            left_out=left_out,
            children=tuple(agents),
        )

    def _signals_before(self, asset: str, as_of: datetime) -> tuple[Mapping[str, tuple[TraceNode, ...]], int]:
        """The live signals known at `as_of` with evidence, by agent, heaviest first, and how many are left
        out.
        """
        known = [
            signal for signal in self._known(asset, as_of) if signal.expires_at > as_of and signal.evidence
        ]
        known.sort(key=lambda signal: (-signal.evidence * abs(signal.p_up - 0.5), signal.signal_id))
        by_agent: dict[str, tuple[TraceNode, ...]] = {}
        for signal in known[: self.most_signals]:
            by_agent[signal.agent_id] = (*by_agent.get(signal.agent_id, ()), _signal_node(signal))
        return by_agent, max(0, len(known) - self.most_signals)

    def _known(self, asset: str, as_of: datetime) -> Iterator[Signal]:
        day = day_start(day_of(as_of)) - LONGEST_LIFE + timedelta(days=1)
        while day <= as_of:
            yield from self.signals.of_day(asset, day_of(day), until=as_of)
            day += timedelta(days=1)

    def _items(self, root: TraceNode, now: datetime) -> Mapping[str, StoredItem]:
        """The items named in the tree, each batch read once."""
        wanted = {node.id for node in _walk(root) if node.kind == "item"}
        batches = self.claims.locate(sorted(wanted))
        missing = set(batches.values())
        items: dict[str, StoredItem] = {}
        for key in self.raw.keys(_earliest(root, now)) if missing else ():
            if batch_id_of(key) in missing:
                missing.discard(batch_id_of(key))
                items.update(
                    (item.item_id, item) for item in self.raw.get(key).items if item.item_id in wanted
                )
            if not missing:
                break
        return items


def _earliest(root: TraceNode, now: datetime) -> datetime:
    """No item was received before it was known; an item asked for by its id alone may be of any age."""
    times = [node.at for node in _walk(root) if node.kind == "signal" and node.at is not None]
    return min(times, default=now - timedelta(days=3_650))


def _walk(node: TraceNode) -> Iterator[TraceNode]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _filled(node: TraceNode, items: Mapping[str, StoredItem], reasons: Reasons | None) -> TraceNode:
    """The tree with its items' words in place, and each signal's hash compared with them."""
    if node.kind == "item":
        return _item_node(node.id, items.get(node.id))
    children = tuple(_filled(child, items, reasons) for child in node.children)
    node = msgspec.structs.replace(node, children=children)
    if node.kind != "signal":
        return node
    found = [items[child.id] for child in node.children if child.id in items]
    if not found or any(item.deleted_at for item in found):
        return node
    expected = node.facts.get("input_hash")
    intact = any(input_hash(item, str(node.facts.get("asset"))) == expected for item in found)
    node = msgspec.structs.replace(node, intact=intact)
    return _with_words(node, found[0], reasons) if intact and reasons else node


def _with_words(node: TraceNode, item: StoredItem, reasons: Reasons) -> TraceNode:
    """A signal with the words that drove its reading, where it is one of words."""
    facts = node.facts
    if facts.get("agent_id") != SENTIMENT or facts.get("abstained"):
        return node
    words = reasons.words(item, str(facts.get("asset")), float(facts.get("raw", 0.0)))
    if not words:
        return node
    title = f"{node.title} ({', '.join(words)})"
    return msgspec.structs.replace(node, title=title, facts={**facts, "words": words})


def _item_node(item_id: str, item: StoredItem | None) -> TraceNode:
    if item is None:
        return TraceNode(kind="item", id=item_id, title="not found", missing=True)
    return TraceNode(
        kind="item",
        id=item_id,
        title=gone_words(item) if item.deleted_at else item.words[:200],
        at=item.published_at,
        facts=_facts(item, "title", "text"),
    )


def _signal_node(signal: Signal) -> TraceNode:
    return TraceNode(
        kind="signal",
        id=signal.signal_id,
        title=f"{signal.agent_id}: p {signal.p_up:.4f}, evidence {signal.evidence:.3f}: {signal.rationale}",
        at=signal.observed_time,
        facts=_facts(signal, "rationale"),
        children=tuple(TraceNode(kind="item", id=item, title=item) for item in signal.item_ids),
    )


def _decision_node(decision: Decision, proposal: Proposal) -> TraceNode:
    return TraceNode(
        kind="decision",
        id=f"{decision.proposal_id}/{decision.revision}",
        title=f"{decision.action} by {decision.decided_by}: {decision.reason}",
        at=decision.decided_at,
        facts=_facts(decision, "risk"),
        intact=decision.content_hash == proposal.content_hash,
    )


def _facts(record: Struct, *without: str) -> dict[str, Any]:
    """A record as plain values, without the parts that are children or title of their own."""
    values: dict[str, Any] = msgspec.to_builtins(record)
    return {name: value for name, value in values.items() if name not in without}


def tree_lines(node: TraceNode, depth: int = 0) -> Iterable[str]:
    """The tree as indented lines for a terminal."""
    mark = "  ← changed since" if node.intact is False else "  (not found)" if node.missing else ""
    yield f"{'  ' * depth}{node.kind} {node.id}  {' '.join(node.title.split())}{mark}"
    for child in node.children:
        yield from tree_lines(child, depth + 1)
    if node.left_out:
        yield f"{'  ' * (depth + 1)}… {node.left_out} further signals"
