"""Comparisons of two amounts: `1.2 mn from 0.9 mn` says "more" only to someone who can read numbers."""

import re

from bellwether.agents.text.composition import FALL, RESULT, RISE

_AMOUNT = (
    r"(?:(?:eur|usd|gbp|sek|nok|dkk|inr|chf|rs\.?|rm)\s?)?[$€£¥]?(\d[\d,]*(?:\.\d+)?)\s?"
    r"(%|percent|per cent|mn|mln|bn|m|b|k|million|billion|thousand|crores?|cr|lakhs?|cents?|p|c)?"
)
_FILLER = (
    r"(?:\s(?:a|an|the|about|around|some|net|operating|pretax|pre-tax|loss(?:es)?|profits?|income|sales|of|only"
    r"|consensus|estimates?|expected|est\.?|prior|previous|year-ago|last|years?|year's)){0,6}\s"
)
_BEFORE = (
    rf"\b(?:from|vs\.?|versus|against|(?:as\s)?compared\s(?:with|to)|in\scomparison\s(?:with|to)){_FILLER}"
)
_NOW_AND_THEN = re.compile(
    rf"(?<![\w.,]){_AMOUNT}(?P<then>[^\d;]{{0,40}}?{_BEFORE}|\s?\((?:vs\.?\s)?){_AMOUNT}(?!\w)"
)
_IN_BRACKETS = re.compile(rf"\((?:vs\.?\s)?{_AMOUNT}").search
_THEN_AND_NOW = re.compile(rf"\bfrom\s{_AMOUNT}(?:\s[a-z]+){{0,3}}?\sto\s{_AMOUNT}(?!\w)")
_SWING = re.compile(
    r"\b(?P<is>profit|income|earnings|loss)\b(?P<between>[^;!?]{0,60}?)"
    r"(?P<then>\b(?:against|versus|vs\.?|compared (?:with|to)|from)\s[^;!?\d]{0,30}?)"
    r"\b(?P<was>loss|profit|income)\b"
)
_YEAR = re.compile(r"(?:19|20)\d\d").fullmatch
_TWO_NUMBERS = re.compile(r"\d\D.*\d", re.DOTALL).search

_UNITS = (
    {"k": 1e3, "thousand": 1e3}
    | dict.fromkeys(("lakh", "lakhs"), 1e5)
    | dict.fromkeys(("m", "mn", "mln", "million"), 1e6)
    | dict.fromkeys(("crore", "crores", "cr"), 1e7)
    | dict.fromkeys(("b", "bn", "billion"), 1e9)
)
_SHARES = frozenset({"%", "percent", "per cent"})


def compare(folded: str) -> str:
    """`folded` with the direction written into comparisons of two amounts (`0.9 mn falls from 1.2 mn`), and
    of a profit with a loss.

    `from X to Y` reads forward, `Y from X`, `Y against X`, `Y (X)` backward; a share is not compared with an
    amount.
    """
    if not (
        " from " in folded
        or " vs" in folded
        or "compar" in folded
        or " (" in folded
        or " against " in folded
        or " versus " in folded
    ):
        return folded
    if "loss" in folded or "profit" in folded or "income" in folded:
        folded = _SWING.sub(_swung, folded)
    if not (_TWO_NUMBERS(folded) and _names_two(folded)):
        return folded
    return _THEN_AND_NOW.sub(_forward, _NOW_AND_THEN.sub(_backward, folded))


def _names_two(folded: str) -> bool:
    """Whether what stands between two amounts that are compared is there at all, told without the amounts."""
    return (
        "from" in folded
        or "vs" in folded
        or "against" in folded
        or "versus" in folded
        or "compar" in folded
        or _IN_BRACKETS(folded) is not None
    )


def _swung(match: re.Match[str]) -> str:
    gained, was_loss = match["is"] != "loss", match["was"] == "loss"
    if gained != was_loss:
        return match[0]
    return f"{RESULT}{match['between']} {RISE if gained else FALL} {match['then']} year"


def _worth(amount: str, unit: str | None, other: str | None) -> float:
    return float(amount.replace(",", "")) * _UNITS.get(unit or other or "", 1.0)


def _direction(now: float, then: float) -> str:
    if now == then:
        return ""
    return f" {RISE} " if now > then else f" {FALL} "


def _backward(match: re.Match[str]) -> str:
    now, unit, _, then, other = match.groups()
    if (unit in _SHARES) != (other in _SHARES) or _YEAR(now + (unit or "")) or _YEAR(then + (other or "")):
        return match[0]
    at = match.start("then") - match.start()
    direction = _direction(_worth(now, unit, other), _worth(then, other, unit))
    return f"{match[0][:at]}{direction}{match[0][at:]}"


def _forward(match: re.Match[str]) -> str:
    then, unit, now, other = match.groups()
    if _YEAR(now + (other or "")):
        return match[0]
    return _direction(_worth(now, other, unit), _worth(then, unit, other)) + match[0]
