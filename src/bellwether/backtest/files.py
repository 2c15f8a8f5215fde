"""The report's files: all of them at once or none."""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bellwether.backtest.page import page
from bellwether.backtest.records import Resolved
from bellwether.backtest.report import Report

JSON, PARQUET, HTML = "report.json", "forecasts.parquet", "report.html"
FILES = (JSON, PARQUET, HTML)


def write(out: Path, report: Report, resolved: Sequence[Resolved]) -> list[Path]:
    """Writes the files into a folder within `out`, then moves them to their places complete.

    Interrupted while it writes, it leaves `out` as it was.
    """
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".backtest-", dir=out))
    try:
        document = msgspec.json.format(msgspec.json.encode(report.document()), indent=2)
        (made / JSON).write_bytes(document + b"\n")
        (made / HTML).write_text(page(report), encoding="utf-8")
        _write_forecasts(made / PARQUET, resolved)
        return _moved(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        for folder in missing:
            with suppress(OSError):  # it is not empty: the report is there
                folder.rmdir()


def _moved(made: Path, out: Path) -> list[Path]:
    """Moves the files, all of them: once the first is in its place, an interruption has to wait."""
    left = list(FILES)
    try:
        while left:
            (made / left[0]).replace(out / left.pop(0))
    except KeyboardInterrupt:
        for name in left:
            (made / name).replace(out / name)
        raise
    return [out / name for name in FILES]


def _write_forecasts(path: Path, resolved: Sequence[Resolved]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    agents = sorted({part.agent_id for outcome in resolved for part in outcome.forecast.parts})
    ordered = sorted(resolved, key=lambda outcome: (outcome.forecast.as_of, outcome.forecast.asset))
    forecasts = [outcome.forecast for outcome in ordered]
    columns: dict[str, Any] = {
        "asset": pa.array([f.asset for f in forecasts], pa.string()),
        "as_of": pa.array([f.as_of for f in forecasts], pa.timestamp("us", "UTC")),
        "p_up": pa.array([f.p_up for f in forecasts], pa.float64()),
        "base_rate": pa.array([f.base_rate for f in forecasts], pa.float64()),
        "entry_date": pa.array([o.entry for o in ordered], pa.date32()),
        "exit_date": pa.array([o.leave for o in ordered], pa.date32()),
        "raw_return": pa.array([o.value for o in ordered], pa.float64()),
        "benchmark_return": pa.array([o.benchmark for o in ordered], pa.float64()),
        "went_up": pa.array([o.went_up for o in ordered], pa.bool_()),
    }
    by_agent = [{part.agent_id: part for part in f.parts} for f in forecasts]
    for agent in agents:
        parts = [parts_of.get(agent) for parts_of in by_agent]
        columns[f"{agent}_p_up"] = pa.array([p.p_up if p else None for p in parts], pa.float64())
        columns[f"{agent}_weight"] = pa.array([p.weight if p else None for p in parts], pa.float64())
        columns[f"{agent}_version"] = pa.array([p.version if p else None for p in parts], pa.int32())
    pq.write_table(pa.table(columns), path, compression="zstd")
