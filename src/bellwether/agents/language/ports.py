"""What the language agent needs from outside: a model that answers, and a memory of what it has read."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from bellwether.agents.readings import Reading


class Question(Struct, frozen=True, kw_only=True):
    """One call. `instructions` are the desk's and nobody else's, `data` is what other people wrote.

    The answer is JSON that follows `schema`, and no longer than `most_tokens`.
    """

    instructions: str
    data: str
    schema: dict[str, Any]
    most_tokens: int


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a call: its `text`, or the `fault` that is told to people.

    `of_content` says that the fault lies in what was asked about and not in who was asked: the same question
    about fewer texts may be answered.
    """

    text: str = ""
    fault: str | None = None
    of_content: bool = False


class LanguageModel(Protocol):
    """A model that answers questions."""

    @property
    def name(self) -> str:
        """Which model it is, for people and for what is remembered of it."""

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in the order of the questions, each within the time there is. Faults are answers too."""


class KeptReadings(Protocol):
    """Readings that were paid for, by the hash of what was read."""

    def get(self, keys: Sequence[str]) -> Mapping[str, Reading]:
        """Readings by key, those that are kept. The keys may repeat."""

    def put(self, readings: Mapping[str, Reading]) -> None:
        """Keeps readings for a month; those that are there already are replaced."""
