"""The language agent: asks a language model about many mentions a call and believes as little as possible.

Why it is built so, and what it cannot promise: docs/decisions/language-model-agent.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from bellwether.agents.language.answers import NOTHING_IN_IT, STEERS, Unreadable, readings
from bellwether.agents.language.controls import with_controls
from bellwether.agents.language.excerpts import content_key, excerpt, gives_orders, says_more_than_the_name
from bellwether.agents.language.ports import Answer, KeptReadings, LanguageModel
from bellwether.agents.language.questions import VERSION, Asked, Entry, asked, grouped
from bellwether.agents.readings import Mention, Reading

AGENT_ID = "llm"
MOST_ALONE = 40
"""Texts of a batch that get a call of their own; whoever sends more of them does not empty the budget."""

_TOO_MANY = "too many texts of its batch would have to be read alone"
_LASTING = frozenset({None, NOTHING_IN_IT, STEERS})
"""Abstentions, and none, that are the text's own and were paid for: it is not asked about again."""


@dataclass
class LanguageAgent:
    """Reads in steps of a fifth in [-1, 1]; quality is how sure the model is, times the link's confidence.

    `new_id` gives ids nobody can guess, `draw(n)` a number below n. Mentions are read when they are prepared;
    one that was not is abstained from.
    """

    model: LanguageModel
    kept: KeptReadings
    new_id: Callable[[], str]
    draw: Callable[[int], int]
    agent_id: str = AGENT_ID
    _read: dict[str, Reading] = field(default_factory=dict, init=False, repr=False)

    def prepare(self, mentions: Sequence[Mention]) -> None:
        """Asks about all of them that are not known yet. Raises what the memory of readings raises."""
        self._read = {}
        entries = {entry.key: entry for entry in map(self._entry, filter(_may_be_read, mentions))}
        if not entries:
            return
        self._read = dict(self.kept.get(list(entries)))
        unknown = [entry for key, entry in entries.items() if key not in self._read]
        fresh = self._ask(unknown)
        self._read |= fresh
        lasting = {key: reading for key, reading in fresh.items() if reading.abstained in _LASTING}
        if lasting:
            self.kept.put(lasting)

    def read(self, mention: Mention) -> Reading:
        """What was found when the batch was prepared."""
        if reason := _left_alone(mention):
            return Reading(abstained=reason)
        reading = self._read.get(self._entry(mention).key)
        if reading is None:
            return Reading(abstained="the language model was not asked")
        if reading.abstained is not None:
            return reading
        confidence = min(1.0, max(0.0, mention.confidence))
        rationale = f"{self.model.name}: {reading.rationale}"
        return replace(reading, quality=reading.quality * confidence, rationale=rationale)

    def _entry(self, mention: Mention) -> Entry:
        shown = excerpt(mention)
        key = content_key(self.model.name, VERSION, mention, shown)
        name = mention.asset.name
        asset = mention.asset.symbol if not name else f"{name} ({mention.asset.symbol})"
        return Entry(asset=asset, text=shown, key=key)

    def _ask(self, entries: Sequence[Entry]) -> dict[str, Reading]:
        """Those that give orders alone, the others together; then alone what was not believed together."""
        ordering = [entry for entry in entries if gives_orders(entry.text)]
        quiet = [entry for entry in entries if not gives_orders(entry.text)]
        groups = [*grouped(quiet), *([entry] for entry in ordering[:MOST_ALONE])]
        found, again = self._answered(groups)
        for entry in ordering[MOST_ALONE:]:
            found[entry.key] = Reading(abstained=_TOO_MANY)
        room = MOST_ALONE - len(ordering[:MOST_ALONE])
        more, _ = self._answered([[entry] for entry in again[:room]])
        return found | more | {entry.key: Reading(abstained=_TOO_MANY) for entry in again[room:]}

    def _answered(self, groups: Sequence[Sequence[Entry]]) -> tuple[dict[str, Reading], list[Entry]]:
        """Readings by key, and the entries whose answer cannot be believed.

        An entry that was asked about alone and is not believed is abstained from for good.
        """
        questions = [asked(with_controls(group, self.draw), self.new_id) for group in groups]
        found: dict[str, Reading] = {}
        unbelieved: list[Entry] = []
        answers = self.model.ask([made.question for made in questions]) if questions else []
        for group, made, answer in zip(groups, questions, answers, strict=True):
            try:
                found |= _believed(made, answer)
            except Unreadable as fault:
                if len(group) > 1:
                    unbelieved += group
                else:
                    found[group[0].key] = Reading(abstained=str(fault))
        return found, unbelieved


def _believed(made: Asked, answer: Answer) -> dict[str, Reading]:
    """Readings by key. Raises `Unreadable` for an answer that cannot be believed as a whole."""
    if answer.fault is None:
        return readings(answer.text, made.entries)
    if answer.of_content:
        raise Unreadable(answer.fault)
    entries = made.entries.values()
    return {entry.key: Reading(abstained=answer.fault) for entry in entries if not entry.expected}


def _may_be_read(mention: Mention) -> bool:
    return _left_alone(mention) is None


def _left_alone(mention: Mention) -> str | None:
    """Why a mention is not shown to a model at all; `None` when it may be."""
    item = mention.item
    if item.known_at < item.observed_at:
        return "it is history: a language model may know what followed"
    if not says_more_than_the_name(mention):
        return "the text says nothing but the name"
    return None
