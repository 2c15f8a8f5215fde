"""What is uploaded."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from infrastructure import packaging
from infrastructure.archives import (
    AARCH64,
    MOST_BYTES,
    foreign_parts,
    native_libraries,
    wheel_tags,
    zipped,
)
from infrastructure.packaging import BatchPackage, Layer, PackagingError, function_code
from tests.infrastructure.synthesis import new_app

HEAVY = ("pyarrow", "boto3", "botocore", "typer", "rich")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def asset(code: lambda_.Code, folder: Path) -> Path:
    """Stages the code as a synthesis does and gives the folder that would be uploaded."""
    app = new_app(folder)
    stack = Stack(app, "Packages")
    lambda_.LayerVersion(stack, "Layer", code=code)
    app.synth()
    (staged,) = folder.glob("asset.*")
    return staged


@pytest.mark.req("C1")
def test_functions_get_the_product_without_what_runs_on_a_persons_machine(tmp_path: Path) -> None:
    staged = asset(function_code(), tmp_path / "out")
    package = staged / "bellwether"
    assert (package / "handlers" / "ingest.py").is_file()
    left_out = [name for name in ("cli", "desk", "backtest") if (package / name).exists()]
    assert left_out == []
    assert not list(staged.rglob("__pycache__"))
    loaded = run(
        staged, "import sys, bellwether.handlers.settings; print(sys.modules['bellwether'].__file__)"
    )
    assert loaded.startswith(str(staged))


@pytest.mark.req("C1")
def test_the_layer_holds_the_locked_dependencies_and_little_else(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_HOME", str(home))
    staged = asset(Layer(cloud=False).code(), tmp_path / "out")
    site = staged / "python"
    program = "import msgspec, feedparser, jwt, cryptography, aws_lambda_powertools as p; print(p.__file__)"
    assert run(site, program).startswith(str(site))
    assert [name for name in HEAVY if (site / name).exists()] == []
    kept = {entry.name for metadata in site.glob("*.dist-info") for entry in metadata.iterdir()}
    assert kept <= {"METADATA", "WHEEL", "entry_points.txt"}
    assert not [p for p in site.rglob("*") if p.is_dir() and p.name in ("tests", "test", "__pycache__")]


@pytest.fixture(scope="module")
def cloud(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the layer a deployment would upload."""
    folder = tmp_path_factory.mktemp("cloud")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BELLWETHER_HOME", str(home))
        return zipped(asset(Layer(cloud=True).code(), folder / "out"), folder / "layer.zip")


@pytest.mark.req("C1")
def test_what_is_deployed_was_built_for_arm(cloud: Path) -> None:
    libraries = dict(native_libraries(cloud))
    assert len(libraries) >= 2
    assert set(libraries.values()) == {AARCH64}
    assert len(wheel_tags(cloud)) >= 5
    assert foreign_parts(cloud) == []


@pytest.mark.req("C1")
def test_code_and_layer_are_small(cloud: Path, tmp_path: Path) -> None:
    code = zipped(asset(function_code(), tmp_path / "out"), tmp_path / "code.zip")
    assert code.stat().st_size + cloud.stat().st_size <= MOST_BYTES


def test_a_library_or_a_wheel_of_another_machine_is_found(tmp_path: Path) -> None:
    def library(machine: int) -> bytes:
        return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44)

    site = tmp_path / "site"
    (site / "one-1.dist-info").mkdir(parents=True)
    (site / "two-1.dist-info").mkdir()
    (site / "one-1.dist-info" / "WHEEL").write_text("Tag: cp313-cp313-manylinux_2_17_x86_64\n")
    (site / "two-1.dist-info" / "WHEEL").write_text("Tag: py3-none-any\n")
    (site / "arm.cpython-313-aarch64-linux-gnu.so").write_bytes(library(AARCH64))
    (site / "intel.so.1").write_bytes(library(62))
    (site / "broken.so").write_bytes(b"not a library")
    archive = zipped(site, tmp_path / "site.zip", root="python")
    assert foreign_parts(archive) == [
        "python/broken.so",
        "python/intel.so.1",
        "one-1 (cp313-cp313-manylinux_2_17_x86_64)",
    ]


def test_an_unchanged_layer_is_not_built_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_HOME", str(home))
    Layer(cloud=False).code()
    monkeypatch.setattr(packaging, "_build", lambda *_: pytest.fail("built again"))
    Layer(cloud=False).code()


def test_another_lock_or_machine_is_another_layer(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_HOME", str(home))
    wanted: list[str] = []

    def build(target: Path, *_: object) -> None:
        wanted.append(target.name)
        target.mkdir()

    monkeypatch.setattr(packaging, "_build", build)
    monkeypatch.setattr(packaging, "_export", lambda *_: "msgspec==1")
    Layer(cloud=True).code()
    Layer(cloud=False).code()
    monkeypatch.setattr(packaging, "_export", lambda *_: "msgspec==2")
    Layer(cloud=True).code()
    assert len(set(wanted)) == 3


@pytest.mark.req("X2")
def test_a_backtest_gets_all_dependencies_for_the_machine_it_runs_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_HOME", str(home))
    built: list[tuple[str, tuple[str, ...], str]] = []

    def build(target: Path, requirements: str, options: tuple[str, ...], *, site: str) -> None:
        built.append((requirements, options, site))
        target.mkdir()

    monkeypatch.setattr(packaging, "_build", build)
    folder = BatchPackage().path()
    assert BatchPackage().path() == folder
    ((requirements, options, site),) = built
    # Every distribution is pinned with its hashes, and Arrow has no wheel for older C libraries.
    assert all(name in requirements for name in ("numpy==", "pyarrow==", "boto3==", "typer==", "msgspec=="))
    assert "pytest" not in requirements
    assert "--hash=sha256:" in requirements
    assert options[:2] == ("--python-platform", "aarch64-manylinux_2_28")
    assert site == "."


def test_a_failed_build_leaves_nothing_and_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_HOME", str(home))
    monkeypatch.setattr(packaging, "_export", lambda *_: "no-such-distribution-of-ours==1 --hash=sha256:00\n")
    with pytest.raises(PackagingError, match="uv pip failed"):
        Layer(cloud=False).code()
    assert not list((home / "tools").glob(".layer-*"))


def run(folder: Path, program: str) -> str:
    """Runs a program with nothing on its path but the standard library and the folder."""
    arguments = [
        sys.executable,
        "-I",
        "-S",
        "-B",
        "-c",
        f"import sys; sys.path.insert(0, {str(folder)!r}); {program}",
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return done.stdout.strip()
