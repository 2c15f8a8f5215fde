"""Rule expressions of composite alarms: states of alarms, joined by AND, OR and NOT.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Mapping

from tests.alarms.evaluation import State

_STATES: Mapping[str, State] = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}
_TOKEN = re.compile(
    r'\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"?(?P<alarm>[^")]+)"?\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE'
    r"|\(|\)))"
)


class Malformed(ValueError):
    """No rule expression."""


def holds(rule: str, states: Mapping[str, State]) -> bool:
    """Whether the rule is true; alarms by what stands in the rule, name or ARN. Raises `Malformed`, and
    `KeyError` for an alarm nobody knows.
    """
    tokens = list(_tokens(rule))
    value, rest = _either(tokens, states)
    if rest:
        raise Malformed(rule)
    return value


def _tokens(rule: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, rule.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise Malformed(rule)
        found.append((token["word"] or token["state"], token["alarm"] or ""))
        at = token.end()
    return found


Tokens = list[tuple[str, str]]


def _either(tokens: Tokens, states: Mapping[str, State]) -> tuple[bool, Tokens]:
    value, rest = _all(tokens, states)
    while rest and rest[0][0] == "OR":
        right, rest = _all(rest[1:], states)
        value = value or right
    return value, rest


def _all(tokens: Tokens, states: Mapping[str, State]) -> tuple[bool, Tokens]:
    value, rest = _one(tokens, states)
    while rest and rest[0][0] == "AND":
        right, rest = _one(rest[1:], states)
        value = value and right
    return value, rest


def _one(tokens: Tokens, states: Mapping[str, State]) -> tuple[bool, Tokens]:
    if not tokens:
        raise Malformed("the rule ends early")
    (word, alarm), rest = tokens[0], tokens[1:]
    if word == "NOT":
        value, rest = _one(rest, states)
        return not value, rest
    if word == "(":
        value, rest = _either(rest, states)
        if not rest or rest[0][0] != ")":
            raise Malformed("a bracket is not closed")
        return value, rest[1:]
    if word in ("TRUE", "FALSE"):
        return word == "TRUE", rest
    if word not in _STATES:
        raise Malformed(f"{word} out of place")
    return states[alarm] == _STATES[word], rest
