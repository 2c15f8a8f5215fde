"""Composition of sense, written by hand: what a linear model over words cannot add up by itself.

"Losses narrow" is good news made of two words that are bad news elsewhere. Before a text is read, the few
constructions below are rewritten into plain words with the same sense (`losses narrow` becomes
`profit rises`), so that the model judges them by words it has seen often. The rules come from general
knowledge of financial English, not from a data set.
"""

from collections.abc import Callable, Mapping

from bellwether.agents.text.lexicon import CLASS_OF, CLAUSE_BREAKS, word_list

RISE, FALL, RESULT, BLANK = "rises", "falls", "profit", "~"
"""What the rewriting writes: plain words of the lexicon, and one token that says nothing."""

TURNING = frozenset({"burden", "not", "turn"})
"""Word classes in whose presence `rewrite` may change something."""

_SOUR = word_list("sour")
_SOURED = word_list("soured")
_BURDENS = word_list("burden") - word_list("ambiguous burden")
_SHRINK = (word_list("down") | word_list("shrinking")) - word_list("widening")
_SWELL = (word_list("up") | word_list("widening")) - word_list("shrinking")
_STOPS = (CLAUSE_BREAKS | word_list("gain") | word_list("negation")) - frozenset({"net", "operating"})
_ENDS = CLAUSE_BREAKS - frozenset({"as"})
_ATTAIN, _IMPACT = word_list("attain"), word_list("impact")

_OPPOSITE = {"up": FALL, "down": RISE, "good": FALL, "bad": RISE, "gain": FALL, "burden": RISE}
_NOUNS = frozenset({"gain", "burden"})
_REACH, _FAR_REACH = 4, 9
"""Words between a burden and what moves it, and between it and a repeated direction."""


def rewrite(tokens: list[str]) -> list[str]:
    """`tokens` with burdens that move, and negated words, replaced by words of the resulting sense.

    The number of tokens and their places stay.
    """
    tokens = list(tokens)
    done: set[int] = set()
    for at, token in enumerate(tokens):
        if at not in done and (token in _BURDENS or (token in _SOURED and _is_sour(tokens, at))):
            _move(tokens, at, done)
    for at, token in enumerate(tokens):
        if turn := _TURNS.get(token):
            turn(tokens, at)
    return tokens


def _is_sour(tokens: list[str], at: int) -> bool:
    return at > 0 and tokens[at - 1] in _SOUR


def _moves(token: str) -> str:
    if token in _SHRINK:
        return RISE
    return FALL if token in _SWELL else ""


def _reachable(tokens: list[str], at: int, step: int, reach: int) -> list[int]:
    places = []
    for place in range(at + step, at + step * (reach + 1), step):
        if not 0 <= place < len(tokens) or tokens[place] in _STOPS:
            break
        places.append(place)
    return places


def _move(tokens: list[str], at: int, done: set[int]) -> None:
    """`losses narrow`, `cut its loss`, `lower costs`: the burden first, then every word that moves it."""
    for step in (1, -1):
        places = _reachable(tokens, at, step, _FAR_REACH)
        moving = [place for place in places if place not in done and _moves(tokens[place])]
        if not moving or abs(moving[0] - at) > _REACH:
            continue
        direction = _moves(tokens[moving[0]])
        for place in moving:
            tokens[place] = _moves(tokens[place])
        if _is_sour(tokens, at):
            tokens[at - 1] = BLANK
        # two burdens in a row ("jobless claims") move together
        alike = [place for place in places if place < moving[0] and tokens[place] in _BURDENS]
        for place in (at, *alike):
            tokens[place] = RESULT
        if step < 0:
            tokens[moving[0]], tokens[at] = RESULT, direction
        done.update(moving, alike)
        return


def _negate(tokens: list[str], at: int, reach: int = 6) -> None:
    """Turns the first word with a direction after the negation; an absent impact says nothing at all."""
    noun = -1
    for place in range(at + 1, min(len(tokens), at + 1 + reach)):
        token = tokens[place]
        if token in _ENDS:
            break
        if token in _IMPACT:
            _blank(tokens, at)
            return
        kind = "up" if token in _ATTAIN else CLASS_OF.get(token, "")
        if kind in _NOUNS:
            noun = place if noun < 0 else noun
        elif kind in _OPPOSITE:
            tokens[at], tokens[place] = BLANK, _OPPOSITE[kind]
            return
    if noun >= 0:
        tokens[at], tokens[noun] = BLANK, _OPPOSITE[CLASS_OF[tokens[noun]]]


def _blank(tokens: list[str], at: int) -> None:
    for place in range(at, len(tokens)):
        if tokens[place] in CLAUSE_BREAKS and tokens[place] != "on":
            return
        if place == at or CLASS_OF.get(tokens[place]) in _OPPOSITE:
            tokens[place] = BLANK


def _less(tokens: list[str], at: int) -> None:
    """`falls less than`: turns the direction before it; `less bad`: the adjective after it."""
    if tokens[at + 1 : at + 2] != ["than"]:
        _negate(tokens, at, 1)
        return
    for place in range(at - 1, max(-1, at - 5), -1):
        kind = CLASS_OF.get(tokens[place], "")
        if tokens[place] in CLAUSE_BREAKS:
            return
        if kind in _OPPOSITE and kind not in _NOUNS:
            tokens[at], tokens[place] = BLANK, _OPPOSITE[kind]
            return


def _fail(tokens: list[str], at: int) -> None:
    if tokens[at + 1 : at + 2] == ["to"]:
        _negate(tokens, at, 4)
        tokens[at] = "fails"


def _standard(tokens: list[str], at: int) -> None:
    """`than feared`, `as bad as feared`: a standard of comparison, not news."""
    if not {"than", "as"}.isdisjoint(tokens[max(0, at - 3) : at]):
        tokens[at] = "expected"


def _off(tokens: list[str], at: int) -> None:
    """`lay off`: one word."""
    if at and tokens[at - 1] in ("lay", "lays", "laid", "laying"):
        tokens[at - 1], tokens[at] = "layoffs", BLANK


_TURNS: Mapping[str, Callable[[list[str], int], None]] = (
    dict.fromkeys(word_list("negation"), _negate)
    | dict.fromkeys(word_list("failing"), _fail)
    | dict.fromkeys(word_list("standard"), _standard)
    | {"less": _less, "off": _off}
)
