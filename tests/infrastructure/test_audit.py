"""The audit of the locked dependencies tells what is flawed from what could not be looked up."""

from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import pytest

from tests.infrastructure.synthesis import ROOT


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", **more}


@pytest.mark.req("P9")
def test_a_known_flaw_is_told_with_its_cure(audit: ModuleType) -> None:
    flaw = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
    told = audit.of_pip(
        "product", {"dependencies": [package("good", vulns=[]), package("bad", vulns=[flaw])]}, ""
    )
    assert told.flaws == ["bad 1.0: PYSEC-1, fixed in 1.1"]
    assert told.unknown == ""


@pytest.mark.req("P9")
def test_what_could_not_be_looked_up_is_not_called_clean(audit: ModuleType) -> None:
    skipped = package("alone", skip_reason="not found")
    told = audit.of_pip("product", {"dependencies": [skipped]}, "")
    assert (told.looked_up, told.unknown) == (0, "1 packages, among them alone")
    assert audit.of_pip("product", None, "no route to host").unknown == "no route to host"
    assert audit.of_pip("product", None, "").unknown == "no report"
