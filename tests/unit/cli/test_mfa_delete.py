"""The protection only root can switch on: shown to everybody, done for root alone, and only after a yes."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from bellwether.cli import owner
from bellwether.cli.failures import Failure
from bellwether.cli.ledger import ledger

DEVICE = "arn:aws:iam::123456789012:mfa/root-device"
ROOT = "arn:aws:iam::123456789012:root"
AS_ROOT = ("--device", DEVICE, "--code", "123456")


class Account:
    """A bucket's versioning and who asks."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.rules: list[Any] = []
        self.calls: list[dict[str, Any]] = []

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": self.who}

    def get_bucket_versioning(self, **_: Any) -> dict[str, str]:
        return {"Status": "Enabled", **({"MFADelete": "Enabled"} if self.calls else {})}

    def get_bucket_lifecycle_configuration(self, **_: Any) -> dict[str, Any]:
        if not self.rules:
            raise ClientError({"Error": {"Code": "NoSuchLifecycleConfiguration"}}, "GetBucketLifecycle")
        return {"Rules": self.rules}

    def put_bucket_versioning(self, **told: Any) -> None:
        self.calls.append(told)


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    outputs = {"api_url": "https://api/v1", "region": "eu-central-2", "LedgerBucket": "ledger-1"}
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({"production": {**outputs, "stage": "production"}}))
    monkeypatch.setenv("BELLWETHER_OUTPUTS", str(path))
    made = Account(ROOT)
    monkeypatch.setattr(owner, "owner_client", lambda *_: made)
    return made


def run(*arguments: str) -> Any:
    return CliRunner().invoke(ledger, ["mfa-delete", *arguments])


@pytest.mark.req("D6")
def test_anybody_sees_whether_it_is_on_and_what_root_has_to_type(account: Account) -> None:
    account.who = "arn:aws:iam::123456789012:user/owner"
    told = json.loads(run("--json").stdout)
    assert (told["bucket"], told["enabled"]) == ("ledger-1", False)
    assert "--bucket ledger-1 --versioning-configuration Status=Enabled,MFADelete=Enabled" in told["manual"]
    assert account.calls == []
    runbook = Path(__file__).parents[3] / told["runbook"]
    assert "MFADelete=Enabled" in runbook.read_text()


@pytest.mark.req("D6")
def test_root_switches_it_on_with_the_device(account: Account) -> None:
    told = json.loads(run(*AS_ROOT, "--yes", "--json").stdout)
    assert told["enabled"] is True
    (call,) = account.calls
    assert call["MFA"] == f"{DEVICE} 123456"
    assert call["VersioningConfiguration"] == {"Status": "Enabled", "MFADelete": "Enabled"}
    assert json.loads(run(*AS_ROOT, "--yes", "--json").stdout)["enabled"] is True
    assert len(account.calls) == 1, "what is on stays as it is"


@pytest.mark.req("D6")
@pytest.mark.parametrize("case", ["nobody says yes", "not root", "lifecycle"])
def test_without_root_without_a_yes_or_against_a_lifecycle_nothing_is_done(
    account: Account, case: str
) -> None:
    if case == "not root":
        account.who = "arn:aws:sts::123456789012:assumed-role/Admin/x"
    if case == "lifecycle":
        account.rules = [{"ID": "tier"}]
    result = run(*AS_ROOT, *([] if case == "nobody says yes" else ["--yes"]))
    assert isinstance(result.exception, Failure)
    assert result.exception.exit_code == 4
    assert account.calls == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--device", DEVICE),
        ("--code", "123456"),
        ("--device", "mine", "--code", "123456"),
        ("--device", DEVICE, "--code", "12345"),
    ],
)
def test_half_an_argument_is_wrong_use(account: Account, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, Failure)
    assert result.exception.exit_code == 2
    assert account.calls == []
