"""The report's files: all of them at once or none."""

import shutil
import tempfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from bellwether.backtest.forecasts import Outcomes
from bellwether.backtest.page import page
from bellwether.backtest.report import Report

JSON, PARQUET, HTML = "report.json", "forecasts.parquet", "report.html"
FILES = (JSON, PARQUET, HTML)
_EPOCH = date(1970, 1, 1).toordinal()
_MICROSECONDS_A_DAY = 24 * 60 * 60 * 1_000_000


def write(out: Path, report: Report, resolved: Outcomes) -> list[Path]:
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


def _write_forecasts(path: Path, resolved: Outcomes) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = resolved.forecasts
    n = len(resolved)
    # a forecast is made at the midnight that ends its day
    as_of = (made.day + 1 - _EPOCH) * _MICROSECONDS_A_DAY
    columns: dict[str, Any] = {
        "asset": pa.DictionaryArray.from_arrays(
            pa.array(made.asset, pa.int32()), list(made.assets) or [""]
        ).cast(pa.string()),
        "as_of": pa.array(as_of, pa.int64()).cast(pa.timestamp("us", "UTC")),
        "p_up": pa.array(made.p_up),
        "base_rate": pa.array(made.base_rate),
        "entry_date": pa.array(resolved.entry - _EPOCH, pa.int32()).cast(pa.date32()),
        "exit_date": pa.array(resolved.leave - _EPOCH, pa.int32()).cast(pa.date32()),
        "raw_return": pa.array(resolved.value),
        "benchmark_return": pa.array(resolved.benchmark, from_pandas=True),
        "went_up": pa.array(resolved.went_up),
    }
    for row, agent in enumerate(made.agents):
        silent = ~made.spoke[row]
        if n and not silent.all():
            columns[f"{agent}_p_up"] = pa.array(made.agent_p_up[row], mask=silent)
            columns[f"{agent}_weight"] = pa.array(made.weight[row], mask=silent)
            columns[f"{agent}_version"] = pa.array(made.agent_version[row], pa.int32(), mask=silent)
    pq.write_table(pa.table(columns), path, compression="zstd")
