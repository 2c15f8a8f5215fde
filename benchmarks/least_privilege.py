"""What each function may do against what it did, over a run of everything the desk can do.

    uv run python -m benchmarks.least_privilege [--out docs/reports/least-privilege.md]

Starts a desk of its own in a temporary home, with an engine that evaluates every role's policies and
remembers the calls, makes it do everything once (`tests/desk/exercise.py`), and writes the report. Ends with
1 when a call was denied, a right is idle without a reason, or a reason excuses nothing.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bellwether.desk.tools import REQUIREMENTS
from tests.conftest import free_port
from tests.desk.conftest import ROOT, Desk, run_command
from tests.desk.exercise import Exercise
from tests.desk.least_privilege import compared, report

OUT = ROOT / "docs" / "reports" / "least-privilege.md"
HEADER = """# Least privilege, measured

{date}. Made by `uv run python -m benchmarks.least_privilege` at commit {commit}, on {engine}, Python
{python}.

Inputs: the roles of the deployed local stage, whose policies come from the same table as production's
(`infrastructure/functions.py`), and the calls the engine evaluated against them while everything the desk
does was done once: ingestion, workers, scores, proposals, risk, decisions, evaluation, stream, sockets, an
API key, every scheduled function, fetches, and messages that fail. `tests/desk/test_least_privilege.py` holds
the same in every run of the tests: no call is denied, no right is idle without a reason, no reason is without
a right.

What this engine does not ask, and AWS does, is not measured here: the use of keys by the services, what
Lambda does with a function's role by itself (logs, queues, streams, failed runs), and trust between services.
Those rights are listed with their reasons; the templates' own tests and scanners look at them.

"""


def main() -> int:
    """Runs and writes; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=OUT)
    out: Path = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        started = run_command(home, "up", "--detach", "--json", "--port", str(free_port()))
        if started.returncode:
            raise SystemExit(started.stderr)
        try:
            desk = Desk(home=home, up=json.loads(started.stdout))
            Exercise(desk, Path(folder)).run()
            found = compared(desk)
            text = header() + report(desk, found) + "\n"
        finally:
            run_command(home, "down")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    print(f"{len(found.used)} rights used, {len(found.excused)} excused, {len(found.idle)} idle; {out}")
    return 1 if found.denied or found.idle or found.dead else 0


def header() -> str:
    """Date, command and inputs."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    lines = REQUIREMENTS.read_text().splitlines()
    return HEADER.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=commit or "unknown",
        engine=next(line.split()[0] for line in lines if line.startswith("ministack")),
        python=platform.python_version(),
    )


if __name__ == "__main__":
    sys.exit(main())
