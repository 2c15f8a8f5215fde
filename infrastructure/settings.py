"""One typed table of the stages, and one of what the embedded engine cannot do.

Whatever differs between two stages is a field here. `tests/infrastructure/local_differences.txt` is the
reviewed list of what these fields do to the templates.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from infrastructure.setting_checks import EDGE_REGION, check_domain, check_networks, check_origin

StageName = Literal["local", "staging", "production"]
LogClass = Literal["operations", "security", "audit"]

PRODUCT = "bellwether"
REGION = "eu-central-2"
RECOVERY_REGION = "eu-central-1"
BILLING_REGION = "us-east-1"
"""Where AWS tells what an account has cost, whatever region it was spent in."""
TIME_ZONE = "Europe/Zurich"
API_VERSION = "v1"
LOCAL_ENDPOINT = "http://127.0.0.1:4566"


class Feature(StrEnum):
    """What a stage may have to do without."""

    PROVISIONED_CONCURRENCY = "provisioned concurrency with auto scaling"
    METERED_CALLERS = "usage plans metered by the authorizer's caller"
    THREAT_PROTECTION = "sign-in threat protection"
    REQUIRED_MFA = "a second factor for every user"
    CLOUD_WHEELS = "wheels for arm64 Linux in the layer"
    ACCESS_LOG_ROLE = "the account's role for API access logs"
    TLS_VERSION = "a lowest TLS version for the buckets"
    ACCOUNT_BASELINE = "the account's trail, configuration record and threat detection"
    SECRET_ROTATION = "API keys of machines that are exchanged by the clock"  # noqa: S105
    SECRET_POLICIES = "secrets that say who may read them"  # noqa: S105
    FIREWALL = "a web application firewall in front of the API"
    NETWORK = "a network of its own for the functions"
    SPOT_BATCH = "spare capacity for backtests"
    ACCESS_TRAIL = "CloudTrail data events of the lake and the ledger"
    LAKE_QUERIES = "saved queries beside the catalogue of the lake"
    RECOVERY_REGION = "copies of all data in a second region"
    EDGE = "a content network in front of dashboard and API"
    COMPOSITE_ALARMS = "one page for an incident, however many alarms belong to it"
    METRIC_MATH = "alarms on sums and differences of metrics"
    SILENCE = "alarms when nothing happens"
    SAVED_QUERIES = "saved queries of the logs"
    BILLING = "budgets, cost anomalies and the bill's own alarm"


ENGINE_LACKS: Mapping[Feature, str] = {
    Feature.PROVISIONED_CONCURRENCY: "AWS::ApplicationAutoScaling is unknown to the engine, which rejects a "
    "template with it",
    Feature.METERED_CALLERS: "the engine takes API keys from the header alone and ignores "
    "usageIdentifierKey, so a required key would shut out people, who have a token and no key",
    Feature.THREAT_PROTECTION: "the engine stores the setting and does nothing with it",
    Feature.REQUIRED_MFA: "the engine does not enforce it, and the first users of a desk sign in from a "
    "script",
    Feature.CLOUD_WHEELS: "functions run as processes of this machine, with its interpreter",
    Feature.TLS_VERSION: "on loopback there is no TLS whose version a bucket policy could ask for",
    Feature.ACCOUNT_BASELINE: "CloudTrail, Config, Security Hub and GuardDuty are unknown to the engine, and "
    "one machine has no account",
    Feature.SECRET_ROTATION: "AWS::SecretsManager::RotationSchedule is unknown to the engine, which never "
    "calls a rotation's function",
    Feature.SECRET_POLICIES: "AWS::SecretsManager::ResourcePolicy is unknown to the engine, which rejects a "
    "template with it; on one machine the roles' own policies decide",
    Feature.FIREWALL: "AWS::WAFv2::WebACLAssociation is unknown to the engine, which evaluates no rules; "
    "the desk answers on loopback alone",
    Feature.NETWORK: "network access lists, NAT gateways, addresses and flow logs are unknown to the engine; "
    "functions are processes of this machine, in its network",
    Feature.SPOT_BATCH: "AWS::Batch is unknown to the engine; on one machine `bellwether backtest` "
    "uses all cores",
    Feature.ACCESS_TRAIL: "AWS::CloudTrail is unknown to the engine, which rejects a template with it",
    Feature.LAKE_QUERIES: "AWS::Athena::NamedQuery is unknown to the engine, which rejects it",
    Feature.RECOVERY_REGION: "one engine is one region on one machine: a copy beside the original would be "
    "lost with it",
    Feature.EDGE: "the desk serves dashboard and API on one port of loopback itself, and the engine fails to "
    "deploy files",
    Feature.COMPOSITE_ALARMS: "AWS::CloudWatch::CompositeAlarm is unknown to the engine",
    Feature.METRIC_MATH: "the engine rejects alarms on expressions",
    Feature.SILENCE: "the engine evaluates no missing data, and a desk on one machine rests with its owner",
    Feature.SAVED_QUERIES: "AWS::Logs::QueryDefinition is unknown to the engine",
    Feature.BILLING: "there is no bill, and AWS::Budgets and AWS::CE are unknown to the engine",
    Feature.ACCESS_LOG_ROLE: "the engine writes no access logs, so the account needs no role for them",
}
"""Why each feature is off for `local`; nothing else may switch one off there."""


@dataclass(frozen=True)
class Throttle:
    """Requests per second and burst of one route (or of all together)."""

    rate: float
    burst: int


@dataclass(frozen=True)
class Auditor:
    """Another account whose people may look at the desk, and the id they agreed to say."""

    account: str
    external_id: str

    @classmethod
    def told(cls, text: str) -> "Auditor":
        """Reads `123456789012:external-id`. Raises `ValueError` when it is nothing of the kind."""
        account, _, external_id = text.partition(":")
        if not (len(account) == 12 and account.isdigit() and len(external_id) >= 16):
            raise ValueError("name an auditor as ACCOUNT:EXTERNAL-ID, the id of 16 characters at least")
        return cls(account, external_id)


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A host name of one's own and the ARN of its certificate. The DNS record is the operator's to set."""

    name: str
    certificate: str


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A Slack channel that hears alarms, by the ids Slack gives its workspace and channel."""

    workspace: str
    channel: str


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """Everything that may differ between stages."""

    name: StageName
    region: str = REGION
    owner: str = "desk-operators"
    """Tag of everything: whom to ask about it."""
    cost_center: str = PRODUCT
    """Tag of everything: what its cost is booked on."""
    time_zone: str = TIME_ZONE
    lacks: Mapping[Feature, str] = field(default_factory=dict)
    """Features this stage goes without, each with the reason."""
    endpoint: str | None = None
    """Where the AWS APIs answer, when it is not AWS (the embedded engine); no trailing slash."""
    auditor: Auditor | None = None
    """Who may take the auditor's role; nobody by default, and then there is none."""
    operators: tuple[str, ...] = ("aws-reserved/sso.amazonaws.com/*",)
    """Names (patterns) of the roles of people who run the desk: they read secrets beside the functions."""
    retain_data: bool = True
    """Keep stateful resources when a stack is deleted, and protect them from deletion."""
    ledger_days: int
    """How long Object Lock holds a ledger entry."""
    ledger_locked_for_everyone: bool
    """COMPLIANCE mode: nobody, not even the root user, can shorten it. Otherwise GOVERNANCE."""
    password_days: int = 180
    """So old a password may become; after that its owner has to choose a new one."""
    password_sign_in: bool
    """Allow USER_PASSWORD_AUTH beside SRP (scripts on the same machine)."""
    dashboard_origin: str | None = None
    """The only other web origin that may call the API from a browser; None refuses all. The dashboard of a
    stage with an edge has the API under its own origin and needs none.
    """
    allowed_networks: tuple[str, ...] = ()
    """The only networks (CIDR) that may call the API; none named lets in all. With an edge in front the API
    sees the edge's addresses: a stage has the one or the other.
    """
    api_domain: Domain | None = None
    """The API's own name; without one it answers under the gateway's. Its certificate is the region's."""
    dashboard_domain: Domain | None = None
    """The dashboard's own name; without one it answers under CloudFront's. Its certificate is us-east-1's."""
    api_throttle: Throttle = Throttle(200, 400)
    """Of the whole API, over all callers: the cost guard."""
    daily_requests: Mapping[str, int] = field(
        default_factory=lambda: {"people": 200_000, "machines": 500_000}
    )
    """Quota of each usage plan."""
    api_clients: tuple[str, ...] = ("collector",)
    """Names of machines that may call with an API key; each gets a usage-plan key of its own."""
    provisioned: int = 0
    """Environments kept warm for each function of the critical path (scales up to five times as many)."""
    provisioned_at_rest: int = 1
    """Of these, how many at night and over the weekend."""
    trading_hours: tuple[int, int] = (8, 22)
    """Full hours, Monday to Friday, in the stage's time zone: before Zürich opens until New York closes."""
    table_read_limit: int = 4_000
    table_write_limit: int = 2_000
    """On-demand request units a second a table may consume at most."""
    network_range: str = "10.20.0.0/20"
    """Addresses of the functions' network, should it ever be joined to another one."""
    batch_cpus: int = 16
    """Processors all backtests together may use at a time: what a forgotten job can cost."""
    zones: str = "ab"
    """Availability zones of the region, by their letters: each costs a set of interface endpoints."""
    nat_gateways: int = 2
    """Ways out, one in a zone at most: each is paid for around the clock."""
    time_series: bool = False
    """Also keep scores in Timestream, in the second region; closed to accounts that never had it."""
    standby: bool = False
    """In the second region, deployed and waiting: nothing runs by the clock until a fail-over."""
    log_days: Mapping[LogClass, int] = field(
        default_factory=lambda: {"operations": 30, "security": 90, "audit": 365}
    )

    alarm_emails: tuple[str, ...] = ()
    """Who gets alarms by e-mail; each must confirm once."""
    chat: Chat | None = None
    """Where alarms are told besides; the workspace must have been connected to the account once."""
    runbooks: str = "docs/runbooks"
    """What stands before a runbook's file name in an alarm: a path of the repository, or its address."""
    quiet_hours: int = 2
    """So long without a single new item is a failure nobody reports."""
    monthly_budget: int = 100
    """US dollars of AWS a month, for this stage."""
    anomaly_dollars: int = 20
    """The least unexpected cost of AWS a day worth a message."""
    provider_terms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What this stage may spend on a provider, and what that allows and charges, in place of the product's
    table (`bellwether.adapters.providers.terms`): `{"x": {"monthly_dollars": 200}}`.
    """

    def __post_init__(self) -> None:
        if self.dashboard_origin:
            check_origin(self.dashboard_origin)
        if self.allowed_networks:
            check_networks(self.allowed_networks, edge=self.has(Feature.EDGE))
        if self.api_domain:
            check_domain("api_domain", self.api_domain, self.region)
        if self.dashboard_domain:
            check_domain("dashboard_domain", self.dashboard_domain, EDGE_REGION)

    def has(self, feature: Feature) -> bool:
        """Whether the stage has the feature."""
        return feature not in self.lacks

    def without(self, feature: Feature, reason: str) -> "StageSettings":
        """The same stage going without a feature."""
        return replace(self, lacks={**self.lacks, feature: reason})

    @property
    def prefix(self) -> str:
        """Prefix of the few names we give ourselves."""
        return f"{PRODUCT}-{self.name}"

    @property
    def signals_prefix(self) -> str:
        """Tables of the signals family are named this and `yyyymm`."""
        return f"{self.prefix}-signals_"


_COST_OF_STAGING = "staging proves the wiring; warm environments would be paid for around the clock"
_NOTHING_TO_RECOVER = "staging holds nothing that could not be made again; every copy would be paid for twice"

STAGES: Mapping[StageName, StageSettings] = {
    "local": StageSettings(
        name="local",
        lacks=ENGINE_LACKS,
        endpoint=LOCAL_ENDPOINT,
        retain_data=False,
        ledger_days=1,
        ledger_locked_for_everyone=False,
        password_sign_in=True,
    ),
    "staging": StageSettings(
        name="staging",
        lacks={
            Feature.PROVISIONED_CONCURRENCY: _COST_OF_STAGING,
            Feature.RECOVERY_REGION: _NOTHING_TO_RECOVER,
            Feature.SILENCE: "staging takes in nothing but what a test sends",
            Feature.ACCOUNT_BASELINE: "an account has one; production's, or the organisation's",
        },
        monthly_budget=60,
        anomaly_dollars=5,
        provider_terms={
            "x": {"daily_dollars": 0.5, "monthly_dollars": 5},
            "openai": {"daily_dollars": 0.2, "monthly_dollars": 2},
        },
        retain_data=False,
        ledger_days=1,
        ledger_locked_for_everyone=False,
        password_sign_in=False,
        api_throttle=Throttle(50, 100),
        nat_gateways=1,
        daily_requests={"people": 20_000, "machines": 50_000},
    ),
    "production": StageSettings(
        name="production",
        ledger_days=3_653,
        ledger_locked_for_everyone=True,
        password_sign_in=False,
        provisioned=2,
    ),
}


def settings_of(
    stage: str, *, endpoint: str | None = None, dashboard_origin: str | None = None
) -> StageSettings:
    """The settings of a stage. `endpoint` (only for local) and `dashboard_origin` replace the table's.

    Raises `ValueError`, naming the stages there are.
    """
    settings = {str(name): row for name, row in STAGES.items()}.get(stage)
    if settings is None:
        raise ValueError(f"there is no stage {stage!r}; choose one of {', '.join(STAGES)}")
    if settings.endpoint:
        told = endpoint or os.environ.get("AWS_ENDPOINT_URL") or settings.endpoint
        settings = replace(settings, endpoint=told.rstrip("/"), dashboard_origin=told.rstrip("/"))
    return replace(settings, dashboard_origin=dashboard_origin) if dashboard_origin else settings
