"""What becomes of forecasts: the desk's returns, and no position forgotten once it is opened."""

from datetime import date, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from bellwether.backtest.records import Counts, Prediction, Resolved
from bellwether.backtest.resolving import Waiting
from bellwether.domain.evaluation import ForwardReturn, forward_return
from bellwether.domain.prices import History, known_from
from tests.unit.backtest.history import market

LATER = timedelta(days=60)


def made(history: History, row: int) -> Prediction:
    day = history.dates[row]
    return Prediction(asset=history.symbol, day=day, as_of=known_from(day), p_up=0.6, base_rate=0.5, parts=())


def lived(history: History, rows: list[int], horizon: int = 1) -> tuple[dict[date, list[Resolved]], Counts]:
    """What is resolved at each midnight when forecasts are made at the ends of these rows' days."""
    waiting = Waiting(history, horizon, counts := Counts())
    found: dict[date, list[Resolved]] = {}
    today = history.dates[rows[0]]
    due = {history.dates[row]: row for row in rows}
    while today <= history.dates[-1] + LATER:
        if today in due:
            waiting.add(made(history, due[today]), due[today])
        today += timedelta(days=1)
        if resolved := list(waiting.resolved(today, lambda *_: None)):
            found[today] = resolved
    return found, counts


def cut(history: History, rows: int) -> History:
    columns = {name: getattr(history, name)[:rows] for name in History.__struct_fields__ if name != "symbol"}
    return replace(history, **columns)


@pytest.mark.parametrize("horizon", [1, 5])
def test_where_everything_is_traded_it_is_the_desk_s_return_at_the_desk_s_time(horizon: int) -> None:
    random = Random(horizon)
    whole = market(120)["BEACON"]
    rows = [row for row in range(120) if random.random() < 0.8]  # holidays
    columns = {
        name: [getattr(whole, name)[row] for row in rows]
        for name in History.__struct_fields__
        if name != "symbol"
    }
    history = replace(whole, **columns)
    found, _ = lived(history, list(range(60)), horizon)
    assert sum(map(len, found.values())) == 60
    for today, resolved in found.items():
        now = known_from(today - timedelta(days=1))
        for one in resolved:
            as_of = one.forecast.as_of
            assert forward_return(history, as_of, horizon, now=now) == ForwardReturn(
                one.entry, one.leave, one.value
            )
            assert forward_return(history, as_of, horizon, now=now - timedelta(days=1)) == "waiting"


def test_a_position_in_what_is_delisted_is_closed_at_the_last_price() -> None:
    """Bought at an open, the asset falls by nine tenths and is gone: the loss stays in the figures."""
    history = cut(market()["BEACON"], 50)
    closes = [*history.adj_close[:-1], history.adj_close[-1] / 10]
    history = replace(history, close=closes, adj_close=closes)
    found, counts = lived(history, [47, 48, 49])
    before, last = [one for resolved in found.values() for one in resolved]
    assert (last.entry, last.leave) == (history.dates[-1], history.dates[-1])
    assert last.value == pytest.approx(closes[-1] / history.open[-1] - 1)
    assert last.value < -0.8
    assert before.leave == history.dates[-1]
    assert (counts.closed_at_last_price, counts.no_entry_price) == (1, 1)
    assert min(found) <= history.dates[-1] + timedelta(days=1) < max(found)


def test_what_cannot_be_sold_is_held_until_it_can() -> None:
    history = market()["BEACON"]
    history = replace(history, volume=[0.0 if 31 < row < 35 else 1e6 for row in range(330)])
    found, counts = lived(history, [30])
    ((today, (one,)),) = found.items()
    assert (one.entry, one.leave) == (history.dates[31], history.dates[35])
    assert today == history.dates[35] + timedelta(days=1)
    assert one.value == pytest.approx(history.open[35] / history.open[31] - 1)
    assert counts.late_exits == 1


def test_what_cannot_be_bought_is_not() -> None:
    history = market()["BEACON"]
    history = replace(history, volume=[0.0 if row == 31 else 1e6 for row in range(330)])
    found, counts = lived(history, [30])
    assert (found, counts.without_trade) == ({}, 1)


def test_a_split_is_no_return() -> None:
    """Two shares for one: every price halves, the adjusted closes do not notice."""
    history = market()["BEACON"]

    def halved(values: list[float]) -> list[float]:
        return [value / 2 if row > 30 else value for row, value in enumerate(values)]

    split = replace(history, open=halved(history.open), close=halved(history.close))
    for row in (28, 29, 30, 31):
        ((one,),) = lived(history, [row])[0].values()
        ((other,),) = lived(split, [row])[0].values()
        assert other.value == pytest.approx(one.value)
