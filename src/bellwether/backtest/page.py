"""`report.html`: the figures in plain words and the pictures, in one file that needs nothing else."""

from collections.abc import Sequence
from html import escape

from bellwether.backtest.charts import COLOURS, Axes, Line, picture
from bellwether.backtest.figures import Figure
from bellwether.backtest.page_style import STYLE
from bellwether.backtest.report import Report
from bellwether.backtest.trading import compounded, drawdowns

HELD, HELD_COLOUR = "all assets held alike", COLOURS[2]
FEWEST_IN_MEAN = 20
"""Days before which a mean of daily rank correlations says nothing and would only stretch the picture."""


def page(report: Report) -> str:
    """The whole document."""
    sections = (
        _head(report),
        _verdict(report),
        _headline(report),
        _equity(report),
        _calibration(report),
        _ic(report),
        _agents(report),
        _weights(report),
        _drawdown(report),
        _unused(report),
        _method(report),
    )
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>Backtest</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _head(report: Report) -> str:
    days = "one trading day" if report.settings.horizon == 1 else f"{report.settings.horizon} trading days"
    period = f"{report.first} to {report.last}" if report.first else "no resolved forecast"
    return (
        "<h1>Backtest</h1>"
        f"<p class='lead'>{period}: {report.figures.n.value or 0:,.0f} forecasts over {days} ahead, "
        f"{report.assets} assets on {report.days} days, from {report.counts['items']:,} items.</p>"
    )


def _verdict(report: Report) -> str:
    figures = report.figures
    told = "There is an edge" if figures.edge == "positive" else "No edge"
    return (
        f"<div class='verdict {figures.edge}'><strong>{told}.</strong> "
        f"{escape(figures.edge_reason[:1].upper() + figures.edge_reason[1:])}.</div>"
    )


def _headline(report: Report) -> str:
    f, base = report.figures, report.figures.base_rate
    rows = (
        ("Accuracy", f.accuracy, True, base["majority_accuracy"], "how often the direction was right; beside "
         "it: always naming the commoner direction"),
        ("Over the majority", f.accuracy_over_majority, True, 0.0, "accuracy less that of the commoner "
         "direction; above 0 is better than following the drift"),
        ("Matthews' correlation", f.mcc, False, 0.0, "forecast against actual direction: 0 is chance, 1 "
         "perfect"),
        ("Rank correlation (IC)", f.ic, False, 0.0, "did assets with higher forecasts do better the same "
         "day? 0 is chance"),
        ("Brier score", f.brier, False, base["brier"], "mean squared error of the probabilities, lower is "
         "better; beside it: the assets' base rates alone"),
        ("Brier skill", f.brier_skill, True, 0.0, "how much of the base rates' error is gone; below 0 is "
         "worse"),
        ("Calibration error", f.ece, True, 0.0, "by how much stated probabilities miss what happened"),
    )  # fmt: skip
    body = "".join(
        f"<tr class='figure'><td>{name}</td><td>{_number(figure.value, percent)}</td>"
        f"<td class='range'>{_interval(figure, percent)}</td><td>{_number(compared, percent)}</td></tr>"
        f"<tr class='words'><td colspan='4'>{words[:1].upper()}{words[1:]}.</td></tr>"
        for name, figure, percent, compared, words in rows
    )
    return (
        "<h2>The figures</h2><p>Each with the range it lies in with 95 % confidence, found by drawing whole "
        "days again and again: forecasts of one day rise and fall together and are not so many "
        "observations.</p><div class='wide'><table><tr><th>Figure</th><th>Value</th><th>95 % range</th>"
        f"<th>To compare</th></tr>{body}</table></div>"
    )


def _equity(report: Report) -> str:
    days = report.trading.days
    at = [float(day.day.toordinal()) for day in days]
    lines = [
        Line("forecasts, after costs", _pairs(at, compounded([d.net for d in days]))),
        Line("forecasts, before costs", _pairs(at, compounded([d.gross for d in days])), dashed=True),
        Line(HELD, _pairs(at, compounded([d.benchmark for d in days])), colour=HELD_COLOUR),
    ]
    rows = "".join(
        f"<tr><td>{escape(s.name)}</td><td>{s.trades:,}</td><td>{_number(s.gross_return, True)}</td>"
        f"<td>{_number(s.costs, True)}</td><td>{_number(s.net_return, True)}</td>"
        f"<td>{_number(s.sharpe, False)}</td><td>{_number(s.deflated_sharpe, True)}</td>"
        f"<td>{_number(s.max_drawdown, True)}</td></tr>"
        for s in report.trading.strategies
    )
    held = report.trading.strategies[0] if report.trading.strategies else None
    beside = (
        f"<p>Holding all assets alike made {_number(held.benchmark_return, True)} with a Sharpe ratio of "
        f"{_number(held.benchmark_sharpe, False)}.</p>"
        if held
        else ""
    )
    return (
        "<h2>What trading on it would have made</h2><p>One unit of capital: assets bought or sold at the "
        "next open when their probability is away from their base rate, closed at the open after the "
        "horizon, each at full spread, commission, market impact and borrowing. Where nothing is traded, a "
        "position is held until something is; where an asset stops trading it is closed at the last price, "
        "and what is lost beyond that in a bankruptcy is not in these figures.</p>"
        + picture("Equity against the benchmark", lines, Axes(days=True, zero=1.0))
        + "<div class='wide'><table><tr><th>Configuration</th><th>Trades</th><th>Before costs</th>"
        "<th>Costs</th><th>After costs</th><th>Sharpe ratio</th><th>Deflated</th><th>Deepest fall</th></tr>"
        f"{rows}</table></div>{beside}{_over_benchmark(report)}"
        f"<p>{len(report.trading.strategies)} configurations were tried; without any skill the best of as "
        f"many would show a Sharpe ratio of {_number(report.trading.expected_best_sharpe, False)}. "
        "“Deflated” is the probability that a ratio is really above that (Bailey and López de Prado "
        "2014).</p>"
    )


def _over_benchmark(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(s.name)}</td><td>{_number(s.over_benchmark.value, True)}</td>"
        f"<td class='range'>{_interval(s.over_benchmark, True)}</td></tr>"
        for s in report.trading.strategies
    )
    return (
        "<p>After costs, and less what holding all assets made on the same days, a year:</p>"
        "<div class='wide'><table><tr><th>Configuration</th><th>Over holding</th><th>95 % range</th></tr>"
        f"{rows}</table></div>"
    )


def _calibration(report: Report) -> str:
    curve = report.figures.curve
    points = [(point.mean_p, point.frequency) for point in curve]
    ends = [point.mean_p for point in curve]
    lines = [
        Line("forecasts, in ten groups of equal size", points, dots=True),
        Line("perfect", [(min(ends), min(ends)), (max(ends), max(ends))] if ends else [], dashed=True),
    ]
    rows = "".join(
        f"<tr><td>{_number(point.mean_p, True)}</td><td>{_number(point.frequency, True)}</td>"
        f"<td>{point.n:,}</td></tr>"
        for point in curve
    )
    return (
        "<h2>Do the probabilities hold?</h2><p>Of all forecasts near 60 %, six in ten should have come true: "
        "the closer to the dashed line, the better.</p>"
        + picture("Calibration curve", lines, Axes(percent=True, x_percent=True))
        + "<div class='wide'><table><tr><th>Mean forecast</th><th>Went up</th><th>Forecasts</th></tr>"
        f"{rows}</table></div>"
    )


def _ic(report: Report) -> str:
    daily = report.figures.daily_ic
    at = [float(ic.day.toordinal()) for ic in daily]
    values = [ic.value for ic in daily]
    first = FEWEST_IN_MEAN - 1 if len(values) > 2 * FEWEST_IN_MEAN else 0
    lines = [
        Line("mean so far", _pairs(at, _running_mean(values))[first:]),
        Line("mean of the last 60 days", _pairs(at, _trailing_mean(values, 60))[first:]),
    ]
    return (
        "<h2>Ranking over time</h2><p>The day's rank correlation between forecasts and returns across "
        "assets, averaged. Around 0 the ranking says nothing.</p>"
        + picture("Information coefficient over time", lines, Axes(days=True, zero=0.0))
    )


def _agents(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(a.agent_id)}</td><td>{a.resolved:,}</td><td>{_number(a.hit_rate, True)}</td>"
        f"<td>{_number(a.brier, False)}</td><td>{_number(a.brier_skill, True)}</td>"
        f"<td>{_number(a.information_coefficient, False)}"
        f"{_plus_minus(a.information_coefficient_error)}</td><td>{_number(a.reliability, True)}</td></tr>"
        for a in report.agents
    )
    return (
        "<h2>The agents' track records</h2><p>Each agent's own forecasts against the base rates. The "
        "reliability is how much of an agent the fused forecast believed in the end.</p>"
        "<div class='wide'><table><tr><th>Agent</th><th>Forecasts</th><th>Right</th><th>Brier</th>"
        "<th>Brier skill</th><th>IC ± error</th><th>Reliability</th></tr>" + rows + "</table></div>"
    )


def _weights(report: Report) -> str:
    agents = sorted({agent for day in report.weights for agent in day.weights})
    lines = [
        Line(agent, [(float(d.day.toordinal()), d.weights.get(agent, 0.0)) for d in report.weights])
        for agent in agents
    ]
    return (
        "<h2>What the agents weighed</h2><p>Mean weight in a day's forecasts, from 0 (ignored) to 1. It "
        "grows with evidence and with the record learned from outcomes known by then.</p>"
        + picture("Agents' weights over time", lines, Axes(days=True, zero=0.0))
    )


def _drawdown(report: Report) -> str:
    days = report.trading.days
    at = [float(day.day.toordinal()) for day in days]
    lines = [
        Line(
            "forecasts, after costs", _pairs(at, [-v for v in drawdowns(compounded([d.net for d in days]))])
        ),
        Line(
            HELD,
            _pairs(at, [-v for v in drawdowns(compounded([d.benchmark for d in days]))]),
            colour=HELD_COLOUR,
        ),
    ]
    return "<h2>How deep it fell</h2><p>Distance below the highest value so far.</p>" + picture(
        "Drawdown", lines, Axes(days=True, percent=True, zero=0.0)
    )


def _unused(report: Report) -> str:
    words = {
        "items": "items read",
        "duplicates": "of them twice in the file, counted once",
        "rejected": "of them without words or with impossible times",
        "linked": "about a tracked asset",
        "copies": "of those repeating earlier words, counted as no new evidence",
        "signals": "signals made of them",
        "forecasts": "forecasts made",
        "abstained": "times no agent had anything to say",
        "missing_bars": "times an asset had no bar on a trading day",
        "ended_assets": "assets whose bars end before the period does",
        "no_entry_price": "forecasts without a price to enter at",
        "without_trade": "forecasts left out because nothing was traded on the day of entry",
        "late_exits": "positions held on because nothing was traded on the day of exit",
        "closed_at_last_price": "positions closed at the last price because the asset stopped trading",
        "open": "forecasts whose horizon is not over",
        "bars": "bars read",
        "bars_held_back": "rows of the price file that are no bar",
        "bars_without_trade": "bars without trade",
    }
    rows = "".join(
        f"<tr><td>{escape(words.get(name, name.replace('_', ' ')))}</td><td>{count:,}</td></tr>"
        for name, count in report.counts.items()
    )
    return f"<h2>What went in, and what was left out</h2><table>{rows}</table>"


def _method(report: Report) -> str:
    return (
        "<h2>How it was done</h2><p>Items were read in the order in which they became known. At the end of "
        "each trading day (midnight UTC) every asset got one forecast from what was known then; the agents "
        "learned each night from outcomes known by the midnight before. Returns run from the next open to "
        "the open after the horizon, adjusted for splits and dividends. "
        f"The ranges come from {report.settings.replicates:,} draws with seed {report.settings.seed}.</p>"
    )


def _pairs(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(xs, ys, strict=True))


def _running_mean(values: Sequence[float]) -> list[float]:
    total, means = 0.0, []
    for n, value in enumerate(values, start=1):
        total += value
        means.append(total / n)
    return means


def _trailing_mean(values: Sequence[float], days: int) -> list[float]:
    return [
        sum(window) / len(window)
        for window in (values[max(0, end - days) : end] for end in range(1, len(values) + 1))
    ]


def _number(value: float | None, percent: bool) -> str:
    if value is None:
        return "–"
    return f"{value * 100:.2f} %" if percent else f"{value:.4f}"


def _interval(figure: Figure, percent: bool) -> str:
    if figure.ci95 is None:
        return "–"
    low, high = (_number(end, percent) for end in figure.ci95)
    return f"{low.removesuffix(' %')} to {high}"


def _plus_minus(error: float | None) -> str:
    return "" if error is None else f" ± {error:.4f}"
