"""How long a stage takes to synthesize, offline, from the command a user types.

    uv run python benchmarks/synth.py [--json]

Each stage twice: the first time may have to build the layer of locked dependencies (which needs the package
index, or what is cached of it), the second finds it. The target is at most 30 s a stage for the second. Wall
and processor time: on a machine with other work the latter is the one to compare.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STAGES = ("local", "staging", "production")
TARGET = 30.0


def synthesized(stage: str) -> dict[str, Any]:
    """Seconds of one `bellwether synth`, its children included, without credentials or an engine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", "synth", stage, "--json"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"bellwether synth {stage}: exit {done.returncode}\n{done.stderr}")
    (told,) = json.loads(done.stdout)["stages"]
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "stage": stage,
        "stacks": len(told["stacks"]),
        "layer": told["layer"],
        "wall_seconds": round(wall, 1),
        "processor_seconds": round(processor, 1),
    }


def main() -> int:
    """Prints a table or one JSON document; 1 when a stage took longer than the target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    found = [{**synthesized(stage), "run": run} for run in ("first", "again") for stage in STAGES]
    slow = [one for one in found if one["run"] == "again" and one["wall_seconds"] > TARGET]
    if as_json:
        print(json.dumps({"target_seconds": TARGET, "runs": found}))
    else:
        for one in found:
            print(
                f"{one['run']:<6} {one['stage']:<11} {one['stacks']} stacks, layer {one['layer']}: "
                f"{one['wall_seconds']:5.1f} s, {one['processor_seconds']:5.1f} s of processor time"
            )
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
