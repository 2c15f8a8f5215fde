"""The part of a text that a language model is shown, without what people cannot see."""

import hashlib
import re
from collections.abc import Iterable

from bellwether.agents.readings import Mention
from bellwether.domain.items import normalised_words

MOST_CHARACTERS = 1_200
"""Of one text. What a post says of an asset stands near its name, and every character is paid for."""
BEFORE_THE_NAME = 400

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PERSON = re.compile(r"@\w+")
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:above|previous|prior|earlier|all|any|every|rules?|"
    r"instructions?|texts?)\b"
    r"|\binstructions?\b|\bsystem (?:prompt|message)\b|\bprompts?\b|\byou are (?:now|an?)\b|\bas an ai\b"
    r"|\b(?:assistant|developer|system|user)\s*:|</?\w+>|```|\bjson\b|\boutput\b|\brespond\b|\breadings?\b"
    r"|\b(?:answer|reply|return|rate|score|mark|set)\b.{0,30}(?:[+-]\s?\d|\b(?:every|all|each|other|everything)\b)"
    r'|"\s*:\s*|[{}\[\]]\s*[{}\[\]"]|\bids?\b\s*[:=]',
    re.IGNORECASE | re.DOTALL,
)


def excerpt(mention: Mention) -> str:
    """At most 1,200 visible characters around where the asset is named, on one line.

    Control, format and private characters go: zero-width letters, changes of direction and Unicode's tag
    letters carry orders that no reader sees. Links and the names of people (`@name`) go as well: they say
    nothing of a price, and are nobody else's business.
    """
    first = max(0, mention.start - BEFORE_THE_NAME)
    window = mention.text[first : first + 2 * MOST_CHARACTERS]
    told = _PERSON.sub("@someone", _LINK.sub(" ", "".join(visible(window))))
    return " ".join(told.split())[:MOST_CHARACTERS]


def visible(text: str) -> Iterable[str]:
    """Its characters, a space in the place of each that is not seen."""
    return (letter if letter.isprintable() else " " for letter in text)


def says_more_than_the_name(mention: Mention) -> bool:
    """Whether there is a letter outside the name."""
    return any(map(str.isalpha, mention.text[: mention.start] + mention.text[mention.end :]))


def gives_orders(text: str) -> bool:
    """Whether a text reads as if it spoke to a machine. It finds the clumsy ones; see
    docs/decisions/language-model-agent.md for what holds against the others."""
    return _ORDERS.search(text) is not None


def content_key(model: str, version: int, mention: Mention, shown: str) -> str:
    """What a reading is kept under: model, version of the questions, asset and normalised words."""
    asset = mention.asset
    words = normalised_words(shown) or shown
    told = "\x00".join((model, str(version), asset.symbol, asset.name, words))
    return hashlib.sha256(told.encode(errors="replace")).hexdigest()
