"""OpenMetrics 1.0 text (https://prometheus.io/docs/specs/om/open_metrics_spec/) of counters and gauges."""

import re
from collections.abc import Iterable, Mapping

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PREFIX = "bellwether_"

_SERIES = re.compile(r"(?P<name>[^{]+)(?:\{(?P<labels>.*)\})?", re.DOTALL)
_LABEL = re.compile(
    r'\s*(?P<name>[a-zA-Z_]\w*)\s*=\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*(?:,|$)', re.DOTALL | re.ASCII
)
_NOT_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_UNESCAPED = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}

Labels = tuple[tuple[str, str], ...]


def read_series(key: str) -> tuple[str, Labels] | None:
    """Name and labels of a counter's key (`name{label="value",…}`); `None` when it is not one."""
    told = _SERIES.fullmatch(key)
    if told is None:
        return None
    labels: dict[str, str] = {}
    rest, at = told["labels"] or "", 0
    while at < len(rest):
        found = _LABEL.match(rest, at)
        if found is None:
            return None
        labels[found["name"]] = re.sub(r"\\.", lambda m: _UNESCAPED.get(m[0], m[0]), found["value"])
        at = found.end()
    return told["name"], tuple(sorted(labels.items()))


def family_name(name: str) -> str:
    """The name of a counter's family: ours by prefix, of allowed characters, without `_total`."""
    clean = _NOT_NAME.sub("_", name.strip()).removesuffix("_total").strip("_")
    return clean if clean.startswith(PREFIX) else PREFIX + clean


def exposition(
    counters: Mapping[str, float],
    gauges: Mapping[str, Iterable[tuple[Labels, float]]],
    help_of: Mapping[str, str],
) -> str:
    """The whole text. Counters are keyed as `Counts` keys them, gauges by family name; families in order."""
    families: dict[str, dict[Labels, float]] = {}
    for key, value in counters.items():
        series = read_series(key)
        # a counter cannot be negative, and one that is no number cannot be told
        if series is None or not 0 <= value < float("inf") or family_name(series[0]) in gauges:
            continue
        family = families.setdefault(family_name(series[0]), {})
        family[series[1]] = family.get(series[1], 0.0) + value
    lines: list[str] = []
    for name in sorted(families):
        lines += _head(name, "counter", help_of)
        lines += [f"{name}_total{_labels(of)} {_number(v)}" for of, v in sorted(families[name].items())]
    for name in sorted(gauges):
        lines += _head(name, "gauge", help_of)
        lines += [f"{name}{_labels(of)} {_number(v)}" for of, v in gauges[name]]
    return "\n".join([*lines, "# EOF\n"])


def _head(name: str, kind: str, help_of: Mapping[str, str]) -> list[str]:
    described = help_of.get(name)
    return [f"# TYPE {name} {kind}"] + ([f"# HELP {name} {_escaped(described)}"] if described else [])


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
