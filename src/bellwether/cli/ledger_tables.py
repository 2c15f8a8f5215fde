"""Do the tables say what the ledger says? Proposals and outcomes are its projections, changes are in it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.configuration import CONTROLS, Configured, configured_of
from bellwether.domain.ledger import Entry
from bellwether.domain.outcomes import Outcome, outcomes_of
from bellwether.domain.proposals import Decision, Proposal

if TYPE_CHECKING:
    from bellwether.usecases.ports import AgentConfigs, DeskControls, Outcomes, Proposals


@dataclass
class Compared:
    """Ids whose rows lag behind the ledger, and ids whose rows contradict it."""

    behind: list[str] = field(default_factory=list)
    contradicting: list[str] = field(default_factory=list)


@dataclass
class Expected:
    """What the tables have to hold, gathered from the entries of an unbroken ledger."""

    proposals: dict[str, Proposal] = field(default_factory=dict)
    decisions: dict[str, list[Decision]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    controls: dict[int, Configured] = field(default_factory=dict)
    agents: dict[str, Configured] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Takes an entry in. Raises `msgspec.ValidationError` for a body that is no such record."""
        if entry.kind == "proposal":
            proposal = msgspec.convert(entry.body, Proposal)
            self.proposals[proposal.proposal_id] = proposal
        elif entry.kind == "decision":
            decision = msgspec.convert(entry.body, Decision)
            self.decisions.setdefault(decision.proposal_id, []).append(decision)
        elif entry.kind == "configuration":
            self._configured(configured_of(entry))
        else:
            self.outcomes.update((outcome.outcome_id, outcome) for outcome in outcomes_of(entry.body))

    def _configured(self, record: Configured) -> None:
        """Of an agent the newest change counts: an evaluation may have taken an earlier one's number."""
        if record.subject == CONTROLS:
            self.controls[record.version] = record
        else:
            msgspec.convert(record.after, AgentConfig)
            self.agents[record.subject] = record

    def compare(self, proposals: "Proposals", outcomes: "Outcomes") -> Compared:
        """Reads every row the ledger speaks of."""
        found = Compared()
        for proposal_id, proposal in self.proposals.items():
            self._compare_proposal(proposal_id, proposal, proposals, found)
        for outcome_id, row in self._outcome_rows(outcomes).items():
            if row is None:
                found.behind.append(outcome_id)
            elif row != self.outcomes[outcome_id]:
                found.contradicting.append(outcome_id)
        return found

    def compare_configuration(
        self, controls: "DeskControls", configs: "AgentConfigs", found: Compared
    ) -> None:
        """The same for what owners changed. Controls no entry tells of were changed behind the ledger."""
        rows = {row.version: row.controls for row in controls.versions()}
        for version in sorted({*rows, *self.controls}):
            record = self.controls.get(version)
            if version not in rows:
                found.behind.append(f"controls v{version}")
            elif record is None or rows[version] != record.after:
                found.contradicting.append(f"controls v{version}")
        for subject, record in self.agents.items():
            agent = msgspec.convert(record.after, AgentConfig)
            row = next((v for v in configs.versions(agent.agent_id) if v.version == agent.version), None)
            if row is None:
                found.behind.append(f"{subject} v{agent.version}")
            elif row != agent:
                found.contradicting.append(f"{subject} v{agent.version}")

    def _outcome_rows(self, outcomes: "Outcomes") -> dict[str, Outcome | None]:
        """The row of each outcome, read through the index: row by row would take a call for each.

        A row that is not where the index should have it is asked for by its id.
        """
        if not self.outcomes:
            return {}
        last = max(outcome.evaluated_at for outcome in self.outcomes.values())
        found = {row.outcome_id: row for row in outcomes.evaluated_before(last, limit=2 * len(self.outcomes))}
        known = outcomes.known([outcome_id for outcome_id in self.outcomes if outcome_id not in found])
        return {
            outcome_id: found.get(outcome_id) or (outcomes.get(outcome_id) if outcome_id in known else None)
            for outcome_id in self.outcomes
        }

    def _compare_proposal(
        self, proposal_id: str, proposal: Proposal, proposals: "Proposals", found: Compared
    ) -> None:
        told = self.decisions.get(proposal_id, [])
        row = proposals.get(proposal_id)
        if row is None:
            found.behind.append(proposal_id)
        elif row[0] != proposal or row[1] != told[: len(row[1])] or len(row[1]) > len(told):
            found.contradicting.append(proposal_id)
        elif len(row[1]) < len(told):
            found.behind.append(proposal_id)
