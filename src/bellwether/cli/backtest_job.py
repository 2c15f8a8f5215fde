"""A backtest whose files lie in the lake: fetched, replayed, and the report put under `backtests/`.

    python -m bellwether.cli.backtest_job ITEMS PRICES COMPANIES NAME [OPTION …]

What a batch container runs. ITEMS, PRICES and COMPANIES are keys of the bucket `LAKE_BUCKET` (`-` for no
companies, several items and prices separated by commas), the options those of `bellwether backtest`, and the
report's files end in `backtests/NAME/`.
"""

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bellwether.cli.failures import WrongUse
from bellwether.usecases.ports import Lake

TYPES = {".html": "text/html", ".json": "application/json", ".parquet": "application/vnd.apache.parquet"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def fetched(lake: Lake, keys: str, folder: Path) -> list[str]:
    """Paths of the files that were objects of the lake, in order. Raises `WrongUse` for a key without one."""
    paths = []
    for number, key in enumerate(part.strip() for part in keys.split(",") if part.strip()):
        content = lake.get(key)
        if content is None:
            raise WrongUse(f"the lake has no object {key}")
        path = folder / f"{number}-{Path(key).name}"
        path.write_bytes(content)
        paths.append(str(path))
    return paths


def arguments(lake: Lake, told: Sequence[str], folder: Path, out: Path) -> list[str]:
    """The command line of `bellwether backtest` that a job stands for."""
    items, prices, companies, _, *options = told
    given: list[str] = []
    for option, keys in (("--items", items), ("--prices", prices), ("--companies", companies)):
        if keys != "-":
            place = folder / option.strip("-")
            place.mkdir()
            given += [part for path in fetched(lake, keys, place) for part in (option, path)]
    return ["backtest", *given, "--out", str(out), *options]


def store(lake: Lake, out: Path, name: str) -> list[str]:
    """Puts a report's files into the lake; gives their keys."""
    keys = []
    for path in sorted(out.iterdir()):
        key = f"backtests/{name}/{path.name}"
        lake.put(key, path.read_bytes(), TYPES.get(path.suffix, "application/octet-stream"))
        keys.append(key)
    return keys


def run(lake: Lake, told: Sequence[str]) -> list[str]:
    """Does a job; gives the keys of the report. Raises `WrongUse`, or `SystemExit` of a failed replay."""
    from bellwether.cli.main import app

    if len(told) < 4 or not _NAME.fullmatch(told[3]):
        raise WrongUse("a job has ITEMS PRICES COMPANIES NAME, and its name is of letters, digits, . _ and -")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "out"
        try:
            app(arguments(lake, told, folder, out))
        except SystemExit as done:
            if done.code:
                raise
        return store(lake, out, told[3])


def main_of_job() -> None:
    """The container's program."""
    from bellwether.adapters.composition import Composition

    keys = run(Composition().lake(os.environ["LAKE_BUCKET"]), sys.argv[1:])
    print("\n".join(keys))


if __name__ == "__main__":
    main_of_job()
