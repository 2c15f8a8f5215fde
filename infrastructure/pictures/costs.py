"""What a stage costs before anybody uses it: whatever is paid for by the month rather than by the call."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infrastructure.pictures.assembly import Assembly
from infrastructure.pictures.tables import table

PRICES_OF = "List prices of eu-central-1, as of 2025; Zürich's are some 10 % higher. Check them first."
HOURS = 730.0
_WARM_GIGABYTE = 0.0000033334 * 3600 * HOURS
"""Provisioned concurrency of arm64 functions, a gigabyte and month."""

Priced = Callable[[Mapping[str, Any]], float]

_BY_TYPE: Mapping[str, tuple[str, Priced]] = {
    "AWS::CloudWatch::Alarm": ("alarms (each metric of one counts)", lambda one: 0.10 * _metrics(one)),
    "AWS::CloudWatch::CompositeAlarm": ("composite alarms", lambda _: 0.50),
    "AWS::CloudWatch::Dashboard": ("dashboards (an account has three free)", lambda _: 3.00),
    "AWS::EC2::EIP": ("public addresses", lambda _: 0.005 * HOURS),
    "AWS::EC2::NatGateway": ("NAT gateways", lambda _: 0.052 * HOURS),
    "AWS::EC2::VPCEndpoint": ("interface endpoints, by zone", lambda one: 0.012 * HOURS * _zones(one)),
    "AWS::KMS::Key": ("keys (a dollar more after each of the first two rotations)", lambda _: 1.00),
    "AWS::Lambda::Alias": ("warm environments at their least", lambda _: 0.0),
    "AWS::SecretsManager::Secret": ("secrets, copies included", lambda one: 0.40 * _copies(one)),
    "AWS::WAFv2::WebACL": ("firewalls and their rules", lambda one: 5.00 + 1.00 * len(one["Rules"])),
}


def costs(assembly: Assembly) -> str:
    """The standing costs of a stage as a table, dearest first, with their sum."""
    counted: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for what, dollars in _standing(assembly):
        counted[what] += 1
        spent[what] += round(dollars * 100)
    rows = [[what, str(counted[what]), f"{cents / 100:.2f}"] for what, cents in spent.most_common() if cents]
    total = ["**all of it**", "", f"**{sum(spent.values()) / 100:.2f}**"]
    return table([["what", "how many", "USD a month"], *rows, total]) + f"\n\n{PRICES_OF}"


def _standing(assembly: Assembly) -> Iterator[tuple[str, float]]:
    for kind, (what, price) in _BY_TYPE.items():
        for place, properties in assembly.resources(kind):
            if kind == "AWS::Lambda::Alias":
                yield what, _warm(assembly, place.stack, properties)
            else:
                yield what, price(properties)


def _warm(assembly: Assembly, stack: str, alias: Mapping[str, Any]) -> float:
    kept = alias.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0)
    (function,) = set(assembly.references(stack, alias["FunctionName"]))
    gigabytes = float(assembly.properties(function)["MemorySize"]) / 1024
    return float(kept) * gigabytes * _WARM_GIGABYTE


def _metrics(alarm: Mapping[str, Any]) -> int:
    """Of an alarm on an expression every metric it reads is billed."""
    return max(1, sum("MetricStat" in metric for metric in alarm.get("Metrics", ())))


def _zones(endpoint: Mapping[str, Any]) -> int:
    return len(endpoint.get("SubnetIds", ())) if endpoint.get("VpcEndpointType") == "Interface" else 0


def _copies(secret: Mapping[str, Any]) -> int:
    return 1 + len(secret.get("ReplicaRegions", ()))
