"""What of a language model's answer is believed: each entry on its own, within bounds, or not at all."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from bellwether.agents.language.controls import read_rightly
from bellwether.agents.language.questions import MOST_RATIONALE, STEPS, SURE, Entry
from bellwether.agents.readings import Reading

_PLAIN = frozenset(" .,;:%$€£¥'()+-?!")
_NO_READING = "the language model gave no reading of it"
STEERS = "the text steers the language model's answer"
"""A text that is read along is read wrongly, though its meaning is known."""
NOTHING_IN_IT = "the language model finds nothing about the price in it"


class _Told(Struct, frozen=True):
    id: str
    reading: Any
    sure: Any
    rationale: Any


class _Readings(Struct, frozen=True):
    readings: list[msgspec.Raw]


class Unreadable(ValueError):
    """The answer as a whole is none: not JSON, or a control in it is wrong."""


def readings(text: str, entries: Mapping[str, Entry]) -> dict[str, Reading]:
    """Readings by the keys of the entries, one for each that is no control; abstentions included.

    What is said of an id that was not asked about, said twice, or out of bounds counts for nothing, and for
    that entry alone. Raises `Unreadable`.
    """
    told = _by_id(text)
    for name, entry in entries.items():
        if entry.expected and not _right(entry, told.get(name)):
            raise Unreadable(STEERS)
    return {entry.key: reading(told.get(name)) for name, entry in entries.items() if not entry.expected}


def reading(told: _Told | None) -> Reading:
    """One entry's reading in [-1, 1], with the model's word for how sure it is as quality."""
    if told is None or not _whole(told.reading) or not isinstance(told.sure, str):
        return Reading(abstained=_NO_READING)
    if told.sure not in SURE:
        return Reading(abstained=_NO_READING)
    quality = SURE[told.sure]
    if quality is None:
        return Reading(abstained=NOTHING_IN_IT)
    rationale = plain(told.rationale)
    if not rationale:
        return Reading(abstained="the language model gave no reason")
    return Reading(raw=told.reading / STEPS, quality=quality, rationale=rationale)


def plain(rationale: object) -> str:
    """At most 160 letters, digits and plain signs on one line: no markup, no address, no control character.

    Empty for what is no text.
    """
    if not isinstance(rationale, str):
        return ""
    kept = "".join(c if c.isalnum() or c in _PLAIN else " " for c in rationale[: 4 * MOST_RATIONALE])
    line = " ".join(kept.split())
    return line if len(line) <= MOST_RATIONALE else f"{line[: MOST_RATIONALE - 1].rstrip()}…"


def _by_id(text: str) -> dict[str, _Told]:
    try:
        parts = msgspec.json.decode(text, type=_Readings).readings
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise Unreadable("the language model's answer is not what was asked for") from None
    found: list[_Told] = []
    for part in parts:
        try:
            found.append(msgspec.json.decode(part, type=_Told))
        except msgspec.DecodeError:
            continue
    times = Counter(told.id for told in found)
    return {told.id: told for told in found if times[told.id] == 1}


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= STEPS


def _right(entry: Entry, told: _Told | None) -> bool:
    if told is None or not _whole(told.reading) or not isinstance(told.sure, str):
        return False
    return read_rightly(entry, told.reading, told.sure)
