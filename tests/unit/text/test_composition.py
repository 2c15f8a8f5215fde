"""What is rewritten before it is read: moving burdens, negations, and comparisons of amounts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.agents.text import SentimentModel
from bellwether.agents.text.amounts import compare
from bellwether.agents.text.composition import BLANK, FALL, RISE, rewrite
from bellwether.agents.text.lexicon import CLASS_OF
from bellwether.agents.text.tokens import fold, tokenise

MODEL = SentimentModel.load()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("losses narrow", "profit rises"),
        ("lower costs help", "profit rises help"),
        ("cut its loss, sales fall", "profit its rises , sales fall"),
        ("jobless benefits claims jump", "jobless benefits profit falls"),
        ("costs and sales rise", "costs and sales rise"),
        ("costs of the sales drop", "costs of the sales drop"),
        ("a bad loans pile grows", "a ~ profit pile falls"),
        ("loans grow at no cost", "loans grow at ~ rises"),
        ("not profitable yet", "~ falls yet"),
        ("does not expect sales", "does ~ expect falls"),
        ("no word, good or bad", "no word , good or bad"),
        ("it is not that simple a thing to say at all", "it is not that simple a thing to say at all"),
        ("will not affect its earnings, up", "will ~ affect its ~ , up"),
        ("no impact on profit", "~ impact on ~"),
        ("shares fall less than feared", "shares rises ~ than expected"),
        ("less than ten", "less than ten"),
        ("up, less than ten", "up , less than ten"),
        ("one of seven people say less than ten", "one of seven people say less than ten"),
        ("less optimistic", "~ falls"),
        ("fails to recover", "fails to falls"),
        ("fails again", "fails again"),
        ("feared dead", "feared dead"),
        ("not as bad as feared", "~ as rises as expected"),
        ("will lay off 20", "will layoffs ~ 00"),
        ("off the record", "off the record"),
    ],
)
def test_words_are_rewritten(text: str, written: str) -> None:
    assert " ".join(rewrite(tokenise(text))) == written


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("to eur 13 mn from eur 8.7 mn", RISE),
        ("to eur 8.7 mn from eur 13 mn", FALL),
        ("eps $0.91 vs $1.05 est", FALL),
        ("revenue of $1,200 million vs. $1.1 billion", RISE),
        ("eps came to eur 0.62 (eur 0.44)", RISE),
        ("went from $1.1 bn to $1.6 bn", RISE),
        ("went from 31% to 24%", FALL),
        ("a profit of eur 2 mn, against a loss", RISE),
        ("a loss of eur 2 mn compared with a profit", FALL),
    ],
)
def test_amounts_are_compared(text: str, direction: str) -> None:
    added = set(tokenise(compare(text))) - set(tokenise(text))
    assert added & {RISE, FALL} == {direction}


@pytest.mark.parametrize(
    "text",
    [
        "from 2007 to 2009",
        "up in 2009 from eur 5 mn",
        "5% compared to eur 1",
        "3 mn from 3 mn",
        "a loss against a loss",
        "away from home",
        "40% (eur 3 mn)",
        "a note (page 3)",
    ],
)
def test_what_is_no_comparison_stays(text: str) -> None:
    assert tokenise(compare(text)) == tokenise(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(sorted(CLASS_OF)), max_size=30))
def test_rewriting_keeps_the_number_of_words(tokens: list[str]) -> None:
    before = list(tokens)
    written = rewrite(tokens)
    assert tokens == before
    assert len(written) == len(tokens)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789,.%() fromtvsmnbk€$", max_size=60))
def test_comparing_only_adds_words(text: str) -> None:
    folded = fold(text)
    kept = compare(folded).replace(RISE, " ").replace(FALL, " ").split()
    assert "".join(kept) == "".join(folded.split())


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Losses narrow at the brewer", "positive"),
        ("Losses widen at the brewer", "negative"),
        ("Net loss narrowed to EUR 3.1 mn from EUR 6.0 mn", "positive"),
        ("Net loss widened to EUR 6.1 mn from EUR 3.0 mn", "negative"),
        ("EPS of $1.30 vs $1.10 expected", "positive"),
        ("EPS of $1.10 vs $1.30 expected", "negative"),
        ("Shares drop less than feared", "positive"),
        ("Inflation eases", "positive"),
        ("The ruling will not affect the company's earnings", "neutral"),
    ],
)
def test_composition_is_read(text: str, label: str) -> None:
    assert MODEL.read(text).label == label


def test_what_is_rewritten_is_explained_by_words_of_the_text() -> None:
    text = "Shares fall less than feared, losses narrow"
    words = MODEL.explain(text, limit=20)
    assert BLANK not in {word.word for word in words}
    assert all(text[word.start : word.end] == word.word for word in words)
    assert {"less", "narrow"} <= {word.word for word in words}


@pytest.mark.parametrize(
    ("text", "entity", "label"),
    [
        ("Losses narrow at Kvaerner", "Kvaerner", "positive"),
        ("Profit rises at Kvaerner, Wartsila slumps", "Kvaerner", "positive"),
        ("Profit rises at Kvaerner, Wartsila slumps", "Wartsila", "negative"),
        ("Profit falls at Kvaerner", "Kvaerner", "negative"),
    ],
)
def test_what_happens_at_a_company_is_its_own(text: str, entity: str, label: str) -> None:
    assert MODEL.read(text, entity).label == label
