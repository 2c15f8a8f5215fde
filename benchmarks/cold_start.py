"""What a function's start costs against the usual stack, in one run, on the Python the functions run on.

    uv run python -m benchmarks.cold_start [--rounds 7]

Makes an environment with Python 3.13, the functions' locked dependencies, boto3 and pydantic (the first time
it needs the package index). A round starts a process for the usual stack (a boto3 resource of DynamoDB,
pydantic, and the resolver, parser and logger of Powertools) and one for each function a person waits for, one
after the other, so that what else the machine does hits all alike. Quoted is processor time, the least of the
rounds, from after the interpreter's own start:

- import: until the handler's module is loaded
- ready: until its parts are made too (clients of the services it uses), as during a cold start

Ends with 1 when an import takes more than half of the usual stack.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bellwether.desk.home import Home
from infrastructure.functions import FUNCTIONS
from infrastructure.routes import ROUTES

ROOT = Path(__file__).resolve().parents[1]
MOST, AIM = 0.5, 0.35
WAITED_FOR = tuple(dict.fromkeys(("authorizer", *(route.function for route in ROUTES), "socket")))

USUAL = """
import boto3, pydantic
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.parser import parse
logger, app = Logger(), APIGatewayRestResolver()
class Body(pydantic.BaseModel):
    name: str
imported = time.process_time()
boto3.resource("dynamodb").Table("table")
"""
OURS = """
from bellwether.handlers import {name} as module
imported = time.process_time()
root = sys.modules.get("bellwether.adapters.composition")
class Secrets:
    def text(self, _): return "salt"
    def values(self, _): return {{}}
if root:
    root.Composition.secrets = lambda _: Secrets()
getattr(module.handler, "parts", None) or module.route.parts
"""
FRAME = """
import sys, time
sys.path.insert(0, {source!r})
began = time.process_time()
{program}
done = time.process_time()
print(imported - began, done - began)
"""


def environment() -> dict[str, str]:
    """What the runtime would set; nothing is called, so no value has to exist."""
    names = {name for row in FUNCTIONS.values() for name in row.environment}
    told = dict.fromkeys(names, "value") | {
        "STAGE": "production",
        "DELETION_PROTECTION": "true",
        "JWKS_URL": "https://pool.example/.well-known/jwks.json",
        "SOCKET_ENDPOINT": "https://id.execute-api.eu-central-2.amazonaws.com/v1",
        "AWS_DEFAULT_REGION": "eu-central-2",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    return told | {"PATH": os.environ["PATH"], "POWERTOOLS_SERVICE_NAME": "bellwether"}


def interpreter(version: str) -> Path:
    """Python with the functions' locked dependencies and the usual stack's."""
    folder = Home.open().tools / f"cold-start-{version}"
    python = folder / "bin" / "python"
    if not python.exists():
        uv = os.environ.get("UV") or shutil.which("uv") or "uv"
        subprocess.run([uv, "venv", "--quiet", "--python", version, str(folder)], check=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
            exporting = [uv, "export", "--frozen", "--only-group", "functions", "--no-emit-project"]
            done = subprocess.run(exporting, cwd=ROOT, capture_output=True, text=True, check=True)
            wanted.write("\n".join(line for line in done.stdout.splitlines() if "--hash" not in line))
            wanted.flush()
            text = Path(wanted.name).read_text().replace(" \\\n", "\n").replace(" \\", "")
            Path(wanted.name).write_text(text)
            installing = [uv, "pip", "install", "--quiet", "--python", str(python), "boto3", "pydantic"]
            subprocess.run([*installing, "--requirements", wanted.name], check=True)
    return python


def seconds(python: Path, program: str) -> tuple[float, float]:
    """Processor time until a program has imported, and until it is ready."""
    text = FRAME.format(source=str(ROOT / "src"), program=program)
    done = subprocess.run(
        [str(python), "-I", "-c", text], env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    imported, ready = done.stdout.split()[-2:]
    return float(imported), float(ready)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="What a function's start costs.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", default="3.13")
    told = parser.parse_args()
    python = interpreter(told.python)
    programs = {"the usual stack": USUAL, **{name: OURS.format(name=name) for name in WAITED_FOR}}
    for program in programs.values():
        seconds(python, program)  # so that every module's bytecode is there
    least = dict.fromkeys(programs, (float("inf"), float("inf")))
    for _ in range(told.rounds):
        for name, program in programs.items():
            imported, ready = seconds(python, program)
            least[name] = min(least[name][0], imported), min(least[name][1], ready)
    usual_import, usual_ready = least["the usual stack"]
    print(f"Python {told.python}, least of {told.rounds} rounds, processor time in ms")
    print(f"{'':<18}{'import':>8}{'ratio':>8}{'ready':>8}{'ratio':>8}")
    for name, (imported, ready) in least.items():
        ratios = imported / usual_import, ready / usual_ready
        print(f"{name:<18}{imported * 1e3:8.0f}{ratios[0]:8.2f}{ready * 1e3:8.0f}{ratios[1]:8.2f}")
    worst = max(least[name][0] / usual_import for name in WAITED_FOR)
    print(f"worst import {worst:.2f} of the usual stack; at most {MOST}, aim {AIM}")
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
