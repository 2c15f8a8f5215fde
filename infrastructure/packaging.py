"""What is uploaded: the functions' code and the layer with their dependencies, built without Docker.

The layer is built from the locked `functions` group and kept below the product's home under a hash of
everything it is made of, so that a synthesis takes no time and unchanged dependencies give an unchanged
asset.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

from bellwether.desk.home import Home

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src"
# Not for functions: the command line, the engine around the desk, and the replay, which needs Arrow.
LEFT_OUT = ("bellwether/cli", "bellwether/desk", "bellwether/backtest", "**/__pycache__", "**/*.pyc", "**/.*")
_CLOUD = ("--python-platform", "aarch64-manylinux2014", "--python-version", "3.13", "--only-binary", ":all:")
# Arrow's wheels need a newer C library than Lambda's rule asks for; the container's image has one.
_BATCH = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.13", "--only-binary", ":all:")
_UNUSED = ("tests", "test", "__pycache__", "bin")
_KEPT_METADATA = ("METADATA", "WHEEL", "entry_points.txt")


class PackagingError(RuntimeError):
    """The layer could not be built; the message ends with what the installer said."""


def function_code() -> lambda_.Code:
    """The code all functions share: `bellwether` without what only a person's machine runs."""
    return lambda_.Code.from_asset(str(SOURCE), exclude=list(LEFT_OUT), ignore_mode=IgnoreMode.GLOB)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """The dependency layer of one kind of machine."""

    cloud: bool
    """Wheels for arm64 Linux and Python 3.13; otherwise for this machine and interpreter."""
    folder: Path | None = None
    """A folder to use as it is. Tests of templates pass one: they are about resources, not about wheels."""

    def code(self) -> lambda_.Code:
        """The layer as an asset, built when it is missing. Raises `PackagingError`."""
        return lambda_.Code.from_asset(str(self.folder or self._built()))

    def _built(self) -> Path:
        requirements = _export("--only-group", "functions")
        target_of = "cloud" if self.cloud else f"{sysconfig.get_platform()} {sys.version}"
        key = hashlib.sha256(
            "\n".join((requirements, target_of, *_CLOUD, *_UNUSED, *_KEPT_METADATA)).encode()
        ).hexdigest()[:16]
        target = Home.open().tools / f"layer-{'cloud' if self.cloud else 'host'}-{key}"
        if not target.is_dir():
            _build(target, requirements, _CLOUD if self.cloud else ("--python", sys.executable))
        return target


@dataclass(frozen=True, kw_only=True)
class BatchPackage:
    """What the whole product depends on, for a plain Python 3.13 on arm64 Linux.

    The product itself is an asset of its own: it changes often, and this takes long to build.
    """

    folder: Path | None = None
    """A folder to use as it is, as for a `Layer`."""

    def path(self) -> Path:
        """The folder to upload, built when it is missing. Raises `PackagingError`."""
        return self.folder or self._built()

    def _built(self) -> Path:
        requirements = _export("--no-default-groups")
        parts = [requirements, *_BATCH, *_UNUSED, *_KEPT_METADATA]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        target = Home.open().tools / f"batch-cloud-{key}"
        if not target.is_dir():
            _build(target, requirements, _BATCH, site=".")
        return target


def _build(target: Path, requirements: str, options: tuple[str, ...], *, site: str = "python") -> None:
    building = target.with_name(f".{target.name}.{os.getpid()}")
    wanted = building.with_suffix(".txt")
    try:
        building.mkdir()
        wanted.write_text(requirements)
        install = [
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--requirements",
            str(wanted),
        ]
        _uv(*install, "--link-mode", "copy", "--target", str(building / site), *options)
        _prune(building / site)
        _publish(building, target)
    finally:
        wanted.unlink(missing_ok=True)
        shutil.rmtree(building, ignore_errors=True)


def _publish(building: Path, target: Path) -> None:
    """One rename, so that a folder that exists is whole; of two builders of the same layer one wins."""
    try:
        building.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    kind = target.name.rpartition("-")[0]
    for old in target.parent.glob(f"{kind}-*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)


def _prune(site: Path) -> None:
    """Leaves what an import needs; the rest of a wheel (its tests, scripts, records) is only start-up
    time.
    """
    for folder in sorted((p for p in site.rglob("*") if p.is_dir()), reverse=True):
        if folder.name in _UNUSED:
            shutil.rmtree(folder)
    for metadata in site.glob("*.dist-info"):
        for entry in metadata.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name not in _KEPT_METADATA:
                entry.unlink()
    for leftover in (*site.glob("*.lock"), site / ".lock"):
        leftover.unlink(missing_ok=True)


def _export(*groups: str) -> str:
    """The locked requirements of groups, with hashes; the project itself is not one of them."""
    return _uv("export", "--frozen", *groups, "--no-emit-project", "--no-header", "--no-annotate")


def _uv(*arguments: str) -> str:
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv:
        raise PackagingError("uv is not on the PATH; it builds the functions' layer")
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(
        [uv, *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise PackagingError(f"uv {arguments[0]} failed (the first build needs the package index):\n{tail}")
    return done.stdout
