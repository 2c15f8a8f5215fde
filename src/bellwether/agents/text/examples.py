"""The examples the sentiment text model learns from: two MIT-licensed sets and readings derived from them."""

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec

LABELS = ("negative", "neutral", "positive")

JUXTAPOSED = 6000
"""Pairs of titles joined into one."""

_URL = re.compile(r"https?://\S+")
_CASHTAG = re.compile(r"\$[A-Za-z]+")
_SEARCH_AND_REPLACE = (("neutral", "Hold"), ("negative", "sell"), ("positive", "buy"))

_JOINTS = ("; ", ", ", " while ", " as ", " but ", ", and ", " | ")
_LONGEST_JOINED = 70


class Example(msgspec.Struct, frozen=True):
    """One labelled text; `label` indexes `LABELS`, `group` keeps copies of one title in one fold."""

    text: str
    entity: str | None
    label: int
    group: str


class DataError(ValueError):
    """A training file lacks a column or holds a label outside negative, neutral, positive."""


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            raise DataError(f"{path.name}: no column {', '.join(missing)}; found {reader.fieldnames}")
        return list(reader)


def _label(value: str, path: Path) -> int:
    if value not in LABELS:
        raise DataError(f"{path.name}: label {value!r} is not one of {', '.join(LABELS)}")
    return LABELS.index(value)


def _entity_as_in(title: str, entity: str) -> str:
    # the published file went through a search-and-replace of labels ("Holdings" became "neutralings")
    for wrong, right in _SEARCH_AND_REPLACE:
        repaired = entity.replace(wrong, right)
        if entity.lower() not in title.lower() and repaired.lower() in title.lower():
            return repaired
    return entity


def read_sentfin(path: Path) -> list[Example]:
    """Rows of `title, entity, sentiment`."""
    return [
        Example(
            row["title"],
            _entity_as_in(row["title"], row["entity"].strip()),
            _label(row["sentiment"], path),
            row["title"],
        )
        for row in _rows(path, ("title", "entity", "sentiment"))
    ]


def read_tfns(path: Path) -> list[Example]:
    """Rows of `text, sentiment`; texts that differ only in their links form one group."""
    return [
        Example(row["text"], None, _label(row["sentiment"], path), _URL.sub("", row["text"]).lower().strip())
        for row in _rows(path, ("text", "sentiment"))
    ]


def whole_titles(sentfin: Sequence[Example]) -> list[Example]:
    """Titles all of whose entities share one label, as texts without an entity."""
    labels: dict[str, set[int]] = defaultdict(set)
    for example in sentfin:
        labels[example.text].add(example.label)
    return [
        Example(title, None, next(iter(found)), title) for title, found in labels.items() if len(found) == 1
    ]


def single_cashtags(tfns: Sequence[Example]) -> list[Example]:
    """Posts that name exactly one cashtag, as texts about it."""
    return [
        Example(example.text, tags[0], example.label, example.group)
        for example in tfns
        if len(tags := _CASHTAG.findall(example.text)) == 1
    ]


def juxtaposed(sentfin: Sequence[Example], folds: Any, seed: int) -> tuple[list[Example], Any]:
    """Two titles of one fold joined into one, read for the entity of each: with every example, and its fold.

    It teaches that words beyond a joint speak of someone else; few real titles show it.
    """
    import numpy as np

    random = Random(seed)  # noqa: S311 - a reproducible sample, no secret
    pool: dict[int, list[Example]] = defaultdict(list)
    for example, fold in zip(sentfin, folds.tolist(), strict=True):
        if example.entity and len(example.text) <= _LONGEST_JOINED and example.entity in example.text:
            pool[fold].append(example)
    examples, places = [], []
    for fold in random.choices(sorted(pool), k=JUXTAPOSED):
        one, two = random.choice(pool[fold]), random.choice(pool[fold])
        if (one.entity or "") in two.text or (two.entity or "") in one.text:
            continue
        text = one.text + random.choice(_JOINTS) + two.text
        examples += [Example(text, part.entity, part.label, part.group) for part in (one, two)]
        places += [fold, fold]
    return examples, np.array(places, np.int64)


def conflicting(sentfin: Sequence[Example]) -> Any:
    """Which rows belong to titles whose entities have different labels; a boolean array."""
    import numpy as np

    labels: dict[str, set[int]] = defaultdict(set)
    for example in sentfin:
        labels[example.text].add(example.label)
    return np.array([len(labels[example.text]) > 1 for example in sentfin])
