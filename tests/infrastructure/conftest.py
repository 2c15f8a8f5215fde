"""Each stage is synthesized once for all tests."""

import os
from pathlib import Path

import pytest

from bellwether.desk.tools import node_folder
from tests.infrastructure.synthesis import Synthesis, synthesize, synthesize_standby

AUDITOR = "444455556666:agreed-upon-in-person"


def pytest_configure() -> None:
    """The library behind CDK runs on the bundled Node, whatever the machine has."""
    os.environ.setdefault("JSII_NODE", str(node_folder() / "node"))


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assemblies")


@pytest.fixture(scope="session")
def production(assemblies: Path) -> Synthesis:
    return synthesize("production", assemblies)


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Production with an auditor's role, which is there only when somebody is named."""
    return synthesize("production", tmp_path_factory.mktemp("audited"), auditor=AUDITOR)


@pytest.fixture(scope="session")
def standby(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """What stands by for production in the second region, and it alone."""
    return synthesize_standby("production", tmp_path_factory.mktemp("standby"))


@pytest.fixture(scope="session")
def staging(assemblies: Path) -> Synthesis:
    return synthesize("staging", assemblies)


@pytest.fixture(scope="session")
def local(assemblies: Path) -> Synthesis:
    return synthesize("local", assemblies, endpoint="http://127.0.0.1:4566")
