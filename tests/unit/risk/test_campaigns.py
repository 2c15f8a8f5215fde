"""Campaigns of young accounts: found by who repeats, counted once, and denied by name."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from bellwether.agents.copies import sketch_of
from bellwether.domain.accounts import is_young
from bellwether.domain.campaigns import Burst, RepeatedText, burst, repeated_text
from bellwether.domain.concentration import concentration
from bellwether.domain.conduct_checks import campaign
from bellwether.domain.day_sums import fold
from bellwether.domain.evidence import gather
from bellwether.domain.limits import RiskLimits
from bellwether.domain.risk import check_order
from bellwether.domain.signals import Signal, day_before
from bellwether.domain.state import AssetDay
from tests.unit.fusion.signals_made import DAY, START, signal
from tests.unit.risk.test_checks import buy, check_of
from tests.unit.trading import score, situation

pytestmark = pytest.mark.req("A6")

RUMOUR = "Beacon will be bought out next week at a large premium say people at the bank"
ENDINGS = ("", " wow", " !!!", " #stocks", " http://t.co/x", " $HARBOR", " RT")
LIMITS = RiskLimits()


def state(signals: Iterable[Signal], earlier: AssetDay | None = None, day: str = DAY) -> AssetDay:
    return fold(AssetDay(asset="BEACON", day=day), signals, earlier=earlier)[0]


def pushed(count: int, *, young: int, minute: float = 600.0, text: str = RUMOUR) -> list[Signal]:
    """`count` accounts that say the same in slightly other words, a tenth of a minute apart."""
    return [
        signal(
            minute + n / 10,
            sketch=sketch_of(text + ENDINGS[n % len(ENDINGS)]),
            young_author=n < young,
            p_up=0.9,
        )
        for n in range(count)
    ]


def own(n: int) -> str:
    """A number in letters: words that hold it are words of their own."""
    return str(n).translate(str.maketrans("0123456789", "klmnopqrst"))


def calm(count: int) -> list[Signal]:
    """Ordinary posts through the day, each of its own words."""
    return [
        signal(n, sketch=sketch_of(f"alpha{own(n)} beta{own(n)} gamma{own(n)} delta{own(n)}"), p_up=0.5)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("engagement", "young"),
    [
        ({"author_age_days": 29.9}, True),
        ({"author_age_days": 30.0}, False),
        ({"author_age_days": 400.0, "author_followers": 0.0}, False),
        ({"author_followers": 9.0}, True),
        ({"author_followers": 10.0}, False),
        ({"likes": 3.0}, False),
    ],
)
def test_young_is_by_age_else_by_followers(engagement: dict[str, float], young: bool) -> None:
    assert is_young(engagement) is young


def test_one_text_of_many_young_accounts_is_found_with_what_it_was() -> None:
    found = repeated_text([state([*calm(60), *pushed(200, young=180)])], START + timedelta(hours=20))
    assert found is not None
    assert found.items == 200
    assert 130 <= found.accounts <= 200
    assert found.young_share == pytest.approx(0.9)
    assert found.hours == pytest.approx(19.9 / 60, abs=1e-3)
    assert found.last == START + timedelta(minutes=619.9)
    assert found.item_id == pushed(1, young=0)[0].item_ids[0]
    told = campaign(concentration([state(pushed(200, young=180))], START + timedelta(hours=20)), LIMITS)
    assert told is not None
    assert "90% of them young" in told[1]
    assert found.item_id in told[1]


def test_a_campaign_moves_the_score_as_little_as_one_post() -> None:
    as_of = START + timedelta(hours=20)
    one = gather([state(pushed(1, young=1))], "sentiment", as_of)
    many = gather([state(pushed(300, young=300))], "sentiment", as_of)
    assert many.mass == pytest.approx(one.mass)
    assert (many.signals, many.clusters) == (300, 1)


def test_one_grown_account_that_repeats_the_text_too_hides_no_campaign() -> None:
    loud = [structs.replace(one, author="loud") for one in pushed(110, young=0, minute=700)]
    found = repeated_text([state([*pushed(100, young=100), *loud])], START + timedelta(hours=20))
    assert found is not None
    assert found.items == 210
    assert found.young_share > 0.95
    busy = state([*calm(300), *pushed(100, young=100), *loud])
    assert campaign(concentration([busy], START + timedelta(hours=20)), LIMITS) is not None


def test_one_young_account_that_repeats_a_headline_makes_no_campaign_of_it() -> None:
    loud = [
        structs.replace(one, author="loud", young_author=True) for one in pushed(110, young=0, minute=700)
    ]
    found = repeated_text([state([*pushed(60, young=0), *loud])], START + timedelta(hours=20))
    assert found is not None
    assert found.young_share < 0.1


def test_a_headline_that_grown_accounts_repeat_is_no_campaign() -> None:
    day = state([*calm(60), *pushed(200, young=30)])
    assert campaign(concentration([day], START + timedelta(hours=20)), LIMITS) is None


@pytest.mark.parametrize(("accounts", "found"), [(17, False), (26, True)])
def test_a_handful_is_no_campaign(accounts: int, found: bool) -> None:
    day = state([*calm(60), *pushed(accounts, young=accounts)])
    assert (campaign(concentration([day], START + timedelta(hours=20)), LIMITS) is not None) is found


def test_a_campaign_that_crosses_midnight_is_one() -> None:
    first = state(pushed(15, young=15, minute=1_435), day=DAY)
    second = state(
        [structs.replace(s, author=f"other {s.author}") for s in pushed(15, young=15, minute=1_441)],
        earlier=first,
        day="20261121",
    )
    assert day_before("20261121") == DAY
    found = repeated_text([first, second], START + timedelta(hours=30))
    assert found is not None
    assert (found.items, found.young_share) == (30, 1.0)
    assert found.accounts >= 20
    assert found.hours == pytest.approx(7.4 / 60, abs=1e-3)
    assert gather([second], "sentiment", START + timedelta(hours=30)).mass == 0.0


def test_a_campaign_is_forgotten_after_three_days() -> None:
    day = state(pushed(60, young=60))
    last = START + timedelta(minutes=605.9)
    assert repeated_text([day], last + timedelta(hours=72)) is not None
    assert repeated_text([day], last + timedelta(hours=72, minutes=1)) is None
    assert repeated_text([], START) is None


def rephrased(
    count: int, *, young: bool, minute: float = 600.0, word: str = "w", **fields: Any
) -> list[Signal]:
    """Accounts that all say something of their own."""
    return [
        signal(
            minute + n,
            young_author=young,
            sketch=sketch_of(" ".join(f"{word}{part}{own(n)}" for part in ("one", "two", "three", "four"))),
            p_up=0.9,
            **fields,
        )
        for n in range(count)
    ]


def test_young_accounts_that_rephrase_share_one_voice() -> None:
    """Their k-th text of the day adds 1/k between them: the harmonic number of 100 is 5.187."""
    _, weighed = fold(AssetDay(asset="BEACON", day=DAY), rephrased(100, young=True))
    assert sum(made.evidence for made in weighed) == pytest.approx(sum(1 / k for k in range(1, 101)))
    _, grown = fold(AssetDay(asset="BEACON", day=DAY), rephrased(100, young=False))
    assert sum(made.evidence for made in grown) == 100


def test_young_accounts_that_speak_up_together_are_found_by_their_hours() -> None:
    day = state([*rephrased(40, young=True, minute=610), *rephrased(10, young=False, minute=700, word="v")])
    found = burst([day], START + timedelta(hours=20))
    assert found is not None
    assert (found.start, found.texts, found.young_share) == (START + timedelta(hours=10), 50, 40 / 50)
    assert found.young_accounts == pytest.approx(40, abs=6)
    assert campaign(concentration([day], START + timedelta(hours=20)), LIMITS) is not None
    assert burst([day], START + timedelta(hours=10 + 72)) is not None
    assert burst([day], START + timedelta(hours=10 + 72, minutes=1)) is None
    assert burst([state(rephrased(40, young=False))], START + timedelta(hours=20)) is None


def talking(accounts: int, texts: int) -> list[Signal]:
    """Young accounts that say `texts` things of their own each, in turns."""
    made = rephrased(accounts * texts, young=True, word="y")
    return [structs.replace(one, author=f"talks-{n % accounts}") for n, one in enumerate(made)]


def test_saying_several_things_each_does_not_make_a_campaign_smaller() -> None:
    """What counts of the hours is the share of texts, not how many accounts stand against how many texts."""
    authors = [f"grown-{n % 3}" for n in range(60)]
    others = [
        structs.replace(one, author=author)
        for one, author in zip(rephrased(60, young=False, minute=500), authors, strict=True)
    ]
    found = burst([state([*others, *talking(22, 3)])], START + timedelta(hours=20))
    assert found is not None
    assert found.young_share == 1.0
    assert found.young_accounts == pytest.approx(22, abs=3)
    told = campaign(concentration([state(talking(30, 3))], START + timedelta(hours=20)), LIMITS)
    assert told is not None


def test_a_few_talkative_young_accounts_are_few_on_a_busy_day_too() -> None:
    """More authors than a day's counts hold: who was counted before is not forgotten."""
    day = state([*rephrased(250, young=False, minute=0, word="busy"), *talking(15, 4)])
    found = burst([day], START + timedelta(hours=20))
    assert found is not None
    assert found.young_accounts <= 17
    assert campaign(concentration([day], START + timedelta(hours=20)), LIMITS) is None


def test_a_young_account_that_speaks_on_both_sides_of_midnight_is_one() -> None:
    first = state(rephrased(30, young=True, minute=1_400, author="loud"))
    second = state(rephrased(30, young=True, minute=1_441, word="v", author="loud"), day="20261121")
    found = burst([first, second], START + timedelta(hours=26))
    assert found is not None
    assert (found.texts, found.young_accounts) == (60, 1)


def test_a_day_stored_without_young_accounts_has_no_burst() -> None:
    day = structs.replace(state(rephrased(40, young=True)), young_by_hour=(), young_accounts_by_hour=())
    assert burst([day], START + timedelta(hours=20)) is None
    again, _ = fold(day, rephrased(1, young=True, minute=700, word="v"))
    found = burst([again], START + timedelta(hours=20))
    assert found is not None
    assert found.young_accounts == 1


def test_one_young_account_that_talks_all_day_is_one_account() -> None:
    found = burst([state(rephrased(40, young=True, author="loud"))], START + timedelta(hours=20))
    assert found is not None
    assert found.young_accounts == 1


def test_shares_fade_with_their_days() -> None:
    """Yesterday's ten quiet items count half of today's: 10 young of 10 + 10/2."""
    today = state([signal(n, young_author=True) for n in range(10)], day="20261121")
    yesterday = state([signal(n) for n in range(10)])
    found = concentration([yesterday, today], START + timedelta(hours=30))
    assert found.young_author_share == pytest.approx(10 / 15)
    assert (found.items, found.authors) == (20, 10)


def told(**spread: Any) -> tuple[str, float | None, float | None, str]:
    shares = structs.replace(score().concentration, **spread)
    check = check_of(check_order(buy(), situation(), score=score(concentration=shares)), "MANIPULATION")
    return check.outcome, check.observed, check.limit, check.detail


def text(accounts: int, share: float) -> RepeatedText:
    return RepeatedText(
        item_id="x-1", items=accounts, accounts=accounts, young_share=share, hours=1.0, last=START
    )


def test_the_check_denies_a_campaign_with_its_accounts_and_the_limit() -> None:
    assert told(repeated_text=text(63, 0.97))[:3] == ("deny", 63.0, 20.0)
    assert told(repeated_text=text(39, 0.52))[:3] == ("deny", 39.0, 20.0)
    assert told(repeated_text=text(38, 0.52))[0] == "pass"
    assert told(repeated_text=text(500, 0.5))[0] == "pass"
    hours = Burst(start=START, texts=30, young_accounts=20, young_share=0.66)
    assert told(burst=hours)[:3] == ("deny", 20.0, 20.0)
    assert "20 young or hardly followed accounts" in told(burst=hours)[3]
    assert told(burst=structs.replace(hours, young_accounts=19))[0] == "pass"


def test_a_pushed_asset_may_still_be_left() -> None:
    """Holding 50 shares, a sale of 80 is cut to the 50 that leave the position; a purchase is denied."""
    where = situation(positions={"ACME": 50})
    shares = structs.replace(score().concentration, repeated_text=text(63, 0.97))
    alone = structs.replace(score().concentration, young_author_share=0.9)
    for spread in (shares, alone):
        sale = check_of(
            check_order(buy(80, side="sell"), where, score=score(concentration=spread)), "MANIPULATION"
        )
        bought = check_of(check_order(buy(5), where, score=score(concentration=spread)), "MANIPULATION")
        whole = check_of(
            check_order(buy(50, side="sell"), where, score=score(concentration=spread)), "MANIPULATION"
        )
        assert (sale.outcome, whole.outcome, bought.outcome) == ("clamp", "pass", "deny")
        assert {sale.unit, bought.unit} == {"accounts" if spread is shares else "share of items"}


def test_attention_is_of_grown_accounts() -> None:
    day = state([*rephrased(40, young=True), *rephrased(10, young=False, minute=700, word="v")])
    assert sum(day.mentions_by_hour) == 50
    assert sum(day.grown_by_hour) == 10
    assert structs.replace(day, young_by_hour=()).grown_by_hour == day.mentions_by_hour
