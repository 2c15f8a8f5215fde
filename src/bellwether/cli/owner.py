"""What the owner of a desk may do directly: AWS clients with the owner's own credentials.

On the local desk these are the engine's root credentials, on a deployed stage the usual chain (profile,
environment, SSO). Nothing here goes through the API, so none of its roles apply.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bellwether.cli.failures import NotRunning, Refused
from bellwether.cli.stage import LOCAL, Stage, find_stage
from bellwether.domain.problems import Problem

if TYPE_CHECKING:
    from boto3.session import Session as AwsSession

    from bellwether.adapters.composition import Composition
    from bellwether.domain.provider_terms import Terms
    from bellwether.usecases import ports
    from bellwether.usecases.configure import Configure

_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}


def owner_session(stage: Stage) -> "AwsSession":
    """An AWS session with the owner's credentials."""
    import boto3

    if not stage.is_local:
        return boto3.session.Session(region_name=stage.region)
    from bellwether.desk.aws import ROOT_KEY

    return boto3.session.Session(
        aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY, region_name=stage.region
    )


def owner_client(stage: Stage, service: str) -> Any:
    """A client of one AWS service."""
    from botocore.config import Config

    config = Config(retries={"max_attempts": 5, "mode": "standard"}, connect_timeout=5, read_timeout=60)
    return owner_session(stage).client(  # type: ignore[call-overload]
        service, endpoint_url=stage.endpoint_url, config=config
    )


class OwnerPorts:
    """The ports an owner's command needs, on a stage's own tables, buckets and queues."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @cached_property
    def _composition(self) -> "Composition":
        from bellwether.adapters.aws.clients import Clients
        from bellwether.adapters.composition import Composition

        credentials = None
        if self.stage.is_local:
            from bellwether.desk.aws import ROOT_KEY

            credentials = (ROOT_KEY, ROOT_KEY)
        clients = Clients(region=self.stage.region, endpoint=self.stage.endpoint_url, credentials=credentials)
        return Composition(clients)

    @cached_property
    def entities(self) -> "ports.Entities":
        return self._composition.entities(self.stage.output("TrackedEntitiesTable"))

    @cached_property
    def counts(self) -> "ports.Counts":
        return self._composition.counts(self.stage.output("EventsTable"))

    @cached_property
    def prices(self) -> "ports.Prices":
        return self._composition.prices(self.stage.output("LakeBucket"))

    @cached_property
    def providers(self) -> "ports.ProviderRecords":
        return self._composition.provider_records(self.stage.output("EventsTable"))

    @cached_property
    def raw(self) -> "ports.RawBatches":
        return self._composition.raw_batches(self.stage.output("LakeBucket"))

    @cached_property
    def forecasts(self) -> "ports.Forecasts":
        return self._composition.forecasts(self.stage.output("LakeBucket"))

    @cached_property
    def lake(self) -> "ports.Lake":
        return self._composition.lake(self.stage.output("LakeBucket"))

    @cached_property
    def claims(self) -> "ports.ItemClaims":
        return self._composition.item_claims(self.stage.output("ClaimsTable"))

    @cached_property
    def queue(self) -> "ports.BatchQueue":
        return self._composition.batch_queue(self.stage.output("IngestQueueUrl"))

    @cached_property
    def signals(self) -> "ports.SignalStore":
        prefix = self.stage.outputs.get("signalstableprefix") or f"bellwether-{self.stage.name}-signals_"
        return self._composition.signals(prefix)

    @cached_property
    def ledger(self) -> "ports.Ledger":
        return self._composition.ledger(self.stage.output("LedgerBucket"))

    def provider_keys(self) -> dict[str, Any]:
        """The stage's secret with keys of price services, `{name: key}`; the function that fetches prices
        knows where it lies."""
        secret = self._environment("FetchPricesFunction").get("PRICES_SECRET_ARN")
        return self._composition.secrets().values(secret) if secret else {}

    def provider_terms(self) -> "dict[str, Terms]":
        """What the stage allows its providers, as its functions are told."""
        from bellwether.handlers.provider_terms import read_terms

        return read_terms(self._environment("FetchSocialFunction").get("PROVIDER_TERMS", "{}"))

    def _environment(self, function: str) -> dict[str, str]:
        """The environment of a function, by the output with its name."""
        from botocore.exceptions import BotoCoreError, ClientError

        name = self.stage.output(function)
        try:
            told = owner_client(self.stage, "lambda").get_function_configuration(FunctionName=name)
        except (BotoCoreError, ClientError) as fault:
            raise aws_failure(fault, self.stage) from None
        return dict(told.get("Environment", {}).get("Variables", {}))

    def ledger_versions(self) -> dict[int, int]:
        """How often each entry of the ledger was written or deleted, from the bucket's versions."""
        from collections import Counter

        pages = owner_client(self.stage, "s3").get_paginator("list_object_versions")
        counts: Counter[int] = Counter()
        for page in pages.paginate(Bucket=self.stage.output("LedgerBucket"), Prefix="ledger/"):
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                counts[int(version["Key"].rpartition("/")[2].split(".")[0])] += 1
        return dict(counts)

    @cached_property
    def configs(self) -> "ports.AgentConfigs":
        return self._composition.agent_configs(self.stage.output("AgentsConfigTable"))

    @cached_property
    def controls(self) -> "ports.DeskControls":
        return self._composition.desk_controls(self.stage.output("AgentsConfigTable"))

    @cached_property
    def announce(self) -> "ports.Announcements":
        return self._composition.announcements(self.stage.output("DecisionsQueueUrl"))

    @cached_property
    def proposals(self) -> "ports.Proposals":
        return self._composition.proposals(self.stage.output("ProposalsTable"))

    @cached_property
    def outcomes(self) -> "ports.Outcomes":
        return self._composition.outcomes(self.stage.output("OutcomesTable"))


@contextmanager
def owner_ports(stage_name: str) -> Iterator[OwnerPorts]:
    """The ports of a stage; a problem of AWS inside becomes a failure that says whose it is."""
    stage = find_stage(stage_name)
    try:
        yield OwnerPorts(stage)
    except Problem as problem:
        if problem.__cause__ is None:
            raise
        found = aws_failure(problem.__cause__, stage)  # type: ignore[arg-type]
        raise (problem if found is problem.__cause__ else found) from None


@contextmanager
def owner_changes(stage_name: str) -> Iterator[OwnerPorts]:
    """The same for commands that change something: what they report as done survives a kill."""
    with owner_ports(stage_name) as ports:
        yield ports
        keep(stage_name)


def identity(stage_name: str) -> str:
    """Who gives an owner's command: the AWS identity, on the local desk the user of this machine."""
    if stage_name != LOCAL:
        return str(owner_client(find_stage(stage_name), "sts").get_caller_identity()["Arn"])
    import getpass

    try:
        return f"owner {getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as containers have them
        return "owner"


def configure(ports: OwnerPorts) -> "Configure":
    """What changes the desk's controls and the agents' configurations."""
    from bellwether.usecases.configure import Configure

    return Configure(
        ledger=ports.ledger,
        proposals=ports.proposals,
        announce=ports.announce,
        controls=ports.controls,
        configs=ports.configs,
    )


def keep(stage_name: str) -> None:
    """Makes what was changed durable. AWS does so by itself; the local desk's tables are only written to
    disk every few seconds, so it is asked to do it now. Raises `DeskError` when the disk refuses.
    """
    if not find_stage(stage_name).is_local:
        return
    from bellwether.desk import engine
    from bellwether.desk.home import Home

    engine.require(Home.open()).checkpoint()


def aws_failure(fault: Exception, stage: Stage) -> Exception:
    """What an AWS error means for the person at the keyboard; an error of another kind is given back."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    if isinstance(fault, NoCredentialsError | PartialCredentialsError):
        return Refused(
            f"No AWS credentials for stage {stage.name} were found.",
            title="No credentials",
            hint="Set AWS_PROFILE, or sign in with `aws sso login`.",
        )
    if isinstance(fault, ClientError):
        error = fault.response.get("Error", {})
        code, message = error.get("Code", ""), error.get("Message", "")
        if code in _DENIED:
            return Refused(f"{fault.operation_name}: {message or code}", title="AWS refused it")
        if code in _EXPIRED:
            return Refused("The AWS credentials have expired or are wrong.", title="AWS refused it")
        return NotRunning(f"{fault.operation_name}: {code} {message}".strip(), title="AWS answered an error")
    if isinstance(fault, BotoCoreError):
        return NotRunning(str(fault), title="AWS cannot be reached", hint="bellwether status")
    return fault
