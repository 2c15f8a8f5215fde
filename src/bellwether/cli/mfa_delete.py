"""`bellwether ledger mfa-delete`: the one protection that only the account's root can switch on."""

import re
from typing import Annotated, Any

import typer

from bellwether.cli.failures import Refused, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption, find_stage

RUNBOOK = "docs/runbooks/mfa-delete.md"
_DEVICE = re.compile(r"arn:aws:iam::\d{12}:mfa/[\w+=/,.@-]+")
_CODE = re.compile(r"\d{6}")


def mfa_delete(
    device: Annotated[
        str | None, typer.Option("--device", metavar="ARN", help="ARN of the root user's MFA device.")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", metavar="DIGITS", help="The six digits it shows now.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stage: StageOption = "production",
    json: JsonOption = False,
) -> None:
    """Show whether deleting a version of the ledger needs a second factor, and how to switch that on.

    Neither CloudFormation nor any role can: it takes the root user's own credentials and its MFA device. With
    --device and --code, and signed in as root, it is switched on after a question; else the command line to
    run is shown. The lake cannot have it: S3 does not allow it on a bucket with lifecycle rules.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from bellwether.cli.owner import aws_failure, owner_client

    output, desk = Output(json=json), find_stage(stage)
    if desk.is_local:
        raise Refused("The embedded engine knows no root user and no second factor.", hint=f"see {RUNBOOK}")
    bucket = desk.output("LedgerBucket")
    told = _arguments(device, code)
    try:
        s3 = owner_client(desk, "s3")
        enabled = s3.get_bucket_versioning(Bucket=bucket).get("MFADelete") == "Enabled"
        if told and not enabled:
            _switch_on(s3, owner_client(desk, "sts"), bucket, told, yes=yes)
            enabled = s3.get_bucket_versioning(Bucket=bucket).get("MFADelete") == "Enabled"
    except (BotoCoreError, ClientError) as fault:
        raise aws_failure(fault, desk) from None
    command = command_of(bucket, desk.region)
    document = {"stage": stage, "bucket": bucket, "enabled": enabled, "manual": command, "runbook": RUNBOOK}
    shown = "[green]on[/green]" if enabled else "[yellow]off[/yellow]; as root, run:"
    output.answer(document, f"MFA delete of {bucket}: {shown}", *([] if enabled else [command]))


def command_of(bucket: str, region: str) -> str:
    """What the root user types; the device and its six digits are theirs to fill in."""
    return (
        f"aws s3api put-bucket-versioning --region {region} --bucket {bucket} "
        "--versioning-configuration Status=Enabled,MFADelete=Enabled --mfa 'DEVICE_ARN SIX_DIGITS'"
    )


def _arguments(device: str | None, code: str | None) -> str | None:
    """The two as S3 takes them. Raises `WrongUse` when one is missing or neither's form."""
    if device is None and code is None:
        return None
    if device is None or code is None:
        raise WrongUse("--device and --code go together")
    if not _DEVICE.fullmatch(device) or not _CODE.fullmatch(code):
        raise WrongUse("--device is arn:aws:iam::ACCOUNT:mfa/NAME, --code six digits")
    return f"{device} {code}"


def _switch_on(s3: Any, sts: Any, bucket: str, told: str, *, yes: bool) -> None:
    from bellwether.cli.infrastructure import ask

    who = str(sts.get_caller_identity()["Arn"])
    if not who.endswith(":root"):
        raise Refused(
            f"These are the credentials of {who}; only the account's root user can do this.",
            hint=f"sign in as root as {RUNBOOK} says, and delete those keys afterwards",
        )
    if s3_has_lifecycle(s3, bucket):
        raise Refused("The bucket has lifecycle rules, and S3 allows only one of the two.")
    if not yes:
        ask(f"From now on deleting a version of {bucket} needs root's device. Go on?", hint="add --yes")
    s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"}, MFA=told
    )


def s3_has_lifecycle(s3: Any, bucket: str) -> bool:
    """Whether a bucket has any lifecycle rule."""
    from botocore.exceptions import ClientError

    try:
        return bool(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])
    except ClientError as fault:
        if fault.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
            return False
        raise


def register(ledger: typer.Typer) -> None:
    """Adds the command to the group of the ledger."""
    lines = ("bellwether ledger mfa-delete", "bellwether ledger mfa-delete --device ARN --code 123456")
    ledger.command("mfa-delete", epilog=examples(*lines))(mfa_delete)
