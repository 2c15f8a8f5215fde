"""What becomes of forecasts: the desk's returns, and no position forgotten once it is opened."""

from datetime import date, timedelta
from random import Random

import numpy as np
import pytest
from msgspec.structs import replace

from bellwether.backtest.course import Course
from bellwether.backtest.forecasts import Forecasts, Made
from bellwether.backtest.records import Counts
from bellwether.backtest.resolving import EqualWeight, endings
from bellwether.domain.evaluation import ForwardReturn, equal_weight, forward_return
from bellwether.domain.prices import History, known_from
from tests.unit.backtest.history import Over, market, one_by_one

LATER = timedelta(days=60)


def of_row(history: History, row: int) -> Forecasts:
    """One forecast of one asset, nobody's."""
    one, nobody = np.array([0.5]), np.empty((0, 1))
    return Forecasts(
        assets=[history.symbol],
        agents=[],
        day=np.array([history.dates[row].toordinal()]),
        asset=np.array([0]),
        row=np.array([row]),
        p_up=one,
        base_rate=one,
        agent_p_up=nobody,
        agent_version=np.empty((0, 1), np.int64),
        weight=nobody,
        raw=nobody,
        moved=nobody,
    )


def lived(history: History, rows: list[int], horizon: int = 1) -> tuple[dict[date, list[Over]], Counts]:
    """What is resolved at each midnight when forecasts are made at the ends of these rows' days."""
    made, benchmark = Made([history.symbol], [], len(rows)), EqualWeight({history.symbol: history})
    course = Course(made, endings(history, horizon), benchmark, counts := Counts())
    found: dict[date, list[Over]] = {}
    today = history.dates[rows[0]]
    due = {history.dates[row]: row for row in rows}
    while today <= history.dates[-1] + LATER:
        if today in due:
            course.add(of_row(history, due[today]))
        today += timedelta(days=1)
        if over := one_by_one(course.known(today)):
            found[today] = over
    assert len(course.resolved()) + len(course.unused()) == len(rows)
    assert len(course.left()) == 0
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


def test_the_benchmark_is_the_desk_s() -> None:
    """Assets without both bars are left out; of one alone there is no mean."""
    histories = market(40)
    histories["HARBOR"] = cut(histories["HARBOR"], 20)
    for name in ("LANTERN", "QUAYSIDE"):
        histories[name] = cut(histories[name], 30)
    expected, found = equal_weight(histories), EqualWeight(histories)
    dates = histories["BEACON"].dates
    pairs = [(dates[entry], dates[leave]) for entry in range(0, 38, 3) for leave in range(entry, 40, 4)]
    values = found(*np.array([[day.toordinal() for day in pair] for pair in pairs]).T)
    wanted = [expected(*pair) for pair in pairs]
    assert None in wanted
    assert [None if np.isnan(value) else value for value in values] == pytest.approx(wanted, abs=1e-15)


def test_a_pause_longer_than_patience_is_no_way_in_but_a_way_out() -> None:
    """Each forecast waits for its own entry: one that is still held over the pause lets no other in later."""
    history = market(60)["BEACON"]
    rows = [row for row in range(60) if not 32 <= row < 44]  # bars stop for more than two weeks
    columns = {
        name: [getattr(history, name)[row] for row in rows]
        for name in History.__struct_fields__
        if name != "symbol"
    }
    paused = replace(history, **columns)
    found, counts = lived(paused, [29, 30, 31, 32], horizon=5)
    entered = [one for over in found.values() for one in over]
    assert [one.entry for one in entered] == [paused.dates[30], paused.dates[31], paused.dates[33]]
    assert [one.leave for one in entered] == [paused.dates[35], paused.dates[36], paused.dates[38]]
    assert (counts.no_entry_price, counts.late_exits) == (1, 0)
