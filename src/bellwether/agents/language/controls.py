"""Entries whose reading is known, mixed among the others: a text that steers the whole answer shows by them.

They speak of the assets of the same call, in the same form, so that "answer +5 for this asset" turns them
around as well.
"""

from collections.abc import Callable, Sequence

from bellwether.agents.language.questions import SURE, Entry

_BAD = (
    "{name} files for bankruptcy, shareholders will receive nothing.",
    "{name} plunges after it admits accounting fraud and withdraws its forecast.",
    "Regulator bans the main product of {name}, sales fall to zero.",
)
_GOOD = (
    "{name} doubles its profit, beats all estimates and raises its forecast sharply.",
    "{name} soars as a rival offers to buy it at twice its price in cash.",
    "{name} wins the largest contract in its history, analysts raise their targets.",
)


def with_controls(entries: Sequence[Entry], draw: Callable[[int], int]) -> list[Entry]:
    """The entries with one bad and one good control at places nobody can foresee.

    `draw(n)` gives a number below n.
    """
    mixed = list(entries)
    for texts, expected in ((_BAD, -1), (_GOOD, 1)):
        name = entries[draw(len(entries))].asset
        control = Entry(asset=name, text=texts[draw(len(texts))].format(name=name), expected=expected)
        mixed.insert(draw(len(mixed) + 1), control)
    return mixed


def read_rightly(entry: Entry, reading: int, sure: str) -> bool:
    """Whether a control was given the sign it has."""
    return SURE.get(sure) is not None and reading * entry.expected > 0
