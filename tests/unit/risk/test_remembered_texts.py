"""Which texts a day keeps when there is no more room: those many accounts repeated leave last."""

import pytest

from bellwether.agents.copies import sketch_of
from bellwether.domain.seen_texts import KEPT_ACCOUNTS, MOST_TEXTS, SeenTexts, account_bit

pytestmark = pytest.mark.req("A6")


def own(n: int) -> str:
    """A number in letters."""
    return str(n).translate(str.maketrans("0123456789", "klmnopqrst"))


def sketch(name: str) -> bytes:
    made = sketch_of(" ".join(f"{part}{name}" for part in ("alpha", "beta", "gamma", "delta", "epsilon")))
    assert made is not None
    return made


def say(texts: SeenTexts, name: str, hour: float, *, author: str) -> None:
    texts.see(item_id=name, sketch=sketch(name), author=author, young=False, copy=False, hour=hour)


def accounts_of_their_own(count: int) -> list[str]:
    """Authors that do not share a bit."""
    found: dict[int, str] = {}
    for n in range(1_000):
        found.setdefault(account_bit(f"a{n}"), f"a{n}")
    return list(found.values())[:count]


@pytest.mark.parametrize(("accounts", "kept"), [(KEPT_ACCOUNTS, True), (KEPT_ACCOUNTS - 1, False)])
def test_a_text_of_eight_accounts_outlives_newer_ones(accounts: int, kept: bool) -> None:
    texts = SeenTexts(())
    for author in accounts_of_their_own(accounts):
        say(texts, "campaign", 1.0, author=author)
    for n in range(MOST_TEXTS + 5):
        say(texts, own(n), 2.0 + n / 100, author="ann")
    names = {text.item_id for text in texts.record()}
    assert len(names) == MOST_TEXTS
    assert ("campaign" in names) is kept


def test_of_texts_hardly_repeated_the_oldest_leaves_however_often_it_was_said() -> None:
    """Seven accounts against two: below eight they count alike."""
    texts = SeenTexts(())
    seven = accounts_of_their_own(7)
    for author in seven:
        say(texts, "older", 1.0, author=author)
    for author in seven[:2]:
        say(texts, "newer", 1.5, author=author)
    for n in range(MOST_TEXTS - 1):
        say(texts, own(n), 2.0 + n / 100, author="ann")
    names = {text.item_id for text in texts.record()}
    assert "older" not in names
    assert "newer" in names


def test_an_account_is_one_of_sixty_four_bits() -> None:
    bits = {account_bit(f"a{n}") for n in range(2_000)}
    assert bits == {1 << n for n in range(64)}
