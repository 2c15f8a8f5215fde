"""A language model in memory for the agent's tests: it answers as a mind of the peer would."""

import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bellwether.adapters.memory import MemoryKeptReadings
from bellwether.agents.language.ports import Answer, Question
from bellwether.agents.llm import LanguageAgent
from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Mention, Reading
from bellwether.domain.entities import Asset
from bellwether.domain.items import Item, settle
from tests.peers.openai import Entry, Mind, honest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ASSETS = [Asset(symbol="BEACON", name="Beacon Industries"), Asset(symbol="HARBOR", name="Harbor Group")]
_LINKS = Mentions(ASSETS)


@dataclass
class Model:
    """`answers` change what is answered to a question; the mind's JSON by default."""

    mind: Mind = honest
    name: str = "model-1"
    questions: list[Question] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    answered: Callable[[Question, str], Answer] = lambda _question, text: Answer(text=text)

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        self.questions += questions
        self.calls.append(len(questions))
        return [
            self.answered(question, json.dumps({"readings": self.mind(entries(question))}))
            for question in questions
        ]

    @property
    def asked_about(self) -> list[list[str]]:
        """Texts by call, without the controls."""
        return [
            [entry["text"] for entry in entries(question) if "news" in entry["text"]]
            for question in self.questions
        ]


def entries(question: Question) -> list[Entry]:
    found: list[Entry] = json.loads(question.data)["entries"]
    return found


def mention(text: str, asset: str = "BEACON", **fields: Any) -> Mention:
    """A post of today about one asset; it has to name it."""
    received = fields.pop("received_at", NOW)
    sent = Item(source="x", source_id=text, published_at=NOW, text=text, **fields)
    item = settle(sent, kind="social", received_at=received, salt=b"salt")
    return next(found for found in _LINKS.of(item) if found.asset.symbol == asset)


def agent_of(model: Model, kept: MemoryKeptReadings | None = None, seed: int = 1) -> LanguageAgent:
    numbers, chance = itertools.count(), random.Random(seed)
    return LanguageAgent(
        model=model,
        kept=kept if kept is not None else MemoryKeptReadings(),
        new_id=lambda: f"id{next(numbers)}",
        draw=chance.randrange,
    )


def read(agent: LanguageAgent, mentions: Sequence[Mention]) -> list[Reading]:
    """What the agent makes of a batch."""
    agent.prepare(mentions)
    return [agent.read(mention) for mention in mentions]
