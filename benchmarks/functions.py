"""Peak memory and processor time of each function with its largest allowed input, against its configuration.

    uv run python -m benchmarks.functions [--home DIR] [--record]

Uses the desk that runs in --home, or starts one of its own. Fills it (500 assets with two years of bars, a
portfolio of 100 positions, 2,500 items of 9,000 characters), then runs each handler as Lambda's runtime does:
a process of its own (Python 3.13, the functions' locked dependencies), the function's environment, the module
loaded, the parts made, one event after the other. Its peak is the process's high-water mark, its time the
processor time of the slowest call: the machine may be busy with other things. `--record` writes
`functions.csv`, which a test holds the functions' table to; the rule is in `infrastructure/measurements.py`.

Not measured: what a provider's answer costs beyond one 5 MB feed, and waiting for services.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import function_inputs as inputs
from benchmarks.cold_start import interpreter
from infrastructure.functions import FUNCTIONS
from infrastructure.measurements import RECORDED, Measurement

ROOT = Path(__file__).resolve().parents[1]
CHILD = """
import json, sys, time, importlib
sys.path.insert(0, SOURCE)
told = json.load(sys.stdin)
if told["trusted"]:
    import functools
    from bellwether.handlers import fetching
    fetching.GuardedHttp = functools.partial(fetching.GuardedHttp, trusted=set(told["trusted"]))
if told["prices"]:
    from urllib.parse import urlsplit
    from bellwether.adapters.providers.guarded_http import GuardedHttp
    from bellwether.handlers import fetch_prices
    class OneHost(GuardedHttp):
        def get(self, url, headers=None):
            parts = urlsplit(url)
            return super().get(f"{told['prices']}{parts.path}?{parts.query}", headers)
    fetch_prices.price_http = lambda: OneHost(trusted={urlsplit(told["prices"]).netloc})
class Context:
    aws_request_id = "measured"
    def get_remaining_time_in_millis(self):
        return 800_000
began = time.process_time()
handler = importlib.import_module("bellwether.handlers." + told["function"]).handler
loaded = time.process_time() - began
answers, took = [], []
for event in told["events"]:
    began = time.process_time()
    try:
        answers.append(handler(event, Context()))
    except Exception as fault:
        answers.append({"raised": type(fault).__name__, "text": str(fault)[:200]})
    took.append(time.process_time() - began)
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
peak = int(status["VmHWM"].split()[0]) / 1024
print("\\n" + json.dumps({"peak": peak, "load": loaded, "took": took, "answers": answers}))
"""


def called(desk: inputs.Desk, python: Path, function: str, events: list[Any], **more: Any) -> dict[str, Any]:
    """What a process measured that ran the handler over events."""
    told = json.dumps(
        {
            "function": function,
            "events": events,
            "trusted": more.get("trusted", []),
            "prices": more.get("prices"),
        }
    )
    done = subprocess.run(
        [str(python), "-I", "-c", CHILD.replace("SOURCE", repr(str(ROOT / "src")))],
        input=told,
        env=desk.environment(function) | more.get("environment", {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{function}: {done.stderr[-2_000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


@contextmanager
def desk_in(home: Path | None) -> Iterator[inputs.Desk]:
    """The desk in a home, or one that is taken down at the end."""
    if home:
        yield inputs.Desk(home)
        return
    with tempfile.TemporaryDirectory(prefix="bellwether-") as folder:
        try:
            yield inputs.Desk(Path(folder))
        finally:
            inputs.command(Path(folder), "down")


def measured(desk: inputs.Desk, python: Path) -> Iterator[tuple[Measurement, dict[str, Any]]]:
    """Each function's figures; the order matters, as one's answer is another's input."""
    for case in inputs.cases(desk):
        found = called(desk, python, case.function, case.events, **case.more)
        case.hear(found["answers"])
        yield (
            Measurement(
                function=case.function,
                input=case.input,
                peak=round(found["peak"], 1),
                processor=round(max(found["took"]), 2),
            ),
            found,
        )


def shown(one: Measurement, found: dict[str, Any]) -> str:
    """A line of the table."""
    row = FUNCTIONS[one.function]
    fits = row.memory >= one.least_memory() and row.timeout >= one.least_timeout(row.memory)
    told = inputs.outcome(found["answers"])
    return (
        f"{one.function:<20}{one.peak:7.0f}{row.memory:7}{one.processor:9.2f}{one.seconds_with(row.memory):9.2f}"
        f"{row.timeout:8}  {'ok' if fits else 'TOO LITTLE':<11}{told:<26}{one.input}"
    )


def main() -> int:
    """Prints the table; 1 when a function has too little."""
    parser = argparse.ArgumentParser(description="Memory and time of each function.")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--record", action="store_true")
    told = parser.parse_args()
    python = interpreter("3.13")
    rows: list[Measurement] = []
    print(f"{'':<20}{'peak':>7}{'given':>7}{'cpu s':>9}{'there s':>9}{'timeout':>8}")
    with desk_in(told.home) as desk:
        for one, found in measured(desk, python):
            rows.append(one)
            print(shown(one, found), flush=True)
    if told.record:
        with RECORDED.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["function", "input", "peak_mb", "processor_s"])
            writer.writerows([one.function, one.input, one.peak, one.processor] for one in rows)
    short = [
        one.function
        for one in rows
        if FUNCTIONS[one.function].memory < one.least_memory()
        or FUNCTIONS[one.function].timeout < one.least_timeout(FUNCTIONS[one.function].memory)
    ]
    print(
        f"too little: {', '.join(short) or 'none'}; not measured: {', '.join(inputs.missing(rows)) or 'none'}"
    )
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
