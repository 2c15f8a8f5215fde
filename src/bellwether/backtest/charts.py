"""Line pictures as inline SVG: no script, no font, no colour from anywhere else."""

import math
from collections.abc import Sequence
from datetime import date
from html import escape

from msgspec import Struct
from msgspec.structs import replace

WIDTH, HEIGHT = 760, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 28
COLOURS = ("#1f5fa8", "#b4550d", "#2d7a46", "#7a3b8f", "#8a6d00", "#555555")
MOST_POINTS = 700


class Line(Struct, frozen=True):
    """A named series of (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False
    dots: bool = False
    colour: str | None = None


class Axes(Struct, frozen=True, kw_only=True):
    """How a picture's axes are written. `days` says that x counts days (ordinals)."""

    percent: bool = False
    x_percent: bool = False
    days: bool = False
    zero: float | None = None


def picture(title: str, lines: Sequence[Line], axes: Axes) -> str:
    """One picture with its legend; a sentence where there is nothing to draw."""
    drawn = [
        replace(line, points=_thinned(line.points), colour=line.colour or COLOURS[n % len(COLOURS)])
        for n, line in enumerate(line for line in lines if line.points)
    ]
    points = [point for line in drawn for point in line.points]
    if not points:
        return f"<p class='nothing'>{escape(title)}: nothing to draw.</p>"
    scale = _Scale(points, axes)
    parts = [
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{escape(title, quote=True)}'>",
        f"<title>{escape(title)}</title>",
        *_grid(scale, axes),
        *(_series(line, scale) for line in drawn),
        "</svg>",
        _legend(drawn),
    ]
    return "\n".join(parts)


class _Scale:
    """From figures to places on the picture."""

    def __init__(self, points: Sequence[tuple[float, float]], axes: Axes) -> None:
        xs = [x for x, _ in points]
        ys = [y for _, y in points] + ([axes.zero] if axes.zero is not None else [])
        self.x_low, self.x_high = _apart(min(xs), max(xs))
        self.ticks = _ticks(*_apart(min(ys), max(ys)))
        self.y_low, self.y_high = self.ticks[0], self.ticks[-1]

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + (self.y_high - value) / (self.y_high - self.y_low) * (HEIGHT - _TOP - _BOTTOM)


def _apart(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high - low > 1e-12 else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """Round figures that span the range: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _grid(scale: _Scale, axes: Axes) -> list[str]:
    parts = []
    for tick in scale.ticks:
        y = scale.y(tick)
        kind = "zero" if axes.zero is not None and abs(tick - axes.zero) < 1e-12 else "grid"
        parts.append(f"<line class='{kind}' x1='{_LEFT}' x2='{WIDTH - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}'/>")
        told = _shown(tick, axes.percent)
        parts.append(f"<text x='{_LEFT - 6}' y='{y + 4:.1f}' text-anchor='end'>{told}</text>")
    for number in range(5):
        value = scale.x_low + (scale.x_high - scale.x_low) * number / 4
        anchor = ("start", "middle", "middle", "middle", "end")[number]
        told = date.fromordinal(round(value)).isoformat() if axes.days else _shown(value, axes.x_percent)
        # where the page is narrow, every other one is left out
        between = " class='between'" if number % 2 else ""
        place = f"x='{scale.x(value):.1f}' y='{HEIGHT - 8}'"
        parts.append(f"<text{between} {place} text-anchor='{anchor}'>{told}</text>")
    return parts


def _shown(value: float, percent: bool) -> str:
    value = 0.0 if abs(value) < 1e-12 else value
    return f"{value * 100:.4g} %" if percent else f"{value:.4g}"


def _series(line: Line, scale: _Scale) -> str:
    colour = line.colour
    places = [(scale.x(x), scale.y(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dash = " stroke-dasharray='5 4'" if line.dashed else ""
    drawn = f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='1.6'{dash}/>"
    if line.dots or len(places) == 1:
        drawn += "".join(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>" for x, y in places)
    return drawn


def _legend(lines: Sequence[Line]) -> str:
    entries = [
        f"<span><i style='border-top:3px {'dashed' if line.dashed else 'solid'} {line.colour}'></i>"
        f"{escape(line.name)}</span>"
        for line in lines
    ]
    return f"<p class='legend'>{''.join(entries)}</p>"


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most some 700 points, the first and the last among them."""
    if len(points) <= MOST_POINTS:
        return points
    step = -(-len(points) // MOST_POINTS)
    kept = list(points[::step])
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]
