"""Known vulnerabilities of everything that is locked: product and tools, scanners, engine, build tool.

    uv run python .ci/audit.py [--required]

Asks the vulnerability databases behind the package indexes. What they cannot be asked about is named; with
`--required` it fails the run, as a found vulnerability always does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bellwether.desk.tools import node_folder

ROOT = Path(__file__).parents[1]
SCANNERS = ROOT / "tests" / "infrastructure" / "scanners" / "requirements.txt"
ENGINE = ROOT / "src" / "bellwether" / "desk" / "engine-requirements.txt"
LONGEST_SECONDS = 120


class Audit(NamedTuple):
    """What is known of one lock file: packages looked up, flaws, and what could not be looked up, and why."""

    name: str
    looked_up: int
    flaws: list[str]
    unknown: str = ""


def main() -> int:
    """Prints the audits; gives the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--required", action="store_true", help="fail when something cannot be looked up")
    required = options.parse_args().required
    with tempfile.TemporaryDirectory() as folder:
        audits = [*python_audits(Path(folder)), npm_audit()]
    for audit in audits:
        print(f"{audit.name}: {audit.looked_up} packages looked up, {len(audit.flaws)} known vulnerabilities")
        for flaw in audit.flaws:
            print(f"  {flaw}")
        if audit.unknown:
            print(f"  NOT AUDITED: {audit.unknown}")
    found = any(audit.flaws for audit in audits)
    return 1 if found or (required and any(audit.unknown for audit in audits)) else 0


def python_audits(folder: Path) -> Iterator[Audit]:
    """Of the lock files for Python, by pip-audit from the scanners' environment."""
    product, tools = folder / "product.txt", folder / "tools"
    exported = ["uv", "export", "--locked", "--quiet", "--all-groups", "--no-emit-project"]
    subprocess.run([*exported, "--output-file", product], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, tools], check=True)
    python = str(tools / "bin" / "python")
    locked = ["uv", "pip", "install", "--quiet", "--require-hashes", "--python", python]
    subprocess.run([*locked, "-r", str(SCANNERS)], check=True)
    for name, lock in (("product and tools", product), ("scanners", SCANNERS), ("engine", ENGINE)):
        command = [tools / "bin" / "pip-audit", "--disable-pip", "--require-hashes", "--format", "json"]
        told, error = asked([*command, "--progress-spinner", "off", "-r", lock])
        yield of_pip(name, told, error)


def of_pip(name: str, told: Any, error: str) -> Audit:
    """Reads pip-audit's report; a package its index does not know is skipped there with a reason."""
    packages = (told or {}).get("dependencies", [])
    flaws = [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        f"fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in packages
        for flaw in package.get("vulns", [])
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    unknown = f"{len(skipped)} packages, among them {skipped[0]}" if skipped else ""
    looked_up = len(packages) - len(skipped)
    return Audit(name, looked_up, flaws, unknown if packages else error or "no report")


def npm_audit() -> Audit:
    """Of the build tool's lock file."""
    node = node_folder()
    npm = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    told, error = asked([node / "node", npm, "audit", "--package-lock-only", "--json"])
    report = told or {}
    flaws = [f"{name}: {flaw['severity']}" for name, flaw in report.get("vulnerabilities", {}).items()]
    counted = report.get("metadata", {}).get("dependencies", {}).get("total", 0)
    return Audit("build tool", counted, flaws, "" if "metadata" in report else report.get("message", error))


def asked(command: list[str | Path]) -> tuple[Any, str]:
    """Runs a program that prints JSON; gives the document or `None`, and its last words."""
    path = f"{node_folder()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return None, f"no answer in {LONGEST_SECONDS} s"
    last = (done.stderr.strip().splitlines() or [""])[-1]
    try:
        return json.loads(done.stdout), last
    except ValueError:
        return None, last


if __name__ == "__main__":
    sys.exit(main())
