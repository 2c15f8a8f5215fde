"""`synth`, `diff`, `bootstrap`, `deploy`, `destroy`: the stages' stacks, by way of the real CDK."""

import json as json_
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bellwether.cli.cdk_app import CdkApp, credentials
from bellwether.cli.dismantling import dismantle
from bellwether.cli.failures import Refused, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.regions import bootstrap_versions, unprepared

STAGES = ("local", "staging", "production")
_MOST_AT_ONCE = 4
"""Command lines of cdk, each of which is busy starting for most of its time."""
OUTPUTS, RAW_OUTPUTS = "infrastructure-outputs.json", "cdk-outputs.json"

StageArgument = Annotated[str, typer.Argument(help="local, staging or production.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog=examples("bellwether synth", "bellwether synth production"))(synth)
    app.command(epilog=examples("bellwether diff staging"))(diff)
    app.command(epilog=examples("bellwether bootstrap staging"))(bootstrap)
    app.command(epilog=examples("bellwether deploy staging", "bellwether deploy production --yes"))(deploy)
    app.command(epilog=examples("bellwether destroy staging"))(destroy)


def synth(
    stage: Annotated[str | None, typer.Argument(help="One stage; all of them when left out.")] = None,
    *,
    json: JsonOption = False,
) -> None:
    """Write the stages' templates to cdk.out/STAGE; needs no AWS account."""
    output, tool = Output(json=json), CdkApp.find()
    done = [tool.synth(known(name), output) for name in ([stage] if stage else STAGES)]
    lines = [f"{one['stage']}: {len(one['stacks'])} stacks in {one['assembly']}" for one in done]
    output.answer({"stages": done}, *lines)


def diff(stage: StageArgument, *, json: JsonOption = False) -> None:
    """Show what a deployment would change.

    Compares with what is deployed; without AWS credentials, with nothing, so that everything shows as new.
    """
    output, tool = Output(json=json), CdkApp.find()
    environment, compared = tool.account(known(stage))
    endpoint = environment.get("AWS_ENDPOINT_URL") if stage == "local" else None
    made = tool.synth(stage, output, endpoint=endpoint)
    assembly = Path(made["assembly"])
    against = [] if compared else ["--template", str(_nothing(assembly))]

    def report(stack: str) -> str:
        output.note(f"comparing {stack}")
        told = ["diff", stack, "--exclusively", "--app", str(assembly), "--method=template", *against]
        return tool.cdk(told, environment)

    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        reports = dict(zip(made["stacks"], pool.map(report, made["stacks"]), strict=True))
    changed = [name for name, text in reports.items() if "There were no differences" not in text]
    document = {
        "stage": stage,
        "compared_with": "deployed" if compared else "nothing",
        "changed": changed,
        "differences": reports,
    }
    output.answer(document, *(text.strip() for text in reports.values()))


def bootstrap(stage: StageArgument, *, yes: YesOption = False, json: JsonOption = False) -> None:
    """Prepare every region of a stage for its first deployment; a region that is ready is left alone.

    Creates the CDK's bootstrap stack (an encrypted bucket for assets and the roles that deploy), protected
    against deletion. Needs an administrator's credentials.
    """
    output, tool = Output(json=json), CdkApp.find()
    if known(stage) == "local":
        raise Refused("The local stage is prepared by `bellwether up`.", hint="bellwether up")
    made = tool.synth(stage, output)
    account, environment = credentials(tool, stage)
    regions = [*bootstrap_versions(Path(made["assembly"]))]
    missing = unprepared(Path(made["assembly"]), environment)
    if missing and not yes:
        question = f"Prepare {', '.join(missing)} of account {account}?"
        ask(question, hint=f"bellwether bootstrap {stage} --yes")
    for region in missing:
        output.note(f"preparing {region}")
        arguments = ["bootstrap", f"aws://{account}/{region}", "--termination-protection"]
        tool.cdk(arguments, {**environment, "AWS_REGION": region}, heard=output)
    document = {"stage": stage, "account": account, "regions": regions, "prepared": missing}
    done = f"Prepared {', '.join(missing)}." if missing else f"{', '.join(regions)} were ready."
    output.answer(document, done)


def deploy(
    stage: StageArgument,
    *,
    standby: Annotated[
        bool, typer.Option("--standby", help="Deploy what stands by in the second region instead.")
    ] = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Deploy a stage to the AWS account of your credentials; writes both outputs files.

    The local stage is deployed by `bellwether up`. What stands by in the second region (after the stage
    itself) is found by other commands as `--stage STAGE-standby`.
    """
    output, tool = Output(json=json), CdkApp.find()
    if known(stage) == "local":
        raise Refused("The local stage lives in the embedded engine.", hint="bellwether up")
    account, environment = credentials(tool, stage)
    output.note(f"stage {stage}, account {account}")
    if stage == "production" and not yes:
        ask(f"Deploy to production in account {account}?", hint="bellwether deploy production --yes")
    began = time.monotonic()
    made = tool.synth(stage, output, complete=True, standby=standby)
    if missing := unprepared(Path(made["assembly"]), environment):
        raise Refused(
            f"Nothing can be deployed to {', '.join(missing)} yet.", hint=f"bellwether bootstrap {stage}"
        )
    raw = tool.root / RAW_OUTPUTS
    named = f"{stage}-standby" if standby else stage
    tool.cdk(
        [
            "deploy",
            *(["--exclusively", f"bellwether-{named}*"] if standby else ["--all"]),
            "--app",
            made["assembly"],
            "--require-approval=never",
            "--outputs-file",
            str(raw),
        ],
        environment,
        heard=output,
    )
    curated = curate(json_.loads(raw.read_text()))
    document = {**curated, "stage": named, "account": account, "deployed_at": _now()}
    write_outputs(tool.root / OUTPUTS, named, document)
    document["seconds"] = round(time.monotonic() - began, 1)
    output.answer(document, f"{named} is deployed: {curated['endpoints'].get('api_url')}")


def destroy(stage: StageArgument, *, yes: YesOption = False, json: JsonOption = False) -> None:
    """Delete a stage with everything it holds. Production is refused, and what it must keep would stay."""
    output, tool = Output(json=json), CdkApp.find()
    if known(stage) == "production":
        raise Refused(
            "Production is not destroyed from here: its tables, lake, ledger and users are retained and "
            "protected, and Object Lock holds every ledger entry for ten years.",
            hint="retire it in CloudFormation stack by stack, data and its keys last",
        )
    if stage == "local":
        raise Refused("The local stage is wiped as a whole.", hint="bellwether reset --yes")
    account, environment = credentials(tool, stage)
    if not yes:
        question = f"Delete stage {stage} with its data in account {account}?"
        ask(question, hint=f"bellwether destroy {stage} --yes")
    made = tool.synth(stage, output)
    deleted = dismantle(tool, Path(made["assembly"]), environment, _client, output)
    write_outputs(tool.root / OUTPUTS, stage, None)
    told = {"stage": stage, "account": account, "destroyed": made["stacks"], **deleted}
    output.answer(told, f"{stage} is gone.")


def _client(service: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    # A desk's engine must not be taken for AWS, whatever the environment says.
    config = Config(ignore_configured_endpoint_urls=True)  # type: ignore[call-arg]  # the stubs lack it
    return boto3.session.Session(region_name=region).client(service, config=config)  # type: ignore[call-overload]


def known(stage: str) -> str:
    """The stage's name. Raises `WrongUse` when there is no such stage."""
    if stage not in STAGES:
        raise WrongUse(f"There is no stage {stage!r}.", hint=f"choose one of {', '.join(STAGES)}")
    return stage


def curate(raw: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What other programs need of the stacks' outputs: endpoints, and names by kind (keys in snake case)."""
    flat = {name: value for outputs in raw.values() for name, value in outputs.items() if _ours(name)}
    return {
        "endpoints": {"api_url": flat.get("ApiUrl"), "ws_url": flat.get("SocketUrl")},
        "user_pool_id": flat.get("UserPoolId"),
        "user_pool_client_id": flat.get("UserPoolClientId"),
        "tables": dict(_ending(flat, "Table")),
        "buckets": dict(_ending(flat, "Bucket")),
        "queues": dict(_ending(flat, "QueueUrl")) | dict(_ending(flat, "DlqUrl", keep="Dlq")),
        "functions": dict(_ending(flat, "Function")),
        "log_groups": dict(_ending(flat, "LogGroup")),
        "outputs": dict(sorted(flat.items())),
    }


def write_outputs(path: Path, stage: str, document: Mapping[str, Any] | None) -> None:
    """Sets one stage's part of the outputs file; `None` removes it."""
    try:
        told = json_.loads(path.read_text())
    except (OSError, ValueError):
        told = {}
    told = {name: part for name, part in told.items() if name != stage}
    path.write_text(json_.dumps(told | ({stage: document} if document else {}), indent=2) + "\n")


def _ours(name: str) -> bool:
    """CDK adds outputs of its own: values that cross stacks, and the API's default address."""
    return not name.startswith("PublishOutput") and not name.startswith("RestApiEndpoint")


def _ending(flat: Mapping[str, str], ending: str, *, keep: str = "") -> Iterator[tuple[str, str]]:
    for name, value in sorted(flat.items()):
        if name.endswith(ending):
            base = name.removesuffix(ending) + keep
            yield "".join(f"_{c.lower()}" if c.isupper() else c for c in base).strip("_"), value


def _nothing(assembly: Path) -> Path:
    empty = assembly.parent / ".nothing.template.json"
    empty.write_text('{"Resources": {}}\n')
    return empty


def ask(question: str, *, hint: str) -> None:
    """Asks before something is done. Raises `Refused` without a yes, or with nobody there to ask."""
    if not sys.stdin.isatty():
        raise Refused("This needs a yes, and nobody is there to ask.", hint=hint)
    if not typer.confirm(question, err=True):
        raise Refused("Nothing was done.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
