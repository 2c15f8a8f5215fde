"""Line and branch coverage of the investment core by the unit and contract tests, nothing deployed.

    uv run python benchmarks/coverage.py [--missing]

The contract tests run with the ports in memory alone; the target is for branches. `--missing` adds the lines
and branches of each file that is below it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = 95.0
PACKAGES = ("domain", "agents", "agents/text", "usecases")
COUNTS = ("covered_lines", "num_statements", "covered_branches", "num_branches")


def measured(data: Path) -> dict[str, Any]:
    """Runs the tests with branch coverage; the report by file. Raises `CalledProcessError` if one fails."""
    report = data / "coverage.json"
    tests = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--cov-branch"]
    tests += [f"--cov=src/bellwether/{name}" for name in ("domain", "agents", "usecases")]
    env = {**os.environ, "COVERAGE_FILE": str(data / "coverage")}
    subprocess.run([*tests, "tests/unit", "--cov-report="], cwd=ROOT, check=True, env=env)
    # `memory` is what the contract tests call the ports that need no engine.
    last = ["tests/contract", "-k", "memory", "--cov-append", f"--cov-report=json:{report}"]
    subprocess.run([*tests, *last], cwd=ROOT, check=True, env=env)
    files: dict[str, Any] = json.loads(report.read_text())["files"]
    return files


def package_of(file: str) -> str:
    """The package a file is counted in; `agents/text` is one of its own."""
    folder = Path(file).parent.as_posix().partition("bellwether/")[2]
    return max((name for name in PACKAGES if folder.startswith(name)), key=len)


def share(done: int, of: int) -> float:
    """Per cent; what has nothing to cover is covered."""
    return 100 * done / of if of else 100.0


def shares(summaries: Iterable[Mapping[str, int]]) -> tuple[float, float]:
    """Line and branch coverage of some files together, in per cent."""
    lines, all_lines, branches, all_branches = (
        sum(counts) for counts in zip(*([s[name] for name in COUNTS] for s in summaries), strict=True)
    )
    return share(lines, all_lines), share(branches, all_branches)


def main() -> int:
    """Prints a line for each package and each file below target; 1 when a package is."""
    parser = argparse.ArgumentParser(description="Coverage of the investment core")
    parser.add_argument("--missing", action="store_true", help="print lines and branches that are missed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = measured(Path(folder))
    by_package: dict[str, dict[str, Any]] = {name: {} for name in PACKAGES}
    for file, found in files.items():
        by_package[package_of(file)][file] = found
    print(f"\n{'package':38}{'lines':>8}{'branches':>10}{'target':>8}")
    good = True
    for package, members in by_package.items():
        lines, branches = shares(found["summary"] for found in members.values())
        good = good and branches >= TARGET
        print(f"bellwether/{package:27}{lines:7.1f}%{branches:9.1f}%{TARGET:7.0f}%")
        for file, found in sorted(members.items()):
            lines, branches = shares([found["summary"]])
            if branches < TARGET or lines < TARGET:
                print(f"  {file.partition('bellwether/')[2]:36}{lines:7.1f}%{branches:9.1f}%")
                if asked.missing:
                    print(f"    lines {found['missing_lines']}, branches {found['missing_branches']}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
